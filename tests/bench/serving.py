"""Verdicts, reviews and start-up."""

import contextlib
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from ..fuzz import SECRET, fuzz
from ..hate_speech.test_run import MakeRun
from ..raw import RawConnection
from ..service import Service, wait_until
from .cost import cost_of_bodies
from .measuring import (
    SEED,
    TWITTER,
    Gunicorn,
    SkippedError,
    load,
    need,
    rate,
    run_python,
    run_seed,
    take_turns,
    texts,
    trained_service,
)


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


def startup(folder: Path) -> Iterator[tuple]:
    for which, limit in (("first", 15), ("second", 5)):
        began = time.monotonic()
        run = MakeRun(folder / "var")
        wait_until(run.predict, 60, "the first answer")
        seconds = time.monotonic() - began
        run.stop()
        yield f"make run to the first 200 of /predict, {which} time", "", f"{seconds:.1f} s", seconds, -limit, " s"


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
    yield from cost_of_bodies(folder)


def slow_clients(folder: Path) -> Iterator[tuple]:
    """Measure /predict beside 64 clients that hardly send or read: headers, bodies, and answers that nobody takes."""
    starts = [
        b"",
        b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"GET /static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ]
    with trained_service(folder / "service") as service, contextlib.ExitStack() as stack:
        service.start("web")
        service.wait_for_version()
        for start in starts * 16:
            stack.enter_context(RawConnection(service.port, receive_buffer=4096)).send(start)
        times, answered = [], 0
        for _ in range(200):
            began = time.perf_counter()
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.post(f"{service.url}/predict", json={"tweet": "Good morning"}, timeout=5)
                answered += answer.status_code == 200
            times.append(1000 * (time.perf_counter() - began))
    yield "/predict beside 64 slow clients, answered", "", f"{answered} of 200", 100 * answered / 200, 100, " %"
    slowest = sorted(times)[-3]
    yield "the same, p99", "", f"{slowest:.0f} ms", slowest, -500, " ms"


def fuzzing(folder: Path) -> Iterator[tuple]:
    """Send 100,000 requests of the tests' grammar, half of them with a key."""
    with trained_service(folder / "service") as trained:
        closed = trained.beside(folder / "closed", HATE_SPEECH_OPEN_ACCESS="false", RATE_LIMIT="0")
        with closed:
            closed.start("web")
            key = closed.manage("api_keys", "create", "fuzz", "--scopes", "predict,review,admin").stdout.strip()
            findings = fuzz(closed.port, 100_000, seed=4, key=key)
            log = closed.log("web")
        for request, answer in findings.faults[:10]:
            print(request[:300], "->", answer[:300])
        is_clean = not any(unseen in log for unseen in ("Traceback", SECRET, key))
    count = len(findings.faults)
    yield "100,000 requests of a grammar, without a 5xx", "", f"{count} faults", 100 - count / 1000, 100, " %"
    yield "the same, nothing of them in the log", "", "clean" if is_clean else "not clean", 100 * is_clean, 100, " %"
