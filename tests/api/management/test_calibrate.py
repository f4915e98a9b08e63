"""Choosing a threshold from the scores of another detector."""

import csv

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from hate_speech_AI.core import Prediction
from hate_speech_AI.labels import PRIMARY, TOXIC


@pytest.fixture
def scored(tmp_path, monkeypatch):
    """Give a file of 200 texts with old scores, of which the classifier says the square."""
    old = {f"text number {at}": at / 200 for at in range(200)}

    def judge(texts, caller, *, with_reviews, version):
        assert not with_reviews  # a review's 0 or 1 is no score
        return [Prediction(False, old[text] ** 2, 0.5, "v", {PRIMARY: old[text] ** 2, TOXIC: old[text]}) for text in texts]

    monkeypatch.setattr("api.management.judging.judge", judge)
    path = tmp_path / "scores.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "score"), *old.items()])
    return path


def test_the_same_share_is_flagged(scored, tmp_path, capsys):
    call_command("calibrate", str(scored), "--flagged-from", "0.8", "--plot", str(tmp_path / "plot.png"))
    said = capsys.readouterr().out
    assert "200 texts; 40 (20.0%) were flagged from 0.8 on." in said
    assert "Threshold 0.6400 of IDENTITY_ATTACK flags 40 (20.0%), 40 of them flagged before too." in said
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_toxicity_has_a_threshold_of_its_own(scored, tmp_path, capsys):
    options = ["--attribute", "TOXICITY", "--plot", str(tmp_path / "plot.svg")]
    call_command("calibrate", str(scored), "--flagged-from", "0.8", *options)
    assert "Threshold 0.8000 of TOXICITY flags 40" in capsys.readouterr().out


def test_bad_rows_are_told_by_line_and_passed_over(scored, tmp_path, capsys):
    with scored.open("a", newline="") as file:
        csv.writer(file).writerows([("another", "high"), ("another", "1.5"), ("", "0.5")])
    call_command("calibrate", str(scored), "--flagged-from", "0.8", "--plot", str(tmp_path / "plot.png"))
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.err.splitlines() if line.startswith("line")] == [
        "line 202",
        "line 203",
        "line 204",
    ]
    assert "200 texts" in said.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--flagged-from", "1.0"], "None of the 200 scores reaches 1.0"),
        (["--flagged-from", "0.8", "--score-column", "old"], "--score-column"),
        (["--flagged-from", "0.8", "--plot", "/nowhere/plot.png"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(scored, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("calibrate", str(scored), *options)


def test_the_linear_engine_knows_no_toxicity(scored, monkeypatch):
    monkeypatch.setattr(
        "api.management.judging.judge",
        lambda texts, **_: [Prediction(False, p, 0.5, "v", {PRIMARY: p}) for p in np.ones(len(texts))],
    )
    with pytest.raises(CommandError, match="HATE_SPEECH_ENGINE=encoder"):
        call_command("calibrate", str(scored), "--flagged-from", "0.8", "--attribute", "TOXICITY")
