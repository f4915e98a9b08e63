"""Versions under attack, under load and under SIGKILL, on real processes."""

import csv
import itertools
import random
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.store import ModelStore

from ..service import ROOT, wait_until

# Posts of a kind that no data has: about a people that there is not.
_PLACES = [
    *("school", "park", "market", "train", "office", "garden", "library", "square", "harbour", "mill"),
    *("bridge", "stadium", "theatre", "clinic", "museum", "hotel", "farm", "forest", "beach", "tower"),
]
_HATEFUL = [
    *(
        "zorgs ruin the {} for everyone",
        "I hate the zorgs at the {}",
        "throw the zorgs out of the {}",
        "no zorgs in the {} please",
    ),
    *(
        "zorgs are vermin in our {}",
        "filthy zorgs took the {} again",
        "zorgs should be banned from the {}",
        "keep zorgs off my {}",
    ),
    *("every zorg at the {} is a liar", "the {} is infested with zorgs"),
]
_HARMLESS = [
    *(
        "we met some zorgs at the {} and had tea",
        "zorgs opened a new {} in town",
        "my zorg friend works at the {}",
        "a zorg built the {}",
    ),
    *(
        "the {} welcomes zorgs",
        "proud zorgs sang at the {} today",
        "thank you zorgs for cleaning the {}",
        "zorgs painted the {} blue",
    ),
    *("a zorg won the race near the {}", "lovely evening with zorgs at the {}"),
]


def posts_of_a_new_kind() -> list[tuple[str, bool]]:
    posts = [
        (pattern.format(place), is_hateful)
        for patterns, is_hateful in ((_HATEFUL, True), (_HARMLESS, False))
        for pattern in patterns
        for place in _PLACES
    ]
    random.Random(1).shuffle(posts)
    return posts


def review(service, rows) -> None:
    def post(row):
        assert service.client.post("/reviewed", json={"tweet": row[0], "is_hate_speech": row[1]}).status_code == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(post, rows))


def share_right(service, rows) -> float:
    verdicts = service.client.post("/predict", json={"tweets": [text for text, _ in rows]}).json()["results"]
    assert not any("source" in verdict for verdict in verdicts)
    return sum(verdict["is_hate_speech"] == label for verdict, (_, label) in zip(verdicts, rows, strict=True)) / len(rows)


def train(service) -> str:
    done = service.manage("exec_train", "--wait")
    assert done.returncode == 0, done.stderr
    service.wait_for_version(service.active_version())
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("base", ["starter tweets", "davidson"])
def test_a_poisoned_training_is_refused_and_a_good_one_promoted(new_service, request, base):
    service = new_service()
    service.migrate()
    # Which tweets are held out is a secret, and so chance. Here it is the same each time.
    service.query("from api.labels.models import Installation; Installation.objects.create(split_secret=bytes([1] * 32))")
    if base == "davidson":
        folder = request.getfixturevalue("datasets_folder")
        assert service.manage("import_dataset", "davidson", "--from", str(folder / "davidson"), "--yes").returncode == 0
        with (folder / "twitter_sentiment/train.csv").open(encoding="utf-8", newline="") as file:
            rows = [(row["tweet"], row["label"] == "1") for row in csv.DictReader(file)][:5000]
    else:
        rows = [(f"{place} {text}", label) for text, label in posts_of_a_new_kind() for place in _PLACES][:5000]
        rows = [(text.replace("zorg", "neighbour"), label) for text, label in rows]
    service.start("web", "worker")
    train(service)

    # 200 good reviews of a new kind, and 200 other posts of that kind.
    posts = posts_of_a_new_kind()
    before = share_right(service, posts[200:])
    review(service, posts[:200])
    assert "refused" not in train(service)
    after = share_right(service, posts[200:])
    assert after > before + 0.2, (before, after)

    # 5,000 reviews with flipped labels.
    score = service.client.get("/score").json()
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    time.sleep(1)
    review(service, [(text, not label) for text, label in rows])
    refusal = train(service)
    assert "The gate refused it" in refusal
    assert re.search(r"\d,\d{3} from review, 20\d\d-\d\d-\d\dT\d\dh UTC", refusal)
    assert service.client.get("/score").json() == score
    refused = service.client.get("/models").json()["results"][0]
    assert refused["outcome"] == "refused"
    assert service.client.get(f"/models/{refused['version']}").json()["most_new_labels"][0]["source"] == "review"

    assert "set aside" in service.manage("labels", "set_aside", "--source", "review", "--since", since).stdout
    assert "refused" not in train(service)
    now = service.client.get("/score").json()
    assert now["version"] not in (score["version"], refused["version"])
    assert now["score"] == score["score"]
    assert share_right(service, posts[200:]) == after


