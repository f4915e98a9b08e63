"""A database that is there and cannot be used: 503 and one line, whatever is asked, and never a traceback."""

import sqlite3

import pytest
from django.db import DataError, IntegrityError, OperationalError

from hate_speech.faults import describe_database_fault, describe_place

from ..service import ROOT, Service

COMMANDS = [
    ["exec_train"],
    ["models", "list"],
    ["labels", "restore", "--source", "review"],
    ["api_keys", "list"],
    ["import_tweets", str(ROOT / "hate_speech_AI/data/train.csv")],
    ["prepare"],
]


def overwrite(path, start: int) -> None:
    content = bytearray(path.read_bytes())
    content[start:] = b"\xa5" * (len(content) - start)
    path.write_bytes(content)


def drop_tables(path) -> None:
    with sqlite3.connect(path) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'api_%'").fetchall():
            database.execute(f"DROP TABLE {name}")
        database.execute("DROP TABLE django_session")
    database.close()


DAMAGES = {
    "no database": lambda path: overwrite(path, 0),
    "damaged": lambda path: overwrite(path, 4096),
    "no tables": drop_tables,
}


@pytest.fixture(params=DAMAGES.values(), ids=DAMAGES.keys())
def damaged(request, new_service) -> Service:
    service = new_service(HATE_SPEECH_OPEN_ACCESS="true")
    service.migrate()
    request.param(service.folder / "db.sqlite3")
    return service


def test_whatever_is_asked_is_503_in_the_callers_dialect(damaged):
    damaged.start("web")
    review = {"tweet": "a text", "is_hate_speech": True}
    suggestion = {"comment": {"text": "a"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
    asked = [
        damaged.client.post("/reviewed", json=review),
        damaged.client.get("/models"),
        damaged.client.post("/train"),
        damaged.client.get("/train/1"),
        damaged.client.get("/admin/api/tweet/", headers={"cookie": f"sessionid={'a' * 32}"}),
        damaged.client.post("/v1alpha1/comments:suggestscore", json=suggestion),
    ]
    assert [answer.status_code for answer in asked] == [503] * len(asked)
    assert asked[0].json()["code"] == "database_unavailable"
    assert damaged.client.get("/readyz").json()["database"] != "ok"
    assert damaged.client.get("/healthz").status_code == 200
    assert "Traceback" not in damaged.log("web")


def test_a_command_says_it_in_one_line(damaged):
    for command in COMMANDS:
        done = damaged.manage(*command)
        if command == ["prepare"] and not done.returncode:
            continue  # it has made what was missing
        assert done.returncode == 1, command
        assert "The database cannot be used: " in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_what_may_quote_a_row_is_not_said():
    quoting = "duplicate key\nDETAIL: (text)=(a private text)"
    assert "private" not in describe_database_fault(IntegrityError(quoting))
    assert "private" not in describe_database_fault(DataError("a private text"))
    assert describe_database_fault(OperationalError("disk full\nmore")) == "The database cannot be used: disk full"
    with pytest.raises(KeyError) as raised:
        {}["a private text"]
    assert describe_place(raised.value).startswith("KeyError at tests/hate_speech/test_faults.py:")
