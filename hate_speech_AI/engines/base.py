"""What an engine is."""

from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np


class Engine(Protocol):
    """What turns texts into probabilities.

    Attributes
    ----------
    name : str
        As HATE_SPEECH_ENGINE and the manifests spell it.
    files : tuple of str
        What `save` writes.
    """

    name: ClassVar[str]
    files: ClassVar[tuple[str, ...]]

    def predict_proba(self, texts: list[str]) -> np.ndarray: ...

    def save(self, folder: Path) -> None: ...

    @classmethod
    def load(cls, folder: Path, parameters: dict) -> Self: ...
