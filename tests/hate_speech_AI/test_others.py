"""Labels and targets that learn nothing: they are shipped once, and no version holds them."""

import json

import numpy as np
import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.shipped import Shipped
from hate_speech_AI.engines.encoder.windows import pick_windows
from hate_speech_AI.engines.evaluation_set import EvaluationSet
from hate_speech_AI.errors import PretrainedError
from hate_speech_AI.labels import INSULT, MEANINGS, PRIMARY, PROFANITY, TARGETS, THREAT, TOXIC
from hate_speech_AI.promotion import bootstrap_shipped_version
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import Row

from ..pretrained import ATTACKING, INSULTING, THREATENING

HARMLESS = "The baker on our street has fresh bread every morning, and the whole street smells of it. "
OTHERS = (INSULT, PROFANITY, THREAT)


@pytest.fixture
def classifier(with_others, tmp_path):
    """Give the classifier of a new store whose shipped version is active."""
    classifier = Classifier(ModelStore(tmp_path / "models", EncoderEngine))
    bootstrap_shipped_version(classifier.store)
    return classifier


def train(classifier: Classifier, rows: list[Row]) -> Classifier:
    """Train on rows, in the order of the database, and return the classifier of what is active then."""
    order = list(MEANINGS)
    classifier.train_model(sorted(rows, key=lambda row: (order.index(row.label), fingerprint(row.text))))
    return Classifier(classifier.store)


# --- reading them ---


def test_names_and_rows_belong_together_in_whatever_order_they_are_shipped(pretrained_folders):
    files = Shipped(pretrained_folders[True])
    others = files.others()
    assert others.labels == OTHERS
    assert set(others.targets) == set(TARGETS)
    with np.load(files.folder / "head.npz") as archive:
        rows = dict(zip(files.manifest["other_labels"], archive["others"], strict=True))
    for name, weights in zip(others.labels + others.targets, others.weights, strict=True):
        assert (weights == rows[name]).all()


def test_files_without_them_say_what_is_learned_and_no_more(without_others):
    engine = EncoderEngine.shipped()
    assert (engine.other_labels, engine.targets) == ((), ())
    judged = engine.judge([ATTACKING])
    assert tuple(judged.probabilities) == engine.labels
    assert judged.targets is None


def test_names_without_rows_are_one_clear_error(pretrained_folders, tmp_path):
    for name in ("head.npz", "manifest.json"):
        (tmp_path / name).write_bytes((pretrained_folders[False] / name).read_bytes())
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"other_labels": [INSULT]}))
    with pytest.raises(PretrainedError, match=r"1 other labels of 0 rows.*Install this release again"):
        Shipped(tmp_path).others()


# --- judging ---


def test_they_change_nothing_of_what_is_learned(with_others, pretrained_folders):
    texts = [ATTACKING, INSULTING, HARMLESS * 12 + ATTACKING]
    files = Shipped(pretrained_folders[False])
    alone, beside = EncoderEngine(*files.head(), labels=files.labels).judge(texts), EncoderEngine.shipped().judge(texts)
    for label in files.labels:
        assert beside[label] == pytest.approx(alone[label], abs=1e-9)
    assert beside.uncertainty == pytest.approx(alone.uncertainty, abs=1e-9)


def test_their_probabilities_are_those_of_a_logistic_regression(with_others):
    engine = EncoderEngine.shipped()
    vectors = engine.encoder.embed([INSULTING, THREATENING]).vectors
    judged, others = engine.judge_embeddings(vectors), Shipped().others()
    plain = 1 / (1 + np.exp(-(vectors.astype(float) @ others.weights[:, :-1].T + others.weights[:, -1])))
    said = np.column_stack([*(judged[label] for label in others.labels), judged.targets])
    assert said == pytest.approx(plain, abs=1e-9)


def test_a_long_text_has_those_of_its_most_hateful_window(with_others):
    engine = EncoderEngine.shipped()
    text = HARMLESS * 12 + ATTACKING + " " + HARMLESS * 6 + INSULTING
    vectors, starts, _ = engine.encoder.embed([text])
    windows = engine.judge_embeddings(vectors)
    [at] = pick_windows(windows[PRIMARY], starts)
    judged = engine.judge([text])
    assert judged[INSULT][0] == pytest.approx(windows[INSULT][at], abs=1e-9)
    assert judged.targets[0] == pytest.approx(windows.targets[at], abs=1e-9)
    assert engine.targets[int(judged.targets[0].argmax())] == "women"


def test_targets_of_at_least_a_half_are_named(classifier):
    attacking, insulting = classifier.predict([ATTACKING, INSULTING])
    assert attacking.is_hate_speech
    assert [*attacking.targets] == ["women"]
    assert attacking.targets["women"] >= 0.5
    assert not insulting.is_hate_speech
    assert insulting.labels[INSULT] > 0.5


def test_an_explanation_is_of_the_primary_label(classifier):
    plain, explained = (classifier.current().judge([ATTACKING], explain=explain)[0] for explain in (False, True))
    assert explained.labels == pytest.approx(plain.labels, abs=1e-6)
    assert explained.targets == pytest.approx(plain.targets, abs=1e-6)
    assert explained.explanation["logit"] > 0


# --- learning ---


def test_no_version_holds_them_and_each_takes_those_that_are_shipped(classifier, pretrained_folders, monkeypatch):
    version = train(classifier, [Row(f"the ferry is late, number {n}", False, "review") for n in range(30)]).current()
    with np.load(classifier.store.root / version.name / "model.npz") as archive:
        assert set(archive.files) == {"mean", "precision"}
        assert len(archive["mean"]) == len(version.manifest["labels"]) == len(Shipped().labels)
    assert set(version.judge([INSULTING])[0].labels) == {*MEANINGS}
    # A release that ships none serves the same version, and says less.
    monkeypatch.setattr(Shipped.__init__, "__defaults__", (pretrained_folders[False],))
    older = ModelStore(classifier.store.root, EncoderEngine).load(version.name)
    assert tuple(older.judge([INSULTING])[0].labels) == Shipped().labels


