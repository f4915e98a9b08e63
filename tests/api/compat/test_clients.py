"""The real clients, each in an environment of its own, with nothing changed but the URL: calls, batches, feedback, errors."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ...service import ROOT, Service

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).parent / "clients"
ENVIRONMENTS = ROOT / "var" / "clients"
INVALID = "invalid_request_error"
# By requirement: the program, and what it sees of a bad request, a wrong key, and more requests than the rate allows.
OPENAI = [
    ["BadRequestError", 400, INVALID, "input", "invalid_type"],
    ["AuthenticationError", 401, INVALID, None, "invalid_api_key"],
    ["RateLimitError", 429, "rate_limit_error", None, "throttled"],
]
CLIENTS = {
    "openai==1.109.1": ("openai_client.py", OPENAI),
    "openai==2.54.0": ("openai_client.py", OPENAI),
    "openai==3.54.0": ("openai_client.py", OPENAI),
    "litellm==1.110.2": ("litellm_client.py", [[name, status] for name, status, *_ in OPENAI]),
    "google-api-python-client==2.202.0": (
        "google_client.py",
        [
            ["HttpError", 400, "Comment must be non-empty."],
            ["HttpError", 400, "API key not valid. Please pass a valid API key."],
            ["HttpError", 429, "Request was throttled"],
        ],
    ),
    "peRspective==1.0.3": (
        "perspective_client.py",
        [
            ["HTTPError", 400, "INVALID_ARGUMENT"],
            ["HTTPError", 400, "INVALID_ARGUMENT"],
            ["HTTPError", 429, "RESOURCE_EXHAUSTED"],
        ],
    ),
    "openai@7.57.0": ("openai_client.mjs", OPENAI),
    "@conversationai/perspectiveapi-js-client@1.0.1": (
        "perspective_client.mjs",
        [["Error", f"Error: Error: Request failed with status code {status}"] for status in (400, 400, 429)],
    ),
}
WITH_FEEDBACK = ("google_client.py", "perspective_client.py")


@pytest.fixture(scope="module")
def closed(service, tmp_path_factory):
    """Give the shared service's web again, as on a server: without open access; one process, which counts all that come."""
    with service.beside(tmp_path_factory.mktemp("closed"), HATE_SPEECH_OPEN_ACCESS="false", WEB_CONCURRENCY="1") as web:
        web.start("web")
        yield web


def new_key(service: Service, name: str, *options: str) -> str:
    done = service.manage("api_keys", "create", name, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def command_of(requirement: str, program: str) -> list[str]:
    """Return what runs a program where this requirement alone is installed: an environment below var/, made once."""
    folder = ENVIRONMENTS / requirement.replace("/", "-")
    is_python = program.endswith(".py")
    installed = folder / "installed"
    if not is_python and not shutil.which("npm"):
        pytest.skip("npm is not installed")
    if not installed.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if is_python:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, requirement], check=True)
        else:
            (folder / "package.json").write_text("{}")
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", requirement], cwd=folder, check=True)
        installed.touch()
    if is_python:
        return [str(folder / "bin" / "python"), str(PROGRAMS / program)]
    # Node looks for packages beside the program.
    return ["node", str(shutil.copy(PROGRAMS / program, folder))]


@pytest.mark.parametrize("requirement", CLIENTS)
def test_a_client_works_with_its_url_changed(closed, requirement):
    program, errors = CLIENTS[requirement]
    command = command_of(requirement, program)
    good = new_key(closed, f"good {requirement}", "--scopes", "predict,review", "--trusted")
    slow = new_key(closed, f"slow {requirement}", "--rate", "1")
    done = subprocess.run([*command, closed.url, good, "wrong", slow], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    verdicts = closed.client.post(
        "/predict",
        json={"tweets": ["Good morning", "All women are worthless and disgusting."]},
        headers={"Authorization": f"Bearer {good}"},
    ).json()["results"]
    harmless, hateful = (verdict["probability"] for verdict in verdicts)
    assert said["hate"] == pytest.approx([harmless, hateful, hateful])
    if program in WITH_FEEDBACK:
        assert said["feedback"]["detectedLanguages"] == ["en"]
        code = (
            "from api.labels.models import Label;"
            "print(Label.objects.filter(tweet__text__startswith='A ferry of', key={!r}).get())"
        )
        assert closed.query(code.format(f"good {requirement}")) == "not hate, by review:perspective"
    for seen, expected in zip(said["errors"], errors, strict=True):
        assert seen[:2] == expected[:2]
        assert [str(part) for part in expected[2:]] == [
            str(part)[: len(str(of))] for part, of in zip(seen[2:], expected[2:], strict=True)
        ]
