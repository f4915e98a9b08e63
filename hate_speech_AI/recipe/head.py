"""Fit the head that ships. Reviews of a community update it later."""

import random

import numpy as np

from ..engines.encoder.posterior import BayesianLogisticRegression
from ..labels import PRIMARY
from .augment import swap_identity
from .corpus import LABELS, WEIGHTS, Example

_COPIES = 6  # copies of a text that names an identity, each with another identity
# The prior precision of the weights, chosen by cross-validation among 1, 3, 10 and 30; and that of each source's intercept.
_ALPHA, _INTERCEPT_ALPHA = 10.0, 0.1
# For the primary label the weight of these sources is multiplied by this. It was chosen by cross-validation too, and raised the
# figures on dynahate.
_COUNTS = {"dynahate": 1.5, "hatemoji_build": 1.5, "hatexplain": 1.5}


def swap_identities(texts: list[str]) -> tuple[list[str], np.ndarray]:
    """Return copies of the texts that name an identity, each with another identity, and the place of each copy's original."""
    draw = random.Random(2)  # noqa: S311
    copies = [sorted({swap_identity(text, draw) for _ in range(_COPIES)} - {text}) for text in texts]
    return [copy for some in copies for copy in some], np.repeat(np.arange(len(texts)), [len(some) for some in copies])


def fit_head(vectors: np.ndarray, rows: list[Example], changes: np.ndarray, n_fit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the precision of the head's posterior, a row for each of `LABELS`.

    The rows are those that the encoder has not seen, since embeddings of seen texts are overfitted.

    Each source has an intercept of its own, as in the fine-tuning. How often a source calls its texts hateful says nothing of a
    text. Without these intercepts the weights would learn to tell the sources apart. The shipped intercept is their mean.

    The prior says that the logit does not depend on the identity that a text names. Each row of `changes` counts as an observed
    change of the logit of 0, with variance 1. This is counterfactual pairing (Garg et al. 2019) in closed form.

    For the primary label the rows have the weights of their sources. For another label only sources count that label some texts
    with it and others not: from the rest the head would learn that all their texts carry it. Texts with and without the label
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
    mean : ndarray of float64, shape (n_labels, width + 1)
    precision : ndarray of float32, shape (n_labels, width + 1, width + 1)
    """
    width = vectors.shape[1]
    means, precisions = [], []
    for label in LABELS:
        both = {row.source for row in rows if getattr(row, label) is False}
        known = np.array([row.source in both for row in rows])
        truth = np.array([bool(getattr(row, label)) for row in rows])[known]
        sources = np.array([row.source for row in rows])[known]
        if label == PRIMARY:
            weights = np.array([WEIGHTS[source] * _COUNTS.get(source, 1) for source in sources])
        else:
            weights = np.where(truth, 0.5 / truth.mean(), 0.5 / (1 - truth.mean()))
        columns = np.hstack([vectors[known], sources[:, None] == np.unique(sources)])
        intercepts = columns.shape[1] + 1 - width  # the last is the same for all
        prior = np.diag(np.r_[np.full(width, _ALPHA), np.full(intercepts, _INTERCEPT_ALPHA)])
        prior[:width, :width] += changes.T @ changes
        head = BayesianLogisticRegression(np.zeros(len(prior)), prior).fit(columns, truth, weights)
        precision = prior + (head.precision_ - prior) * (1 + n_fit / len(rows))
        shipped = np.zeros((width + 1, len(prior)))
        shipped[:width, :width] = np.eye(width)
        shipped[width, width:] = [*[1 / (intercepts - 1)] * (intercepts - 1), 1]
        means.append(shipped @ head.mean_)
        precisions.append(np.linalg.inv(shipped @ np.linalg.inv(precision) @ shipped.T))
    return np.array(means), np.array(precisions, np.float32)
