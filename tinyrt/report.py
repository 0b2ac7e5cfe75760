"""What the command line shows: the same facts as tables for people and as JSON for programs."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinyrt.graph import Tensor
from tinyrt.interpreter import Interpreter
from tinyrt.load import Program
from tinyrt.plan import Plan
from tinyrt.plan.chart import chart_of
from tinyrt.plan.draw import draw
from tinyrt.plan.regions import Zone
from tinyrt.strips import Fit
from tinyrt.tflm import OfflinePlan

SHOWN_VALUES = 12


def shape_text(tensor: Tensor) -> str:
    """A shape as people write it."""
    return "x".join(map(str, tensor.shape)) or "scalar"


def tensor_facts(tensor: Tensor) -> dict[str, Any]:
    """A tensor for JSON."""
    facts: dict[str, Any] = {
        "index": tensor.index,
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.value,
        "bytes": tensor.bytes,
    }
    if tensor.quantization is not None:
        facts["scale"] = list(tensor.quantization.scales)
        facts["zero_point"] = list(tensor.quantization.zero_points)
    return facts


def port_text(tensor: Tensor) -> str:
    """An input or output in one line."""
    text = f"{tensor.label}  {tensor.dtype.value} {shape_text(tensor)}"
    quantization = tensor.quantization
    if quantization is not None:
        text += f"  scale {quantization.scale:.6g}, zero-point {quantization.zero_point}"
    return text


def constant_bytes(program: Program) -> int:
    """Bytes of the constants that the model's operators use."""
    return sum(tensor.bytes for tensor in program.graph.tensors if tensor.is_constant)


def info_facts(program: Program) -> dict[str, Any]:
    """What a model is, for JSON."""
    graph = program.graph
    return {
        "sha256": graph.sha256,
        "model_bytes": graph.model_bytes,
        "description": graph.description,
        "numerics": program.numerics.value,
        "macs": program.macs,
        "constant_bytes": constant_bytes(program),
        "inputs": [tensor_facts(graph.tensors[i]) for i in graph.inputs],
        "outputs": [tensor_facts(graph.tensors[i]) for i in graph.outputs],
        "operators": [
            {
                "index": step.node.index,
                "opcode": step.node.opcode,
                "name": step.node.name,
                "macs": step.kernel.cost().macs,
                "inputs": [t.index for t in step.node.inputs if t is not None],
                "outputs": list(step.results),
            }
            for step in program.steps
        ],
    }


def show_info(console: Console, program: Program) -> None:
    """What a model is, for people."""
    graph = program.graph
    for index in graph.inputs:
        console.print(f"input   {port_text(graph.tensors[index])}", highlight=False)
    for index in graph.outputs:
        console.print(f"output  {port_text(graph.tensors[index])}", highlight=False)
    rows = [
        (
            str(step.node.index),
            step.node.opcode,
            " ".join(shape_text(graph.tensors[i]) for i in step.operands),
            " ".join(shape_text(t) for t in step.node.outputs),
            _count(step.kernel.cost().macs),
            _count(sum(t.bytes for t in step.node.inputs if t is not None and t.is_constant)),
            step.node.name,
        )
        for step in program.steps
    ]
    table = Table(box=None, pad_edge=False, header_style="bold")
    headings = ("#", "operator", "in", "out", "MACs", "weights", "name")
    for heading, cells in zip(headings, zip(headings, *rows, strict=True), strict=True):
        # In a narrow terminal it is the names that give way.
        table.add_column(
            heading,
            justify="right" if heading in {"#", "MACs", "weights"} else "left",
            overflow="ellipsis",
            no_wrap=True,
            min_width=None if heading == "name" else min(24, max(map(len, cells))),
        )
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(
        f"{len(program.steps)} operators, {program.macs:,} MACs, "
        f"{constant_bytes(program):,} bytes of constants, {graph.model_bytes:,} bytes of model",
        highlight=False,
    )


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def plan_facts(program: Program, plan: Plan) -> dict[str, Any]:
    """A memory plan, for JSON; offsets in regions are from their beginnings."""

    def place(offset: int) -> dict[str, Any]:
        for zone in plan.regions:
            if zone.holds(offset):
                return {"region": zone.region.name, "offset": offset - zone.base}
        return {"offset": offset}

    tensors, steps = program.graph.tensors, program.steps
    forced = 0 <= plan.forcing_step < len(steps)
    return {
        "arena_bytes": plan.arena_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "optimal": plan.optimal,
        "proof": plan.proof,
        "forcing_operator": steps[plan.forcing_step].node.index if forced else None,
        "forcing_tensors": list(plan.forcing_tensors),
        "rewrites": program.rewrites,
        "order": [step.node.index for step in steps],
        "tensors": [
            {
                "index": allocation.tensor,
                "name": tensors[allocation.tensor].name,
                **place(allocation.offset),
                "bytes": allocation.size,
                "first_step": allocation.first_step,
                "last_step": allocation.last_step,
            }
            for allocation in plan.blocks
        ],
        "scratch": [
            {
                "operator": step.node.index,
                **place(plan.scratch[step.key]),
                "bytes": step.scratch_bytes,
                "step": number,
            }
            for number, step in enumerate(steps)
            if step.key in plan.scratch
        ],
        **({"regions": list(map(_zone_facts, plan.regions))} if plan.regions else {}),
    }


