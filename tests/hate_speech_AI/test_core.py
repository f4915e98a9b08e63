import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hate_speech_AI.core import FOLLOW_SECONDS, Classifier
from hate_speech_AI.errors import HateSpeechError, ModelMissingError, NotEnoughDataError
from hate_speech_AI.store import ModelStore

from ..service import wait_until
from .rows import toy_rows

ROOT = Path(__file__).parent.parent.parent


class MemoryCache(dict):
    def set(self, key, value, timeout):
        self[key] = value


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models" / "linear")


@pytest.fixture
def classifier(store):
    made = Classifier(store)
    yield made
    made.use(ModelStore(store.root / "nothing"))  # ends the thread that follows


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


def test_a_new_version_is_followed_within_two_seconds(classifier, store):
    classifier.train_model(toy_rows())
    classifier.predict(["a text"])
    second = Classifier(store).train_model(toy_rows()[:-20])
    store.activate(second)
    began = time.monotonic()
    wait_until(lambda: classifier.predict(["a text"])[0].version == second, 5, "the second version")
    assert time.monotonic() - began < 2


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


def test_what_was_activated_during_a_training_stays(classifier, store):
    first = classifier.train_model(toy_rows())
    second = classifier.train_model(toy_rows()[:-2])
    store.activate(first)

    def activate_meanwhile(stage, done):
        if stage == "saving":
            store.activate(second)

    third = classifier.train_model(toy_rows()[:-1], activate_meanwhile)
    assert store.manifest(third)["parent"] == first
    assert store.active() == second


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


def test_the_package_works_without_django_and_serves_without_scikit_learn(store, classifier):
    classifier.train_model(toy_rows())
    code = """
import sys
from hate_speech_AI.core import classifier
print(classifier.predict_single_tweet("I hate groupa people in my park"))
print(sorted({"django", "sklearn", "scipy", "pandas", "nltk", "matplotlib"} & set(sys.modules)))
"""
    environment = os.environ | {"HATE_SPEECH_DATA_DIR": str(store.root.parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["1", "[]"]
