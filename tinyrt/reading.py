"""From the bytes of a .tflite file to its `Graph`: the records, verified and put together."""

import hashlib

from tinyrt import schema
from tinyrt.findings import refuse
from tinyrt.graph import Graph, Node, Quantization, Signature, Tensor
from tinyrt.verify import dtype_of, tensor_bytes, verify


def read_graph(model: bytes | bytearray | memoryview) -> Graph:
    """Read a model's main subgraph; subgraphs that no entry point leads to are not looked at.

    Args:
        model: the whole file. Constants are views of it, so that it is only copied where it might
            change: a `bytes` object, or a view of one, is not.

    Raises:
        FormatError: the file is not a well-formed model; every finding has a line.
        UnsupportedError: it is well-formed, but tinyrt does not run it; every finding has a line.
    """
    content = immutable(model)
    raw = schema.read_model(content)
    refuse(verify(raw, len(content)))
    subgraph = raw.subgraphs[0]
    tensors = tuple(
        _tensor(index, tensor, raw.buffers) for index, tensor in enumerate(subgraph.tensors)
    )
    opcodes = tuple(code.name for code in raw.operator_codes)
    nodes = tuple(
        Node(
            index=index,
            opcode=opcodes[operator.opcode_index],
            inputs=tuple(None if i < 0 else tensors[i] for i in operator.inputs),
            outputs=tuple(tensors[i] for i in operator.outputs),
            options=operator.builtin_options,
            byte_offset=operator.position,
        )
        for index, operator in enumerate(subgraph.operators)
    )
    return Graph(
        name=subgraph.name,
        tensors=tensors,
        nodes=nodes,
        inputs=subgraph.inputs,
        outputs=subgraph.outputs,
        signatures=tuple(
            Signature(
                key=signature.signature_key,
                inputs={item.name: item.tensor_index for item in signature.inputs},
                outputs={item.name: item.tensor_index for item in signature.outputs},
            )
            for signature in raw.signature_defs
        ),
        description=raw.description,
        sha256=hashlib.sha256(content).hexdigest(),
        model_bytes=len(content),
    )


def immutable(model: bytes | bytearray | memoryview) -> bytes | memoryview:
    """The same bytes in an object that nobody can change: itself, or a copy."""
    if isinstance(model, memoryview) and isinstance(model.obj, bytes) and model.c_contiguous:
        return model.cast("B")
    return bytes(model)


def _tensor(index: int, tensor: schema.Tensor, buffers: tuple[schema.Buffer, ...]) -> Tensor:
    return Tensor(
        index=index,
        name=tensor.name,
        shape=tensor.shape,
        dtype=dtype_of(tensor),
        quantization=_quantization(tensor.quantization),
        data=_constant(tensor, buffers),
        shape_signature=tensor.shape_signature,
        is_variable=tensor.is_variable,
        byte_offset=tensor.position,
    )


def _constant(tensor: schema.Tensor, buffers: tuple[schema.Buffer, ...]) -> memoryview | None:
    """The data; none for a tensor that nothing uses and whose buffer is too short for it.

    A buffer may be longer than its tensor, as in LiteRT.
    """
    data = buffers[tensor.buffer].data if tensor.buffer < len(buffers) else memoryview(b"")
    return data[:wanted] if len(data) >= (wanted := tensor_bytes(tensor)) > 0 else None


def _quantization(quantization: schema.QuantizationParameters | None) -> Quantization | None:
    if quantization is None or not quantization.scale:
        return None
    if len(quantization.zero_point) != len(quantization.scale):
        return None
    return Quantization(
        quantization.scale, quantization.zero_point, quantization.quantized_dimension
    )
