"""Markup is undone as a browser does it, and plain text stays as it is."""

import html
import re

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.shipped import Shipped
from hate_speech_AI.text import normalise
from hate_speech_AI.text.encoder_form import encoder_form
from hate_speech_AI.text.linear_form import reading_form
from hate_speech_AI.text.markup import undo_markup

from .everyday import everyday_texts

PLAIN = "Women are too stupid to vote"
# The same sentence, as it is found in posts; what stands after the bar is read after the rest.
SAME = [
    "<p>Women are too <b>stu</b>pid to vote</p>",
    "<P>Women are too <B>stu</B>pid to vote</P>",
    "Women are too <span style='color: red'>stu</span>pid to vote",
    "Women are too stu<!-- -->pid to vote",
    "Women are too stu<!---->pid to vote",
    "Women are too stu<!>pid to vote",
    "Women are too stu</>pid to vote",
    "Women are too stu<wbr>pid to vote",
    "Women are too stu<img src=x>pid to vote",
    "Women are too stu<b class='>'></b>pid to vote",
    "Women are too stu<b\nclass = x\n></b\n>pid to vote",
    "Women are too stu<b/class=x/>pid to vote",
    "Women are too stu&shy;pid to vote",
    "Women are too stu&ZeroWidthSpace;pid to vote",
    "Women are too &#115;&#x74;&#000000000117;pid to vote",
    "Women are<br>too stupid<br/>to vote",
    "Women are</br>too stupid to vote",
    "<ul><li>Women are</li><li>too stupid to vote</li></ul>",
    "<div>Women are</div>too stupid<hr>to vote",
    "<blockquote><p>Women are</p></blockquote><p>too stupid to vote</p>",
    "<table><tr><td>Women are</td><td>too stupid</td></tr></table>to vote",
    "<!DOCTYPE html><html><body>Women are too stupid to vote</body></html>",
    '<!-- wp:paragraph {"align":"center"} --><p>Women are too stupid to vote</p><!-- /wp:paragraph -->',
    '<a href="https://x.test/?b=c&amp;d" rel="nofollow noopener noreferrer ugc" target="_blank">Women</a> are too stupid to vote',
    '<img alt="Women" title="Women" src="x.png"> are too stupid to vote',
    "Women are too <x-y>stu</x-y>pid to vote | x-y",
    "Women are too <b some>stu</b>pid to vote | some",
    "Women are too stu<!-- ferry -->pid to vote | ferry",
    "Women are too <b title='a > b'>stu</b>pid to vote | a > b",
    "<style>p { color: red }</style>Women are too stupid to vote | p { color: red }",
]


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("text", SAME)
def test_what_reads_the_same_has_the_same_form(text):
    text, _, after = text.partition(" | ")
    assert words(encoder_form(text).text) == words(encoder_form(f"{PLAIN} {after}").text)
    assert words(reading_form(text).replace("\u00ad", "").replace("\u200b", "")) == words(reading_form(f"{PLAIN} {after}"))


def test_it_is_judged_the_same():
    engine, threshold = EncoderEngine.shipped(), Shipped().manifest["threshold"]
    plain, marked = engine.predict_proba([PLAIN, SAME[0]])
    assert marked == pytest.approx(plain, abs=1e-6)
    assert marked >= threshold


@pytest.mark.parametrize(
    "text",
    [
        "I <3 this town", "you broke it </3", "a < b", "a<b", "if x<y and z>w", "if a<b and c>d", "<- here", "<<look>>", ">_<",
        "<user> wrote <number> words at <time>", "copy <source> to <object>", "<i am tired>", "<b", "<a title='x", "<!-- no end",
        "5 <6> 7", "name <ann@x.test>", "List<String> names", "well </sarcasm>", "<", "<>", "< p >", "no tags & none",
    ],
)  # fmt: skip
def test_plain_text_stays(text):
    assert undo_markup(text).text == text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("&lt;b&gt;stu&lt;/b&gt;pid", "<b>stu</b>pid"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&#60;b>x", "<b>x"),
        ("<b>&lt;</b>i>x", "<i>x"),
    ],
)
def test_entities_are_decoded_once_and_after_the_tags(text, read):
    assert encoder_form(text).text == read
    assert normalise(text) == read


@pytest.mark.parametrize("text", ["&#" + "9" * 5000 + ";", "&#x" + "f" * 5000 + ";", "&" + "a" * 5000 + ";"])
def test_a_number_of_any_length_is_read(text):
    assert len(normalise(text)) > 4900
    assert encoder_form(text).text


