import json
import pickle

import pytest

from hate_speech_AI.errors import CorruptVersionError, IncompatibleVersionError, ModelMissingError
from hate_speech_AI.store import ModelStore
from hate_speech_AI.training import train

from .rows import toy_rows


@pytest.fixture(scope="module")
def candidate():
    return train(toy_rows())


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


@pytest.fixture
def version(store, candidate):
    return store.save(candidate)


def edit_manifest(store, name, **changes):
    path = store.root / name / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_it_works(store, candidate, version):
    engine, manifest = store.load(version)
    assert manifest["score"] == candidate.manifest["score"]
    assert (engine.coef == candidate.engine.coef).all()


def test_a_saved_version_is_active_only_when_activated(store, version):
    assert store.active() is None
    store.activate(version)
    assert store.active() == version


def test_a_version_is_written_once(store, candidate, version):
    assert store.save(candidate) != version


def test_nothing_in_a_version_is_a_pickle(store, version):
    for path in (store.root / version).iterdir():
        with pytest.raises(Exception):  # noqa: B017
            pickle.loads(path.read_bytes())


def test_a_folder_without_a_manifest_is_no_version(store, version):
    (store.root / version / "manifest.json").unlink()
    with pytest.raises(ModelMissingError):
        store.load(version)
    with pytest.raises(ModelMissingError):
        store.activate(version)
    assert store.active() is None


@pytest.mark.parametrize("file", ["model.npz", "vectorizer.npz"])
def test_a_changed_file_is_refused_before_it_is_built(store, version, file):
    path = store.root / version / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptVersionError, match=rf"{file}.*sha256"):
        store.load(version)


def test_a_missing_file_is_refused(store, version):
    (store.root / version / "model.npz").unlink()
    with pytest.raises(CorruptVersionError, match="lacks model"):
        store.load(version)


def test_a_manifest_that_lacks_something_is_refused(store, version):
    path = store.root / version / "manifest.json"
    path.write_text(json.dumps({"format": 1, "engine": "linear", "version": version}))
    with pytest.raises(CorruptVersionError, match="lacks files, parameters, score, threshold"):
        store.load(version)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not JSON"])
def test_a_broken_manifest_is_refused(store, version, content):
    (store.root / version / "manifest.json").write_text(content)
    with pytest.raises(CorruptVersionError):
        store.load(version)


def test_the_manifest_of_another_version_is_refused(store, version):
    edit_manifest(store, version, version="20200101T000000Z-00000000")
    with pytest.raises(CorruptVersionError, match="20200101"):
        store.load(version)


@pytest.mark.parametrize("changes", [{"format": 2}, {"engine": "other"}])
def test_another_format_or_engine_is_refused(store, version, changes):
    edit_manifest(store, version, **changes)
    with pytest.raises(IncompatibleVersionError, match="Train again"):
        store.load(version)


@pytest.mark.parametrize("name", ["", "../../etc", "/etc/passwd", "x" * 300])
def test_a_pointer_to_no_version_is_refused(store, version, name):
    (store.root / "active").write_text(name)
    with pytest.raises(CorruptVersionError, match="pointer"):
        store.active()
