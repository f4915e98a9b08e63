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


def test_reviews_are_found_by_likeness_too_unless_they_disagree():
    one, other, third = ("ab" * 32, "cd" * 32, "ef" * 32)
    index = LabelIndex.build_of_reviews([("01" * 32, one, True), ("02" * 32, one, True), ("03" * 32, None, False)])
    assert (len(index), index.get_alike(one), index.get_alike(other)) == (3, True, None)
    for said in ([True, False], [True, False, True], [False, True, True]):
        index = LabelIndex.build_of_reviews(
            [(f"{at + 1:02x}" * 32, other, label) for at, label in enumerate(said)] + [("ff" * 32, third, True)]
        )
        assert (index.get_alike(other), index.get_alike(third)) == (None, True)
        assert [index.get(f"{at + 1:02x}" * 32) for at in range(len(said))] == said


def test_a_likeness_is_no_fingerprint(tmp_path):
    index = LabelIndex.build_of_reviews([("01" * 32, "ab" * 32, True)])
    index.save(tmp_path / "index.npz")
    index = LabelIndex.load(tmp_path / "index.npz")
    assert (index.get("01" * 32), index.get_alike("ab" * 32)) == (True, True)
    assert (index.get("ab" * 32), index.get_alike("01" * 32)) == (None, None)


def test_a_file_without_likenesses_is_read(tmp_path):
    LabelIndex.build([("01" * 32, True)]).save(tmp_path / "index.npz")  # as releases before wrote it
    index = LabelIndex.load(tmp_path / "index.npz")
    assert (index.get("01" * 32), index.get_alike("01" * 32)) == (True, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alike_keys": np.zeros((2, 2), np.uint64)},
        {"alike_labels": np.zeros(2, np.uint8)},
        {"alike_n": np.float64(1)},
        {"alike_n": None},
        {"alike_keys": None},
    ],
)
def test_likenesses_of_other_shapes_are_refused(tmp_path, wrong):
    LabelIndex.build_of_reviews([("01" * 32, "ab" * 32, True)]).save(tmp_path / "index.npz")
    with np.load(tmp_path / "index.npz") as archive:
        arrays = {name: array for name, array in {**archive, **wrong}.items() if array is not None}
    np.savez(tmp_path / "index.npz", **arrays)
    with pytest.raises(CorruptVersionError):
        LabelIndex.load(tmp_path / "index.npz")


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
