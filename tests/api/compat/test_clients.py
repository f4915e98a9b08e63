"""The real clients, each in an environment of its own, with nothing changed but the URL."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ...service import ROOT

pytestmark = pytest.mark.slow

OPENAI = """
import json, sys
import openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="any")
results = client.moderations.create(input=["Good morning", "All women are worthless and disgusting."]).results
said = {"hate": [r.category_scores.hate for r in results], "flagged": [r.flagged for r in results]}
try:
    client.moderations.create(input=[])
except openai.BadRequestError as error:
    said["error"] = [error.status_code, error.param, error.type]
print(json.dumps(said))
"""
GOOGLE = """
import json, sys
from googleapiclient import discovery, errors

client = discovery.build(
    "commentanalyzer", "v1alpha1", developerKey="any", static_discovery=False,
    discoveryServiceUrl=sys.argv[1] + "/$discovery/rest?version=v1alpha1",
)
said = {"hate": []}
for text in ("Good morning", "All women are worthless and disgusting."):
    body = {"comment": {"text": text}, "requestedAttributes": {"IDENTITY_ATTACK": {}}}
    said["hate"].append(client.comments().analyze(body=body).execute()["attributeScores"]["IDENTITY_ATTACK"]["summaryScore"]["value"])
try:
    client.comments().analyze(body={"comment": {"text": ""}}).execute()
except errors.HttpError as error:
    said["error"] = [error.resp.status, error.reason]
print(json.dumps(said))
"""


def run_client(requirement: str, program: str, url: str) -> dict:
    """Return what a program prints that runs in an environment of this requirement alone; made once, below var/."""
    python = ROOT / "var" / "clients" / requirement.replace("==", "-") / "bin" / "python"
    installed = python.parent.parent / "installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement], check=True)
        Path(installed).touch()
    done = subprocess.run([str(python), "-c", program, url], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("requirement", ["openai==1.109.1", "openai==2.54.0", "openai==3.54.0"])
def test_openai(service, requirement):
    said = run_client(requirement, OPENAI, service.url)
    assert len(said["hate"]) == len(said["flagged"]) == 2
    assert said["error"] == [400, "input", "invalid_request_error"]


def test_google_api_python_client(service):
    said = run_client("google-api-python-client==2.202.0", GOOGLE, service.url)
    assert len(said["hate"]) == 2
    assert said["error"] == [400, "Comment must be non-empty."]
