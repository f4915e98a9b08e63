"""What the log says of exceptions, of answers and of tasks."""

import logging
import sys

import pytest

from hate_speech.logs import FormatterWithoutValues, OnlyFaults

from ..service import wait_until

SECRET = "a rather recognisable sentence"


def record_of(error: BaseException | None = None, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("a", logging.ERROR, "a.py", 1, "It failed.", (), sys.exc_info() if error else None)
    record.__dict__.update(more)
    return record


def test_an_exception_is_logged_with_its_type_and_place_and_never_with_its_message():
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise KeyError(SECRET) from error
    except KeyError as error:
        said = FormatterWithoutValues("%(message)s").format(record_of(error))
    assert said.startswith("It failed.\n")
    assert "builtins.KeyError" in said
    assert "builtins.ValueError" in said
    assert "test_logs.py" in said
    assert SECRET not in said


def test_only_our_own_faults_are_logged():
    assert [OnlyFaults().filter(record_of(status_code=status)) for status in (400, 404, 413, 503)] == [False] * 4
    assert OnlyFaults().filter(record_of(status_code=500))
    assert OnlyFaults().filter(record_of())


def test_what_django_says_of_callers_errors_is_filtered_whichever_logger_says_it(settings):
    assert "faults" in settings.LOGGING["handlers"]["console"]["filters"]


SWEEP = "hate_speech.tasks.queue_stalled_trainings"
# As a fault deep in a training whose message quotes a row.
FAULT = (
    "from django.db import connection; connection.cursor().execute("
    "\"CREATE TRIGGER fault BEFORE UPDATE ON api_trainingrun WHEN NEW.stage = 'fitting'\""
    " \" BEGIN SELECT RAISE(ABORT, 'a private text'); END\")"
)


@pytest.mark.embedded
def test_a_sweep_is_not_logged_and_a_training_is(service):
    service.query("from hate_speech.tasks import queue_stalled_trainings; [queue_stalled_trainings.delay() for _ in range(3)]")
    service.wait_until_idle()
    service.train()
    wait_until(lambda: "auto_first_train_model" in service.log("worker").rpartition("succeeded")[0])
    logged = [line for line in service.log("worker").splitlines() if SWEEP in line and "celery." in line]
    assert not logged


@pytest.mark.parametrize("name", ["celery.beat", "celery.worker.strategy", "celery.app.trace"])
def test_of_a_sweep_only_what_is_told_of_each_is_left_out(name, caplog):
    caplog.set_level(logging.INFO)
    logger = logging.getLogger(name)
    logger.info("Task %(name)s[%(id)s] received", {"name": SWEEP, "id": "1"})
    logger.info("Scheduler: Sending due task %s (%s)", "queue_stalled_trainings", SWEEP)
    assert not caplog.records
    logger.error("Task %s raised unexpected", SWEEP)
    logger.info("Task %s received", "hate_speech.tasks.auto_first_train_model")
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    caplog.set_level(logging.DEBUG)
    logger.info("Task %s received", SWEEP)
    assert caplog.records[-1].levelname == "DEBUG"


def test_what_a_task_raises_is_logged_without_its_message(new_service):
    service = new_service()
    service.migrate()
    service.query(FAULT)
    service.start("worker")
    failed = service.manage("exec_train", "--wait")
    assert "failed: IntegrityError" in failed.stderr
    wait_until(lambda: "TaskFailedError" in service.log("worker"))
    assert "IntegrityError at api/versions/trainings.py:" in service.log("worker")
    assert "a private text" not in service.log("worker")
