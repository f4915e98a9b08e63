"""README.md and docs/ hold what they promise: every example runs as shown."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from .documents import PAGES, ROOT, blocks, links, name_of, tokens
from .service import Service

URL = "http://127.0.0.1:8000"
# The shell blocks marked `bash` are not run: they start services, ask a person, fetch from elsewhere or name the reader's files.
NOT_RUN = re.compile(
    r"make |([A-Z_]+=\S+ )+(make run|docker compose up)|docker compose (up|exec worker |run --rm worker |cp )|git pull|sqlite3 "
    r"|var/venv/bin/python manage\.py (createsuperuser|import_dataset|import_feed https://SERVER|import_tweets FILE)"
)
TEXTS = {name_of(page): page.read_text("utf-8") for page in PAGES}
EXAMPLES = {page: blocks(text) for page, text in TEXTS.items()}
# Pages whose examples need a training.
TRAINING = ("docs/data.md", "docs/versions.md")
WITH_EXAMPLES = [
    pytest.param(page, marks=[pytest.mark.slow] if page in TRAINING else [])
    for page, found in EXAMPLES.items()
    if any(block.language == "sh" for block in found)
]
ALL = "\n".join(TEXTS.values())


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """Give a running service of the pages' own, on files, with the default engine; other tests count their rows."""
    with Service(tmp_path_factory.mktemp("docs"), {"HATE_SPEECH_ENGINE": "encoder"}) as running:
        running.start("web", "worker")
        assert running.manage("exec_train", "--wait").returncode == 0
        running.wait_for_version()
        yield running


@pytest.fixture
def checkout(tmp_path):
    """Give a folder where the commands of the pages work and write nothing into this checkout."""
    python = tmp_path / "var/venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for name in ("manage.py", "hate_speech_AI"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def run_in_order(commands: list[str], folder: Path, environment: dict[str, str]) -> list[str]:
    """Run commands in one shell, as a reader pastes them; return what each printed."""
    out = folder / "printed"
    out.mkdir()
    script = "set -o errexit -o nounset -o pipefail\n" + "".join(
        f"{{\n{command}\n}} >{out}/{at} 2>{out}/{at}.err\n" for at, command in enumerate(commands)
    )
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    printed = [(out / str(at)).read_text("utf-8") for at in range(len(commands)) if (out / str(at)).exists()]
    if done.returncode:
        at = len(printed) - 1
        errors = (out / f"{at}.err").read_text("utf-8") if printed else done.stderr
        pytest.fail(f"This ended with {done.returncode}:\n{commands[at]}\n{errors}{''.join(printed[-1:])}")
    return printed


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_examples_work_as_shown_and_in_order(documented, checkout, page):
    if page == "docs/versions.md":  # it goes back to the version before
        documented.train_a_new_version()
    found = EXAMPLES[page]
    at_of = [at for at, block in enumerate(found) if block.language == "sh"]
    commands = [found[at].text.replace(URL, documented.url) for at in at_of]
    printed = run_in_order(commands, checkout, documented.environment)
    for at, command, text in zip(at_of, commands, printed, strict=True):
        answer = json.loads(text) if text.startswith("{") else {}
        shown = found[at + 1] if at + 1 < len(found) else None
        if shown and shown.language == "json":
            assert list(answer) == list(json.loads(shown.text)), f"{command}\n{text}"
        else:
            assert not any(answer.get(name) for name in ("error", "errors", "detail")), f"{command}\n{text}"


def test_the_library_works_without_django(checkout):
    [line] = [block.text for block in EXAMPLES["docs/develop.md"] if "EncoderEngine" in block.text]
    [printed] = run_in_order([line], checkout, {"PATH": os.environ["PATH"]})
    assert 0 < float(printed.strip("[]\n")) < 1


def test_there_are_examples_of_every_operation():
    run = "".join(block.text for found in EXAMPLES.values() for block in found if block.language == "sh")
    for path in (
        *("/predict", "/reviewed", "/reviewed/influence", "/reviewed/withdraw"),
        *("/score", "/score/history", "/models", "/models/$version", "/models/$version/activate"),
        *("/models/$version/report", "/train", "/train/$run", "/healthz", "/readyz", "/v1/moderations"),
        *("comments:analyze", "comments:suggestscore"),
    ):
        assert re.search(re.escape(path) + r"[\s\"?')]", run), path


def test_what_is_not_run_is_of_a_known_kind():
    for page, found in EXAMPLES.items():
        for block in found:
            assert block.language in ("sh", "bash", "json", "nginx", "text"), f"{page}:{block.line}"
            for line in block.text.splitlines() if block.language == "bash" else ():
                assert NOT_RUN.match(line), f"{page}:{block.line}: {line}"


def test_commands_can_be_pasted():
    for page, found in EXAMPLES.items():
        for block in found:
            for before in re.findall(r"(.*)manage\.py", block.text):
                assert before.endswith(("var/venv/bin/python ", "worker python ")), f"{page}:{block.line}"


def test_the_settings_table_is_complete():
    from hate_speech.environment import DEFAULTS, ENV_FILE

    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", TEXTS["docs/settings.md"], re.MULTILINE)) == {*DEFAULTS, ENV_FILE}


def test_settings_are_read_in_one_place():
    for path in (*ROOT.glob("docker/*.py"), *ROOT.glob("hate_speech/*.py"), *ROOT.glob("api/**/*.py"), ROOT / "manage.py"):
        if path.name not in ("environment.py", "install.py"):
            assert not re.search(r"environ(\.get\(|\[)\W*(HATE_SPEECH|[A-Z]+_(URL|KEY|HOSTS))", path.read_text("utf-8")), path


def test_the_commands_and_targets_it_names_exist():
    from django.core.management import get_commands

    named = set(re.findall(r"manage\.py (\w+)", ALL))
    assert named <= set(get_commands())
    assert named >= {command for command, app in get_commands().items() if app == "api"}
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"make ([a-z-]+)\b", "\n".join(re.findall(r"`make [^`]+`|^make .+", ALL, re.MULTILINE))):
        assert target in targets, target


def anchors(text: str) -> set[str]:
    """Return the anchors that code hosts and MkDocs give to a page's headings."""
    found = tokens(text)
    headings = [after.content for before, after in pairwise(found) if before.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    for link in links(TEXTS[page]):
        if link.startswith("http"):
            assert link.startswith(URL), link
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target.read_text("utf-8")), link


def test_every_page_of_the_docs_is_in_the_sites_menu():
    menu = (ROOT / "mkdocs.yml").read_text()
    for page in TEXTS:
        if page.startswith("docs/"):
            assert f": {Path(page).name}\n" in menu, page
