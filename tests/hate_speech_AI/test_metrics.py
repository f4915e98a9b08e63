import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from hate_speech_AI.evaluation.metrics import calibration_error, format_table, measure, measure_by_source
from hate_speech_AI.evaluation.threshold import choose_threshold

judged = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60)


def arrays(pairs):
    return np.array([label for label, _ in pairs], bool), np.array([probability for _, probability in pairs])


def test_the_calibration_error_is_how_far_the_shares_are_from_the_probabilities():
    labels = np.array([True] * 6 + [False] * 4)
    assert calibration_error(labels, np.full(10, 0.6)) == pytest.approx(0)
    assert calibration_error(labels, np.full(10, 0.9)) == pytest.approx(0.3)
    assert calibration_error(labels, labels.astype(float)) == 0


def test_it_works():
    labels = np.array([True, True, False, False])
    assert measure(labels, np.array([0.9, 0.4, 0.6, 0.1]), 0.5) == {
        "f1": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "roc_auc": 0.75,
        "n": 4,
    }


@given(judged)
def test_a_threshold_always_lies_between_0_and_1(pairs):
    assert 0 < choose_threshold(*arrays(pairs)) < 1


def test_the_threshold_is_near_the_best():
    rng = np.random.default_rng(1)
    labels = rng.random(4000) < 0.1
    probabilities = 1 / (1 + np.exp(-rng.normal(np.where(labels, 0.5, -2.5), 1.0)))
    best = max(f1_score(labels, probabilities >= threshold) for threshold in np.linspace(0.02, 0.98, 97))
    assert f1_score(labels, probabilities >= choose_threshold(labels, probabilities)) > best - 0.015


def test_a_few_labels_hardly_move_the_threshold():
    """Of 2,000 texts 100 are hateful. Then come 16 that are easy to judge: the best threshold of each sample alone jumps."""
    moves = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = np.arange(2000) < 100
        log_odds = rng.normal(np.where(labels, -1.5, -4.0), 1.5)
        more = np.arange(16) < 8
        both = np.r_[log_odds, np.where(more, 2.0, -5.0)]
        chosen = [
            choose_threshold(said, 1 / (1 + np.exp(-odds))) for said, odds in ((labels, log_odds), (np.r_[labels, more], both))
        ]
        moves.append(np.diff(np.log(chosen) - np.log1p(-np.array(chosen)))[0])
    assert np.std(moves) < 0.1
    assert np.abs(moves).max() < 0.5


def test_one_label_leaves_the_threshold_in_the_middle():
    assert choose_threshold(np.array([True, True]), np.array([0.2, 0.9])) == 0.5
    assert choose_threshold(np.array([], bool), np.array([])) == 0.5


@given(judged)
def test_figures_are_within_bounds(pairs):
    figures = measure(*arrays(pairs), 0.5)
    assert all(0 <= figures[name] <= 1 for name in ("f1", "precision", "recall"))
    assert figures["roc_auc"] is None or 0 <= figures["roc_auc"] <= 1


def test_texts_of_one_label_have_no_roc_auc():
    assert measure(np.array([False, False]), np.array([0.1, 0.2]), 0.5)["roc_auc"] is None
    assert measure(np.array([], bool), np.array([]), 0.5)["n"] == 0


def test_sources_are_measured_apart():
    labels, probabilities = np.array([True, False, True]), np.array([0.9, 0.1, 0.2])
    by_source = measure_by_source(["a", "a", "b"], labels, probabilities, 0.5)
    assert by_source["a"]["f1"] == 1
    assert by_source["b"] == pytest.approx({"f1": 0, "precision": 0, "recall": 0, "roc_auc": None, "n": 1})
    assert "1.000" in format_table(by_source)
