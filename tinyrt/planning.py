"""`tinyrt plan`: the plan of a model as text, JSON or drawings, and bare problems from CSV."""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from tinyrt import forms, report, tflm
from tinyrt.emit import writer
from tinyrt.errors import InputError
from tinyrt.interpreter import read_model
from tinyrt.plan import Plan, check
from tinyrt.plan.chart import chart_of
from tinyrt.plan.csv_problem import parse_csv
from tinyrt.plan.packing import NODE_LIMIT, Budget, Packing, pack
from tinyrt.plan.problem import Problem
from tinyrt.plan.svg import html, svg

NODES = NODE_LIMIT
"""Of the search for a bare problem."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that no other command has."""
    parser.add_argument("--svg", metavar="FILE", help="write the map as a drawing")
    parser.add_argument(
        "--html", metavar="FILE", help="write a page with the drawing, the proof and a table"
    )
    parser.add_argument(
        "--csv",
        metavar="FILE",
        help="instead of a model: pack buffers from lines of id,lower,upper,size (MiniMalloc's "
        "format; lifetimes are half-open)",
    )
    parser.add_argument(
        "--capacity",
        type=forms.byte_count,
        metavar="N",
        help="with --csv: look for a packing into N bytes (default: for the least possible)",
    )
    parser.add_argument(
        "--export-tflm",
        metavar="OUT",
        help="write the model, as it is in the file, with a plan for stock TFLM in its metadata",
    )
    parser.set_defaults(refuse=parser.error)


def check_usage(options: argparse.Namespace) -> None:
    """Leave with status 2 where the options do not go together."""
    if options.csv is None:
        if options.model is None:
            options.refuse("say what to plan: MODEL, or --csv FILE")
        if options.capacity is not None:
            options.refuse("--capacity goes with --csv")
        if options.export_tflm is not None and options.region:
            options.refuse("--export-tflm does not go with --region: TFLM has one arena")
        return
    unfit = {
        "MODEL": options.model,
        "--svg": options.svg,
        "--html": options.html,
        "--export-tflm": options.export_tflm,
        "--arena-limit": options.arena_limit,
        "--no-strips": options.no_strips or None,
        "--region": options.region,
    }
    given = [name for name, value in unfit.items() if value is not None]
    if given:
        options.refuse(f"{given[0]} does not go with --csv")


def plan_model(options: argparse.Namespace) -> int:
    """Plan a model, show the plan, and write the files that are asked for.

    Raises:
        InputError: a file cannot be written.
        PlanError: no plan is as small as asked for.
    """
    model = forms.read(options)
    fit = forms.fitted(options, model)
    program, found = fit.program, fit.plan
    wholes = forms.wholes(options, model)
    title = f"Memory of {Path(options.model).name}"
    charts = [(chart_of(program, part), name) for name, part in _parts(found, title)]
    for file, drawing in ((options.svg, svg), (options.html, html)):
        if file is not None:
            _write(file, drawing(*charts[0], *charts[1:]).encode())
    exported = None
    if options.export_tflm is not None:
        content, exported = tflm.export(read_model(options.model))
        _write(options.export_tflm, content)
    if options.json:
        facts = report.plan_facts(program, found) | report.fit_facts(fit, wholes)
        _print_json(facts | ({"tflm": report.tflm_facts(exported)} if exported else {}))
        return 0
    console = Console()
    report.show_plan(console, program, found)
    report.show_fit(console, fit, wholes)
    if exported is not None:
        report.show_tflm(console, exported, options.export_tflm)
    return 0


def _parts(found: Plan, title: str) -> list[tuple[str, Plan]]:
    """What is drawn by itself: the arena, or each region in use."""
    zones = [zone for zone in found.regions if zone.size]
    parts = [(f"{title}, region {zone.region.name}", found.within(zone)) for zone in zones]
    return parts or [(title, found)]


def _write(file: str, content: bytes) -> None:
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}") from error


def _print_json(facts: Any) -> None:
    print(json.dumps(facts, indent=2))


