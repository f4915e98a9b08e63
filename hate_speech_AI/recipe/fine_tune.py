"""Fine-tune an encoder on all labels. An interrupted run resumes after the last part of a pass.

The teachers, large encoders, come first. Then comes the encoder that ships. It also learns the teachers' probabilities
(knowledge distillation, Hinton et al. 2015), and the last parts are quantisation-aware.
"""

import hashlib
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from ..engines.encoder.session import Encoder as ServedEncoder
from ..engines.encoder.shipped import Shipped
from ..labels import TARGETS
from ..text.encoder_form import encoder_form
from .base import fetch_base
from .corpus import LABELS, ORIGINS, WEIGHTS, Example
from .drawing import batches, draw_part, pick, transfer_set
from .export import restore
from .grammar import SOURCE as MADE
from .head import LEARNING, embed_texts, stack_rows
from .network import MINILM, MPNET, Encoder
from .settings import Settings
from .soft_labels import SoftLabels

# After each part, one in so many rows of split "head" is evaluated.
_VALIDATED = 5
_CONTRADICTED_FROM = 0.9
_SPOKEN = [LABELS.index(label) for label in LEARNING]
_SHAPES = {"minilm": MINILM, "mpnet": MPNET}


class Taught(NamedTuple):
    """What the student learns from its teachers. Of texts that none of them judged everything is NaN.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (n, n_labels)
        Those of the teachers' mean logits, without the offset of a source. They speak only of labels that keep a posterior: of
        the others they know no more than the labels.
    embeddings : ndarray of float16, shape (n, the teacher's width); or None
        The embeddings of the last teacher; `None` if only its probabilities were kept.
    """

    probabilities: np.ndarray
    embeddings: np.ndarray | None


class FineTuning(nn.Module):
    """The encoder with a head, an offset of the logits for each source, and a map to the width of the teacher.

    The offsets learn how often each source gives its texts a label. So the encoder does not learn to tell the sources apart.
    """

    def __init__(self, encoder: Encoder, teacher_width: int = 0):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.shape.width, len(LABELS))
        self.offsets = nn.Parameter(torch.zeros(len(ORIGINS), len(LABELS)))
        self.likened = nn.Linear(encoder.shape.width, teacher_width) if teacher_width else None

    @torch.no_grad()
    def set_head(self, rows: np.ndarray) -> None:
        """Set the rows of the head, the bias last: shape (n_labels, width + 1). A row of NaN stays as it is."""
        rows = torch.tensor(rows, dtype=torch.float32)
        is_known = ~rows[:, -1].isnan()
        self.head.weight[is_known] = rows[is_known, :-1]
        self.head.bias[is_known] = rows[is_known, -1]

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits without the offset of a source, shape (n, n_labels), and the embeddings, shape (n, width)."""
        embeddings = self.encoder(ids, mask)[0]
        return self.head(embeddings), embeddings


def load_tokenizer(path: Path, tokens: int | None) -> Tokenizer:
    """Load the tokenizer of a base model. It cuts texts after `tokens` tokens, special ones included."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    if tokens:
        tokenizer.enable_truncation(tokens)
    else:
        tokenizer.no_truncation()
    return tokenizer


def pad(encodings: list, device: str) -> tuple[Tensor, Tensor]:
    """Return token ids and mask, padded to the longest text: shape (n, tokens)."""
    length = max(len(encoding.ids) for encoding in encodings)
    ids = torch.zeros(len(encodings), length, dtype=torch.long)
    mask = torch.zeros(len(encodings), length, dtype=torch.bool)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
        mask[row, : len(encoding.ids)] = True
    return ids.to(device), mask.to(device)


