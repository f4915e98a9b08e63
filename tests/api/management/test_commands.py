import csv
import json
import os
import re
import subprocess
import sys
import uuid

import pytest
from django.core.management import CommandError, call_command

from hate_speech_AI.text import fingerprint

from ...service import ROOT

LABELS = (
    "from api.labels.models import Label; current = Label.objects.filter(is_current=True).order_by('tweet_id');"
    "print(list(current.values_list('tweet__text', 'value')), Label.objects.count())"
)


@pytest.fixture
def empty(new_service):
    service = new_service()
    service.migrate()
    return service


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tweets.csv"
    path.write_text("id,label,tweet\n1,1,first\n2,0,second\n3,1,FIRST\n4,,bad\n5,1,=1+1\n", encoding="utf-8")
    return path


def test_import_tweets_ends_with_counts(empty, file):
    done = empty.manage("import_tweets", str(file))
    assert done.returncode == 1
    assert "line 5: no label" in done.stderr
    assert "1 bad row left out" in done.stderr
    assert "4 rows read, 1 bad ones passed over: 3 new labels, 0 changed, 0 unchanged, 1 repeated" in done.stdout
    assert "label '1' = hate: 3 rows" in done.stdout
    assert empty.query(LABELS) == "[('second', False), ('FIRST', True), ('=1+1', True)] 3"


@pytest.mark.parametrize("option", ["--days", "--rate"])
@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "many"])
def test_a_key_of_no_days_or_no_requests_is_refused(option, number):
    with pytest.raises(CommandError, match=f"{option}: takes a number, at least 1"):
        call_command("api_keys", "create", "nobody", option, number)


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999"])
def test_a_feed_of_no_posts_is_refused(number):
    with pytest.raises(CommandError, match="--limit: takes a number, at least 1"):
        call_command("import_feed", "https://example.org/", "--limit", number)


@pytest.mark.parametrize("time", ["yesterday", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_labels_are_not_chosen_by_what_is_no_time(time):
    with pytest.raises(CommandError, match="--since: takes a date, or a date and time"):
        call_command("labels", "set_aside", "--since", time)


def test_an_argument_that_is_no_text_is_refused_with_words(empty):
    done = empty.manage("labels", "set_aside", "--key", os.fsdecode(b"a\xff"))
    assert (done.returncode, done.stderr) == (1, "An argument is not UTF-8.\n")


@pytest.mark.embedded
def test_a_reader_that_has_enough_ends_a_command_quietly(service):
    """As `models list | head -1`: the pipe is closed before the command writes."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, str(ROOT / "manage.py"), "models", "list"]
    with os.fdopen(writer, "wb") as out:
        done = subprocess.run(command, env=service.environment, stdout=out, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.django_db
def test_import_tweets_says_how_many_texts_the_encoder_has_learned_from(file, monkeypatch, capsys):
    learned = {fingerprint("second"), fingerprint("not in the file")}
    monkeypatch.setattr("api.management.commands.import_tweets.find_learned_fingerprints", lambda: learned)
    with pytest.raises(CommandError, match="1 bad row left out"):
        call_command("import_tweets", str(file))
    assert "1 of the texts the shipped encoder has learned from" in capsys.readouterr().out


def test_importing_a_file_again_changes_nothing(empty, file):
    empty.manage("import_tweets", str(file))
    before = empty.query(LABELS)
    done = empty.manage("import_tweets", str(file))
    assert "0 new labels, 0 changed, 3 unchanged" in done.stdout
    assert empty.query(LABELS) == before


def test_an_export_imports_as_the_same_rows(empty, file, tmp_path):
    empty.manage("import_tweets", str(file))
    before = empty.query(LABELS)
    exported = tmp_path / "out.csv.gz"
    assert "3 tweets written" in empty.manage("export_tweets", str(exported)).stdout
    assert "0 new labels, 0 changed, 3 unchanged" in empty.manage("import_tweets", str(exported)).stdout
    assert empty.query(LABELS) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere/file.csv"], "cannot be read"),
        (["FILE", "--text-column", "body"], "--text-column"),
        (["FILE", "--label-column", "body"], "it has: 'id, label, tweet'"),
    ],
)
def test_what_cannot_be_imported_is_one_clear_line(empty, file, arguments, message):
    done = empty.manage("import_tweets", *[argument.replace("FILE", str(file)) for argument in arguments])
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_starter_tweets_say_what_they_are_and_are_well_formed():
    from api.labels.services import STARTER_TWEETS

    with STARTER_TWEETS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 300
    assert {row["label"] for row in rows} == {"0", "1"}
    assert len({row["tweet"] for row in rows}) == len(rows)
    assert "Content warning" in (STARTER_TWEETS.parent / "README.md").read_text()


@pytest.mark.embedded
def test_exec_train_wait_prints_the_score(service):
    service.review(f"a new row of the exec_train test, {uuid.uuid4()}", False)
    done = service.manage("exec_train", "--wait")
    assert done.returncode == 0
    assert re.search(
        r"Version \w+-\w+: score 0\.\d{3} \(F1 of the hate class on \d+ held-out tweets\), trained on \d+\.", done.stdout
    )
    assert "starter" in done.stdout


@pytest.mark.embedded
def test_without_a_change_there_is_no_new_version(service):
    service.train()
    before = sorted(service.store.iterdir())
    done = service.manage("exec_train", "--wait")
    assert "Nothing changed since version" in done.stdout
    assert sorted(service.store.iterdir()) == before


def test_exec_train_joins_the_unfinished_run(empty):
    assert "queued" in empty.manage("exec_train").stdout
    assert "joined" in empty.manage("exec_train").stdout
    messages = [json.loads(path.read_text()) for path in (empty.folder / "queue" / "messages").iterdir()]
    assert len(messages) == 1


@pytest.mark.parametrize(
    "command", ["exec_train", "import_tweets", "export_tweets", "import_dataset", "import_feed", "evaluate", "labels", "models"]
)
def test_help_helps(command):
    from django.core.management import load_command_class

    assert len(load_command_class("api", command).create_parser("manage.py", command).format_help()) > 400
