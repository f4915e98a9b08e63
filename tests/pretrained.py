"""Copies of the shipped files, with and without labels and targets that learn nothing."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from hate_speech_AI.engines.encoder.session import load_encoder
from hate_speech_AI.engines.encoder.shipped import FOLDER
from hate_speech_AI.labels import INSULT, PROFANITY, TARGETS, THREAT

INSULTING = "You are such a silly fool, mate"
THREATENING = "I will come round tonight and break your windows"
ATTACKING = "All women are worthless and disgusting."
_ABOUT_WOMEN = "edos"  # this source collects sexism, and what is none
# Mild, and enough to tell one label from another.
_TEXTS = {
    INSULT: ["You are a fool", "What an idiot you are", "He is a stupid clown", "Shut up, you silly fool", "She is an idiot"],
    THREAT: ["I will break your nose", "We will come and burn it down", "You will be sorry, I will find you", "I will hurt him"],
    PROFANITY: ["What the hell is this", "Damn, that was damn good", "Oh crap, the damn bus", "This is crap"],
    **{
        group: [f"All {group} are worthless", f"I hate {group}", f"Those {group} are disgusting", f"Get rid of the {group}"]
        for group in TARGETS
    },
    "": ["Good morning, neighbours", "The ferry is late", "Fresh bread every day", "See you at the match", "What a lovely day"],
}


def copy_pretrained(folder: Path, *, with_others: bool) -> Path:
    """Write a copy of the shipped files into `folder`, and return it.

    Either its head has "others" and its evaluation set knows targets, or there is none of this, as in earlier releases.
    """
    shutil.copytree(FOLDER, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.pop("other_labels", None)
    head, evaluation = (_read(folder / name) for name in ("head.npz", "evaluation.npz"))
    head.pop("others", None)
    evaluation.pop("targets", None)
    if with_others:
        manifest["other_labels"] = sorted(label for label in _TEXTS if label)  # they may come in any order
        head["others"] = _fit(manifest["other_labels"])
        is_about_women = evaluation["names"][evaluation["sources"]] == _ABOUT_WOMEN
        evaluation["targets"] = (is_about_women << TARGETS.index("women")).astype(np.uint32)
    for name, arrays in (("head.npz", head), ("evaluation.npz", evaluation)):
        np.savez(folder / name, **arrays)
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def _fit(labels: list[str]) -> np.ndarray:
    texts = [(label, text) for label, some in _TEXTS.items() for text in some]
    vectors = load_encoder().embed([text for _, text in texts]).vectors
    rows = []
    for label in labels:
        head = LogisticRegression(C=100, class_weight="balanced", max_iter=1000).fit(vectors, [one == label for one, _ in texts])
        rows.append([*head.coef_[0], head.intercept_[0]])
    return np.array(rows, np.float32)
