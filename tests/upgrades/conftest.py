"""The installations of older releases that the tests beside this file run."""

import json
import lzma
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ..conftest import new_database
from ..service import ROOT, Service
from .installation import Trained, Upgraded, header, logged_in, look, manage, name_another_encoder, predict, unpack

RELEASES = sorted(path for path in Path(__file__).parent.glob("v*") if path.is_dir())
ENCODER = json.loads((ROOT / "hate_speech_AI" / "pretrained" / "manifest.json").read_text())["files"]["encoder.onnx"]
NEW_REVIEW = "Sorrel should be sent away from our lawns"


@pytest.fixture(scope="module", params=RELEASES, ids=lambda path: path.name)
def release(request) -> Path:
    """Give the folder of each older release in turn."""
    return request.param


@pytest.fixture(
    scope="module",
    params=[
        "encoder",
        "linear",
        pytest.param("encoder on PostgreSQL", marks=pytest.mark.slow),
        pytest.param("another encoder", marks=pytest.mark.slow),
    ],
)
def installation(request) -> str:
    """Give each kind of installation in turn."""
    return request.param


@pytest.fixture(scope="module")
def database(release, installation) -> Iterator[dict[str, str]]:
    """Give the environment of the older release's database."""
    if not installation.endswith("PostgreSQL"):
        yield {}
        return
    with new_database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(lzma.decompress((release / "database.sql.xz").read_bytes()).decode())
        yield {"DATABASE_URL": url}


@pytest.fixture(scope="module")
def upgraded(release, installation, database, tmp_path_factory) -> Iterator[Upgraded]:
    """Give the older release's installation, started by this one."""
    expected = json.loads((release / "expected.json").read_text("utf-8"))
    engine = "linear" if installation == "linear" else "encoder"
    folder = tmp_path_factory.mktemp("upgraded")
    data = folder / "data"
    unpack(release / "data.tar.xz", data)
    if database:
        (data / "db.sqlite3").unlink()
    closed = {"HATE_SPEECH_DATA_DIR": str(data), "HATE_SPEECH_OPEN_ACCESS": "false", "RATE_LIMIT": "0"}
    with Service(folder, {**closed, **database, "HATE_SPEECH_ENGINE": engine}) as service:
        if installation == "another encoder":
            name_another_encoder(service.store)
        manifest = json.loads((service.store / expected["engines"][engine]["active"] / "manifest.json").read_text())
        is_foreign = manifest["parameters"].get("encoder", ENCODER) != ENCODER
        service.client.headers.update(header(expected, "reader"))
        service.start("web", "worker")
        found = look(service, expected)
        if is_foreign:
            # As `make run` and Docker do at each start: without it there is nothing to serve.
            manage(service, "exec_train", "--wait")
        service.wait_for_version()
        answers = predict(service, [answer["text"] for answer in expected["engines"][engine]["answers"]])
        yield Upgraded(service, expected, engine, is_foreign, found, answers)


@pytest.fixture(scope="module")
def trained(upgraded) -> Trained:
    """Train after a new review and a moderator's decision on the posts that waited."""
    service, review = upgraded.service, {"tweet": NEW_REVIEW, "is_hate_speech": True}
    service.client.post("/reviewed", json=review, headers=upgraded.header("forum")).raise_for_status()
    with logged_in(upgraded) as admin:
        ids = re.findall(r'name="_selected_action" value="(\d+)"', admin.get("/admin/api/post/").text)
        said = {"action": "not_hateful", "_selected_action": ids, "csrfmiddlewaretoken": admin.cookies["csrftoken"]}
        assert admin.post("/admin/api/post/", data=said).status_code == 302
    before = service.versions()
    manage(service, "exec_train", "--wait")
    (version,) = set(service.versions()) - set(before)
    if service.active_version() != version:
        manage(service, "models", "activate", version)
    service.wait_for_version(version)
    return Trained(
        version,
        service.client.get("/models").json()["results"],
        predict(service, upgraded.texts),
        predict(service, [NEW_REVIEW, *upgraded.expected["posts"]]),
    )
