"""The encoders as PyTorch modules: BERT's layers, MPNet's relative positions for the teacher, and quantisation-aware training."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """The sizes of an encoder, and the peculiarities of its base model.

    Attributes
    ----------
    first_place : int
        The first row of the base model's table of positions that is used.
    relative_buckets : int
        The number of classes of distances between tokens, each with a bias of its own; 0 for none.
    """

    width: int
    heads: int
    layers: int
    words: int
    epsilon: float
    first_place: int = 0
    relative_buckets: int = 0

    @property
    def inner(self) -> int:
        return 4 * self.width


MINILM = Shape(width=384, heads=12, layers=6, words=30522, epsilon=1e-12)
MPNET = Shape(width=768, heads=12, layers=12, words=30527, epsilon=1e-5, first_place=2, relative_buckets=32)
# Activations have 8 bits, weights 7. On a processor without VNNI, the kernels add pairs of products in 16 bits, which would
# overflow with 8-bit weights. With 7 bits all processors give the same sums.
ACTIVATION_LEVELS, WEIGHT_LIMIT, EMBEDDING_LIMIT = 255, 63, 127
_MASK_POOL = 1 << 23


class Dropout(nn.Module):
    """Dropout whose masks are windows into one fixed pool. On a CPU, fresh masks would take an eighth of a step."""

    pool: Tensor | None = None

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if Dropout.pool is None or Dropout.pool.device != x.device:
            generator = torch.Generator().manual_seed(0)
            Dropout.pool = (
                ((torch.rand(_MASK_POOL, generator=generator) >= self.share) / (1 - self.share)).bfloat16().to(x.device)
            )
        at = int(torch.randint(0, _MASK_POOL - x.numel(), ()))
        return x * Dropout.pool[at : at + x.numel()].view(x.shape)


def quantise_rows(weight: Tensor, limit: int = WEIGHT_LIMIT) -> tuple[Tensor, Tensor]:
    """Quantise a matrix. Return whole numbers from -limit to limit, and the scale of each row."""
    scale = weight.abs().amax(1).clamp_min(1e-8) / limit
    return (weight / scale[:, None]).round(), scale


class QuantisedLinear(nn.Linear):
    """A linear layer that can compute as the int8 kernels will: with one scale for the input, and one for each row of weights.

    The backward pass ignores the rounding (the straight-through estimator, Bengio et al. 2013).
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs)
        self.quantised = False
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        # If it is a list, the layer records the least and the greatest value of each channel in every batch, shape (2, inputs).
        self.seen: list[Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.seen is not None:
            self.seen.append(torch.stack(x.detach().float().flatten(0, -2).aminmax(dim=0)))
        if not self.quantised:
            return super().forward(x)
        rows = self.weight.detach().float().abs().amax(1).clamp_min(1e-8) / WEIGHT_LIMIT
        weight = torch.fake_quantize_per_channel_affine(
            self.weight.float(), rows, torch.zeros_like(rows), 0, -WEIGHT_LIMIT, WEIGHT_LIMIT
        )
        zero = (-self.low / self.scale).round().to(torch.int32)
        return functional.linear(
            torch.fake_quantize_per_tensor_affine(x.float(), self.scale, zero, 0, ACTIVATION_LEVELS), weight, self.bias
        )

    def fix_range(self) -> None:
        """Fix the range of the input from the recorded values, with a margin of 2 %."""
        low, high = (1.02 * float(peak) for peak in torch.stack(self.seen).flatten(0, 1).aminmax())
        low, high = min(low, -1e-6), max(high, 1e-6)
        scale = (high - low) / ACTIVATION_LEVELS
        self.scale.fill_(scale)
        self.low.fill_(-round(-low / scale) * scale)


class Layer(nn.Module):
    """Self-attention and a feed-forward network, each followed by a residual sum and layer normalisation."""

    def __init__(self, shape: Shape, dropout: float):
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.attention_in = QuantisedLinear(width, 3 * width)
        self.attention_out = QuantisedLinear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=shape.epsilon)
        self.inner = QuantisedLinear(width, shape.inner)
        self.outer = QuantisedLinear(shape.inner, width)
        self.norm = nn.LayerNorm(width, eps=shape.epsilon)
        self.dropout = Dropout(dropout)
        # The channels are multiplied by this before `inner`, and its weights are divided by it: see `even_out`.
        self.register_buffer("evening", torch.ones(width))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        count, length, width = x.shape
        query, key, value = self.attention_in(x).view(count, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # Not the fused attention: on a CPU its backward pass takes as long as all the rest of a step.
        weights = torch.softmax(query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2) + bias, -1, dtype=query.dtype)
        attended = (weights @ value).transpose(1, 2).reshape(count, length, width)
        x = self.attention_norm(x + self.dropout(self.attention_out(attended)))
        return self.norm(x + self.dropout(self.outer(functional.gelu(self.inner(x * self.evening.to(x.dtype))))))

    def even_out(self) -> None:
        """Move the peaks of the channels of `inner`'s input into its weights, so that the input can be quantised in finer steps.

        The [CLS] token has 30 in one channel, three times as much as in any other. The weights take half of a channel's peak, on
        a logarithmic scale (Xiao et al. 2023, "SmoothQuant"). For the other layers it made no difference.
        """
        peaks = torch.stack(self.inner.seen).abs().amax((0, 1)).clamp_min(1e-3)
        factors = (self.inner.weight.abs().amax(0).clamp_min(1e-4) / peaks).sqrt()
        self.evening.copy_(factors / factors.mean())
        self.inner.weight.div_(self.evening)
        self.inner.scale.fill_(1)


