"""The recipe learns from no text that measures, and reads of each source what it says."""

import hashlib
import json
import random
import re
import unicodedata
from collections import Counter, defaultdict

import numpy as np
import pytest

from hate_speech_AI.labels import TARGETS, is_consistent
from hate_speech_AI.recipe.corpus import FILES, LABELS, SOURCES, WEIGHTS, Example, checksums, describe, read_corpus, separate
from hate_speech_AI.recipe.corpus.leakage import HELD_OUT, list_keys, read_held_out
from hate_speech_AI.recipe.corpus.near_copies import LIKENESS, raise_ranks
from hate_speech_AI.recipe.corpus.readers import read_source
from hate_speech_AI.recipe.corpus.targets import list_known_groups
from hate_speech_AI.text import fingerprint

SENTENCE = "we met the new neighbours at the harbour in the rain"


def example(text, split="fit", source="dynahate"):
    return Example(text, source, split, hate=False, toxic=None)


def kept(examples, held_out=frozenset()):
    dropped = Counter()
    return [(one.text, one.split) for one in separate(examples, held_out, dropped)], dropped


def test_the_strictest_side_keeps_a_text():
    rows = [example("A ferry"), example("a  FERRY", "test", "gab"), example("Good morning"), example("good morning", "head")]
    assert kept(rows) == ([("a  FERRY", "test"), ("good morning", "head")], {"dynahate in test": 1, "dynahate in head": 1})


def test_of_equal_texts_the_first_stays():
    assert kept([example("A ferry"), example("a ferry", source="gab")]) == ([("A ferry", "fit")], {"gab repeated": 1})


def test_whatever_is_held_out_goes_from_every_side():
    text = "We saw, in the harbour: a ferry!"
    letters = hashlib.sha256(b"wesawintheharbouraferry").hexdigest()[:16]
    for key in (fingerprint(text)[:16], letters):
        assert kept([example(text), example("Rain"), example(text, "test")], frozenset({key})) == (
            [("Rain", "fit")],
            {"dynahate held out": 2},
        )


def test_a_short_text_is_not_known_by_its_letters_alone():
    assert len(list_keys("A ferry")) == 1


def test_a_held_out_text_may_have_its_line_breaks_written_out():
    key = fingerprint("The ferry[linebreak]is late")[:16]
    assert kept([example("The ferry\nis late", source="cad"), example("Rain")], frozenset({key}))[0] == [("Rain", "fit")]


@pytest.mark.parametrize(
    "copy",
    [
        SENTENCE.replace("rain", "snow"),
        SENTENCE.replace("neighbours", "neighbors"),
        SENTENCE.replace("at the harbour", "at theharbour"),
        f"{SENTENCE.upper()}!!!",
        f"so {SENTENCE}",
    ],
)
def test_a_near_copy_is_on_no_laxer_side(copy):
    assert kept([example(copy), example(SENTENCE, "test")])[0] == [(SENTENCE, "test")]
    assert kept([example(copy), example(SENTENCE, "head")])[0] == [(SENTENCE, "head")]
    assert kept([example(copy, "head"), example(SENTENCE, "test")]) == ([(SENTENCE, "test")], {"dynahate near test": 1})
    assert len(kept([example(copy, "test"), example(SENTENCE, "test")])[0]) == 2


def test_what_shares_some_words_is_no_near_copy():
    rows = [
        example("we met the old baker at the market in the rain"),
        example(SENTENCE, "test"),
        example("we 🌧"),
        example("we 🌞"),
    ]
    assert len(kept(rows)[0]) == 4


def jaccard(one, other):
    return len(one & other) / len(one | other)


def list_words(text):
    return set(re.findall(r"\w+|[^\w\s\x00-\x7f]", unicodedata.normalize("NFKC", text).casefold()))


def list_runs(text):
    letters = "".join(re.findall(r"\w+|[^\w\s\x00-\x7f]", unicodedata.normalize("NFKC", text).casefold()))
    return {letters[at : at + 5] for at in range(max(1, len(letters) - 4))}


