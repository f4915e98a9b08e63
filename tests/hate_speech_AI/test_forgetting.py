"""A version without withdrawn reviews, made from the active one."""

import numpy as np
import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.base import Fitted
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.updating import fit_label
from hate_speech_AI.errors import ForgettingError
from hate_speech_AI.evaluation.functional_checks import read_functional_checks
from hate_speech_AI.forgetting import Forgetting
from hate_speech_AI.labels import HATE, INSULT, PRIMARY, TOXIC
from hate_speech_AI.promotion import activate_if_passed, bootstrap_shipped_version, save_version
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.candidate import measure_candidate
from hate_speech_AI.training.progress import run_to_end
from hate_speech_AI.training.rows import Row, list_values, read_split

from .rows import toy_rows
from .test_updating import reviews

ROWS = [row._replace(key="forum", night="2026-01-01") for row in reviews(240)]
SPLIT = run_to_end(read_split(ROWS))
LEARNED = SPLIT.list_learnable(PRIMARY)
HELD_OUT = SPLIT.list_side("held_out")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> ModelStore:
    """Give a store whose active version has learned `ROWS`; tests that activate another undo it."""
    store = ModelStore(tmp_path_factory.mktemp("forgetting") / "models", EncoderEngine)
    bootstrap_shipped_version(store)
    store.activate(Classifier(store).train_model(ROWS))
    return store


@pytest.fixture
def store(trained):
    before = trained.active()
    yield trained
    trained.activate(before)


def forget(store, withdrawn, standing=(), **options) -> str:
    gone = {row.text for row in withdrawn}
    rows = [row for row in ROWS if row.text not in gone]
    forgetting = Forgetting(
        store, store.load(store.active()), withdrawn=list(withdrawn), standing=list(standing), rows=rows, **options
    )
    run_to_end(forgetting.run())
    return forgetting.version


def compute_logits(engine, texts):
    vectors = engine.encoder.embed(texts).vectors
    return vectors @ engine.mean[0, :-1] + engine.mean[0, -1]


def test_it_works(store):
    parent = store.load(store.active())
    withdrawn = [LEARNED[0], HELD_OUT[0]]
    name = forget(store, withdrawn, withdrawals_read=7)
    version = store.load(name)
    assert store.active() == name
    manifest = version.manifest
    assert manifest["parent"] == parent.name
    assert manifest["withdrawn"] == [{"source": "review", "key": "forum", "night": "2026-01-01", "labels": 2}]
    assert (manifest["withdrawals_read"], manifest["set_aside"]) == (7, [])
    assert manifest["threshold"] == parent.threshold
    assert manifest["tau"] == parent.manifest["tau"]
    assert manifest["rows"]["by_source"] == {"review": 238}
    assert manifest["score"]["trained_on"] == parent.manifest["score"]["trained_on"] - 1
    assert manifest["score"]["held_out"] == parent.manifest["score"]["held_out"] - 1
    assert {condition["kind"] for condition in manifest["gate"]["conditions"]} == {"functional_group", "false_positive_gap"}
    assert manifest["gate"]["slices"]["shipped"]["rival"] == parent.manifest["score"]["slices"]["shipped"]
    assert [version.reviews[PRIMARY].get(fingerprint(row.text)) for row in withdrawn] == [None, None]
    assert len(version.reviews[PRIMARY]) == 238
    assert store.held_out(name).get(fingerprint(HELD_OUT[0].text)) is None
    assert len(store.held_out(name)) == len(HELD_OUT) - 1
    assert "2 from review by key forum" in store.report(name)


def test_it_is_the_fit_without_them(store):
    parent = store.load(store.active())
    shipped, tau = EncoderEngine.shipped(), parent.manifest["tau"]
    withdrawn = [row for row in LEARNED if row.value][:3]
    others = [row for row in LEARNED if row not in withdrawn]
    refitted = fit_label(shipped, shipped.encoder.embed([row.text for row in others]).vectors, list_values(others), tau=tau)
    texts = [row.text for row in ROWS[:60]]
    before, truth = compute_logits(parent.engine, texts), compute_logits(refitted, texts)
    left = compute_logits(store.load(forget(store, withdrawn)).engine, texts)
    assert np.abs(before - truth).max() > 0.01
    assert np.abs(left - truth).max() < 0.05 * np.abs(before - truth).max() + 1e-3


def test_what_it_never_learned_leaves_the_head_as_it_was(store):
    parent = store.load(store.active())
    version = store.load(forget(store, HELD_OUT[:2]))
    assert np.array_equal(version.engine.mean, parent.engine.mean)
    assert version.reviews[PRIMARY].get(fingerprint(HELD_OUT[0].text)) is None


