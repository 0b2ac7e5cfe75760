"""Inputs to try a model with: seeded, and with the extremes that arithmetic breaks at."""

import random
import struct
from collections.abc import Mapping

from tinyrt.graph import DType, Graph, Tensor

STYLES = ("uniform", "edges", "low", "high", "zero_point")
"""`uniform` values, `edges` (extremes and neighbours of zero), all `low`, all `high`, and values
near the `zero_point`."""
_INT8_EDGES = (-128, -127, -1, 0, 1, 126, 127)
_FLOAT_SPANS = {"uniform": 4.0, "edges": 300.0, "low": 0.0, "high": 1e30, "zero_point": 1e-3}


def random_value(tensor: Tensor, rng: random.Random, style: str = "uniform") -> bytes:
    """The bytes of a value for a tensor, in one of `STYLES`."""
    count = tensor.elements
    if tensor.dtype is DType.FLOAT32:
        span = _FLOAT_SPANS[style]
        return struct.pack(f"<{count}f", *(rng.uniform(-span, span) for _ in range(count)))
    if tensor.dtype is DType.BOOL:
        return bytes(rng.getrandbits(1) for _ in range(count))
    if tensor.dtype is not DType.INT8 or style == "uniform":
        return rng.randbytes(tensor.bytes)
    if style == "edges":
        return bytes(rng.choice(_INT8_EDGES) & 0xFF for _ in range(count))
    if style in {"low", "high"}:
        return (b"\x80" if style == "low" else b"\x7f") * count
    zero_point = tensor.quantization.zero_point if tensor.quantization else 0
    near = (max(-128, min(127, zero_point + rng.randint(-3, 3))) for _ in range(count))
    return bytes(value & 0xFF for value in near)


def random_inputs(graph: Graph, seed: int, style: str = "uniform") -> Mapping[int, bytes]:
    """A value for every input of a graph, by tensor index; the same for the same seed."""
    rng = random.Random(seed)
    return {index: random_value(graph.tensors[index], rng, style) for index in graph.inputs}
