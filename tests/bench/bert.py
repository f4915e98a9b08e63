"""BERT-base as a reference for speed: its layers with random weights, float32, in ONNX Runtime's fused operators."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

_WIDTH, _HEADS, _LAYERS, _INNER, _WORDS = 768, 12, 12, 3072, 30522
_MICROSOFT = "com.microsoft"


def bert_base() -> bytes:
    """Return the graph: input `ids`, int64 of shape (n, tokens); output `embedding`, float32 of shape (n, 768)."""
    random = np.random.default_rng(0)
    nodes, constants = [], []

    def constant(name: str, *shape: int) -> str:
        constants.append(numpy_helper.from_array((random.standard_normal(shape) * 0.02).astype(np.float32), name))
        return name

    def add(operator: str, inputs: list[str], output: str, domain: str = "", **attributes) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], output, domain=domain, **attributes))
        return output

    x = add("Gather", [constant("words", _WORDS, _WIDTH), "ids"], "embedded")
    x = add("LayerNormalization", [x, constant("g", _WIDTH), constant("b", _WIDTH)], "norm", axis=-1)
    for at in range(_LAYERS):
        weights = [constant(f"{at}.qkv", _WIDTH, 3 * _WIDTH), constant(f"{at}.qkv_bias", 3 * _WIDTH)]
        attended = add("Attention", [x, *weights], f"{at}.attended", _MICROSOFT, num_heads=_HEADS)
        out = add("MatMul", [attended, constant(f"{at}.out", _WIDTH, _WIDTH)], f"{at}.projected")
        norm = [constant(f"{at}.g1", _WIDTH), constant(f"{at}.b1", _WIDTH), constant(f"{at}.out_bias", _WIDTH)]
        x = add("SkipLayerNormalization", [out, x, *norm], f"{at}.norm1", _MICROSOFT)
        inner = add("MatMul", [x, constant(f"{at}.up", _WIDTH, _INNER)], f"{at}.inner")
        inner = add("BiasGelu", [inner, constant(f"{at}.up_bias", _INNER)], f"{at}.gelu", _MICROSOFT)
        out = add("MatMul", [inner, constant(f"{at}.down", _INNER, _WIDTH)], f"{at}.outer")
        norm = [constant(f"{at}.g2", _WIDTH), constant(f"{at}.b2", _WIDTH), constant(f"{at}.down_bias", _WIDTH)]
        x = add("SkipLayerNormalization", [out, x, *norm], f"{at}.norm2", _MICROSOFT)
    constants.append(numpy_helper.from_array(np.array([1], np.int64), "axes"))
    add("ReduceMean", [x, "axes"], "embedding", keepdims=0)
    graph = helper.make_graph(
        nodes,
        "bert_base",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "tokens"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", _WIDTH])],
        constants,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
