"""The shipped encoder: what it says, that neighbours change nothing, and why it says it."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hate_speech_AI import labels
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.session import Encoder, load_encoder
from hate_speech_AI.engines.encoder.shipped import FOLDER, Shipped
from hate_speech_AI.engines.encoder.windows import pick_windows
from hate_speech_AI.errors import CorruptVersionError, ForeignEncoderError, PretrainedError
from hate_speech_AI.evaluation.functional_checks import read_functional_checks

ROOT = Path(__file__).parent.parent.parent
HARMLESS = "The baker on our street has fresh bread every morning, and the whole street smells of it. "
HATEFUL = "All women are worthless and disgusting."


@pytest.fixture(scope="module")
def engine():
    return EncoderEngine.shipped()


@pytest.fixture(scope="module")
def threshold():
    return Shipped().manifest["threshold"]


def test_it_works(engine, threshold):
    hateful, harmless = engine.predict_proba([HATEFUL, HARMLESS])
    assert hateful > threshold > harmless


def test_it_tells_who_is_hated_from_who_is_defended(engine, threshold):
    probabilities = engine.predict_proba(["I hate women", "I hate that women are treated like this"])
    assert probabilities[0] > threshold > probabilities[1]


def test_a_label_is_never_less_probable_than_one_that_implies_it(engine):
    judged = engine.judge([check.text for check in read_functional_checks()[::40]])
    for label in engine.labels:
        for other in labels.IMPLIES.get(label, ()):
            assert (judged[other] >= judged[label]).all()
    assert (judged.uncertainty > 0).all()


def test_a_harmless_text_carries_no_label(engine):
    judged = engine.judge([HARMLESS])
    assert list(judged.probabilities) == [*engine.labels, *engine.other_labels]
    assert all(values[0] < 0.5 for values in judged.probabilities.values())


def test_a_judgement_answers_by_the_names_of_its_labels(engine):
    judged = engine.judge([HARMLESS])
    for label in engine.labels:
        assert getattr(judged, label) is judged[label]
    with pytest.raises(AttributeError, match="no label 'kind'"):
        judged.kind  # noqa: B018


def test_of_no_texts_there_is_no_judgement(engine):
    assert len(engine.predict_proba([])) == 0


@pytest.mark.parametrize("text", ["", " ", "\u200b", "!", "👩🏿", "日本", "\ud800", "a" * 10_000, "😀" * 3000])
def test_any_text_gets_a_probability(engine, text):
    assert 0 < engine.predict_proba([text])[0] < 1


def test_neighbours_and_their_order_change_nothing(engine):
    texts = [check.text for check in read_functional_checks()[::24]]
    texts += [HARMLESS * 8, HATEFUL + HARMLESS * 5]
    alone = np.array([engine.predict_proba([text])[0] for text in texts])
    draw = random.Random(0)
    for _ in range(3):
        order = draw.sample(range(len(texts)), 32)
        together = engine.predict_proba([texts[at] for at in order])
        assert np.abs(together - alone[order]).max() < 1e-4


def test_threads_change_nothing(engine):
    texts = [check.text for check in read_functional_checks()[::80]]
    other = EncoderEngine(engine.mean, engine.precision, Encoder(threads=2))
    assert np.abs(other.predict_proba(texts) - engine.predict_proba(texts)).max() < 1e-4


@pytest.mark.parametrize("sentences_before", [0, 1, 3, 6, 12, 25])
def test_one_hateful_sentence_anywhere_in_a_long_post_counts(engine, threshold, sentences_before):
    text = HARMLESS * sentences_before + HATEFUL + " " + HARMLESS * (25 - sentences_before)
    assert engine.predict_proba([HARMLESS * 26])[0] < threshold
    assert engine.predict_proba([text])[0] > threshold


def test_the_pick_windows_window_is_the_texts():
    starts = np.array([0, 1, 3])
    assert pick_windows(np.array([0.5, 0.1, 0.9, 0.3, 0.2]), starts).tolist() == [0, 2, 3]


# --- explanations ---


def explain_one(engine, text):
    return engine.explain([text])[1][0]


TEXTS = [
    HATEFUL,
    "h4te th@t   f o g",
    "👩🏿‍🌾 and 👩‍👩‍👧 went 🌧️🌧️ home",
    "e\u0301te\u0301 and nai\u0308ve",
    "שלום to all of you, and مرحبا",
    "fish &amp; chips, https://x.test/a?b and @some_one #ColdMorning",
    "  blanks around  ",
    HARMLESS * 12 + HATEFUL + HARMLESS * 3,
    "",
    "日本 and Россия",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_contributions_and_bias_sum_to_the_logit_of_the_probability(engine, text):
    explained = explain_one(engine, text)
    total = explained["bias"] + sum(word["contribution"] for word in explained["words"])
    assert total == pytest.approx(explained["logit"], abs=1e-9)
    judged = engine.judge([text])
    moderated = explained["logit"] / np.sqrt(1 + np.pi / 8 * judged.uncertainty[0] ** 2)
    assert 1 / (1 + np.exp(-moderated)) == pytest.approx(judged.hate[0], abs=1e-5)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_words_stand_where_they_are_said_to(engine, text):
    words = explain_one(engine, text)["words"]
    assert [text[word["start"] : word["end"]] for word in words] == [word["word"] for word in words]
    ends = [0, *(word["end"] for word in words)]
    assert all(end <= word["start"] for end, word in zip(ends, words, strict=False))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("h4te th@t   f o g g y", ["h4te", "th@t", "f o g g y"]),
        ("👩🏿‍🌾 went 🌧️🌧️ home", ["👩🏿‍🌾", "went", "🌧️🌧️", "home"]),
        ("e\u0301te\u0301 nai\u0308ve", ["e\u0301te\u0301", "nai\u0308ve"]),
        ("שלום fog", ["שלום", "fog"]),
        ("unbelievably foggy", ["unbelievably", "foggy"]),
        ("#ColdMorning &amp; you", ["#ColdMorning", "&amp;", "you"]),
    ],
)
def test_words_are_whole(engine, text, words):
    assert [word["word"] for word in explain_one(engine, text)["words"]] == words


def test_what_is_hateful_has_the_largest_share(engine):
    greeting = "Good morning, "
    words = explain_one(engine, greeting + HATEFUL)["words"]
    most = max((word for word in words if word["word"].isalpha()), key=lambda word: word["contribution"])["word"]
    assert most in HATEFUL
    harmless, hateful = [], []
    for word in words:
        (hateful if word["start"] >= len(greeting) else harmless).append(word["contribution"])
    assert np.mean(hateful) > 1.3 * np.mean(harmless)


# --- saving and loading ---


def manifest():
    return {"parameters": EncoderEngine.parameters(), "labels": list(Shipped().labels)}


def test_a_head_is_saved_without_its_encoder(engine, tmp_path):
    engine.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]
    loaded = EncoderEngine.load(tmp_path, manifest())
    assert loaded.predict_proba([HATEFUL]) == engine.predict_proba([HATEFUL])


def test_a_head_of_another_encoder_is_refused(engine, tmp_path):
    engine.save(tmp_path)
    with pytest.raises(ForeignEncoderError, match="next training"):
        EncoderEngine.load(tmp_path, manifest() | {"parameters": {"encoder": "0" * 64}})


@pytest.mark.parametrize(
    "arrays",
    [
        {"mean": np.zeros((2, 385)), "precision": np.zeros((2, 385, 385), np.float32)},
        {"mean": np.zeros((2, 384)), "precision": np.ones((2, 385, 385), np.float32)},
        {"mean": np.full((2, 385), np.nan), "precision": np.stack([np.eye(385, dtype=np.float32)] * 2)},
        {"mean": np.zeros((2, 385), np.float32), "precision": np.stack([np.eye(385, dtype=np.float32)] * 2)},
        {"mean": np.zeros((2, 385))},
    ],
    ids=["not positive", "shape", "nan", "type", "missing"],
)
def test_a_head_that_is_none_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(CorruptVersionError):
        EncoderEngine.load(tmp_path, manifest())


@pytest.fixture
def copied(tmp_path):
    """Give a copy of the shipped files, to break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "pretrained"))


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "manifest.json"])
@pytest.mark.parametrize("how", ["missing", "changed"])
def test_a_broken_file_of_the_encoder_is_one_clear_error(copied, name, how):
    if how == "missing":
        (copied / name).unlink()
    else:
        (copied / name).write_bytes(b"nonsense")
    with pytest.raises(PretrainedError, match=f"{name}.*Install this release again"):
        Encoder(copied)