def plan_csv(options: argparse.Namespace) -> int:
    """Pack the buffers of a CSV file.

    Returns:
        0 if they fit into the capacity, or, where none is given, if no packing can be smaller.

    Raises:
        InputError: the file cannot be read.
        PlanError: it is not what it should be.
    """
    try:
        text = Path(options.csv).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise InputError(f"{options.csv}: {reason or error}") from error
    problem = parse_csv(text, options.csv)
    packing = pack(problem, enough=options.capacity, budget=Budget(NODES))
    check.check(_layout(problem, packing))
    if options.json:
        _print_json(_facts(problem, packing, options.capacity))
    else:
        _show(Console(), problem, packing, options.capacity)
    return 0 if _settled(packing, options.capacity) else 1


def _layout(problem: Problem, packing: Packing) -> check.Layout:
    return check.Layout(
        arena_bytes=packing.height,
        alignment=problem.alignment,
        blocks=tuple(
            check.Block(buffer.name, buffer.lower, buffer.upper, offset, buffer.size)
            for buffer, offset in zip(problem.buffers, packing.offsets, strict=True)
        ),
    )


def _settled(packing: Packing, capacity: int | None) -> bool:
    return packing.optimal if capacity is None else packing.height <= capacity


def _verdict(problem: Problem, packing: Packing, capacity: int | None) -> str:
    """What is known, in words."""
    certificate, height = packing.certificate, packing.height
    bound = certificate.lower_bound
    if capacity is not None and height > capacity:
        if bound > capacity:
            return f"does not fit into {capacity:,} bytes: at least {bound:,} are needed"
        gap = height - capacity
        return (
            f"not decided whether it fits into {capacity:,} bytes: the best packing found takes "
            f"{gap:,} more; not proven optimal: gap {height - bound:,} bytes"
        )
    fits = "" if capacity is None else f"fits into {capacity:,} bytes; "
    if not packing.optimal:
        return f"{fits}not proven optimal: gap {height - bound:,} bytes"
    if certificate.proof is certificate.proof.SEARCH:
        return f"{fits}optimal: a search of {certificate.nodes:,} nodes found nothing smaller"
    names = ", ".join(problem.buffers[number].name for number in certificate.forcing)
    return (
        f"{fits}optimal: at time {certificate.time}, {height:,} bytes are in use at once: {names}"
    )


def _facts(problem: Problem, packing: Packing, capacity: int | None) -> dict[str, Any]:
    certificate = packing.certificate
    return {
        "height_bytes": packing.height,
        "lower_bound_bytes": certificate.lower_bound,
        "capacity_bytes": capacity,
        "fits": None if capacity is None else packing.height <= capacity,
        "optimal": packing.optimal,
        "certificate": _verdict(problem, packing, capacity),
        "nodes": certificate.nodes,
        "buffers": [
            {
                "id": buffer.name,
                "lower": buffer.lower,
                "upper": buffer.upper,
                "size": buffer.size,
                "offset": offset,
            }
            for buffer, offset in zip(problem.buffers, packing.offsets, strict=True)
        ],
    }


def _show(console: Console, problem: Problem, packing: Packing, capacity: int | None) -> None:
    rows = [
        (buffer.name, *map(str, (buffer.lower, buffer.upper, buffer.size, offset)))
        for buffer, offset in zip(problem.buffers, packing.offsets, strict=True)
    ]
    # Lines as they are: rich takes longer to lay out a table of hundreds than the search takes.
    heading, *lines = writer.table(("id", "lower", "upper", "size", "offset"), rows, "lrrrr")
    console.print(heading, style="bold", highlight=False, soft_wrap=True)
    if lines:
        console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"height {packing.height:,} bytes, lower bound {packing.certificate.lower_bound:,} bytes",
        highlight=False,
    )
    verdict = _verdict(problem, packing, capacity)
    console.print(verdict, highlight=False, markup=False, soft_wrap=not console.is_terminal)
