"""Make `pretrained/` of a fine-tuned encoder: graph, head, what was learned from, evaluation set and manifest; and measure it."""

import hashlib
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score

from ..bayesian import BayesianLogisticRegression
from ..engines.encoder import LABELS, Encoder, EncoderEngine, most_hateful
from ..evaluation import answer_checks, calibration_error, choose_threshold, functional_checks, summarise_checks
from ..text import fingerprint
from .augment import disguise, swap_identity
from .corpus import SOURCES, WEIGHTS, Example
from .export import export
from .fine_tune import FineTuning, Settings, load_tokenizer
from .network import MINILM

OVERLAP = 20  # tokens that neighbouring windows of a long text share
_OF_EACH = {"test": 1500, "validation": 500}  # rows of a source in the evaluation set
_COPIES = 6  # of a text that names an identity, each with another, for the head
_FILES = ("encoder.onnx", "tokenizer.json", "head.npz", "seen.npy", "evaluation.npz")


def assemble(model: FineTuning, examples: list[Example], base: Path, folder: Path, settings: Settings) -> dict:
    """Write all files of `folder` but the run log and the model card, and return the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    export(model.encoder, folder / "encoder.onnx")
    load_tokenizer(base / "tokenizer.json", None).save(str(folder / "tokenizer.json"), pretty=False)
    manifest = {"format": 1, "width": MINILM.width, "window": settings.tokens, "overlap": OVERLAP, "labels": LABELS}
    _write_manifest(folder, manifest)
    encoder = Encoder(folder, threads=torch.get_num_threads())

    by_split = defaultdict(list)
    for example in examples:
        by_split[example.split].append(example)
    balanced, shares = balance_identities(by_split["head"])
    vectors = _embed(encoder, balanced, model)
    embedded = {"head": vectors[: len(by_split["head"])], "test": _embed(encoder, by_split["test"], model)}
    mean, precision = fit_head(vectors, balanced, shares, len(by_split["fit"]))
    np.savez(folder / "head.npz", mean=mean, precision=precision)
    engine = EncoderEngine(mean, precision, encoder)

    learned = [int(fingerprint(example.text)[:16], 16) for split in ("fit", "head") for example in by_split[split]]
    np.save(folder / "seen.npy", np.unique(np.array(learned, np.uint64)))
    parts = []
    for split, name in (("head", "validation"), ("test", "test")):
        drawn = _draw(by_split[split], _OF_EACH[name])
        parts.append(([by_split[split][at] for at in drawn], embedded[split][drawn], name == "test"))
    _write_evaluation(folder / "evaluation.npz", parts)
    # As a night's training without rows would choose it, so that one with few of them leaves it where it is.
    rows, vectors, _ = parts[0]
    threshold = choose_threshold(_hate(rows), engine.judge_embeddings(vectors.astype(np.float16)).hate)

    figures = measure(engine, model, by_split["test"], embedded["test"], threshold, base, settings)
    checks = summarise_checks(answer_checks(engine, threshold))
    counts = {split: len(rows) for split, rows in sorted(by_split.items())}
    manifest |= {"threshold": threshold, "checks": checks, "figures": figures, "rows": counts}
    return _write_manifest(folder, manifest)


def balance_identities(rows: list[Example]) -> tuple[list[Example], np.ndarray]:
    """Return the rows and, after them, copies of those that name an identity, each with another; and what each counts.

    A row and its copies count 1 together.
    """
    draw = random.Random(2)  # noqa: S311
    copies = [sorted({swap_identity(row.text, draw) for _ in range(_COPIES)} - {row.text}) for row in rows]
    balanced = rows + [row._replace(text=text) for row, texts in zip(rows, copies, strict=True) for text in texts]
    counts = np.array([len(texts) for texts in copies])
    return balanced, 1 / (1 + np.concatenate([counts, np.repeat(counts, counts)]))


def fit_head(vectors: np.ndarray, rows: list[Example], shares: np.ndarray, n_fit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the precision of the head's posterior for each label.

    It is fitted on rows that the encoder has not seen, where its embeddings are as they will be, each counting for `hate` as much
    as in the fine-tuning. Of the precision, what the rows brought is scaled up to all rows that were learned from (decision 7 of
    the design).

    `shares` is what each row counts beside that; together they count as many as there are texts of their own.

    For `toxic` these are the rows of sources that say it of harmless texts too: others would teach that all of theirs is
    toxic. Both labels count the same, since how many of those texts are toxic says how they were found.
    """
    means, precisions = [], []
    both = {row.source for row in rows if row.toxic is False}
    for label in LABELS:
        known = np.array([label == "hate" or row.source in both for row in rows])
        truth = np.array([bool(getattr(row, label)) for row in rows])
        weights = shares * [WEIGHTS[row.source] for row in rows]
        if label == "toxic":
            share = np.average(truth[known], weights=shares[known])
            weights = shares * np.where(truth, 0.5 / share, 0.5 / (1 - share))
        prior = BayesianLogisticRegression().fit(np.empty((0, vectors.shape[1])), np.empty(0, bool))
        head = BayesianLogisticRegression().fit(vectors[known], truth[known], weights[known])
        means.append(head.mean_)
        precisions.append(prior.precision_ + (head.precision_ - prior.precision_) * (shares.sum() + n_fit) / shares.sum())
    return np.array(means), np.array(precisions, np.float32)


