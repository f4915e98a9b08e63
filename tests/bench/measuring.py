"""What the parts of the bench measure with: a load client, references beside the service, and turns."""

import csv
import os
import re
import shutil
import statistics
import subprocess
import sys
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
    install_wrk()
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
    """Another application, in gunicorn's own threads."""

    def __init__(self, application: str, folder: Path = ROOT, **environment: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [str(BINARIES / "gunicorn"), "--config", str(LUA / "gunicorn.conf.py"), "--timeout", "300", application],
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
