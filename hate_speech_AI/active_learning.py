"""Active learning: in which order a person should review texts, so that the head learns most from the first of them.

A batch of the most uncertain texts alone may be fifty copies of one. So the order takes texts that are uncertain and unlike one
another. This is BADGE (Ash et al. 2020, "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds"): seeding of
k-means++ (Arthur and Vassilvitskii 2007) on gradient embeddings.
"""

import numpy as np

from .arrays import Float32s, Floats, Places

# So many texts are ordered at once: more than people review in a night, few enough that it takes seconds.
MAX_TEXTS = 2_000

_SEED = 0
# Squared distances below this share of the largest are rounding errors: the texts are the same to the head.
_SAME = 1e-9


def measure_uncertainty(probabilities: Floats | float, threshold: float) -> Floats:
    """Return 1 for each probability at the threshold, falling to 0 for a probability of 0 or 1: shape (n,).

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,), or float
    threshold : float
        From 0 to 1, both excluded.
    """
    probabilities = np.asarray(probabilities, float)
    return np.where(probabilities >= threshold, (1 - probabilities) / (1 - threshold), probabilities / threshold)


def embed_gradients(vectors: Float32s | Floats, uncertainties: Floats) -> Floats:
    """Return the gradient embeddings of texts.

    A review moves the head along the embedding of its text, and the further the less certain the head was. So the gradient
    embedding is the embedding times the uncertainty. It differs from that of Ash et al. in three ways, each of which taught more
    when it was measured. The uncertainty is largest at the threshold, not at a half. The embeddings are in the metric of the
    head's posterior. And they are centred, since those of all texts have a large part in common.

    Parameters
    ----------
    vectors : ndarray of float, shape (n, width)
        The result of `Engine.embed_influence`.
    uncertainties : ndarray of float64, shape (n,)
        The result of `measure_uncertainty`.

    Returns
    -------
    ndarray of float64, shape (n, width)
    """
    if not len(vectors):
        return np.empty(vectors.shape)
    gradients: Floats = (vectors - vectors.mean(axis=0, dtype=float)) * uncertainties[:, None]
    return gradients


def order_by_coverage(gradients: Floats) -> Places:
    """Return the places of texts in the order in which to review them.

    1. Draw a text with a probability in proportion to its squared distance from the nearest text drawn so far, as k-means++ does.
       The origin counts as drawn: nothing is to be learned from a text that the head is certain of.
    2. Go on until no text is away from those drawn. The copies of these follow, the most uncertain first.

    The draws have a fixed seed, so the same texts in the same order give the same result. Time and memory grow with n**2:
    `MAX_TEXTS` take 32 MB.

    Parameters
    ----------
    gradients : ndarray of float64, shape (n, width)
        The result of `embed_gradients`.

    Returns
    -------
    ndarray of int, shape (n,)
        A permutation.
    """
    draw = np.random.default_rng(_SEED)
    products = gradients @ gradients.T
    squares = products.diagonal()
    distances = squares.copy()
    same = _SAME * squares.max(initial=0)
    order: list[int] = []
    while (total := distances.sum()) > 0:
        drawn = int(draw.choice(len(distances), p=distances / total))
        order.append(drawn)
        distances = np.minimum(distances, squares + squares[drawn] - 2 * products[drawn])
        distances[distances <= same] = 0
    rest = np.argsort(-squares, kind="stable")
    return np.concatenate([np.array(order, np.intp), rest[~np.isin(rest, order)]])
