import threading
import time
from pathlib import Path

import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.errors import HateSpeechError, ModelMissingError, NotEnoughDataError
from hate_speech_AI.following import FOLLOW_SECONDS
from hate_speech_AI.promotion import Training
from hate_speech_AI.store import ModelStore

from ..service import wait_until
from .rows import toy_rows

ROOT = Path(__file__).parent.parent.parent


class MemoryCache(dict):
    def set(self, key, value, timeout):
        self[key] = value


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models" / "linear", LinearEngine)


@pytest.fixture
def classifier(store):
    made = Classifier(store)
    yield made
    made.use(ModelStore(store.root / "nothing", LinearEngine))  # ends the thread that follows


def test_it_works(classifier):
    version = classifier.train_model(toy_rows())
    predictions = classifier.predict(["I hate groupa people in my park", "what a lovely park"])
    assert [prediction.is_hate_speech for prediction in predictions] == [True, False]
    assert {prediction.version for prediction in predictions} == {version}
    assert classifier.predict_single_tweet("I hate groupa people in my park") == 1
    assert classifier.predict_single_tweet("what a lovely park") == 0


def test_before_the_first_training_there_is_no_model(classifier):
    with pytest.raises(ModelMissingError):
        classifier.predict(["a text"])
    with pytest.raises(ModelMissingError):
        classifier.get_score()


def test_the_score_is_the_active_versions(classifier):
    version = classifier.train_model(toy_rows())
    assert classifier.get_score()["version"] == version
    assert set(classifier.get_score()) == {
        "score", "of", "slices", "precision", "recall", "roc_auc", "held_out", "trained_on", "trained_at", "version", "pinned",
    }  # fmt: skip


def test_the_score_comes_from_the_cache_first(store):
    cache = MemoryCache()
    classifier = Classifier(store, cache)
    version = classifier.train_model(toy_rows())
    assert cache[f"score:{version}"]["version"] == version
    cache[f"score:{version}"] = {"score": 0.123}
    assert classifier.get_score() == {"score": 0.123, "pinned": False}
    cache.clear()
    assert classifier.get_score()["version"] == version


def test_the_first_version_is_served_at_once(classifier, store):
    with pytest.raises(ModelMissingError):
        classifier.predict(["a text"])
    version = Classifier(store).train_model(toy_rows())
    assert classifier.predict(["a text"])[0].version == version


def test_a_new_version_is_served_after_the_next_look(classifier, store, monkeypatch):
    assert FOLLOW_SECONDS <= 0.5
    first = classifier.train_model(toy_rows())
    second = classifier.train_model(toy_rows()[:-20])
    store.activate(first)
    wait_until(lambda: classifier.predict(["a text"])[0].version == first, 30, "the first version")
    looks, loads = [], []
    look, load = store.active, store.load
    monkeypatch.setattr(store, "active", lambda: looks.append((threading.get_ident(), look())) or looks[-1][1])
    monkeypatch.setattr(store, "load", lambda name: loads.append(name) or load(name))
    store.activate(second)
    wait_until(lambda: classifier.predict(["a text"])[0].version == second, 30, "the second version")
    found = [name for _, name in looks]
    assert found.count(second) <= 2  # the look that loads it, and perhaps the next one
    assert loads == [second]
    assert threading.get_ident() not in {thread for thread, _ in looks}  # requests look nowhere


def test_a_broken_new_version_leaves_the_old_one_serving(classifier, store, caplog):
    first = classifier.train_model(toy_rows())
    classifier.predict(["a text"])
    second = Classifier(store).train_model(toy_rows()[:-20])
    store.activate(second)
    (store.root / second / "model.npz").write_bytes(b"nonsense")
    time.sleep(3 * FOLLOW_SECONDS)
    # Either it was loaded before it broke, or the first goes on; a classifier that comes later has nothing to serve.
    assert classifier.predict(["a text"])[0].version in (first, second)
    with pytest.raises(HateSpeechError, match="sha256 differs"):
        Classifier(store).predict(["a text"])
    assert "sha256 differs" in caplog.text


def test_a_training_says_its_stages(store):
    training = Training(store, toy_rows())
    stages = [progress.stage for progress in training.run()]
    assert list(dict.fromkeys(stages)) == ["reading", "fitting", "evaluating", "saving", "activating"]
    assert training.version == store.active()


def test_a_training_ends_where_nobody_iterates_on(store):
    training = Training(store, toy_rows())
    for progress in training.run():
        if progress.stage == "saving":
            break
    assert training.version == ""
    assert store.versions() == []


def test_what_was_activated_during_a_training_stays(classifier, store):
    first = classifier.train_model(toy_rows())
    second = classifier.train_model(toy_rows()[:-2])
    store.activate(first)
    training = Training(store, toy_rows()[:-1])
    for progress in training.run():
        if progress.stage == "saving":
            store.activate(second)
    assert store.manifest(training.version)["parent"] == first
    assert store.active() == second


def test_another_store_is_served_from_the_next_text_on(classifier, store, tmp_path):
    first = classifier.train_model(toy_rows())
    assert classifier.current().name == first
    other = ModelStore(tmp_path / "other", LinearEngine)
    second = Classifier(other).train_model(toy_rows())
    classifier.use(other)
    assert classifier.current().name == second
    assert classifier.get_score()["version"] == second


def test_a_pinned_version_stays(classifier, store):
    first = classifier.train_model(toy_rows())
    store.activate(first, pin=True)
    classifier.train_model(toy_rows()[:-1])
    assert store.pointer() == (first, True)


def test_too_few_rows_leave_the_active_version(classifier, store):
    first = classifier.train_model(toy_rows())
    with pytest.raises(NotEnoughDataError):
        classifier.train_model([])
    assert store.active() == first


def test_one_thread_follows_however_many_ask(classifier):
    classifier.train_model(toy_rows())
    before = threading.active_count()
    askers = [threading.Thread(target=classifier.predict, args=(["a text"],)) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert threading.active_count() == before + 1
