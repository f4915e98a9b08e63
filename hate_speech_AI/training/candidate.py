"""Labelled rows in, candidate version out: fixed seeds, no database."""

import platform
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np

from ..engines import linear
from ..engines.base import Engine
from ..engines.encoder import EncoderEngine
from ..engines.encoder.engine import most_hateful
from ..engines.encoder.session import load_encoder
from ..engines.encoder.shipped import Evaluation, Shipped
from ..engines.encoder.updating import TAUS, update, update_toxic
from ..engines.linear import LinearEngine
from ..evaluation.functional_checks import answer_checks, summarise_checks
from ..evaluation.metrics import measure, measure_by_source
from ..evaluation.threshold import choose_threshold
from ..label_index import LabelIndex
from .rows import Row, Split, ToxicRow, labels_of

SEED = 20260101

# Held-out rows are the score once there are so many, with so many of each label; before that it is of the shipped evaluation set.
_SCORE_ROWS, _SCORE_ROWS_OF_EACH = 300, 50
_BATCH = 512  # texts embedded at once


@dataclass(frozen=True)
class Scored:
    """What a score is of: labels (bool), probabilities (float64) and sources, all of length n."""

    labels: np.ndarray
    probabilities: np.ndarray
    sources: list[str]


@dataclass(frozen=True)
class Candidate:
    """A trained version that is not in the store yet.

    Attributes
    ----------
    engine : Engine
    manifest : dict
        What is known of it: threshold, figures, rows, parameters, libraries.
    held_out : list of Row
        The rows that it did not learn from.
    probabilities : ndarray of float64, shape (len(held_out),)
    training_reviews : list of Row
        Reviews among what it learned from, not all of very many.
    reviews, toxic_reviews : LabelIndex
        Every review of hate, and of what is toxic, of both sides: the version answers them as reviewed.
    scored : Scored
        What the score is of: the held-out rows, or the shipped evaluation set.
    shipped : Evaluation, optional
        The evaluation set that its engine ships, if one does.
    """

    engine: Engine
    manifest: dict
    held_out: list[Row]
    probabilities: np.ndarray
    training_reviews: list[Row]
    reviews: LabelIndex
    toxic_reviews: LabelIndex
    scored: Scored
    shipped: Evaluation | None = None


def remembering(engine: type[Engine], folder: Path) -> AbstractContextManager:
    """Keep below `folder` what trainings of this engine need again, while the context lasts."""
    return load_encoder().remembering(folder) if engine is EncoderEngine else nullcontext()


def parameters_of(engine: type[Engine]) -> dict:
    """Return the parameters that a training of this engine has now; another value makes another version of the same rows."""
    if engine is LinearEngine:
        return linear.PARAMETERS
    shipped = Shipped()
    return {"encoder": shipped.sum_of("encoder.onnx"), "head": shipped.sum_of("head.npz"), "taus": list(TAUS)}


def train(
    rows: Iterable[Row],
    report: Callable[[str, int], None] = lambda stage, done: None,
    engine: type[Engine] = LinearEngine,
    toxic_rows: Iterable[ToxicRow] = (),
) -> list[Candidate]:
    """Train on a stream of labelled rows, and return the candidates in the order in which the gate is to judge them.

    Engine `linear` has one; engine `encoder` one for each strength of the prior, the best first.

    1. Split the rows by fingerprint.
    2. Fit the engine.
    3. Choose the threshold, on rows that were not fitted.
    4. Measure on the held-out side and on the functional checks.

    Parameters
    ----------
    rows : iterable of Row
        Or of tuples (text, is_hate_speech, source). The same rows in the same order give the same models, bit for bit.
    report : callable, optional
        Called with a stage ("reading", "fitting", "evaluating") and the number of rows read so far.
    toxic_rows : iterable of ToxicRow, optional
        What people said of texts that is toxic or not; of one fingerprint one. Engine `encoder` learns from them, and both
        answer them as reviewed.

    Raises
    ------
    NotEnoughDataError
        The fitting side lacks one of the labels, of which engine `linear` needs both.
    PretrainedError
        The shipped encoder or head cannot be read.
    """
    return _train_encoder(rows, toxic_rows, report) if engine is EncoderEngine else [_train_linear(rows, toxic_rows, report)]


