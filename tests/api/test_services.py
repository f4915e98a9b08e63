"""The rules of labels and runs, on the test database."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from api import selectors, services
from api.models import Label, TrainingRun, Tweet

pytestmark = pytest.mark.django_db


def labels(text="a text"):
    return list(Label.objects.filter(tweet__text=text).order_by("id").values_list("value", "source", "is_current"))


def import_(is_hate_speech, source="import:a"):
    return services.import_labels(rows=[("a text", is_hate_speech)], source=source)


def review(is_hate_speech):
    services.add_review(text="a text", is_hate_speech=is_hate_speech)


def test_a_review_outranks_an_earlier_import():
    import_(True)
    review(False)
    assert labels() == [(True, "import:a", False), (False, "review", True)]


def test_a_review_outranks_a_later_import():
    review(False)
    assert import_(True) == {"unchanged": 1}
    assert labels() == [(False, "review", True)]


def test_a_review_that_agrees_with_an_import_makes_it_a_reviewed_tweet():
    import_(True)
    review(True)
    import_(False)
    assert labels() == [(True, "import:a", False), (True, "review", True)]


def test_among_imports_the_latest_that_differs_wins():
    import_(True)
    assert import_(True, "import:b") == {"unchanged": 1}
    assert import_(False, "import:b") == {"changed": 1}
    assert labels() == [(True, "import:a", False), (False, "import:b", True)]


def test_the_database_itself_allows_one_current_label():
    review(True)
    tweet = Tweet.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.create(tweet=tweet, value=False, source="review")


def test_many_rows_go_in_batches():
    rows = [(f"text number {number % 1200}", number % 2 == 0) for number in range(1300)]
    counts = services.import_labels(rows=rows, source="import:a")
    assert counts["new"] == 1200
    assert selectors.count_labelled_rows() == 1200


def test_rows_stream_in_an_order_that_does_not_depend_on_the_writer():
    texts = [f"text {number}" for number in range(50)]
    services.import_labels(rows=[(text, True) for text in texts], source="import:a")
    first = list(selectors.labelled_rows())
    Label.objects.all().delete()
    Tweet.objects.all().delete()
    services.import_labels(rows=[(text, True) for text in reversed(texts)], source="import:a")
    assert list(selectors.labelled_rows()) == first


def test_starter_tweets_come_once():
    assert services.begin()["new"] > 300
    services.import_labels(rows=[(Tweet.objects.first().text, True), (Tweet.objects.first().text, False)], source="import:a")
    assert not services.begin()


def test_while_a_run_is_unfinished_everybody_joins_it():
    run, is_new = services.request_training()
    assert is_new
    assert services.request_training() == (run, False)
    TrainingRun.objects.update(is_finished=True)
    assert services.request_training()[0] != run


def let_lease_end(**changes):
    TrainingRun.objects.update(lease_until=Now() - timedelta(seconds=1), **changes)


def test_a_run_whose_lease_ended_is_released_once():
    run, _ = services.request_training()
    assert services.release_stalled_runs() == []
    let_lease_end(worker="dead", attempts=1)
    assert services.release_stalled_runs() == [run]
    assert services.release_stalled_runs() == []
    assert selectors.training_run(run.pk).worker == ""


def test_a_run_that_keeps_killing_its_worker_is_given_up():
    run, _ = services.request_training()
    let_lease_end(worker="dead", attempts=services.MAX_ATTEMPTS)
    assert services.release_stalled_runs() == []
    run.refresh_from_db()
    assert run.is_finished
    assert run.outcome == TrainingRun.Outcome.FAILED
    assert "Given up" in run.error


def test_a_run_of_another_worker_is_left_alone():
    run, _ = services.request_training()
    TrainingRun.objects.update(worker="other")
    services.run_training(run_id=run.pk)
    run.refresh_from_db()
    assert (run.attempts, run.is_finished) == (0, False)


@pytest.mark.django_db(transaction=True)
def test_a_training_without_enough_rows_fails_with_the_reason():
    services.add_review(text="only one", is_hate_speech=True)
    run, _ = services.request_training()
    services.run_training(run_id=run.pk)
    run.refresh_from_db()
    assert run.is_finished
    assert run.outcome == TrainingRun.Outcome.FAILED
    assert "import_tweets" in run.error


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_lost_its_lease_stops_before_it_activates(monkeypatch):
    services.begin()
    run, _ = services.request_training()

    class SlowTraining(services.Training):
        def run(self):
            TrainingRun.objects.update(worker="another")  # as a sweep and another worker would
            yield from super().run()

    monkeypatch.setattr(services, "Training", SlowTraining)
    before = services.classifier.store.active()
    services.run_training(run_id=run.pk)
    assert services.classifier.store.active() == before
    assert not selectors.training_run(run.pk).is_finished
