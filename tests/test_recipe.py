"""The recipe of the shipped encoder, end to end on a sample: `make test-recipe` runs this, in two environments."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.session import Encoder
from hate_speech_AI.engines.encoder.shipped import Shipped

pytestmark = pytest.mark.recipe

ROOT = Path(__file__).parent.parent
SAMPLE = ["--sample", "500", "--parts", "3", "--quantised-parts", "1", "--recombined", "200"]
SAMPLE += ["--teachers", "2", "--teacher-parts", "1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give the folder of an encoder made of 500 rows, by a run that was killed after its first part and run again."""
    folder = tmp_path_factory.mktemp("recipe")
    command = [os.environ["RECIPE_PYTHON"], "-m", "hate_speech_AI.recipe", "--data", os.environ["RECIPE_DATA"], *SAMPLE]
    command += ["--work", str(folder / "work"), "--out", str(folder / "out"), "--soft-labels", str(folder / "soft.npz")]
    first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    parts = folder / "work" / "round-1" / "student" / "parts.jsonl"
    while not parts.exists() and first.poll() is None:
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert "minilm, part 2 of 3" in second.stderr
    assert "minilm, part 1 of 3" not in second.stderr, "the second run began again"
    assert "mpnet" not in second.stderr, "it asked the teachers again"
    return folder / "out"


def test_it_works(made):
    files = Shipped(made)
    assert {path.name for path in made.iterdir()} == {
        "encoder.onnx", "tokenizer.json", "head.npz", "seen.npy", "evaluation.npz", "manifest.json", "run_log.json",
        "MODEL_CARD.md",
    }  # fmt: skip
    engine = EncoderEngine(*files.head(), Encoder(made))
    probabilities = engine.predict_proba(["Good morning, neighbours", "See you tomorrow"])
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert 0 < files.manifest["threshold"] < 1


def test_it_says_more_than_it_learns(made):
    files = Shipped(made)
    engine = EncoderEngine(*files.head(), Encoder(made), files.labels, files.others())
    judged = engine.judge(["Good morning, neighbours"])
    assert engine.labels == ("hate", "toxic")
    assert set(engine.other_labels) <= {"insult", "threat", "profanity"}
    assert list(judged.probabilities) == [*engine.labels, *engine.other_labels]
    assert judged.targets.shape == (1, len(engine.targets))


def test_the_encoder_is_small(made):
    assert (made / "encoder.onnx").stat().st_size <= 30_000_000


def test_the_run_log_tells_where_it_came_from(made):
    log = json.loads((made / "run_log.json").read_text())
    first, second = log["rounds"]
    assert (len(first["parts"]), len(second["parts"])) == (3, 1)
    for one in (first, second):
        assert one["settings"]["base"] == "minilm"
        assert [teacher["settings"]["base"] for teacher in one["teachers"]] == ["mpnet", "mpnet"]
        assert [len(teacher["parts"]) for teacher in one["teachers"]] == [1, 1]
    assert log["libraries"]["torch"].startswith("2.13.0")
    assert all(len(digest) == 64 for digest in log["data"].values())
    assert log["left_out"]["dynahate near test"] > 0


def test_what_was_learned_from_is_in_no_evaluation(made):
    files = Shipped(made)
    keys = np.load(made / "seen.npy")
    assert (np.diff(keys.astype(object)) > 0).all()
    test = [key for key, split in zip(files.evaluation().keys, files.evaluation().splits, strict=True) if split == "test"]
    assert test
    assert not set(test) & set(keys.tolist())


def test_int8_says_what_float32_says(made):
    # Of the first round: the second begins on the grid of int8, and the few steps of a sample move none of it to its neighbour.
    first = made.parent / "work" / "round-1" / "made"
    figures = json.loads((first / "manifest.json").read_text())["figures"]
    assert figures["int8_differs_from_float32"] < 0.2  # of a sample; what ships is held to a hundredth


def test_heads_are_fitted_anew_and_encoder_verdict_and_threshold_stay(made):
    out = made.parent / "refitted"
    command = [os.environ["RECIPE_PYTHON"], "-m", "hate_speech_AI.recipe", "--data", os.environ["RECIPE_DATA"], *SAMPLE]
    command += ["--work", str(made.parent / "work"), "--out", str(out), "--refit", str(made)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before, after = Shipped(made), Shipped(out)
    assert after.checksum("encoder.onnx") == before.checksum("encoder.onnx")
    assert after.manifest["threshold"] == before.manifest["threshold"]
    assert after.manifest["figures"]["by_source"] == before.manifest["figures"]["by_source"]
    (old, old_precision), (new, new_precision) = before.head(), after.head()
    assert (new[0] == old[0]).all()
    assert (new_precision[0] == old_precision[0]).all()
    assert np.abs(new - old).max() < 0.1
    assert after.manifest["other_labels"] == before.manifest["other_labels"]
    log = json.loads((out / "run_log.json").read_text())
    assert log["rounds"] == json.loads((made / "run_log.json").read_text())["rounds"]
    assert sum(log["heads"]["rows"].values()) > 0
