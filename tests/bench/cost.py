"""What the worst bodies cost: CPU and memory of a web process, beside as many tokens of plain English."""

import json
from collections.abc import Iterator
from pathlib import Path

from hate_speech_AI.budget import Budget
from hate_speech_AI.engines.encoder.session import load_encoder

from ..service import Service

CLOCK = 100  # ticks of /proc a second
ENGLISH = "The ferry to the islands is late again, and nobody at the harbour can say when it will leave. "
EMOJI = "".join(chr(at) for at in range(0x1F600, 0x1F640))
MARKS = "א" + "\u0591" * 2559 + "\u05bc" * 2560 + "\u05b8" * 2560 + "\u05b0" * 2560
SCORE = {"value": 1, "type": "PROBABILITY"}

# Bodies of /predict that are answered.
ANSWERED = {
    "ideographs": ["漢字仮名" * 2500] * 4,
    "emoji": [(EMOJI * 160)[:10_000]] * 4,
    "letters that become many": ["\ufdfa " * 5000] * 4,
    "signs": ["!?" * 5000] * 4,
    "short texts": [f"{at}" for at in range(1000)],
}
# A body of which nothing is read: there are no tokens to weigh its cost against.
UNREAD = {"tweets": ["\u0345\u0301" * 5000] * 30}
MODERATIONS, SUGGEST = "/v1/moderations", "/v1alpha1/comments:suggestscore"
# Paths and bodies that are refused.
REFUSED = {
    "ideographs": ("/predict", {"tweets": ["漢字仮名" * 2500] * 30}),
    "ideographs, explained": ("/predict", {"tweets": ["漢字仮名" * 2500] * 30, "explain": True}),
    "letters that become many": ("/predict", {"tweets": ["\ufdfa " * 5000] * 30}),
    "endless texts": (MODERATIONS, {"input": ["漢字仮名" * 15_000] * 5}),
    "tiny items": ("/predict", {"tweets": [1] * 500_000}),
    "tiny inputs": (MODERATIONS, {"input": [""] * 340_000}),
    "spans": (SUGGEST, {
        "comment": {"text": MARKS},
        "attributeScores": {"TOXICITY": {"spanScores": [{"begin": at, "end": 10_000, "score": SCORE} for at in range(100)]}},
    }),
}  # fmt: skip


class Web:
    """The web process of a service, seen from outside."""

    def __init__(self, service: Service):
        self.service = service
        parent = str(service.processes["web"].pid)
        [self._child] = [
            path.parent for path in Path("/proc").glob("[0-9]*/stat") if path.read_text().rsplit(")", 1)[1].split()[1] == parent
        ]

    def cpu(self) -> float:
        """Return the CPU seconds that the process took so far."""
        fields = (self._child / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK

    def peak(self) -> float:
        """Return the most memory that the process had, in MB."""
        lines = (self._child / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def post(self, path: str, body: dict) -> tuple[int, float]:
        """Return the status of the answer, and the CPU seconds that it took: the least of three."""
        content = json.dumps(body, ensure_ascii=False).encode()
        seconds = []
        for _ in range(3):
            before = self.cpu()
            answer = self.service.client.post(path, content=content, headers={"Content-Type": "application/json"})
            seconds.append(self.cpu() - before)
        return answer.status_code, min(seconds)


def count_read(texts: list[str]) -> int:
    """Return how many tokens the encoder reads of texts, the special ones included."""
    return sum(len(ids) + 2 for windows, _ in load_encoder().reader.read_ids(texts, Budget()) for ids in windows)


def write_english(texts: list[str]) -> list[str]:
    """Return posts of plain English of which as many tokens are read."""
    post = ENGLISH * 3
    return [post] * max(1, round(count_read(texts) / count_read([post])))


def cost_of_bodies(folder: Path) -> Iterator[tuple]:
    with Service(folder / "cost", {"HATE_SPEECH_ENGINE": "encoder", "WEB_CONCURRENCY": "1", "ANSWER_SECONDS": "0"}) as service:
        service.migrate()
        assert service.manage("exec_train").returncode == 0
        service.client.timeout = 300
        service.start("web")
        web = Web(service)
        web.post("/predict", {"tweets": [ENGLISH * 3] * 100})
        before = web.peak()
        ratios = {}
        for name, texts in ANSWERED.items():
            for explain in (False, True):
                status, english = web.post("/predict", {"tweets": write_english(texts)[:1000], "explain": explain})
                other, cpu = web.post("/predict", {"tweets": texts, "explain": explain})
                assert status == other == 200, (name, status, other)
                ratios[f"{name}{', explained' if explain else ''}"] = cpu / max(english, 1 / CLOCK)
                print(f"    {name}, explained {explain}: {cpu:.2f} CPU s, English {english:.2f}")
        worst = max(ratios, key=ratios.get)
        yield "the worst body that is answered, CPU", f"English, as many tokens; {worst}", "", ratios[worst], -1.5, "x"
        status, cpu = web.post("/predict", UNREAD)
        assert status == 200
        yield "a body of which nothing is read, CPU", "300,000 marks", f"{cpu:.2f} s", cpu, -1, " s"
        refused = {}
        for name, (path, body) in REFUSED.items():
            status, refused[name] = web.post(path, body)
            assert status in (400, 413), (name, status)
            print(f"    {name}: {status}, {refused[name]:.2f} CPU s")
        worst = max(refused, key=refused.get)
        yield "the worst body that is refused, CPU", worst, f"{refused[worst]:.2f} s", refused[worst], -1, " s"
        grown = web.peak() - before
        yield "memory that all of them took more at its peak", "after 100 texts", f"{grown:.0f} MB", grown, -150, " MB"