class Encoder(nn.Module):
    """Turns tokens into token states and their mean."""

    def __init__(self, shape: Shape = MINILM, dropout: float = 0.1):
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.words, shape.width)
        self.places = nn.Embedding(512, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.distances = nn.Embedding(shape.relative_buckets, shape.heads) if shape.relative_buckets else None
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.dropout = Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings, shape (n, width), and the token states, shape (n, tokens, width); both float32.

        `ids` and `mask` have shape (n, tokens).
        """
        length = ids.shape[1]
        states = self.dropout(self.norm(self.words(ids) + self.places.weight[:length]))
        dtype = torch.bfloat16 if torch.is_autocast_enabled(ids.device.type) else torch.float32
        bias = torch.zeros(mask.shape, dtype=dtype, device=ids.device).masked_fill(~mask, -1e4)[:, None, None, :]
        if self.distances is not None:
            buckets = distance_buckets(length, self.shape.relative_buckets).to(ids.device)
            bias = bias + self.distances(buckets).permute(2, 0, 1).to(dtype)
        for layer in self.layers:
            states = layer(states, bias)
        states = states.float()
        weights = mask[..., None].float()
        return (states * weights).sum(1) / weights.sum(1), states

    def quantised_layers(self) -> list[QuantisedLinear]:
        return [module for module in self.modules() if isinstance(module, QuantisedLinear)]

    @property
    def is_calibrated(self) -> bool:
        """Whether the range of every quantised layer's input is fixed."""
        return all(layer.scale != 1 for layer in self.quantised_layers())

    @torch.no_grad()
    def even_out(self) -> None:
        """Even out the input of each layer that has not done so, from the recorded values."""
        for layer in self.layers:
            if (layer.evening == 1).all():
                layer.even_out()
        self._forget()

    @torch.no_grad()
    def fix_ranges(self) -> None:
        """Fix the input range of each layer that has none, from the recorded values."""
        for layer in self.quantised_layers():
            if layer.scale == 1:
                layer.fix_range()
        self._forget()

    def _forget(self) -> None:
        for layer in self.quantised_layers():
            layer.seen = None

    def compute_in_int8(self, whether: bool) -> None:
        """From now on compute as the int8 kernels will, or with the weights as they are."""
        for layer in self.quantised_layers():
            layer.quantised = whether

    @classmethod
    def from_base(cls, path: Path, shape: Shape = MINILM, dropout: float = 0.1) -> "Encoder":
        """Return an encoder with the weights of a base model's file."""
        base = load_file(path)
        encoder = cls(shape, dropout)
        places = base["embeddings.position_embeddings.weight"][shape.first_place :]
        if shape is MINILM:
            # There is one kind of segment, so its embedding is added to that of every position.
            places = places + base["embeddings.token_type_embeddings.weight"][0]
        # Rounded from the start, as it will be shipped.
        whole, scale = quantise_rows(base["embeddings.word_embeddings.weight"], EMBEDDING_LIMIT)
        state = {
            "words.weight": whole * scale[:, None],
            "places.weight": places,
            "norm.weight": base["embeddings.LayerNorm.weight"],
            "norm.bias": base["embeddings.LayerNorm.bias"],
        }
        if shape.relative_buckets:
            state["distances.weight"] = base["encoder.relative_attention_bias.weight"]
        names = _MPNET_NAMES if shape is MPNET else _BERT_NAMES
        for at in range(shape.layers):
            old, new = f"encoder.layer.{at}.", f"layers.{at}."
            for kind in ("weight", "bias"):
                for ours, theirs in names.items():
                    state[f"{new}{ours}.{kind}"] = torch.cat([base[f"{old}{name}.{kind}"] for name in theirs])
        missing, unexpected = encoder.load_state_dict(state, strict=False)
        if unexpected or any(not name.endswith((".low", ".scale", ".evening")) for name in missing):
            raise ValueError(f"{path} is not the base model: {missing} missing, {unexpected} unexpected.")
        return encoder


_SHARED_NAMES = {"inner": ["intermediate.dense"], "outer": ["output.dense"], "norm": ["output.LayerNorm"]}
_BERT_NAMES = _SHARED_NAMES | {
    "attention_in": [f"attention.self.{part}" for part in ("query", "key", "value")],
    "attention_out": ["attention.output.dense"],
    "attention_norm": ["attention.output.LayerNorm"],
}
_MPNET_NAMES = _SHARED_NAMES | {
    "attention_in": [f"attention.attn.{part}" for part in "qkv"],
    "attention_out": ["attention.attn.o"],
    "attention_norm": ["attention.LayerNorm"],
}


def distance_buckets(length: int, buckets: int) -> Tensor:
    """Return the class of the distance between any two tokens (Raffel et al. 2020, "T5", section 2.1): shape (n, n).

    On each side, half of the classes are one short distance each. The others are ranges that grow, up to a distance of 128.
    """
    at = torch.arange(length)
    away = at[None, :] - at[:, None]
    side = buckets // 2
    exact = side // 2
    far = exact + (away.abs().clamp_min(1) / exact).log() / math.log(128 / exact) * (side - exact)
    near = torch.where(away.abs() < exact, away.abs(), far.long().clamp_max(side - 1))
    return near + side * (away > 0)
