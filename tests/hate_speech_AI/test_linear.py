from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hate_speech_AI.engines.linear import PARAMETERS, LinearEngine
from hate_speech_AI.engines.ngrams import NgramHasher, compute_tfidf
from hate_speech_AI.errors import CorruptVersionError, NotEnoughDataError
from hate_speech_AI.text.linear_form import reading_form, stems

from .rows import toy_rows

MANIFEST = {"parameters": PARAMETERS}
ROWS = [(row.text, row.value) for row in toy_rows()]


@pytest.fixture(scope="module")
def engine():
    return LinearEngine.fit(ROWS)


def test_it_works(engine):
    hateful, other = engine.predict_proba(["I hate groupa people in my park", "what a lovely park"])
    assert hateful > 0.5 > other


def test_probabilities_are_those_of_scikit_learn(engine):
    from sklearn.linear_model import LogisticRegression

    features, labels, _ = compute_tfidf(ROWS, PARAMETERS)
    regression = LogisticRegression(C=PARAMETERS["C"], max_iter=PARAMETERS["max_iter"]).fit(features, labels)
    expected = regression.predict_proba(features)[:, 1]
    np.testing.assert_allclose(engine.predict_proba([text for text, _ in ROWS]), expected, atol=1e-5)


def test_features_are_those_of_scikit_learns_vectorizer():
    """The hashing is ours; what is done with the n-grams must be TfidfVectorizer's."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [text for text, _ in ROWS]
    sizes, padding = PARAMETERS["char_ngrams"], "\0" * 5

    def char_ngrams(text):
        form = f" {reading_form(text)} "
        return [(size, (form + padding)[at : at + size]) for at in range(len(form)) for size in sizes]

    def word_ngrams(text):
        words = ["<", *stems(reading_form(text)), "<"]
        return [*words[:-1], *map(" ".join, pairwise(words))]

    features, _, _ = compute_tfidf(ROWS, PARAMETERS | {"bucket_bits": 22})
    blocks = features[:, : 1 << 22], features[:, 1 << 22 :]
    weights = PARAMETERS["char_weight"], 1.0
    for ours, analyzer, weight in zip(blocks, (char_ngrams, word_ngrams), weights, strict=True):
        theirs = TfidfVectorizer(analyzer=analyzer, binary=True, min_df=PARAMETERS["min_df"]).fit_transform(texts)
        np.testing.assert_allclose((ours @ ours.T).toarray(), weight**2 * (theirs @ theirs.T).toarray(), atol=2e-4)


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(), max_size=60), min_size=1, max_size=8))
def test_a_verdict_does_not_depend_on_the_neighbours(engine, texts):
    alone = [engine.predict_proba([text])[0] for text in texts]
    np.testing.assert_allclose(engine.predict_proba(texts), alone, rtol=0, atol=1e-9)
    assert all(0 <= probability <= 1 for probability in alone)


def test_no_texts_give_no_probabilities(engine):
    assert engine.predict_proba([]).shape == (0,)


def test_letters_in_another_order_are_other_ngrams():
    hasher = NgramHasher(18, [1, 2, 4, 6])
    assert set(hasher.keys(["abcdef"])) != set(hasher.keys(["acbdef"]))


def test_training_needs_both_labels():
    with pytest.raises(NotEnoughDataError, match="hateful and other"):
        LinearEngine.fit([("one", True), ("two", True)])
    with pytest.raises(NotEnoughDataError):
        LinearEngine.fit([])


def test_the_same_rows_give_the_same_files_bit_for_bit(engine, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    engine.save(tmp_path / "a")
    LinearEngine.fit(ROWS).save(tmp_path / "b")
    for file in LinearEngine.files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_what_is_saved_loads_and_judges_alike(engine, tmp_path):
    engine.save(tmp_path)
    texts = [text for text, _ in ROWS]
    loaded = LinearEngine.load(tmp_path, MANIFEST)
    np.testing.assert_array_equal(loaded.predict_proba(texts), engine.predict_proba(texts))


def test_pickles_are_refused(engine, tmp_path):
    engine.save(tmp_path)
    np.savez(tmp_path / "model.npz", coef=np.array([{"an": "object"}], dtype=object), intercept=0.0)
    with pytest.raises(CorruptVersionError):
        LinearEngine.load(tmp_path, MANIFEST)


def test_arrays_of_another_shape_are_refused(engine, tmp_path):
    engine.save(tmp_path)
    with pytest.raises(CorruptVersionError, match="shapes"):
        LinearEngine.load(tmp_path, {"parameters": PARAMETERS | {"bucket_bits": 18}})


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all"])
def test_a_broken_file_is_refused(engine, tmp_path, content):
    engine.save(tmp_path)
    (tmp_path / "vectorizer.npz").write_bytes(content)
    with pytest.raises(CorruptVersionError):
        LinearEngine.load(tmp_path, MANIFEST)
