"""Fine-tune an encoder on all labels, resumable after each part of a pass.

First a large one, the teacher; then the one that ships, which also learns what the teacher says of each text (Hinton et al.
2015), at the end with quantisation in the loop.
"""

import hashlib
import json
import random
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
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

from ..engines.encoder import EncoderEngine
from ..engines.encoder.session import Encoder as ServedEncoder
from ..engines.encoder.shipped import Shipped
from ..text.encoder_form import encoder_form
from .augment import disguise, emoji_of, recombine, swap_identity
from .corpus import LABELS, SOURCES, WEIGHTS, Example
from .export import restore
from .network import MINILM, MPNET, Encoder

# How often a hateful and a harmless text of a source is seen in a pass, on average.
_TIMES = {
    "davidson": (0.6, 0.2),
    "dynahate": (1.0, 1.0),
    "edos": (0.6, 0.3),
    "hatemoji_build": (2.5, 2.5),
    "hatexplain": (0.6, 0.6),
    "stormfront": (0.6, 0.25),
}
# The same of a text that was made up of others.
_TIMES_RECOMBINED = 0.5
# In how many parts a pass goes, a checkpoint after each.
_PARTS = 4
# One in so many rows of the head's is looked at after each part.
_VALIDATED = 4


@dataclass(frozen=True)
class Settings:
    """What a fine-tuning is run with.

    Attributes
    ----------
    base : str
        The base model: "minilm" or "mpnet".
    parts, quantised_parts : int
        How many quarters of a pass there are, and how many of the last compute as the int8 kernels do.
    paired : bool
        Whether each text is seen beside a copy of it, or the copy alone.
    tokens : int
        Longer texts are cut here; the service slides a window of as many.
    disguised, swapped : float
        In what share of the copies words are misspelt, and identities replaced.
    recombined : int
        How many texts are made up of others, for the teacher to say what they are.
    consistency : float
        What it costs that a text and its copy get different logits, where they are `paired`.
    guidance : float
        What share of the loss is measured against the teacher's probabilities instead of the labels.
    likeness : float
        What it costs that the teacher's embeddings cannot be told from the encoder's by a linear map.
    other_weight : float
        What each label but the primary counts in the loss.
    averaging : float
        How much of the averaged weights is kept at each step.
    """

    base: str = "minilm"
    parts: int = 24
    quantised_parts: int = 6
    batch: int = 64
    paired: bool = True
    tokens: int = 64
    learning_rate: float = 2e-4
    layer_decay: float = 0.95
    warm_up: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.1
    disguised: float = 0.3
    swapped: float = 0.5
    recombined: int = 60_000
    consistency: float = 1.0
    guidance: float = 0.7
    likeness: float = 0.5
    other_weight: float = 0.4
    averaging: float = 0.997
    seed: int = 0


TEACHER = Settings(
    base="mpnet",
    parts=8,
    quantised_parts=0,
    batch=32,
    paired=False,
    learning_rate=5e-5,
    swapped=0.35,
    recombined=0,
    guidance=0.0,
    likeness=0.0,
    averaging=0.995,
)
_SHAPES = {"minilm": MINILM, "mpnet": MPNET}


class Taught(NamedTuple):
    """What is said of texts by who taught.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (n, n_labels)
        Of all labels, without any source's offset: the teacher's, or after the first round their mean with those of the
        encoder as it was before.
    embeddings : ndarray of float16, shape (n, the teacher's width)
    """

    probabilities: np.ndarray
    embeddings: np.ndarray


class FineTuning(nn.Module):
    """The encoder with what only its training needs: a head, what each source adds to every logit, a map to the teacher's width.

    The offsets take up how often a source calls a text hateful, so that the encoder does not learn to tell the sources apart.
    """

    def __init__(self, encoder: Encoder, teacher_width: int = 0):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.shape.width, len(LABELS))
        self.offsets = nn.Parameter(torch.zeros(len(SOURCES), len(LABELS)))
        self.likened = nn.Linear(encoder.shape.width, teacher_width) if teacher_width else None

    @torch.no_grad()
    def set_head(self, mean: np.ndarray) -> None:
        """Begin with the mean of a head's posterior: shape (2, width + 1), the bias last."""
        mean = torch.tensor(mean, dtype=torch.float32)
        self.head.weight.copy_(mean[:, :-1])
        self.head.bias.copy_(mean[:, -1])

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of all labels without any source's offset, (n, n_labels), and the embeddings, (n, width)."""
        embeddings = self.encoder(ids, mask)[0]
        return self.head(embeddings), embeddings