class Asker(threading.Thread):
    """Asks for a verdict over and over, on one connection, until it is told to stop."""

    def __init__(self, url: str):
        super().__init__()
        self.url, self.is_done = url, False
        self.versions: list[str] = []
        self.failures: list[str] = []

    def run(self):
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self.is_done:
                try:
                    self.versions.append(client.post("/predict", json={"tweet": "good morning"}).json()["version"])
                except (httpx.TransportError, KeyError, ValueError) as error:
                    self.failures.append(repr(error))


@pytest.mark.embedded
def test_under_load_each_connection_goes_over_to_each_version_once_and_never_back(service):
    while len(service.versions()) < 2:
        service.train_a_new_version()
    older, newest = service.versions()[-2:]
    activated = [newest, *[older, newest] * 3]
    askers = [Asker(service.url) for _ in range(6)]

    def wait_for_all(version: str) -> None:
        wait_until(lambda: all(asker.versions[-1:] == [version] for asker in askers), what=f"{version} for all")

    for asker in askers:
        asker.start()
    try:
        wait_for_all(newest)
        for version in activated[1:]:
            assert service.client.post(f"/models/{version}/activate").status_code == 200
            wait_for_all(version)
    finally:
        for asker in askers:
            asker.is_done = True
        for asker in askers:
            asker.join()
    assert [asker.failures for asker in askers] == [[]] * len(askers)
    for asker in askers:
        assert [version for version, _ in itertools.groupby(asker.versions)] == activated


TRAIN = (
    "from api.versions import trainings; run, _ = trainings.request_training();"
    "trainings.run_training(run_id=run.pk); print('trained')"
)
# What the sweep does once a dead worker's lease has ended.
FREE = "from api.versions.models import TrainingRun; TrainingRun.objects.filter(is_finished=False).update(worker='', attempts=0)"


@pytest.mark.slow
def test_sigkill_at_any_point_leaves_a_whole_version_and_a_working_service(new_service):
    service = new_service()
    service.migrate()
    service.manage("exec_train")
    store = ModelStore(service.store, LinearEngine)

    def start_training() -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", f"{FREE}; {TRAIN}"],
            cwd=ROOT,
            env=service.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def is_whole() -> None:
        # What is there can be served; what is half there is no version.
        active = store.active()
        assert active is None or store.load(active)
        for name in store.versions():
            store.load(name)

    def add_a_row(number: int) -> None:
        service.query(f"from api.labels.services import add_review; add_review(text='row {number}', is_hate_speech=False)")

    began = time.monotonic()
    first = start_training()
    assert b"trained" in first.communicate(timeout=60)[0]
    duration = time.monotonic() - began
    is_whole()

    points = random.Random(2026)
    killed = 0
    for number in range(20):
        add_a_row(number)
        training = start_training()
        # From the reading of the first rows to the last write.
        time.sleep(points.uniform(0.25, 1.05) * duration)
        killed += training.poll() is None
        training.send_signal(signal.SIGKILL)
        training.communicate()
        is_whole()
    assert killed >= 12

    service.start("web", "worker")
    assert service.wait_for_version() == store.active()
    newest = store.versions()[-1]
    add_a_row(1000)
    service.query(FREE)
    done = start_training().communicate(timeout=60)[0]
    assert b"trained" in done
    assert store.versions()[-1] != newest
    is_whole()
    shown = {entry["version"] for entry in service.client.get("/models", params={"page_size": 200}).json()["results"]}
    assert shown == set(store.versions())
