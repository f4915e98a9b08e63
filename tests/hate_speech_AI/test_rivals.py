"""Which versions a candidate is compared with, whatever becomes of their files."""

import json

import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.promotion import bootstrap_shipped_version
from hate_speech_AI.rivals import find_anchor
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import STARTER, Row

from .rows import toy_rows


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models", LinearEngine)


@pytest.fixture
def encoder_store(tmp_path):
    store = ModelStore(tmp_path / "models", EncoderEngine)
    bootstrap_shipped_version(store)
    return store


def train(store, rows, **options) -> dict:
    return store.manifest(Classifier(store).train_model(rows, **options))


def flip_a_bit(store, name):
    path = store.root / name / "model.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flipped(rows):
    return [row._replace(value=not row.value) for row in rows]


def poison():
    """Return reviews with false labels, which make several candidates fail."""
    rows = [Row(f"I met some muslims at the market today, {number}", True, "review") for number in range(2000)]
    rows += [Row(f"all of them deserve to suffer, {number}", False, "review") for number in range(2000)]
    return sorted(rows, key=lambda row: fingerprint(row.text))


def test_the_first_version_of_an_operators_data_is_the_anchor(store):
    first = train(store, toy_rows())
    second = train(store, toy_rows()[:-1])
    assert (first["gate"]["anchor"], second["gate"]["anchor"]) == (None, first["version"])
    assert find_anchor(store, second["version"]) == first["version"]


def test_the_starter_tweets_are_no_anchor_for_an_operators_data(store):
    rows = [row._replace(source=STARTER) if number % 4 == 0 else row for number, row in enumerate(toy_rows())]
    train(store, rows[::4])
    first = train(store, rows)
    assert first["gate"]["rival"] is None
    third = train(store, rows[:-1])
    assert third["gate"]["anchor"] == first["version"]


def test_the_shipped_engine_is_the_anchor(encoder_store):
    rows = [Row(f"a walk along river number {number}", False, "review") for number in range(30)]
    manifests = [train(encoder_store, rows[:n]) for n in (10, 20, 30)]
    assert {manifest["gate"]["anchor"] for manifest in manifests} == {EncoderEngine.name_shipped()}


def test_an_operator_who_overrules_the_gate_moves_the_anchor(store):
    first = train(store, toy_rows())["version"]
    refused = train(store, flipped(toy_rows()))
    assert not refused["gate"]["passed"]
    # Otherwise the gate would refuse every later version for the same reason.
    store.activate(refused["version"])
    later = train(store, flipped(toy_rows()[:-1]), recent=[refused["version"], first])
    assert later["gate"]["passed"]
    assert later["gate"]["anchor"] == refused["version"]
    # Back on the old line, the old anchor holds.
    store.activate(first)
    again = train(store, toy_rows()[:-1], recent=[later["version"], refused["version"], first])
    assert again["gate"]["passed"]
    assert again["gate"]["anchor"] == first


def test_versions_of_earlier_releases_are_followed_back_to_the_first(store):
    first = train(store, toy_rows())["version"]
    names = [train(store, toy_rows()[: -1 - n])["version"] for n in range(2)]
    for name in names:
        path = store.root / name / "manifest.json"
        manifest = json.loads(path.read_text())
        del manifest["gate"]["anchor"]
        path.write_text(json.dumps(manifest))
    assert find_anchor(store, names[-1]) == first
    (store.root / first / "manifest.json").unlink()
    assert find_anchor(store, names[-1]) == names[0]


def test_the_newest_readable_version_judges_where_the_active_one_is_damaged(store):
    first = train(store, toy_rows())["version"]
    second = train(store, toy_rows()[:-1])["version"]
    flip_a_bit(store, second)
    verdict = train(store, flipped(toy_rows()))["gate"]
    assert (verdict["passed"], verdict["rival"]) == (False, first)
    assert store.active() == second
    mended = train(store, toy_rows()[:-2])
    assert mended["gate"]["passed"]
    assert store.active() == mended["version"]


def test_a_refused_version_never_judges(store):
    first = train(store, toy_rows())["version"]
    refused = train(store, flipped(toy_rows()))["version"]
    (store.root / "active").unlink()
    assert train(store, toy_rows()[:-1])["gate"]["rival"] == first
    assert refused != first


def test_nothing_is_promoted_unjudged_where_no_version_can_be_read(store):
    only = train(store, toy_rows())["version"]
    flip_a_bit(store, only)
    verdict = train(store, flipped(toy_rows()))["gate"]
    assert not verdict["passed"]
    assert "sha256 differs" in verdict["reasons"][0]
    assert "activate" in verdict["reasons"][0]
    assert store.active() == only


@pytest.mark.slow
def test_the_shipped_engine_judges_where_no_version_can_be_read(encoder_store):
    flip_a_bit(encoder_store, encoder_store.active())
    verdict = train(encoder_store, poison())["gate"]
    assert verdict["rival"] == EncoderEngine.name_shipped()
    assert {condition["kind"] for condition in verdict["conditions"]} >= {"f1", "functional_group", "false_positive_gap"}


@pytest.mark.slow
def test_each_rival_is_loaded_once(encoder_store, monkeypatch):
    recent = [encoder_store.active()]
    for n in (10, 20, 30):
        rows = [Row(f"a walk along river number {number}", False, "review") for number in range(n)]
        recent.insert(0, train(encoder_store, rows, recent=recent)["version"])
    loaded, load = [], encoder_store.load
    monkeypatch.setattr(encoder_store, "load", lambda name: loaded.append(name) or load(name))
    manifest = train(encoder_store, poison(), recent=recent)
    assert len(manifest["tried"]) > 1
    assert sorted(loaded) == sorted(recent)
