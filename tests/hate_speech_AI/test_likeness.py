"""Texts that read the same to people have one likeness, and no others."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hate_speech_AI.text import compute_likeness

TEXT = "The ferry isn't late, 2 of us wait 🙂"


@pytest.mark.parametrize(
    "text",
    [
        "THE FERRY ISN'T LATE, 2 OF US WAIT 🙂",
        "The ferry isn't late, 2 of us wait 🙂!!",
        "  the ferry - isn’t late ... (2 of us wait)🙂\n",
        "The f\u200berry isn't la\u00adte, 2 of us\u2060 wait \ufeff🙂",
        "Ｔｈｅ ferry isn't late, ② of us wait 🙂\ufe0f",
        "*The ferry* isn't _late_; 2 of us wait? 🙂",
        "<p>The <b>fer</b>ry isn&#39;t late,<br>2 of us wait 🙂</p>",
    ],
)
def test_what_reads_the_same_is_alike(text):
    assert compute_likeness(text) == compute_likeness(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "The ferry is late, 2 of us wait 🙂",
        "The ferry isn't late, 3 of us wait 🙂",
        "The ferry isn't late, 2 of us wait 🙁",
        "The ferry isn't late, 2 of us wait",
        "The ferry isn't late, 2 of us wait 🙂🙂",
        "The fer ry isn't late, 2 of us wait 🙂",
        "The ferry isn't late, 2 of us await 🙂",
        "The ferry, 2 of us wait, isn't late 🙂",
    ],
)
def test_what_reads_otherwise_is_not(text):
    assert compute_likeness(text) not in {None, compute_likeness(TEXT)}


def test_letters_of_other_scripts_and_their_marks_stay():
    assert len({compute_likeness(f"यह नाव आज सुबह {word}") for word in ("की", "का", "क", "कु")}) == 4
    assert compute_likeness("Привет, соседи") == compute_likeness("ПРИВЕТ СОСЕДИ!")


@pytest.mark.parametrize("text", ["", "no", "stupid ferry", "!!!!!!!!!!!!!!", "\u200b" * 40, "a" * 11 + "!"])
def test_a_short_text_has_none(text):
    assert (compute_likeness(text) is None) == (sum(map(str.isalnum, text)) < 12)


def test_it_never_changes():
    # Versions keep it, so this value is for ever: the sha256 of a line break and "good morning neighbours 🙂".
    assert compute_likeness("Good morning, neighbours!🙂") == "29a127e765aaabe3041966f46ebb7b09a12be4321276f18bfd9e742d1389e652"


@given(st.text(st.characters(), max_size=60))
def test_every_text_has_one_or_none(text):
    likeness = compute_likeness(text)
    assert likeness is None or len(likeness) == 64
    assert compute_likeness(unicodedata.normalize("NFKC", text) + "!") == compute_likeness(unicodedata.normalize("NFKC", text))