def test_what_still_stands_is_still_learned(store):
    """An import says the same of the text: the head keeps it, and no answer comes from a review."""
    parent = store.load(store.active())
    [row] = LEARNED[:1]
    same = row._replace(source="import:x", key="")
    version = store.load(forget(store, [row], [same]))
    assert np.array_equal(version.engine.mean, parent.engine.mean)
    assert version.reviews[PRIMARY].get(fingerprint(row.text)) is None
    # Another review says the opposite: what was said is forgotten, and the new is learned by the next training.
    store.activate(parent.name)
    other = row._replace(value=not row.value)
    version = store.load(forget(store, [row], [other]))
    assert not np.array_equal(version.engine.mean, parent.engine.mean)
    assert version.reviews[PRIMARY].get(fingerprint(row.text)) is not row.value


def test_it_learns_nothing_new(store):
    """What came since the parent was trained is no part of it, since nobody asks whether it does harm."""
    parent = store.load(store.active())
    since = [Row(f"the lanterns are lit, number {n}", True, "review", side="fit") for n in range(50)]
    forgetting = Forgetting(store, parent, withdrawn=[HELD_OUT[0]], standing=[], rows=[*since, *ROWS])
    run_to_end(forgetting.run())
    version = store.load(forgetting.version)
    assert np.array_equal(version.engine.mean, parent.engine.mean)
    assert version.reviews[PRIMARY].get(fingerprint(since[0].text)) is None


def test_it_is_not_activated_over_a_pinned_version(store):
    active = store.active()
    store.activate(active, pin=True)
    assert store.manifest(forget(store, LEARNED[:1]))["gate"]["passed"]
    assert store.active() == active


def test_the_checks_may_refuse_it(tmp_path):
    """The reviews had taught what a group of the functional checks asks."""
    store = ModelStore(tmp_path / "models", EncoderEngine)
    shipped, evaluation = EncoderEngine.shipped(), EncoderEngine.load_evaluation_set()
    checks = [check for check in read_functional_checks() if check.group == "reclaimed_words"]
    taught = [Row(f"{check.text} Again.", check.label, "review", side="fit") for check in checks]
    vectors = shipped.encoder.embed([row.text for row in taught]).vectors[: len(taught)]
    engine = fit_label(shipped, vectors, list_values(taught), tau=0.01)
    candidate = measure_candidate(Fitted(engine, 0.33), run_to_end(read_split(taught)), evaluation)
    verdict = {"passed": True, "rival": None, "conditions": [], "reasons": [], "slices": {}}
    parent = save_version(store, candidate, {**candidate.manifest, "parent": None, "gate": verdict, "set_aside": []})
    store.activate(parent)
    forgetting = Forgetting(store, store.load(parent), withdrawn=taught, standing=[])
    run_to_end(forgetting.run())
    failed = [one for one in store.manifest(forgetting.version)["gate"]["conditions"] if not one["passed"]]
    assert ("functional_group", "reclaimed_words") in {(one["kind"], one["subject"]) for one in failed}
    assert store.active() == parent


def test_a_training_that_ran_meanwhile_is_activated_all_the_same(store):
    parent = store.active()
    left = forget(store, LEARNED[:1])
    again = forget(store, LEARNED[1:2])
    assert store.manifest(again)["parent"] == left
    trained = Classifier(store).train_model([*ROWS, Row("the lanterns are lit", False, "review")])
    passed = {**store.manifest(trained)["gate"], "passed": True}
    store.activate(again)
    activate_if_passed(store, trained, parent, passed)
    assert store.active() == trained
    # But not over what somebody else trained.
    activate_if_passed(store, again, parent, passed)
    assert store.active() == trained


def test_a_head_forgets_what_another_label_taught_it(trained, tmp_path):
    store = ModelStore(tmp_path / "models", EncoderEngine)
    bootstrap_shipped_version(store)
    insults = [Row(f"you silly {name}, you know nothing", True, "review", INSULT, "fit") for name in ("goose", "donkey", "owl")]
    harmless = [row._replace(value=False, label=PRIMARY) for row in insults]
    store.activate(Classifier(store).train_model([*harmless, *insults]))
    parent = store.load(store.active())
    at = parent.engine.labels.index(TOXIC)
    if np.array_equal(parent.engine.mean[at], EncoderEngine.shipped().mean[at]):
        pytest.fail("the head of toxic has learned nothing here")
    name = forget(store, insults[:1], harmless[:1])
    after = store.load(name).engine
    assert np.array_equal(after.mean[after.labels.index(HATE)], parent.engine.mean[parent.engine.labels.index(HATE)])
    before, left = (one.judge([insults[0].text])[TOXIC][0] for one in (parent.engine, after))
    assert left < before


def test_the_linear_engine_says_that_it_cannot(tmp_path, trained_store):
    version = trained_store.load(trained_store.active())
    with pytest.raises(ForgettingError, match="linear"):
        run_to_end(Forgetting(trained_store, version, withdrawn=toy_rows()[:1], standing=[]).run())
