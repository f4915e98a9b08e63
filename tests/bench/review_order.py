"""The order of review: what 100 reviews in it teach, beside 100 at random and the 100 most uncertain ones."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from hate_speech_AI.active_learning import MAX_TEXTS, embed_gradients, measure_uncertainty, order_by_coverage
from hate_speech_AI.arrays import Bools, Float32s, Floats, Places
from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.engines.encoder.shipped import Shipped
from hate_speech_AI.engines.encoder.updating import fit_label
from hate_speech_AI.labels import PRIMARY
from hate_speech_AI.text import fingerprint

# New communities, which the shipped encoder has not learned from: the file of each, and its column of texts.
COMMUNITIES = {
    "twitter_sentiment": ("twitter_sentiment/train.csv", "tweet"),
    "stormfront": ("stormfront/stormfront.csv", "text"),
    "measuring_hate_speech": ("measuring_hate_speech/ken20_train_20692.csv", "text"),
}
REVIEWS, DRAWS = 100, 5
TAU = 0.1  # the prior strength at which a head listens to so few reviews
_TEXTS = 8_000  # of each community: half of them wait for review, the other half measures
_AT_ONCE = 500

# Returns which texts to review, given their whitened embeddings, their uncertainties, and a source of chance.
Order = Callable[[Float32s, Floats, np.random.Generator], Places]


def order_at_random(vectors: Float32s, uncertainties: Floats, draw: np.random.Generator) -> Places:
    return draw.permutation(len(vectors))


def order_by_uncertainty(vectors: Float32s, uncertainties: Floats, draw: np.random.Generator) -> Places:
    return np.argsort(-uncertainties, kind="stable")


def order_as_the_queue(vectors: Float32s, uncertainties: Floats, draw: np.random.Generator) -> Places:
    places = order_by_uncertainty(vectors, uncertainties, draw)[:MAX_TEXTS]
    return places[order_by_coverage(embed_gradients(vectors[places], uncertainties[places]))]


ORDERS: tuple[Order, ...] = (order_at_random, order_by_uncertainty, order_as_the_queue)


def compare(datasets: Path) -> Iterator[tuple]:
    """Yield the gain of `REVIEWS` reviews in ROC AUC and in F1 in each community, and its mean over all of them.

    The limit is on the mean, since a community that the shipped head fits already gains next to nothing, whatever is reviewed.
    """
    engine, threshold = EncoderEngine.shipped(), Shipped().manifest["threshold"]
    gains = []
    for community, (file, column) in COMMUNITIES.items():
        vectors, truth = _embed_texts(engine, datasets / file, column)
        draws = [_measure_gains(engine, threshold, vectors, truth, np.random.default_rng(seed)) for seed in range(DRAWS)]
        gains.append(np.mean(draws, axis=0))
        yield from _describe(community, gains[-1], None)
    yield from _describe("mean of the communities", np.mean(gains, axis=0), 1.5)


def _embed_texts(engine: EncoderEngine, path: Path, column: str) -> tuple[Float32s, Bools]:
    """Return the embeddings of a community's texts, each once, and which of them are hateful."""
    with path.open(encoding="utf-8", newline="") as file:
        said = {fingerprint(row[column]): (row[column], row["label"] == "1") for row in csv.DictReader(file)}
    texts, truth = zip(*(said[digest] for digest in sorted(said)[:_TEXTS]), strict=True)  # a random sample, but always the same
    vectors = [engine.embed(list(texts[at : at + _AT_ONCE])) for at in range(0, len(texts), _AT_ONCE)]
    return np.concatenate(vectors), np.array(truth)


def _measure_gains(
    engine: EncoderEngine, threshold: float, vectors: Float32s, truth: Bools, draw: np.random.Generator
) -> list[list[float]]:
    """Return the gain in ROC AUC and in F1 of the reviews in each order: shape (n_orders, 2)."""
    waiting, rest = np.split(draw.permutation(len(vectors)), 2)

    def measure(judge: EncoderEngine) -> tuple[float, float]:
        probabilities = judge.judge_embeddings(vectors[rest])[PRIMARY]
        return roc_auc_score(truth[rest], probabilities), f1_score(truth[rest], probabilities >= threshold)

    uncertainties = measure_uncertainty(engine.judge_embeddings(vectors[waiting])[PRIMARY], threshold)
    before, gains = measure(engine), []
    for order in ORDERS:
        reviewed = waiting[order(engine.whiten(vectors[waiting]), uncertainties, draw)[:REVIEWS]]
        after = measure(fit_label(engine, vectors[reviewed], truth[reviewed], tau=TAU))
        gains.append([now - then for now, then in zip(after, before, strict=True)])
    return gains


def _describe(where: str, gains: Floats, limit: float | None) -> Iterator[tuple]:
    """Yield the gains as lines. That in F1 is no ratio: it may be a loss."""
    for what, (at_random, uncertain, ours) in zip(("ROC AUC", "F1"), gains.T, strict=True):
        line = f"{where}: {what}", f"random {at_random:+.3f}, uncertain {uncertain:+.3f}", f"{ours:+.3f}"
        yield (*line, ours / at_random, limit, "x") if what == "ROC AUC" else (*line, None, None, "")
