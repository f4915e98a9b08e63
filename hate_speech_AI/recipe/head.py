"""Fit the head that ships. Reviews of a community update it later."""

import random

import numpy as np

from ..engines.encoder.posterior import BayesianLogisticRegression
from ..engines.encoder.session import Encoder
from ..engines.encoder.shipped import Shipped
from ..engines.encoder.windows import pick_windows
from ..labels import HATE, PRIMARY, TARGETS, TOXIC
from .augment import swap_identity
from .corpus import LABELS, WEIGHTS, Example

_COPIES = 6  # copies of a text that names an identity, each with another identity
# The prior precision of the weights, chosen by cross-validation among 1, 3, 10 and 30; and that of each source's intercept.
_ALPHA, _INTERCEPT_ALPHA = 10.0, 0.1
# The labels that keep a posterior: reviews teach them. The rest have a row of weights each.
LEARNING = (HATE, TOXIC)
# The precision of the prior of those rows: a label with few texts stays near the mean of its source.
_OTHER_ALPHA = 30.0


def embed_texts(encoder: Encoder, texts: list[str], weights: np.ndarray) -> np.ndarray:
    """Return one embedding for each text. A long text has that of the window to which `weights` give the highest logit."""
    vectors = []
    for at in range(0, len(texts), 512):
        found, starts, _ = encoder.embed(texts[at : at + 512])
        vectors.append(found[pick_windows(found @ weights, starts)])
    return np.concatenate(vectors)


def stack_rows(files: Shipped) -> np.ndarray:
    """Return the weights of each of `LABELS` in a finished folder: shape (n_labels, width + 1). Those that it lacks are NaN."""
    mean, others = files.head()[0], files.others()
    rows = dict(zip((*files.labels, *others.labels, *others.targets), [*mean, *others.weights], strict=True))
    return np.array([rows.get(label, np.full(mean.shape[1], np.nan)) for label in LABELS])


def swap_identities(texts: list[str]) -> tuple[list[str], np.ndarray]:
    """Return copies of the texts that name an identity, each with another identity, and the place of each copy's original."""
    draw = random.Random(2)  # noqa: S311
    copies = [sorted({swap_identity(text, draw) for _ in range(_COPIES)} - {text}) for text in texts]
    return [copy for some in copies for copy in some], np.repeat(np.arange(len(texts)), [len(some) for some in copies])


def list_counted(rows: list[Example]) -> list[int]:
    """Return the places of the rows that the posteriors of other labels than the primary one are fitted to."""
    return sorted({int(at) for label in LEARNING[1:] for at in _select_known(rows, label, both_sides=True)[0]})


