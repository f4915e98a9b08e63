"""`classifier`: the one object that views and tasks share.

It holds one loaded version and follows the pointer of the model store: a thread looks at it twice a second, loads what it
names and then swaps one reference, so a request never waits for a load and never meets a half-loaded version.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from .engines import ENGINES
from .engines.base import Engine
from .engines.encoder import EncoderEngine
from .errors import ForeignEncoderError, HateSpeechError, ModelMissingError, NoExplanationError, VersionError
from .evaluation import gate, report
from .evaluation.gate import DEFAULT_LIMITS, Limits, Rival
from .store import ModelStore, Pointer, Version
from .text import fingerprint
from .training import candidate as training
from .training.rows import Row, ToxicRow

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
        From 0 to 1; 1 is hateful. Of a text that a person has reviewed it is 0 or 1.
    threshold : float
        Of the version, chosen in its training.
    version : str
        The version that gave the verdict.
    is_reviewed : bool
        Whether a person's review gave the verdict, whatever the model thinks.
    toxic : float or None
        Probability that it is hate or offensive; `None` of engine linear, which does not know.
    uncertainty : float or None
        Standard deviation of the logit of `probability`: how little the labels so far say of such a text; 0 of a reviewed one;
        `None` of engine linear.
    """

    is_hate_speech: bool
    probability: float
    threshold: float
    version: str
    is_reviewed: bool = False
    toxic: float | None = None
    uncertainty: float | None = None


class Cache(Protocol):
    """What `get_score` needs of a cache; Django's caches fit."""

    def get(self, key: str): ...
    def set(self, key: str, value, timeout: float): ...


def _judge(engine: Engine, texts: list[str]) -> Iterable[tuple[float, ...]]:
    """Return for each text the probability of hate, and of engine encoder that of toxic and the uncertainty."""
    if not isinstance(engine, EncoderEngine):
        return ((p,) for p in engine.predict_proba(texts).tolist())
    judged = engine.judge(texts)
    return zip(judged.hate.tolist(), judged.toxic.tolist(), judged.uncertainty.tolist(), strict=True)


