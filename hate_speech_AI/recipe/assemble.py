"""Make `pretrained/` from a fine-tuned encoder: graph, head, fingerprints, evaluation set and manifest. Measure it."""

import hashlib
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score

from ..engines.base import Judgement
from ..engines.encoder.engine import EncoderEngine
from ..engines.encoder.session import Encoder
from ..engines.encoder.shipped import Shipped
from ..evaluation.functional_checks import answer_checks, read_functional_checks, summarise_checks
from ..evaluation.metrics import calibration_error
from ..evaluation.threshold import choose_threshold
from ..labels import TARGETS
from ..text import READING, cut_key, fingerprint
from .augment import disguise
from .corpus import LABELS, ORIGINS, WEIGHTS, Example
from .export import export
from .fine_tune import FineTuning, Settings, load_tokenizer, predict
from .head import LEARNING, embed_changes, embed_texts, fit_head, fit_others
from .network import MINILM

OVERLAP = 20  # tokens that neighbouring windows of a long text share
# Rows of each source in the evaluation set. Thresholds are chosen on the validation rows. Each kind of text has the same number
# of them, so that the threshold is the best for their mean, and not for the largest.
_OF_EACH = {"test": 550, "validation": 300}
# The ROC AUC of a target is measured on at least so many hateful texts that attack it.
_FEWEST_OF_A_TARGET = 30
_FILES = ("encoder.onnx", "tokenizer.json", "head.npz", "seen.npy", "evaluation.npz")


