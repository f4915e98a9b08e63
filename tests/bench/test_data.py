"""The texts to measure with are what their README says, and no test of the project's own."""

import csv
from collections import Counter
from pathlib import Path

from hate_speech_AI.evaluation.functional_checks import read_functional_checks
from hate_speech_AI.text import fingerprint

DATA = Path(__file__).parent / "data"
KINDS = {
    "insults": {("1", "mild"): 50, ("1", "strong"): 50, ("0", "everyday"): 140, ("0", "strong_words"): 60},
    "harmless": {("0", "opinion"): 50, ("0", "idiom"): 50, ("0", "self_description"): 50, ("0", "quoting"): 50},
    "questions": {("1", "asserting"): 60, ("0", "asking"): 60},
    "dialect": {("0", "african_american"): 100, ("0", "other"): 100},
}


def read(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_kind_is_there():
    assert {path.stem for path in DATA.glob("*.csv")} == set(KINDS)
    for name, kinds in KINDS.items():
        counts = Counter((row["label"], row["kind"]) for row in read(name))
        assert set(counts) == set(kinds)
        assert all(counts[kind] >= fewest for kind, fewest in kinds.items())


def test_every_text_is_new():
    keys = [fingerprint(row["text"]) for name in KINDS for row in read(name)]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & {fingerprint(check.text) for check in read_functional_checks()}


def test_the_dialects_take_turns():
    kinds = [row["kind"] for row in read("dialect")]
    assert kinds == ["african_american", "other"] * (len(kinds) // 2)
