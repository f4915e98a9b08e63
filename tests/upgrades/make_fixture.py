"""Write down what an installation of a release looks like, for `test_upgrade.py`.

    git worktree add FOLDER v1.0.0
    python tests/upgrades/make_fixture.py FOLDER tests/upgrades/v1.0.0

The Python needs the requirements of the release. A PostgreSQL server has to answer, and `pg_dump` has to be there. The script
uses the release from outside: its commands, HTTP and admin. It writes:

    data.tar.xz      its data folder: SQLite, the versions of both engines, the secret key
    database.sql.xz  the same rows, as its schema on PostgreSQL holds them
    expected.json    what it answered, listed and counted, and its keys: they open nothing but this fixture

Two caches stay out of the archive: the embeddings, which are large, and what matplotlib knows of the fonts.
"""

import csv
import io
import json
import lzma
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

RELEASE, OUT = (Path(argument).absolute() for argument in sys.argv[1:3])
# The release's own: it starts the release's processes.
sys.path.insert(0, str(RELEASE))
from tests import environment  # noqa: E402
from tests.conftest import new_database  # noqa: E402
from tests.service import Service  # noqa: E402

CACHES = {"embeddings", "matplotlib"}
ACCOUNT = {"username": "moderator", "password": "a password of the fixture"}
KEYS = {
    "reader": ["--scopes", "predict"],
    "forum": ["--scopes", "predict,review", "--trusted", "--rate", "500"],
    "visitor": ["--scopes", "review"],
    "operator": ["--scopes", "admin"],
    "former": ["--scopes", "predict,review,admin"],
}
REVOKED = "former"
PLANTS = ["Brambles", "Clover", "Daisies", "Dandelions", "Ferns", "Ivy", "Moss", "Nettles", "Reeds", "Rushes", "Thistles"]
# Nobody has reviewed these: the model alone answers them.
OTHERS = ["Good morning", "Foreigners should leave our country", "Why was the bus late?", "🎈 What a lovely park"]
POSTS = ["The bridge is open again", "Weeds have no place in this town"]
# Of a key without trust: these still wait for a moderator.
SUGGESTIONS = ["Pigeons have no place on our roofs", "Doves have no place on our roofs"]
COUNTS = (
    "import json; from django.apps import apps;"
    " print(json.dumps({model._meta.db_table: model.objects.count() for model in apps.get_models()}))"
)


