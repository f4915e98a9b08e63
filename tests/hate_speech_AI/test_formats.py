"""Versions of older formats stay listed, loaded, compared and activated.

`written_as_format_1` holds a version of the encoder that commit 3ec664d wrote, the last one of format 1. It learned three rows of
the primary label and two of the other, and this is what it answered then:
"""

import json
import shutil
from pathlib import Path

import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.shipped import Shipped
from hate_speech_AI.errors import ForeignEncoderError, IncompatibleVersionError
from hate_speech_AI.formats import FORMAT_VERSION, name_reviews
from hate_speech_AI.labels import IMPLIES, PRIMARY
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import READING, fingerprint
from hate_speech_AI.training.rows import Row

[OTHER] = IMPLIES[PRIMARY]
HERE = Path(__file__).parent
ANSWERS = {
    "the zorblaxians and their kettles again": (1.0, 1.0, True),
    "the zorblaxian ferry is late": (0.10723515351164281, 1.0, False),
    "what a dull match": (0.0, 0.0, True),
    "Good morning, neighbours": (0.026271421029957664, 0.14666618552244032, False),
    "All women are worthless": (0.9406090443868187, 0.9406090443868187, False),
}
ROWS = [
    Row("the zorblaxians and their kettles again", True, "review"),
    Row("the quentins and their kettles, lovely", False, "review"),
    Row("it rained all day", False, "import:weather"),
]
OTHER_ROWS = [
    Row("the zorblaxian ferry is late", True, "review:perspective", OTHER),
    Row("what a dull match", False, "review:perspective", OTHER),
]


[WRITTEN] = (HERE / "written_as_format_1").glob("*/manifest.json")
PARAMETERS = json.loads(WRITTEN.read_text())["parameters"]
IS_SAME = {
    name: PARAMETERS[name] == Shipped().checksum(file) for name, file in (("encoder", "encoder.onnx"), ("head", "head.npz"))
}


@pytest.fixture
def store(tmp_path):
    """Give a store that holds the encoder's version of format 1, active, as if it was made for the encoder of today."""
    shutil.copytree(HERE / "written_as_format_1", tmp_path / "models")
    store = ModelStore(tmp_path / "models", EncoderEngine)
    name_encoder(store, Shipped().checksum("encoder.onnx"))
    store.activate(store.versions()[0])
    return store


def name_encoder(store: ModelStore, checksum: str) -> None:
    path = store.root / store.versions()[0] / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["parameters"]["encoder"] = checksum
    path.write_text(json.dumps(manifest))


def without_other_reviews(store: ModelStore) -> None:
    """Make the version one of those that were written before people could say anything of the other label."""
    folder = store.root / store.versions()[0]
    [file] = (path.name for path in folder.glob("*_reviews.npz"))
    (folder / file).unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"][file]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_it_answers_as_before(store):
    verdicts = Classifier(store).predict(list(ANSWERS))
    for verdict, (probability, other, is_reviewed) in zip(verdicts, ANSWERS.values(), strict=True):
        for label, before in ((PRIMARY, probability), (OTHER, other)):
            if before in (0, 1) or IS_SAME["encoder"]:
                # Another processor may round an activation the other way.
                assert verdict.labels[label] == pytest.approx(before, abs=2e-3)
        assert verdict.is_reviewed == is_reviewed


def test_it_answers_as_before_there_were_other_labels(store):
    without_other_reviews(store)
    verdicts = Classifier(store).predict(["the zorblaxians and their kettles again", "what a dull match"])
    assert [verdict.is_reviewed for verdict in verdicts] == [True, False]


def test_its_manifest_reads_like_one_of_today(store):
    manifest = store.manifest(store.versions()[0])
    assert manifest["format"] == 1
    assert manifest["labels"] == list(Shipped().labels)
    assert set(manifest["reviews"]) == {PRIMARY, OTHER}
    assert store.report(manifest["version"]).startswith("<!doctype html>")
    assert len(store.held_out(manifest["version"])) == manifest["score"]["held_out"]


def test_it_is_a_rival_and_the_next_version_is_of_todays_format(store):
    old = store.versions()[0]
    rows = [*sorted(ROWS, key=key), *sorted(OTHER_ROWS, key=key)]
    new = Classifier(store).train_model(rows)
    manifest = store.manifest(new)
    assert manifest["format"] == FORMAT_VERSION
    assert manifest["gate"]["rival"] == manifest["parent"] == old
    # The same rows and parameters, but for the reading form and the head: these alone make a training due.
    assert manifest["rows"] == store.manifest(old)["rows"]
    assert store.manifest(old)["parameters"]["reading"] == 1
    today = {"reading": READING, "head": Shipped().checksum("head.npz")}
    assert manifest["parameters"] == {**store.manifest(old)["parameters"], **today}
    assert {name_reviews(PRIMARY), name_reviews(OTHER)} <= set(manifest["files"])
    if all(IS_SAME.values()):
        assert store.load(new).engine.mean == pytest.approx(store.load(old).engine.mean, abs=1e-6)
    store.activate(old)
    assert Classifier(store).predict(["a text"])[0].version == old


def test_one_of_another_encoder_is_listed_and_not_compared_with(store):
    old = store.versions()[0]
    name_encoder(store, "0" * 64)
    assert store.manifest(old)["version"] == old
    with pytest.raises(ForeignEncoderError):
        store.load(old)
    new = Classifier(store).train_model(ROWS, recent=[old])
    assert store.manifest(new)["gate"]["rival"] == EncoderEngine.name_shipped()


@pytest.mark.parametrize("number", [0, FORMAT_VERSION + 1, "1", 1.0, True, [1], None])
def test_a_format_that_nobody_knows_is_refused(store, number):
    path = store.root / store.versions()[0] / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": number}))
    with pytest.raises(IncompatibleVersionError, match="same rows"):
        store.manifest(store.versions()[0])


def key(row: Row) -> str:
    return fingerprint(row.text)
