"""The interface of an engine. The rest of the code uses nothing else of an engine."""

from abc import ABC, abstractmethod
from collections.abc import Container, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypedDict

from ..arrays import Floats, Places
from ..budget import Budget
from ..errors import NoExplanationError
from ..manifest import CandidateManifest, CheckFigures, Choices, Manifest

if TYPE_CHECKING:
    from ..training.progress import Steps
    from ..training.rows import Row, Split
    from .evaluation_set import EvaluationSet


class Word(TypedDict):
    """A word of a text, and what it adds to the logit. "start" and "end" (exclusive) count code points of the text."""

    word: str
    start: int
    end: int
    contribution: float


class Explanation(TypedDict):
    """Why a model judges a text as it does. "logit" is that of the first label: the sum of "bias" and all contributions."""

    logit: float
    bias: float
    words: list[Word]


@dataclass(slots=True)
class Judgement:
    """The judgement of an engine on n texts.

    Attributes
    ----------
    probabilities : dict of str to ndarray of float64, shape (n,)
        By label, the engine's first label first. `judgement["hate"]` and `judgement.hate` are short for `probabilities["hate"]`.
    uncertainty : ndarray of float64, shape (n,), or None
        Standard deviation of the first label's logit under the posterior. It is large for a text unlike the training rows. `None`
        if the engine has no posterior.
    targets : ndarray of float64, shape (n, len(engine.targets)), or None
        The probability that the text attacks each of these groups. `None` if the engine knows no targets.
    truncated : list of int
        The places of the texts that were too long to be read as a whole.
    """

    probabilities: dict[str, Floats]
    uncertainty: Floats | None = None
    targets: Floats | None = None
    truncated: list[int] = field(default_factory=list)

    def __getitem__(self, label: str) -> Floats:
        return self.probabilities[label]

    def __getattr__(self, label: str) -> Floats:
        probabilities: dict[str, Floats] = object.__getattribute__(self, "probabilities")
        try:
            return probabilities[label]
        except KeyError:
            raise AttributeError(f"The engine knows no label {label!r}.") from None

    def take(self, places: Places) -> "Judgement":
        """Return the judgement on the texts at these places."""
        uncertainty, targets = (None if column is None else column[places] for column in (self.uncertainty, self.targets))
        return Judgement({label: values[places] for label, values in self.probabilities.items()}, uncertainty, targets)


@dataclass(frozen=True)
class Losses:
    """Texts that a candidate answers wrongly, though a rival answers them rightly.

    Attributes
    ----------
    texts : list of str
    pulls : ndarray of float64, shape (len(texts),)
        Which way each was pulled, and its weight: above 0 towards the first label, below 0 away from it.
    evaluation : EvaluationSet, optional
        Such texts of the shipped evaluation set.
    evaluation_pulls : ndarray of float64
    """

    texts: list[str]
    pulls: Floats
    evaluation: "EvaluationSet | None"
    evaluation_pulls: Floats


@dataclass(frozen=True)
class OutOfFold:
    """What a training says of reviews out of fold: each is judged by an engine that was fitted to other texts.

    Attributes
    ----------
    digests : list of str
        The fingerprints of the reviews, of length n.
    probabilities : ndarray of float64, shape (n,)
        Of the first label.
    copies : ndarray of int, shape (n,)
        Near copies share a number. They are in one fold.
    """

    digests: list[str]
    probabilities: Floats
    copies: Places


@dataclass(frozen=True)
class Fitted:
    """An engine that is fitted: by a training, or before it was shipped.

    Attributes
    ----------
    engine : Engine
    threshold : float
        A text is flagged if its probability of the first label reaches the threshold.
    choices : Choices
        What the training chose, for the manifest.
    checks : CheckFigures, optional
        The figures on the functional checks, if they are known already.
    out_of_fold : OutOfFold, optional
        What it says of the reviews out of fold, if they are enough for that.
    """

    engine: "Engine"
    threshold: float
    choices: Choices = field(default_factory=Choices)
    checks: CheckFigures | None = None
    out_of_fold: OutOfFold | None = None


