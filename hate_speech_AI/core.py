"""`classifier`: the object that views and tasks share. It serves the active version of a model store."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .engines import ENGINES
from .engines.reasons import Explanation
from .errors import ModelMissingError
from .following import Follower
from .manifest import Score
from .store import ModelStore, Pointer
from .version import Prediction, Version

if TYPE_CHECKING:
    from .training.rows import RowFields

__all__ = ["Classifier", "Prediction", "classifier", "open_default_store", "open_store"]

_SCORE_SECONDS = 24 * 3600


class Cache(Protocol):
    """The cache that `get_score` needs. Django's caches fit."""

    def get(self, key: str, /) -> Any: ...
    def set(self, key: str, value: Any, timeout: int, /) -> None: ...


class VersionScore(Score):
    """A score and the version that has it."""

    version: str


class ServedScore(VersionScore):
    """The score of the active version, and whether that version is pinned."""

    pinned: bool


@dataclass(frozen=True, slots=True)
class _Served:
    """A store and what belongs to it. Another store replaces all of it at once."""

    store: ModelStore
    cache: Cache | None
    follower: Follower


class Classifier:
    """Serves the active version of a model store.

    Parameters
    ----------
    store : ModelStore
    cache : Cache, optional
        The cache of scores, which processes share. Without one, scores are read from the manifests.
    """

    def __init__(self, store: ModelStore, cache: Cache | None = None):
        self._served = _Served(store, cache, Follower(store))

    def use(self, store: ModelStore, cache: Cache | None = None) -> None:
        """Serve from another store from now on."""
        before, self._served = self._served, _Served(store, cache, Follower(store))
        before.follower.stop()

    @property
    def store(self) -> ModelStore:
        return self._served.store

    @property
    def cache(self) -> Cache | None:
        return self._served.cache

    def current(self) -> Version:
        """Return the loaded version. It stays the same object, even if another version is activated meanwhile.

        Raises
        ------
        ModelMissingError
            No version is active yet.
        HateSpeechError
            The active version cannot be loaded, and no other was loaded before.
        """
        return self._served.follower.current()

    def follow(self) -> None:
        """Load the active version, if there is one, and follow the pointer in a thread of this process."""
        self._served.follower.start()

    def predict(self, texts: list[str], *, with_reviews: bool = True) -> list[Prediction]:
        """Return the verdicts on `texts`, in order, all by one version. Raises what `current` raises.

        A review decides over the model. `with_reviews=False` asks the model alone.
        """
        return self._served.follower.current().judge(texts, with_reviews=with_reviews)

    def explain(self, texts: list[str]) -> list[Explanation]:
        """Return the reasons of the active version's model for its judgement of each text.

        Raises what `current` raises, and `NoExplanationError` if the engine cannot explain.
        """
        return self.current().engine.explain(texts)[1]

    def predict_single_tweet(self, tweet: str) -> int:
        """Return 1 if `tweet` is hate speech, else 0. Raises what `current` raises."""
        return int(self.predict([tweet])[0].is_hate_speech)

    def train_model(
        self,
        rows: "Iterable[RowFields]",
        report_progress: Callable[[str, int], None] = lambda stage, rows_read: None,
        **options: Any,
    ) -> str:
        """Run a training to its end and return the name of its version.

        Parameters
        ----------
        rows, **options
            The parameters of `promotion.Training`.
        report_progress : callable, optional
            Called with the stage and the rows read, before each step and from time to time within it.

        Raises
        ------
        NotEnoughDataError
            The rows cannot train the engine.
        """
        from .promotion import Training  # not at the top: serving does without it

        training = Training(self.store, rows, **options)
        for progress in training.run():
            report_progress(*progress)
        self.cache_score()
        return training.version

    def pointer(self) -> Pointer | None:
        """Return the pointer of the store; `None` before the first activation, or if it cannot be read, which is logged."""
        return self.store.find_pointer()

    def cache_score(self) -> None:
        """Put the active version's figures into the cache; do nothing before the first activation."""
        if self.pointer():
            self.get_score()

    def get_score(self) -> ServedScore:
        """Return the score of the active version, from the cache or else from its manifest.

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
        score: VersionScore | None = served.cache.get(key) if served.cache is not None else None
        if score is None:
            score = {**served.store.manifest(version)["score"], "version": version}
            if served.cache is not None:
                served.cache.set(key, score, _SCORE_SECONDS)
        return {**score, "pinned": pointer.is_pinned}


def open_store(engine: str, data_dir: Path) -> ModelStore:
    """Return the store of an engine below `data_dir`, the folder that the service writes to."""
    return ModelStore(data_dir / "models" / engine, ENGINES[engine])


def open_default_store() -> ModelStore:
    """Return the store of `HATE_SPEECH_ENGINE` (default: encoder) below `HATE_SPEECH_DATA_DIR` (default: `var`)."""
    # Without what is around the values, as the service's settings read them.
    data_dir, engine = (os.environ.get(f"HATE_SPEECH_{name}", "").strip(" \n\"'") for name in ("DATA_DIR", "ENGINE"))
    return open_store(engine or "encoder", Path(data_dir or "var"))


classifier = Classifier(open_default_store())