def test_no_near_copy_is_missed_and_none_is_made_up():
    draw = random.Random(0)
    words = ["rain", "raining", "ferry", "ferries", "harbour", "arbour", "at", "the", "we", "🌧", "tea"]
    texts = [" ".join(draw.choices(words, k=draw.randint(1, 14))) for _ in range(600)]
    ranks = np.array([draw.randrange(3) for _ in texts])
    sets = [(list_words(text), list_runs(text)) for text in texts]
    raised = [
        max(rank for other, rank in zip(sets, ranks, strict=True) if max(map(jaccard, one, other)) >= LIKENESS - 1e-9)
        for one in sets
    ]
    assert 50 < sum(np.array(raised) > ranks) < 400
    assert raise_ranks(texts, ranks).tolist() == np.maximum(raised, ranks).tolist()


def test_labels_are_listed_in_one_order():
    row = Example("x", "grammar", "fit", hate=True, toxic=True, threat=False, targets=frozenset({"women"}))
    said = dict(zip(LABELS, row.list_labels(), strict=True))
    assert ("hate", "toxic", "insult", "threat", "profanity", *TARGETS) == LABELS
    assert (said["hate"], said["toxic"], said["insult"], said["threat"], said["profanity"]) == (True, True, None, False, None)
    assert [said[group] for group in TARGETS] == [group == "women" for group in TARGETS]
    assert row._replace(targets=None).list_labels()[5:] == [None] * len(TARGETS)


def test_a_source_says_nothing_of_groups_that_it_does_not_know():
    row = Example("x", "edos", "fit", hate=True, toxic=True, targets=frozenset({"women"}))
    assert [value for value in row.list_labels()[5:] if value is not None] == [True]
    for source in SOURCES:
        assert list_known_groups(source) <= set(TARGETS)


NO_RACE = {"Race": "No_race", "Religion": "Nonreligious", "Gender": "No_gender", "Miscellaneous": "Not Avalaible"}


def hatexplain(label, **groups):
    return {"text": label, "split": "val", "majority_label": label, "target_groups": json.dumps(NO_RACE | groups)}


def hatemoji(number, twin, split, kind="none", target="['none']"):
    fields = {"entry_id": number, "matched_id": twin, "split": split, "type": kind, "target": target}
    return fields | {"text": f"text {number}", "label_gold": int(kind != "none")}


def spans(insult, threat, profane, any_span):
    kinds = {"insult": insult, "threat": threat, "profane": profane, "any_span": any_span}
    return {"text": str(kinds), "annotators": 4} | kinds


