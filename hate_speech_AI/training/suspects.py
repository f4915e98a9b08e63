"""Which labels did the harm, if a training made something worse: whole batches of a source and key, or the like ones in them."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from ..arrays import Bools, Floats
from ..manifest import LabelGroup
from .rows import Row, is_review

# Batches count that do at least this share of the harm of the worst one. So poison that is split over keys or nights is found at
# once, and labels that do a little harm by chance are left.
_SHARE_OF_THE_WORST = 0.25

Batch = tuple[str, str, str]


def get_batch(row: Row) -> Batch:
    """Return the source, key and night of a label."""
    return row.source, row.key, row.night


def choose_suspects(rows: list[Row], harm: Floats) -> list[Row]:
    """Choose the labels that did most of the harm.

    1. Take the labels together by source, key and night.
    2. Within reviews of one night, split off those that did harm from the others. Texts that are alike do alike harm.
       An import is one thing, and stays together.
    3. Choose what is left of the worst batch, and of those that come near to it.

    Parameters
    ----------
    harm : ndarray of float64, shape (len(rows),)
        See `Engine.estimate_harm`.
    """
    batches: dict[Batch, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if not row.is_settled:
            batches[get_batch(row)].append(at)
    parts = []
    for (source, _, _), places in batches.items():
        own = harm[places]
        chosen = _split_off_worst(own) if is_review(source) else np.ones(len(own), bool)
        parts.append((float(own[chosen].sum()), [at for at, is_chosen in zip(places, chosen, strict=True) if is_chosen]))
    worst = max((total for total, _ in parts), default=0.0)
    return [rows[at] for total, part in parts if total > 0 and total >= _SHARE_OF_THE_WORST * worst for at in part]


def _split_off_worst(harm: Floats) -> Bools:
    """Return which labels did harm of the order of the worst: at least a tenth of the mean of the upper of two clusters."""
    ascending = np.sort(harm)
    n_below = np.arange(len(ascending))
    n_above = len(ascending) - n_below
    sums = np.append(0, ascending.cumsum()[:-1])
    below, above = sums / np.maximum(n_below, 1), (ascending.sum() - sums) / n_above
    at = int(np.argmax(n_below * n_above * (above - below) ** 2))  # Otsu 1979
    is_worst: Bools = harm > max(above[at], 0) / 10
    return is_worst


def group_labels(rows: Iterable[Row]) -> list[LabelGroup]:
    """Count labels by source, key and night, the largest group first."""
    counts = Counter(map(get_batch, rows))
    return [
        {"source": source, "key": key, "night": night, "labels": labels}
        for (source, key, night), labels in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