def _as_reviewed(prediction: Prediction, is_hate: bool | None, is_toxic: bool | None) -> Prediction:
    """Return a prediction with what people said in the place of what the model says; `None` where nobody said anything.

    What is hate is toxic: who calls a text hate calls it toxic, and who calls it not toxic calls it no hate.
    """
    if is_toxic is False and is_hate is None:
        is_hate = False
    if is_hate and is_toxic is None:
        is_toxic = True
    toxic = prediction.toxic if prediction.toxic is None or is_toxic is None else float(is_toxic)
    if is_hate is None:
        return replace(prediction, toxic=toxic)
    uncertainty = None if prediction.uncertainty is None else 0.0
    return Prediction(is_hate, float(is_hate), prediction.threshold, prediction.version, True, toxic, uncertainty)


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
        self._loaded: Version | None = None
        self._last_error: str | None = None
        self._lock = threading.Lock()
        self._follower_process: int | None = None

    def predict(self, texts: list[str], *, with_reviews: bool = True) -> list[Prediction]:
        """Return the verdicts on `texts`, in order, all by one version.

        What a person has reviewed is answered as reviewed; `with_reviews=False` asks the model alone.

        Raises
        ------
        ModelMissingError
            No version is active yet.
        HateSpeechError
            The active version cannot be loaded, and there was none before it.
        """
        engine, reviews, toxic_reviews, manifest = self._current()
        threshold, version = manifest["threshold"], manifest["version"]
        predictions = [Prediction(p >= threshold, p, threshold, version, False, *more) for p, *more in _judge(engine, texts)]
        if with_reviews and (len(reviews) or len(toxic_reviews)):
            for at, text in enumerate(texts):
                key = fingerprint(text)
                said = reviews.get(key), toxic_reviews.get(key)
                if said != (None, None):
                    predictions[at] = _as_reviewed(predictions[at], *said)
        return predictions

    def explain(self, texts: list[str]) -> list[dict]:
        """Return for each text what its words add to the logit of its probability, as `EncoderEngine.explain` does.

        It explains the active version's model, also where a review answers.

        Raises
        ------
        ModelMissingError
            No version can be served yet.
        NoExplanationError
            The engine is linear.
        """
        engine = self._current().engine
        if not isinstance(engine, EncoderEngine):
            raise NoExplanationError("Engine linear explains nothing; HATE_SPEECH_ENGINE=encoder does.")
        return [engine.explain(text) for text in texts]

    def predict_single_tweet(self, tweet: str) -> int:
        """Return 1 if `tweet` is hate speech, else 0."""
        return int(self.predict([tweet])[0].is_hate_speech)

    def train_model(
        self,
        rows: Iterable[Row],
        report_progress: Callable[[str, int], None] = lambda stage, done: None,
        *,
        recent: Iterable[str] = (),
        limits: Limits = DEFAULT_LIMITS,
        withdrawn: Collection[tuple[str, bool]] = (),
        toxic_rows: Iterable[ToxicRow] = (),
    ) -> str:
        """Train on labelled rows, judge and save a version, and return its name.

        It is activated if it passes, unless another is pinned, or took its rival's place meanwhile.

        Parameters
        ----------
        report_progress : callable, optional
            Called with a stage ("reading", "fitting", "evaluating", "saving", "activating") and the number of rows read.
        recent : iterable of str
            Versions that were active lately; the best of them is a rival too.
        limits, withdrawn
            As in `gate.judge`.
        toxic_rows
            As in `training.train`.

        Raises
        ------
        NotEnoughDataError
            The rows lack one of the labels.
        """
        with training.remembering(self.store.engine, self.store.root / "embeddings"):
            candidates = training.train(rows, report_progress, self.store.engine, toxic_rows)
            return self._choose(candidates, report_progress, recent, limits, withdrawn)

    def _choose(self, candidates, report_progress, recent, limits, withdrawn) -> str:
        """Save the first of the candidates that the gate lets pass, or else the first, and activate it if it passed."""
        pointer = self.pointer()
        parent = pointer.version if pointer else None
        active, held_out = None, None
        if parent:
            try:
                active, held_out = self._rival(parent), self.store.held_out(parent)
            except VersionError as error:
                logger.warning("The active version cannot be compared with: %s", error)
                active = None
        recent = [name for name in recent if name != parent]
        tried = []
        for candidate in candidates:
            others = self._rivals(recent)
            verdict = gate.judge(candidate, active, held_out, others=others, limits=limits, withdrawn=withdrawn)
            tried.append((candidate, verdict))
            if verdict["passed"]:
                break
        else:
            # The first, which learned best, shows what the gate has against it.
            candidate, verdict = tried[0]

        report_progress("saving", 0)
        name = self.store.new_name()
        manifest = {**candidate.manifest, "parent": parent, "gate": verdict}
        if len(candidates) > 1:
            manifest["tried"] = [
                {
                    "tau": one.manifest["tau"],
                    "threshold": one.manifest["threshold"],
                    "out_of_fold_f1": one.manifest["out_of_fold_f1"],
                    "held_out_f1": one.manifest["score"]["slices"]["held_out"]["f1"],
                    "passed": said["passed"],
                    "reasons": said["reasons"],
                }
                for one, said in tried
            ]
        self.store.save(name, candidate, manifest, report.render(name, candidate, manifest, self._history()))
        report_progress("activating", 0)
        if verdict["passed"] and self.pointer() in (None, (parent, False)):
            self.store.activate(name)
            self.get_score()
        return name

    def begin(self) -> str | None:
        """Make the shipped engine the first version, and return its name; `None` where there is no need or none is shipped.

        There is need where nothing is active, and where what is active was made for another encoder: so the service answers at
        once, and the next training brings what people said back in.

        Raises
        ------
        PretrainedError
            A file of what is shipped is missing or damaged.
        """
        if self.store.engine is not EncoderEngine:
            return None
        pointer = self.pointer()
        if pointer is not None:
            try:
                self.store.load(pointer.version)
                return None
            except ForeignEncoderError as error:
                logger.warning("%s", error)
            except VersionError:
                return None  # said where it is served
        candidate = training.shipped_candidate()
        verdict = {"passed": True, "rival": None, "conditions": [], "reasons": [], "slices": {}}
        name = self.store.new_name()
        manifest = {**candidate.manifest, "parent": None, "gate": verdict}
        self.store.save(name, candidate, manifest, report.render(name, candidate, manifest, []))
        self.store.activate(name)
        return name

    def _rival(self, name: str) -> Rival:
        version = self.store.load(name)
        return Rival(name, version.engine, version.manifest)

    def _rivals(self, names: Iterable[str]) -> Iterator[Rival]:
        for name in names:
            try:
                yield self._rival(name)
            except VersionError as error:
                logger.warning("Left out of the comparison: %s", error)

    def _history(self) -> list[dict]:
        """Return the manifests of the versions there are, oldest first."""
        manifests = []
        for name in self.store.versions():
            try:
                manifests.append(self.store.manifest(name))
            except VersionError:
                continue  # said elsewhere, where it matters
        return manifests

    def pointer(self) -> Pointer | None:
        """Return what the store points to; `None` if nothing, or if what is there cannot be read, which is logged."""
        try:
            return self.store.pointer()
        except VersionError as error:
            logger.warning("%s", error)
            return None

    def get_score(self) -> dict:
        """Return the active version's figures on its held-out tweets, from the cache, else from its manifest.

        Raises
        ------
        ModelMissingError
            No version is active yet.
        """
        pointer = self.store.pointer()
        if pointer is None:
            raise ModelMissingError("The first training has not finished.")
        version = pointer.version
        key = f"score:{version}"
        score = self._cache.get(key) if self._cache is not None else None
        if score is None:
            score = {**self.store.manifest(version)["score"], "version": version}
            if self._cache is not None:
                self._cache.set(key, score, _SCORE_SECONDS)
        return {**score, "pinned": pointer.is_pinned}

    def follow(self) -> None:
        """Load the active version, if there is one, and follow the pointer from now on in a thread of this process."""
        with self._lock:
            if self._follower_process == os.getpid():
                return
            self._refresh()
            threading.Thread(target=self._follow, args=(self.store,), name="follow-active-version", daemon=True).start()
            self._follower_process = os.getpid()

    def _current(self) -> Version:
        # A thread does not survive a fork: each process starts its own, once.
        if self._follower_process != os.getpid():
            self.follow()
        if self._loaded is None:
            with self._lock:
                self._refresh()  # the first version is served as soon as /score tells of it, not at the next look
        if self._loaded is None:
            if self._last_error:
                raise HateSpeechError(self._last_error)
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
            if name is None or (self._loaded and name == self._loaded.manifest["version"]):
                return
            loaded = self.store.load(name)
            loaded.engine.predict_proba(["ready?"])  # the encoder is loaded now, and not by the first request
        except (HateSpeechError, OSError) as error:
            # Tried again at the next look, since a shared folder may bring the files late; logged once.
            if str(error) != self._last_error:
                logger.error("The active version cannot be served: %s", error)
                self._last_error = str(error)
            return
        self._loaded = loaded
        self._last_error = None
        written, here = loaded.manifest.get("libraries", {}), training.libraries()
        others = [f"{library} {written[library]}" for library in written if written[library] != here.get(library)]
        logger.info("Serving version %s%s", name, f", which was trained with {', '.join(others)}" if others else "")


def store_of(engine: str, data_dir: Path) -> ModelStore:
    """Return the store of an engine's versions below the folder of all that the service writes."""
    return ModelStore(data_dir / "models" / engine, ENGINES[engine])


def default_store() -> ModelStore:
    """Return the store of `HATE_SPEECH_ENGINE` below `HATE_SPEECH_DATA_DIR`, or below `var` where the process stands."""
    data_dir = Path(os.environ.get("HATE_SPEECH_DATA_DIR", "var"))
    return store_of(os.environ.get("HATE_SPEECH_ENGINE", "encoder"), data_dir)


classifier = Classifier(default_store())