def embed_changes(encoder: Encoder, texts: list[str], vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return how the embeddings of `texts`, which are `vectors`, change with the identity: float32, shape (n copies, width).

    All copies of a text together count as one. `weights` are those of `embed_texts`.
    """
    swapped, origins = swap_identities(texts)
    changes = embed_texts(encoder, swapped, weights) - vectors[origins]
    changes /= np.sqrt(np.bincount(origins)[origins, None])
    return changes


def fit_head(
    vectors: np.ndarray, rows: list[Example], changes: np.ndarray, n_fit: int, labels: tuple[str, ...] = LEARNING
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the precision of the head's posterior, a row for each of some labels in `LEARNING`.

    The rows are those that the encoder has not seen, since embeddings of seen texts are overfitted.

    Each source has an intercept of its own, as in the fine-tuning. How often a source calls its texts hateful says nothing of a
    text. Without these intercepts the weights would learn to tell the sources apart. The shipped intercept is their mean.

    The prior says that the logit does not depend on the identity that a text names. Each row of `changes` counts as an observed
    change of the logit of 0, with variance 1. This is counterfactual pairing (Garg et al. 2019) in closed form.

    For the primary label the rows have their own weights and those of their sources. For another label texts with and without it
    have the same total weight, since their ratio only shows how they were collected.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, width)
        The embeddings.
    rows : list of Example, of length n
    changes : ndarray of float32, shape (m, width)
        How an embedding changes if the text names another identity.
    n_fit : int
        The number of rows that the encoder was fine-tuned on. The precision that the rows add is scaled up by them: these rows
        count as learned from too.

    Returns
    -------
    mean : ndarray of float64, shape (len(labels), width + 1)
    precision : ndarray of float32, shape (len(labels), width + 1, width + 1)
    """
    means, precisions = [], []
    for label in labels:
        known, truth, sources = _select_known(rows, label, both_sides=True)
        own = np.array([WEIGHTS[rows[at].source] * rows[at].weight for at in known])
        weights = own if label == PRIMARY else _balance(truth)
        mean, precision = _fit_label(vectors[known], truth, sources, weights, changes, _ALPHA, 1 + n_fit / len(rows))
        means.append(mean)
        precisions.append(precision)
    return np.array(means), np.array(precisions, np.float32)


def fit_others(vectors: np.ndarray, rows: list[Example], changes: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the names of the other labels, and a row of weights for each: float32, shape (n, width + 1).

    They are fitted as those of `fit_head`, but also to sources that know one side only: few texts carry these labels. A label is
    left out if no source has texts with and without it.

    The targets are fitted to hateful texts alone, as often as they come, since they are said of such texts. They follow the
    identity that a text names, so `changes` say nothing of them.
    """
    hateful = [at for at, row in enumerate(rows) if row.hate]
    names, weights = [], []
    for label in LABELS[len(LEARNING) :]:
        some = hateful if label in TARGETS else range(len(rows))
        known, truth, sources = _select_known([rows[at] for at in some], label, both_sides=False)
        if not len(truth):
            continue
        same, counts = (changes[:0], np.ones(len(truth))) if label in TARGETS else (changes, _balance(truth))
        weights.append(_fit_label(vectors[some][known], truth, sources, counts, same, _OTHER_ALPHA)[0])
        names.append(label)
    return names, np.array(weights, np.float32).reshape(len(names), vectors.shape[1] + 1)


def _select_known(rows: list[Example], label: str, *, both_sides: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the places of the rows of which a label is known, whether they carry it, and their sources.

    A source that labels all its texts alike has the name "": it gets no intercept. With `both_sides` its rows do not count, since
    from them the head would learn that all its texts carry the label, or none. If all sources are so, no row counts.
    """
    column = LABELS.index(label)
    said = [row.list_labels()[column] for row in rows]
    both = {row.source for row, value in zip(rows, said, strict=True) if value is False}
    both &= {row.source for row, value in zip(rows, said, strict=True) if value}
    known = [at for at, row in enumerate(rows) if said[at] is not None and both and (row.source in both or not both_sides)]
    names = [rows[at].source if rows[at].source in both else "" for at in known]
    return np.array(known, int), np.array([said[at] for at in known], bool), np.array(names)


def _balance(truth: np.ndarray) -> np.ndarray:
    """Return weights that give the texts with and without a label the same total."""
    return np.where(truth, 0.5 / truth.mean(), 0.5 / (1 - truth.mean()))


def _fit_label(
    vectors: np.ndarray, truth: np.ndarray, sources: np.ndarray, weights: np.ndarray, changes: np.ndarray, alpha: float,
    counts: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the mean and the precision of a label's weights, the intercept last. `counts` scales the precision of the rows."""
    width = vectors.shape[1]
    columns = np.hstack([vectors, sources[:, None] == np.unique(sources[sources != ""])])
    intercepts = columns.shape[1] + 1 - width  # the last is the same for all
    prior = np.diag(np.r_[np.full(width, alpha), np.full(intercepts, _INTERCEPT_ALPHA)])
    prior[:width, :width] += changes.T @ changes
    head = BayesianLogisticRegression(np.zeros(len(prior)), prior).fit(columns, truth, weights)
    precision = prior + (head.precision_ - prior) * counts
    shipped = np.zeros((width + 1, len(prior)))
    shipped[:width, :width] = np.eye(width)
    shipped[width, width:] = [*[1 / (intercepts - 1)] * (intercepts - 1), 1]
    return shipped @ head.mean_, np.linalg.inv(shipped @ np.linalg.inv(precision) @ shipped.T)