def assemble(model: FineTuning, examples: list[Example], base: Path, folder: Path, settings: Settings) -> dict:
    """Write all files of `folder` except the run log and the model card, and return the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    export(model.encoder, folder / "encoder.onnx")
    load_tokenizer(base / "tokenizer.json", None).save(str(folder / "tokenizer.json"), pretty=False)
    manifest = {
        "format": 1,
        "reading": READING,
        "width": MINILM.width,
        "window": settings.tokens,
        "overlap": OVERLAP,
        "labels": list(LEARNING),
    }
    write_manifest(folder, manifest)
    encoder = Encoder(folder, threads=torch.get_num_threads())

    by_split = defaultdict(list)
    for example in examples:
        by_split[example.split].append(example)
    texts = {split: [row.text for row in rows] for split, rows in by_split.items()}
    own = model.head.weight[0].detach().cpu().numpy()
    vectors = embed_texts(encoder, texts["head"], own)
    changes = embed_changes(encoder, texts["head"], vectors, own)
    mean, precision = fit_head(vectors, by_split["head"], changes, len(by_split["fit"]))
    manifest["other_labels"], others = fit_others(vectors, by_split["head"], changes)
    np.savez(folder / "head.npz", mean=mean, precision=precision, others=others)
    write_manifest(folder, manifest)
    files = Shipped(folder)
    engine = EncoderEngine(*files.head(), encoder, files.labels, files.others())
    embedded = {"head": vectors, "test": embed_texts(encoder, texts["test"], mean[0, :-1].astype(np.float32))}

    learned = [cut_key(fingerprint(example.text)) for split in ("fit", "head") for example in by_split[split]]
    np.save(folder / "seen.npy", np.unique(np.array(learned, np.uint64)))
    parts = []
    for split, name in (("head", "validation"), ("test", "test")):
        drawn = _draw(by_split[split], _OF_EACH[name])
        parts.append(([by_split[split][at] for at in drawn], embedded[split][drawn], name == "test"))
    _write_evaluation(folder / "evaluation.npz", parts)
    # Choose the threshold as a training without rows does. So a training with few rows leaves it where it is.
    rows, vectors, _ = parts[0]
    threshold = choose_threshold(_hate(rows), engine.judge_embeddings(vectors.astype(np.float16)).hate)

    figures = measure(engine, model, by_split["test"], embedded["test"], threshold, base, settings)
    checks = summarise_checks(answer_checks(engine, threshold))
    counts = {split: len(rows) for split, rows in sorted(by_split.items())}
    manifest |= {"threshold": threshold, "checks": checks, "figures": figures, "rows": counts}
    return write_manifest(folder, manifest)


def measure(
    engine: EncoderEngine, model: FineTuning, rows: list[Example], vectors: np.ndarray, threshold: float, base: Path,
    settings: Settings,
) -> dict:  # fmt: skip
    """Return the figures of the model card, measured on the test splits."""
    judged = engine.judge_embeddings(vectors)
    flagged, truth = judged.hate >= threshold, _hate(rows)
    figures: dict = {"by_source": _measure_sources(rows, judged.hate, threshold)} | measure_labels(engine, rows, judged)
    frozen = _draw(rows, _OF_EACH["test"])
    figures["calibration_error"] = _rounded(calibration_error(truth[frozen], judged.hate[frozen]))

    # The same weights in float32, under the same head.
    model.encoder.compute_in_int8(False)
    texts = [rows[at].text for at in frozen]
    tokenizer = load_tokenizer(base / "tokenizer.json", settings.tokens)
    exact = predict(model, texts, tokenizer, next(model.parameters()).device.type, exact=True)[1]
    short = np.array([len(tokenizer.encode(text).ids) < settings.tokens for text in texts])  # longer ones have windows
    differs = (engine.judge_embeddings(exact).hate >= threshold) != flagged[frozen]
    figures["int8_differs_from_float32"] = _rounded(differs[short].mean())

    draw = random.Random(1)  # noqa: S311
    caught = [
        row.text for row, was in zip(rows, flagged & truth, strict=True) if was and row.source in ("dynahate", "hatexplain")
    ]
    figures["disguised_still_caught"] = _rounded(
        (engine.predict_proba([disguise(text, draw) for text in caught]) >= threshold).mean() if caught else 0.0
    )
    figures["functional_checks"] = len(read_functional_checks())
    return figures


def measure_labels(engine: EncoderEngine, rows: list[Example], judged: Judgement) -> dict[str, dict[str, float]]:
    """Return the figures of the labels but the primary one, by label and source."""
    figures = {
        f"{label}_roc_auc": _measure_label(rows, label, judged[label]) for label in (*engine.labels[1:], *engine.other_labels)
    }
    return figures | {"targets_roc_auc": _measure_targets(rows, engine.targets, judged.targets)}


def _measure_sources(rows: list[Example], probabilities: np.ndarray, threshold: float) -> dict[str, dict]:
    """Return the figures of the primary label on the rows of each source that says it."""
    places = defaultdict(list)
    for at, row in enumerate(rows):
        if row.hate is not None:
            places[row.source].append(at)
    truth, flagged = _hate(rows), probabilities >= threshold
    figures = {}
    for source in ORIGINS:
        if at := places[source]:
            figures[source] = {
                "n": len(at),
                "hateful": int(truth[at].sum()),
                "macro_f1": _rounded(f1_score(truth[at], flagged[at], average="macro")),
                "f1": _rounded(f1_score(truth[at], flagged[at])),
                "roc_auc": _rounded(roc_auc_score(truth[at], probabilities[at])) if len(set(truth[at].tolist())) > 1 else None,
            }
    return figures


def _measure_label(rows: list[Example], label: str, probabilities: np.ndarray) -> dict[str, float]:
    """Return the ROC AUC of a label on the rows of each source that labels some texts with it and others not."""
    figures, column = {}, LABELS.index(label)
    for source in ORIGINS:
        said = {at: row.list_labels()[column] for at, row in enumerate(rows) if row.source == source}
        known = [at for at, value in said.items() if value is not None]
        if len({said[at] for at in known}) == 2:
            figures[source] = _rounded(roc_auc_score([said[at] for at in known], probabilities[known]))
    return figures


def _measure_targets(rows: list[Example], names: tuple[str, ...], probabilities: np.ndarray | None) -> dict[str, float]:
    """Return for each source the mean ROC AUC of the targets with enough texts, among its hateful texts of known targets."""
    figures = {}
    for source in ORIGINS:
        at = [at for at, row in enumerate(rows) if row.source == source and row.hate and row.targets]
        carries = {name: np.array([name in rows[place].targets for place in at], bool) for name in names}
        areas = [
            roc_auc_score(said, probabilities[at, column])
            for column, said in enumerate(carries.values())
            if said.sum() >= _FEWEST_OF_A_TARGET and not said.all()
        ]
        if areas:
            figures[source] = _rounded(np.mean(areas))
    return figures


def _draw(rows: list[Example], of_each: int) -> list[int]:
    """Return the places of the first rows of each source, in the order of fingerprints.

    Rows of unknown primary label, and those of sources that are left out of all choices, are not among them.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for at in sorted(range(len(rows)), key=lambda at: fingerprint(rows[at].text)):
        if rows[at].hate is not None and WEIGHTS[rows[at].source]:
            places[rows[at].source].append(at)
    return [at for source in ORIGINS for at in places[source][:of_each]]


def _write_evaluation(path: Path, parts: list[tuple[list[Example], np.ndarray, bool]]) -> None:
    rows = [row for some, _, _ in parts for row in some]
    np.savez(
        path,
        vectors=np.concatenate([vectors for _, vectors, _ in parts]).astype(np.float16),
        **{label: np.array([_as_known(getattr(row, label)) for row in rows], np.int8) for label in LEARNING},
        targets=np.array([sum(1 << TARGETS.index(group) for group in row.targets or ()) for row in rows], np.uint32),
        sources=np.array([ORIGINS.index(row.source) for row in rows], np.int8),
        names=np.array(ORIGINS),
        is_test=np.array([is_test for some, _, is_test in parts for _ in some]),
        keys=np.array([cut_key(fingerprint(row.text)) for row in rows], np.uint64),
    )


def write_manifest(folder: Path, manifest: dict) -> dict:
    """Add the sha256 of the files that are there to a manifest, write it and return it."""
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _FILES if (folder / name).exists()}
    manifest = {**manifest, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    return manifest


def _hate(rows: list[Example]) -> np.ndarray:
    """Return which rows are known to carry the primary label."""
    return np.array([bool(row.hate) for row in rows], bool)


def _as_known(value: bool | None) -> int:
    return -1 if value is None else int(value)


def _rounded(value: float) -> float:
    return round(float(value), 4)
