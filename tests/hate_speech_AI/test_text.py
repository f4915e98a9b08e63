import inspect
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hate_speech_AI.text import (
    clean_and_tokenize_string,
    compute_likeness,
    cut_key,
    fingerprint,
    linear_form,
    normalisation,
    normalise,
)
from hate_speech_AI.text.encoder_form import encoder_form
from hate_speech_AI.text.linear_form import reading_form, stems, words
from hate_speech_AI.text.markup import undo_markup
from hate_speech_AI.text.normalisation import normalise_unicode
from hate_speech_AI.text.sentences import find_sentences

any_text = st.text(st.characters(), max_size=200)  # surrogates and control characters too


def test_it_works():
    assert clean_and_tokenize_string("@user Running with my DOGS!! #Happy https://x.test/1") == "run with my dog #happi"


def test_words_of_three_letters_are_kept():
    assert clean_and_tokenize_string("proud gay jew").split() == ["proud", "gay", "jew"]


@given(any_text)
@example("a\ud800b")
def test_every_text_has_a_fingerprint_of_64_hex_digits(text):
    assert re.fullmatch("[0-9a-f]{64}", fingerprint(text))


@given(any_text)
def test_fingerprint_ignores_case_and_white_space(text):
    spaced = "  \t" + re.sub(r" ", " \n ", text) + "\u00a0"
    assert fingerprint(spaced) == fingerprint(text)
    assert fingerprint("ABC " + text) == fingerprint("abc " + text)


@given(any_text)
def test_fingerprint_ignores_the_unicode_form(text):
    assert fingerprint(unicodedata.normalize("NFKC", text)) == fingerprint(text)


def test_fingerprint_never_changes():
    # sha256 of "good morning": rows are keyed by it, so this value is for ever.
    assert fingerprint("Good  Morning\n") == "cdf71dea7d7741a2b6f021f3dd344f75c8333988f547866a8fbf28f064cf7c78"


def test_keys_never_change():
    # Versions and the shipped files hold them.
    digest = fingerprint("Good  Morning\n")
    assert (cut_key(digest), cut_key(digest, half=1)) == (0xCDF71DEA7D7741A2, 0xB6F021F3DD344F75)


@given(any_text)
def test_both_keys_are_the_first_128_bits_of_a_digest(text):
    digest = fingerprint(text)
    keys = np.array([cut_key(digest), cut_key(digest, half=1)], np.uint64)
    assert digest.startswith("".join(f"{key:016x}" for key in keys))


# Marks in and out of order, characters that decompose into marks (some of class 0 themselves), into a letter and marks, or into
# many letters; hangul, whole and in parts; and letters that marks combine with.
MARKS = "\u0300\u0301\u0308\u0316\u0323\u0327\u0334\u0345\u0591\u05b0\u05bc\u064b\u0651\u0f71\u0f72\u3099\u309a\u20dd"
DECOMPOSING = (
    "\u0344\u0f73\u0f75\u0f81\uff9e\uff9f\u1e0b\u1eb6\ufc5e\ufc60\ufdfa\u1f82\u0958\u2adc\ufb1d\U0001d160\u3333\u00a8\u037a"
)
OTHERS = "aeıAſßµ אあかカ\uff76\u1100\u1161\u11a8\uac00\uac01\u0000\u200d\ufe0f\ud800\U0001f600"


