"""Raw records of a .tflite file become a verified `Graph`."""

import hashlib

from tinyrt import schema
from tinyrt.graph import DType, Graph, Node, Quantization, Signature, Tensor


def read_graph(model: bytes | bytearray | memoryview) -> Graph:
    """Read a model's main subgraph.

    Raises:
        FormatError: the file is not a well-formed model; every finding is named.
        UnsupportedError: it uses element types that tinyrt does not know.
    """
    content = bytes(model)
    raw = schema.read_model(content)
    subgraph = raw.subgraphs[0]
    tensors = tuple(
        _tensor(index, tensor, raw.buffers) for index, tensor in enumerate(subgraph.tensors)
    )
    nodes = tuple(
        Node(
            index=index,
            opcode=raw.operator_codes[operator.opcode_index].name,
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
            if signature.subgraph_index == 0
        ),
        description=raw.description,
        sha256=hashlib.sha256(content).hexdigest(),
        model_bytes=len(content),
    )


def _tensor(index: int, tensor: schema.Tensor, buffers: tuple[schema.Buffer, ...]) -> Tensor:
    data = buffers[tensor.buffer].data
    quantization = tensor.quantization
    return Tensor(
        index=index,
        name=tensor.name,
        shape=tensor.shape,
        dtype=DType(tensor.type.name.lower()),
        quantization=Quantization(
            quantization.scale, quantization.zero_point, quantization.quantized_dimension
        )
        if quantization is not None and quantization.scale
        else None,
        data=data if len(data) else None,
        shape_signature=tensor.shape_signature,
        is_variable=tensor.is_variable,
        byte_offset=tensor.position,
    )
