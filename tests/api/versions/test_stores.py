"""Which model store a database belongs to, and who writes about it when."""

import shutil
import subprocess
import threading

import pytest

from api.versions.models import ModelVersion
from api.versions.services import activate_version, adopt_store, prune_versions, record_versions
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.errors import ForeignStoreError
from hate_speech_AI.store import ModelStore

from ...conftest import new_database
from ...service import ROOT
from .test_versions import copy_version


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def database(request, tmp_path):
    """Give the URL of a database that is nobody else's."""
    if request.param == "SQLite":
        yield f"sqlite:///{tmp_path / 'db.sqlite3'}"
    else:
        with new_database() as url:
            yield url


@pytest.mark.django_db(transaction=True)
class TestRows:
    def test_a_version_that_is_back_is_stored_again(self, store):
        name = copy_version(store, 1)
        record_versions()
        (store.root / name).rename(store.root.parent / name)
        record_versions()
        assert ModelVersion.objects.get(name=name).pruned_at
        (store.root.parent / name).rename(store.root / name)
        record_versions()
        assert not ModelVersion.objects.get(name=name).pruned_at

    def test_a_store_that_is_not_there_marks_nothing(self, store):
        record_versions()
        away = store.root.rename(store.root.parent / "away")
        record_versions()
        with pytest.raises(ForeignStoreError):
            prune_versions()
        store.root.mkdir()  # the place where a share belongs
        for write in (record_versions, prune_versions):
            with pytest.raises(ForeignStoreError, match="models adopt"):
                write()
        assert not ModelVersion.objects.exclude(pruned_at=None)
        store.root.rmdir()
        away.rename(store.root)
        record_versions()

    def test_a_store_that_is_adopted_is_written_about(self, store):
        record_versions()
        (store.root / "identity").write_text("another")
        with pytest.raises(ForeignStoreError):
            activate_version(name=store.active())
        adopt_store()
        activate_version(name=store.active())


AT_ONCE = """
import threading
from django.db import connection
from api.versions import services
from api.versions.models import Activation
barrier = threading.Barrier(8)
def write():
    barrier.wait()
    services.{change}
    connection.close()
writers = [threading.Thread(target=write) for _ in range(8)]
[writer.start() for writer in writers]
[writer.join() for writer in writers]
print([*Activation.objects.order_by("id").values_list("by", flat=True)])
"""


def test_a_change_that_many_write_at_once_is_written_once(new_service, database, trained_store):
    service = new_service(DATABASE_URL=database)
    shutil.copytree(trained_store.root, service.store)
    service.migrate()
    assert service.query(AT_ONCE.format(change="record_versions()")) == "['gate']"
    older = copy_version(ModelStore(service.store, LinearEngine), 1)
    assert service.query(AT_ONCE.format(change=f"activate_version(name={older!r})")) == "['gate', 'hand']"


def test_two_machines_on_one_database_are_one_too_many(new_service, database, trained_store):
    first = new_service(DATABASE_URL=database)
    first.start("web", "worker")
    assert first.manage("exec_train", "--wait").returncode == 0
    versions = [entry["version"] for entry in first.client.get("/models").json()["results"]]

    # One process: if two refuse at the same moment, gunicorn adds a traceback of its own.
    second = new_service(DATABASE_URL=database, WEB_CONCURRENCY="1")
    second._is_migrated = True
    commands = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    for command in (["prepare"], ["exec_train"], ["models", "prune"]):
        refused = second.manage(*command)
        assert refused.returncode == 1, command
        assert "models adopt" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    for name in ("web", "worker"):
        log = (second.folder / f"{name}.log").open("wb")
        with log, subprocess.Popen(commands[name].split(), cwd=ROOT, env=second.environment, stdout=log, stderr=log) as started:
            assert started.wait(60) != 0
        assert "models adopt" in second.log(name)
        assert "Traceback" not in second.log(name)
    shown = first.client.get("/models").json()["results"]
    assert [entry["version"] for entry in shown if not entry["pruned"]] == versions

    # The first is lost.
    first.stop()
    assert second.manage("models", "adopt").returncode == 0
    assert second.manage("prepare").returncode == 0
    assert first.manage("prepare").returncode == 1


def test_processes_that_start_at_once_migrate_once(new_service, database):
    services_ = [new_service(DATABASE_URL=database)] * 4
    done = []
    starts = [threading.Thread(target=lambda one=one: done.append(one.manage("prepare"))) for one in services_]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 4
    assert new_service(DATABASE_URL=database).manage("migrate", "--check").returncode == 0