def parameter_groups(model: FineTuning, settings: Settings) -> list[dict]:
    """Return the parameters for the optimiser. Lower layers have lower learning rates. Norms and biases have no weight decay."""
    groups = []
    top = model.encoder.shape.layers
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        depth = int(name.split(".")[2]) if name.startswith("encoder.layers.") else -1 if name.startswith("encoder.") else top
        groups.append(
            {
                "params": [parameter],
                "factor": settings.layer_decay ** (top - 1 - min(depth, top - 1)) * (1 if depth < top else 5),
                "weight_decay": settings.weight_decay if parameter.ndim > 1 else 0.0,
            }
        )
    return groups


def begin(base: Path, settings: Settings, taught: Taught | None, before: Path | None) -> FineTuning:
    """Return the model before its first step. The parameters are those of `fine_tune`."""
    teacher_width = taught.embeddings.shape[1] if settings.likeness and taught.embeddings is not None else 0
    if before:
        model = FineTuning(restore(before / "encoder.onnx", settings.dropout), teacher_width)
        model.set_head(stack_rows(Shipped(before)))
    else:
        encoder = Encoder.from_base(base / "model.safetensors", _SHAPES[settings.base], settings.dropout)
        model = FineTuning(encoder, teacher_width)
    model.encoder.words.requires_grad_(False)
    model.encoder.places.requires_grad_(False)
    return model


