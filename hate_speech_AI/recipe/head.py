"""The head that ships: what it learns before any community has reviewed a text."""

import random

import numpy as np

from ..engines.encoder.posterior import BayesianLogisticRegression
from ..labels import PRIMARY
from .augment import swap_identity
from .corpus import LABELS, WEIGHTS, Example

_COPIES = 6  # of a text that names an identity, each with another
# Of the prior of the weights, chosen by cross-validation among 1, 3, 10 and 30; and of each source's intercept.
_ALPHA, _INTERCEPT_ALPHA = 10.0, 0.1
# What a row of these sources counts for the primary label, beside the source's weight: also by cross-validation, in which
# dynahate gained.
_COUNTS = {"dynahate": 1.5, "hatemoji_build": 1.5, "hatexplain": 1.5}


def swap_identities(texts: list[str]) -> tuple[list[str], np.ndarray]:
    """Return copies of those texts that name an identity, each with another, and the place of the text that each is of."""
    draw = random.Random(2)  # noqa: S311
    copies = [sorted({swap_identity(text, draw) for _ in range(_COPIES)} - {text}) for text in texts]
    return [copy for some in copies for copy in some], np.repeat(np.arange(len(texts)), [len(some) for some in copies])


def fit_head(vectors: np.ndarray, rows: list[Example], changes: np.ndarray, n_fit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the precision of the head's posterior for each of `LABELS`: shapes (n, 385) and (n, 385, 385).

    It is fitted on rows that the encoder has not seen, where its embeddings are as they will be, and as in the fine-tuning with
    weights for the primary label and an intercept for each source: how often a source calls its texts hateful says nothing of a
    text, and without it the weights would learn to tell the sources apart. What is shipped has the mean of these intercepts.

    By the prior no logit changes with the identity that a text names: each of the `changes` of an embedding that come of another,
    shape (m, 384), counts as one observation of 0 with a variance of 1. Counterfactual pairing as by Garg et al. (2019), in
    closed form.

    Of the precision, what the rows brought is scaled up to all `n_fit` more that were learned from (decision 7 of the design).

    Of another label these are the rows of sources that say it of harmless texts too: others would teach that all of theirs carry
    it. Texts with and without it count the same, since how many carry it says how they were found.
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
