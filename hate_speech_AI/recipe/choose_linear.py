"""Choose the parameters of the linear engine on the training side of a labelled file.

    python -m hate_speech_AI.recipe.choose_linear FILE

Each candidate differs from the shipped parameters in one thing. Its probabilities come from five-fold cross-validation. As in a
training, the threshold is chosen on a random tenth, and F1 of the hate class is measured on the rest. That is repeated for thirty
draws of the tenth. The held-out fifth is not read.
"""

import argparse
import csv
import re
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from tqdm import tqdm

from ..engines.linear import PARAMETERS
from ..engines.ngrams import compute_tfidf
from ..evaluation.threshold import choose_threshold
from ..text import fingerprint
from ..text.linear_form import stem_word, stems, words
from ..training.rows import choose_side

DRAWS = 30
PARAMETER_CANDIDATES = {
    "C": [2.0, 4.0, 16.0],
    "char_weight": [1.0, 2.0, 4.0],
    "min_df": [1, 3],
    "bucket_bits": [17, 18, 20],
    "char_ngrams": [[1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]],
}


def seed_words(form: str) -> list[str]:
    """Return the words of the code that this project began with, repaired: letters and "#", longer than three, stemmed."""
    letters = re.sub(r"[^a-z#]", " ", form)
    return [stem_word(word) for word in letters.split() if len(word) > 3]


WORDS_CANDIDATES = {
    "words of more than 3 letters only": lambda form: [stem_word(word) for word in words(form) if len(word) > 3],
    "the seed's cleaning, mended": seed_words,
    "words not stemmed": words,
    "no words": lambda form: [],
}


def read_training_side(path: Path) -> list[tuple[str, bool]]:
    """Read (text, is_hate_speech) of the rows that are not held out, one for each fingerprint."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = {fingerprint(row["tweet"]): (row["tweet"], row["label"] == "1") for row in csv.DictReader(file)}
    return [row for key, row in sorted(rows.items()) if choose_side(key) != "held_out"]


def judge(rows: list[tuple[str, bool]], parameters: dict, words_of) -> tuple[float, float]:
    """Return the mean F1 over the draws, each at its own threshold, and the average precision."""
    features, labels, _ = compute_tfidf(rows, parameters, words_of)
    rng = np.random.default_rng(0)
    fold = rng.permutation(len(labels)) % 5
    probabilities = np.empty(len(labels))
    for k in range(5):
        regression = LogisticRegression(C=parameters["C"], max_iter=parameters["max_iter"])
        regression.fit(features[fold != k], labels[fold != k])
        probabilities[fold == k] = regression.predict_proba(features[fold == k])[:, 1]
    f1 = []
    for _ in range(DRAWS):
        tenth = rng.random(len(labels)) < 0.1
        threshold = choose_threshold(labels[tenth], probabilities[tenth])
        f1.append(f1_score(labels[~tenth], probabilities[~tenth] >= threshold))
    return float(np.mean(f1)), float(average_precision_score(labels, probabilities))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a CSV file with the columns label (1 is hate) and tweet")
    rows = read_training_side(parser.parse_args().file)
    candidates = [
        ("as shipped", {}, stems),
        *((f"{name} = {value}", {name: value}, stems) for name, values in PARAMETER_CANDIDATES.items() for value in values),
        *((name, {}, words_of) for name, words_of in WORDS_CANDIDATES.items()),
    ]
    for name, changed, words_of in tqdm(candidates, leave=False):
        f1, average_precision = judge(rows, PARAMETERS | changed, words_of)
        tqdm.write(f"{name:36} F1 {f1:.4f}   average precision {average_precision:.4f}")


if __name__ == "__main__":
    main()
