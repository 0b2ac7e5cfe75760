"""Rules that several operators share; the first line of each docstring is the rule's text.

A constraint looks at a node and says what it found where the rule is broken, else None. Factories
give the rule for one input, so that the docstring names it.
"""

from tinyrt.graph import DType, Node, Tensor
from tinyrt.kernel import Constraint


def rule(text: str, check: Constraint) -> Constraint:
    """Give a constraint its text."""

    def constraint(node: Node) -> str | None:
        return check(node)

    constraint.__doc__ = text
    return constraint


def _describe(role: str, tensor: Tensor) -> str:
    return f"{role} {tensor} at byte {tensor.byte_offset:#x}"


def input_is(position: int, role: str, *dtypes: DType) -> Constraint:
    """The rule that one input, where it is present, has one of some element types."""

    def check(node: Node) -> str | None:
        tensor = node.optional_input(position)
        return None if tensor is None or tensor.dtype in dtypes else _describe(role, tensor)

    return rule(f"The {role} is {' or '.join(d.value for d in dtypes)}.", check)


def output_is(*dtypes: DType) -> Constraint:
    """The rule that every output has one of some element types."""

    def check(node: Node) -> str | None:
        for tensor in node.outputs:
            if tensor.dtype not in dtypes:
                return _describe("output", tensor)
        return None

    return rule(f"The output is {' or '.join(d.value for d in dtypes)}.", check)


def same_types(node: Node) -> str | None:
    """All inputs and outputs have one element type."""
    first = node.input(0)
    for tensor in (*node.inputs, *node.outputs):
        if tensor is not None and tensor.dtype is not first.dtype:
            return f"{first} and {tensor}"
    return None


def output_type_as_input(node: Node) -> str | None:
    """The outputs have the element type of the first input."""
    first = node.input(0)
    for tensor in node.outputs:
        if tensor.dtype is not first.dtype:
            return f"{first} → {tensor}"
    return None


def same_quantization(node: Node) -> str | None:
    """All int8 inputs and outputs have the same scale and zero-point."""
    quantized = [
        t for t in (*node.inputs, *node.outputs) if t is not None and t.dtype is DType.INT8
    ]
    for tensor in quantized[1:]:
        if tensor.quantization != quantized[0].quantization:
            return f"{quantized[0]} and {tensor} differ"
    return None


def present(position: int, role: str) -> Constraint:
    """The rule that an input is not left out."""

    def check(node: Node) -> str | None:
        return "left out" if node.optional_input(position) is None else None

    return rule(f"The {role} is present.", check)


def constant(position: int, role: str) -> Constraint:
    """The rule that one input, where it is present, is a constant."""

    def check(node: Node) -> str | None:
        tensor = node.optional_input(position)
        if tensor is None or tensor.is_constant:
            return None
        return f"{_describe(role, tensor)} is computed at run time"

    return rule(f"The {role} is a constant.", check)


def rank(position: int, role: str, *ranks: int) -> Constraint:
    """The rule that one input, where it is present, has one of some ranks."""

    def check(node: Node) -> str | None:
        tensor = node.optional_input(position)
        return None if tensor is None or len(tensor.shape) in ranks else _describe(role, tensor)

    return rule(f"The {role} has rank {' or '.join(map(str, ranks))}.", check)


def max_rank(limit: int) -> Constraint:
    """The rule that no input has more than `limit` dimensions."""

    def check(node: Node) -> str | None:
        for tensor in node.inputs:
            if tensor is not None and len(tensor.shape) > limit:
                return _describe("input", tensor)
        return None

    return rule(f"The inputs have at most {limit} dimensions.", check)


def per_tensor(position: int, role: str) -> Constraint:
    """The rule that one int8 input is quantized with a single scale."""

    def check(node: Node) -> str | None:
        tensor = node.optional_input(position)
        return None if tensor is None else _per_tensor(role, tensor)

    return rule(f"The {role} is quantized with one scale and zero-point.", check)


def per_tensor_outputs(node: Node) -> str | None:
    """The outputs are quantized with one scale and zero-point."""
    for tensor in node.outputs:
        found = _per_tensor("output", tensor)
        if found is not None:
            return found
    return None


def _per_tensor(role: str, tensor: Tensor) -> str | None:
    if tensor.quantization is None:
        return f"{_describe(role, tensor)} has no quantization"
    if len(tensor.quantization.scales) != 1:
        return f"{_describe(role, tensor)} has {len(tensor.quantization.scales)} scales"
    return None
