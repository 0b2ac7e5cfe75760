"""The dynamic checker: a model runs in an arena of the planned size, every byte with a tag.

The tag says which byte of which tensor's value an arena byte holds. The reference kernels compute
the values; before a kernel's read, each byte must hold what the kernel takes it for. Bytes are
poisoned as soon as nobody needs them any more, and scratch memory at both ends of its operator.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyrt.errors import PlanError
from tinyrt.load import Program, Step
from tinyrt.plan import Plan
from tinyrt.plan.problem import Direction

POISON = 0xA5
NOBODY = -1


@dataclass(slots=True)
class _Shadow:
    """The arena with its tags."""

    memory: bytearray
    tags: "array[int]"
    expected: "dict[int, array[int]]" = field(default_factory=dict)
    """The tags of a tensor's value."""
    _next: int = 0

    def create(self, tensor: int, size: int) -> None:
        """A new value is about to be written."""
        self.expected[tensor] = array("q", range(self._next, self._next + size))
        self._next += size

    def write(self, tensor: int, offset: int, value: bytes | memoryview, part: range) -> None:
        """Write a part of a tensor's new value."""
        if part:
            own = slice(part[0], part[-1] + 1, part.step)
            there = slice(offset + part[0], offset + part[-1] + 1, part.step)
            self.memory[there] = value[own]
            self.tags[there] = self.expected[tensor][own]

    def holds(self, tensor: int, offset: int, part: range) -> bool:
        """Whether the bytes of a tensor's value are still there."""
        if not part:
            return True
        own = slice(part[0], part[-1] + 1, part.step)
        there = slice(offset + part[0], offset + part[-1] + 1, part.step)
        return self.tags[there] == self.expected[tensor][own]

    def poison(self, offset: int, size: int) -> None:
        """Nobody owns these bytes."""
        self.memory[offset : offset + size] = bytes((POISON,)) * size
        self.tags[offset : offset + size] = array("q", (NOBODY,)) * size

    def bury(self, tensor: int, offset: int, living: list[range]) -> None:
        """Poison what is left of a value that nobody reads any more, but not the living."""
        for index, tag in enumerate(self.expected[tensor]):
            byte = offset + index
            if self.tags[byte] == tag and not any(byte in place for place in living):
                self.memory[byte] = POISON
                self.tags[byte] = NOBODY


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
    shadow = _Shadow(bytearray(plan.arena_bytes), array("q", (NOBODY,)) * plan.arena_bytes)
    shadow.poison(0, plan.arena_bytes)
    last = {t: number for number, step in enumerate(program.steps) for t in step.operands}
    last |= dict.fromkeys(program.graph.outputs, len(program.steps))
    states = {t.index: bytes(t.bytes) for t in tensors if t.is_variable and t.index in offsets}
    last |= dict.fromkeys(states, len(program.steps))
    for tensor, value in (states | dict(inputs)).items():
        shadow.create(tensor, len(value))
        shadow.write(tensor, offsets[tensor], value, range(len(value)))
    found: dict[int, bytes] = {}
    for number, step in enumerate(program.steps):
        _Run(program, plan, shadow, offsets, step).run()
        for tensor in step.results:
            if tensor in offsets:
                begin, size = offsets[tensor], tensors[tensor].bytes
                if not shadow.holds(tensor, begin, range(size)):
                    raise PlanError(f"{step.node.where()}: {tensors[tensor]} is not whole")
                found[tensor] = bytes(shadow.memory[begin : begin + size])
        living = [
            range(offsets[t], offsets[t] + tensors[t].bytes)
            for t in shadow.expected
            if last.get(t, number) > number
        ]
        for tensor in {*step.operands, *step.results}:
            if tensor in shadow.expected and last.get(tensor, number) <= number:
                shadow.bury(tensor, offsets[tensor], living)
    for tensor in program.graph.outputs:
        if tensor in offsets and not shadow.holds(
            tensor, offsets[tensor], range(tensors[tensor].bytes)
        ):
            raise PlanError(f"output {tensors[tensor]} is overwritten before the end")
    return found


@dataclass(frozen=True, slots=True)
class _Run:
    """One operator in the arena."""

    program: Program
    plan: Plan
    shadow: _Shadow
    offsets: Mapping[int, int]
    step: Step

    def run(self) -> None:
        """Check and read the operands, compute, write in the order of the kernel."""
        step, tensors = self.step, self.program.graph.tensors
        self._poison_scratch()
        operands = [self._operand(tensor) for tensor in step.operands]
        if step.kernel.alias and step.operands[0] in self.offsets:
            (result,) = step.results
            self.shadow.expected[result] = self.shadow.expected[step.operands[0]]
            return
        values = step.kernel.reference(*operands)
        for tensor in step.results:
            self.shadow.create(tensor, tensors[tensor].bytes)
        for view in step.code.views():  # what is moved remains what it was
            self._adopt(step.operands[view.operand], step.results[view.result], view.offset)
        if not self._replay(values):
            for tensor, value in zip(step.results, values, strict=True):
                whole = range(tensors[tensor].bytes)
                self.shadow.write(tensor, self.offsets[tensor], bytes(value), whole)
            for tensor in step.operands:
                self._require(tensor, range(tensors[tensor].bytes))
        self._poison_scratch()

    def _replay(self, values: tuple[bytes | bytearray | memoryview, ...]) -> bool:
        """Write what the kernel writes when it does; False where it does not tell."""
        step = self.step
        if step.calls:
            return False
        backward = self.plan.directions.get(step.node.index) is Direction.BACKWARD
        told = False
        views = [memoryview(bytes(value)) for value in values]
        for touch in step.code.walking(backward=backward).touches():
            told = True
            for position, part in touch.reads:
                self._require(step.operands[position], part)
            tensor = step.results[touch.result]
            self.shadow.write(tensor, self.offsets[tensor], views[touch.result], touch.writes)
        return told

    def _adopt(self, operand: int, result: int, offset: int) -> None:
        """The bytes of an operand that become those of a result have the same tags."""
        if operand in self.shadow.expected:
            source, target = self.shadow.expected[operand], self.shadow.expected[result]
            skip, start = max(-offset, 0), max(offset, 0)
            count = min(len(source) - skip, len(target) - start)
            target[start : start + count] = source[skip : skip + count]

    def _operand(self, tensor: int) -> bytes | memoryview:
        """A tensor's bytes, from the arena or as a constant."""
        record = self.program.graph.tensors[tensor]
        if tensor not in self.offsets:
            assert record.data is not None
            return record.data
        self._require(tensor, range(record.bytes))
        begin = self.offsets[tensor]
        return bytes(self.shadow.memory[begin : begin + record.bytes])

    def _require(self, tensor: int, part: range) -> None:
        if tensor in self.offsets and not self.shadow.holds(tensor, self.offsets[tensor], part):
            raise PlanError(
                f"{self.step.node.where()}: reads bytes {part.start} to {part.stop} of "
                f"{self.program.graph.tensors[tensor]}, which are overwritten"
            )

    def _poison_scratch(self) -> None:
        if self.step.node.index in self.plan.scratch:
            self.shadow.poison(self.plan.scratch[self.step.node.index], self.step.scratch_bytes)