def load_tokenizer(path: Path, tokens: int | None) -> Tokenizer:
    """Return the base model's tokenizer, cutting after `tokens` tokens, the special ones counted in."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    if tokens:
        tokenizer.enable_truncation(tokens)
    else:
        tokenizer.no_truncation()
    return tokenizer


def _times(example: Example) -> float:
    """Return how often an example is seen in a pass, on average."""
    return _TIMES_RECOMBINED if example.hate is None else _TIMES[example.source][0 if example.hate else 1]


def transfer_set(examples: list[Example], settings: Settings) -> list[Example]:
    """Return the examples of split "fit" and, after them, those that are made up of them: the teacher speaks of all of these.

    Each text is drawn for that as often as it is seen in a pass.
    """
    fit = [example for example in examples if example.split == "fit"]
    if not settings.recombined:
        return fit
    draw = random.Random(settings.seed)  # noqa: S311
    faces = emoji_of([example.text for example in fit])
    drawn = [draw.choices(fit, list(map(_times, fit)), k=settings.recombined) for _ in range(2)]
    made = []
    for one, other in zip(*drawn, strict=True):
        made.append(Example(recombine(one.text, other.text, faces, draw), one.source, "fit", None, None))
    return fit + made


def pick(examples: list[Example], settings: Settings, number: int) -> list[int]:
    """Return the places of the examples of part `number`.

    Contrast pairs come more often than once a pass; of texts that are many and much alike, a share.
    """
    draw = random.Random(settings.seed * 1000 + number // _PARTS)  # noqa: S311
    picked = []
    for place, example in enumerate(examples):
        times = _times(example)
        picked += [place] * (int(times) + (draw.random() < times % 1))
    draw.shuffle(picked)
    return picked[number % _PARTS :: _PARTS]


def draw_part(examples: list[Example], settings: Settings, number: int) -> tuple[list[list[str]], list[int]]:
    """Return views of the texts of part `number`, and the places of the examples that they come from.

    A view is one text for each place: the texts and a copy of each where they are `paired`, otherwise the copies alone. Some of
    the copies are altered, in what should not matter; the others differ by dropout alone.
    """
    picked = pick(examples, settings, number)
    draw = random.Random(settings.seed * 1000 + number + 250)  # noqa: S311
    texts, copies = [], []
    for place in picked:
        copy = examples[place].text
        if draw.random() < settings.swapped:
            copy = swap_identity(copy, draw)
        if draw.random() < settings.disguised:
            copy = disguise(copy, draw)
        copies.append(encoder_form(copy).text)
        if settings.paired:
            texts.append(encoder_form(examples[place].text).text)
    return ([texts, copies] if settings.paired else [copies]), picked


def batches(lengths: list[int], settings: Settings, number: int) -> list[list[int]]:
    """Return the places of the examples of each batch: alike in length, in random order."""
    draw = random.Random(settings.seed * 1000 + number + 500)  # noqa: S311
    size = settings.batch
    chunks = [range(at, min(at + size * 50, len(lengths))) for at in range(0, len(lengths), size * 50)]
    grouped = []
    for chunk in chunks:
        places = sorted(chunk, key=lengths.__getitem__)
        grouped += [places[at : at + size] for at in range(0, len(places), size)]
    draw.shuffle(grouped)
    return grouped


def pad(encodings: list, device: str) -> tuple[Tensor, Tensor]:
    length = max(len(encoding.ids) for encoding in encodings)
    ids = torch.zeros(len(encodings), length, dtype=torch.long)
    mask = torch.zeros(len(encodings), length, dtype=torch.bool)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
        mask[row, : len(encoding.ids)] = True
    return ids.to(device), mask.to(device)


def parameter_groups(model: FineTuning, settings: Settings) -> list[dict]:
    """Return the parameters with their learning rates: lower layers learn slower, and norms and biases do not decay."""
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


def begin(base: Path, settings: Settings, teacher_width: int, before: Path | None) -> FineTuning:
    """Return the model as it is before the first step; parameters are as for `fine_tune`."""
    if before:
        model = FineTuning(restore(before / "encoder.onnx", settings.dropout), teacher_width)
        model.set_head(Shipped(before).head()[0])
    else:
        encoder = Encoder.from_base(base / "model.safetensors", _SHAPES[settings.base], settings.dropout)
        model = FineTuning(encoder, teacher_width)
    model.encoder.words.requires_grad_(False)
    model.encoder.places.requires_grad_(False)
    return model


def fine_tune(
    examples: list[Example], base: Path, work: Path, settings: Settings, taught: Taught | None = None, before: Path | None = None
) -> FineTuning:
    """Return the fine-tuned model, with its averaged weights; `work` keeps a checkpoint of the last finished part.

    Parameters
    ----------
    examples : list of Example
        Of which those of split "fit" are learned from.
    base : Path
        The folder of the base model's `model.safetensors` and `tokenizer.json`.
    taught : Taught, optional
        What is said of the `transfer_set`; needed where `settings.guidance` is not 0.
    before : Path, optional
        The folder of a finished encoder and head to begin from, instead of the base model's weights.

    Raises
    ------
    ValueError
        The checkpoint is of other settings.
    """
    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = load_tokenizer(base / "tokenizer.json", settings.tokens)
    fit = transfer_set(examples, settings)
    targets = Targets(fit, taught, device)
    model = begin(base, settings, taught.embeddings.shape[1] if taught else 0, before).to(device)
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
        views, picked = draw_part(fit, settings, number)
        encoded = [tokenizer.encode_batch(view) for view in views]
        model.train()
        losses = []
        lengths = [max(len(encoding.ids) for encoding in same) for same in zip(*encoded, strict=True)]
        grouped = batches(lengths, settings, number)
        for places in tqdm(grouped, desc=f"{settings.base}, part {number + 1} of {settings.parts}", mininterval=10):
            for group in optimizer.param_groups:
                group["lr"] = _rate(step, steps, settings) * group["factor"]
            inputs = [pad([view[at] for at in places], device) for view in encoded]
            loss = batch_loss(model, inputs, targets, [picked[at] for at in places], settings, int8=int8)
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
    examples: list[Example], base: Path, work: Path, settings: Settings, student: Settings, before: Path | None = None
) -> Taught:
    """Return what a teacher, fine-tuned for it, and the encoder as it was `before` say of the student's `transfer_set`.

    Of what the student never draws from it they say nothing (NaN). It is kept in `work`, beside the teacher's checkpoint, under
    the sum of the texts; parameters are as for `fine_tune`.
    """
    known = transfer_set(examples, student)
    places = sorted({place for number in range(student.parts) for place in pick(known, student, number)})
    texts = [known[place].text for place in places]
    path = work / f"taught-{hashlib.sha256(json.dumps([places, texts]).encode()).hexdigest()[:16]}.npz"
    if not path.exists():
        model = fine_tune(examples, base, work, settings)
        tokenizer = load_tokenizer(base / "tokenizer.json", settings.tokens)
        logits, found = predict(model, texts, tokenizer, next(model.parameters()).device.type)
        said = 1 / (1 + np.exp(-logits))
        if before:
            said = (said + _said_before(before, texts)) / 2
        probabilities = np.full((len(known), len(LABELS)), np.nan, np.float32)
        embeddings = np.full((len(known), found.shape[1]), np.nan, np.float16)
        probabilities[places], embeddings[places] = said, found
        np.savez(path, probabilities=probabilities, embeddings=embeddings)
    with np.load(path) as arrays:
        return Taught(arrays["probabilities"], arrays["embeddings"])


def _said_before(folder: Path, texts: list[str]) -> np.ndarray:
    """Return the probabilities of the labels that the finished encoder in `folder` gives: float32, shape (n, n_labels)."""
    engine = EncoderEngine(*Shipped(folder).head(), ServedEncoder(folder, threads=torch.get_num_threads()), LABELS)
    chunks = range(0, len(texts), 1000)
    judged = (engine.judge(texts[at : at + 1000]) for at in tqdm(chunks, desc="the encoder as it was", mininterval=10))
    return np.concatenate([np.stack([one[label] for label in LABELS], 1) for one in judged]).astype(np.float32)


@cache
def half_precision_is_faster(device: str) -> bool:
    """Try a matrix product in bfloat16 and in float32: on processors it is anything from twice as fast to 30 times as slow."""
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
    """Compute in bfloat16 where it is faster."""
    return torch.autocast(device, torch.bfloat16, enabled=half_precision_is_faster(device))


class Targets:
    """What is to be learned of each example: its labels, what its teacher says, its source and what it counts.

    Parameters
    ----------
    examples : list of Example
    taught : Taught or None
    """

    def __init__(self, examples: list[Example], taught: Taught | None, device: str):
        labels = [[-1.0 if label is None else label for label in (getattr(row, name) for name in LABELS)] for row in examples]
        self.labels = torch.tensor(labels, device=device)  # -1: unknown
        self.sources = torch.tensor([SOURCES.index(row.source) for row in examples], device=device)
        self.weights = torch.tensor([WEIGHTS[row.source] for row in examples], device=device)
        if taught is not None:
            self.probabilities = torch.tensor(taught.probabilities, device=device)
            embeddings = torch.tensor(taught.embeddings, device=device)
            self.mean = embeddings.float().nanmean(0)
            # One scale for all directions, so that those count most in which the teacher tells texts apart.
            self.scale = (embeddings.float() - self.mean).square().nanmean().sqrt()
            self.embeddings = embeddings

    def likeness(self, places: list[int]) -> Tensor:
        """Return the teacher's embeddings, with a mean of 0 and a mean square of 1."""
        return (self.embeddings[places].float() - self.mean) / self.scale


