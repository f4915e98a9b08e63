"""What an engine is. The rest of the code asks an engine only what stands here."""

from abc import ABC, abstractmethod
from collections.abc import Container, Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ..errors import NoExplanationError

if TYPE_CHECKING:
    from ..training.progress import Progress
    from ..training.rows import Split
    from .evaluation_set import EvaluationSet


@dataclass(slots=True)
class Judgement:
    """What an engine says of n texts.

    Attributes
    ----------
    probabilities : dict of str to ndarray of float64, shape (n,)
        By label, the engine's first label first. `judgement["hate"]` and `judgement.hate` are short for `probabilities["hate"]`.
    uncertainty : ndarray of float64, shape (n,), or None
        Standard deviation of the first label's logit under the posterior: how little the training rows say of such a text.
        `None` if the engine does not know it.
    """

    probabilities: dict[str, np.ndarray]
    uncertainty: np.ndarray | None = None

    def __getitem__(self, label: str) -> np.ndarray:
        return self.probabilities[label]

    def __getattr__(self, label: str) -> np.ndarray:
        try:
            return object.__getattribute__(self, "probabilities")[label]
        except KeyError:
            raise AttributeError(f"The engine knows no label {label!r}.") from None

    def take(self, places: np.ndarray) -> "Judgement":
        """Return the judgement of the texts at these places."""
        uncertainty = None if self.uncertainty is None else self.uncertainty[places]
        return Judgement({label: values[places] for label, values in self.probabilities.items()}, uncertainty)


@dataclass(frozen=True)
class Fitted:
    """An engine that was fitted on rows, or is shipped ready.

    Attributes
    ----------
    engine : Engine
    threshold : float
        The probability of the first label from which a text is flagged.
    choices : dict
        How it was fitted, for the manifest.
    checks : dict, optional
        Its figures on the functional checks, where they are known already.
    """

    engine: "Engine"
    threshold: float
    choices: dict = field(default_factory=dict)
    checks: dict | None = None


class Engine(ABC):
    """What turns texts into probabilities, and learns to from labelled rows.

    Attributes
    ----------
    name : str
        As HATE_SPEECH_ENGINE and the manifests spell it.
    files : tuple of str
        What `save` writes.
    can_explain : bool
        Whether `explain` answers.
    is_shipped_ready : bool
        Whether `load_shipped` returns an engine, which can serve before the first training.
    labels : tuple of str
        The labels that it knows; the verdict is about the first.
    """

    name: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    can_explain: ClassVar[bool] = False
    is_shipped_ready: ClassVar[bool] = False
    labels: tuple[str, ...]

    # --- serving ---

    @abstractmethod
    def judge(self, texts: list[str]) -> Judgement:
        """Return the judgement of `texts`. It does not depend on their neighbours or order."""

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """Return the probability of the first label: float64, shape (len(texts),), from 0 to 1."""
        return self.judge(texts)[self.labels[0]]

    def explain(self, texts: list[str]) -> tuple[Judgement, list[dict]]:
        """Return the judgement of `texts` and the explanation of each, from one encoding.

        Returns
        -------
        tuple
            What `judge` returns, and for each text a dict: "logit" of the first label; "bias"; "words", dicts of "word",
            "start", "end" (in code points of the text, end exclusive) and "contribution". Bias and contributions sum to the
            logit.

        Raises
        ------
        NoExplanationError
            The engine cannot explain its judgements.
        """
        raise NoExplanationError(f"Engine {self.name} explains nothing; HATE_SPEECH_ENGINE=encoder does.")

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write `files` into `folder`: nothing that executes on load."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, manifest: dict) -> Self:
        """Return the engine that `save` wrote for the version of this manifest.

        Raises
        ------
        VersionError
            The files are not what `save` wrote, or they need something that this release does not ship.
        """

    # --- learning ---

    @classmethod
    @abstractmethod
    def parameters(cls) -> dict:
        """Return the parameters of a training now: with other parameters, the same rows make another version."""

    @classmethod
    @abstractmethod
    def fit_candidates(cls, split: "Split") -> Generator["Progress", None, list[Fitted]]:
        """Fit on the rows of a split, yielding progress; return what the gate is to choose from, the best first.

        Raises
        ------
        NotEnoughDataError
            The rows cannot train this engine.
        """

    @classmethod
    def cache_embeddings(cls, folder: Path) -> AbstractContextManager:
        """Keep below `folder` what later trainings can use again, while the context lasts."""
        return nullcontext()

    @classmethod
    def is_placeholder(cls, active: dict, candidate: dict) -> bool:
        """Return whether the active version, by both manifests, only shows that the engine works: then it is no rival."""
        return False

    # --- what ships with it ---

    @classmethod
    def load_shipped(cls) -> Fitted | None:
        """Return the engine as it ships; `None` if it has to be trained first. Raises `PretrainedError`."""
        return None

    @classmethod
    def load_evaluation_set(cls) -> "EvaluationSet | None":
        """Return the evaluation set that ships with the engine; `None` if none does. Raises `PretrainedError`."""
        return None

    def judge_evaluation_set(self, texts: "EvaluationSet") -> Judgement:
        """Return the judgement of the texts of the engine's evaluation set, or of a part of it."""
        raise NotImplementedError(f"No evaluation set ships with engine {self.name}.")

    @classmethod
    def learned_before(cls) -> Container[str]:
        """Return the fingerprints of the texts that the shipped engine has learned from. Raises `PretrainedError`."""
        return ()
