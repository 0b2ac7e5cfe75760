"""The dynamic checker: a model runs in an arena of the planned size, every byte with a tag.

The tag says which byte of which tensor's value an arena byte holds. The reference kernels compute
the values; before a kernel's read, each byte must hold what the kernel takes it for. Bytes are
poisoned as soon as nobody needs them any more, and scratch memory at both ends of its operator.
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tinyrt.errors import PlanError
from tinyrt.load import Program, Step
from tinyrt.plan import Plan
from tinyrt.plan.problem import Direction

POISON = 0xA5
NOBODY, UNWRITTEN = -1, -2


@dataclass(frozen=True, slots=True)
class _Value:
    """Where a tensor's bytes are in a value: its own, or one of which it is a name or an excerpt.

    A value goes by the number of the tensor that it is first.
    """

    root: int
    begin: int
    size: int

    def part(self, part: range) -> slice:
        """Some of the tensor's bytes, in the value; there is at least one."""
        return slice(self.begin + part[0], self.begin + part[-1] + 1, part.step)


@dataclass(slots=True)
class _Shadow:
    """The arena with its tags."""

    memory: bytearray
    tags: "array[int]"
    values: Mapping[int, _Value]
    """Of the tensors in the arena."""
    offsets: Mapping[int, int]
    last: "dict[int, array[int]]"
    """The last step that reads or writes each byte of each value."""
    expected: "dict[int, array[int]]" = field(default_factory=dict)
    """The tags of each value."""
    _next: int = 0

    def create(self, tensor: int) -> None:
        """A tensor's bytes are about to be written."""
        value = self.values[tensor]
        tags = self.expected[value.root]
        tags[value.begin : value.begin + value.size] = array(
            "q", range(self._next, self._next + value.size)
        )
        self._next += value.size

    def write(self, tensor: int, value: bytes | memoryview, part: range) -> None:
        """Write a part of a tensor's new bytes."""
        if part:
            there = self._there(tensor, part)
            self.memory[there] = value[part[0] : part[-1] + 1 : part.step]
            self.tags[there] = self._tags(tensor, part)

    def holds(self, tensor: int, part: range) -> bool:
        """Whether bytes of a tensor are still there."""
        return not part or self.tags[self._there(tensor, part)] == self._tags(tensor, part)

    def _there(self, tensor: int, part: range) -> slice:
        offset = self.offsets[tensor]
        return slice(offset + part[0], offset + part[-1] + 1, part.step)

    def _tags(self, tensor: int, part: range) -> "array[int]":
        value = self.values[tensor]
        return self.expected[value.root][value.part(part)]

    def adopt(self, operand: int, result: int, offset: int) -> None:
        """Where bytes of an operand become bytes of a result in their place, they stay the same."""
        if operand not in self.offsets or (self.offsets[operand] - self.offsets[result] != offset):
            return
        source, target = self.values[operand], self.values[result]
        skip, start = source.begin + max(-offset, 0), target.begin + max(offset, 0)
        count = min(source.begin + source.size - skip, target.begin + target.size - start)
        old, new = slice(skip, skip + count), slice(start, start + count)
        self.expected[target.root][new] = self.expected[source.root][old]
        both = array("i", map(max, self.last[source.root][old], self.last[target.root][new]))
        self.last[source.root][old] = self.last[target.root][new] = both

    def poison(self, offset: int, size: int) -> None:
        """Nobody owns these bytes."""
        self.memory[offset : offset + size] = bytes((POISON,)) * size
        self.tags[offset : offset + size] = array("q", (NOBODY,)) * size

    def bury(self, tensor: int, number: int) -> None:
        """Poison what is left of those of a tensor's bytes that no step after this one reads."""
        value, offset = self.values[tensor], self.offsets[tensor]
        own = slice(value.begin, value.begin + value.size)
        last, tags = self.last[value.root][own], self.expected[value.root][own]
        there = self.tags[offset : offset + value.size]
        for index, (step, tag, found) in enumerate(zip(last, tags, there, strict=True)):
            if step <= number and tag == found:
                self.memory[offset + index] = POISON
                self.tags[offset + index] = NOBODY


def run(program: Program, plan: Plan, inputs: Mapping[int, bytes]) -> Mapping[int, bytes]:
    """Run a model as planned.

    Args:
        program: the model.
        plan: where its tensors lie.
        inputs: the bytes of each graph input, by tensor index.

    Returns:
        The value of every operator's outputs, by tensor index, as read back from the arena.

    Raises:
        PlanError: a kernel would read something else than its operands.
    """
    tensors = program.graph.tensors
    offsets = {allocation.tensor: allocation.offset for allocation in plan.allocations}
    values = _values(program, offsets)
    states = {t.index: bytes(t.bytes) for t in tensors if t.is_variable and t.index in offsets}
    shadow = _Shadow(
        bytearray(plan.arena_bytes),
        array("q", (NOBODY,)) * plan.arena_bytes,
        values,
        offsets,
        _last_uses(program, values, states),
    )
    shadow.poison(0, plan.arena_bytes)
    for value in values.values():
        shadow.expected[value.root] = array("q", (UNWRITTEN,)) * tensors[value.root].bytes
    for tensor, content in (states | dict(inputs)).items():
        shadow.create(tensor)
        shadow.write(tensor, content, range(len(content)))
    found: dict[int, bytes] = {}
    for number, step in enumerate(program.steps):
        _Run(program, plan, shadow, step).run()
        for tensor in step.results:
            if tensor in offsets:
                begin, size = offsets[tensor], tensors[tensor].bytes
                if not shadow.holds(tensor, range(size)):
                    raise PlanError(f"{step.where()}: {tensors[tensor]} is not whole")
                found[tensor] = bytes(shadow.memory[begin : begin + size])
        for tensor in {*step.operands, *step.results} & offsets.keys():
            shadow.bury(tensor, number)
    for tensor in program.graph.outputs:
        if tensor in offsets and not shadow.holds(tensor, range(tensors[tensor].bytes)):
            raise PlanError(f"output {tensors[tensor]} is overwritten before the end")
    return found


