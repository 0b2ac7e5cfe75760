"""The counts of a run as tables for people."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console

from benchmarks import tables
from benchmarks.figures import Figure
from benchmarks.mcu import peer
from benchmarks.mcu.measure import CORES, DETAILED
from benchmarks.mcu.peer import M3, M4, M55
from benchmarks.mcu.records import Change, LayerCount, ModelCount, OperatorCount, Run
from benchmarks.results import geometric_mean

_NAMES = ("model", "operator", "layer", "kernel", "core", "emitted for", "what")
_DEPTHWISE = "DEPTHWISE_CONV_2D"
_SHOWN_CHANGES = 60


def show(console: Console, run: Run) -> None:
    """Everything that was counted."""
    _models(console, run)
    _ways(console, run)
    _operators(console, run)
    _kinds(console, run)
    _layers(console, run)
    console.print("\n[bold]Figures[/]")
    console.print(tables.figure_table(figures(run)))
    known = ", ".join(run.tools.values())
    console.print(f"\n{known}; ratios are against {peer.SOURCE}", highlight=False, markup=False)


def _models(console: Console, run: Run) -> None:
    console.print("\n[bold]Whole models[/], instructions of one run, per MAC, part of the peer's")
    headings = [heading for core in CORES for heading in (_short(core), "/MAC")]
    ratios = [f"{_short(core)}/peer" for core in peer.CORES]
    table = tables.headed("model", "MACs", *headings, *ratios, texts=_NAMES)
    for name in dict.fromkeys(count.model for count in run.models):
        counts = [run.of(name, core) for core in CORES]
        cells = [cell for count in counts for cell in _cells(count)]
        table.add_row(
            name,
            f"{next(c.macs for c in counts if c is not None):,}",
            *cells,
            *(tables.ratio(_ratio(run, name, core)) for core in peer.CORES),
        )
    console.print(table)
    for core in peer.CORES:
        mean = mean_ratio(run, core)
        if mean is not None:
            console.print(
                f"geometric mean of the four on {_short(core)}: {mean:.3f} of the peer's",
                highlight=False,
            )


def _cells(count: ModelCount | OperatorCount | None) -> tuple[str, str]:
    if count is None:
        return "–", ""
    return f"{count.instructions:,}", _rate(count.instructions, count.macs)


def _rate(instructions: int, macs: int) -> str:
    return f"{instructions / macs:.2f}" if macs else ""


def _ways(console: Console, run: Run) -> None:
    console.print("\n[bold]Ways to emit[/], bytes and instructions")
    columns = ("instructions", "/MAC", "code", "constants", "arena", "stack", "bound")
    table = tables.headed("model", "core", "emitted for", *columns, texts=_NAMES)
    for count in run.models:
        if count.target in DETAILED:
            sizes = (count.code_bytes, count.rodata_bytes, count.arena_bytes, count.stack_bytes)
            bound = "none" if count.stack_bound is None else f"{count.stack_bound:,}"
            table.add_row(
                count.model,
                _short(count.target),
                count.optimize,
                *_cells(count),
                *(f"{size:,}" for size in sizes),
                bound,
            )
    console.print(table)


def _operators(console: Console, run: Run) -> None:
    console.print("\n[bold]Operators[/] of the models, emitted for balanced")
    headings = [heading for core in DETAILED for heading in (_short(core), "share", "/MAC")]
    table = tables.headed("model", "#", "operator", "MACs", *headings, texts=_NAMES)
    by_key = {count.key: count for count in run.operators}
    totals: dict[tuple[str, str], int] = {}
    for count in run.operators:
        place = count.model, count.target
        totals[place] = totals.get(place, 0) + count.instructions
    for count in (count for count in run.operators if count.target == DETAILED[0]):
        cells = []
        for core in DETAILED:
            found = by_key.get((count.model, core, count.key[2]))
            share = found.instructions / totals[count.model, core] if found else 0.0
            instructions, rate = _cells(found)
            cells += [instructions, f"{share:.1%}", rate]
        macs = f"{count.macs:,}" if count.macs else ""
        table.add_row(count.model, str(count.index), count.opcode, macs, *cells)
    console.print(table)


def _kinds(console: Console, run: Run) -> None:
    console.print("\n[bold]Kinds of operators[/] over all models, emitted for balanced")
    headings = [heading for core in DETAILED for heading in (_short(core), "/MAC", "peer")]
    table = tables.headed("operator", "MACs", *headings, texts=_NAMES)
    for opcode in sorted({count.opcode for count in run.operators}):
        cells = []
        macs = 0
        for core in DETAILED:
            counts = list(_of_kind(run.operators, opcode, core))
            macs = sum(count.macs for count in counts)
            instructions = sum(count.instructions for count in counts)
            low, high = peer.PER_MAC.get((opcode, core), (0.0, 0.0))
            known = f"{low:g} to {high:g}" if high else ""
            cells += [f"{instructions:,}", _rate(instructions, macs), known]
        table.add_row(opcode, f"{macs:,}" if macs else "", *cells)
    console.print(table)


def _of_kind(counts: Iterable[OperatorCount], opcode: str, core: str) -> Iterator[OperatorCount]:
    return (count for count in counts if count.opcode == opcode and count.target == core)


def _layers(console: Console, run: Run) -> None:
    console.print("\n[bold]Single layers[/], emitted for speed: instructions, per MAC or output")
    headings = [heading for core in DETAILED for heading in (_short(core), "/MAC", "/output")]
    table = tables.headed("layer", "kernel", "MACs", "outputs", *headings, texts=_NAMES)
    rows: dict[str, list[LayerCount]] = {}
    for count in run.layers:
        rows.setdefault(count.layer, []).append(count)
    for layer, counts in rows.items():
        cells = []
        for core in DETAILED:
            found = next((count for count in counts if count.target == core), None)
            if found is None:
                cells += ["–", "", ""]
            else:
                rate = f"{found.rate:.2f}"
                pair = (rate, "") if found.macs else ("", rate)
                cells += [f"{found.instructions:,}", *pair]
        first = counts[0]
        macs = f"{first.macs:,}" if first.macs else ""
        table.add_row(layer, first.kernel, macs, f"{first.outputs:,}", *cells)
    console.print(table)


def figures(run: Run) -> Iterator[Figure]:
    """What the roadmap asks of the C on Cortex-M."""
    yield Figure("M4, four models, geometric mean", "of peer", mean_ratio(run, M4), 0.40, 0.50)
    yield Figure("M4, depthwise 3x3", "/MAC", _depthwise(run, M4), 2.5, 3.5)
    yield Figure("M55, four models, geometric mean", "of peer", mean_ratio(run, M55), 0.45, 0.60)
    yield Figure("M55, depthwise 3x3", "/MAC", _depthwise(run, M55), 0.8, 1.2)
    for name, reach, least in (("kws_ref_model", 36.0, 44.0), ("vww_96_int8", 245.0, 265.0)):
        count = run.of(name, M4)
        code = count.code_bytes / 1e3 if count else None
        both = (count.code_bytes + count.rodata_bytes) / 1e3 if count else None
        yield Figure(f"M4, {name}, code", "kB", code, 8.0, 14.0)
        yield Figure(f"M4, {name}, code and constants", "kB", both, reach, least)
    stacks = [count.stack_bytes for count in run.models if count.optimize == "balanced"]
    bounds = [count.stack_bound or 0 for count in run.models if count.optimize == "balanced"]
    deepest = float(max(stacks + bounds, default=0)) or None
    yield Figure("stack, deepest of all, by its bound", "bytes", deepest, 512.0, 1024.0)
    yield Figure("M3, four models, geometric mean", "of peer", mean_ratio(run, M3), 0.333, 0.333)
    worst = [_ratio(run, *place) for place in peer.INSTRUCTIONS]
    known = [ratio for ratio in worst if ratio is not None]
    yield Figure("the worst of all models and cores", "of peer", max(known, default=None), 1.0, 1.0)


def _ratio(run: Run, model: str, core: str) -> float | None:
    """Our instructions as a part of the peer's."""
    count = run.of(model, core)
    theirs = peer.INSTRUCTIONS.get((model, core))
    return count.instructions / theirs if count and theirs else None