@pytest.mark.parametrize("changes", [{"width": None}, {"window": "wide"}, {"labels": 2}, {"files": 1}])
def test_a_manifest_that_lacks_something_is_one_clear_error(copied, changes):
    path = copied / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(PretrainedError, match=r"manifest.json.*Install this release again"):
        Encoder(copied)


@pytest.mark.parametrize(("name", "read"), [("head.npz", "head"), ("seen.npy", "learned"), ("evaluation.npz", "evaluation")])
def test_so_is_any_other_file(copied, name, read):
    (copied / name).write_bytes((copied / name).read_bytes()[:-1])
    with pytest.raises(PretrainedError, match=name):
        getattr(Shipped(copied), read)()


def test_there_is_one_session_a_process():
    assert load_encoder() is load_encoder()


def test_it_serves_without_the_libraries_of_training(tmp_path):
    code = """
import sys
from pathlib import Path
from hate_speech_AI.core import Classifier, open_store
classifier = Classifier(open_store("encoder", Path(sys.argv[1])))
print(classifier.predict_single_tweet("All women are worthless"), len(classifier.explain(["Good morning"])[0]["words"]))
print(sorted({"django", "sklearn", "scipy", "pandas", "nltk", "matplotlib", "torch"} & set(sys.modules)))
"""
    begin = "import sys; from pathlib import Path; from hate_speech_AI.core import open_store\n"
    begin += "from hate_speech_AI.promotion import bootstrap_shipped_version\n"
    begin += "print(bootstrap_shipped_version(open_store('encoder', Path(sys.argv[1]))))"
    for script, expected in ((begin, None), (code, ["1 2", "[]"])):
        command = [sys.executable, "-c", script, str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=dict(os.environ))
        assert expected is None or done.stdout.splitlines() == expected