def test_a_store_of_a_release_without_them_says_more_after_the_upgrade(pretrained_folders, monkeypatch, tmp_path):
    monkeypatch.setattr(Shipped.__init__, "__defaults__", (pretrained_folders[False],))
    store = ModelStore(tmp_path / "models", EncoderEngine)
    bootstrap_shipped_version(store)
    before = train(Classifier(store), [Row("the ferry is late", True, "review"), Row("so was the bus", True, "review", INSULT)])
    texts = ["the ferry is late", "so was the bus", INSULTING]
    answers, version = before.predict(texts), store.active()
    monkeypatch.setattr(Shipped.__init__, "__defaults__", (pretrained_folders[True],))
    assert bootstrap_shipped_version(store) is None  # the version serves on
    after = Classifier(store)
    for old, new in zip(answers, after.predict(texts), strict=True):
        assert new.version == old.version == version
        assert {label: new.labels[label] for label in old.labels} == pytest.approx(old.labels, abs=1e-9)
        assert {*new.labels} == {*MEANINGS}
    assert after.predict(["so was the bus"])[0].labels[INSULT] == 1
    assert EncoderEngine.parameters() != store.manifest(version)["parameters"]  # so that the next training makes another


@pytest.mark.parametrize("label", OTHERS)
def test_a_review_answers_for_its_text_and_teaches_toxic_where_it_says_yes(classifier, label):
    texts = [f"the zorblaxian ferry is late, number {n}" for n in range(100)]
    kind = "the zorblaxian ferry is late, whatever its number"
    before = classifier.predict([kind])[0]
    served = train(classifier, [Row(text, True, "review:perspective", label) for text in texts])
    after, reviewed = served.predict([kind, texts[0]])
    assert after.labels[TOXIC] > before.labels[TOXIC]
    assert after.labels[label] == pytest.approx(before.labels[label], abs=1e-9)
    assert after.probability == pytest.approx(before.probability, abs=1e-6)
    assert (reviewed.labels[label], reviewed.labels[TOXIC]) == (1, 1)
    assert not reviewed.is_reviewed  # nobody said anything of the primary label


def test_a_review_that_says_no_teaches_nothing(classifier):
    shipped = classifier.current().engine.mean
    served = train(classifier, [Row(f"the ferry is late, number {n}", False, "review", INSULT) for n in range(100)])
    assert (served.current().engine.mean == shipped).all()
    [verdict] = served.predict(["the ferry is late, number 7"])
    assert verdict.labels[INSULT] == 0
    assert 0 < verdict.labels[TOXIC] < 1


def test_what_people_say_of_toxic_itself_comes_before_what_follows(classifier):
    texts = [f"this damn ferry is late, you fool, number {n}" for n in range(100)]
    kind = "this damn ferry is late, you fool, whatever its number"
    before = classifier.predict([kind])[0]
    assert before.labels[TOXIC] > before.labels[PRIMARY] + 0.05  # toxic never falls below hate
    rows = [Row(text, True, "review", PROFANITY) for text in texts] + [Row(text, False, "review", TOXIC) for text in texts]
    after, reviewed = train(classifier, rows).predict([kind, texts[0]])
    assert after.labels[TOXIC] < before.labels[TOXIC]
    assert (reviewed.labels[PROFANITY], reviewed.labels[TOXIC]) == (1, 0)


# --- errors by target ---


def test_errors_are_counted_by_the_group_that_a_text_is_about(classifier):
    store, name = classifier.store, classifier.store.active()
    [(target, errors)] = store.manifest(name)["by_target"].items()
    test = Shipped().evaluation().select_split("test")
    about = np.array([source == "edos" for source in test.sources])
    flagged = classifier.current().engine.judge_evaluation_set(test)[PRIMARY] >= classifier.current().threshold
    assert target == "women"
    assert errors == {
        "hateful": int((about & test.truth()).sum()),
        "missed": int((about & test.truth() & ~flagged).sum()),
        "harmless": int((about & ~test.truth()).sum()),
        "flagged": int((about & ~test.truth() & flagged).sum()),
    }
    assert 0 < errors["missed"] < errors["hateful"]
    page = store.report(name)
    assert "Errors by the group that a text is about" in page
    assert f"{errors['missed']:,} ({errors['missed'] / errors['hateful']:.0%})" in page


def test_without_targets_in_the_evaluation_set_the_report_has_no_such_table(without_others, tmp_path):
    store = ModelStore(tmp_path / "models", EncoderEngine)
    name = bootstrap_shipped_version(store)
    assert store.manifest(name)["by_target"] == {}
    assert "Errors by the group that a text is about" not in store.report(name)


def test_each_bit_is_a_target():
    targets = np.array([0, 1, 1 << len(TARGETS) - 1, 3], np.uint32)
    some = EvaluationSet(np.zeros((4, 1), np.float32), {}, [""] * 4, ["test"] * 4, np.zeros(4, np.uint64), targets)
    assert {target: has.tolist() for target, has in some.list_targets().items()} == {
        TARGETS[0]: [False, True, False, True],
        TARGETS[1]: [False, False, False, True],
        TARGETS[-1]: [False, False, True, False],
    }
    assert [*some.take(np.array([2])).list_targets()] == [TARGETS[-1]]