@pytest.mark.parametrize(
    "text",
    [
        f"<!-- {PLAIN} -->",
        f"<!{PLAIN}>",
        f"<? {PLAIN} ?>",
        f"</ {PLAIN}>",
        f"<b {PLAIN}>x</b>",
        f"<b title='{PLAIN}'>",
        f'<a href="{PLAIN}">x</a>',
        f"<p class='{PLAIN}'>",
        f"<p data-x='{PLAIN}'>",
        f"<script>{PLAIN}</script>",
        f"<style>{PLAIN}</style>",
        f"<!-- wp:{PLAIN} -->",
    ],
)
def test_what_a_browser_hides_is_read_too(text):
    """On a platform of plain text everybody sees it."""
    for read in (encoder_form(text).text, normalise(text)):
        assert "are too stupid to vote" in read


def test_what_is_hidden_is_read_after_what_is_shown():
    assert undo_markup("one<!-- two -->ther <a title='three'>four</a>").text.split("\n") == ["onether four", " two ", "three"]


def test_a_quotation_keeps_its_marks():
    assert undo_markup("they say <q>no</q>").text == 'they say "no"'


def test_an_explanation_points_into_what_was_posted():
    text = "<p>Women &amp; men are too <b>stu</b>pid to <i>vote</i></p><!-- ferry -->"
    [explanation] = EncoderEngine.shipped().explain([text])[1]
    found = [word["word"] for word in explanation["words"]]
    assert found == ["Women", "&amp;", "men", "are", "too", "stu</b>pid", "to", "vote", "ferry"]
    assert all(text[word["start"] : word["end"]] == word["word"] for word in explanation["words"])


# --- against a real parser ---

BLOCKS = {"p", "div", "li", "ul", "ol", "blockquote", "h2", "br", "hr", "pre", "section", "table", "tbody", "tr", "td"}


def shown(element) -> str:
    """Return the text that a browser shows of an element, as html5lib understands it."""
    text = element.text or ""
    for child in element:
        inside = shown(child) if isinstance(child.tag, str) else ""
        mark = "\n" if child.tag in BLOCKS else '"' if child.tag == "q" else ""
        text += mark + inside + mark + (child.tail or "")
    return text


def browsed(text: str) -> str:
    return words(shown(html5lib.parseFragment(text, namespaceHTMLElements=False)))


DOCUMENTS = [
    *(text for text in SAME if "|" not in text and "title" not in text),
    "<p>One<p>two<br>three</p><ol><li>four<li>five</ol>",
    "<h2>Ferries</h2><pre>a\n  b</pre><p>c &amp; d &lt;e&gt; &copy; &#8364;</p>",
    "<p>x<sup>2</sup> &lt; <em>y</em></p><hr/>z",
    '<div class="a" id=b><span lang=\'en\'>one</span> <a href="/x?a=1&b=2">two</a></div>',
    "<q>one</q><section>two</section>",
    "<!--a--><!-->b<!--->c<!-- - -- -> --!>d",
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_it_shows_what_a_real_parser_shows(text):
    assert words(html.unescape(undo_markup(re.sub("<!--a-->", "", text)).text).split("\n - ")[0]) == browsed(text)


INLINE = st.sampled_from(["b", "i", "span", "em", "strong", "u", "s", "code", "a", "q", "br", "img", "wbr", "B", "SPAN"])
VALUES = st.text(alphabet="ab >/=<'\"1", max_size=6)
ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from(["class", "id", "href", "data-x", "STYLE"]), VALUES, st.sampled_from(['"', "'", ""])), max_size=3
)


def write_attribute(name: str, value: str, quote: str) -> str:
    value = value.replace(quote, "") if quote else re.sub(r"[\s\"'=<>`/]", "", value) or "x"
    return f" {name}={quote}{value}{quote}"


TAGS = st.builds(
    lambda name, attributes, end: f"<{name}{''.join(write_attribute(*one) for one in attributes)}{end}",
    INLINE, ATTRIBUTES, st.sampled_from([">", " >", "/>", " />", "\n>"]),
)  # fmt: skip
CLOSING = INLINE.filter(lambda name: name.lower() not in {"br", "img", "wbr"}).map(lambda name: f"</{name}>")
PARTS = st.one_of(
    TAGS, CLOSING, st.text(alphabet="abc &;-!", max_size=5), st.sampled_from(["&lt;", "&amp;", "<!---->", "<!-- -->"])
)


@given(st.lists(PARTS, max_size=12).map("".join))
@settings(max_examples=300, deadline=None)
def test_it_finds_the_tags_that_a_real_parser_finds(text):
    # A quotation that is never closed, or closed twice, has marks on one side only: they are left out.
    found, expected = (words(shown.replace('"', "")) for shown in (html.unescape(undo_markup(text).text), browsed(text)))
    assert found == expected


# --- everyday texts ---


def test_everyday_texts_are_judged_the_same_in_html():
    texts = everyday_texts()
    assert len(texts) == len({plain for plain, _ in texts}) == 200
    engine, threshold = EncoderEngine.shipped(), Shipped().manifest["threshold"]
    plain, marked = (engine.predict_proba(list(column)) >= threshold for column in zip(*texts, strict=True))
    assert 20 <= plain.sum() <= 120  # otherwise the next line would show little
    assert (plain != marked).sum() <= 2