# Of each source some rows, and what is read of them: hate, toxic, insult, threat, profanity, targets.
READ = {
    "cad": [
        ({"id": "a-post", "text": "a[linebreak]b", "labels": "Neutral"}, (False, False, False, False, None, None)),
        ({"id": "b", "text": "b", "labels": "CounterSpeech"}, (False, False, False, False, None, None)),
        ({"id": "c", "text": "c", "labels": "CounterSpeech,PersonDirectedAbuse"}, (False, True, True, None, None, None)),
        ({"id": "d", "text": "d", "labels": "AffiliationDirectedAbuse"}, (False, True, None, None, None, None)),
        ({"id": "e", "text": "e", "labels": "IdentityDirectedAbuse"}, (True, True, None, None, None, None)),
    ],
    "context_toxicity": [
        ({"text": "a", "label": 0}, (False, False, False, False, False, None)),
        ({"text": "b", "label": 1}, (None, True, None, None, None, None)),
    ],
    "davidson": [
        ({"tweet": "a", "class": 0}, (True, True, None, None, None, None)),
        ({"tweet": "b", "class": 1}, (False, True, None, None, None, None)),
        ({"tweet": "c", "class": 2}, (False, False, False, False, False, None)),
    ],
    "edos": [
        (
            {"text": "a", "label_sexist": "sexist", "label_category": "1. threats", "split": "train"},
            (True, True, None, True, None, {"women"}),
        ),
        (
            {"text": "b", "label_sexist": "sexist", "label_category": "3. animosity", "split": "dev"},
            (True, True, None, False, None, {"women"}),
        ),
        (
            {"text": "c", "label_sexist": "not sexist", "label_category": "none", "split": "test"},
            (False, None, None, None, None, set()),
        ),
    ],
    "gab": [
        ({"text": "a", "hd": 0, "cv": 1, "vo": 0}, (True, True, None, None, None, None)),
        ({"text": "b", "hd": 0, "cv": 0, "vo": 1}, (False, True, None, None, None, None)),
        ({"text": 'c "quoted"', "hd": 0, "cv": 0, "vo": 0}, (False, False, False, False, None, None)),
    ],
    "hatemoji_build": [
        (
            hatemoji(1, 2, "train", "threateninglanguage", "['mus', 'asi.south']"),
            (True, True, None, True, None, {"muslims", "asian people"}),
        ),
        (hatemoji(2, 1, "train"), (False, None, None, False, None, set())),
        (hatemoji(3, 4, "dev", "derogation", "['blawom']"), (True, True, None, False, None, {"black people", "women"})),
    ],
    "hatexplain": [
        (hatexplain("hatespeech", Race="African", Gender="Women"), (True, True, None, None, None, {"black people", "women"})),
        (hatexplain("hatespeech"), (True, True, None, None, None, None)),
        (hatexplain("offensive", Gender="Women"), (False, True, None, None, None, None)),
        (hatexplain("normal", Gender="Women"), (False, False, False, False, None, set())),
    ],
    "toxic_spans": [
        (spans(3, 0, 2, 4), (None, True, True, False, False, None)),
        (spans(0, 0, 0, 2), (None, None, False, False, False, None)),
    ],
    "toxigen": [
        ({"text": "b'a\\nb'", "target_group": "lgbtq", "toxicity_human": 4.0}, (True, True, None, None, None, {"gay people"})),
        ({"text": 'b"it\'s"', "target_group": "asian", "toxicity_human": 2.0}, (False, False, False, False, None, set())),
    ],
    "wiegand": [
        (
            {"#SENTENCE_FROM_TWEET": "a", "LABEL": "ABUSE", "TARGET": "Jews", "VERB": "be"},
            (True, True, None, None, None, {"jews"}),
        ),
        (
            {"#SENTENCE_FROM_TWEET": '"b', "LABEL": "OTHER", "TARGET": "Jews", "VERB": "be"},
            (False, None, None, None, None, set()),
        ),
    ],
}  # fmt: skip


