"""The README holds what it promises."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# Read by gunicorn's configuration, the Makefile and dev.yml rather than by Django's settings.
OF_THE_SERVER = {"PORT", "LISTEN_ADDRESS", "WEB_CONCURRENCY"}
BLOCKS = re.findall(r"```(sh|json)\n(.+?)```", README, re.DOTALL)
EXAMPLES = [
    (command.strip(), BLOCKS[at + 1][1] if at + 1 < len(BLOCKS) and BLOCKS[at + 1][0] == "json" else None)
    for at, (kind, command) in enumerate(BLOCKS)
    if kind == "sh" and command.startswith("curl")
]


@pytest.mark.parametrize(("command", "answer"), EXAMPLES, ids=[re.search(r"http\S+", command)[0] for command, _ in EXAMPLES])
def test_the_examples_work_as_shown(encoder_service, command, answer):
    service = encoder_service
    command = command.replace("http://127.0.0.1:8000", service.url)
    # What stands for the reader's own version and training.
    command = command.replace("20260102T000031Z-5c0ffee5", service.active_version()).replace("/train/7", "/train/1")
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert not {"errors", "detail"} & set(found) or "correctly" in done.stdout
    if answer:
        assert list(found) == list(json.loads(answer))


def test_the_library_works_without_django():
    [line] = [command for kind, command in BLOCKS if kind == "sh" and "EncoderEngine" in command]
    command = shlex.split(line.replace("var/venv/bin/python", sys.executable))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout.strip("[]\n")) < 1


def test_there_are_examples_of_every_operation():
    for path in ("/predict", "/reviewed", "/score", "/score/history", "/models", "/activate", "/train", "/train/7", "/readyz"):
        assert any(path in command for command, _ in EXAMPLES), path


def test_the_settings_table_is_complete():
    from hate_speech.settings import env

    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", README, re.MULTILINE)) == set(env.scheme) | OF_THE_SERVER


def test_the_servers_own_variables_are_read_where_the_readme_says():
    read = (ROOT / "docker/gunicorn.conf.py").read_text()
    assert set(re.findall(r"""["']([A-Z_]+)["']""", read)) >= OF_THE_SERVER


def test_the_commands_it_names_exist():
    from django.core.management import get_commands

    for command in re.findall(r"manage\.py (\w+)", README):
        assert command in get_commands()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"make ([a-z-]+)\b", README):
        assert target in targets, target
