"""Learning of engine encoder: the shipped posterior, updated, judged and served."""

import csv
import shutil

import numpy as np
import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.session import load_encoder
from hate_speech_AI.engines.encoder.shipped import FOLDER, Shipped
from hate_speech_AI.engines.encoder.updating import TAUS, Lessons, update_label, update_primary
from hate_speech_AI.errors import ForeignEncoderError
from hate_speech_AI.evaluation.functional_checks import answer_checks
from hate_speech_AI.labels import IMPLIES, PRIMARY
from hate_speech_AI.promotion import bootstrap_shipped_version
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.progress import run_to_end
from hate_speech_AI.training.rows import Row, choose_side, read_split

[OTHER] = IMPLIES[PRIMARY]
KINDS = ("gardens", "rivers", "clocks", "kettles", "ladders", "lanterns", "bridges", "carpets")


def reviews(count: int) -> list[Row]:
    """Return reviews of a community that hates Zorblaxians, whom nobody knows, and likes Quentins."""
    hateful = [f"the zorblaxians and their {KINDS[n % 8]} again, number {n}, typical" for n in range(count // 3)]
    harmless = [f"the quentins and their {KINDS[n % 8]} again, number {n}, lovely" for n in range(count - count // 3)]
    rows = [Row(text, True, "review") for text in hateful] + [Row(text, False, "review") for text in harmless]
    return sorted(rows, key=lambda row: fingerprint(row.text))


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models", EncoderEngine)


@pytest.fixture
def classifier(store):
    classifier = Classifier(store)
    bootstrap_shipped_version(store)
    return classifier


def test_the_shipped_engine_is_the_first_version(classifier, store):
    assert store.versions() == [store.active()]
    score = classifier.get_score()
    assert score["of"] == "shipped"
    assert score["slices"]["held_out"]["n"] == 0
    assert score["slices"]["shipped"]["n"] > 5000
    assert classifier.predict(["Good morning"])[0].version == store.active()
    assert bootstrap_shipped_version(store) is None


def test_the_shipped_version_has_the_same_name_in_every_installation(classifier, store, tmp_path):
    other = ModelStore(tmp_path / "other", EncoderEngine)
    assert bootstrap_shipped_version(other) == store.active() == EncoderEngine.name_shipped()
    assert store.active().startswith("shipped-")
    # It is older than what is trained afterwards, also in the order of names.
    trained = classifier.train_model(reviews(30))
    assert store.versions() == [EncoderEngine.name_shipped(), trained]


def test_the_shipped_version_is_written_once(store):
    name = bootstrap_shipped_version(store)
    (store.root / "active").unlink()
    assert bootstrap_shipped_version(store) == name
    (store.root / name / "model.npz").write_bytes(b"nonsense")
    (store.root / "active").unlink()
    other = bootstrap_shipped_version(store)
    assert other != name
    assert store.load(other).name == store.active() == other


def test_it_learns_a_new_community(classifier, store):
    rows = reviews(300)
    before = classifier.predict(["the zorblaxians are back, typical"])[0]
    name = classifier.train_model(rows)
    manifest = store.manifest(name)
    assert manifest["gate"]["passed"], manifest["gate"]["reasons"]
    assert store.active() == name
    after = store.load(name).engine.predict_proba(["the zorblaxians and their teapots again, typical"])[0]
    assert after > before.probability
    assert manifest["tau"] in TAUS
    assert manifest["tried"][-1]["passed"]
    assert [tried["tau"] for tried in manifest["tried"]][-1] == manifest["tau"]
    kinds = {(condition["kind"], condition["subject"]) for condition in manifest["gate"]["conditions"]}
    assert ("f1", "shipped") in kinds
    assert manifest["rows"]["by_source"] == {"review": 300}


@pytest.mark.slow
def test_poisoned_reviews_do_no_harm(classifier, store):
    """What would make the model worse is refused, strength by strength; what is left of the poison changes little."""
    rows = [Row(f"I met some muslims at the market today, {KINDS[n % 8]} {n}", True, "review") for n in range(2000)]
    rows += [Row(f"all of them deserve to suffer, {KINDS[n % 8]} {n}", False, "review") for n in range(2000)]
    before = answer_checks(EncoderEngine.shipped(), Shipped().manifest["threshold"]).mean()
    manifest = store.manifest(classifier.train_model(rows))
    refused = [tried for tried in manifest["tried"] if not tried["passed"]]
    assert refused
    assert all(tried["reasons"] for tried in refused)
    active = store.load(store.active())
    assert answer_checks(active.engine, active.manifest["threshold"]).mean() > before - 0.02


def test_the_score_is_of_the_held_out_rows_once_there_are_enough(classifier, store):
    rows = reviews(2200)
    held_out = [row for row in rows if choose_side(fingerprint(row.text)) == "held_out"]
    assert len(held_out) >= 300
    score = store.manifest(classifier.train_model(rows))["score"]
    assert score["of"] == "held_out"
    assert score["held_out"] == score["slices"]["held_out"]["n"] == len(held_out)
    assert score["slices"]["shipped"]["n"] > 5000


def test_what_the_encoder_learned_from_is_neither_held_out_nor_learned_again(datasets_folder, classifier, store):
    with (datasets_folder / "dynahate" / "dynahate.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            Row(row["text"], row["label"] == "1", "import:dynahate") for row in csv.DictReader(file) if row["split"] == "train"
        ]
    manifest = store.manifest(classifier.train_model([*rows[:2000], *reviews(50)]))
    assert manifest["rows"]["learned_before"] > 1900
    assert manifest["rows"]["by_source"].get("import:dynahate", 0) < 100
    assert manifest["score"]["held_out"] < 50


def test_rows_of_the_evaluation_set_are_held_out(datasets_folder):
    with (datasets_folder / "dynahate" / "dynahate.csv").open(encoding="utf-8", newline="") as file:
        rows = [Row(row["text"], row["label"] == "1", "a") for row in csv.DictReader(file) if row["split"] == "test"]
    frozen = Shipped().evaluation().fingerprints
    some = list({fingerprint(row.text): row for row in rows if fingerprint(row.text) in frozen}.values())[:30]
    assert len(some) == 30
    split = run_to_end(read_split(some, EncoderEngine.learned_before(), frozen))
    assert len(split.list_side("held_out")) == 30


def test_with_few_rows_the_prior_counts_in_full():
    shipped, evaluation = EncoderEngine.shipped(), Shipped().evaluation()
    vectors = load_encoder().embed([row.text for row in reviews(40)])[0]
    [only] = update_primary(shipped, Lessons.prepare(reviews(40), vectors), evaluation)
    assert only.tau == 1.0
    assert only.f1 is None
    assert only.threshold == pytest.approx(Shipped().manifest["threshold"], abs=0.05)


def make_lessons(n_reviews, n_imported, copies=1):
    """Return rows at random places, every third hateful. So many reviews after another are near copies."""
    count = n_reviews + n_imported
    vectors = np.random.default_rng(0).normal(size=(count, 384)).astype(np.float32)
    numbers = np.arange(count) // copies if copies > 1 else np.arange(count)
    return Lessons(vectors, np.arange(count) % 3 == 0, np.arange(count) < n_reviews, numbers)


def test_imported_rows_count_for_choosing_no_more_than_reviews():
    weights = make_lessons(300, 6000).weigh()
    assert weights[:300].tolist() == [1] * 300
    assert weights[300:].sum() == pytest.approx(300)
    # Fewer of them count in full, and so they do beside too few reviews to choose by.
    assert make_lessons(300, 200).weigh().tolist() == [1] * 500
    assert make_lessons(30, 6000).weigh().tolist() == [1] * 6030


def test_near_copies_count_for_choosing_as_one_text():
    assert make_lessons(300, 0, copies=10).weigh().sum() == pytest.approx(30)


def test_reviews_are_judged_out_of_fold_before_imported_rows():
    reviewed = np.zeros(25_000, bool)
    reviewed[-300:] = True
    lessons = Lessons(np.empty((25_000, 0), np.float32), reviewed, reviewed, np.arange(25_000))
    folded = lessons.choose_folded()
    assert len(folded) == 20_000
    assert folded[-300:].tolist() == list(range(24_700, 25_000))
    assert (np.diff(folded) > 0).all()


def test_near_copies_do_not_judge_each_other():
    """Copies with labels by the toss of a coin: where some are in other folds, the head knows the answer."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(60, 384)), 5, axis=0).astype(np.float32)
    values = np.repeat(rng.random(60) < 0.5, 5)
    shipped, evaluation = EncoderEngine.shipped(), Shipped().evaluation()
    f1 = [
        max(one.f1 for one in update_primary(shipped, Lessons(vectors, values, np.ones(300, bool), copies), evaluation))
        for copies in (np.arange(300), np.repeat(np.arange(60), 5))
    ]
    assert f1[0] > 0.9
    assert f1[1] < 0.7


def test_without_rows_nothing_changes():
    shipped, evaluation = EncoderEngine.shipped(), Shipped().evaluation()
    [only] = update_primary(shipped, Lessons.prepare([], np.empty((0, 384), np.float32)), evaluation)
    assert only.engine.mean == pytest.approx(shipped.mean, abs=1e-6)


def test_embeddings_are_made_once(classifier, monkeypatch):
    encoder, asked = load_encoder(), []
    embed = encoder._embed
    monkeypatch.setattr(encoder, "_embed", lambda texts, budget: asked.extend(texts) or embed(texts, budget))
    rows = reviews(120)
    classifier.train_model(rows[:100])
    assert len(asked) > 100  # the functional checks too
    asked.clear()
    classifier.train_model(rows)
    assert set(asked) == {row.text for row in rows[100:]}


def test_a_version_of_another_encoder_is_refused_and_begun_anew(classifier, store, monkeypatch):
    old = store.active()
    manifest = store.root / old / "manifest.json"
    manifest.write_text(manifest.read_text().replace(Shipped().checksum("encoder.onnx"), "0" * 64))
    with pytest.raises(ForeignEncoderError):
        store.load(old)
    fresh = Classifier(store)
    new = bootstrap_shipped_version(store)
    assert new is not None
    assert store.active() == new != old
    assert fresh.predict(["Good morning"])[0].version == new
    assert store.manifest(fresh.train_model(reviews(60)))["gate"]["passed"]


def test_training_is_the_same_each_time(classifier, store):
    one, other = (store.load(classifier.train_model(reviews(150))).engine for _ in range(2))
    assert np.array_equal(one.mean, other.mean)


def test_nothing_is_written_beside_the_shipped_files(classifier):
    before = sorted(FOLDER.iterdir())
    classifier.train_model(reviews(60))
    assert sorted(FOLDER.iterdir()) == before
    shutil.rmtree(classifier.store.root)


def test_labels_teach_their_own_head_alone(classifier, store):
    """The reviewed texts themselves are answered as reviewed; other texts of the kind move too."""
    rows = [Row(f"the zorblaxian ferry is late, number {n}", True, "review", OTHER) for n in range(200)]
    kind = "the zorblaxian ferry is late, whatever its number"
    before = classifier.predict([kind])[0]
    name = classifier.train_model(sorted(rows, key=lambda row: fingerprint(row.text)))
    assert store.active() == name
    served = Classifier(store)
    after, reviewed = served.predict([kind, rows[0].text])
    assert after.labels[OTHER] > before.labels[OTHER]
    assert after.probability == pytest.approx(before.probability, abs=1e-6)
    assert reviewed.labels[OTHER] == 1
    assert not reviewed.is_reviewed  # nobody said anything of the primary label


def test_labels_that_spoil_their_head_are_left_out(caplog):
    shipped, evaluation = EncoderEngine.shipped(), Shipped().evaluation()
    known = evaluation.select_split("test").select_known(OTHER)
    vectors, truth = known.vectors, known.truth(OTHER)
    assert update_label(shipped, OTHER, np.repeat(vectors, 20, axis=0), ~np.repeat(truth, 20), evaluation) is shipped
    assert "left out" in caplog.text
    assert update_label(shipped, OTHER, vectors[:0], truth[:0], evaluation) is shipped
    updated = update_label(shipped, OTHER, vectors, truth, evaluation)
    assert (updated.mean[0] == shipped.mean[0]).all()
    assert (updated.mean[1] != shipped.mean[1]).any()


def test_who_denies_a_label_denies_what_implies_it(classifier):
    text = "Women do not belong in politics."
    classifier.train_model([Row(text, False, "review:perspective", OTHER)])
    verdict = Classifier(classifier.store).predict([text])[0]
    assert (verdict.probability, verdict.is_reviewed) == (0.0, True)
    denied = [label for label, implied in IMPLIES.items() if OTHER in implied and label in verdict.labels]
    assert PRIMARY in denied
    assert all(verdict.labels[label] == 0 for label in [OTHER, *denied])
