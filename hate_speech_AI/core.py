"""`classifier`: the one object that views and tasks share. It serves the active version of a model store."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .engines import ENGINES
from .errors import ModelMissingError
from .following import Follower
from .store import ModelStore, Pointer
from .version import Prediction, Version

__all__ = ["Classifier", "Prediction", "classifier", "open_default_store", "open_store"]

_SCORE_SECONDS = 24 * 3600


class Cache(Protocol):
    """What `get_score` needs of a cache; Django's caches fit."""

    def get(self, key: str): ...
    def set(self, key: str, value, timeout: float): ...


@dataclass(frozen=True, slots=True)
class _Served:
    """What changes together when another store is served."""

    store: ModelStore
    cache: Cache | None
    follower: Follower


class Classifier:
    """The active version of a model store.

    Parameters
    ----------
    store : ModelStore
    cache : Cache, optional
        Where scores are kept between processes; without one they are read from the manifests.
    """

    def __init__(self, store: ModelStore, cache: Cache | None = None):
        self._served = _Served(store, cache, Follower(store))

    def use(self, store: ModelStore, cache: Cache | None = None) -> None:
        """Serve from `store` from now on."""
        before, self._served = self._served, _Served(store, cache, Follower(store))
        before.follower.stop()

    @property
    def store(self) -> ModelStore:
        return self._served.store

    @property
    def cache(self) -> Cache | None:
        return self._served.cache

    def current(self) -> Version:
        """Return the loaded version: one snapshot, whatever becomes active meanwhile.

        Raises
        ------
        ModelMissingError
            No version is active yet.
        HateSpeechError
            The active version cannot be loaded, and there was none before it.
        """
        return self._served.follower.current()

    def follow(self) -> None:
        """Load the active version, if there is one, and follow the pointer from now on in a thread of this process."""
        self._served.follower.start()

    def predict(self, texts: list[str], *, with_reviews: bool = True) -> list[Prediction]:
        """Return the verdicts on `texts`, in order, all by one version; raises what `current` raises.

        What a person has reviewed is answered as reviewed; `with_reviews=False` asks the model alone.
        """
        return self._served.follower.current().judge(texts, with_reviews=with_reviews)

    def explain(self, texts: list[str]) -> list[dict | None]:
        """Return why the active version's model judges each text as it does, as `Engine.explain` describes it.

        Raises what `current` raises, and `NoExplanationError` if the engine cannot explain.
        """
        return [prediction.explanation for prediction in self.current().judge(texts, explain=True, with_reviews=False)]

    def predict_single_tweet(self, tweet: str) -> int:
        """Return 1 if `tweet` is hate speech, else 0; raises what `current` raises."""
        return int(self.predict([tweet])[0].is_hate_speech)

    def train_model(
        self, rows: Iterable, report_progress: Callable[[str, int], None] = lambda stage, rows_read: None, **options: Any
    ) -> str:
        """Run a training to its end and return the name of its version.

        Parameters
        ----------
        rows, options
            As of `promotion.Training`.
        report_progress : callable, optional
            Called with the stage and the rows read, before each step and now and then within it.

        Raises
        ------
        NotEnoughDataError
            The rows cannot train the engine.
        """
        from .promotion import Training  # not at the top: serving does without it

        training = Training(self.store, rows, **options)
        for progress in training.run():
            report_progress(*progress)
        if self.pointer():
            self.get_score()  # into the cache
        return training.version

    def pointer(self) -> Pointer | None:
        """Return what the store points to; `None` if nothing, or if what is there cannot be read, which is logged."""
        return self.store.find_pointer()

    def get_score(self) -> dict:
        """Return the active version's figures on its held-out tweets, from the cache, else from its manifest.

        Raises
        ------
        ModelMissingError
            No version is active yet.
        """
        served = self._served
        pointer = served.store.pointer()
        if pointer is None:
            raise ModelMissingError("The first training has not finished.")
        version = pointer.version
        key = f"score:{version}"
        score = served.cache.get(key) if served.cache is not None else None
        if score is None:
            score = {**served.store.manifest(version)["score"], "version": version}
            if served.cache is not None:
                served.cache.set(key, score, _SCORE_SECONDS)
        return {**score, "pinned": pointer.is_pinned}


def open_store(engine: str, data_dir: Path) -> ModelStore:
    """Return the store of an engine's versions below the folder of all that the service writes."""
    return ModelStore(data_dir / "models" / engine, ENGINES[engine])


def open_default_store() -> ModelStore:
    """Return the store of `HATE_SPEECH_ENGINE` below `HATE_SPEECH_DATA_DIR`, or below `var` where the process stands."""
    data_dir = Path(os.environ.get("HATE_SPEECH_DATA_DIR", "var"))
    return open_store(os.environ.get("HATE_SPEECH_ENGINE", "encoder"), data_dir)


classifier = Classifier(open_default_store())
