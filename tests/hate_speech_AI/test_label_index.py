import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hate_speech_AI.errors import CorruptVersionError
from hate_speech_AI.label_index import LabelIndex
from hate_speech_AI.text import fingerprint

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.dictionaries(digests, st.booleans()), digests)
def test_it_answers_what_it_was_given(labelled, other):
    index = LabelIndex.build(labelled.items())
    assert len(index) == len(labelled)
    assert {key: index.get(key) for key in labelled} == labelled
    assert index.get(other) == labelled.get(other)


def test_a_shared_first_half_is_told_apart():
    first, second = "ab" * 8 + "00" * 24, "ab" * 8 + "11" * 24
    index = LabelIndex.build([(first, True), (second, False)])
    assert (index.get(first), index.get(second), index.get("ab" * 8 + "22" * 24)) == (True, False, None)


@pytest.mark.parametrize("n", [0, 1, 9, 1000])
def test_a_saved_index_is_the_same(tmp_path, n):
    labelled = {fingerprint(f"text {number}"): number % 3 == 0 for number in range(n)}
    LabelIndex.build(labelled.items()).save(tmp_path / "index.npz")
    index = LabelIndex.load(tmp_path / "index.npz")
    assert {key: index.get(key) for key in labelled} == labelled
    assert (tmp_path / "index.npz").stat().st_size < 1000 + 18 * n


@pytest.mark.parametrize(
    "arrays",
    [
        {"keys": np.zeros((3, 2), np.uint64), "labels": np.zeros(1, np.uint8)},
        {"keys": np.zeros((3, 1), np.uint64), "labels": np.zeros(1, np.uint8), "n": np.int64(3)},
        {"keys": np.zeros((3, 2), np.int32), "labels": np.zeros(1, np.uint8), "n": np.int64(3)},
        {"keys": np.zeros((3, 2), np.uint64), "labels": np.zeros(7, np.uint8), "n": np.int64(3)},
        {"keys": np.zeros((3, 2), np.uint64), "labels": np.zeros(1, np.uint8), "n": np.array([3, 3])},
        {"keys": np.zeros((3, 2), np.uint64), "labels": np.zeros(1, np.uint8), "n": np.int64(4)},
        {"keys": np.uint64(3), "labels": np.zeros(1, np.uint8), "n": np.int64(3)},
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "index.npz", **arrays)
    with pytest.raises(CorruptVersionError):
        LabelIndex.load(tmp_path / "index.npz")
