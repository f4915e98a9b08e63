"""What the encoder reads of a text, and where each character of it comes from."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hate_speech_AI.text.encoder_form import encoder_form

from .forms import origin, read


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Plain words, as they are.", "Plain words, as they are."),
        ("fish &amp; chips &#39;now&#39;", "fish & chips 'now'"),
        ("ha\u200bte \ufefffog", "hate fog"),
        ("z\u0335a\u0336l\u0337g\u0338o", "zalgo"),
        ("ＦＯＧ 𝕗𝕠𝕘 café", "FOG fog cafe"),
        ("fоg and wаrm", "fog and warm"),  # two of the letters are Cyrillic
        ("h4te th1s r@in, c0ld a$ide", "hate this rain, cold aside"),
        ("covid19 4chan 2pm room 101 a$$", "covid19 4chan 2pm room 101 a$$"),
        ("f o g g y day, f.o.g, f-o-g", "foggy day, fog, fog"),
        ("a b c, i.e. a-b", "a b c, i.e. a-b"),
        ("sooooo cold!!!!!!", "soo cold!!!"),
        ("#ColdMorning #rainy_day", "# Cold Morning # rainy day"),
        ("@some_one see https://x.test/a?b=c or mail me@x.test", "@user see http or mail @user"),
        ("<user> wrote [URL]", "@user wrote http"),
        ("cloud 🌧️🌧️🌧️ 🇵🇱", "cloud cloud with rain poland"),
        ("👩🏿‍🌾 works", "woman farmer dark skin tone works"),
        ("🅱ad", "bad"),
        ("cafÃ© â\x80\x9cfogâ\x80\x9d", "cafe “fog”"),
    ],
)
def test_it_undoes_what_hides_words(text, form):
    assert read(text) == form


def test_other_scripts_are_left_as_they_are():
    assert read("жук and ящик") == "жук and ящик"
    assert read("日本 שלום") == "日本 שלום"


@pytest.mark.parametrize(
    ("text", "part", "made_of"),
    [
        ("so c0ld &amp; wet", "cold", "c0ld"),
        ("so c0ld &amp; wet", "&", "&amp;"),
        ("so c0ld &amp; wet", "wet", "wet"),
        ("👩🏿‍🌾 f o g g y", "woman farmer", "👩🏿‍🌾"),
        ("👩🏿‍🌾 f o g g y", "foggy", "f o g g y"),
        ("e\u0301te\u0301 שלום rain", "rain", "rain"),
        ("e\u0301te\u0301 שלום rain", "שלום", "שלום"),
        ("fo\u200bg 🌧️🌧️ rain", "cloud with rain", "🌧️🌧️"),
        ("fo\u200bg 🌧️🌧️ rain", "fog", "fo\u200bg"),
    ],
)
def test_every_part_knows_where_it_comes_from(text, part, made_of):
    assert origin(text, part) == made_of


@given(st.text(alphabet=st.sampled_from("aA4@#.- _&;!🌧️👩‍🏿\u0301\u200bжaо<user>0шé"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_offsets_are_in_order_and_within_the_text(text):
    form = encoder_form(text)
    assert len(form.starts) == len(form.ends) == len(form.text)
    assert all(0 <= start < end <= len(text) for start, end in zip(form.starts, form.ends, strict=True))
    if "<!" not in text:  # a comment is read after the rest
        assert list(form.starts) == sorted(form.starts)
        assert list(form.ends) == sorted(form.ends)


@given(st.text(st.characters(), max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_has_a_form(text):
    form = encoder_form(text)
    assert len(form.starts) == len(form.text)


def test_a_word_without_end_is_read_in_parts():
    assert max(map(len, encoder_form("x" + "fog" * 200).text.split())) <= 81
