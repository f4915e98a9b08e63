"""Fit the heads of a finished encoder again that reviews teach, but that of the primary label.

Verdicts and threshold stay as they are. So do the labels that learn nothing: an encoder that was not trained on them has too
little to say of them.
"""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from ..engines.encoder.engine import EncoderEngine
from ..engines.encoder.session import Encoder
from ..engines.encoder.shipped import Shipped
from ..text import cut_key, fingerprint
from .assemble import measure_labels, write_manifest
from .corpus import WEIGHTS, Example
from .head import LEARNING, embed_changes, embed_texts, fit_head, list_counted


def refit(examples: list[Example], before: Path, out: Path) -> tuple[dict, dict[str, int]]:
    """Write the shipped files to `out`, with new heads for the encoder in `before`.

    The heads are fitted to rows of split "head" and measured on those of split "test". Rows that stand in the encoder's own
    evaluation set are not among the first, and rows that it has learned from not among the second.

    Returns
    -------
    manifest : dict
    learned : dict of str to int
        The number of rows of each source that the heads are fitted to.
    """
    files = Shipped(before)
    evaluated, seen = files.evaluation().select_split("test").fingerprints, files.learned()
    rows = [row for row in examples if row.split == "head" and fingerprint(row.text) not in evaluated]
    rows = [rows[at] for at in list_counted(rows)]
    test = [row for row in examples if row.split == "test" and WEIGHTS[row.source] and fingerprint(row.text) not in seen]
    encoder, (mean, precision) = Encoder(before, threads=torch.get_num_threads()), files.head()
    own = mean[0, :-1].astype(np.float32)
    texts = [row.text for row in rows]
    vectors = embed_texts(encoder, texts, own)
    changes = embed_changes(encoder, texts, vectors, own)
    n_fit = sum(row.split == "fit" for row in examples)
    found = fit_head(vectors, rows, changes, n_fit, LEARNING[1:])
    mean, precision = np.vstack([mean[:1], found[0]]), np.concatenate([precision[:1], found[1]])

    out.mkdir(parents=True, exist_ok=True)
    for name in ("encoder.onnx", "tokenizer.json", "evaluation.npz"):
        if not (out / name).exists() or not (out / name).samefile(before / name):
            shutil.copyfile(before / name, out / name)
    others = files.others()
    np.savez(out / "head.npz", mean=mean, precision=precision, others=others.weights.astype(np.float32))
    keys = [cut_key(fingerprint(row.text)) for row in rows]
    np.save(out / "seen.npy", np.union1d(np.load(before / "seen.npy"), np.array(keys, np.uint64)))
    manifest = write_manifest(out, {**files.manifest, "other_labels": [*others.labels, *others.targets]})
    made = Shipped(out)
    engine = EncoderEngine(*made.head(), encoder, made.labels, made.others())
    judged = engine.judge_embeddings(embed_texts(encoder, [row.text for row in test], own))
    manifest["figures"] = {**manifest["figures"], **measure_labels(engine, test, judged)}
    return write_manifest(out, manifest), dict(sorted(Counter(row.source for row in rows).items()))
