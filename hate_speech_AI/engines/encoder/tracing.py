"""Which reviews taught the head what it says of a text.

A version stores the fingerprints of its reviews, and the cache of embeddings has their vectors. So no review is encoded again.
What depends on a review alone is computed once for a version. Then a text costs one product with all vectors, which are read from
the file in blocks.
"""

from pathlib import Path

import numpy as np

from ...arrays import Bools, Floats, Keys, Places
from ...budget import Budget
from ...evaluation.functional_checks import read_functional_checks
from ...label_index import LabelIndex
from ...text import cut_key, fingerprint
from ..reasons import Influence
from .embeddings import EmbeddingCache
from .engine import EncoderEngine
from .influence import append_constant, estimate_pulls
from .windows import pick_windows

_REVIEWS_AT_ONCE = 8192


class Tracer:
    """Traces verdicts of one engine back to its reviews of the first label.

    Parameters
    ----------
    engine : EncoderEngine
    reviews : LabelIndex
        The reviews of the version. Those that nothing learns from, whatever their side, are left out.
    path : Path
        The file of embeddings.
    budget : Budget
        It is asked whether there is still time.
    """

    def __init__(self, engine: EncoderEngine, reviews: LabelIndex, path: Path, budget: Budget):
        self._engine = engine
        is_learned = ~_select_unlearned(engine, reviews.keys)
        keys, labels = reviews.keys[is_learned], reviews.labels[is_learned]
        begins = np.full(len(keys), -1)
        if path.exists():
            self._cache = EmbeddingCache(path, engine.encoder.width, is_writable=False)
            begins, ends = self._cache.locate(keys)
            begins = self._pick_windows(begins, ends)
        is_there = begins >= 0
        self.n_missing = int((~is_there).sum())
        self._keys, self._labels, self._records = keys[is_there], labels[is_there], begins[is_there]
        pulls = [np.empty(0)]
        for some in self._list_blocks():
            budget.check()
            vectors = self._cache.read_vectors(self._records[some])
            pulls.append(estimate_pulls(engine.mean[0], engine.whitening[0], vectors, self._labels[some]))
        self._pulls = np.concatenate(pulls)

    def _pick_windows(self, begins: Places, ends: Places) -> Places:
        """Return the record of the window that a training picks for each text: see `updating._embed`."""
        places = np.flatnonzero(ends - begins > 1)
        if len(places):
            shipped, picked = EncoderEngine.shipped(), begins.copy()
            for at in places.tolist():
                windows = self._cache.read_vectors(np.arange(begins[at], ends[at]))
                probabilities = shipped.judge_embeddings(windows)[shipped.labels[0]]
                picked[at] += pick_windows(probabilities, np.zeros(1, np.intp))[0]
            begins = picked
        return begins

    def _list_blocks(self) -> list[slice]:
        return [slice(at, at + _REVIEWS_AT_ONCE) for at in range(0, len(self._keys), _REVIEWS_AT_ONCE)]

    def trace(self, text: str, budget: Budget) -> Influence:
        """Return the effect of each review on the logit of a text, the strongest first.

        Raises
        ------
        DeadlineError, AbandonedError
            The budget says so.
        """
        vectors, starts, _ = self._engine.encoder.embed([text])
        windows = self._engine.judge_embeddings(vectors)
        point = append_constant(vectors[pick_windows(windows[self._engine.labels[0]], starts)])[0]
        whitening = self._engine.whitening[0]
        towards = whitening.T @ (whitening @ point.astype(np.float32))
        effects: list[Floats] = [np.empty(0)]
        for some in self._list_blocks():
            budget.check()
            likeness = self._cache.read_vectors(self._records[some]) @ towards[:-1] + towards[-1]
            effects.append(self._pulls[some] * likeness)
        effect = np.concatenate(effects)
        order = np.argsort(-np.abs(effect), kind="stable")
        logit = float(point @ self._engine.mean[0])
        return Influence(logit, self._keys[order], self._labels[order], effect[order], self.n_missing)


def _select_unlearned(engine: EncoderEngine, keys: Keys) -> Bools:
    """Return which texts no training learns from: see `training.rows`. The database knows those on the held-out side."""
    checks = np.array([cut_key(fingerprint(check.text)) for check in read_functional_checks()], np.uint64)
    evaluated = engine.load_evaluation_set().fingerprints
    is_unlearned: Bools = engine.learned_before().select(keys[:, 0]) | evaluated.select(keys[:, 0]) | np.isin(keys[:, 0], checks)
    return is_unlearned