def manage(service: Service, *arguments: str) -> str:
    done = service.manage(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def post(service: Service, path: str, body: dict, key: str = "") -> dict:
    answer = service.client.post(path, json=body, headers={"X-Api-Key": key} if key else {})
    assert answer.is_success, answer.text
    return answer.json()


def review(service: Service, text: str, is_hate_speech: bool, key: str = "") -> None:
    post(service, "/reviewed", {"tweet": text, "is_hate_speech": is_hate_speech}, key)


def suggest(service: Service, text: str, comment: str, key: str, **values: int) -> None:
    """Say as Perspective's clients do what moderators think of a comment."""
    scores = {attribute: {"summaryScore": {"value": value}} for attribute, value in values.items()}
    body = {"comment": {"text": text}, "attributeScores": scores, "communityId": "Coral:https://news.example"}
    post(service, "/v1alpha1/comments:suggestscore", {**body, "clientToken": comment}, key)


def log_in(service: Service) -> None:
    service.client.get("/admin/login/")
    token = {"csrfmiddlewaretoken": service.client.cookies["csrftoken"]}
    answer = service.client.post("/admin/login/", data={**ACCOUNT, **token, "next": "/admin/"})
    assert answer.headers.get("location") == "/admin/", answer.text


def decide_all(service: Service, action: str) -> None:
    """Run an action of the admin on all suggestions that wait."""
    page = service.client.get("/admin/api/suggestion/").text
    ids = re.findall(r'name="_selected_action" value="(\d+)"', page)
    token = {"csrfmiddlewaretoken": service.client.cookies["csrftoken"]}
    answer = service.client.post("/admin/api/suggestion/", data={"action": action, "_selected_action": ids, **token})
    assert ids, page
    assert answer.status_code == 302, answer.text


def import_feed(service: Service) -> None:
    """Put posts out of a feed of our own on the list to review."""
    items = "".join(f"<item><title>{text}</title><link>https://news.example/</link></item>" for text in POSTS)
    feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(feed.encode())

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    manage(service, "import_feed", f"http://127.0.0.1:{server.server_port}/feed")
    server.shutdown()


def import_mistake(service: Service, folder: Path) -> None:
    """Import labels that contradict the reviews; the gate refuses the version that learned them. Then set them aside."""
    with (folder / "mistake.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "label", "tweet"])
        rows.writerows((n, 1, f"{plant} grow beside the path in spring, {n} of them") for plant in PLANTS for n in range(2, 27))
    manage(service, "import_tweets", str(folder / "mistake.csv"))
    assert "The gate refused it" in (said := manage(service, "exec_train", "--wait")), said
    manage(service, "labels", "set_aside", "--source", "import:mistake.csv")


def fill(service: Service, folder: Path) -> dict[str, str]:
    """Live through some days of an installation, and return its keys by name."""
    manage(service, "exec_train", "--wait")
    service.environment |= {f"DJANGO_SUPERUSER_{name.upper()}": value for name, value in ACCOUNT.items()}
    manage(service, "createsuperuser", "--noinput", "--email", "moderator@news.example")
    keys = {name: manage(service, "api_keys", "create", name, *options).strip() for name, options in KEYS.items()}
    manage(service, "api_keys", "revoke", REVOKED)
    for plant in PLANTS:
        review(service, f"{plant} grow beside the path in spring", False)
    import_mistake(service, folder)
    for plant in PLANTS:
        review(service, f"{plant} are a nuisance and should leave our lawns", True, keys["forum"])
    # What was said last counts.
    review(service, "Moss is welcome on our roof", True)
    review(service, "Moss is welcome on our roof", False)
    give_feedback(service, keys)
    import_feed(service)
    learned = service.train_a_new_version()
    manage(service, "models", "activate", service.versions()[0])
    manage(service, "models", "rollback")
    assert service.active_version() == learned
    service.wait_for_version(learned)
    return keys


def give_feedback(service: Service, keys: dict[str, str]) -> None:
    """Let clients' moderators comment, and let this service's moderator decide what the untrusted key suggests."""
    forum, visitor = keys["forum"], keys["visitor"]
    suggest(service, "The gulls should all be sent away", "comment:1", forum, IDENTITY_ATTACK=1)
    suggest(service, "What a silly gull", "comment:2", forum, TOXICITY=1)
    suggest(service, "What a clever gull", "comment:3", forum, TOXICITY=0)
    suggest(service, "This comment was edited afterwards", "comment:4", forum, IDENTITY_ATTACK=1)
    suggest(service, "This comment is the edited one", "comment:4", forum, IDENTITY_ATTACK=0)
    log_in(service)
    review(service, "Crows have no place on our roofs", True, visitor)
    decide_all(service, "accept")
    review(service, "Sparrows have no place on our roofs", True, visitor)
    decide_all(service, "turn_down")
    review(service, SUGGESTIONS[0], True, visitor)
    suggest(service, SUGGESTIONS[1], "comment:5", visitor, TOXICITY=1)


def exported(service: Service, folder: Path) -> list[list[str]]:
    manage(service, "export_tweets", str(folder / "export.csv"))
    with (folder / "export.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def observe(service: Service, texts: list[str]) -> dict:
    """Return the engine's versions and what its active one answers."""
    answers = post(service, "/predict", {"tweets": texts})["results"]
    return {
        "active": service.active_version(),
        "versions": service.versions(),
        "answers": [{"text": text, **answer} for text, answer in zip(texts, answers, strict=True)],
    }


def counts(service: Service) -> dict[str, int]:
    """Return the number of rows by table."""
    return json.loads(service.query(COUNTS))


def run_release(folder: Path) -> dict:
    """Run the release in `folder`, and return what is expected of those after it."""
    data = {"HATE_SPEECH_DATA_DIR": str(folder / "data")}
    with Service(folder, {**data, "HATE_SPEECH_ENGINE": "encoder", "FEEDS_FROM_PRIVATE_ADDRESSES": "true"}) as service:
        service.start("web", "worker")
        keys = fill(service, folder)
        export = exported(service, folder)
        texts = [*(text for *_, text in export), "What a silly gull", *OTHERS]
        engines = {"encoder": observe(service, texts)}
    with Service(folder, {**data, "HATE_SPEECH_ENGINE": "linear"}) as service:
        service.start("web", "worker")
        manage(service, "exec_train", "--wait")
        service.wait_for_version()
        engines["linear"] = observe(service, texts)
        rows = counts(service)
        return {
            "account": ACCOUNT,
            "keys": {
                name: {"key": key, "scopes": KEYS[name][1].split(","), "revoked": name == REVOKED} for name, key in keys.items()
            },
            "posts": POSTS,
            "suggestions": SUGGESTIONS,
            "engines": engines,
            "models": service.client.get("/models").json()["results"],
            "history": service.client.get("/score/history").json()["results"],
            "runs": [service.client.get(f"/train/{at}").json() for at in range(1, 1 + rows["api_trainingrun"])],
            "counts": rows,
            # Without the starter tweets, whose texts belong in their own file.
            "export": export,
            "exported": len(exported(service, folder)),
        }


def dump_postgres(folder: Path) -> bytes:
    """Return the rows of the release's SQLite database as a script for PostgreSQL, which `psycopg` can run too."""
    data = {"HATE_SPEECH_DATA_DIR": str(folder / "data")}
    with Service(folder, data) as service:
        made_by_migrate = ["--exclude", "contenttypes", "--exclude", "auth.permission"]
        # XML keeps the microseconds, which JSON cuts off.
        manage(service, "dumpdata", *made_by_migrate, "--format", "xml", "--output", str(folder / "rows.xml"))
    with new_database() as url, Service(folder, {**data, "DATABASE_URL": url}) as service:
        service.migrate()
        manage(service, "loaddata", str(folder / "rows.xml"))
        command = ["pg_dump", "--inserts", "--rows-per-insert=500", "--no-owner", "--no-privileges", "--dbname"]
        script = subprocess.run([*command, url.replace("postgres://", "postgresql://")], capture_output=True, check=True).stdout
    # A line with a backslash is for psql.
    return b"".join(line for line in script.splitlines(keepends=True) if not line.startswith(b"\\"))


def pack(data: Path) -> bytes:
    """Return a data folder as an archive without its caches, its database in one file."""
    database = sqlite3.connect(data / "db.sqlite3")
    database.execute("PRAGMA journal_mode=DELETE")
    database.execute("VACUUM")
    database.close()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz", preset=9 | lzma.PRESET_EXTREME) as archive:
        for path in sorted(data.rglob("*")):
            inside = path.relative_to(data)
            if path.is_file() and not CACHES.intersection(inside.parts) and inside.parts[0] != "queue":
                member = archive.gettarinfo(path, inside.as_posix())
                member.uid, member.gid, member.uname, member.gname = 0, 0, "", ""
                with path.open("rb") as file:
                    archive.addfile(member, file)
    return packed.getvalue()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = run_release(folder)
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (OUT / "database.sql.xz").write_bytes(lzma.compress(dump_postgres(folder), preset=9))
        (OUT / "data.tar.xz").write_bytes(pack(folder / "data"))


if __name__ == "__main__":
    try:
        main()
    finally:
        environment.pytest_unconfigure()
