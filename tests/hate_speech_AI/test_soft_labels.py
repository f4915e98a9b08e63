"""What teachers said is kept by text, in one file, and more of them add to it."""

import numpy as np
import pytest

from hate_speech_AI.recipe.soft_labels import SoftLabels

ONE, OTHER = {"settings": {"seed": 1}}, {"settings": {"seed": 2}}


def test_nobody_has_spoken_yet(tmp_path):
    soft = SoftLabels.read(tmp_path / "none.npz", 2)
    assert soft.teachers == []
    assert np.isnan(soft.of(["a ferry", "a bridge"])).all()


def test_the_mean_of_those_who_spoke_is_kept(tmp_path):
    soft = SoftLabels(2)
    soft.add(["a ferry", "a bridge", "A  FERRY"], np.array([[1.0, -2.0], [3.0, 0.5], [1.0, -2.0]]), ONE)
    soft.add(["a bridge", "a tunnel"], np.array([[1.0, 1.5], [-4.0, 0.0]]), OTHER)
    soft.write(tmp_path / "soft.npz")
    kept = SoftLabels.read(tmp_path / "soft.npz", 2)
    assert kept.teachers == [ONE, OTHER]
    said = kept.of(["a tunnel", "a ferry", "a bridge", "a boat"])
    assert said[:3].tolist() == [[-4.0, 0.0], [1.0, -2.0], [2.0, 1.0]]
    assert np.isnan(said[3]).all()


def test_a_file_of_other_labels_is_refused(tmp_path):
    SoftLabels(2).write(tmp_path / "soft.npz")
    with pytest.raises(ValueError, match="2 labels, not 3"):
        SoftLabels.read(tmp_path / "soft.npz", 3)


def test_a_text_takes_few_bytes(tmp_path):
    soft = SoftLabels(2)
    soft.add([f"text {number}" for number in range(1000)], np.random.default_rng(0).normal(0, 4, (1000, 2)), ONE)
    soft.write(tmp_path / "soft.npz")
    assert (tmp_path / "soft.npz").stat().st_size < 15_000