def batch_loss(
    model: FineTuning, inputs: list[tuple[Tensor, Tensor]], targets: Targets, places: list[int], settings: Settings, *, int8: bool
) -> Tensor:
    """Return the loss of a batch.

    Parameters
    ----------
    inputs : list of (Tensor, Tensor)
        Ids and mask of each view of the examples.
    places : list of int
        Of the examples in `targets`.
    int8 : bool
        Whether the first view is computed as the int8 kernels do. The second is not, so that what the two disagree in is the
        rounding too.
    """
    views, embeddings = [], []
    for number, view in enumerate(inputs):
        model.encoder.compute_in_int8(int8 and number == 0)
        with half_precision(view[0].device.type):
            logits, embedding = model(*view)
        views.append(logits.float())
        embeddings.append(embedding)
    labels, weights, offsets = targets.labels[places], targets.weights[places], model.offsets[targets.sources[places]]
    loss = _mean(label_loss(logits + offsets, labels, weights, settings) for logits in views)
    if settings.guidance:
        taught = targets.probabilities[places]
        guided = _mean(guided_loss(logits, taught, weights, settings) for logits in views)
        loss = (1 - settings.guidance) * loss + settings.guidance * guided
    if settings.likeness:
        sought = targets.likeness(places)
        loss = loss + settings.likeness * _mean((model.likened(found) - sought).square().mean() for found in embeddings)
    if len(views) == 2:
        loss = loss + settings.consistency * disagreement(*views)
    return loss


