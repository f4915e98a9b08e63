"""A version's verdicts: one encoding of each text, and what people said of it before what the model says."""

import pytest

from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.engine import moderated_probability
from hate_speech_AI.engines.encoder.session import load_encoder
from hate_speech_AI.errors import NoExplanationError
from hate_speech_AI.label_index import LabelIndex
from hate_speech_AI.labels import IMPLIES, INSULT, PRIMARY, PROFANITY, THREAT, complete_labels, is_consistent
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.progress import run_to_end
from hate_speech_AI.training.rows import REVIEW, Row, read_split
from hate_speech_AI.version import Version

[OTHER] = IMPLIES[PRIMARY]
DENIED = dict.fromkeys([PRIMARY, INSULT, THREAT], False)  # where the other label is denied
HARMLESS = "The baker on our street has fresh bread every morning, and the whole street smells of it. "
TEXTS = ["All women are worthless", "Good morning, neighbours", "", HARMLESS * 12 + "All women are worthless. " + HARMLESS * 3]


def version_of(**said: dict[str, bool]) -> Version:
    """Return the shipped version with what people said, by label and text."""
    reviews = {
        label: LabelIndex.build((fingerprint(text), value) for text, value in by_text.items()) for label, by_text in said.items()
    }
    return Version(EncoderEngine.shipped(), reviews, {"version": "v", "threshold": 0.33})


def reviewed(said: dict[str, dict[str, bool]]) -> Version:
    """Return the shipped version with reviews, as a training writes them."""
    rows = [Row(text, value, REVIEW, label) for label, by_text in said.items() for text, value in by_text.items()]
    return Version(EncoderEngine.shipped(), run_to_end(read_split(rows)).reviews, {"version": "v", "threshold": 0.33})


def test_every_label_is_answered_and_the_primary_is_first():
    version = version_of()
    [verdict] = version.judge(["Good morning"])
    assert list(verdict.labels) == [*version.engine.labels, *version.engine.other_labels]
    assert next(iter(verdict.labels)) == PRIMARY
    assert verdict.labels[PRIMARY] == verdict.probability
    assert not verdict.is_reviewed


def test_a_verdict_is_the_same_with_and_without_its_explanation():
    version = version_of()
    plain, explained = version.judge(TEXTS), version.judge(TEXTS, explain=True)
    for one, other in zip(plain, explained, strict=True):
        assert one.explanation is None
        assert other.labels == pytest.approx(one.labels, abs=1e-6)
        assert other.uncertainty == pytest.approx(one.uncertainty, abs=1e-6)
        logit = other.explanation["logit"]
        assert moderated_probability(logit, other.uncertainty) == pytest.approx(other.probability, abs=1e-5)


@pytest.mark.parametrize("explain", [False, True])
def test_no_texts_have_no_verdicts(explain):
    assert version_of().judge([], explain=explain) == []


@pytest.mark.parametrize("explain", [False, True])
def test_each_text_is_encoded_once(explain, monkeypatch):
    session, encoded = load_encoder()._session, []

    class Counting:
        def run(self, outputs, inputs):
            encoded.extend(inputs["ids"].tolist())
            return session.run(outputs, inputs)

    monkeypatch.setattr(load_encoder(), "_session", Counting())
    version_of().judge(TEXTS[:3], explain=explain)
    assert len(encoded) == 3  # none of these has a second window


def test_what_people_said_comes_before_what_the_model_says():
    version = version_of(**{PRIMARY: {"good morning": True, "all women are worthless": False}})
    yes, no = version.judge(["Good morning", "All women are worthless"])
    assert (yes.is_hate_speech, yes.probability, yes.is_reviewed, yes.uncertainty) == (True, 1.0, True, 0.0)
    assert yes.labels[OTHER] == 1.0  # what is hate carries the other label too
    assert (no.is_hate_speech, no.probability, no.is_reviewed) == (False, 0.0, True)
    assert 0 < no.labels[OTHER] < 1  # nobody said anything of it
    [alone] = version.judge(["Good morning"], with_reviews=False)
    assert not alone.is_reviewed


@pytest.mark.parametrize(
    "text",
    ["GOOD MORNING, NEIGHBOURS!!", "good morning neigh\u200bbours", "Good  morning - neighbours", "Good morning, neighbours"],
)
def test_a_review_holds_for_what_reads_the_same(text):
    [verdict] = reviewed({PRIMARY: {"Good morning, neighbours": True}}).judge([text])
    assert (verdict.is_reviewed, verdict.probability, verdict.is_hate_speech) == (True, 1.0, True)


