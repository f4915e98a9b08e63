"""What a text and a request may cost: counted, not timed."""

import time

import numpy as np
import pytest

from hate_speech_AI.budget import Budget, split_texts
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.session import Encoder
from hate_speech_AI.engines.encoder.windows import MAX_WINDOWS
from hate_speech_AI.engines.linear import LinearEngine
from hate_speech_AI.errors import AbandonedError, DeadlineError, TooManyTokensError
from hate_speech_AI.text.encoder_form import MAX_GROWTH, encoder_form

from .rows import toy_rows

HATEFUL = "All women are worthless and disgusting. "
FILLER = "漢字仮名"  # a token a character
EMOJI = "".join(chr(at) for at in range(0x1F600, 0x1F640))
LONG = {
    "letters that become many": "\ufdfa " * 5000,
    "one word of them": "".join(chr(0xFDFA + at % 2) for at in range(10_000)),
    "emoji": EMOJI * 160,
    "ideographs": FILLER * 2500,
    "punctuation": "!?" * 5000,
    "figures": "1 2 " * 2500,
    "entities": "&#xfdfa; " * 1100,
}


class Counting:
    """Stands before the encoder's session and counts what it reads."""

    def __init__(self, encoder: Encoder):
        self.session, self.runs, self.tokens, self.windows = encoder._session, 0, 0, 0

    def run(self, outputs, inputs):
        self.runs += 1
        self.windows += inputs["ids"].shape[0]
        self.tokens += inputs["ids"].size
        return self.session.run(outputs, inputs)


@pytest.fixture(scope="module")
def encoder():
    return Encoder()


@pytest.fixture
def counted(encoder, monkeypatch):
    counting = Counting(encoder)
    monkeypatch.setattr(encoder, "_session", counting)
    return counting


@pytest.fixture(scope="module")
def engine(encoder):
    shipped = EncoderEngine.shipped()
    return EncoderEngine(shipped.mean, shipped.precision, encoder)


@pytest.fixture(scope="module")
def linear():
    return LinearEngine.fit((row.text, row.value) for row in toy_rows())


@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("kind", LONG)
def test_only_so_much_is_read_of_any_text(engine, counted, kind, explain):
    judgement = engine.explain([LONG[kind]])[0] if explain else engine.judge([LONG[kind]])
    assert judgement.truncated == [0]
    assert counted.windows <= MAX_WINDOWS


@pytest.mark.parametrize("kind", LONG)
def test_a_form_grows_only_so_much(kind):
    form = encoder_form(LONG[kind])
    assert len(form.text) <= 1.1 * len(LONG[kind]) + 2 * MAX_GROWTH
    assert len(form.starts) == len(form.ends) == len(form.text)


def test_what_expands_no_further_is_left_as_it_is_and_all_else_is_read():
    text = "ﷺ " * 2000 + "ℎ𝐚𝐭𝐞 to the end"
    form = encoder_form(text)
    assert form.is_cut
    assert form.text.endswith("hate to the end")
    assert not encoder_form("ﷺ " * 900 + "🌧️" * 20).is_cut


@pytest.mark.parametrize("text", ["Good morning", "The ferry is late again. " * 400, FILLER * 676, EMOJI, ""])
def test_a_text_within_the_bounds_is_read_as_a_whole(engine, counted, text):
    form, windows, is_truncated = engine.encoder.reader.read(text)
    assert not is_truncated
    assert not engine.judge([text]).truncated
    assert counted.windows == len(windows) <= MAX_WINDOWS
    # All its tokens are there, and no gap between two windows.
    covered = {at for window in windows for span in window.spans for at in range(*span)}
    assert {at for at, char in enumerate(form.text) if not char.isspace()} <= covered


@pytest.mark.parametrize("before", [0, 1000, 5000, 8000, 10_000])
def test_a_hateful_sentence_is_found_in_any_part_of_a_text_that_is_truncated(engine, before):
    text = (FILLER * 2500)[:before] + HATEFUL * 2 + (FILLER * 2500)[before:]
    judged = engine.judge([text, FILLER * 2500])
    assert judged.truncated == [0, 1]
    assert judged.hate[0] > 0.5 > judged.hate[1]


