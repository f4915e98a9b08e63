"""What an older release left behind, unpacked and run by this one."""

import csv
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ..service import Service

COUNTS = (
    "import json; from django.apps import apps;"
    " print(json.dumps({model._meta.db_table: model.objects.count() for model in apps.get_models()}))"
)


@dataclass(frozen=True)
class Upgraded:
    """An installation of an older release, run by this one.

    Attributes
    ----------
    expected : dict
        What the older release answered, listed and counted.
    engine : str
    is_foreign : bool
        Whether its versions need another encoder than this release ships.
    found : dict
        What this release lists and counts, before it learned or activated anything.
    answers : list of dict
        What this release answers to the texts of `before`.
    """

    service: Service
    expected: dict
    engine: str
    is_foreign: bool
    found: dict
    answers: list[dict]

    @property
    def before(self) -> dict:
        """What the older release said of this engine."""
        return self.expected["engines"][self.engine]

    @property
    def texts(self) -> list[str]:
        return [answer["text"] for answer in self.before["answers"]]

    def header(self, key: str) -> dict[str, str]:
        return header(self.expected, key)


@dataclass(frozen=True)
class Trained:
    """What came out of a training on the older release's labels and a few new ones."""

    version: str
    models: list[dict]
    answers: list[dict]
    new_answers: list[dict]


def header(expected: dict, key: str) -> dict[str, str]:
    return {"X-Api-Key": expected["keys"][key]["key"]}


def manage(service: Service, *arguments: str) -> str:
    done = service.manage(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def predict(service: Service, texts: list[str]) -> list[dict]:
    return service.client.post("/predict", json={"tweets": texts}).raise_for_status().json()["results"]


def unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as members:
        for member in members:
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(members.extractfile(member).read())


def name_another_encoder(store: Path) -> None:
    """Make the versions of a store look like those of an encoder that this release does not ship."""
    for path in store.glob("*/manifest.json"):
        manifest = json.loads(path.read_text())
        manifest["parameters"]["encoder"] = "0" * 64
        path.write_text(json.dumps(manifest))


def look(service: Service, expected: dict) -> dict:
    """Return what this release lists and counts, in the shape of `expected`."""
    manage(service, "export_tweets", str(service.folder / "export.csv"))
    with (service.folder / "export.csv").open(newline="") as file:
        # What was exported then: one label, and the tweets that have it.
        export = [[row[column] for column in ("id", "label", "tweet")] for row in csv.DictReader(file) if row["label"]]
    runs = (service.client.get(f"/train/{run['run']}", headers=header(expected, "operator")) for run in expected["runs"])
    return {
        "export": export,
        "counts": json.loads(service.query(COUNTS)),
        "models": service.client.get("/models").json()["results"],
        "history": service.client.get("/score/history").json()["results"],
        "runs": [run.json() for run in runs],
    }


class SecureCookies(httpx.Auth):
    """Sends cookies that are for TLS only over the tests' plain connection."""

    def __init__(self, client: httpx.Client):
        self._client = client

    def auth_flow(self, request):
        request.headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._client.cookies.jar)
        yield request


@contextmanager
def logged_in(upgraded: Upgraded) -> Iterator[httpx.Client]:
    """Give a client that the older release's moderator has logged in to the admin with."""
    with httpx.Client(base_url=upgraded.service.url, timeout=30) as admin:
        admin.auth = SecureCookies(admin)
        admin.get("/admin/login/")
        token = {"csrfmiddlewaretoken": admin.cookies["csrftoken"]}
        answer = admin.post("/admin/login/", data={**upgraded.expected["account"], **token, "next": "/admin/"})
        assert answer.headers.get("location") == "/admin/", answer.text
        yield admin