def write_rows(folder, source, rows):
    path = folder / FILES[source][0]
    for file in FILES[source]:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(",".join(rows[0]) + "\n", "utf-8")
    tab = "\t" if path.suffix == ".tsv" else ","
    quote = (lambda value: '"' + str(value).replace('"', '""') + '"') if source not in ("cad", "wiegand") else str
    lines = [tab.join(rows[0]), *(tab.join(map(quote, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.mark.parametrize("source", READ)
def test_a_source_is_read_as_it_means(tmp_path, source):
    rows, expected = zip(*READ[source], strict=True)
    write_rows(tmp_path, source, rows)
    read = list(read_source(source, tmp_path))
    assert [row[3:9] for row in read] == list(expected)
    assert {row.source for row in read} == {source}


def test_texts_are_read_as_people_wrote_them(tmp_path):
    for source, text in (("cad", "a\nb"), ("gab", 'c "quoted"'), ("toxigen", "a\nb"), ("wiegand", '"b')):
        write_rows(tmp_path, source, [row for row, _ in READ[source]])
        assert text in [row.text for row in read_source(source, tmp_path)]


def test_what_toxigen_finds_between_is_left_out(tmp_path):
    write_rows(tmp_path, "toxigen", [{"text": "b'a'", "target_group": "asian", "toxicity_human": 3.0}])
    assert list(read_source("toxigen", tmp_path)) == []


def test_twins_are_on_one_side(tmp_path):
    pairs = [("train", "train"), ("dev", "train"), ("test", "dev"), ("test", "test")]
    rows = [hatemoji(2 * at + side, 2 * at + 1 - side, split) for at, pair in enumerate(pairs) for side, split in enumerate(pair)]
    write_rows(tmp_path, "hatemoji_build", rows)
    assert [row.split for row in read_source("hatemoji_build", tmp_path)] == [
        "fit",
        "fit",
        "head",
        "head",
        "test",
        "test",
        "test",
    ]


def test_sentences_with_one_verb_are_on_one_side(tmp_path):
    rows = [
        {"#SENTENCE_FROM_TWEET": f"{verb} {at}", "LABEL": "OTHER", "TARGET": "Jews", "VERB": verb}
        for verb in ("sing", "cook", "read", "walk", "swim", "sail", "row", "dig") for at in range(20)
    ]  # fmt: skip
    write_rows(tmp_path, "wiegand", rows)
    splits = defaultdict(set)
    for row in read_source("wiegand", tmp_path):
        splits[row.text.split()[0]].add(row.split)
    assert all(len(sides) == 1 for sides in splits.values())


def test_a_missing_set_is_named(tmp_path):
    for source in SOURCES:
        with pytest.raises(FileNotFoundError, match=FILES[source][0]):
            list(read_source(source, tmp_path))


@pytest.fixture(scope="module")
def dropped():
    """Give the counts of what `corpus` leaves out."""
    return Counter()


@pytest.fixture(scope="module")
def corpus(datasets_folder, dropped):
    """Give the whole corpus."""
    return read_corpus(datasets_folder, dropped)


@pytest.mark.slow
def test_every_text_is_on_one_side(corpus):
    assert len({fingerprint(row.text) for row in corpus}) == len(corpus)
    assert {row.split for row in corpus} == {"fit", "head", "test"}


@pytest.mark.slow
def test_no_held_out_text_is_learned_from(corpus, dropped, datasets_folder):
    held_out = read_held_out(datasets_folder)
    assert not [row.text for row in corpus if held_out & set(list_keys(row.text))]
    assert all(dropped[f"{source} held out"] for source in ("cad", "davidson", "dynahate", "gab", "hatemoji_build"))


@pytest.mark.slow
def test_two_sets_are_left_out_whole(corpus):
    for source in ("measuring_hate_speech", "stormfront"):
        assert {row.split for row in corpus if row.source == source} == {"test"}
        assert WEIGHTS[source] == 0


@pytest.mark.slow
def test_the_official_splits_are_kept(corpus, datasets_folder):
    splits = {fingerprint(row.text): row.split for row in corpus}
    held_out = read_held_out(datasets_folder)
    official = [row for row in read_source("dynahate", datasets_folder) if row.split == "test"]
    assert len(official) == 4116
    assert {splits[fingerprint(row.text)] for row in official if not held_out & set(list_keys(row.text))} == {"test"}


def list_near(texts, others, list_members):
    """Return the texts that are near copies of others, by an index of the rarest members."""
    sets, measured = [list_members(text) for text in texts], [list_members(other) for other in others]
    counts = Counter(member for one in sets + measured for member in one)
    index = defaultdict(list)
    for one in measured:
        for member in sorted(one, key=lambda member: (counts[member], member))[: len(one) // 5 + 1]:
            index[member].append(one)
    return [
        text for text, one in zip(texts, sets, strict=True)
        if any(jaccard(one, other) >= LIKENESS for member in one if counts[member] < 500 for other in index[member])
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("list_members", [list_words, list_runs])
def test_no_near_copy_of_what_measures_is_learned_from(corpus, list_members):
    # Most twins are in one source. Of it each pair is looked at, for a sample of what is learned.
    texts = defaultdict(list)
    for row in corpus:
        if row.source == "dynahate":
            texts[row.split].append(row.text)
    measured = texts["head"] + texts["test"]
    assert list_near([*texts["fit"][::8], f"{measured[0]}!"], measured, list_members) == [f"{measured[0]}!"]
    assert list_near(texts["head"], texts["test"], list_members) == []


@pytest.mark.slow
def test_labels_do_not_contradict_each_other(corpus):
    for row in corpus:
        said = {label: value for label, value in zip(LABELS[:5], row.list_labels(), strict=False) if value is not None}
        assert said, row.source
        assert is_consistent(said), (row.source, said)
        assert row.targets is None or bool(row.targets) == row.hate


@pytest.mark.slow
def test_learned_labels_are_on_both_sides(corpus):
    for split in ("fit", "head", "test"):
        rows = [row.list_labels() for row in corpus if row.split == split]
        for at, label in enumerate(LABELS):
            assert {True, False} <= {row[at] for row in rows}, (split, label)


@pytest.mark.slow
def test_what_was_read_is_recorded(corpus, datasets_folder):
    assert set(checksums(datasets_folder)) == {file for files in FILES.values() for file in files} | {HELD_OUT}
    assert sum(rows for rows, _ in json.loads(describe(corpus)).values()) == len(corpus)
