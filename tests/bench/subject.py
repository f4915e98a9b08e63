"""What the bench measures of an encoder: how its probabilities fit labelled texts."""

import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.session import Encoder
from hate_speech_AI.engines.encoder.shipped import Shipped
from hate_speech_AI.evaluation.functional_checks import read_functional_checks, summarise_checks
from hate_speech_AI.evaluation.metrics import calibration_error
from hate_speech_AI.labels import HATE
from hate_speech_AI.manifest import CheckFigures

_AT_ONCE = 4096
_WORD = re.compile(r"[A-Za-z]{4,}")


class Subject:
    """The encoder and the head of a folder such as `pretrained/`. It judges each text once.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path):
        self.files = Shipped(folder)
        self.engine = EncoderEngine(*self.files.head(), Encoder(folder, threads=2), self.files.labels, self.files.others())
        self.labels = (*self.engine.labels, *self.engine.other_labels, *self.engine.targets)
        self.threshold = self.files.manifest["threshold"]
        self._probabilities: dict[str, np.ndarray] = {}

    def probability(self, texts: list[str], label: str = HATE) -> np.ndarray | None:
        """Return the probability of a label for each text; `None` if the folder does not know the label."""
        if label not in self.labels:
            return None
        new = [text for text in dict.fromkeys(texts) if text not in self._probabilities]
        for at in range(0, len(new), _AT_ONCE):
            some = new[at : at + _AT_ONCE]
            judged = self.engine.judge(some)
            known = [judged[name] for name in (*self.engine.labels, *self.engine.other_labels)]
            targets = [] if judged.targets is None else judged.targets.T
            self._probabilities.update(zip(some, np.array([*known, *targets]).T, strict=True))
        place = self.labels.index(label)
        return np.array([self._probabilities[text][place] for text in texts])

    def flag(self, texts: list[str], label: str = HATE) -> np.ndarray:
        """Return which texts carry a label: hate at the folder's threshold, another label at a half."""
        return self.probability(texts, label) >= (self.threshold if label == HATE else 0.5)


class Labelled(NamedTuple):
    """Texts, and which of them carry a label."""

    texts: list[str]
    truth: np.ndarray

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, bool]]) -> "Labelled":
        texts, truth = zip(*pairs, strict=True)
        return cls(list(texts), np.array(truth, bool))


# Returns a figure of a subject; `None` if the subject does not know the label.
Measure = Callable[[Subject], float | None]


def accuracy(some: Labelled) -> Measure:
    return lambda subject: accuracy_score(some.truth, subject.flag(some.texts))


def macro_f1(some: Labelled) -> Measure:
    return lambda subject: f1_score(some.truth, subject.flag(some.texts), average="macro")


def roc_auc(some: Labelled, label: str = HATE) -> Measure:
    def measure(subject: Subject) -> float | None:
        probability = subject.probability(some.texts, label)
        return None if probability is None else roc_auc_score(some.truth, probability)

    return measure


def mean_roc_auc(by_label: dict[str, Labelled]) -> Measure:
    """Return the mean over labels, all of which the subject has to know."""

    def measure(subject: Subject) -> float | None:
        figures = [roc_auc(some, label)(subject) for label, some in by_label.items()]
        return None if None in figures else float(np.mean(figures))

    return measure


def share_flagged(texts: list[str], label: str = HATE) -> Measure:
    return lambda subject: float(subject.flag(texts, label).mean())


def points_between(first: Measure, second: Measure) -> Measure:
    """Return how much the first share exceeds the second, in points."""
    return lambda subject: 100 * (first(subject) - second(subject))


def functional_checks(choose: Callable[[float, CheckFigures], float]) -> Measure:
    """Return what `choose` makes of the share of right answers, and of the figures by group and identity."""
    some = Labelled.of((check.text, check.label) for check in read_functional_checks())

    def measure(subject: Subject) -> float:
        right = subject.flag(some.texts) == some.truth
        return choose(float(right.mean()), summarise_checks(right))

    return measure


def calibration(some: Labelled) -> Measure:
    return lambda subject: calibration_error(some.truth, subject.probability(some.texts))


def frozen_calibration(subject: Subject) -> float:
    """Return the calibration error on the evaluation set of the subject's folder."""
    frozen = subject.files.evaluation().select_split("test").select_known(HATE)
    return calibration_error(frozen.truth(), subject.engine.judge_embeddings(frozen.vectors)[HATE])


def int8_differs(subject: Subject) -> float:
    """Return the share of labels, in percent, that the recipe found to differ from float32. It takes PyTorch."""
    return 100 * subject.files.manifest["figures"]["int8_differs_from_float32"]


def alone_or_among(texts: list[str]) -> Measure:
    """Return the largest difference between a text's probability alone, and that among 31 others."""

    def measure(subject: Subject) -> float:
        alone = np.array([subject.engine.predict_proba([text])[0] for text in texts])
        order = random.Random(0).sample(range(len(texts)), len(texts))
        among = np.empty(len(texts))
        for at in range(0, len(order), 32):
            places = order[at : at + 32]
            among[places] = subject.engine.predict_proba([texts[place] for place in places])
        return float(np.abs(alone - among).max())

    return measure


def still_caught(hateful: list[str], disguise: Callable[[str, random.Random], str]) -> Measure:
    """Return the share of the hate that the subject flags which it still flags in disguise."""

    def measure(subject: Subject) -> float:
        draw = random.Random(1)
        caught = [text for text, flag in zip(hateful, subject.flag(hateful), strict=True) if flag]
        return share_flagged([disguise(text, draw) for text in caught])(subject)

    return measure


def _change_a_third(text: str, places: list[int], draw: random.Random, change: Callable[[str], str]) -> str:
    """Change the characters at a third of the places, and at one at least if there is any."""
    chosen = set(draw.sample(places, -(-len(places) // 3)))
    return "".join(change(char) if at in chosen else char for at, char in enumerate(text))


def _inside(text: str, draw: random.Random) -> list[int]:
    """Draw one inner place of each word of at least four letters."""
    return [draw.randrange(word.start() + 1, word.end() - 1) for word in _WORD.finditer(text)]


def leave_out_letters(text: str, draw: random.Random) -> str:
    return _change_a_third(text, _inside(text, draw), draw, lambda _: "")


def add_blanks(text: str, draw: random.Random) -> str:
    return _change_a_third(text, _inside(text, draw), draw, lambda char: f" {char}")


def remove_blanks(text: str, draw: random.Random) -> str:
    return _change_a_third(text, [at for at, char in enumerate(text) if char == " "], draw, lambda _: "")
