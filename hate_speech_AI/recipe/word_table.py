"""Make the table of words by which disguised words are restored, from the texts that the weights learn from.

`python -m hate_speech_AI.recipe.word_table --data DATASETS --work WORK` writes `data/word_table.json`. It holds single words with
their counts, and the pieces of the tokenizer: no text can be put together from it.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ..text.encoder_form import encoder_form
from ..text.word_table import PATH
from .base import fetch_base
from .corpus import read_corpus

_WORD = re.compile(r"(?<![^\W_])[A-Za-z]+(?![^\W_])")
# After these a capital says that a word is a name.
_MID_SENTENCE = re.compile(r"(?<=[a-z,] )[A-Za-z]+(?![^\W_])")
# Counts are given as if the texts were so many. So the bounds of the reading form fit any number of texts.
_TEXTS = 100_000
# A word that fewer texts have is most likely misspelt.
_FEWEST_TEXTS = 3
_LONGEST = 24


def count_words(texts: Iterable[str]) -> tuple[dict[str, int], set[str]]:
    """Return in how many of 100,000 texts each word is, and the words that are mostly written with a capital."""
    n_texts = 0
    counts: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in texts:
        n_texts += 1
        form = encoder_form(text, restore=False).text
        counts.update({word.lower() for word in _WORD.findall(form)})
        if not form.islower():
            inside = set(_MID_SENTENCE.findall(form))
            capital.update(word.lower() for word in inside if word.istitle())
            small.update(word for word in inside if word.islower())
    scaled = {word: round(n * _TEXTS / n_texts) for word, n in counts.items() if len(word) <= _LONGEST}
    names = {word for word, n in scaled.items() if n >= _FEWEST_TEXTS and capital[word] > max(small[word], _FEWEST_TEXTS)}
    return scaled, names


def make_table(texts: Iterable[str], pieces: Iterable[str]) -> str:
    """Return the table of the words of `texts` and the `pieces` of the tokenizer, as JSON."""
    counts, names = count_words(texts)
    ascii_pieces = sorted(piece for piece in pieces if re.fullmatch("(##)?[a-z]+", piece))
    whole = [piece for piece in ascii_pieces if piece[0] != "#"]
    table = {
        "whole": {word: counts.get(word, 0) for word in whole},
        "parted": {word: counts[word] for word in sorted(counts.keys() - set(whole)) if counts[word] >= _FEWEST_TEXTS},
        "names": " ".join(sorted(names)),
        "continuations": " ".join(piece[2:] for piece in ascii_pieces if piece[0] == "#"),
    }
    return json.dumps(table, separators=(",", ":")).replace("},", "},\n") + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hate_speech_AI.recipe.word_table", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the datasets, one folder each")
    parser.add_argument("--work", type=Path, default=Path("var/recipe/work"), help="where the base model is kept")
    arguments = parser.parse_args()
    tokenizer = json.loads((fetch_base("minilm", arguments.work / "minilm") / "tokenizer.json").read_text("utf-8"))
    texts = (row.text for row in read_corpus(arguments.data) if row.split == "fit")
    PATH.write_text(make_table(texts, tokenizer["model"]["vocab"]), "utf-8")


if __name__ == "__main__":
    main()