def fine_tune(
    examples: list[Example], base: Path, work: Path, settings: Settings, taught: Taught | None = None, before: Path | None = None
) -> FineTuning:
    """Fine-tune and return the model, with averaged weights. `work` keeps a checkpoint of the last finished part.

    Parameters
    ----------
    examples : list of Example
        It learns from those of split "fit".
    base : Path
        The folder of the base model's `model.safetensors` and `tokenizer.json`.
    taught : Taught, optional
        The teachers' output on the `transfer_set`. It is needed if `settings.guidance` or `settings.likeness` is not 0. Without
        embeddings, there is no loss for their distance.
    before : Path, optional
        The folder of a finished encoder and head to start from, instead of the base model.

    Raises
    ------
    ValueError
        The checkpoint was made with other settings.
    """
    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = load_tokenizer(base / "tokenizer.json", settings.tokens)
    fit = transfer_set(examples, settings)
    targets = Targets(fit, taught, settings, device)
    model = begin(base, settings, taught, before).to(device)
    checkpoint = work / "checkpoint.pt"
    if settings.quantised_parts and not checkpoint.exists():
        observe(model, fit, tokenizer, device)
        model.encoder.even_out()
    optimizer = torch.optim.AdamW(parameter_groups(model, settings), lr=0.0, betas=(0.9, 0.98), fused=True)
    averaged = {name: value.detach().clone().float() for name, value in model.named_parameters() if value.requires_grad}
    steps = settings.parts * -(-len(pick(fit, settings, 0)) // settings.batch)
    work.mkdir(parents=True, exist_ok=True)
    first, step = _resume(checkpoint, settings, model, optimizer, averaged) if checkpoint.exists() else (0, 0)

    for number in range(first, settings.parts):
        int8 = number >= settings.parts - settings.quantised_parts
        if int8 and not model.encoder.is_calibrated:
            observe(model, fit, tokenizer, device)
            model.encoder.fix_ranges()
        began = time.monotonic()
        drawn = draw_part(fit, settings, number)
        encoded = [tokenizer.encode_batch(view) for view in drawn.views]
        model.train()
        losses = []
        lengths = [max(len(encoding.ids) for encoding in same) for same in zip(*encoded, strict=True)]
        grouped = batches(lengths, settings, number)
        for places in tqdm(grouped, desc=f"{settings.base}, part {number + 1} of {settings.parts}", mininterval=10):
            for group in optimizer.param_groups:
                group["lr"] = _rate(step, steps, settings) * group["factor"]
            inputs = [pad([view[at] for at in places], device) for view in encoded]
            is_swapped = [torch.tensor([view[at] for at in places], device=device) for view in drawn.is_swapped]
            loss = batch_loss(model, inputs, is_swapped, targets, [drawn.places[at] for at in places], settings, int8=int8)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.detach())
            step += 1
            _average(averaged, model, min(settings.averaging, (1 + step) / (10 + step)))
        _keep(checkpoint, settings, model, optimizer, averaged, number + 1, step)
        own = swap_weights(model, averaged)
        model.encoder.compute_in_int8(int8)
        figures = validate(model, examples, tokenizer, device)
        swap_weights(model, own)
        figures |= {"part": number + 1, "loss": float(torch.stack(losses).mean()), "seconds": time.monotonic() - began}
        line = json.dumps({key: round(value, 4) for key, value in figures.items()})
        tqdm.write(line)
        with (work / "parts.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    swap_weights(model, averaged)
    model.encoder.compute_in_int8(settings.quantised_parts > 0)
    return model


def teach(
    examples: list[Example],
    work: Path,
    teachers: Sequence[Settings],
    student: Settings,
    path: Path,
    before: Path | None = None,
) -> tuple[Taught, list[dict]]:
    """Fine-tune teachers, and return what the student learns from them on its `transfer_set`, and which teachers spoke.

    They speak on the texts that the student draws.

    Parameters
    ----------
    work : Path
        The folder of their base model, of their checkpoints, and of the last one's embeddings.
    teachers : sequence of Settings
        Those who have already spoken in the file are not trained again.
    path : Path
        The file of soft labels. Each new teacher adds to it. What it has of other teachers counts too.
    before : Path, optional
        The folder of a finished encoder that the student starts from. If it had no teacher, it is one teacher more.
    """
    known = transfer_set(examples, student)
    places = sorted({place for number in range(student.parts) for place in pick(known, student, number)})
    texts = [known[place].text for place in places]
    kept = work / f"embeddings-{hashlib.sha256(json.dumps([places, texts]).encode()).hexdigest()[:16]}.npy"
    soft = SoftLabels.read(path, len(LEARNING))
    spoke = [one["settings"] for one in soft.teachers]
    for settings in teachers:
        if asdict(settings) in spoke:
            continue
        base, folder = fetch_base(settings.base, work / settings.base), work / f"teacher-{settings.seed}"
        model = fine_tune(examples, base, folder, settings)
        tokenizer = load_tokenizer(base / "tokenizer.json", settings.tokens)
        logits, found = predict(model, texts, tokenizer, next(model.parameters()).device.type)
        np.save(kept, found.astype(np.float16))
        soft.add(texts, logits[:, _SPOKEN], {"settings": asdict(settings), "parts": read_parts(folder)})
        soft.write(path)
    last = read_rounds(before)[-1] if before else None
    if last and not last["teachers"] and last["settings"] not in spoke:
        soft.add(texts, _logits_of(before, texts), {"settings": last["settings"], "parts": last["parts"]})
        soft.write(path)
    probabilities = np.full((len(known), len(LABELS)), np.nan, np.float32)
    probabilities[:, _SPOKEN] = 1 / (1 + np.exp(-soft.of([example.text for example in known])))
    embeddings = None
    if kept.exists():
        found = np.load(kept)
        embeddings = np.full((len(known), found.shape[1]), np.nan, np.float16)
        embeddings[places] = found
    return Taught(probabilities, embeddings), soft.teachers


def _logits_of(folder: Path, texts: list[str]) -> np.ndarray:
    """Return what the finished encoder in `folder` says of the labels that keep a posterior: shape (n, n_labels)."""
    rows = stack_rows(Shipped(folder))[_SPOKEN]
    vectors = embed_texts(ServedEncoder(folder, threads=torch.get_num_threads()), texts, rows[0, :-1].astype(np.float32))
    return vectors @ rows[:, :-1].T + rows[:, -1]


def read_rounds(folder: Path) -> list[dict]:
    """Read the rounds of a finished encoder from its run log."""
    return json.loads((folder / "run_log.json").read_text("utf-8"))["rounds"]


def read_parts(work: Path) -> list[dict]:
    """Read the figures after each part of a fine-tuning."""
    return [json.loads(line) for line in (work / "parts.jsonl").read_text("utf-8").splitlines()]


@cache
def half_precision_is_faster(device: str) -> bool:
    """Time a matrix product in bfloat16 and in float32. On some CPUs bfloat16 is twice as fast, on others 30 times slower."""
    if device != "cpu":
        return True
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        left, right = torch.ones(2048, MINILM.width, dtype=dtype), torch.ones(MINILM.width, MINILM.inner, dtype=dtype)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            left @ right
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    return seconds[torch.bfloat16] < 0.7 * seconds[torch.float32]


def half_precision(device: str) -> torch.autocast:
    """Return a context that computes in bfloat16 if that is faster."""
    return torch.autocast(device, torch.bfloat16, enabled=half_precision_is_faster(device))


class Targets:
    """The targets of each example: its labels, the teachers' output, its source and its weight.

    Parameters
    ----------
    examples : list of Example
    taught : Taught or None
    settings : Settings
    """

    def __init__(self, examples: list[Example], taught: Taught | None, settings: Settings, device: str):
        labels = [[-1.0 if label is None else label for label in row.list_labels()] for row in examples]
        self.labels = torch.tensor(labels, device=device)  # -1: unknown
        self.sources = torch.tensor([ORIGINS.index(row.source) for row in examples], device=device)
        # The weight of a source is about what it calls hate. Of the other labels it says less, and says it no worse.
        weights = [[row.weight * WEIGHTS[row.source], *[row.weight] * (len(LABELS) - 1)] for row in examples]
        self.weights = torch.tensor(weights, device=device)
        # Only where a source labels some texts with a label and others not does it have an offset. One that knows no other side
        # would learn an offset without bounds, and its texts would teach nothing.
        self.has_offset = torch.zeros(len(ORIGINS), len(LABELS), device=device)
        for source in self.sources.unique().tolist():
            own = self.labels[self.sources == source]
            self.has_offset[source] = ((own == 0).any(0) & (own == 1).any(0)).float()
        self.is_made = torch.tensor([row.source == MADE for row in examples], device=device)
        self.probabilities = torch.full_like(self.labels, torch.nan)
        if taught is not None:
            self.probabilities = torch.tensor(taught.probabilities, device=device)
        # A label that all teachers contradict is most likely wrong; but that of a made sentence is right by its making.
        is_contradicted = (self.labels >= 0) & ((self.labels - self.probabilities).abs() > _CONTRADICTED_FROM)
        self.label_weights = self.weights * torch.where(is_contradicted & ~self.is_made[:, None], settings.contradicted, 1.0)
        if taught is not None and taught.embeddings is not None:
            embeddings = torch.tensor(taught.embeddings, device=device)
            self.mean = embeddings.float().nanmean(0)
            # One scale for all directions. So the directions in which the teacher tells texts apart count most.
            self.scale = (embeddings.float() - self.mean).square().nanmean().sqrt()
            self.embeddings = embeddings

    def said(self, places: list[int], is_swapped: Tensor, smoothing: float) -> Tensor:
        """Return the labels: shape (n, n_labels). Unknown are -1, and so are the targets of texts that name another identity."""
        labels = self.labels[places]
        smoothed = torch.where(labels < 0, labels, labels.clamp(smoothing, 1 - smoothing))
        labels = torch.where(self.is_made[places, None], smoothed, labels)
        is_unknown = is_swapped[:, None] & torch.tensor([label in TARGETS for label in LABELS], device=labels.device)
        return labels.masked_fill(is_unknown, -1.0)

    def likeness(self, places: list[int]) -> Tensor:
        """Return the teacher's embeddings, scaled to mean 0 and mean square 1."""
        return (self.embeddings[places].float() - self.mean) / self.scale


def batch_loss(
    model: FineTuning,
    inputs: list[tuple[Tensor, Tensor]],
    is_swapped: list[Tensor],
    targets: Targets,
    places: list[int],
    settings: Settings,
    *,
    int8: bool,
) -> Tensor:
    """Return the loss of a batch.

    Parameters
    ----------
    inputs : list of (Tensor, Tensor)
        The ids and the mask of each view.
    is_swapped : list of Tensor
        For each view which texts name another identity than their examples.
    places : list of int
        The places of the examples in `targets`.
    int8 : bool
        Whether the first view is computed as the int8 kernels do. The second never is. So the loss for their disagreement covers
        the rounding too.
    """
    views, embeddings = [], []
    for number, view in enumerate(inputs):
        model.encoder.compute_in_int8(int8 and number == 0)
        with half_precision(view[0].device.type):
            logits, embedding = model(*view)
        views.append(logits.float())
        embeddings.append(embedding)
    sources, taught = targets.sources[places], targets.probabilities[places]
    offsets = model.offsets[sources] * targets.has_offset[sources]
    labels = [targets.said(places, swapped, settings.smoothing) for swapped in is_swapped]
    guidance = settings.guidance * ~taught.isnan()
    weights, guided = targets.label_weights[places] * (1 - guidance), targets.weights[places] * guidance
    loss = _mean(
        label_loss(logits + offsets, said, weights, settings) + label_loss(logits, taught.nan_to_num(-1.0), guided, settings)
        for logits, said in zip(views, labels, strict=True)
    )
    if model.likened is not None:
        sought = targets.likeness(places)
        loss = loss + settings.likeness * _mean((model.likened(found) - sought).square().mean() for found in embeddings)
    if len(views) == 2:
        loss = loss + settings.consistency * disagreement(*views)
    return loss


def _mean(losses: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(losses)).mean()


def _rate(step: int, steps: int, settings: Settings) -> float:
    """Return the learning rate of a step: a linear warm-up, then a linear decay."""
    rising = (step + 1) / (settings.warm_up * steps)
    falling = max(0.02, (steps - step) / (steps * (1 - settings.warm_up)))
    return settings.learning_rate * min(rising, falling)


@torch.no_grad()
def _average(averaged: dict[str, Tensor], model: nn.Module, kept: float) -> None:
    values = [value for value in model.parameters() if value.requires_grad]
    torch._foreach_lerp_(list(averaged.values()), values, 1 - kept)


def _keep(path: Path, settings: Settings, model, optimizer, averaged, parts: int, step: int) -> None:
    state = {"settings": asdict(settings), "model": model.state_dict(), "optimizer": optimizer.state_dict()}
    state |= {"averaged": averaged, "step": step, "parts": parts, "random": torch.get_rng_state()}
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _resume(path: Path, settings: Settings, model, optimizer, averaged: dict[str, Tensor]) -> tuple[int, int]:
    """Restore the checkpoint that `_keep` wrote. Return the number of finished parts and steps."""
    kept = torch.load(path, weights_only=True, map_location=next(model.parameters()).device)
    if kept["settings"] != asdict(settings):
        raise ValueError(f"{path} is of other settings. Remove it to begin again.")
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    averaged.update(kept["averaged"])
    torch.set_rng_state(kept["random"].cpu())
    return kept["parts"], kept["step"]


def swap_weights(model: nn.Module, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Set weights of the model and return those from before."""
    before = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in values:
                before[name] = parameter.detach().clone()
                parameter.copy_(values[name])
    return before


def label_loss(logits: Tensor, targets: Tensor, weights: Tensor, settings: Settings) -> Tensor:
    """Return the cross entropy with labels or probabilities, shape (n, n_labels). An unknown one (-1) does not count."""
    each = functional.binary_cross_entropy_with_logits(logits, targets.clamp_min(0), reduction="none") * (targets >= 0)
    return (each * weights @ weigh_labels(settings, each.device)).mean()


def weigh_labels(settings: Settings, device: torch.device) -> Tensor:
    """Return the weight of each label in the loss: shape (n_labels,). The primary label comes first and has 1."""
    others = [settings.target_weight if label in TARGETS else settings.other_weight for label in LABELS[1:]]
    return torch.tensor([1.0, *others], device=device)


def disagreement(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean symmetric Kullback-Leibler divergence between the probabilities of texts and of their copies.

    For equal copies this is R-Drop (Liang et al. 2021), for copies with another identity counterfactual pairing (Garg et al.
    2019).
    """
    p, q = torch.sigmoid(one), torch.sigmoid(other)
    return ((p - q) * (one - other)).mean()


@torch.no_grad()
def observe(model: FineTuning, fit: list[Example], tokenizer: Tokenizer, device: str) -> None:
    """Record the inputs of the layers for a sample of the texts that are learned from."""
    model.eval()
    model.encoder.compute_in_int8(False)
    for layer in model.encoder.quantised_layers():
        layer.seen = []
    draw = random.Random(0)  # noqa: S311
    for _ in range(24):
        rows = draw.sample(fit, min(32, len(fit)))
        model(*pad(tokenizer.encode_batch([encoder_form(row.text).text for row in rows]), device))


@torch.no_grad()
def predict(
    model: FineTuning, texts: list[str], tokenizer: Tokenizer, device: str, *, exact: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits without the offset of a source, and the embeddings: float32, shapes (n, n_labels) and (n, width).

    With `exact` everything is computed in float32, otherwise in bfloat16 if that is faster.
    """
    model.eval()
    encodings = tokenizer.encode_batch([encoder_form(text).text for text in texts])
    order = sorted(range(len(texts)), key=lambda at: len(encodings[at].ids))
    logits = np.empty((len(texts), len(LABELS)), np.float32)
    embeddings = np.empty((len(texts), model.encoder.shape.width), np.float32)
    for at in tqdm(range(0, len(order), 128), desc="predict", mininterval=10, disable=len(order) < 20_000):
        places = order[at : at + 128]
        with nullcontext() if exact else half_precision(device):
            found = model(*pad([encodings[place] for place in places], device))
        logits[places], embeddings[places] = (one.float().cpu().numpy() for one in found)
    return logits, embeddings


def validate(model: FineTuning, examples: list[Example], tokenizer: Tokenizer, device: str) -> dict[str, float]:
    """Return figures on some rows of split "head".

    For the primary label these are ROC AUC and macro-F1 (at a logit of 0) by source, and their means over the sources. For every
    other label it is ROC AUC over all rows of which it is known; for the targets the mean.
    """
    head = [example for example in examples if example.split == "head"][::_VALIDATED]
    logits = predict(model, [example.text for example in head], tokenizer, device)[0]
    said = np.array([[-1 if label is None else int(label) for label in row.list_labels()] for row in head])
    sources = np.array([row.source for row in head])
    figures, by_kind = {}, defaultdict(list)
    for source in ORIGINS:
        at = (sources == source) & (said[:, 0] >= 0)
        if len(set(said[at, 0].tolist())) < 2:
            continue
        figures[f"{source} auc"] = float(roc_auc_score(said[at, 0], logits[at, 0]))
        figures[f"{source} f1"] = float(f1_score(said[at, 0], logits[at, 0] > 0, average="macro"))
        by_kind["mean auc"].append(figures[f"{source} auc"])
        by_kind["mean f1"].append(figures[f"{source} f1"])
    for column, label in enumerate(LABELS[1:], 1):
        at = said[:, column] >= 0
        if len(set(said[at, column].tolist())) == 2:
            by_kind["targets auc" if label in TARGETS else f"{label} auc"].append(
                roc_auc_score(said[at, column], logits[at, column])
            )
    return figures | {name: float(np.mean(values)) for name, values in by_kind.items()}
