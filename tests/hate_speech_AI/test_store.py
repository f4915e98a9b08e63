import hashlib
import json
import os
import pickle
import shutil
import time

import numpy as np
import pytest

from hate_speech_AI import errors
from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.formats import FORMAT_VERSION, name_reviews
from hate_speech_AI.labels import PRIMARY
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint

from .rows import toy_rows


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Give a store with one version, which no test may change."""
    store = ModelStore(tmp_path_factory.mktemp("store") / "models", LinearEngine)
    reviewed = [row._replace(source="review") for row in toy_rows()[:9]]
    Classifier(store).train_model([*reviewed, *toy_rows()[9:]])
    return store


@pytest.fixture
def store(tmp_path, written):
    shutil.copytree(written.root, tmp_path / "models")
    return ModelStore(tmp_path / "models", LinearEngine)


@pytest.fixture
def version(store):
    return store.active()


def edit_manifest(store, name, **changes):
    path = store.root / name / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_it_works(store, version):
    loaded = store.load(version)
    assert loaded.manifest["version"] == version
    assert {label: len(index) for label, index in loaded.reviews.items()} == {PRIMARY: 9}
    assert loaded.engine.predict_proba(["I hate groupa people in my park"])[0] > loaded.manifest["threshold"]


def test_a_manifest_says_all_that_a_version_is(store, version):
    manifest = store.manifest(version)
    assert {"format", "version", "engine", "libraries", "parameters", "seed", "rows", "files", "score", "parent"} <= set(manifest)
    assert {"digest", "by_source", "learned_before"} == set(manifest["rows"])
    labels = {name_reviews(PRIMARY), "held_out.npz"}
    assert set(manifest["files"]) == {"model.npz", "vectorizer.npz", "report.html"} | labels
    assert manifest["gate"]["slices"]["held_out"]["candidate"]["n"] == manifest["score"]["held_out"]


def test_the_held_out_rows_are_kept_as_they_stood(store, version):
    index = store.held_out(version)
    rows = {fingerprint(row.text): row.value for row in toy_rows()}
    assert len(index) == store.manifest(version)["score"]["held_out"]
    assert sum(index.get(key) == label for key, label in rows.items()) == len(index)


def find_executable(folder) -> list[str]:
    """Return the files of a version that hold anything but arrays of plain types, JSON and text."""
    found = []
    for path in folder.iterdir():
        try:
            if path.suffix == ".npz":
                with np.load(path, allow_pickle=False) as archive:
                    assert all(archive[name].dtype.kind in "biufU" for name in archive.files)
            else:
                assert path.suffix in (".json", ".html")
                assert "\0" not in path.read_text("utf-8")
        except (ValueError, AssertionError):  # a pickle, or objects, which arrays hold as pickles
            found.append(path.name)
    return found


def test_nothing_in_a_version_is_a_pickle(store, version):
    assert find_executable(store.root / version) == []


@pytest.mark.parametrize("name", ["model.npz", "model.pkl", "report.html"])
def test_a_pickle_in_a_version_would_be_found(store, version, name):
    path = store.root / version / name
    if name.endswith(".npz"):
        np.savez(path, coef=np.array([{"an": "object"}], object))
    else:
        path.write_bytes(pickle.dumps({"a": "pickle"}))
    assert find_executable(store.root / version) == [name]


def test_an_array_of_objects_is_refused_without_running_it(store, version):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(store.root / "pwned"),))

    path = store.root / version / "model.npz"
    np.savez(path, coef=np.array([Evil()], object), intercept=np.float64(0))
    edit_manifest(
        store, version, files=store.manifest(version)["files"] | {"model.npz": hashlib.sha256(path.read_bytes()).hexdigest()}
    )
    with pytest.raises(errors.CorruptVersionError):
        store.load(version)
    assert not (store.root / "pwned").exists()


@pytest.mark.parametrize(
    "arrays", [{"idf": np.zeros(4, np.float32)}, {"idf": np.zeros(1 << 20, np.float64)}, {"other": np.zeros(3)}]
)
def test_other_types_and_shapes_are_refused(store, version, arrays):
    path = store.root / version / "vectorizer.npz"
    np.savez(path, **arrays)
    sums = store.manifest(version)["files"] | {"vectorizer.npz": hashlib.sha256(path.read_bytes()).hexdigest()}
    edit_manifest(store, version, files=sums)
    with pytest.raises(errors.CorruptVersionError):
        store.load(version)


def test_a_folder_without_a_manifest_is_no_version(store, version):
    (store.root / version / "manifest.json").unlink()
    with pytest.raises(errors.IncompleteVersionError):
        store.load(version)
    with pytest.raises(errors.IncompleteVersionError):
        store.activate(version)
    assert store.versions() == []


def test_what_was_never_finished_goes_after_an_hour(store, version):
    half = store.root / "20200101T000000Z-00000000"
    half.mkdir()
    assert store.sweep() == []
    os.utime(half, (time.time() - 3700,) * 2)
    assert store.sweep() == [half.name]
    assert store.versions() == [version]


@pytest.mark.parametrize("file", ["model.npz", "vectorizer.npz", name_reviews(PRIMARY)])
def test_a_changed_file_is_refused_before_it_is_built(store, version, file):
    path = store.root / version / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(errors.ChecksumError, match=rf"{file}.*sha256"):
        store.load(version)


def test_a_missing_file_is_refused(store, version):
    (store.root / version / "model.npz").unlink()
    with pytest.raises(errors.ChecksumError, match="lacks model"):
        store.load(version)


def test_a_manifest_that_lacks_something_is_refused(store, version):
    path = store.root / version / "manifest.json"
    path.write_text(json.dumps({"format": FORMAT_VERSION, "engine": "linear", "version": version}))
    with pytest.raises(errors.CorruptVersionError, match="labels, reviews, threshold, parameters, files, score"):
        store.load(version)


@pytest.mark.parametrize(
    ("key", "value"),
    [("labels", [["hate"]]), ("labels", [None]), ("reviews", {"hate": 5}), ("reviews", {"hate": ["a"]}), ("files", {"a": 1})],
)
def test_names_that_are_no_strings_are_refused(store, version, key, value):
    edit_manifest(store, version, **{key: value})
    with pytest.raises(errors.CorruptVersionError, match=key):
        store.load(version)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"bucket_bits": "19"}, {"bucket_bits": -1}, {"bucket_bits": 10**6}, {"char_ngrams": 4}, {"char_ngrams": ["a"]}],
)
def test_parameters_of_another_engine_are_refused(store, version, parameters):
    known = store.manifest(version)["parameters"]
    edit_manifest(store, version, parameters={**known, **parameters} if parameters else {})
    with pytest.raises(errors.CorruptVersionError, match="parameters"):
        store.load(version)


@pytest.mark.parametrize("threshold", ["0.5", 0.0, 1.0, None])
def test_a_threshold_that_is_none_is_refused(store, version, threshold):
    edit_manifest(store, version, threshold=threshold)
    with pytest.raises(errors.CorruptVersionError, match="threshold"):
        store.load(version)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not JSON"])
def test_a_broken_manifest_is_refused(store, version, content):
    (store.root / version / "manifest.json").write_text(content)
    with pytest.raises(errors.CorruptVersionError):
        store.load(version)


def test_the_manifest_of_another_version_is_refused(store, version):
    edit_manifest(store, version, version="20200101T000000Z-00000000")
    with pytest.raises(errors.CorruptVersionError, match="20200101"):
        store.load(version)


def test_another_format_is_refused(store, version):
    edit_manifest(store, version, format=FORMAT_VERSION + 1)
    with pytest.raises(errors.IncompatibleVersionError, match="same rows"):
        store.load(version)


def test_another_engine_is_refused(store, version):
    edit_manifest(store, version, engine="other")
    with pytest.raises(errors.ForeignEngineError, match="'other'"):
        store.load(version)


@pytest.mark.parametrize("name", ["20200101T000000Z-00000000", "../../etc", "active", ""])
def test_a_version_that_is_not_there_is_missing(store, name):
    with pytest.raises(errors.VersionMissingError):
        store.load(name)


@pytest.mark.parametrize("name", ["", "../../etc", "/etc/passwd", "x" * 300, "\xff"])
def test_a_pointer_to_no_version_is_refused(store, name):
    (store.root / "active").write_text(name, "latin-1")
    with pytest.raises(errors.CorruptVersionError, match="pointer"):
        store.active()


def test_a_pin_is_part_of_the_pointer(store, version):
    assert not store.pointer().is_pinned
    store.activate(version, pin=True)
    assert store.pointer() == (version, True)
    store.unpin()
    assert store.pointer() == (version, False)


def test_a_removed_version_is_gone(store, version):
    store.remove(version)
    assert store.versions() == []
    assert not (store.root / version).exists()