@given(
    st.text(st.sampled_from(MARKS + DECOMPOSING + OTHERS), max_size=300) | any_text, st.sampled_from(MARKS), st.integers(0, 200)
)
@example("\u0f73\uff9e" * 100, "\u0301", 0)
@example("\u0316\u0301" * 100 + "a" + "\u0345\uff9e" * 100, "\u0301", 64)
@settings(max_examples=500)
def test_the_unicode_forms_are_those_of_the_standard_library(text, mark, count):
    for whole in (text, mark * count + text, "\u0f73" * count + text, text + text[::-1] * (count // 10)):
        for form in ("NFKC", "NFKD"):
            assert normalise_unicode(form, whole) == unicodedata.normalize(form, whole)


@pytest.mark.parametrize(
    "piece",
    ["\u0591\u05bc\u05b8\u05b0", "\u0345\uff9e", "\u0f73", "\u0344\u0316", "\u0301" * 999 + "\u0316" * 999 + "\u0334" * 999],
)
@pytest.mark.parametrize("form", ["NFKC", "NFKD"])
def test_the_standard_library_never_sorts_a_long_run_of_marks(monkeypatch, form, piece):
    # It sorts by insertion, so each mark that stands out of order costs as many steps as marks before it are of a higher class.
    steps = 0

    def normalise(form, text):
        nonlocal steps
        run: Counter[int] = Counter()
        for char in "".join(unicodedata.normalize("NFKD", char) for char in text):
            rank = unicodedata.combining(char)
            steps += sum(count for other, count in run.items() if other > rank > 0)
            run = run + Counter([rank]) if rank else Counter()
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(normalisation, "unicodedata", SimpleNamespace(normalize=normalise, combining=unicodedata.combining))
    text = ("א" + piece * 3000)[:3000]
    normalise_unicode(form, text)
    assert steps <= 10 * len(text)


@given(any_text)
def test_texts_of_one_fingerprint_by_white_space_read_the_same(text):
    assert reading_form(" " + text.replace(" ", "  ")) == reading_form(text)


@given(any_text)
def test_reading_form_is_lower_case_and_single_spaced(text):
    form = reading_form(text)
    assert form == form.strip()
    assert "  " not in form
    assert "\0" not in form


@given(any_text)
def test_cleaning_never_fails_and_leaves_words_only(text):
    for word in clean_and_tokenize_string(text).split():
        assert not re.search(r"[\s@\d]", word)


@given(st.text(st.characters(codec="utf-8", min_codepoint=0x2600, max_codepoint=0x1FAFF), min_size=1, max_size=20))
def test_emoji_read_as_latin_1_are_undone(text):
    assert normalise(text.encode("utf-8").decode("latin-1")) == text


@pytest.mark.parametrize("text", ["Straße, café, naïve", "Ünïcödé", "Spaß»", "½ £5 §3", "日本語", "Привет"])
def test_real_letters_are_no_mojibake(text):
    assert normalise(text) == text


def test_entities_are_undone():
    assert normalise("fish &amp; chips &#128512;") == "fish & chips 😀"


def test_mentions_and_links_become_marks():
    assert reading_form("@Some_One look: https://x.test/a?b=c now www.x.test") == "@ look: :// now ://"


HOSTILE = [
    "a.b-",
    "😀",
    "👩\u200d",
    "#aA",
    "a1",
    "\u0300",
    "ж",
    "@a.",
    "a",
    "@",
    "#",
    "a.",
    "a'",
    "a-",
    "&",
    "&#",
    "http://",
    "www.",
    "a@a.",
    "é",
    "́",
    "ã",
    "Â\u0080",
    "\u0345a",
    "ß",
    "'",
    " ",
    "𝐀",
    "<",
    "<a ",
    "<b>",
    "</b>",
    "<x></x>",
    "<!--",
    "<!",
    "</",
    "<script>",
    "<a x='",
    '<a x="',
    '<i class="<i class=\'" ',
    "<i x <i class=y ",
    "</b x>",
    "&#0",
    "wmn ",
    "w*m*n",
    "id iot ",
    "x y.",
    "$t0p ",
    "theseareall",
    "don'tall",
    "🇫🇴🇬",
    "🆔i",
]


READERS = [normalise, reading_form, words, fingerprint, compute_likeness, encoder_form, find_sentences, undo_markup]


def count_steps(function: Callable[[str], object], text: str) -> int:
    """Count the instructions of Python that a call takes, and the characters that it hands from function to function.

    What a regular expression does inside is not counted: `python -m tests.bench hostile` measures its time.
    """
    steps = 0

    def length(value: object) -> int:
        return len(value.group()) if isinstance(value, re.Match) else len(value) if isinstance(value, str) else 0

    def trace(frame, event, arg):
        nonlocal steps
        if event in ("call", "line"):  # Python 3.13 takes it once the frame is traced, which it is from its first line on
            frame.f_trace_opcodes = True
        # A generator is called once and then resumed, which is a "call" too.
        if event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR:
            steps += sum(length(frame.f_locals.get(name)) for name in frame.f_code.co_varnames[: frame.f_code.co_argcount])
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(text)
    finally:
        sys.settrace(before)
    return steps


def is_linear(function: Callable[[str], object], piece: str) -> bool:
    short, long = (piece * 1000)[:1000], (piece * 10_000)[:10_000]
    function(short)  # fills the caches
    # What is beyond a bound is read in another way, which may add some steps; a square would be a hundred times.
    return count_steps(function, long) <= 15 * count_steps(function, short)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("function", READERS)
def test_work_is_linear_in_the_length(function, piece):
    assert is_linear(function, piece)


@pytest.mark.parametrize(
    "function",
    [
        lambda text: [char for char in text[::20] for _ in text[::20]],
        lambda text: [fingerprint(text[at:]) for at in range(len(text))],
        lambda text: re.sub("(?=(.*))", lambda found: normalise(found[1]), text),
    ],
)
def test_work_that_is_a_square_would_be_found(function):
    assert not is_linear(function, "a")


def test_the_stemmer_is_kept_from_endless_words(monkeypatch):
    lengths = []
    monkeypatch.setattr(linear_form, "porter2_stem", lambda word: lengths.append(len(word)) or word)
    stems("yz" * 20 + " " + "ational" * 1400)
    assert lengths == [40]


def test_words_follow_the_rules_of_nltk():
    tokenizer = pytest.importorskip("nltk.tokenize").TweetTokenizer(preserve_case=False, strip_handles=True)
    texts = [
        "Don't you love @some_one's well-known café?! #so_good #2cool :-) 10:30",
        "or see https://x.test/a-b?c=d ... now!!!",
        "it's a mother-in-law's thing -- you know?",
        "RT @user: naïve question, isn't it? 😀",
        "A third-party co-op, rock'n'roll",
    ]
    for text in texts:
        expected = [
            token
            for token in tokenizer.tokenize(text)
            if re.search(r"[^\W\d_]", token) and not re.match(r"https?:|.*@|\d", token)
        ]
        found = [word for word in words(reading_form(text)) if len(word) > 1]
        assert [word for word in expected if len(word) > 1] == found, text
