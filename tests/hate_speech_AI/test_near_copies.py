import numpy as np
import pytest

from hate_speech_AI.training.near_copies import number_near_copies

from .poison import flipped, honest

TEXT = "They repaired the roof of the old library on Monday"
DIFFERENT = ["Lovely light over the harbour this morning", "who else walked to the market with friends", "the bus was late again"]


@pytest.mark.parametrize(
    "copy",
    [
        "they REPAIRED the roof of the old library on monday!!!",
        "They repaired the roof of the old library on Monday 17 3 2026",
        "They repaired the roof of the old library on Tuesday",
        "RT: They repaired the roof of the old library on Monday \N{GRINNING FACE}",
        "They\N{NO-BREAK SPACE}repaired\tthe roof of the old library on Monday",
    ],
)
def test_near_copies_share_a_number(copy):
    first, *others, last = number_near_copies([TEXT, *DIFFERENT, copy]).tolist()
    assert first == last
    assert len({first, *others}) == 4


def test_different_texts_do_not():
    assert number_near_copies([TEXT, *DIFFERENT]).tolist() == [0, 1, 2, 3]


def test_a_chain_of_copies_shares_one():
    words = [letter * 5 for letter in "abcdefghijkl"]
    chain = [" ".join(words[at : at + 8]) for at in range(5)]
    assert set(number_near_copies(chain).tolist()) == {0}


def test_texts_from_one_pattern_are_few():
    for rows in (flipped(1500), honest(600)):
        assert len(np.unique(number_near_copies([row.text for row in rows]))) < 20


def test_it_takes_any_text():
    assert number_near_copies([]).tolist() == []
    # Without letters nothing is alike.
    assert number_near_copies(["", " ", "17", "\N{GRINNING FACE}"]).tolist() == [0, 1, 2, 3]


def test_far_texts_are_found_across_blocks():
    texts = [TEXT, *(f"{chr(97 + number % 26) * 5} {chr(97 + number // 26 % 26) * 6} {number}" for number in range(1500)), TEXT]
    numbers = number_near_copies(texts)
    assert numbers[-1] == 0
    assert (numbers == 0).sum() == 2
