"""The file of withdrawn reviews, and what a served version still answers with."""

import pytest

from hate_speech_AI.core import Classifier
from hate_speech_AI.following import Follower
from hate_speech_AI.label_index import LabelIndex
from hate_speech_AI.labels import PRIMARY
from hate_speech_AI.text import compute_likeness, fingerprint
from hate_speech_AI.training.rows import REVIEW, Row
from hate_speech_AI.withdrawals import Withdrawal, WithdrawalLog

from .rows import toy_rows

ONE, OTHER, THIRD = "The clocks are slow", "The clocks are fast", "No clock is right"


def withdraw(text: str, value: bool | None = None, label: str = PRIMARY) -> Withdrawal:
    return Withdrawal(label, fingerprint(text), compute_likeness(text), value)


@pytest.fixture
def log(tmp_path):
    return WithdrawalLog(tmp_path)


def test_it_works(log):
    assert (log.measure(), log.read(0)) == (0, [])
    log.append([withdraw(ONE), withdraw(OTHER, True)])
    size = log.measure()
    log.append([withdraw(THIRD, False)])
    assert log.read(0) == [withdraw(ONE), withdraw(OTHER, True), withdraw(THIRD, False)]
    assert log.read(size) == [withdraw(THIRD, False)]
    assert log.read(log.measure()) == []


def test_an_interrupted_write_loses_no_other_line(log, tmp_path):
    log.append([withdraw(ONE)])
    path = tmp_path / "withdrawn.jsonl"
    whole = path.read_bytes()
    for kept in range(1, len(whole)):
        path.write_bytes(whole + whole[:kept])
        log.append([withdraw(OTHER)])
        # A line that lacks no more than its end counts.
        assert {*log.read(0)} == {withdraw(ONE), withdraw(OTHER)}
        assert log.read(0)[-1] == withdraw(OTHER)


def test_an_index_is_corrected():
    reviewed = [(fingerprint(text), compute_likeness(text), text != OTHER) for text in (ONE, OTHER, THIRD)]
    index = LabelIndex.build_of_reviews(reviewed)
    corrected = index.correct({fingerprint(ONE): None, fingerprint(THIRD): False, "ab" * 32: True}, [compute_likeness(ONE)])
    assert [corrected.get(fingerprint(text)) for text in (ONE, OTHER, THIRD)] == [None, False, False]
    assert (len(corrected), corrected.get("ab" * 32)) == (2, None)
    assert [corrected.get_alike(compute_likeness(text)) for text in (ONE, OTHER)] == [None, False]
    assert [index.get(fingerprint(text)) for text in (ONE, OTHER, THIRD)] == [True, False, True]
    assert index.get_alike(compute_likeness(ONE)) is True


@pytest.fixture
def reviewed_store(store):
    """Give a store whose active version knows three reviews."""
    reviews = [Row(ONE, True, REVIEW), Row(OTHER, True, REVIEW), Row(THIRD, True, REVIEW)]
    store.activate(Classifier(store).train_model([*toy_rows(), *reviews]))
    return store


def answer(follower: Follower, *texts: str) -> list[bool | None]:
    """Return what the reviews say of texts; `None` where the model answers."""
    follower._refresh()
    return [one.is_hate_speech if one.is_reviewed else None for one in follower.current().judge(list(texts))]


def test_a_follower_stops_answering_with_what_is_withdrawn(reviewed_store):
    follower, log = Follower(reviewed_store), WithdrawalLog(reviewed_store.root)
    assert answer(follower, ONE, OTHER, ONE.upper() + "!") == [True, True, True]
    version = follower.current()
    assert answer(follower, ONE) == [True]
    assert follower.current() is version  # nothing changed, so nothing was loaded
    log.append([withdraw(ONE), withdraw(OTHER, False)])
    assert answer(follower, ONE, OTHER, THIRD, ONE.upper() + "!") == [None, False, True, None]
    assert follower.current().engine is version.engine
    # Another process that starts later finds the same.
    assert answer(Follower(reviewed_store), ONE, OTHER, THIRD) == [None, False, True]


def test_a_later_version_that_has_it_again_answers_with_it(reviewed_store):
    before = reviewed_store.active()
    follower, log = Follower(reviewed_store), WithdrawalLog(reviewed_store.root)
    log.append([withdraw(ONE)])
    rows = [*toy_rows(), Row(ONE, False, REVIEW)]
    reviewed_store.activate(Classifier(reviewed_store).train_model(rows))
    assert answer(follower, ONE) == [False]
    log.append([withdraw(ONE)])
    assert answer(follower, ONE) == [None]
    # The version from before the withdrawal does not bring it back.
    reviewed_store.activate(before)
    assert answer(follower, ONE, THIRD) == [None, True]
