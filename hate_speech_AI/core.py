"""`classifier`: the one object that views and tasks share.

It holds one loaded version and follows the pointer of the model store: a thread looks at it twice a second, loads what it
names and then swaps one reference, so a request never waits for a load and never meets a half-loaded version.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import training
from .engines.linear import LinearEngine
from .errors import HateSpeechError, ModelMissingError
from .store import ModelStore
from .training import Row

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5
_SCORE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Prediction:
    """The verdict on one text.

    Attributes
    ----------
    is_hate_speech : bool
        Whether `probability` reaches `threshold`.
    probability : float
        From 0 to 1; 1 is hateful.
    threshold : float
        Of the version, chosen in its training.
    version : str
        The version that gave the verdict.
    """

    is_hate_speech: bool
    probability: float
    threshold: float
    version: str


class Cache(Protocol):
    """What `get_score` needs of a cache; Django's caches fit."""

    def get(self, key: str): ...
    def set(self, key: str, value, timeout: float): ...


@dataclass(frozen=True, slots=True)
class _Loaded:
    version: str
    engine: LinearEngine
    threshold: float


class Classifier:
    """The active version of a model store.

    Parameters
    ----------
    store : ModelStore
    cache : Cache, optional
        Where scores are kept between processes; without one they are read from the manifests.
    """

    def __init__(self, store: ModelStore, cache: Cache | None = None):
        self.use(store, cache)

    def use(self, store: ModelStore, cache: Cache | None = None) -> None:
        """Serve from `store` from now on."""
        self.store, self._cache = store, cache
        self._loaded: _Loaded | None = None
        self._last_error: str | None = None
        self._lock = threading.Lock()
        self._follower_process: int | None = None

    def predict(self, texts: list[str]) -> list[Prediction]:
        """Return the verdicts on `texts`, in order, all by one version.

        Raises
        ------
        ModelMissingError
            No version can be served yet.
        """
        loaded = self._current()
        probabilities = loaded.engine.predict_proba(texts).tolist()
        threshold, version = loaded.threshold, loaded.version
        return [Prediction(p >= threshold, p, threshold, version) for p in probabilities]

    def predict_single_tweet(self, tweet: str) -> int:
        """Return 1 if `tweet` is hate speech, else 0."""
        return int(self.predict([tweet])[0].is_hate_speech)

    def train_model(self, rows: Iterable[Row], report: Callable[[str, int], None] = lambda stage, done: None) -> str:
        """Train on labelled rows, save and activate the version, cache its score, and return its name.

        Raises
        ------
        NotEnoughDataError
            The rows lack one of the labels.
        """
        candidate = training.train(rows, report)
        report("saving", 0)
        version = self.store.save(candidate)
        self.store.activate(version)
        self.get_score()
        return version

    def get_score(self) -> dict:
        """Return the active version's figures on its held-out tweets, from the cache, else from its manifest.

        Raises
        ------
        ModelMissingError
            No version is active yet.
        """
        version = self.store.active()
        if version is None:
            raise ModelMissingError("The first training has not finished.")
        key = f"score:{version}"
        score = self._cache.get(key) if self._cache is not None else None
        if score is None:
            score = {**self.store.manifest(version)["score"], "version": version}
            if self._cache is not None:
                self._cache.set(key, score, _SCORE_SECONDS)
        return score

    def follow(self) -> None:
        """Load the active version, if there is one, and follow the pointer from now on in a thread of this process."""
        with self._lock:
            if self._follower_process == os.getpid():
                return
            self._refresh()
            threading.Thread(target=self._follow, args=(self.store,), name="follow-active-version", daemon=True).start()
            self._follower_process = os.getpid()

    def _current(self) -> _Loaded:
        # A thread does not survive a fork: each process starts its own, once.
        if self._follower_process != os.getpid():
            self.follow()
        if self._loaded is None:
            with self._lock:
                self._refresh()  # the first version is served as soon as /score tells of it, not at the next look
        if self._loaded is None:
            raise ModelMissingError("The first training has not finished.")
        return self._loaded

    def _follow(self, store: ModelStore) -> None:
        pause = threading.Event()
        while self.store is store:
            pause.wait(FOLLOW_SECONDS)
            try:
                self._refresh()
            except Exception:
                # Without this thread the process would serve its version for ever.
                logger.exception("The active version could not be looked up; the next look is in %s s.", FOLLOW_SECONDS)

    def _refresh(self) -> None:
        """Load the version that the pointer names, unless it is loaded; while that fails the one before it goes on serving."""
        try:
            name = self.store.active()
            if name is None or (self._loaded and name == self._loaded.version):
                return
            engine, manifest = self.store.load(name)
        except (HateSpeechError, OSError) as error:
            # Tried again at the next look, since a shared folder may bring the files late; logged once.
            if str(error) != self._last_error:
                logger.error("The active version cannot be served: %s", error)
                self._last_error = str(error)
            return
        self._loaded = _Loaded(name, engine, float(manifest["threshold"]))
        self._last_error = None
        logger.info("Serving version %s", name)


def default_store() -> ModelStore:
    """Return the store below `HATE_SPEECH_DATA_DIR`, or below `var` where the process stands."""
    return ModelStore(Path(os.environ.get("HATE_SPEECH_DATA_DIR", "var")) / "models")


classifier = Classifier(default_store())
