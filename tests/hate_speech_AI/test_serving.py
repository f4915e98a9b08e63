"""Serving needs few libraries: a web process is installed without those of training."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hate_speech_AI.core import Classifier, open_store
from hate_speech_AI.engines import ENGINES
from hate_speech_AI.promotion import bootstrap_shipped_version

from .rows import toy_rows

ROOT = Path(__file__).parent.parent.parent
TEXT = "All women are worthless"
# Run in an interpreter of its own, in which the libraries of training cannot be imported, nor does pip know of them.
SCRIPT = """
import importlib.metadata, json, sys

BLOCKED = {"sklearn": "scikit-learn", "pandas": "pandas", "scipy": "scipy", "matplotlib": "matplotlib"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)

sys.meta_path.insert(0, Blocker())
find = importlib.metadata.distribution
def distribution(name):
    if name in BLOCKED.values():
        raise importlib.metadata.PackageNotFoundError(name)
    return find(name)
importlib.metadata.distribution = distribution

import hate_speech_AI.engines
import hate_speech_AI.promotion
import hate_speech_AI.store
from hate_speech_AI.core import classifier
from hate_speech_AI.errors import NoExplanationError

version = classifier.current()
[verdict] = version.judge([sys.argv[1]])
try:
    [explained] = version.judge([sys.argv[1]], explain=True)
    words = [word["word"] for word in explained.explanation["words"]]
except NoExplanationError:
    words = None
flag = classifier.predict_single_tweet(sys.argv[1])
others = {"django", "nltk", "torch", "onnxruntime"} & set(sys.modules)
print(json.dumps([verdict.version, verdict.labels, words, flag, sorted(others)]))
"""


@pytest.fixture(scope="module", params=sorted(ENGINES))
def store(request, tmp_path_factory):
    """Give a store of each engine with an active version, below the folder of a service."""
    store = open_store(request.param, tmp_path_factory.mktemp("serving"))
    if not bootstrap_shipped_version(store):
        Classifier(store).train_model(toy_rows())
    return store


def test_it_serves_where_the_libraries_of_training_are_not_installed(store):
    environment = os.environ | {"HATE_SPEECH_DATA_DIR": str(store.root.parent.parent), "HATE_SPEECH_ENGINE": store.engine.name}
    done = subprocess.run([sys.executable, "-c", SCRIPT, TEXT], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    version, labels, words, flag, others = json.loads(done.stdout)
    [here] = Classifier(store).predict([TEXT])
    assert version == here.version
    assert labels == pytest.approx(here.labels, abs=1e-6)
    assert flag == int(here.is_hate_speech)
    assert words == (TEXT.split() if store.engine.can_explain else None)
    assert set(others) <= {"onnxruntime"}
    assert "onnxruntime" not in others or store.engine.can_explain


def test_the_blocked_libraries_cannot_be_imported():
    blocking = SCRIPT.split("import hate_speech_AI.engines", maxsplit=1)[0]
    for library in ("sklearn", "pandas", "scipy.sparse", "matplotlib"):
        done = subprocess.run([sys.executable, "-c", f"{blocking}\nimport {library}"], capture_output=True, text=True)
        assert "is not installed here" in done.stderr