def _values(program: Program, offsets: Mapping[int, int]) -> dict[int, _Value]:
    """The value that each tensor in the arena is, or is a part of."""
    tensors = program.graph.tensors
    roots = {tensor: (e.whole, e.byte_offset) for tensor, e in program.excerpts.items()}
    for step in program.steps:
        if step.kernel.alias:
            source = step.operands[0]
            for result in step.results:
                if result not in roots and source in offsets:
                    roots[result] = roots.get(source, (source, 0))
    return {
        tensor: _Value(*roots.get(tensor, (tensor, 0)), tensors[tensor].bytes) for tensor in offsets
    }


def _last_uses(
    program: Program, values: Mapping[int, _Value], states: Iterable[int]
) -> "dict[int, array[int]]":
    """The last step that reads or writes each byte of each value."""
    tensors, end = program.graph.tensors, len(program.steps)
    last = {v.root: array("i", (-1,)) * tensors[v.root].bytes for v in values.values()}

    def use(tensor: int, number: int) -> None:
        if tensor in values:
            value = values[tensor]
            uses = array("i", (number,)) * value.size
            last[value.root][value.begin : value.begin + value.size] = uses

    for number, step in enumerate(program.steps):
        for tensor in (*step.operands, *step.results):
            use(tensor, number)
    for tensor in (*program.graph.outputs, *states):
        use(tensor, end)
    return last


@dataclass(frozen=True, slots=True)
class _Run:
    """One operator in the arena."""

    program: Program
    plan: Plan
    shadow: _Shadow
    step: Step

    def run(self) -> None:
        """Check and read the operands, compute, write in the order of the kernel."""
        step, tensors, shadow = self.step, self.program.graph.tensors, self.shadow
        self._poison_scratch()
        operands = [self._operand(tensor) for tensor in step.operands]
        if step.kernel.alias and step.operands[0] in shadow.offsets:
            source, (result,) = step.operands[0], step.results
            if shadow.values[source] != shadow.values[result]:
                shadow.create(result)
                if shadow.offsets[source] != shadow.offsets[result]:
                    self._require(source, range(tensors[source].bytes))
                shadow.write(result, bytes(operands[0]), range(tensors[result].bytes))
            return
        values = step.kernel.reference(*operands)
        for tensor in step.results:
            shadow.create(tensor)
        for view in step.code.views():  # what stays where it is remains what it was
            shadow.adopt(step.operands[view.operand], step.results[view.result], view.offset)
        if not self._replay(values):
            for tensor, value in zip(step.results, values, strict=True):
                whole = range(tensors[tensor].bytes)
                shadow.write(tensor, bytes(value), whole)
            for tensor in step.operands:
                self._require(tensor, range(tensors[tensor].bytes))
        self._poison_scratch()

    def _replay(self, values: tuple[bytes | bytearray | memoryview, ...]) -> bool:
        """Write what the kernel writes when it does; False where it does not tell."""
        step = self.step
        if step.calls:
            return False
        backward = self.plan.directions.get(step.key) is Direction.BACKWARD
        told = False
        views = [memoryview(bytes(value)) for value in values]
        for touch in step.code.walking(backward=backward).touches():
            told = True
            for position, part in touch.reads:
                self._require(step.operands[position], part)
            tensor = step.results[touch.result]
            self.shadow.write(tensor, views[touch.result], touch.writes)
        return told

    def _operand(self, tensor: int) -> bytes | memoryview:
        """A tensor's bytes, from the arena or as a constant."""
        record = self.program.graph.tensors[tensor]
        if tensor not in self.shadow.offsets:
            assert record.data is not None
            return record.data
        self._require(tensor, range(record.bytes))
        begin = self.shadow.offsets[tensor]
        return bytes(self.shadow.memory[begin : begin + record.bytes])

    def _require(self, tensor: int, part: range) -> None:
        if tensor in self.shadow.offsets and not self.shadow.holds(tensor, part):
            raise PlanError(
                f"{self.step.where()}: reads bytes {part.start} to {part.stop} of "
                f"{self.program.graph.tensors[tensor]}, which are overwritten"
            )

    def _poison_scratch(self) -> None:
        if self.step.key in self.plan.scratch:
            self.shadow.poison(self.plan.scratch[self.step.key], self.step.scratch_bytes)
