"""The thorough static checker: last read against write, byte by byte.

It knows neither lifetimes nor distances. It takes a finished plan, looks for operators whose
outputs share bytes with their operands, and has each of these kernels name every byte that it
touches, in the order of its loops: none may be read after it has been written over.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from tinyrt.errors import PlanError
from tinyrt.kernel import CKernel
from tinyrt.load import Program, Step
from tinyrt.plan import Plan
from tinyrt.plan.problem import Direction


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies."""

    name: str
    offset: int
    size: int

    @property
    def end(self) -> int:
        """One past its last byte."""
        return self.offset + self.size

    def meets(self, other: "Place") -> bool:
        """Whether two tensors share bytes."""
        return self.offset < other.end and other.offset < self.end


def check_touches(program: Program, plan: Plan) -> int:
    """Let a plan pass in which no operator reads what it has written.

    Returns:
        The number of operators that share bytes between operands and outputs.

    Raises:
        PlanError: one does; names it, the tensors and the first byte.
    """
    places = {
        a.tensor: Place(program.graph.tensors[a.tensor].label, a.offset, a.size)
        for a in plan.allocations
    }
    check_regions(plan, places.values())
    shared = 0
    for step in program.steps:
        operands = tuple(places.get(tensor) for tensor in step.operands)
        results = tuple(places[tensor] for tensor in step.results if tensor in places)
        pairs = [(o, r) for o in operands if o is not None for r in results if o.meets(r)]
        if not pairs:
            continue
        shared += 1
        if step.kernel.alias or step.calls:
            for operand, result in pairs:
                if operand.offset != result.offset:
                    raise PlanError(_text(step, operand, result, "is not in place"))
            continue
        backward = plan.directions.get(step.key) is Direction.BACKWARD
        check_kernel(step.code.walking(backward=backward), operands, results, step.where())
    return shared


def check_regions(plan: Plan, places: Iterable[Place]) -> None:
    """Let a plan pass in which every tensor is in one memory.

    Raises:
        PlanError: one is not; names it.
    """
    spans = [range(zone.base, zone.base + zone.size + 1) for zone in plan.regions]
    for place in places:
        if spans and not any(place.offset in span and place.end in span for span in spans):
            raise PlanError(
                f"'{place.name}', bytes {place.offset} to {place.end}, is in no one region"
            )


def _text(step: Step, operand: Place, result: Place, what: str) -> str:
    return f"{step.where()}: '{result.name}' over '{operand.name}' {what}"


def check_kernel(
    kernel: CKernel,
    operands: tuple[Place | None, ...],
    results: tuple[Place, ...],
    where: str,
) -> None:
    """Let a kernel pass that reads every byte before it is written over, and writes all once.

    Args:
        kernel: walking in the direction that was planned.
        operands: where they lie; None for constants.
        results: where the outputs lie.
        where: names the operator in errors.
    """
    places = [place for place in (*operands, *results) if place is not None]
    base = min(place.offset for place in places)
    span = max(place.end for place in places) - base
    read = array("i", (-1,)) * span
    written = array("i", (-1,)) * span
    for moment, touch in enumerate(kernel.touches()):
        for position, part in touch.reads:
            place = operands[position]
            if place is not None:
                _mark(read, part, place, base, moment, where)
        target = results[touch.result]
        if max(_marked(written, touch.writes, target, base), default=-1) >= 0:
            raise PlanError(f"{where}: writes a byte of '{target.name}' twice")
        _mark(written, touch.writes, target, base, moment, where)
    for target in results:
        begin, end = target.offset - base, target.end - base
        if min(written[begin:end], default=0) < 0:
            raise PlanError(f"{where}: does not say when it writes all of '{target.name}'")
        if all(map(int.__le__, read[begin:end], written[begin:end])):
            continue
        byte = next(b for b in range(begin, end) if read[b] > written[b])
        raise PlanError(
            f"{where}: byte {base + byte} of '{target.name}' is written at moment {written[byte]} "
            f"of the kernel, and read as an operand at moment {read[byte]}"
        )


def _mark(
    moments: "array[int]", part: range, place: Place, base: int, moment: int, where: str
) -> None:
    """Note when bytes of a tensor are touched."""
    if not part:
        return
    if part.step < 1 or part[0] < 0 or part[-1] >= place.size:
        raise PlanError(f"{where}: touches bytes {part} of '{place.name}', which has {place.size}")
    moments[_slice(part, place, base)] = array("i", (moment,)) * len(part)


def _marked(moments: "array[int]", part: range, place: Place, base: int) -> "array[int]":
    """When bytes of a tensor were touched."""
    return moments[_slice(part, place, base)] if part else moments[:0]


def _slice(part: range, place: Place, base: int) -> slice:
    start = place.offset - base
    return slice(start + part[0], start + part[-1] + 1, part.step)