class Engine(ABC):
    """Turns texts into probabilities, and learns from labelled rows.

    Attributes
    ----------
    name : str
        The name in HATE_SPEECH_ENGINE and in the manifests.
    files : tuple of str
        The files that `save` writes.
    can_explain : bool
        Whether `explain` works.
    is_shipped_ready : bool
        Whether `load_shipped` returns an engine. Such an engine can serve before the first training.
    labels : tuple of str
        The labels that the engine learns. The verdict is about the first.
    other_labels : tuple of str
        The labels that the engine knows too, but does not learn.
    targets : tuple of str
        The groups that it can name as those a text attacks.
    """

    name: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    can_explain: ClassVar[bool] = False
    is_shipped_ready: ClassVar[bool] = False
    labels: tuple[str, ...]
    other_labels: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    # --- serving ---

    @abstractmethod
    def judge(self, texts: list[str], budget: Budget | None = None) -> Judgement:
        """Return the judgement on `texts`. That on one text does not depend on the others.

        Raises
        ------
        TooManyTokensError, DeadlineError, AbandonedError
            The budget says so. `None` is no limit.
        """

    def predict_proba(self, texts: list[str]) -> Floats:
        """Return the probability of the first label: float64, shape (len(texts),), from 0 to 1."""
        return self.judge(texts)[self.labels[0]]

    def explain(self, texts: list[str], budget: Budget | None = None) -> tuple[Judgement, list[Explanation]]:
        """Return the judgement on `texts` and the explanation of each, from one encoding.

        Raises
        ------
        TooManyTokensError, DeadlineError, AbandonedError
            The budget says so.
        NoExplanationError
            The engine cannot explain its judgements.
        """
        raise NoExplanationError(f"Engine {self.name} explains nothing; HATE_SPEECH_ENGINE=encoder does.")

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write `files` into `folder`. Nothing in them may execute on load."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, manifest: Manifest) -> Self:
        """Load the engine of the version with this manifest, which `save` wrote.

        Raises
        ------
        CorruptVersionError
            The files or the parameters are not those of this engine.
        ForeignEncoderError
            The version was trained for another encoder than the shipped one.
        """

    # --- learning ---

    @classmethod
    @abstractmethod
    def parameters(cls) -> Mapping[str, Any]:
        """Return the parameters of a training in this release. With other parameters, the same rows give another version."""

    @classmethod
    @abstractmethod
    def fit_candidates(cls, split: "Split") -> "Steps[list[Fitted]]":
        """Fit on the rows of a split and return the candidates for the gate, the best first.

        Raises
        ------
        NotEnoughDataError
            The rows cannot train this engine.
        """

    @abstractmethod
    def estimate_harm(self, rows: "list[Row]", losses: Losses) -> Floats:
        """Estimate how much each row of the first label pulled the lost texts the wrong way: float64, shape (len(rows),).

        This is the influence of a row on the logits of the texts, to first order (Koh and Liang 2017, "Understanding Black-box
        Predictions via Influence Functions").
        """

    @classmethod
    def cache_embeddings(cls, folder: Path) -> AbstractContextManager[None]:
        """Cache embeddings below `folder` while the context lasts, so that later trainings need not compute them again."""
        return nullcontext()

    @classmethod
    def is_placeholder(cls, active: CandidateManifest, candidate: CandidateManifest) -> bool:
        """Return whether the active version only shows that the engine works. Then the gate does not compare with it."""
        return False

    # --- what ships with the engine ---

    @classmethod
    def load_shipped(cls) -> Fitted | None:
        """Load the shipped engine; `None` if this engine has to be trained first. Raises `PretrainedError`."""
        return None

    @classmethod
    def name_shipped(cls) -> str:
        """Return the name of the shipped engine as a version: by its content, so that it is the same in every installation."""
        raise NotImplementedError(f"Engine {cls.name} has to be trained first.")

    @classmethod
    def load_evaluation_set(cls) -> "EvaluationSet | None":
        """Load the evaluation set that ships with this engine; `None` if none does. Raises `PretrainedError`."""
        return None

    def judge_evaluation_set(self, texts: "EvaluationSet") -> Judgement:
        """Return the judgement on the evaluation set that ships with this engine, or on a part of it."""
        raise NotImplementedError(f"No evaluation set ships with engine {self.name}.")

    @classmethod
    def learned_before(cls) -> Container[str]:
        """Return the fingerprints of the texts that the shipped engine has learned from. Raises `PretrainedError`."""
        return ()
