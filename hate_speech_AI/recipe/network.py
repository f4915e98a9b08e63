"""The encoder as a PyTorch module: BERT's layers with the names and shapes of the base model, and quantisation in the loop."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536
# Activations have 8 bits. Weights have 7: where a processor lacks VNNI, the kernels add pairs of 8-bit products in 16 bits,
# which 8-bit weights overflow; with 7 all processors give the same sums.
ACTIVATION_LEVELS, WEIGHT_LIMIT, EMBEDDING_LIMIT = 255, 63, 127
_MASK_POOL = 1 << 23


class Dropout(nn.Module):
    """Dropout whose masks are windows into one fixed pool: on a CPU, drawing fresh ones takes an eighth of a step."""

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
    """Return a matrix as whole numbers from -limit to limit, and the scale of each row."""
    scale = weight.abs().amax(1).clamp_min(1e-8) / limit
    return (weight / scale[:, None]).round(), scale


class QuantisedLinear(nn.Linear):
    """A linear layer that can be told to compute as the int8 kernels will: static scale for the input, one a row for weights.

    The rounding is passed straight through in the backward pass (Bengio et al. 2013).
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs)
        self.quantised = False
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        self.seen: list[Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.seen is not None:
            self.seen.append(x.detach().float().flatten()[:: 1 + x.numel() // 65536])
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

    def calibrate(self) -> None:
        """Choose the range with the least squared error on what was seen since `seen` was made a list."""
        values = torch.cat(self.seen)
        self.seen = None
        low, high = float(values.min()), float(values.max())
        best = None
        for share_low in (1.0, 0.8, 0.6, 0.4, 0.25):
            for share_high in (1.0, 0.8, 0.6, 0.4, 0.25):
                start, end = min(low * share_low, -1e-6), max(high * share_high, 1e-6)
                scale = (end - start) / ACTIVATION_LEVELS
                zero = round(-start / scale)
                rounded = ((values / scale).round() + zero).clamp(0, ACTIVATION_LEVELS)
                error = float((((rounded - zero) * scale - values) ** 2).mean())
                if best is None or error < best[0]:
                    best = error, -zero * scale, scale
        self.low.fill_(best[1])
        self.scale.fill_(best[2])


class Layer(nn.Module):
    """Self-attention and a feed-forward network, each followed by a normalised sum with what came in."""

    def __init__(self, dropout: float):
        super().__init__()
        self.attention_in = QuantisedLinear(WIDTH, 3 * WIDTH)
        self.attention_out = QuantisedLinear(WIDTH, WIDTH)
        self.attention_norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.inner = QuantisedLinear(WIDTH, INNER)
        self.outer = QuantisedLinear(INNER, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        count, length, _ = x.shape
        query, key, value = self.attention_in(x).view(count, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        # Written out: on a CPU the fused attention's backward pass takes as long as all the rest of a step.
        weights = torch.softmax(query * (WIDTH // HEADS) ** -0.5 @ key.transpose(-1, -2) + bias, -1, dtype=query.dtype)
        attended = (weights @ value).transpose(1, 2).reshape(count, length, WIDTH)
        x = self.attention_norm(x + self.dropout(self.attention_out(attended)))
        return self.norm(x + self.dropout(self.outer(functional.gelu(self.inner(x)))))


class Encoder(nn.Module):
    """Tokens in, a state for each and their mean out."""

    def __init__(self, dropout: float = 0.1):
        super().__init__()
        self.words = nn.Embedding(30522, WIDTH)
        self.places = nn.Embedding(512, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))
        self.dropout = Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings (float32, shape (n, 384)) and the token states of token ids, both shape (n, tokens)."""
        states = self.dropout(self.norm(self.words(ids) + self.places.weight[: ids.shape[1]]))
        dtype = torch.bfloat16 if torch.is_autocast_enabled(ids.device.type) else torch.float32
        bias = torch.zeros(mask.shape, dtype=dtype, device=ids.device).masked_fill(~mask, -1e4)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, bias)
        states = states.float()
        weights = mask[..., None].float()
        return (states * weights).sum(1) / weights.sum(1), states

    def quantised_layers(self) -> list[QuantisedLinear]:
        return [module for module in self.modules() if isinstance(module, QuantisedLinear)]

    @classmethod
    def from_base(cls, path: Path, dropout: float = 0.1) -> "Encoder":
        """Return an encoder with the weights of the base model's file."""
        base = load_file(path)
        encoder = cls(dropout)
        state = {
            "words.weight": base["embeddings.word_embeddings.weight"],
            # There is one kind of segment, so its embedding is part of every place's.
            "places.weight": base["embeddings.position_embeddings.weight"] + base["embeddings.token_type_embeddings.weight"][0],
            "norm.weight": base["embeddings.LayerNorm.weight"],
            "norm.bias": base["embeddings.LayerNorm.bias"],
        }
        whole, scale = quantise_rows(state["words.weight"], EMBEDDING_LIMIT)
        state["words.weight"] = whole * scale[:, None]  # as it will be shipped
        for at in range(LAYERS):
            old, new = f"encoder.layer.{at}.", f"layers.{at}."
            for kind in ("weight", "bias"):
                parts = [base[f"{old}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
                state[f"{new}attention_in.{kind}"] = torch.cat(parts)
                for theirs, ours in (
                    ("attention.output.dense", "attention_out"),
                    ("attention.output.LayerNorm", "attention_norm"),
                    ("intermediate.dense", "inner"),
                    ("output.dense", "outer"),
                    ("output.LayerNorm", "norm"),
                ):
                    state[f"{new}{ours}.{kind}"] = base[f"{old}{theirs}.{kind}"]
        missing, unexpected = encoder.load_state_dict(state, strict=False)
        if unexpected or any(not name.endswith((".low", ".scale")) for name in missing):
            raise ValueError(f"{path} is not the base model: {missing} missing, {unexpected} unexpected.")
        return encoder