def mean_ratio(run: Run, core: str) -> float | None:
    """The geometric mean over the four; None where one of them was not counted."""
    ratios = [_ratio(run, model, core) for model in peer.MODELS]
    known = [ratio for ratio in ratios if ratio is not None]
    return geometric_mean(known) if len(known) == len(ratios) else None


def _depthwise(run: Run, core: str) -> float | None:
    """Instructions per MAC of the depthwise convolutions of the four, which are all 3x3."""
    counts = [
        count for count in _of_kind(run.operators, _DEPTHWISE, core) if count.model in peer.MODELS
    ]
    macs = sum(count.macs for count in counts)
    return sum(count.instructions for count in counts) / macs if macs else None


def show_changes(console: Console, found: Sequence[Change], same_tools: bool) -> None:
    """What is not as in a saved run, whole models first, the greatest changes first in the rest."""
    console.print("\n[bold]Compared with the saved counts[/]")
    if not same_tools:
        console.print("another compiler or emulator: changes may be theirs")
    if not found:
        console.print("nothing changed")
        return
    table = tables.headed("what", "before", "after", "change", texts=_NAMES)
    order = sorted(found, key=lambda change: (not change.whole, -abs(change.part)))
    for change in order[:_SHOWN_CHANGES]:
        colour = "green" if change.part < 0 else "red" if change.part > 0 else "default"
        word = "new" if change.before is None else "gone" if change.after is None else ""
        table.add_row(
            " ".join(change.key),
            "" if change.before is None else f"{change.before:,}",
            "" if change.after is None else f"{change.after:,}",
            word or f"[{colour}]{change.part:+.1%}[/]",
        )
    console.print(table)
    if len(found) > _SHOWN_CHANGES:
        console.print(f"and {len(found) - _SHOWN_CHANGES} more")


def _short(core: str) -> str:
    return core.removeprefix("cortex-").upper()