def _mean(losses: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(losses)).mean()


def _rate(step: int, steps: int, settings: Settings) -> float:
    """Return the learning rate of a step: rising at first, then falling in a line."""
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
    """Take up what `_keep` wrote, and return how many parts and steps were done."""
    kept = torch.load(path, weights_only=True, map_location=next(model.parameters()).device)
    if kept["settings"] != asdict(settings):
        raise ValueError(f"{path} is of other settings. Remove it to begin again.")
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    averaged.update(kept["averaged"])
    torch.set_rng_state(kept["random"].cpu())
    return kept["parts"], kept["step"]


def swap_weights(model: nn.Module, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Put `values` into the model and return what was there."""
    before = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in values:
                before[name] = parameter.detach().clone()
                parameter.copy_(values[name])
    return before


def label_loss(logits: Tensor, targets: Tensor, weights: Tensor, settings: Settings) -> Tensor:
    known = (targets >= 0).float()
    each = functional.binary_cross_entropy_with_logits(logits, targets.clamp_min(0), reduction="none") * known
    return (each[:, 0] * weights + settings.other_weight * each[:, 1:].sum(1)).mean()


def guided_loss(logits: Tensor, taught: Tensor, weights: Tensor, settings: Settings) -> Tensor:
    """Return the cross entropy with the teacher's probabilities, which say something of all labels of every text."""
    each = functional.binary_cross_entropy_with_logits(logits, taught, reduction="none")
    return (each[:, 0] * weights + settings.other_weight * each[:, 1:].sum(1)).mean()


def disagreement(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean symmetric Kullback-Leibler divergence of the label probabilities of texts and their copies.

    Of equal copies it is R-Drop (Liang et al. 2021), of copies with another identity counterfactual pairing (Garg et al. 2019).
    """
    p, q = torch.sigmoid(one), torch.sigmoid(other)
    return ((p - q) * (one - other)).mean()


@torch.no_grad()
def observe(model: FineTuning, fit: list[Example], tokenizer: Tokenizer, device: str) -> None:
    """Let the layers see their inputs for texts that are learned from."""
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
    """Return the logits of all labels without any source's offset, and the embeddings: float32, (n, n_labels) and (n, width).

    Where it is to be `exact`, all is computed in float32, else in bfloat16 if that is faster.
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
    """Return ROC AUC by source, and macro-F1 at a logit of 0, on some of the rows that the head is fitted on."""
    head = [example for example in examples if example.split == "head"][::_VALIDATED]
    logits = predict(model, [example.text for example in head], tokenizer, device)[0][:, 0]
    figures = {}
    for source in SOURCES:
        at = [place for place, example in enumerate(head) if example.source == source]
        labels = np.array([head[place].hate for place in at])
        if len(set(labels.tolist())) < 2:
            continue
        figures[f"{source} auc"] = float(roc_auc_score(labels, logits[at]))
        figures[f"{source} f1"] = float(f1_score(labels, logits[at] > 0, average="macro"))
    return figures
