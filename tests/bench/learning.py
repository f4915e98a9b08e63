"""Trainings, scores and changes of the version."""

import csv
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ..service import Service
from .measuring import DAVIDSON, SEED, TWITTER, load, need, p99, run_python, run_seed, take_turns, texts, trained_service

ALTERED = """
import csv, sys
from api.labels.services import import_labels
copies = int(sys.argv[1])
def rows():
    for path, text, label, hate in ((sys.argv[2], "tweet", "label", "1"), (sys.argv[3], "tweet", "class", "0")):
        for number, row in enumerate(csv.DictReader(open(path, encoding="utf-8", newline=""))):
            for copy in range(copies):
                words = row[text].split(" ")
                if copy:  # other words, at other places, so that no two texts are alike
                    words.insert((number + copy) % (len(words) + 1), f"word{(number * 31 + copy * 7) % 5000}")
                    words.append(f"tag{copy}")
                yield " ".join(words), row[label] == hate
print(import_labels(rows=(row for row in rows() if row[0].strip()), source="import:bench").total())
"""
TRAIN = """
import resource, time
from api.versions.trainings import request_training, run_training
run, _ = request_training()
began = time.perf_counter()
run_training(run_id=run.pk)
seconds = time.perf_counter() - began
run.refresh_from_db()
assert run.version, run.error
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2, run.rows_total)
"""


def training(folder: Path) -> Iterator[tuple]:
    need(TWITTER, DAVIDSON)
    measured = {}
    for copies in (1, 10):
        with Service(folder / f"training{copies}", {}) as service:
            service.migrate()
            environment = service.environment | {"DJANGO_SETTINGS_MODULE": "hate_speech.settings", "LOG_LEVEL": "WARNING"}
            start = "import django; django.setup()\n"
            run_python(start + ALTERED, str(copies), str(TWITTER), str(DAVIDSON), **environment)
            measured[copies] = run_python(start + TRAIN, **environment)
    (small, small_memory, small_rows), (large, large_memory, large_rows) = measured[1], measured[10]
    yield (
        f"training on {large_rows:,.0f} rows, seconds",
        f"on {small_rows:,.0f} rows {small:.1f}",
        f"{large:.1f}",
        large / small,
        -12,
        "x",
    )
    yield "the same, memory at its peak", f"{small_memory:.2f} GiB", f"{large_memory:.2f} GiB", large_memory, -3, " GiB"


def score(folder: Path) -> Iterator[tuple]:
    need(TWITTER, SEED)
    _, reference = run_seed()
    with trained_service(folder / "service") as service:
        assert service.manage("labels", "set_aside", "--source", "starter").returncode == 0
        service.start("worker")
        assert service.manage("exec_train", "--wait", timeout=600).returncode == 0
        service.manage("models", "activate", service.versions()[-1])
        service.start("web")
        service.wait_for_version()
        ours = service.client.get("/score").json()
    yield (
        "F1 on twitter_sentiment, held-out 20 %",
        f"the seed, random 30 % {reference:.3f}",
        f"{ours['score']:.3f}",
        ours["score"],
        0.74,
        "",
    )


BLOCKED = """
import sys, threading, time
from hate_speech_AI.core import classifier
from hate_speech_AI.store import ModelStore
texts = [open(sys.argv[1], encoding="utf-8").read(4000)[at:at + 100] for at in range(0, 3900, 100)]
classifier.predict(texts)
store = classifier.store
pauses, done = {False: [], True: []}, threading.Event()
switching = False
def ask():
    at = 0
    while not done.is_set():
        began, during = time.perf_counter(), switching
        classifier.predict([texts[at % len(texts)]])
        pauses[during].append(time.perf_counter() - began)
        at += 1
        time.sleep(0.001)
asker = threading.Thread(target=ask); asker.start()
time.sleep(3)
switching = True
for turn in range(10):
    store.activate(sys.argv[2 + turn % 2])
    time.sleep(0.8)
done.set(); asker.join()
print(1000 * max(pauses[True]), 1000 * max(pauses[False]))
"""


def versions(folder: Path) -> Iterator[tuple]:
    bodies = folder / "bodies"
    bodies.write_text("\n".join(json.dumps({"tweet": text}) for text in texts()) + "\n")
    with trained_service(folder / "service") as service:
        service.start("web", "worker")
        service.train_a_new_version()
        pair = service.versions()[-2:]
        service.kill("worker")

        def load_once() -> float:
            return p99(load(f"{service.url}/predict", "post.lua", 10, BODIES=str(bodies)))

        def load_while_switching() -> float:
            done = threading.Event()

            def switch():
                for turn in range(20):
                    answer = service.client.post(f"/models/{pair[turn % 2]}/activate")
                    assert answer.status_code == 200, answer.text
                    if done.wait(0.45):
                        break

            switcher = threading.Thread(target=switch)
            switcher.start()
            try:
                return load_once()
            finally:
                done.set()
                switcher.join()

        switching, quiet = take_turns(load_while_switching, load_once)
        yield (
            "p99 of /predict during 20 activations, ms",
            f"without them {quiet:.1f}",
            f"{switching:.1f}",
            switching / quiet,
            -2,
            "x",
        )
        blocked, usual = run_python(BLOCKED, str(bodies), *pair, HATE_SPEECH_DATA_DIR=str(service.folder))
        yield (
            "longest pause of a request while activating",
            f"without it {usual:.1f} ms",
            f"{blocked:.1f} ms",
            blocked,
            -50,
            " ms",
        )

        cases = folder / "cases.csv"
        with cases.open("w", encoding="utf-8", newline="") as file:
            rows = ((number % 2, f"{text} {number}") for number, text in enumerate(texts() * 2))
            csv.writer(file).writerows([("label", "tweet"), *rows])
        began = time.monotonic()
        assert service.manage("evaluate", str(cases)).returncode == 0
        seconds = time.monotonic() - began
        yield "evaluate, 10,000 texts", "", f"{seconds:.1f} s", seconds, -30, " s"
        size = max(path.stat().st_size for path in service.folder.glob("models/*/*/report.html")) / 1e6
        yield "the report's size", "", f"{size:.2f} MB", size, -3, " MB"
