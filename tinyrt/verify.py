"""Whether the records of a .tflite file make sense: every finding, in the order of the graph.

The reader has made sure that what is there can be read; here indices, shapes, constants,
quantization and the order of operators are held against each other. What an operator asks of its
tensors and options is its own (`load` asks it). Tensors that nothing uses are not looked at.

**Source:** ParseQuantization and ParseTensors in LiteRT's core/interpreter_builder.cc, and
SetTensorParametersReadOnly in core/subgraph.cc, for what LiteRT refuses too; the checks of scales,
zero-points, order and size are our own.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence, Set

from tinyrt import schema
from tinyrt.findings import Finding, Place
from tinyrt.graph import DType, label_of

EDGE_LIMIT = 1 << 16
"""Most tensors that a graph and its operators name, all together."""
SCALE_LIMIT = 1 << 20
"""Most scales that the tensors name, all together; vectors of them may be shared."""
MEMORY_FLOOR = 1 << 24
"""Bytes that a model of any size may ask for at run time; see `memory_limit`."""
BOUNDARY = "main graph"


def memory_limit(file_bytes: int) -> int:
    """Most bytes of tensors alive at a time, and of constants that the operators read.

    It grows with the file, so that no small file can ask for much: reading and running one stays
    within 64 MB and eight times its size.
    """
    return MEMORY_FLOOR + 4 * file_bytes


def verify(model: schema.Model, file_bytes: int) -> tuple[Finding, ...]:
    """Check the main subgraph, and what else of a model leads to it.

    Args:
        model: the records of a file.
        file_bytes: the size of that file.

    Returns:
        Every finding; none for a model that can be made a `Graph`.
    """
    if not model.subgraphs:
        text = "0 subgraphs (must be at least 1)"
        return (Place().finding(model, "subgraphs", text),)
    too_many = tuple(_counts(model.subgraphs[0]))
    if too_many:
        return too_many
    checks = _Checks(model)
    found = (*checks.entry_points(), *checks.operators(), *checks.results())
    return found or tuple(checks.memory(memory_limit(file_bytes)))


def dtype_of(tensor: schema.Tensor) -> DType:
    """The element type; the schema and `DType` have the same names."""
    return DType(tensor.type.name.lower())


def tensor_bytes(tensor: schema.Tensor) -> int:
    """The bytes of a tensor's value; −1 where the element type does not tell."""
    bits = dtype_of(tensor).bits
    return -(-math.prod(tensor.shape) * bits // 8) if bits else -1


def _counts(graph: schema.SubGraph) -> Iterator[Finding]:
    """Caps on what shared vectors could multiply, so that the other checks take little time."""
    edges = len(graph.inputs) + len(graph.outputs)
    edges += sum(len(o.inputs) + len(o.outputs) + len(o.intermediates) for o in graph.operators)
    if edges > EDGE_LIMIT:
        text = f"graph and operators name {edges} tensors (at most {EDGE_LIMIT})"
        yield Place(BOUNDARY).finding(graph, "operators", text)
    scales = sum(len(t.quantization.scale) for t in graph.tensors if t.quantization is not None)
    if scales > SCALE_LIMIT:
        text = f"the tensors name {scales} scales (at most {SCALE_LIMIT})"
        yield Place(BOUNDARY).finding(graph, "tensors", text)


class _Checks:
    """The checks of one model's main subgraph, and what they know of its tensors so far."""

    def __init__(self, model: schema.Model) -> None:
        self._model = model
        self._graph = model.subgraphs[0]
        self._tensors = self._graph.tensors
        self._opcodes = tuple(code.name for code in model.operator_codes)
        self._seen: set[int] = set()
        self._fed = {index for index in self._graph.inputs if self._exists(index)}
        self._ready = set(self._fed)
        """Tensors that hold a value when the next operator runs."""
        self._used = {index for o in self._graph.operators for index in (*o.inputs, *o.outputs)}
        self._writer: dict[int, int] = {}
        for number, operator in enumerate(self._graph.operators):
            for index in operator.outputs:
                self._writer.setdefault(index, number)

    # --- names -------------------------------------------------------------------------------

    def _exists(self, index: int) -> bool:
        return 0 <= index < len(self._tensors)

    def _name(self, index: int) -> str:
        return f"tensor {index} '{label_of(self._tensors[index].name)}'"

    def _operator_name(self, number: int) -> str:
        operator = self._graph.operators[number]
        code = operator.opcode_index
        opcode = self._opcodes[code] if code < len(self._opcodes) else "of unknown code"
        first = next((index for index in operator.outputs if self._exists(index)), None)
        label = "" if first is None else label_of(self._tensors[first].name)
        return f"op {number} {opcode} '{label}'"

    # --- entry points ------------------------------------------------------------------------

    def entry_points(self) -> Iterator[Finding]:
        """Signatures, metadata, and the graph's inputs."""
        fed, read = set(self._graph.inputs), set(self._graph.outputs)
        for signature in self._model.signature_defs:
            yield from _signature(signature, fed, read)
        buffers = len(self._model.buffers)
        for metadata in self._model.metadata:
            if metadata.buffer >= buffers:
                place = Place(f"metadata {metadata.name[:80]!r}")
                yield place.finding(metadata, "buffer", _index("buffer", metadata.buffer, buffers))
        place, graph = Place(BOUNDARY), self._graph
        yield from self._indices(place, graph, "inputs", graph.inputs)
        yield from self._indices(place, graph, "outputs", graph.outputs)
        for index, times in Counter(graph.inputs).items():
            if times > 1:
                text = f"inputs names tensor {index} {times} times (must be once)"
                yield place.finding(graph, "inputs", text)
        for index in graph.inputs:
            if self._exists(index):
                yield from self._first_use(Place(), index)
                if self._data(index):
                    yield place.finding(graph, "inputs", f"input {self._name(index)} is a constant")

    def results(self) -> Iterator[Finding]:
        """The graph's outputs: each has a value in the end."""
        place, graph = Place(BOUNDARY), self._graph
        for index in graph.outputs:
            if self._exists(index):
                yield from self._first_use(Place(), index)
                if index not in self._ready:
                    text = f"output {self._name(index)} is never computed"
                    yield place.finding(graph, "outputs", text)

    # --- operators ---------------------------------------------------------------------------

    def operators(self) -> Iterator[Finding]:
        """Every operator in turn, with each tensor where it is first used."""
        for number, operator in enumerate(self._graph.operators):
            code = operator.opcode_index
            known = code < len(self._opcodes)
            place = Place(self._operator_name(number), number, self._opcodes[code] if known else "")
            if known:
                yield from self._options(place, operator, self._model.operator_codes[code])
            else:
                text = _index("opcode_index", code, len(self._opcodes))
                yield place.finding(operator, "opcode_index", text)
            yield from self._indices(place, operator, "inputs", operator.inputs, least=-1)
            yield from self._indices(place, operator, "outputs", operator.outputs)
            yield from self._indices(place, operator, "intermediates", operator.intermediates, -1)
            yield from self._reads(place, operator)
            yield from self._writes(place, operator)

    def _reads(self, place: Place, operator: schema.Operator) -> Iterator[Finding]:
        for position, index in enumerate(operator.inputs):
            if not self._exists(index):
                continue
            yield from self._first_use(place, index)
            if index not in self._ready:
                text = f"input {position}, {self._name(index)}, "
                writer = self._writer.get(index)
                if writer is None:
                    text += "is never computed (must be a constant, fed, or a result)"
                else:
                    text += f"is read before {self._operator_name(writer)} computes it"
                yield place.finding(operator, "inputs", text)

    def _writes(self, place: Place, operator: schema.Operator) -> Iterator[Finding]:
        for position, index in enumerate(operator.outputs):
            if not self._exists(index):
                continue
            yield from self._first_use(place, index)
            if index in self._ready:
                text = f"output {position}, {self._name(index)}, is {self._held(index)} already"
                yield place.finding(operator, "outputs", text)
            self._ready.add(index)

    def _held(self, index: int) -> str:
        """What a tensor is that has a value before it is written."""
        if self._data(index):
            return "a constant"
        if index in self._fed:
            return "an input of the model"
        if self._tensors[index].is_variable:
            return "a variable"
        return f"computed by {self._operator_name(self._writer[index])}"

    def _options(
        self, place: Place, operator: schema.Operator, code: schema.OperatorCode
    ) -> Iterator[Finding]:
        """Options of another operator would be read as absent, and all fields as defaults."""
        tag = operator.builtin_options_type
        wanted = None if code.builtin is None else schema.OPTIONS_OF.get(code.builtin)
        found = schema.BUILTIN_OPTIONS.get(tag)
        if tag and wanted is not None and found is not wanted:
            name = f"table {tag}" if found is None else found.__name__
            text = f"options are {name} (must be {wanted.__name__})"
            yield place.finding(operator, "builtin_options_type", text)

    def _indices(
        self,
        place: Place,
        record: schema.SubGraph | schema.Operator,
        field: str,
        indices: Sequence[int],
        least: int = 0,
    ) -> Iterator[Finding]:
        """The first index of a vector that names no tensor; −1 may stand for one left out."""
        count = len(self._tensors)
        for position, index in enumerate(indices):
            if not least <= index < count:
                text = _index(f"{field}[{position}]", index, count, least)
                yield place.finding(record, field, text)
                return

    # --- tensors -----------------------------------------------------------------------------

    def _data(self, index: int) -> bool:
        """Whether a tensor is a constant; the size of its data is checked where it is used."""
        buffer, buffers = self._tensors[index].buffer, self._model.buffers
        return buffer < len(buffers) and len(buffers[buffer].data) > 0

    def _first_use(self, user: Place, index: int) -> Iterator[Finding]:
        """The checks of a tensor, made where it is used for the first time."""
        if index in self._seen:
            return
        self._seen.add(index)
        tensor = self._tensors[index]
        place = user.at_tensor(index, label_of(tensor.name))
        shape_is_sound = all(size > 0 for size in tensor.shape)
        if not shape_is_sound:
            text = f"shape {list(tensor.shape)} (every dimension must be ≥ 1)"
            yield place.finding(tensor, "shape", text)
        signature = tensor.shape_signature
        if signature and len(signature) != len(tensor.shape):
            text = f"{len(signature)} dimensions (must be {len(tensor.shape)}, as the shape has)"
            yield place.finding(tensor, "shape_signature", f"shape_signature of {text}")
        if tensor.sparsity is not None:
            yield place.finding(tensor, "sparsity", "it is sparse", unsupported=True)
        if index not in self._used and not dtype_of(tensor).is_plain:
            text = f"its element type is {dtype_of(tensor).value}"
            yield place.finding(tensor, "type", text, unsupported=True)
        outside = False
        if tensor.buffer < len(self._model.buffers):
            buffer = self._model.buffers[tensor.buffer]
            outside = buffer.offset > 1
            yield from _constant(place, tensor, buffer, shape_is_sound)
        else:
            text = _index("buffer", tensor.buffer, len(self._model.buffers))
            yield place.finding(tensor, "buffer", text)
        if tensor.quantization is not None:
            yield from _quantization(place, tensor, tensor.quantization, shape_is_sound)
        if tensor.is_variable or outside or self._data(index):
            self._ready.add(index)

    # --- memory ------------------------------------------------------------------------------

    def memory(self, limit: int) -> Iterator[Finding]:
        """What a run would take, for a graph in which all else is sound."""
        yield from self._constants_read(limit)
        yield from self._alive(limit)

    def _constants_read(self, limit: int) -> Iterator[Finding]:
        """Constants may be shared, but every operator folds those it reads anew."""
        read = 0
        for number, operator in enumerate(self._graph.operators):
            read += sum(
                tensor_bytes(self._tensors[index])
                for index in operator.inputs
                if index >= 0 and self._data(index)
            )
            if read > limit:
                text = f"constants of {read} bytes are read up to here (at most {limit})"
                yield self._at(number).finding(operator, "inputs", text, unsupported=True)
                return

    def _alive(self, limit: int) -> Iterator[Finding]:
        """The tensors that hold computed or fed values at the same time."""
        steps = len(self._graph.operators)
        born = dict.fromkeys(self._fed, 0) | {
            index: 0 for index in self._seen if self._tensors[index].is_variable
        }
        dead = dict.fromkeys((*born, *self._graph.outputs), steps)
        for number, operator in enumerate(self._graph.operators):
            for index in (*operator.inputs, *operator.outputs):
                if index >= 0 and not self._data(index):
                    born.setdefault(index, number)
                    dead[index] = max(dead.get(index, 0), number)
        change = [0] * (steps + 2)
        for index, first in born.items():
            size = max(0, tensor_bytes(self._tensors[index]))
            change[first] += size
            change[dead[index] + 1] -= size
        alive = 0
        for number, step in enumerate(change[: steps + 1]):
            alive += step
            if alive > limit:
                text = f"tensors of {alive} bytes are in use at once (at most {limit})"
                if number < steps:
                    record: schema.Record = self._graph.operators[number]
                    yield self._at(number).finding(record, "outputs", text, unsupported=True)
                else:
                    place = Place(BOUNDARY)
                    yield place.finding(self._graph, "outputs", text, unsupported=True)
                return

    def _at(self, number: int) -> Place:
        opcode = self._opcodes[self._graph.operators[number].opcode_index]
        return Place(self._operator_name(number), number, opcode)


def _index(field: str, found: int, count: int, least: int = 0) -> str:
    return f"{field} {found} (must be {least} to {count - 1})"


def _signature(
    signature: schema.SignatureDef, inputs: Set[int], outputs: Set[int]
) -> Iterator[Finding]:
    place = Place(f"signature {signature.signature_key[:80]!r}")
    if signature.subgraph_index:
        text = f"it enters subgraph {signature.subgraph_index} (only subgraph 0 can be run)"
        yield place.finding(signature, "subgraph_index", text, unsupported=True)
        return
    for field, maps, known in (
        ("inputs", signature.inputs, inputs),
        ("outputs", signature.outputs, outputs),
    ):
        for item in maps:
            if item.tensor_index not in known:
                text = f"{field} {item.name[:80]!r} is tensor {item.tensor_index}"
                text += f" (must be one of the graph's {field})"
                yield place.finding(item, "tensor_index", text)
        if len({item.name for item in maps}) != len(maps):
            yield place.finding(signature, field, f"{field} has a name more than once")


def _constant(
    place: Place, tensor: schema.Tensor, buffer: schema.Buffer, shape_is_sound: bool
) -> Iterator[Finding]:
    if buffer.offset > 1:
        text = f"the data of buffer {tensor.buffer} lie outside of the FlatBuffers part: "
        text += f"{buffer.size} bytes at byte {buffer.offset:#x} of the file"
        yield place.finding(buffer, "offset", text, unsupported=True)
    length, wanted = len(buffer.data), tensor_bytes(tensor)
    if length and tensor.is_variable:
        yield place.finding(tensor, "is_variable", "it is a variable and a constant")
    if length and shape_is_sound and length < wanted:
        shape = "x".join(map(str, tensor.shape)) or "scalar"
        text = f"buffer {tensor.buffer} has {length} bytes "
        text += f"(must be ≥ {wanted} for {dtype_of(tensor).value}[{shape}])"
        yield place.finding(buffer, "data", text)


def _quantization(
    place: Place,
    tensor: schema.Tensor,
    quantization: schema.QuantizationParameters,
    shape_is_sound: bool,
) -> Iterator[Finding]:
    """Scales and zero-points of an integer tensor; of others they mean nothing."""
    if quantization.details_type:
        text = f"quantization scheme {quantization.details_type} (must be 0, affine)"
        yield place.finding(quantization, "details_type", text, unsupported=True)
    scales, zero_points = quantization.scale, quantization.zero_point
    allowed = dtype_of(tensor).integer_range
    if allowed is None or not scales:
        return
    if len(zero_points) != len(scales):
        text = f"{len(zero_points)} zero-points for {len(scales)} scales (must be as many)"
        yield place.finding(quantization, "zero_point", text)
    if len(scales) > 1 and shape_is_sound:
        yield from _axis(place, tensor, quantization)
    # A channel of weights that are all 0 may have scale 0; the scale of a bias is not used.
    zero_allowed = len(scales) > 1 or tensor.type in {
        schema.TensorType.INT32,
        schema.TensorType.INT64,
    }
    for position, scale in enumerate(scales):
        if not math.isfinite(scale) or scale < 0 or not (scale or zero_allowed):
            text = (
                f"scale[{position}] {scale:g} (must be finite and {'≥' if zero_allowed else '>'} 0)"
            )
            yield place.finding(quantization, "scale", text)
            break
    low, high = allowed
    for position, zero_point in enumerate(zero_points):
        if not low <= zero_point <= high:
            text = f"zero_point[{position}] {zero_point} (must be {low} to {high})"
            yield place.finding(quantization, "zero_point", text)
            break


def _axis(
    place: Place, tensor: schema.Tensor, quantization: schema.QuantizationParameters
) -> Iterator[Finding]:
    axis, rank = quantization.quantized_dimension, len(tensor.shape)
    if not 0 <= axis < rank:
        text = f"quantized_dimension {axis} (must be 0 to {rank - 1})"
        yield place.finding(quantization, "quantized_dimension", text)
    elif len(quantization.scale) != tensor.shape[axis]:
        text = f"{len(quantization.scale)} scales along dimension {axis} (must be 1 or "
        yield place.finding(quantization, "scale", f"{text}{tensor.shape[axis]})")
