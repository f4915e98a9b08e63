"""Which reviews moved a verdict: by look-up and cached embeddings, against really fitting without them."""

import numpy as np
import pytest

from hate_speech_AI.budget import Budget
from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.updating import fit_label
from hate_speech_AI.errors import DeadlineError, NoExplanationError
from hate_speech_AI.evaluation.functional_checks import read_functional_checks
from hate_speech_AI.labels import PRIMARY
from hate_speech_AI.promotion import bootstrap_shipped_version
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import cut_key, fingerprint
from hate_speech_AI.training.progress import run_to_end
from hate_speech_AI.training.rows import Row, list_values, read_split

from .test_updating import reviews

ASKED = "the zorblaxians and their umbrellas again, typical"
LONG = Row("the zorblaxians again. " + "The kettles are on, and the clocks are slow. " * 30, True, "review", side="fit")
CHECK = Row(read_functional_checks()[0].text, True, "review")
ROWS = [*reviews(200), LONG, CHECK]
LEARNED = run_to_end(read_split(ROWS)).list_learnable(PRIMARY)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> ModelStore:
    store = ModelStore(tmp_path_factory.mktemp("tracing") / "models", EncoderEngine)
    bootstrap_shipped_version(store)
    store.activate(Classifier(store).train_model(ROWS))
    return store


@pytest.fixture
def version(store):
    return store.load(store.active())


def halve(text: str) -> tuple[int, int]:
    digest = fingerprint(text)
    return cut_key(digest), cut_key(digest, half=1)


def test_it_works(store, version):
    influence = version.trace(ASKED, store.root / "embeddings")
    engine = version.engine
    assert influence.logit == pytest.approx(engine.explain([ASKED])[1][0]["logit"], abs=1e-5)
    assert influence.n_missing == 0
    effects = dict(zip(map(tuple, influence.keys.tolist()), influence.effects.tolist(), strict=True))
    assert {halve(row.text) for row in LEARNED} <= set(effects)
    assert halve(CHECK.text) not in effects  # nothing learns from the checks
    assert (np.diff(np.abs(influence.effects)) <= 0).all()
    labels = dict(zip(map(tuple, influence.keys.tolist()), influence.labels.tolist(), strict=True))
    assert all(labels[halve(row.text)] == row.value for row in LEARNED)


def test_an_effect_is_what_the_logit_loses_in_a_fit_without_the_review(store, version):
    influence = version.trace(ASKED, store.root / "embeddings")
    effects = dict(zip(map(tuple, influence.keys.tolist()), influence.effects.tolist(), strict=True))
    shipped, tau = EncoderEngine.shipped(), version.manifest["tau"]
    rows = [row for row in LEARNED if row != LONG]
    vectors = shipped.encoder.embed([row.text for row in rows]).vectors
    long = shipped.encoder.embed([LONG.text]).vectors
    assert len(long) > 1
    long = long[[int(np.argmax(shipped.judge_embeddings(long)[PRIMARY]))]]
    vectors, values = np.concatenate([vectors, long]), list_values([*rows, LONG])
    point = np.append(shipped.encoder.embed([ASKED]).vectors[0], 1.0)
    whole = point @ fit_label(shipped, vectors, values, tau=tau).mean[0]
    assert influence.logit == pytest.approx(whole, abs=1e-4)
    strongest = np.abs(influence.effects).max()
    for at in [*range(0, len(values), 15), len(values) - 1]:
        others = np.arange(len(values)) != at
        without = point @ fit_label(shipped, vectors[others], values[others], tau=tau).mean[0]
        assert effects[halve([*rows, LONG][at].text)] == pytest.approx(whole - without, abs=0.05 * strongest)


def test_a_review_like_the_text_moves_it_most(store, version):
    influence = version.trace(ASKED, store.root / "embeddings")
    strongest = {tuple(key) for key in influence.keys[:5].tolist()}
    assert strongest <= {halve(row.text) for row in ROWS if "zorblaxians" in row.text}
    assert (influence.effects[:5] > 0).all()


def test_without_the_cache_nothing_is_traced(version, tmp_path):
    influence = version.trace(ASKED, tmp_path)
    assert len(influence.effects) == 0
    assert influence.n_missing >= len(LEARNED)


def test_what_the_cache_gets_later_is_found(store, version, tmp_path):
    assert version.trace(ASKED, tmp_path).n_missing
    [path] = (store.root / "embeddings").iterdir()
    (tmp_path / path.name).write_bytes(path.read_bytes())
    assert version.trace(ASKED, tmp_path).n_missing == 0


def test_a_version_without_reviews_has_no_influence(store):
    shipped = store.load(EncoderEngine.name_shipped())
    assert len(shipped.trace(ASKED, store.root / "embeddings").effects) == 0


def test_it_has_a_deadline(store, version):
    with pytest.raises(DeadlineError):
        version.trace(ASKED, store.root / "embeddings", Budget(deadline=0.0))


def test_the_linear_engine_traces_nothing(trained_store):
    with pytest.raises(NoExplanationError):
        trained_store.load(trained_store.active()).trace(ASKED, trained_store.root)