def _zone_facts(zone: Zone) -> dict[str, Any]:
    return {
        "name": zone.region.name,
        "capacity_bytes": zone.region.capacity,
        "cost": zone.region.cost,
        "arena_bytes": zone.size,
        "lower_bound_bytes": zone.lower_bound_bytes,
        "traffic_bytes": zone.traffic,
        "forcing_tensors": list(zone.forcing_tensors),
        "proof": zone.proof,
    }


def show_plan(console: Console, program: Program, plan: Plan) -> None:
    """A memory plan, for people: the picture, the table, and why the arena cannot be smaller."""
    for zone in plan.regions:
        console.print(
            f"[bold]{zone.region.name}[/]: {zone.size:,} of {zone.region.capacity:,} bytes, "
            f"{zone.traffic:,} bytes moved at a cost of {zone.region.cost}",
            highlight=False,
        )
        if zone.size:
            _show_arena(console, program, plan.within(zone))
    if not plan.regions:
        _show_arena(console, program, plan)
    own = [plan.proof] if plan.regions else []
    for text in (*own, *program.rewrites):
        console.print(text, highlight=False, markup=False, soft_wrap=not console.is_terminal)


def _show_arena(console: Console, program: Program, plan: Plan) -> None:
    """One arena."""
    chart = chart_of(program, plan)
    for line in draw(chart, console.width, ascii_only=console.options.ascii_only):
        console.print(line, highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("offset", "bytes", "operators"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("tensor", no_wrap=True, overflow="ellipsis")
    # As they are numbered in the file: some may have been left out.
    operators = [step.label for step in program.steps] or ["0"]
    last = len(operators) - 1
    tensors = program.graph.tensors
    names = [f"{tensor.label} {shape_text(tensor)}" for tensor in tensors]
    rows = [
        ((a.first_step, a.offset, a.tensor), a.size, a.last_step, names[a.tensor])
        for a in plan.blocks
    ]
    rows += [
        ((number, plan.scratch[step.key], -1), step.scratch_bytes, number, "(scratch)")
        for number, step in enumerate(program.steps)
        if step.key in plan.scratch
    ]
    for (first_step, offset, _), size, last_step, name in sorted(rows):
        table.add_row(
            f"{offset:,}",
            f"{size:,}",
            f"{operators[max(first_step, 0)]} to {operators[min(last_step, last)]}",
            Text(name),
        )
    console.print(table)
    console.print(
        f"arena {plan.arena_bytes:,} bytes, lower bound {plan.lower_bound_bytes:,} bytes",
        highlight=False,
    )
    console.print(plan.proof, highlight=False, markup=False, soft_wrap=not console.is_terminal)


def fit_facts(fit: Fit, wholes: Mapping[str, int]) -> dict[str, Any]:
    """What runs strip by strip, and what other choices take, for JSON.

    Args:
        fit: the choice.
        wholes: bytes of arena without strips, by the code that is called.
    """
    whole = {
        "arena_bytes": fit.whole.arena_bytes,
        "lower_bound_bytes": fit.whole.lower_bound_bytes,
        "optimal": fit.whole.optimal,
        "proof": fit.whole.proof,
    }
    facts = {"whole": whole, "whole_arena_bytes": dict(wholes)}
    if fit.schedule is None:
        return facts | {"strips": None}
    steps = [step for step in fit.program.steps if step.part is not None]
    return facts | {
        "strips": {
            "operators": list(dict.fromkeys(step.node.index for step in steps)),
            "count": len(fit.schedule.strips),
            "rows": float(fit.schedule.rows),
            "steps": len(steps),
            "extra_macs": fit.extra_macs,
            "copied_bytes": fit.copied_bytes,
        }
    }


def show_fit(console: Console, fit: Fit, wholes: Mapping[str, int]) -> None:
    """The same for people."""
    choices = ", ".join(f"{size:,} ({name})" for name, size in wholes.items())
    texts = [f"every operator in one step: {choices} bytes"]
    strips = fit_facts(fit, wholes)["strips"]
    if strips is not None:
        first, *_, last = strips["operators"]
        how = (
            f"operators {first} to {last} run in {strips['count']} strips, {strips['rows']:g} rows "
            f"of the last at a time: {strips['steps']} calls, {strips['extra_macs']:,} extra MACs, "
            f"{strips['copied_bytes']:,} bytes moved"
        )
        whole = f"every operator in one step: {fit.whole.arena_bytes:,} bytes; {fit.whole.proof}"
        texts = [how, whole, *texts]
    for text in texts:
        console.print(text, highlight=False, markup=False, soft_wrap=not console.is_terminal)


def tflm_facts(plan: OfflinePlan) -> dict[str, Any]:
    """A plan for TFLM, for JSON."""
    return {
        "head_bytes": plan.head_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "greedy_bytes": plan.greedy_bytes,
        "offsets": plan.offsets,
    }


def show_tflm(console: Console, plan: OfflinePlan, file: str) -> None:
    """A plan for TFLM, for people."""
    console.print(
        f"{file}: tensors take {plan.head_bytes:,} bytes of TFLM's arena, "
        f"{plan.greedy_bytes:,} without the plan",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def run_facts(interpreter: Interpreter, seconds: float, source: str) -> dict[str, Any]:
    """The outputs of a run, for JSON."""
    graph = interpreter.program.graph
    return {
        "inputs": source,
        "invoke_seconds": seconds,
        "outputs": [
            tensor_facts(graph.tensors[i])
            | {
                "values": list(elements(interpreter, i)),
                "crc32": zlib.crc32(interpreter.view(i).tobytes()),
            }
            for i in graph.outputs
        ],
    }


def elements(interpreter: Interpreter, index: int) -> Sequence[int | float]:
    """The values of a tensor, flat."""
    tensor = interpreter.program.graph.tensors[index]
    data = interpreter.view(index).tobytes()
    return struct.unpack(f"<{tensor.elements}{tensor.dtype.format}", data)


def show_run(console: Console, interpreter: Interpreter, seconds: float, source: str) -> None:
    """The outputs of a run, for people."""
    graph = interpreter.program.graph
    console.print(f"inputs: {source}; one run took {seconds * 1e3:.2f} ms", highlight=False)
    for index in graph.outputs:
        tensor = graph.tensors[index]
        console.print(f"\n[bold]{port_text(tensor)}[/]", highlight=False)
        values = elements(interpreter, index)
        shown = sorted(range(len(values)), key=lambda i: -values[i])[:SHOWN_VALUES]
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("index", "value", "real"):
            table.add_column(heading, justify="right")
        for place in shown:
            table.add_row(str(place), f"{values[place]:g}", _real(tensor, values[place]))
        console.print(table)
        if len(shown) < len(values):
            console.print(f"the greatest {len(shown)} of {len(values)} values", highlight=False)


def _real(tensor: Tensor, value: float) -> str:
    if tensor.quantization is None:
        return f"{value:g}"
    return f"{tensor.quantization.scale * (value - tensor.quantization.zero_point):.5g}"
