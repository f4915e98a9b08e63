"""The order of review: uncertain texts that are unlike one another come first."""

import numpy as np
import pytest

from hate_speech_AI.active_learning import embed_gradients, measure_uncertainty, order_by_coverage
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.linear import LinearEngine

from .rows import toy_rows


def some_vectors(count: int = 60) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, 8)).astype(np.float32)


def test_uncertainty_is_1_at_the_threshold_and_0_where_the_head_is_certain():
    found = measure_uncertainty(np.array([0.0, 0.125, 0.25, 0.625, 1.0]), 0.25)
    assert found.tolist() == [0, 0.5, 1, 0.5, 0]


def test_the_first_texts_are_unlike_one_another():
    kinds = np.tile(np.arange(6), 20)  # twenty copies of each of six texts
    order = order_by_coverage(np.eye(6)[kinds])
    assert set(kinds[order[:6]]) == {*range(6)}


def test_every_text_has_one_place():
    gradients = embed_gradients(some_vectors(), np.linspace(0, 1, 60))
    assert sorted(order_by_coverage(gradients)) == [*range(60)]


def test_copies_follow_the_most_uncertain_first():
    gradients = np.array([[0.2], [0.5], [0.5], [0.2], [0.0]])
    assert gradients[order_by_coverage(gradients)[2:], 0].tolist() == [0.5, 0.2, 0.0]


def test_a_text_that_the_head_is_certain_of_comes_last():
    uncertainties = np.full(60, 0.5)
    uncertainties[[7, 30]] = 0
    assert order_by_coverage(embed_gradients(some_vectors(), uncertainties))[-2:].tolist() == [7, 30]


def test_an_uncertain_text_comes_before_one_that_is_hardly_so():
    first = order_by_coverage(np.array([[1e-3, 0], [0, 1.0]]))[0]
    assert first == 1


def test_the_same_texts_have_the_same_order():
    gradients = embed_gradients(some_vectors(), np.linspace(1, 0, 60))
    assert order_by_coverage(gradients).tolist() == order_by_coverage(gradients).tolist()


def test_no_text_has_no_order():
    assert order_by_coverage(embed_gradients(np.empty((0, 8), np.float32), np.empty(0))).tolist() == []


def test_one_text_and_texts_without_a_difference_have_an_order():
    for count in (1, 3):
        gradients = embed_gradients(np.ones((count, 8), np.float32), np.ones(count))
        assert order_by_coverage(gradients).tolist() == [*range(count)]


def test_a_gradient_is_the_longer_the_less_certain_the_head_is():
    vectors, uncertainties = some_vectors(), np.linspace(0, 1, 60)
    lengths = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
    assert np.linalg.norm(embed_gradients(vectors, uncertainties), axis=1) == pytest.approx(uncertainties * lengths, rel=1e-5)


def test_what_all_texts_have_in_common_makes_no_difference():
    uncertainties = np.linspace(0, 1, 60)
    moved = embed_gradients(some_vectors() + np.float32(50), uncertainties)
    assert moved == pytest.approx(embed_gradients(some_vectors(), uncertainties), abs=1e-4)


@pytest.mark.parametrize("engine", [EncoderEngine, LinearEngine])
def test_texts_that_read_alike_have_near_vectors(engine):
    rows = [(row.text, row.value) for row in toy_rows()]
    fitted = engine.shipped() if engine is EncoderEngine else engine.fit(rows)
    like, alike, other = fitted.embed_influence(
        ["@anna The last ferry leaves at nine", "@ben The last ferry leaves at nine", "What a lovely park"]
    )
    assert like == pytest.approx(alike, abs=1e-5)
    assert np.linalg.norm(like - other) > 0.1 * np.linalg.norm(other)


@pytest.mark.parametrize("engine", [EncoderEngine, LinearEngine])
def test_a_vector_does_not_depend_on_the_other_texts(engine):
    rows = [(row.text, row.value) for row in toy_rows()]
    fitted = engine.shipped() if engine is EncoderEngine else engine.fit(rows)
    texts = ["one", "The last ferry leaves at nine. " * 60, "", "What a lovely park"]
    together = fitted.embed_influence(texts)
    assert len(together) == len(texts)
    for text, vector in zip(texts, together, strict=True):
        assert fitted.embed_influence([text])[0] == pytest.approx(vector, abs=1e-5)


def test_whitened_embeddings_measure_the_deviation_of_the_logit():
    engine = EncoderEngine.shipped()
    texts = ["The last ferry leaves at nine", "What a lovely park"]
    assert np.linalg.norm(engine.embed_influence(texts), axis=1) == pytest.approx(engine.judge(texts).uncertainty, rel=1e-4)


def test_the_sketch_of_the_linear_engine_keeps_inner_products():
    engine = LinearEngine.fit([(row.text, row.value) for row in toy_rows()])
    texts = [row.text for row in toy_rows()][:40]
    vectors = engine.embed_influence(texts)
    columns, starts = engine._hasher.columns_and_starts(texts)
    exact = np.zeros((len(texts), engine._hasher.columns), np.float32)
    for at, some in enumerate(np.split(columns, starts[2::2])):
        exact[at, some] = engine.idf[some]
    products = (exact @ exact.T)[np.triu_indices(len(texts))]
    assert np.corrcoef((vectors @ vectors.T)[np.triu_indices(len(texts))], products)[0, 1] > 0.9