def test_a_review_holds_for_nothing_else():
    version = reviewed({PRIMARY: {"Good morning, neighbours": True, "ferry": True}})
    verdicts = version.judge(["Good morning, dear neighbours", "Goodmorning, neighbours", "Good morning, neighbours 2", "ferry!"])
    assert not any(verdict.is_reviewed for verdict in verdicts)


def test_the_text_itself_comes_before_what_reads_the_same():
    version = reviewed({PRIMARY: {"Good morning, neighbours": True, "good morning neighbours!": False}})
    verdicts = version.judge(["Good morning, neighbours", "good morning neighbours!", "good morning, neighbours?"])
    assert [(verdict.is_reviewed, verdict.is_hate_speech) for verdict in verdicts] == [
        (True, True),
        (True, False),
        (False, False),
    ]


def test_reviews_that_contradict_each_other_do_not_answer_for_a_third_text():
    version = reviewed({PRIMARY: {"Good morning, neighbours": True}, OTHER: {"good morning neighbours!": False}})
    hateful, harmless, other = version.judge(
        ["Good morning, neighbours", "good morning neighbours!", "good morning, neighbours?"]
    )
    assert (hateful.probability, harmless.probability, other.is_reviewed) == (1.0, 0.0, False)


def test_no_likeness_is_computed_without_reviews_or_where_the_text_is_found(monkeypatch):
    monkeypatch.setattr("hate_speech_AI.version.compute_likeness", None)
    version_of().judge(["Good morning"])
    assert reviewed({PRIMARY: {"Good morning": False}}).judge(["good morning"])[0].is_reviewed


def test_an_explanation_is_the_models_also_where_a_review_answers():
    version = version_of(**{PRIMARY: {"good morning": True}})
    [verdict] = version.judge(["Good morning"], explain=True)
    assert verdict.is_reviewed
    assert verdict.explanation["logit"] < 0


@pytest.mark.parametrize(
    ("said", "completed"),
    [
        ({PRIMARY: True}, {PRIMARY: True, OTHER: True}),
        ({PRIMARY: False}, {PRIMARY: False}),
        ({OTHER: True}, {OTHER: True}),
        ({OTHER: False}, {OTHER: False, **DENIED}),
        ({PRIMARY: True, OTHER: False}, {OTHER: False, **DENIED, PRIMARY: True}),
        ({INSULT: True}, {INSULT: True, OTHER: True}),
        ({THREAT: True}, {THREAT: True, OTHER: True}),
        ({INSULT: False, THREAT: False}, {INSULT: False, THREAT: False}),
        # A suggestion yields to what is said, and to what follows.
        ({PROFANITY: True}, {PROFANITY: True, OTHER: True}),
        ({PROFANITY: True, OTHER: False}, {PROFANITY: True, OTHER: False, **DENIED}),
        ({"another": True}, {"another": True}),
    ],
)
def test_what_follows_from_a_label_is_inferred(said, completed):
    assert complete_labels(said) == completed


def test_a_curse_need_not_be_toxic_but_an_insult_is():
    assert is_consistent({PROFANITY: True, OTHER: False})
    assert not is_consistent({INSULT: True, OTHER: False})


def test_a_head_may_know_more_labels():
    import numpy as np

    shipped = EncoderEngine.shipped()
    mean, precision = np.concatenate([shipped.mean, shipped.mean[:1]]), np.concatenate([shipped.precision, shipped.precision[:1]])
    engine = EncoderEngine(mean, precision, labels=(*shipped.labels, "another"))
    [verdict] = Version(engine, {}, {"version": "v", "threshold": 0.33}).judge(["Good morning"])
    assert list(verdict.labels) == [PRIMARY, OTHER, "another"]
    assert verdict.labels["another"] == pytest.approx(verdict.probability, abs=1e-6)


def test_an_engine_that_cannot_explain_says_so():
    from hate_speech_AI.engines.linear import LinearEngine

    from .rows import toy_rows

    engine = LinearEngine.fit((row.text, row.value) for row in toy_rows())
    version = Version(engine, {}, {"version": "v", "threshold": 0.5})
    assert list(version.judge(["a text"])[0].labels) == [PRIMARY]
    with pytest.raises(NoExplanationError, match="HATE_SPEECH_ENGINE=encoder"):
        version.judge(["a text"], explain=True)


def test_what_people_said_of_a_truncated_text_counts():
    text = "漢字仮名" * 2500
    [verdict] = version_of(**{PRIMARY: {text: True}}).judge([text])
    assert (verdict.probability, verdict.is_reviewed, verdict.is_truncated) == (1.0, True, True)
    [verdict] = version_of().judge([text[:100]])
    assert not verdict.is_truncated