def measure(
    engine: EncoderEngine, model: FineTuning, rows: list[Example], vectors: np.ndarray, threshold: float, base: Path,
    settings: Settings,
) -> dict:  # fmt: skip
    """Return the figures of the model card, on the test splits."""
    judged = engine.judge_embeddings(vectors)
    flagged, truth = judged.hate >= threshold, _hate(rows)
    sources = np.array([row.source for row in rows])
    figures: dict = {"by_source": {}}
    for source in SOURCES:
        at = sources == source
        figures["by_source"][source] = {
            "n": int(at.sum()),
            "hateful": int(truth[at].sum()),
            "macro_f1": _rounded(f1_score(truth[at], flagged[at], average="macro")),
            "f1": _rounded(f1_score(truth[at], flagged[at])),
            "roc_auc": _rounded(roc_auc_score(truth[at], judged.hate[at])) if len(set(truth[at].tolist())) > 1 else None,
        }
    toxic_known = np.array([row.toxic is not None for row in rows])
    figures["toxic_roc_auc"] = {
        source: _rounded(roc_auc_score([bool(rows[i].toxic) for i in np.flatnonzero(at)], judged.toxic[at]))
        for source in ("davidson", "hatexplain")
        if (at := toxic_known & (sources == source)).any()
    }
    frozen = _draw(rows, _OF_EACH["test"])
    figures["calibration_error"] = _rounded(calibration_error(truth[frozen], judged.hate[frozen]))

    # The same weights in float32, under the same head.
    model.encoder.compute_in_int8(False)
    texts = [rows[at].text for at in frozen]
    tokenizer = load_tokenizer(base / "tokenizer.json", settings.tokens)
    exact = predict_embeddings(model, texts, tokenizer)
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
    figures["functional_checks"] = len(functional_checks())
    return figures


@torch.no_grad()
def predict_embeddings(model: FineTuning, texts: list[str], tokenizer) -> np.ndarray:
    """Return the embeddings in float32 arithmetic, no autocast: shape (n, 384)."""
    from ..text import encoder_form
    from .fine_tune import pad

    model.eval()
    device = next(model.parameters()).device.type
    encodings = tokenizer.encode_batch([encoder_form(text).text for text in texts])
    order = sorted(range(len(texts)), key=lambda at: len(encodings[at].ids))
    vectors = np.empty((len(texts), MINILM.width), np.float32)
    for at in range(0, len(order), 64):
        places = order[at : at + 64]
        vectors[places] = model.encoder(*pad([encodings[place] for place in places], device))[0].cpu().numpy()
    return vectors


def _embed(encoder: Encoder, rows: list[Example], model: FineTuning) -> np.ndarray:
    """Return one embedding a row: of a long text that of the window which the fine-tuning's own head finds most hateful."""
    weights = model.head.weight[0].detach().cpu().numpy()
    vectors = []
    for at in range(0, len(rows), 512):
        found, starts = encoder.embed([row.text for row in rows[at : at + 512]])
        vectors.append(found[most_hateful(found @ weights, starts)])
    return np.concatenate(vectors)


def _draw(rows: list[Example], of_each: int) -> list[int]:
    """Return the places of at most so many rows of each source, by fingerprint."""
    places: dict[str, list[int]] = defaultdict(list)
    for at in sorted(range(len(rows)), key=lambda at: fingerprint(rows[at].text)):
        places[rows[at].source].append(at)
    return [at for source in SOURCES for at in places[source][:of_each]]


def _write_evaluation(path: Path, parts: list[tuple[list[Example], np.ndarray, bool]]) -> None:
    rows = [row for some, _, _ in parts for row in some]
    np.savez(
        path,
        vectors=np.concatenate([vectors for _, vectors, _ in parts]).astype(np.float16),
        hate=_hate(rows),
        toxic=np.array([-1 if row.toxic is None else row.toxic for row in rows], np.int8),
        sources=np.array([SOURCES.index(row.source) for row in rows], np.int8),
        names=np.array(SOURCES),
        is_test=np.array([is_test for some, _, is_test in parts for _ in some]),
        keys=np.array([int(fingerprint(row.text)[:16], 16) for row in rows], np.uint64),
    )


def _write_manifest(folder: Path, manifest: dict) -> dict:
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _FILES if (folder / name).exists()}
    manifest = {**manifest, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    return manifest


def _hate(rows: list[Example]) -> np.ndarray:
    return np.array([row.hate for row in rows], bool)


def _rounded(value: float) -> float:
    return round(float(value), 4)
