"""The rules of training runs, on the test database."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from api.labels.services import add_review
from api.versions import selectors, trainings
from api.versions.models import ModelVersion, TrainingRun
from api.versions.services import bootstrap_engine
from api.versions.trainings import MAX_ATTEMPTS, release_stalled_runs, request_training, run_training
from hate_speech_AI.core import classifier

pytestmark = pytest.mark.django_db


def test_while_a_run_is_unfinished_everybody_joins_it():
    run, is_new = request_training()
    assert is_new
    assert request_training() == (run, False)
    TrainingRun.objects.update(is_finished=True)
    assert request_training()[0] != run


def let_lease_end(**changes):
    TrainingRun.objects.update(lease_until=Now() - timedelta(seconds=1), **changes)


def test_a_run_whose_lease_ended_is_released_once():
    run, _ = request_training()
    assert release_stalled_runs() == []
    let_lease_end(worker="dead", attempts=1)
    assert release_stalled_runs() == [run]
    assert release_stalled_runs() == []
    assert TrainingRun.objects.get(pk=run.pk).worker == ""


def test_a_run_that_keeps_killing_its_worker_is_given_up():
    run, _ = request_training()
    let_lease_end(worker="dead", attempts=MAX_ATTEMPTS)
    assert release_stalled_runs() == []
    run.refresh_from_db()
    assert run.is_finished
    assert run.outcome == TrainingRun.Outcome.FAILED
    assert "Given up" in run.error


def test_a_run_of_another_worker_is_left_alone():
    run, _ = request_training()
    TrainingRun.objects.update(worker="other")
    run_training(run_id=run.pk)
    run.refresh_from_db()
    assert (run.attempts, run.is_finished) == (0, False)


@pytest.mark.django_db(transaction=True)
def test_a_training_without_enough_rows_fails_with_the_reason():
    add_review(text="only one", is_hate_speech=True)
    run, _ = request_training()
    run_training(run_id=run.pk)
    run.refresh_from_db()
    assert run.is_finished
    assert run.outcome == TrainingRun.Outcome.FAILED
    assert "import_tweets" in run.error


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_lost_its_lease_stops_before_it_activates(monkeypatch):
    bootstrap_engine()
    run, _ = request_training()

    class SlowTraining(trainings.Training):
        def run(self):
            TrainingRun.objects.update(worker="another")  # as a sweep and another worker would
            yield from super().run()

    monkeypatch.setattr(trainings, "Training", SlowTraining)
    before = classifier.store.active()
    run_training(run_id=run.pk)
    assert classifier.store.active() == before
    assert not TrainingRun.objects.get(pk=run.pk).is_finished


def test_a_pointer_that_cannot_be_read_after_a_training_fails_no_run(store, monkeypatch):
    [version] = store.versions()

    class DoneTraining(trainings.Training):
        def run(self):
            (store.root / "active").write_text("no such version\n")
            self.version = version
            yield from ()

    monkeypatch.setattr(trainings, "Training", DoneTraining)
    monkeypatch.setattr(selectors, "find_unchanged_version", lambda: None)
    run, _ = request_training()
    run_training(run_id=run.pk)
    run.refresh_from_db()
    assert (run.outcome, run.error, run.version) == (TrainingRun.Outcome.PROMOTED, "", version)


def test_a_pointer_that_is_away_meanwhile_fails_no_run(monkeypatch):
    run, _ = request_training()
    unchanged = ModelVersion.objects.create(
        name="x", created_at=Now(), engine="linear", outcome="promoted", score={}, gate={"passed": True}
    )
    monkeypatch.setattr(selectors, "find_unchanged_version", lambda: unchanged)
    monkeypatch.setattr(classifier, "pointer", lambda: None)
    run_training(run_id=run.pk)
    run.refresh_from_db()
    assert (run.outcome, run.error) == (TrainingRun.Outcome.UNCHANGED, "")


def test_a_training_is_queued_though_the_broker_takes_no_message(new_service):
    service = new_service()
    service.start("web")
    queue = service.folder / "queue" / "messages"
    queue.rmdir()
    queue.touch()  # as a disk that is full or gone: nothing can be written there
    answer = service.client.post("/train")
    assert answer.status_code == 202
    assert answer.json()["stage"] == "queued"
    assert "is queued, but the broker" in service.log("web")