def test_first_and_last_windows_are_always_read(engine):
    _, windows, _ = engine.encoder.reader.read("a1 " + HATEFUL * 1000 + "z9")
    assert len(windows) == MAX_WINDOWS
    assert windows[0].spans[0][0] == 0
    assert windows == sorted(windows, key=lambda window: window.spans[0])
    assert windows[-1].spans[-1][1] == len("a1 " + HATEFUL * 1000 + "z9")


@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("texts", [["漢"] * 1000, [FILLER * 2500] * 30, ["\ufdfa" * 300] * 1000, ["!?" * 5000] * 30])
def test_a_request_over_its_budget_is_refused_before_anything_is_encoded(engine, counted, texts, explain):
    paid = []
    budget = Budget(max_tokens=2_000, pay=paid.append)
    with pytest.raises(TooManyTokensError, match="2,000"):
        (engine.explain if explain else engine.judge)(texts, budget)
    assert counted.runs == 0
    assert not paid
    # And soon: little more is counted than the budget allows.
    assert budget.tokens < 2_000 + 60_000


def test_tokens_are_counted_once_and_paid_before_the_work(engine, linear, counted):
    for one in (engine, linear):
        paid = []
        budget = Budget(pay=lambda tokens, paid=paid: paid.append((tokens, counted.runs)))
        counted.runs = 0
        one.judge(["Good morning", "Good night to you all"], budget)
        assert paid == [(budget.tokens, 0)] != [(0, 0)]


def test_the_linear_engine_counts_characters(linear):
    with pytest.raises(TooManyTokensError):
        linear.judge(["x" * 1000] * 5, Budget(max_tokens=1000))
    assert len(linear.judge(["x" * 1000] * 3, Budget(max_tokens=1000)).hate) == 3


def test_batches_of_the_linear_engine_change_nothing(linear):
    texts = [f"the people of groupa number {at} " * 200 for at in range(40)]
    alone = [linear.judge([text]).hate[0] for text in texts]
    assert linear.judge(texts).hate.tolist() == alone


def test_work_stops_between_batches_once_nobody_waits(engine, counted):
    texts = [FILLER * 15] * 200
    engine.judge(texts)
    whole = counted.runs
    counted.runs = 0
    with pytest.raises(AbandonedError):
        engine.judge(texts, Budget(is_abandoned=lambda: counted.runs >= 3))
    # Those that run beside it may end.
    assert counted.runs <= 5 < whole


def test_work_stops_at_its_deadline(engine, linear, counted):
    for one in (engine, linear):
        with pytest.raises(DeadlineError):
            one.judge(["Good morning"], Budget(deadline=time.monotonic()))
    assert counted.runs == 0


def test_one_length_each_costs_as_much_as_one_length_for_all(engine, counted):
    engine.judge([(FILLER * 15)[:length] for length in range(1, 61)] * 4)
    runs, tokens = counted.runs, counted.tokens
    counted.runs = counted.tokens = 0
    engine.judge([(FILLER * 15)[:30]] * 240)
    # No padding, and batches that are nearly as full.
    assert runs <= 60 + tokens / 256
    assert counted.tokens == pytest.approx(tokens, rel=0.05)


def test_texts_are_split_by_characters_and_count():
    texts = ["a" * 60, "b" * 50, "c", "d", "e" * 200, "f"]
    assert list(split_texts(texts, 100)) == [["a" * 60], ["b" * 50, "c", "d"], ["e" * 200], ["f"]]
    assert list(split_texts(["x"] * 5, 100, 2)) == [["x", "x"], ["x", "x"], ["x"]]
    assert not list(split_texts([], 100))


def test_a_truncated_text_is_judged_the_same_alone_and_among_others(engine):
    alone = engine.judge([LONG["punctuation"]])
    among = engine.judge(["Good morning", LONG["punctuation"], "Good night"])
    assert among.truncated == [1]
    assert np.abs(among.hate[1] - alone.hate[0]) < 1e-4


def test_the_middle_of_an_endless_text_is_not_looked_at(engine, counted):
    text = FILLER * 75_000
    budget = Budget()
    assert engine.judge([text], budget).truncated == [0]
    assert budget.tokens < 70_000
    form = encoder_form(text + " z")
    assert form.is_cut
    assert form.span(len(form.text) - 1, len(form.text)) == (len(text) + 1, len(text) + 2)
