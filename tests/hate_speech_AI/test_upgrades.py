"""A version outlives upgrades of the libraries that it was trained with.

The folder beside this file was written by this code on scikit-learn 1.5.2, NumPy 1.26.4 and SciPy 1.13.1:

    python3.11 -m venv old && old/bin/pip install scikit-learn==1.5.2 numpy==1.26.4 scipy==1.13.1 pandas==2.2.3 \\
        matplotlib==3.9.2 stemming==1.0.1
    old/bin/python -c "from hate_speech_AI.core import Classifier; from hate_speech_AI.store import ModelStore; \\
        from tests.hate_speech_AI.rows import toy_rows; Classifier(ModelStore('FOLDER')).train_model(toy_rows())"
"""

import logging
import shutil
from pathlib import Path

import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.store import ModelStore

from .rows import toy_rows

OLD = Path(__file__).parent / "written_by_scikit_learn_1_5"


@pytest.fixture
def store(tmp_path):
    shutil.copytree(OLD, tmp_path / "models")
    store = ModelStore(tmp_path / "models", LinearEngine)
    store.activate(store.versions()[0])
    return store


def test_it_serves_and_says_what_it_was_trained_with(store, caplog):
    caplog.set_level(logging.INFO)
    classifier = Classifier(store)
    predictions = classifier.predict(["I hate groupa people in my park", "what a lovely park"])
    classifier.use(ModelStore(store.root / "nothing", LinearEngine))
    # What it answered when it was written.
    assert [prediction.probability for prediction in predictions] == pytest.approx([0.99273840, 0.01027558], abs=1e-6)
    assert "which was trained with" in caplog.text
    assert "scikit-learn 1.5.2" in caplog.text


def test_it_is_a_rival_like_any_other(store):
    version = Classifier(store).train_model(toy_rows())
    assert store.manifest(version)["gate"]["rival"] == store.versions()[0]
    assert store.active() == version


def test_the_same_rows_give_nearly_the_same_model(store):
    old = store.load(store.versions()[0])
    new = store.load(Classifier(store).train_model(toy_rows()))
    assert old.manifest["rows"]["digest"] == new.manifest["rows"]["digest"]
    texts = [row.text for row in toy_rows()]
    assert new.engine.predict_proba(texts) == pytest.approx(old.engine.predict_proba(texts), abs=0.01)
