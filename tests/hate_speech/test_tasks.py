"""The training task through a real Celery worker, on the embedded broker and on Redis."""

import json
import threading
import uuid

import pytest
from celery.schedules import crontab
from django.conf import settings

from ..service import wait_until

RUNS = (
    "from api.versions.models import TrainingRun; runs = TrainingRun.objects.order_by('id');"
    "print([(r.outcome or r.stage, r.attempts, r.is_finished) for r in runs])"
)


def test_the_schedule_is_every_night_at_one():
    nightly = settings.CELERY_BEAT_SCHEDULE["auto_first_train_model"]
    assert nightly["task"] == "hate_speech.tasks.auto_first_train_model"
    assert nightly["schedule"] == crontab(hour=1, minute=0)
    assert settings.CELERY_TIMEZONE == "Europe/Warsaw"


def test_every_scheduled_task_is_registered():
    from hate_speech.celery import app

    app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks


def test_a_training_makes_a_version_that_web_follows(service):
    before = service.wait_for_version()
    after = service.train_a_new_version()
    assert after != before
    service.wait_for_version(after)


def test_two_trainings_of_the_same_rows_are_the_same_bit_for_bit(service):
    versions = [service.train_a_new_version()]
    # As a release with another format would find it: the training makes the version again.
    manifest = service.store / versions[0] / "manifest.json"
    written = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(written) | {"format": 0}))
    try:
        versions.append(service.train()["version"])
    finally:
        manifest.write_text(written)
    assert versions[0] != versions[1]
    assert "is of format 0" in service.log("worker")
    folders = [service.store / version for version in versions]
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in folders]
    assert manifests[0]["rows"] == manifests[1]["rows"]
    arrays = [{name: sha256 for name, sha256 in one["files"].items() if name.endswith(".npz")} for one in manifests]
    assert {"model.npz", "vectorizer.npz", "held_out.npz"} < {*arrays[0]}
    assert arrays[0] == arrays[1]


def test_beats_message_without_a_run_trains_too(service):
    service.wait_until_idle()
    service.review(f"a new row for the night, {uuid.uuid4()}", False)
    before = service.versions()[-1]
    service.query("from hate_speech.tasks import auto_first_train_model; auto_first_train_model.delay()")
    wait_until(lambda: service.versions()[-1] != before, 60, "the nightly training")


@pytest.fixture(params=["embedded", "redis"])
def broker(request) -> dict[str, str]:
    if request.param == "embedded":
        return {}
    shared = request.getfixturevalue("redis_environment")
    return shared | {"REDIS_KEY_PREFIX": shared["REDIS_KEY_PREFIX"] + "killed:"}  # not the queue of another test's worker


@pytest.mark.slow
def test_a_worker_killed_in_training_loses_nothing(broker, new_service, tmp_path):
    service = new_service(**broker)
    # Enough rows that the training lasts for some seconds.
    file = tmp_path / "many.csv"
    with file.open("w") as rows:
        rows.write("id,label,tweet\n")
        rows.writelines(
            f"{n},{n % 7 == 0},{'vermin' if n % 7 == 0 else 'morning'} number {n} of the street {n % 91}\n" for n in range(60_000)
        )
    service.migrate()
    assert service.manage("import_tweets", str(file), "--hate-values", "True").returncode == 0
    service.start("beat", "worker")
    assert service.manage("exec_train").returncode == 0
    wait_until(lambda: "('reading', 1" in service.query(RUNS), 30, "the training")
    service.kill("worker")
    assert service.active_version() is None

    service.start("worker")
    wait_until(lambda: "Training run 1 begins" in service.log("worker").split("ready.")[-1], 60, "the second try")
    wait_until(service.active_version, 60, "the version")
    wait_until(lambda: service.query(RUNS) == "[('promoted', 2, True)]", 10, "the outcome")
    manifest = json.loads((service.store / service.active_version() / "manifest.json").read_text())
    assert sum(manifest["rows"]["by_source"].values()) == 60_000 + 420


@pytest.mark.slow
def test_only_one_training_runs_however_many_ask(new_service):
    service = new_service()
    service.start("worker")
    asked = [threading.Thread(target=service.manage, args=("exec_train", "--wait")) for _ in range(4)]
    for one in asked:
        one.start()
    for one in asked:
        one.join()
    runs = service.query(RUNS)
    assert runs.count("promoted") == 1
    assert runs.count("promoted") + runs.count("unchanged") == runs.count("True") == service.log("worker").count("begins")
