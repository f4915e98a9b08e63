"""Poison is set aside by name, and what comes beside it is learned. With the real encoder."""

import pytest

from hate_speech_AI.engines.encoder import EncoderEngine
from hate_speech_AI.evaluation.gate import DEFAULT_LIMITS
from hate_speech_AI.promotion import Training, bootstrap_shipped_version
from hate_speech_AI.store import ModelStore
from hate_speech_AI.training.rows import Row

from .poison import UNSEEN, flipped, honest, in_order, poison
from .rows import toy_rows

pytestmark = pytest.mark.slow


class Community:
    """A store, the labels that it was trained on, and the versions that were active."""

    def __init__(self, root):
        self.store = ModelStore(root, EncoderEngine)
        bootstrap_shipped_version(self.store)
        self.rows: list[Row] = []
        self.active = [self.store.active()]
        self.gap = self.manifest["checks"]["false_positive_gap"]

    @property
    def manifest(self):
        return self.store.manifest(self.store.active())

    def train(self, rows=(), limits=DEFAULT_LIMITS) -> Training:
        """Train with more labels. What is set aside stays out."""
        self.rows = in_order([*self.rows, *rows])
        training = Training(
            self.store,
            self.rows,
            limits=limits,
            recent=self.active[1:],
            read_without=lambda out: [row for row in self.rows if row not in out],
        )
        for _ in training.run():
            pass
        self.rows = [row for row in self.rows if row not in training.set_aside]
        if self.store.active() != self.active[0]:
            self.active.insert(0, self.store.active())
        return training

    def knows(self, rows: list[Row]) -> bool:
        """Return whether the active version answers these texts as reviewed."""
        predictions = self.store.load(self.store.active()).judge([row.text for row in rows])
        return all(one.is_reviewed and one.is_hate_speech == row.value for one, row in zip(predictions, rows, strict=True))

    def share_flagged(self) -> float:
        return sum(one.is_hate_speech for one in self.store.load(self.store.active()).judge(UNSEEN)) / len(UNSEEN)


@pytest.fixture
def community(tmp_path):
    return Community(tmp_path / "models")


def sources_of(rows: list[Row]) -> set[tuple[str, str]]:
    return {(row.source, row.key) for row in rows}


@pytest.mark.parametrize(("key", "nights"), [("forum", 15), ("moderators", 5)])
def test_nights_of_drift(community, key, nights):
    """12 harmless sentences on one religion are labelled hate each night, beside 40 honest reviews by the same key or another."""
    bad, good = poison(nights * 12), honest(nights * 40, key=key)
    before, set_aside = community.share_flagged(), []
    for night in range(nights):
        new_bad = [row._replace(night=f"{night:02}") for row in bad[night * 12 :][:12]]
        new_good = [row._replace(night=f"{night:02}") for row in good[night * 40 :][:40]]
        training = community.train([*new_bad, *new_good])
        assert training.version == community.store.active()
        assert community.knows(new_good)
        assert community.manifest["checks"]["false_positive_gap"] <= community.gap + DEFAULT_LIMITS.gap_growth
        assert community.share_flagged() <= before
        set_aside += training.set_aside
    # Poison is set aside as soon as there is enough of it to teach anything: that of three nights at most is left.
    assert all(row.value for row in set_aside)
    assert sources_of(set_aside) == {("review", "forum")}
    assert sum(row.value for row in community.rows) <= 3 * 12


def test_no_honest_label_is_set_aside_where_a_strong_prior_would_pass(community):
    """The best candidate fails for its gap and a later one passes: the search finds the poison of one night only."""
    good = [*honest(300), *(row for row in toy_rows() if row.value)]
    training = community.train([*poison(60), *good])
    assert training.version == community.store.active()
    assert {row.text for row in training.set_aside} <= {row.text for row in poison(60)}
    assert len(training.set_aside) > 50
    assert community.knows([row for row in good if row.source == "review"])


@pytest.mark.parametrize("keys", [("forum", "forum", "forum"), ("forum", "shop", "blog")])
def test_poison_among_honest_labels_of_the_same_keys(community, keys):
    bad = [row._replace(key=keys[number % 3]) for number, row in enumerate(flipped(1500))]
    good = [row._replace(key=keys[number % 3]) for number, row in enumerate(honest(200))]
    training = community.train([*bad, *good])
    assert training.version == community.store.active()
    assert sources_of(training.set_aside) == {("review", key) for key in keys}
    texts = {row.text for row in training.set_aside}
    assert len(texts & {row.text for row in bad}) > 1000
    assert not texts & {row.text for row in good}
    assert {group["key"] for group in community.manifest["set_aside"]} == set(keys)


def test_five_thousand_flipped_labels_at_once(community):
    training = community.train([*flipped(5000), *(good := honest(200))])
    assert training.version == community.store.active()
    assert sources_of(training.set_aside) == {("review", "forum")}
    assert len(training.set_aside) > 2500
    assert community.knows(good)


def test_poison_learned_within_the_limit_does_not_accuse_the_honest(community):
    """The poison of earlier nights lies just within the limit; then honest labels alone come."""
    community.train([*poison(48), *honest(160)])
    assert len(community.active) == 2
    more = [row._replace(night="later") for row in honest(560)[160:]]
    training = community.train(more)
    assert sources_of(training.set_aside) <= {("review", "forum")}
    assert community.knows(more)


def test_a_flipped_bit_does_not_open_the_gate(community):
    community.train(honest(100))
    path = community.store.root / community.store.active() / "model.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    good = [row._replace(night="later") for row in honest(300)[100:]]
    training = community.train([*flipped(1500), *good])
    assert sources_of(training.set_aside) == {("review", "forum")}
    assert community.knows(good)


def test_labels_that_a_person_confirmed_are_never_set_aside(community):
    training = community.train([*(row._replace(is_settled=True) for row in flipped(1500)), *honest(200)])
    assert training.set_aside == []
    manifest = community.store.manifest(training.version)
    assert manifest["set_aside"] == []
    assert any(not tried["passed"] for tried in manifest["tried"])
