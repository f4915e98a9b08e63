"""README.md and docs/ are written in short sentences."""

import pytest

from .documents import PAGES, name_of, sentences

AVERAGE, LONGEST = 16, 30


@pytest.fixture(scope="module")
def written():
    """Give every sentence, the longest first."""
    found = [sentence for page in PAGES for sentence in sentences(page.read_text("utf-8"), name_of(page))]
    return sorted(found, key=lambda sentence: -sentence.words)


def worst(found) -> str:
    return "\n".join(f"{one.words} words, {one.page}:{one.line}: {one.text}" for one in found[:10])


def test_sentences_are_short_on_average(written):
    # Without table cells, which would flatter.
    prose = [sentence for sentence in written if not sentence.is_cell]
    average = sum(sentence.words for sentence in prose) / len(prose)
    assert average <= AVERAGE, f"{average:.1f} words on average; the longest:\n{worst(prose)}"


def test_no_sentence_is_long(written):
    long = [sentence for sentence in written if sentence.words > LONGEST]
    assert not long, f"{len(long)} sentences of more than {LONGEST} words:\n{worst(long)}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("One two. Three four five!\n\n- Six seven", [2, 3, 2]),
        ("Version 2.0 has `a b c`, e.g. [a link](to/there).", [7]),
        ("# A heading\n\n```sh\ncode here\n```\n\n|a b|c|\n|-|-|\n|one|two three|\n", [2, 1, 1, 2]),
        ("It is so\nover two lines: yes; no?", [8]),
    ],
)
def test_sentences_are_told_apart(text, words):
    assert [sentence.words for sentence in sentences(text, "page")] == words
