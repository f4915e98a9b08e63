"""Disguised words are restored, and nothing else is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from hate_speech_AI.engines.encoder.shipped import FOLDER
from hate_speech_AI.recipe.word_table import make_table
from hate_speech_AI.text.encoder_form import encoder_form
from hate_speech_AI.text.word_table import PATH, load_word_table

from .forms import origin, read

TABLE = load_word_table()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        # letters missing, swapped, doubled
        ("Wmen are wothless", "women are worthless"),
        ("those jws", "those jews"),
        ("peolpe are stpuid", "people are stupid"),
        ("such a looser and a foool", "such a looser and a fool"),
        ("dvmb people", "dumb people"),
        # stars for vowels
        ("st*pid p**ple", "stupid people"),
        # figures and signs at the edge of a word, or many of them
        ("$tup1d 1diot$", "stupid idiots"),
        ("d!rty p30p1e", "dirty people"),
        # words that run together
        ("iloveallofthesepeople", "i love all of these people"),
        ("#theyareallidiots", "# they are all idiots"),
        ("allwomen are great", "all women are great"),
        ("thepeople'sfavourite", "the people's favourite"),
        # split words
        ("such an id iot", "such an idiot"),
        ("those wo-men and peo.ple", "those women and people"),
        ("you i d i o t", "you idiot"),
        ("that g a y man", "that gay man"),
        ("a s t u p i d day", "a stupid day"),
        ("peo pl e", "people"),
        # emoji that are letters
        ("🇸🇹🇺🇵🇮🇩", "stupid"),
        ("🇮 🇩 🇮 🇴 🇹", "idiot"),
        ("🆔iot", "idiot"),
        ("st🇺pid f⭕g", "stupid fog"),
        ("1️⃣d1️⃣ot", "idiot"),
        ("⒤⒟⒤⒪⒯", "idiot"),
    ],
)
def test_it_restores(text, form):
    assert read(text) == form


@pytest.mark.parametrize(
    "text",
    [
        "the rapist and the therapist, some one in particular",
        "We met Karin and Marvyn at Lake Wobegon.",  # capitals amid a sentence: names
        "NATO, DoD and an EDT clock",
        "a romantic evening and an aromantic person",
        "it's 700k for 20mm, the 1st at 8am in B52s on mp3",
        "two **bold** stars * here",
        "unsophisticated overreactions",
        "a b c, i.e. a-b",
        "der Verkehr zwischen den Vororten ist heute ausgefallen",
        "жук и ящик, été, naïveté",
    ],
)
def test_it_leaves_alone(text):
    assert encoder_form(text).text == encoder_form(text, restore=False).text


def test_flags_are_flags():
    assert read("🇵🇱🇩🇪") == "poland germany"
    assert read("🆗 then ❗ and ❌❌") == "ok button then red exclamation mark and cross mark"


@pytest.mark.parametrize(
    ("text", "part", "made_of"),
    [
        ("so st*pid, wmen", "stupid", "st*pid"),
        ("so st*pid, wmen", "women", "wmen"),
        ("an id iot!", "idiot", "id iot"),
        ("iloveallofthesepeople", "love", "love"),
        ("iloveallofthesepeople", "these", "these"),
        ("&amp; $tup1d 🇫🇴🇬", "stupid", "$tup1d"),
        ("&amp; $tup1d 🇫🇴🇬", "fog", "🇫🇴🇬"),
        ("st🆗o", "ok", "🆗"),
    ],
)
def test_every_part_knows_where_it_comes_from(text, part, made_of):
    assert origin(text, part) == made_of


PIECES = [
    "wmen",
    "id",
    "iot",
    "st*pid",
    "peolpe",
    "theseareall",
    "$tup1d",
    "🇫🇴🇬",
    "🆔",
    "a",
    "s",
    "é",
    "'",
    "*",
    "-",
    ".",
    "#",
    " ",
    " ",
    "1",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(max_examples=400, deadline=None)
def test_offsets_are_in_order_and_within_the_text(text):
    form = encoder_form(text)
    assert len(form.starts) == len(form.ends) == len(form.text)
    assert all(0 <= start < end <= len(text) for start, end in zip(form.starts, form.ends, strict=True))
    assert list(form.starts) == sorted(form.starts)
    assert list(form.ends) == sorted(form.ends)


@pytest.mark.parametrize("around", ["{}", "well, {}: here", "{}, {}!", "#{}"])
def test_no_word_of_the_table_is_changed(around):
    # Names and slurs are among them. A single letter may be a fragment, as may a rare word beside another.
    for word in TABLE.counts:
        for written in {word, word.title() if word in TABLE.names else word}:
            text = around.format(written, written)
            assert len(word) == 1 or encoder_form(text).text == encoder_form(text, restore=False).text


def test_only_what_the_tokenizer_needs_fewer_pieces_for_is_restored():
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    for word in list(TABLE.counts)[::5]:
        assert TABLE.count_pieces(word) == len(tokenizer.encode(word, add_special_tokens=False).ids)
    for text in ("Wmen", "st*pid", "$tup1d", "id iot", "iloveallofthesepeople", "allwomen", "peo pl e"):
        before, after = (
            len(tokenizer.encode(encoder_form(text, restore=restore).text, add_special_tokens=False).ids)
            for restore in (False, True)
        )
        assert after < before


def test_the_table_is_small():
    assert PATH.stat().st_size <= 1_000_000


def test_the_table_has_the_words_of_some_texts_and_the_pieces_of_the_tokenizer():
    texts = ["Good morning, dear Wanda!"] * 15_000 + ["a g00d lamp"] * 25_000 + ["lmap"]
    made = json.loads(make_table(texts, ["good", "lamp", "ferry", "##ing", "[CLS]", "9"]))
    assert made["whole"] == {"ferry": 0, "good": round(40_000 / 40_001 * 100_000), "lamp": round(25_000 / 40_001 * 100_000)}
    assert made["parted"].keys() == {"a", "dear", "morning", "wanda"}  # a word of one text is most likely misspelt
    assert made["names"] == "wanda"
    assert made["continuations"] == "ing"
