"""The grammar makes the same rows each time: both sides of each form, groups in balance, nothing that is measured by."""

import re
from collections import Counter, defaultdict

import pytest

from hate_speech_AI.evaluation.functional_checks import read_functional_checks
from hate_speech_AI.recipe.corpus import TARGETS, Example
from hate_speech_AI.recipe.grammar import FORMS, SOURCE, make_rows
from hate_speech_AI.recipe.grammar.clauses import choose_clauses
from hate_speech_AI.recipe.grammar.vocabulary import read_frames, read_groups, read_statements
from hate_speech_AI.text import fingerprint

GRAM, LIKE = 5, 0.7


def quotable(text, *, split="fit", hate=True, source="dynahate", targets=frozenset(("women",))):
    return Example(text, source, split, hate, toxic=hate or None, targets=targets)


CLAUSES = [
    quotable(f"women {verb} be trusted with {thing}", split=split)
    for split in ("fit", "head", "test")
    for verb in ("cannot", "should not", "will never")
    for thing in ("a car", "a shop", "our money")
]


@pytest.fixture(scope="module")
def rows():
    return make_rows(CLAUSES)


def grams(text):
    letters = re.sub(r"[\W_]+", " ", text.casefold()).strip()
    return frozenset(letters[at : at + GRAM] for at in range(max(1, len(letters) - GRAM + 1)))


def test_it_makes_some_thousand_rows_of_its_own_source(rows):
    assert 10_000 <= len(rows) <= 20_000
    assert {row.source for row in rows} == {SOURCE}
    assert len({fingerprint(row.text) for row in rows}) == len(rows)
    assert all(0 < row.weight < 0.5 for row in rows)
    assert not [row.text for row in rows if re.search(r"[{}\t]|  ", row.text)]


def test_it_makes_the_same_rows_each_time(rows):
    assert make_rows(reversed(CLAUSES)) == rows


def test_hate_is_toxic_and_names_whom_it_attacks(rows):
    for row in rows:
        assert row.toxic or not row.hate
        assert row.targets <= frozenset(TARGETS)
        assert bool(row.targets) == row.hate, row.text


def test_a_hateful_frame_attacks_one_group():
    assert not [frame.text for frame in read_frames() if frame.is_hate and "{they2}" in frame.text]


def test_the_labels_without_a_group_are_known_of_both_sides(rows):
    for label in ("insult", "threat", "profanity"):
        counts = Counter(getattr(row, label) for row in rows if not row.hate)
        assert counts[True] > 100
        assert counts[False] > 1000


def test_every_form_has_both_sides():
    sides = defaultdict(set)
    for frame in read_frames():
        sides[frame.form].add(frame.labels["t" if frame.form == "insult" else "h"] is True)
    assert sides == {form: {True, False} for form in FORMS}


def test_the_two_sides_are_about_as_many(rows):
    share = sum(row.hate for row in rows) / len(rows)
    assert 0.35 < share < 0.5


def test_no_group_carries_the_label(rows):
    """Each target stands on the hateful side as often as on the harmless one, by its share of that side."""
    shares = {True: Counter(), False: Counter()}
    for group in read_groups():
        names = "|".join(map(re.escape, (*group.plural, *group.singular)))
        found = re.compile(rf"\b(?:{names})\b", re.IGNORECASE)
        for row in rows:
            if found.search(row.text):
                shares[row.hate].update([group.plural[0]])
    for group in read_groups():
        hateful, harmless = (shares[side][group.plural[0]] / shares[side].total() for side in (True, False))
        assert 0.6 < hateful / harmless < 1.6, group.plural[0]


def test_a_third_of_the_frames_and_statements_is_not_learned_from(rows):
    splits = Counter(frame.split for frame in read_frames())
    assert 0.3 < 1 - splits["fit"] / splits.total() < 0.4
    assert len({frame.text for frame in read_frames()}) == splits.total() >= 250
    by_split = defaultdict(set)
    for (_, split), statements in read_statements().items():
        by_split[split].update(statement.predicate for statement in statements)
    assert not by_split["fit"] & (by_split["head"] | by_split["test"])
    assert not by_split["head"] & by_split["test"]
    assert {row.split for row in rows} == {"fit", "head", "test"}


def test_frames_of_a_form_stand_in_every_split():
    splits = defaultdict(set)
    for frame in read_frames():
        splits[frame.form, frame.is_hate].add(frame.split)
    assert all(found == {"fit", "head", "test"} for found in splits.values())


def test_a_clause_is_quoted_with_rebuke_and_with_assent_in_its_own_split(rows):
    quoted = [row for row in rows if "be trusted with" in row.text.lower() and row.text.lower().count("women ")]
    sides = {(row.split, row.hate) for row in quoted}
    assert sides >= {(split, hate) for split in ("fit", "head", "test") for hate in (True, False)}
    assert {row.targets for row in quoted if row.hate and "trusted with our money" in row.text} == {frozenset(("women",))}


@pytest.mark.parametrize(
    "clause",
    [
        quotable("women can drive a lorry too", hate=False),
        quotable("women are what they are", source="stormfront"),
        quotable("women are what they are", source="measuring_hate_speech"),
        quotable("women, so many of them"),
        quotable("they are what they are"),
        quotable("I think women are what they are"),
        quotable('women are "what" they are'),
        quotable("women are what they are. And so on."),
        quotable("women are here"),
    ],
)
def test_what_is_no_short_hateful_clause_is_not_quoted(clause):
    assert choose_clauses([clause, CLAUSES[0]]) == {"fit": CLAUSES[:1]}


def test_no_row_is_a_functional_check_or_a_near_copy(rows):
    checks = [check.text for check in read_functional_checks()]
    assert not {fingerprint(row.text) for row in rows} & set(map(fingerprint, checks))
    checks = [grams(check) for check in checks]
    holders = defaultdict(set)
    for at, check in enumerate(checks):
        for gram in check:
            holders[gram].add(at)
    for row in rows:
        of_row = grams(row.text)
        # Of so many grams, a near copy holds at least one.
        rarest = sorted(of_row, key=lambda gram: len(holders.get(gram, ())))[: int(len(of_row) * (1 - LIKE)) + 1]
        for at in {at for gram in rarest for at in holders.get(gram, ())}:
            assert len(of_row & checks[at]) < LIKE * len(of_row | checks[at]), row.text
