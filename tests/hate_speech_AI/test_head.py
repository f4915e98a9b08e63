"""The head that ships learns what texts say: not which source they are from, and not whom they name."""

import numpy as np
import pytest

from hate_speech_AI.recipe.corpus import LABELS, Example
from hate_speech_AI.recipe.head import fit_head, swap_identities

NO_CHANGES = np.empty((0, 3))


@pytest.fixture(scope="module")
def corpus():
    """Give embeddings of three channels and their rows: what is said, the mark of a source, and who is named."""
    random = np.random.default_rng(0)
    said, named = random.normal(size=(2, 4000))
    source = np.array(["dynahate", "davidson"])[np.arange(4000) % 2]
    # davidson calls few of its texts hateful, whatever they say.
    logit = 2 * said + 0.5 * named - 3 * (source == "davidson")
    hate = random.random(4000) < 1 / (1 + np.exp(-logit))
    mark = (source == "davidson") + 0.1 * random.normal(size=4000)
    other = hate | (random.random(4000) < 0.3)
    rows = [
        Example(f"text {at}", str(source[at]), "head", bool(hate[at]), bool(other[at]) if source[at] == "davidson" else None)
        for at in range(4000)
    ]
    return np.stack([said, mark, named], 1), rows


def test_it_does_not_tell_the_sources_apart(corpus):
    mean, _ = fit_head(*corpus, NO_CHANGES, 0)
    assert mean[0, 0] == pytest.approx(2, abs=0.25)
    assert abs(mean[0, 1]) < 0.5, "the source's mark explains what the source's intercept is to explain"


def test_its_intercept_is_the_mean_of_the_sources(corpus):
    mean, _ = fit_head(*corpus, NO_CHANGES, 0)
    assert mean[0, -1] + mean[0, 1] / 2 == pytest.approx(-1.5, abs=0.3)


def test_it_does_not_mind_whom_a_text_names(corpus):
    another = np.tile([0.0, 0.0, 1.0], (5000, 1))
    free, held = (fit_head(*corpus, changes, 0)[0][0] for changes in (NO_CHANGES, another))
    assert free[2] == pytest.approx(0.5, abs=0.15)
    assert abs(held[2]) < 0.1
    assert held[0] == pytest.approx(free[0], rel=0.1)


def test_the_precision_counts_all_rows_that_were_learned_from(corpus):
    precisions = [fit_head(*corpus, NO_CHANGES, n_fit)[1][0] for n_fit in (0, 4000)]
    deviations = [np.sqrt(np.linalg.inv(precision)[0, 0]) for precision in precisions]
    assert deviations[0] / deviations[1] == pytest.approx(2**0.5, rel=0.03)


def test_another_label_is_learned_where_a_source_says_it_of_harmless_texts(corpus):
    vectors, rows = corpus
    silent = np.array([getattr(row, LABELS[1]) is None for row in rows])
    without = fit_head(np.where(silent[:, None], 7.0, vectors), rows, NO_CHANGES, 0)[0][1]
    assert fit_head(vectors, rows, NO_CHANGES, 0)[0][1] == pytest.approx(without)


def test_copies_name_another_identity():
    copies, origins = swap_identities(["The women sang", "It rained", "A film about immigrants"])
    assert set(origins.tolist()) == {0, 2}
    assert len(set(copies)) == len(copies) > 4
    for copy, origin in zip(copies, origins, strict=True):
        assert copy.startswith("The " if origin == 0 else "A film about ")
        assert copy not in {"The women sang", "A film about immigrants"}
