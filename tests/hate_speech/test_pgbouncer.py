"""The service behind PgBouncer, which gives each transaction another connection to PostgreSQL."""

import csv
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.labels import selectors
from api.labels.services import add_review

from ..conftest import new_database
from ..service import free_port, wait_until

_CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
# Nothing of a transaction is there in the next one, as on a busy pooler where it gets another connection.
server_reset_query = DISCARD ALL
server_reset_query_always = 1
logfile = {folder}/log
"""


@pytest.fixture
def postgres():
    """Give the URL of a PostgreSQL database that is nobody else's: it belongs to one data folder."""
    with new_database() as url:
        yield url


@pytest.fixture
def pooled(postgres):
    """Give the URL of a database behind a PgBouncer of the test's own."""
    binary = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not binary:
        pytest.skip("no PgBouncer on this machine (apt-get install pgbouncer)")
    url, listen, folder = urlsplit(postgres), free_port(), Path(tempfile.mkdtemp())
    password = f"password='{url.password}'" if url.password else ""
    (folder / "configuration").write_text(
        _CONFIGURATION.format(
            host=url.hostname, port=url.port or 5432, user=url.username, password=password, listen=listen, folder=folder
        )
    )
    command = [binary, "--quiet", folder / "configuration"]
    if os.getuid() == 0:  # it refuses to run so
        command[1:1] = ["--user", "nobody"]
        for path in (folder, folder / "configuration"):
            shutil.chown(path, "nobody")
    process = subprocess.Popen(command)
    wait_until(lambda: (folder / "log").exists() and "process up" in (folder / "log").read_text(), 10, "PgBouncer")
    yield f"postgres://{url.username}@127.0.0.1:{listen}{url.path}"
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


def test_tweets_are_reviewed_exported_and_trained_on_behind_a_pooler(pooled, new_service, tmp_path):
    service = new_service(DATABASE_URL=pooled)
    service.start("web")
    texts = {f"a walk along the river behind a pooler, number {number}" for number in range(30)}
    for text in texts:
        service.review(text, False)
    exported = service.manage("export_tweets", str(tmp_path / "tweets.csv"))
    assert exported.returncode == 0, exported.stderr
    with (tmp_path / "tweets.csv").open(newline="") as file:
        assert texts <= {row["tweet"] for row in csv.DictReader(file)}
    trained = service.manage("exec_train")
    assert trained.returncode == 0, trained.stderr


@pytest.mark.django_db
def test_an_export_reads_page_by_page(monkeypatch, django_assert_num_queries):
    for number in range(5):
        add_review(text=f"text {number}", is_hate_speech=number % 2 == 0)
    monkeypatch.setattr(selectors, "_PAGE", 2)
    with django_assert_num_queries(2 * 3 + 1):
        rows = list(selectors.stream_labelled_tweets())
    assert [text for _, _, text in rows] == [f"text {number}" for number in range(5)]
