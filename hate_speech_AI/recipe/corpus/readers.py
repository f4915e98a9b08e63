"""The sources: their files, what their columns say, and on which side each row is.

Where a source has no official split, the side of a text depends on the digest of a key alone.
"""

import ast
import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ...text import fingerprint
from ...training.rows import choose_side
from .example import Example
from .targets import TOXIGEN, WIEGAND, read_hatemoji, read_hatexplain

FILES = {
    "cad": ["cad/cad_v1_1_train.tsv"],
    "context_toxicity": ["context_toxicity/gn.csv"],
    "davidson": ["davidson/labeled_data.csv"],
    "dynahate": ["dynahate_v023/dynahate_v023.csv", "dynahate/dynahate.csv"],
    "edos": ["edos/edos_labelled_aggregated.csv"],
    "gab": ["gab/ghc_train.tsv"],
    "hatemoji_build": [f"hatemoji_build/{split}.csv" for split in ("train", "validation", "test")],
    "hatexplain": ["hatexplain/hatexplain.csv"],
    "implicit_hate": ["implicit_hate/implicit_hate_v1_stg1_posts.tsv"],
    "measuring_hate_speech": ["measuring_hate_speech/ken20_train_20692.csv"],
    "stormfront": ["stormfront/stormfront.csv"],
    "toxic_spans": ["toxic_spans/toxic_spans.csv"],
    "toxigen": ["toxigen/toxigen_annotated_train.csv"],
    "wiegand": ["wiegand/sentences.english.tsv"],
}
SOURCES = tuple(FILES)

# The weight of a row of each source in the loss of `hate`. Trained annotators labelled dynahate and hatemoji_build with the
# definition that this project uses. The others use other definitions, or their annotators agree less. The two sources with weight
# 0 are left out of all learning: on them it is measured how the encoder fares in a community that it does not know.
WEIGHTS = {
    "cad": 0.5,
    "context_toxicity": 0.3,
    "davidson": 0.35,
    "dynahate": 1.0,
    "edos": 0.5,
    "gab": 0.5,
    "grammar": 1.0,
    "hatemoji_build": 1.0,
    "hatexplain": 0.7,
    "implicit_hate": 0.3,
    "measuring_hate_speech": 0.0,
    "stormfront": 0.0,
    "toxic_spans": 0.4,
    "toxigen": 0.7,
    "wiegand": 0.7,
}
# Every source of examples: the sets, and the sentences that the recipe makes.
ORIGINS = tuple(WEIGHTS)
# Of a source without an official split one row in so many is kept for the test, and one in so many of the others for the head.
_TEST_SHARE, _HEAD_SHARE = 5, 10
_BREAK = "[linebreak]"  # cad's word for a line break


def read_source(source: str, folder: Path) -> Iterator[Example]:
    """Read all rows of a source below `folder`.

    Raises
    ------
    FileNotFoundError
        A file of the source is missing.
    """
    return _READERS[source](*(folder / file for file in FILES[source]))


def write_breaks(text: str) -> str:
    """Return a text as cad writes it."""
    return text.replace("\n", _BREAK)


def _rows(path: Path, *, tabs: bool = False, quoted: bool = True) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        yield from csv.DictReader(file, delimiter="\t" if tabs else ",", quoting=quoting)


def _choose(key: str) -> str:
    """Return the side of whatever has this key: a text, or a group of texts that belong together."""
    if _draw("test", key) % _TEST_SHARE == 0:
        return "test"
    return _choose_learned(key)


def _choose_learned(key: str) -> str:
    return "head" if _draw("head", key) % _HEAD_SHARE == 0 else "fit"


def _draw(purpose: str, key: str) -> int:
    return int(hashlib.sha256(f"{purpose} {key}".encode()).hexdigest()[:8], 16)


def _cad(path: Path) -> Iterator[Example]:
    for row in _rows(path, tabs=True, quoted=False):
        labels = set(row["labels"].split(","))
        hate, insult = "IdentityDirectedAbuse" in labels, "PersonDirectedAbuse" in labels
        toxic = hate or insult or "AffiliationDirectedAbuse" in labels
        # A post's title and its text have ids that begin alike.
        split = _choose(row["id"].partition("-")[0])
        text = row["text"].replace(_BREAK, "\n")
        # Whoever abuses a group need not insult anybody, so only the clear cases say something.
        yield Example(text, "cad", split, hate, toxic, insult=True if insult else _unless(toxic), threat=_unless(toxic))


def _context_toxicity(path: Path) -> Iterator[Example]:
    for row in _rows(path):
        toxic = row["label"] == "1"
        no = _unless(toxic)
        yield Example(row["text"], "context_toxicity", _choose(fingerprint(row["text"])), no, toxic, no, no, no)


def _davidson(path: Path) -> Iterator[Example]:
    for row in _rows(path):
        key = fingerprint(row["tweet"])
        # The service's own held-out side is the test.
        split = "test" if choose_side(key) == "held_out" else _choose_learned(key)
        toxic = row["class"] != "2"
        no = _unless(toxic)
        yield Example(row["tweet"], "davidson", split, row["class"] == "0", toxic, no, no, no)


def _dynahate(path: Path, earlier: Path) -> Iterator[Example]:
    """Read the rows of v0.2.3, which has the official split, and then those of v0.1, to learn from."""
    for row in _rows(path):
        hate = row["label"] == "1"
        yield Example(row["text"], "dynahate", {"train": "fit", "dev": "head", "test": "test"}[row["split"]], hate, _if(hate))
    for row in _rows(earlier):
        hate = row["label"] == "1"
        yield Example(row["text"], "dynahate", "fit", hate, _if(hate))


