"""Export the encoder as an ONNX graph of fused operators with int8 weights and fixed activation ranges.

The graph is built by hand, operator by operator, since optimisers know no fixed ranges. There is no attention mask: the service
only runs texts of equal length together. So the verdict on a text cannot depend on the others.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .network import EMBEDDING_LIMIT, Encoder, QuantisedLinear, quantise_rows

_MICROSOFT = "com.microsoft"


class _Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], output, domain=domain, **attributes))
        return output


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def _quantised_input(graph: _Graph, layer: QuantisedLinear, name: str, x: str) -> tuple[str, str, str, str, str, str]:
    """Quantise `x`. Return the names of the quantised input, the weights, and the scales and zero points of both."""
    scale = np.float32(layer.scale.item())
    zero = np.uint8(round(-layer.low.item() / layer.scale.item()))
    whole, rows = quantise_rows(layer.weight.detach().float())
    names = (
        graph.constant(f"{name}.weight", _array(whole).T.astype(np.int8)),
        graph.constant(f"{name}.input_scale", scale),
        graph.constant(f"{name}.weight_scale", _array(rows)),
        graph.constant(f"{name}.input_zero", zero),
        graph.constant(f"{name}.weight_zero", np.zeros(len(rows), np.int8)),
    )
    rounded = graph.add("QuantizeLinear", [x, names[1], names[3]], f"{name}.input")
    return rounded, *names


def _linear(graph: _Graph, layer: QuantisedLinear, name: str, x: str) -> str:
    rounded, weight, scale, rows, zero, weight_zero = _quantised_input(graph, layer, name, x)
    bias = graph.constant(f"{name}.bias", _array(layer.bias))
    inputs = [rounded, weight, scale, rows, zero, weight_zero, bias]
    return graph.add("MatMulIntegerToFloat", inputs, f"{name}.output", _MICROSOFT)


def _norm(graph: _Graph, norm: torch.nn.LayerNorm, name: str, x: str, skip: str | None = None) -> str:
    """Add the normalisation of `x`, or of its sum with `skip`.

    The kernel of SkipLayerNormalization takes five times as long as the two nodes together (ONNX Runtime 1.32).
    """
    if skip:
        x = graph.add("Add", [x, skip], f"{name}.sum")
    scale, bias = graph.constant(f"{name}.scale", _array(norm.weight)), graph.constant(f"{name}.bias", _array(norm.bias))
    return graph.add("LayerNormalization", [x, scale, bias], name, axis=-1, epsilon=float(norm.eps))


def export(encoder: Encoder, path: Path) -> None:
    """Write `encoder` to `path`.

    The input is `ids`: int64, shape (n, tokens). The outputs are `states`: float32, shape (n, tokens, 384); and `embedding`,
    their mean over the tokens: float32, shape (n, 384).
    """
    graph = _Graph()
    whole, rows = quantise_rows(encoder.words.weight.detach().float(), EMBEDDING_LIMIT)
    graph.constant("words", _array(whole).astype(np.int8))
    graph.constant("words.scale", _array(rows)[:, None])
    graph.constant("places", _array(encoder.places.weight))
    picked = graph.add("Cast", [graph.add("Gather", ["words", "ids"], "words.whole")], "words.float", to=TensorProto.FLOAT)
    words = graph.add("Mul", [picked, graph.add("Gather", ["words.scale", "ids"], "words.scales")], "words.states")
    shape = graph.add("Shape", ["ids"], "length", start=1, end=2)
    zero = graph.constant("zero", np.array([0], np.int64))
    places = graph.add("Slice", ["places", zero, shape, zero], "places.used")
    summed = graph.add("Add", [words, places], "summed")
    states = _norm(graph, encoder.norm, "norm", summed)
    for at, layer in enumerate(encoder.layers):
        name = f"layers.{at}"
        rounded, weight, scale, rows, zero_point, weight_zero = _quantised_input(
            graph, layer.attention_in, f"{name}.attention_in", states
        )
        bias = graph.constant(f"{name}.attention_in.bias", _array(layer.attention_in.bias))
        attended = graph.add(
            "QAttention",
            [rounded, weight, bias, scale, rows, "", zero_point, weight_zero],
            f"{name}.attended",
            _MICROSOFT,
            num_heads=layer.heads,
        )
        out = _linear(graph, layer.attention_out, f"{name}.attention_out", attended)
        states = _norm(graph, layer.attention_norm, f"{name}.attention_norm", out, states)
        even = graph.add("Mul", [states, graph.constant(f"{name}.evening", _array(layer.evening))], f"{name}.even")
        inner = graph.add("Gelu", [_linear(graph, layer.inner, f"{name}.inner", even)], f"{name}.active", _MICROSOFT)
        out = _linear(graph, layer.outer, f"{name}.outer", inner)
        last = at == encoder.shape.layers - 1
        states = _norm(graph, layer.norm, "states" if last else f"{name}.norm", out, states)
    axes = graph.constant("axes", np.array([1], np.int64))
    graph.add("ReduceMean", [states, axes], "embedding", keepdims=0)
    floats = TensorProto.FLOAT
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "encoder",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "tokens"])],
            [
                helper.make_tensor_value_info("embedding", floats, ["n", encoder.shape.width]),
                helper.make_tensor_value_info("states", floats, ["n", "tokens", encoder.shape.width]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(_MICROSOFT, 1)],
        ir_version=9,
    )
    onnx.save(model, path)


def restore(path: Path, dropout: float) -> Encoder:
    """Return the encoder that `export` wrote to `path`, with rounded weights."""
    stored = {constant.name: numpy_helper.to_array(constant) for constant in onnx.load(path).graph.initializer}
    encoder = Encoder(dropout=dropout)

    def fill(tensor: torch.Tensor, value: np.ndarray) -> None:
        tensor.copy_(torch.from_numpy(np.array(value, np.float32)).reshape(tensor.shape))

    with torch.no_grad():
        fill(encoder.words.weight, stored["words"] * stored["words.scale"])
        fill(encoder.places.weight, stored["places"])
        for name, module in encoder.named_modules():
            if isinstance(module, QuantisedLinear):
                scale = stored[f"{name}.input_scale"]
                fill(module.weight, stored[f"{name}.weight"].T * stored[f"{name}.weight_scale"][:, None])
                fill(module.bias, stored[f"{name}.bias"])
                fill(module.scale, scale)
                fill(module.low, -scale * stored[f"{name}.input_zero"])
            elif isinstance(module, torch.nn.LayerNorm):
                named = name if f"{name}.scale" in stored else "states"  # the last one is named after the output that it is
                fill(module.weight, stored[f"{named}.scale"])
                fill(module.bias, stored[f"{named}.bias"])
            elif f"{name}.evening" in stored:
                fill(module.evening, stored[f"{name}.evening"])
    return encoder
