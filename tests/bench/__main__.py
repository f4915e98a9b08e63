"""Measure the service against its references: `make bench`, or `python -m tests.bench NAME...` for some of the parts.

Each figure stands beside its reference, measured in the same run; where the noise matters the two take turns and the medians
count. Parts that need the public datasets, or the tutorial as written, are skipped by name where those are absent.
"""

import argparse
import csv
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ..service import BINARIES, ROOT, Service, free_port, wait_until

SHARED = ROOT.parent / "shared"
TWITTER = SHARED / "datasets/twitter_sentiment/train.csv"
DAVIDSON = SHARED / "datasets/davidson/labeled_data.csv"
SEED = SHARED / "seed/as_written.py"
LUA = Path(__file__).parent
ROUNDS, SECONDS = 5, 4


class SkippedError(Exception):
    """A part that cannot be measured here."""


def need(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            raise SkippedError(f"{path.relative_to(ROOT.parent)} is not there")


def install_wrk() -> None:
    """Install the load client from Debian's packages, unless it is there."""
    if shutil.which("wrk"):
        return
    as_root = [] if os.getuid() == 0 else ["sudo"]
    print("Installing wrk, the load client ...", flush=True)
    subprocess.run([*as_root, "apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
    done = subprocess.run([*as_root, "apt-get", "install", "-y", "-qq", "wrk"], check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit("The load client wrk could not be installed: apt-get install wrk")


def texts(count: int = 5000) -> list[str]:
    source = TWITTER if TWITTER.exists() else ROOT / "hate_speech_AI/data/train.csv"
    with source.open(encoding="utf-8", newline="") as file:
        return [row["tweet"] for row in csv.DictReader(file)][:count]


def load(url: str, script: str, seconds: float = SECONDS, connections: int = 16, **environment: str) -> str:
    """Return wrk's report of a load on a server; any answer but 200 ends the bench."""
    done = subprocess.run(
        ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "10", "-s", str(LUA / script), url],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"{url} did not always answer 200:\n{done.stdout}")
    return done.stdout


def rate(report: str) -> float:
    """Return the requests a second that wrk's report tells of."""
    return float(re.search(r"Requests/sec:\s+([\d.]+)", report)[1])


def p99(report: str) -> float:
    """Return the milliseconds within which 99 % of the answers came."""
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", report)
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]


def take_turns(first, second) -> tuple[float, float]:
    """Return the medians of two measurements that take turns, each warmed up once."""
    first(), second()
    pairs = [(first(), second()) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


class Gunicorn:
    """Another application in the service's own server."""

    def __init__(self, application: str, folder: Path = ROOT, **environment: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [str(BINARIES / "gunicorn"), "--config", str(ROOT / "docker/gunicorn.conf.py"), "--timeout", "300", application],
            cwd=folder,
            env=os.environ | {"PORT": str(self.port), "WEB_CONCURRENCY": "2"} | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self):
        import httpx

        def is_up():
            try:
                return httpx.get(self.url, timeout=60)
            except httpx.TransportError:
                return None

        wait_until(is_up, 120, "the reference server")
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()


def trained_service(folder: Path) -> Service:
    service = Service(folder, {"WEB_CONCURRENCY": "2"})
    service.migrate()
    if TWITTER.exists():
        assert service.manage("import_tweets", str(TWITTER)).returncode == 0
    service.start("worker")
    done = service.manage("exec_train", "--wait", timeout=600)
    assert done.returncode == 0, done.stderr
    service.kill("worker")
    return service


def predict(folder: Path) -> Iterator[tuple]:
    bodies = folder / "bodies"
    bodies.write_text("\n".join(json.dumps({"tweet": text}) for text in texts()) + "\n")
    with trained_service(folder / "service") as service, Gunicorn("tests.bench.bare") as bare:
        service.start("web")
        service.wait_for_version()
        ours, reference = take_turns(
            lambda: rate(load(f"{service.url}/predict", "post.lua", BODIES=str(bodies))),
            lambda: rate(load(f"{bare.url}/predict", "post.lua", BODIES=str(bodies))),
        )
    yield "POST /predict, requests/s", f"bare DRF view {reference:,.0f}", f"{ours:,.0f}", ours / reference, 0.75, "x"


BATCH = """
import sys, time, os, csv
os.sched_setaffinity(0, {0})
from hate_speech_AI.core import classifier
texts = [row["tweet"] for row in csv.DictReader(open(sys.argv[1], encoding="utf-8"))]
classifier.predict(texts[:10])
began = time.perf_counter()
for start in range(0, len(texts), 1000):
    classifier.predict(texts[start:start + 1000])
print(len(texts) / (time.perf_counter() - began))
"""
SEED_BATCH = """
import sys, time, os, csv
os.sched_setaffinity(0, {0})
import as_written as seed
texts = [row["tweet"] for row in csv.DictReader(open(sys.argv[1], encoding="utf-8"))][-2000:]
began = time.perf_counter()
for text in texts:
    seed.classifier.predict_single_tweet(seed.clean_and_tokenize_string(text))
print(len(texts) / (time.perf_counter() - began), seed.classifier.score)
"""


def run_python(code: str, *arguments: str, folder: Path = ROOT, **environment: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [float(figure) for figure in done.stdout.split()]


def run_seed() -> list[float]:
    """Return the texts a second and the F1 of the tutorial as written."""
    return run_python(SEED_BATCH, str(TWITTER), folder=SEED.parent, TRAIN=str(TWITTER), PYTHONDONTWRITEBYTECODE="1")


def batch(folder: Path) -> Iterator[tuple]:
    need(TWITTER, SEED)
    with trained_service(folder / "service") as service:
        ours, reference = take_turns(
            lambda: run_python(BATCH, str(TWITTER), HATE_SPEECH_DATA_DIR=str(service.folder))[0], lambda: run_seed()[0]
        )
    yield (
        "batch prediction, texts/s on one core",
        f"the seed, one by one {reference:,.0f}",
        f"{ours:,.0f}",
        ours / reference,
        10,
        "x",
    )


FILL = """
import sys
from django.utils import timezone
from django.db import connection, transaction
from hate_speech_AI.text import fingerprint
count = int(sys.argv[1])
now = timezone.now()
with transaction.atomic(), connection.cursor() as cursor:
    for start in range(0, count, 10000):
        numbers = range(start, min(start + 10000, count))
        texts = [f"this is review number {n} of very many, {n * 7919 % 100003} {n % 977}" for n in numbers]
        cursor.executemany("INSERT INTO api_tweet (id, fingerprint, text, created_at) VALUES (%s, %s, %s, %s)",
                           [(n + 1, fingerprint(t), t, now) for n, t in zip(numbers, texts)])
        labels = [(n % 9 == 0, True, now, n + 1) for n in numbers]
        cursor.executemany("INSERT INTO api_label (name, value, source, reference, key, is_current, created_at, tweet_id)"
                           " VALUES ('hate', %s, 'review', '', '', %s, %s, %s)", labels)
"""


def fill(service: Service, count: int) -> None:
    """Bring so many reviewed tweets into a service's database, past its API."""
    code = "import django, sys; django.setup()\n" + FILL
    run_python(code, str(count), **service.environment, DJANGO_SETTINGS_MODULE="hate_speech.settings")


def reviewed(folder: Path) -> Iterator[tuple]:
    small, large = Service(folder / "small", {}), Service(folder / "large", {})
    with small, large:
        small.start("web")
        large.start("web")
        fill(small, 1_000)
        fill(large, 1_000_000)

        def post_to(service: Service) -> float:
            return rate(load(f"{service.url}/reviewed", "review.lua", SALT=str(random.random())))

        at_large, at_small = take_turns(lambda: post_to(large), lambda: post_to(small))
    yield (
        "POST /reviewed at 1,000,000 rows, requests/s",
        f"at 1,000 rows {at_small:,.0f}",
        f"{at_large:,.0f}",
        at_large / at_small,
        0.9,
        "x",
    )
    try:
        need(TWITTER, SEED)
    except SkippedError:
        return
    with Gunicorn("as_written:application", SEED.parent, TRAIN=str(TWITTER), PYTHONDONTWRITEBYTECODE="1") as seed:
        reference = rate(load(f"{seed.url}/reviewed", "review.lua", SALT="seed"))
    yield "the same", f"the seed at 32,000 rows {reference:,.0f}", f"{at_large:,.0f}", at_large / reference, 5, "x"


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


def startup(folder: Path) -> Iterator[tuple]:
    from ..hate_speech.test_run import MakeRun

    for which, limit in (("first", 15), ("second", 5)):
        run = MakeRun(folder / "var")
        seconds = run.seconds_to_first_answer()
        run.stop()
        yield f"make run to the first 200 of /predict, {which} time", "", f"{seconds:.1f} s", seconds, -limit, " s"


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


def encoder(folder: Path) -> Iterator[tuple]:
    from . import encoder as parts  # imports the whole package, which the other parts run in processes of their own

    need(TWITTER)
    datasets = SHARED / "datasets"
    yield from parts.speed(texts())
    yield from parts.memory(folder, texts())
    yield from parts.quality(datasets)
    yield from parts.learning(folder, TWITTER, datasets)
    yield from parts.nightly(folder, TWITTER)


def compat(folder: Path) -> Iterator[tuple]:
    need(TWITTER)
    posts = texts()
    bodies = folder / "bodies"
    wanted = {"IDENTITY_ATTACK": {}, "TOXICITY": {}}
    bodies.write_text("\n".join(json.dumps({"comment": {"text": text}, "requestedAttributes": wanted}) for text in posts) + "\n")
    with Service(folder / "service", {"HATE_SPEECH_ENGINE": "encoder", "WEB_CONCURRENCY": "2"}) as service:
        service.migrate()
        assert service.manage("exec_train").returncode == 0
        service.start("web")

        def post_one_by_one() -> float:
            began = time.perf_counter()
            for text in posts[:96]:
                assert service.client.post("/v1/moderations", json={"input": text}).status_code == 200
            return 96 / (time.perf_counter() - began)

        def post_lists() -> float:
            began = time.perf_counter()
            for at in range(0, 96, 32):
                assert service.client.post("/v1/moderations", json={"input": posts[at : at + 32]}).status_code == 200
            return 96 / (time.perf_counter() - began)

        lists, single = take_turns(post_lists, post_one_by_one)
        yield (
            "/v1/moderations with 32 strings, texts/s",
            f"32 single calls {single:,.0f}",
            f"{lists:,.0f}",
            lists / single,
            3,
            "x",
        )

        def load_once() -> float:
            return p99(load(f"{service.url}/v1alpha1/comments:analyze", "post.lua", 10, connections=8, BODIES=str(bodies)))

        quiet = load_once()
        # Every text is new to the encoder, so this training lasts longer than the load does.
        assert service.manage("import_tweets", str(TWITTER)).returncode == 0
        service.start("worker")
        run = service.client.post("/train").json()["run"]
        wait_until(lambda: service.client.get(f"/train/{run}").json()["percent"] > 0, 60, "the training")
        during = load_once()
        assert service.client.get(f"/train/{run}").json()["stage"] == "reading"
        yield "p99 of comments:analyze while training, ms", f"without it {quiet:.1f}", f"{during:.1f}", during, -200, " ms"


def hostile(folder: Path) -> Iterator[tuple]:
    """Measure how the time for texts that are made to be slow grows with their length. The tests count what Python does."""
    from ..hate_speech_AI.test_text import HOSTILE, READERS

    def work(read, text: str) -> int:
        """Return the time that this thread computed, in ns, whatever else the machine did."""
        times = []
        for _ in range(3):
            began = time.thread_time_ns()
            read(text)
            times.append(time.thread_time_ns() - began)
        return min(times)

    for read in READERS:
        growth = {}
        for piece in HOSTILE:
            short, long = (piece * 10_000)[:10_000], (piece * 100_000)[:100_000]
            growth[piece] = work(read, long) / max(work(read, short), 100_000)
        worst = max(growth, key=growth.get)
        what = f"{read.__name__}, time for 10 times the length"
        yield what, f"the same text, piece {worst!a}", f"{growth[worst]:.1f}", growth[worst], -40, "x"


PARTS = {part.__name__: part for part in (score, predict, batch, reviewed, training, versions, startup, encoder, compat, hostile)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the service against its references.")
    parser.add_argument("parts", nargs="*", help="what to measure (default: all)", metavar="NAME")
    names = parser.parse_args().parts or list(PARTS)
    os.environ["HATE_SPEECH_ENGINE"] = "linear"  # what all parts but encoder and compat measure
    install_wrk()
    line = "{:50} | {:32} | {:>10} | {:>10} | {}"
    print(line.format("what", "reference, same run", "measured", "", "reach"))
    missed = False
    for name in names:
        with tempfile.TemporaryDirectory(prefix="hate-speech-bench-") as folder:
            try:
                for what, reference, measured, figure, limit, unit in PARTS[name](Path(folder)):
                    is_reached = figure <= -limit if limit < 0 else figure >= limit
                    missed |= not is_reached
                    reach = f"{'at most' if limit < 0 else 'at least'} {abs(limit)}{unit} {'reached' if is_reached else 'MISSED'}"
                    print(line.format(what, reference, measured, f"{figure:.2f}{unit}", reach), flush=True)
            except SkippedError as why:
                print(f"{name}: skipped, {why}", flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