def _edos(path: Path) -> Iterator[Example]:
    for row in _rows(path):
        hate = row["label_sexist"] == "sexist"
        split = {"train": "fit", "dev": "head", "test": "test"}[row["split"]]
        # Only sexist texts have a category.
        threat = row["label_category"].startswith("1.") if hate else None
        yield Example(
            row["text"], "edos", split, hate, _if(hate), threat=threat, targets=frozenset({"women"}) if hate else frozenset()
        )


def _gab(path: Path) -> Iterator[Example]:
    for row in _rows(path, tabs=True):
        hate = row["hd"] == "1" or row["cv"] == "1"
        offensive = row["vo"] == "1"
        no = _unless(hate or offensive)
        yield Example(row["text"], "gab", _choose(fingerprint(row["text"])), hate, hate or offensive, no, no)


def _hatemoji_build(*paths: Path) -> Iterator[Example]:
    """Read the contrast pairs. Both texts of a pair are on one side; twins of test rows are left out."""
    rows = [row for path in paths for row in _rows(path)]
    split_of = {row["entry_id"]: {"train": "fit", "dev": "head", "test": "test"}[row["split"]] for row in rows}
    rank = ("fit", "head", "test")
    for row in rows:
        split, twin = split_of[row["entry_id"]], split_of.get(row["matched_id"], "fit")
        if twin == "test" != split:
            continue
        hate = row["label_gold"] == "1"
        yield Example(
            row["text"],
            "hatemoji_build",
            max(split, twin, key=rank.index),
            hate,
            _if(hate),
            threat=row["type"] == "threateninglanguage",
            targets=read_hatemoji(row["target"]) if hate else frozenset(),
        )


def _hatexplain(path: Path) -> Iterator[Example]:
    for row in _rows(path):
        split = {"train": "fit", "val": "head", "test": "test"}[row["split"]]
        hate, toxic = row["majority_label"] == "hatespeech", row["majority_label"] != "normal"
        no = _unless(toxic)
        # Annotators marked whom a text is about. In an offensive text that need not be whom it attacks.
        targets = read_hatexplain(row["target_groups"]) if hate else None if toxic else frozenset()
        yield Example(row["text"], "hatexplain", split, hate, toxic, no, no, targets=targets)


def _implicit_hate(path: Path) -> Iterator[Example]:
    """Read rows whose labels are too noisy to choose or measure by: all are to learn from."""
    for row in _rows(path, tabs=True):
        if "\t" in row["post"]:
            continue  # a stray quote has swallowed other fields
        hate = row["class"] != "not_hate"
        yield Example(row["post"], "implicit_hate", "fit", hate, _if(hate))


def _measuring_hate_speech(path: Path) -> Iterator[Example]:
    for row in _rows(path):
        hate = row["label"] == "1"
        yield Example(row["text"], "measuring_hate_speech", "test", hate, _if(hate))


def _stormfront(path: Path) -> Iterator[Example]:
    for row in _rows(path):
        if row["split"] == "test":
            hate = row["label"] == "1"
            yield Example(row["text"], "stormfront", "test", hate, _if(hate))


def _toxic_spans(path: Path) -> Iterator[Example]:
    """Read comments that some reader found toxic. A label is what the majority marked."""
    for row in _rows(path):
        toxic, insult, threat, profanity = (
            2 * int(row[column]) > int(row["annotators"]) for column in ("any_span", "insult", "threat", "profane")
        )
        split = _choose(fingerprint(row["text"]))
        yield Example(row["text"], "toxic_spans", split, None, _if(toxic), insult, threat, profanity)


def _toxigen(path: Path) -> Iterator[Example]:
    for row in _rows(path):
        toxicity = float(row["toxicity_human"])
        if 2 < toxicity < 4:
            continue
        text = ast.literal_eval(row["text"]).decode("utf-8", "replace")  # `b'...'`
        hate = toxicity >= 4
        targets = frozenset({TOXIGEN[row["target_group"]]}) if hate else frozenset()
        no = _unless(hate)
        split = _choose(f"{row['target_group']} {fingerprint(text)}")
        yield Example(text, "toxigen", split, hate, hate, no, no, targets=targets)


def _wiegand(path: Path) -> Iterator[Example]:
    for row in _rows(path, tabs=True, quoted=False):
        hate = row["LABEL"] == "ABUSE"
        targets = frozenset({WIEGAND[row["TARGET"]]}) if hate else frozenset()
        yield Example(row["#SENTENCE_FROM_TWEET"], "wiegand", _choose(row["VERB"]), hate, _if(hate), targets=targets)


def _if(value: bool) -> bool | None:
    """Return the label that follows if `value` holds: `None` if it does not, since then nobody says."""
    return True if value else None


def _unless(value: bool) -> bool | None:
    """Return the label that cannot be where `value` does not hold, such as an insult in a text that is not toxic."""
    return None if value else False


_READERS: dict[str, Callable[..., Iterator[Example]]] = {
    "cad": _cad,
    "context_toxicity": _context_toxicity,
    "davidson": _davidson,
    "dynahate": _dynahate,
    "edos": _edos,
    "gab": _gab,
    "hatemoji_build": _hatemoji_build,
    "hatexplain": _hatexplain,
    "implicit_hate": _implicit_hate,
    "measuring_hate_speech": _measuring_hate_speech,
    "stormfront": _stormfront,
    "toxic_spans": _toxic_spans,
    "toxigen": _toxigen,
    "wiegand": _wiegand,
}
