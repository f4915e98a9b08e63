"""The runs that take withdrawn reviews out of the active version, on the test database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from api.labels.selectors import filter_labels
from api.labels.services import add_review
from api.versions import trainings, withdrawals
from api.versions.models import Activation, ModelVersion, TrainingRun
from api.versions.selectors import find_recent_rivals, find_recently_active_versions
from api.versions.services import bootstrap_engine, prune_versions
from api.versions.trainings import request_training, request_withdrawal, run_training
from api.versions.withdrawals import withdraw_reviews
from hate_speech_AI.core import classifier
from hate_speech_AI.label_index import LabelIndex
from hate_speech_AI.labels import PRIMARY
from hate_speech_AI.text import fingerprint

from .test_versions import copy_version

pytestmark = pytest.mark.django_db(transaction=True)

GROUP = {"source": "review", "key": "forum", "night": "2026-01-01", "labels": 1}


@pytest.fixture
def sent(monkeypatch):
    """Collect the runs that are sent to the workers."""
    runs = []
    for module in (trainings, withdrawals):
        monkeypatch.setattr(module, "send_run", runs.append)
    return runs


def do(run: TrainingRun) -> TrainingRun:
    run_training(run_id=run.pk)
    run.refresh_from_db()
    assert run.outcome != TrainingRun.Outcome.FAILED, run.error
    return run


def test_a_withdrawal_runs_beside_a_training():
    training, _ = request_training()
    withdrawal, is_new = request_withdrawal()
    assert (is_new, withdrawal.kind) == (True, TrainingRun.Kind.WITHDRAWAL)
    assert request_withdrawal() == (withdrawal, False)
    assert request_training() == (training, False)


def test_the_active_version_forgets(sent, serve_encoder):
    serve_encoder()
    bootstrap_engine()
    for text, value in (("The geese are loud", True), ("The owls are quiet", False)):
        add_review(text=text, is_hate_speech=value, key="forum")
    parent = do(request_training()[0]).version
    classifier.store.activate(parent)
    assert withdraw_reviews(filter_labels(text="The geese are loud"), who="admin a") == 1
    [requested] = sent
    run = do(requested)
    assert sent == [requested]  # nothing was missed
    version = ModelVersion.objects.get(name=run.version)
    assert (run.outcome, version.outcome, version.parent) == ("promoted", "promoted", parent)
    assert [(group["source"], group["key"], group["labels"]) for group in version.withdrawn] == [("review", "forum", 1)]
    assert classifier.store.active() == version.name
    reviews = classifier.store.load(version.name).reviews[PRIMARY]
    assert [reviews.get(fingerprint(text)) for text in ("The geese are loud", "The owls are quiet")] == [None, False]
    # Once more, there is nothing left to forget. And no version repeats it.
    again = do(request_withdrawal()[0])
    assert (again.outcome, again.version) == ("unchanged", version.name)
    assert do(request_training()[0]).outcome != "unchanged"


def test_what_is_withdrawn_during_a_training_is_withdrawn_again(sent, store, monkeypatch):
    bootstrap_engine()
    add_review(text="The geese are loud", is_hate_speech=True)

    class Slow(trainings.Training):
        def run(self):
            withdraw_reviews(filter_labels(text="The geese are loud"), who="admin a")
            sent[0].delete()  # as if it were done by now
            yield from super().run()

    monkeypatch.setattr(trainings, "Training", Slow)
    do(request_training()[0])
    [_, missed] = sent
    assert missed.kind == TrainingRun.Kind.WITHDRAWAL


def test_an_engine_that_cannot_forget_trains(sent, store):
    bootstrap_engine()
    add_review(text="The geese are loud", is_hate_speech=True)
    do(request_training()[0])
    withdraw_reviews(filter_labels(text="The geese are loud"), who="admin a")
    [requested] = sent
    run = do(requested)
    assert classifier.store.manifest(run.version)["withdrawn"] == []
    known = classifier.store.load(run.version).reviews.get(PRIMARY, LabelIndex.build(()))
    assert known.get(fingerprint("The geese are loud")) is None


def record(store, day: int, days_ago: int, f1_loss: float | None = None) -> str:
    """Record a version that was active; with an F1 loss it came of a withdrawal."""
    name = copy_version(store, day)
    slices = {} if f1_loss is None else {"shipped": {"candidate": {"f1": 0.7 - f1_loss}, "rival": {"f1": 0.7}}}
    version = ModelVersion.objects.create(
        name=name,
        created_at=timezone.now(),
        engine="linear",
        outcome=ModelVersion.Outcome.PROMOTED,
        score={},
        gate={"slices": slices},
        withdrawn=[] if f1_loss is None else [GROUP],
    )
    activation = Activation.objects.create(version=version, by=Activation.By.GATE)
    Activation.objects.filter(pk=activation.pk).update(activated_at=timezone.now() - timedelta(days=days_ago))
    return name


def test_what_was_taken_back_is_no_standard(store):
    before = record(store, 1, 9)
    record(store, 2, 8, f1_loss=0.003)
    between = record(store, 3, 7)
    assert find_recent_rivals(0.005) == [between, before]
    record(store, 4, 6, f1_loss=0.02)
    after = record(store, 5, 5)
    assert find_recent_rivals(0.005) == [after]
    assert find_recently_active_versions() == [after, between, before]


def test_versions_of_withdrawals_are_not_kept_for_long(store):
    trained = record(store, 1, 5)
    withdrawn = [record(store, day, 5, f1_loss=0.0) for day in range(2, 20)]
    pruned = prune_versions()
    assert trained not in pruned
    assert {*pruned} <= {*withdrawn}
    assert len(pruned) > 5
