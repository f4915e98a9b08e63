import csv
from collections import Counter

import pytest

from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.errors import NotEnoughDataError
from hate_speech_AI.labels import IMPLIES, PRIMARY
from hate_speech_AI.promotion import Training
from hate_speech_AI.store import ModelStore
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.candidate import measure_candidate
from hate_speech_AI.training.progress import run_to_end
from hate_speech_AI.training.rows import Row, choose_side, read_split

from .rows import toy_rows

[OTHER] = IMPLIES[PRIMARY]


def train(rows):
    """Return the candidate of the linear engine."""
    split = run_to_end(read_split(rows))
    [fitted] = run_to_end(LinearEngine.fit_candidates(split))
    return measure_candidate(fitted, split, None)


@pytest.fixture(scope="module")
def candidate():
    return train(toy_rows())


def test_it_works(candidate):
    score = candidate.manifest["score"]
    assert score["score"] > 0.9
    assert score["held_out"] + score["trained_on"] == len(toy_rows())
    assert candidate.manifest["rows"]["by_source"] == {"toy": len(toy_rows())}
    assert 0 < candidate.manifest["threshold"] < 1


def test_a_fifth_is_held_out_and_a_tenth_of_the_rest_sets_the_threshold():
    sides = Counter(choose_side(fingerprint(f"text {number}")) for number in range(20_000))
    assert sides["held_out"] / 20_000 == pytest.approx(0.2, abs=0.01)
    assert sides["threshold"] / 20_000 == pytest.approx(0.08, abs=0.01)


def test_a_tweet_stays_on_its_side():
    # Fixed for ever: if this changes, scores no longer compare with those of older versions.
    assert [choose_side(fingerprint(text)) for text in ("a", "b", "c", "d", "e", "f", "g", "h")] == [
        choose_side(fingerprint(f" {text.upper()}\n")) for text in ("a", "b", "c", "d", "e", "f", "g", "h")
    ]
    assert choose_side("0" * 64) == "held_out"
    assert choose_side("0" * 15 + "1" + "f" * 48) == "threshold"
    assert choose_side("0" * 15 + "6" + "f" * 48) == "fit"


def test_held_out_rows_change_nothing_but_the_score(candidate):
    flipped = [
        row._replace(value=not row.value) if choose_side(fingerprint(row.text)) == "held_out" else row for row in toy_rows()
    ]
    other = train(flipped)
    assert (other.engine.coef == candidate.engine.coef).all()
    assert other.manifest["threshold"] == candidate.manifest["threshold"]
    assert other.manifest["score"]["score"] < 0.2


def test_a_threshold_that_moved_by_chance_costs_no_promotion(tmp_path, monkeypatch):
    """The candidate fails with a threshold that is too high, and passes with that of the active version."""
    store = ModelStore(tmp_path, LinearEngine)
    for _ in Training(store, toy_rows()).run():
        pass
    first = store.manifest(store.active())
    monkeypatch.setattr("hate_speech_AI.engines.linear.choose_threshold", lambda *_: 0.999)
    training = Training(store, [*toy_rows(), Row("a new garden at the mill", False)])
    for _ in training.run():
        pass
    manifest = store.manifest(store.active())
    assert training.version == store.active() == manifest["version"] != first["version"]
    assert manifest["threshold"] == first["threshold"]
    assert [(one["threshold"], one["passed"]) for one in manifest["tried"]] == [(0.999, False), (first["threshold"], True)]


def test_repeated_texts_count_once(candidate):
    rows = toy_rows()
    again = train([*rows, *(Row(f"  {row.text.upper()} ", row.value, "again") for row in rows)])
    assert again.manifest["score"] | {"trained_at": ""} == candidate.manifest["score"] | {"trained_at": ""}
    assert again.manifest["rows"] == candidate.manifest["rows"]


def test_the_digest_tells_the_rows_apart(candidate):
    rows = toy_rows()
    rows[0] = rows[0]._replace(value=not rows[0].value)
    assert train(rows).manifest["rows"]["digest"] != candidate.manifest["rows"]["digest"]


def test_rows_may_be_plain_tuples_and_a_stream():
    assert train(iter([tuple(row)[:3] for row in toy_rows()])).manifest["score"]["held_out"] > 0


@pytest.mark.parametrize("rows", [[], [Row("one", True)], [Row(f"text {n}", False) for n in range(30)]])
def test_too_few_rows_are_a_clear_error(rows):
    with pytest.raises(NotEnoughDataError):
        train(rows)


def test_a_split_is_complete_when_it_is_returned():
    reviewed = [Row("it rained all day", False, "review", OTHER), Row("it rained all day", False, "import:a", OTHER)]
    steps = read_split([*toy_rows(), *reviewed, *(Row(f"text {number}", False, "a") for number in range(3000))])
    assert {progress.stage for progress in steps} == {"reading"}
    split = run_to_end(read_split([*toy_rows(), *reviewed]))
    assert split.n_rows == len(toy_rows()) + 1
    assert sum(len(split.list_side(side)) for side in ("fit", "threshold", "held_out")) == len(toy_rows())
    assert sum(len(split.list_side(side, OTHER)) for side in ("fit", "threshold", "held_out")) == 1
    assert split.reviews[OTHER].get(fingerprint("it rained all day")) is False
    assert PRIMARY not in split.reviews


def test_the_digest_of_stored_labels_never_changes():
    """Fixed for ever: with another digest, an upgrade would take the same rows for new ones."""
    rows = [Row("a", True, "import:x"), Row("b", False, "review"), Row("a", True, "review:perspective", OTHER)]
    digest = run_to_end(read_split(rows)).digest
    assert digest == "00de8827cf7a710fbd7e1f4d9b84b03a914af6fbbc603fe4bffd8aea46fc8677"


@pytest.mark.slow
def test_f1_on_twitter_sentiment(datasets_folder):
    with (datasets_folder / "twitter_sentiment/train.csv").open(encoding="utf-8", newline="") as file:
        rows = {fingerprint(row["tweet"]): Row(row["tweet"], row["label"] == "1") for row in csv.DictReader(file)}
    score = train(rows[key] for key in sorted(rows)).manifest["score"]
    assert score["held_out"] == 6049
    assert score["score"] >= 0.74