def _train_linear(rows: Iterable[Row], toxic_rows: Iterable[ToxicRow], report: Callable[[str, int], None]) -> Candidate:
    split = Split()
    engine = LinearEngine.fit(split.fitting_rows(rows, report), seed=SEED)
    deque(split.fitting_toxic_rows(toxic_rows), maxlen=0)  # it has no head for them
    report("evaluating", split.n_rows)
    texts = [row.text for row in split.threshold]
    threshold = choose_threshold(labels_of(split.threshold), engine.predict_proba(texts))
    return _measured(engine, split, threshold)


def _train_encoder(rows: Iterable[Row], toxic_rows: Iterable[ToxicRow], report: Callable[[str, int], None]) -> list[Candidate]:
    files = Shipped()
    shipped, evaluation = EncoderEngine.shipped(), files.evaluation()
    split = Split(files.learned(), evaluation.fingerprints)
    vectors, labels = _embedded(shipped, split.fitting_rows(rows, report))
    more, more_labels = _embedded(shipped, ((row.text, row.is_hate_speech) for row in split.threshold))
    shipped = update_toxic(shipped, *_embedded(shipped, split.fitting_toxic_rows(toxic_rows)), evaluation)
    updates = update(shipped, np.concatenate([vectors, more]), np.concatenate([labels, more_labels]), evaluation)
    report("evaluating", split.n_rows)
    return [_measured(one.engine, split, one.threshold, evaluation, tau=one.tau, out_of_fold_f1=one.f1) for one in updates]


def shipped_candidate() -> Candidate:
    """Return the shipped engine as a candidate that has learned from no rows yet; raises `PretrainedError`."""
    files = Shipped()
    # The encoder is not run: what it answers to the functional checks is shipped too.
    manifest = files.manifest
    return _measured(EncoderEngine.shipped(), Split(), manifest["threshold"], files.evaluation(), manifest["checks"])


def _embedded(engine: EncoderEngine, rows: Iterable[tuple[str, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the embeddings of rows, of a long text that of its most hateful window, and their labels (bool)."""
    vectors, labels, rows = [np.empty((0, engine.mean.shape[1] - 1), np.float32)], [], iter(rows)
    while some := list(islice(rows, _BATCH)):
        found, starts = engine.encoder.embed([text for text, _ in some])
        vectors.append(found[most_hateful(engine.judge_embeddings(found).hate, starts)])
        labels += [label for _, label in some]
    return np.concatenate(vectors), np.array(labels, bool)


def _measured(
    engine: Engine,
    split: Split,
    threshold: float,
    shipped: Evaluation | None = None,
    checks: dict | None = None,
    **chosen: float | None,
) -> Candidate:
    """Return the candidate of a fitted engine, with its figures; those on the functional checks may be known."""
    held_out = split.held_out
    sources = [row.source for row in held_out]
    scored = own = Scored(labels_of(held_out), engine.predict_proba([row.text for row in held_out]), sources)
    slices = {"held_out": measure(own.labels, own.probabilities, threshold)}
    if shipped is not None:
        test = shipped.part("test")
        frozen = Scored(test.hate, engine.judge_embeddings(test.vectors).hate, test.sources)
        slices["shipped"] = measure(frozen.labels, frozen.probabilities, threshold)
        hateful = int(own.labels.sum())
        if len(held_out) < _SCORE_ROWS or min(hateful, len(held_out) - hateful) < _SCORE_ROWS_OF_EACH:
            scored = frozen
    of = "held_out" if scored is own else "shipped"
    figures = slices[of]
    manifest = {
        "engine": engine.name,
        "threshold": threshold,
        **chosen,
        "score": {
            "score": figures["f1"],
            "precision": figures["precision"],
            "recall": figures["recall"],
            "roc_auc": figures["roc_auc"],
            "of": of,
            "slices": slices,
            "held_out": slices["held_out"]["n"],
            "trained_on": split.n_trained_on,
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "by_source": measure_by_source(scored.sources, scored.labels, scored.probabilities, threshold),
        "checks": checks or summarise_checks(answer_checks(engine, threshold)),
        "rows": {
            "digest": split.digest.hexdigest(),
            "by_source": dict(sorted(split.sources.items())),
            "learned_before": split.n_learned,
        },
        "parameters": parameters_of(type(engine)),
        "seed": SEED,
        "libraries": libraries(),
    }
    indexes = LabelIndex.of(split.reviews), LabelIndex.of(split.toxic_reviews)
    return Candidate(engine, manifest, held_out, own.probabilities, split.training_reviews, *indexes, scored, shipped)


def libraries() -> dict[str, str]:
    """Return the versions of Python and of the libraries that take part in a training."""
    names = ("emoji", "numpy", "onnxruntime", "scipy", "scikit-learn", "stemming", "tokenizers")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
