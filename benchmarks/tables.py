"""The results of a run as tables for people."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.executors import KINDS, OURS, TFLM
from benchmarks.figures import Figure, figures
from benchmarks.results import Result, Run, geometric_mean, milliseconds

_HEADINGS = {
    "fast": "tinyrt",
    "reference": "reference",
    "numpy": "NumPy",
    "numpy-einsum": "einsum",
    "tflm": "TFLM",
    "litert-reference": "LiteRT ref",
    "litert": "XNNPACK",
}
_COLOURS = {"reached": "green", "held": "yellow", "missed": "red"}


def show(console: Console, run: Run) -> None:
    """Everything that was measured."""
    for kind, title in (("model", "Whole models"), ("kernel", "Kernels alone")):
        results = run.of_kind(kind)
        if results:
            console.print(f"\n[bold]{title}[/], milliseconds of one run (median)")
            console.print(_times(results))
            console.print(_summary(results))
    if run.footprints:
        console.print("\n[bold]Fresh processes[/]")
        console.print(_footprints(run))
    for line in _absences(run):
        console.print(line, highlight=False, markup=False)
    console.print("\n[bold]Figures[/]")
    console.print(figure_table(figures(run)))
    console.print(_conditions(run), highlight=False, markup=False)


def headed(*headings: str, texts: Sequence[str] = ("case", "inputs")) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        text = heading in texts
        table.add_column(heading, justify="left" if text else "right", no_wrap=True)
    return table


def _times(results: Sequence[Result]) -> Table:
    headings = [_HEADINGS[kind.name] for kind in KINDS]
    table = headed("case", "inputs", "kMAC", *headings, "±", "tinyrt/TFLM", "/NumPy")
    for result in results:
        cells = [_cell(result, kind.name) for kind in KINDS]
        ours = result.timings.get(OURS)
        table.add_row(
            result.name,
            result.inputs,
            f"{result.macs / 1e3:,.0f}" if result.macs else "",
            *cells,
            f"{ours.spread:.0%}" if ours else "",
            ratio(result.ratio(OURS, TFLM)),
            ratio(result.ratio(OURS, "numpy")),
        )
    return table


def _cell(result: Result, executor: str) -> str:
    timing = result.timings.get(executor)
    if timing is None:
        return "–"
    return milliseconds(timing.median) + ("" if timing.same_bytes else "*")


def ratio(value: float | None) -> str:
    """A ratio that one wants to be small."""
    if value is None:
        return "–"
    return f"[{'green' if value <= 1 else 'default'}]{value:.2f}×[/]"


def _summary(results: Sequence[Result]) -> str:
    parts = []
    for kind in KINDS:
        ratios = [found for r in results if (found := r.ratio(OURS, kind.name)) is not None]
        if kind.name != OURS and ratios:
            parts.append(f"{geometric_mean(ratios):.3g} of {_HEADINGS[kind.name]} ({len(ratios)})")
    return "tinyrt's time, geometric means: " + ", ".join(parts)


def _footprints(run: Run) -> Table:
    table = headed("case", "import", "load", "first run", "later runs", "load + prepare", "peak")
    for found in run.footprints:
        table.add_row(
            found.name,
            *(
                f"{seconds * 1e3:,.1f} ms"
                for seconds in (
                    found.import_seconds,
                    found.load_seconds,
                    found.first_run_seconds,
                    found.later_run_seconds,
                    found.prepare_seconds,
                )
            ),
            f"{found.peak_bytes / 1e6:.1f} MB",
        )
    return table


def _absences(run: Run) -> Iterator[str]:
    """Which peers are absent, and why: a line for each reason."""
    cases: dict[tuple[str, str], list[str]] = {}
    for result in run.results:
        for name, reason in result.absent.items():
            cases.setdefault((name, reason), []).append(result.name)
    for (name, reason), names in cases.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        yield f"– {_HEADINGS[name]} is absent from {shown}: {reason}"
    if any(not t.same_bytes for result in run.results for t in result.timings.values()):
        yield "* computes other bytes: it rounds differently"


def figure_table(found: Iterable[Figure]) -> Table:
    table = headed("figure", "found", "reach", "not less than", "verdict", texts=("figure",))
    for figure in found:
        word = figure.verdict
        sign = "≥" if figure.larger_is_better else "≤"
        table.add_row(
            figure.title,
            "" if figure.found is None else f"{figure.found:.3g} {figure.unit}",
            f"{sign} {figure.reach:g}",
            f"{sign} {figure.least:g}",
            f"[{_COLOURS.get(word, 'dim')}]{word}[/]",
        )
    return table


def _conditions(run: Run) -> str:
    facts = run.machine
    versions = ", ".join(f"{_HEADINGS[name]} {text}" for name, text in facts["versions"].items())
    return (
        f"\n{facts['processor']}, {facts['cpus']} CPUs, {facts['system']}, {facts['python']}; "
        f"load {facts['load']} before, {facts['load_after']} after\n{versions}\n"
        f"Rounds are interleaved, {facts['clock']} time, one thread each; "
        "tinyrt runs in a process without NumPy."
    )


def show_comparison(console: Console, before: Run, after: Run) -> None:
    """What changed in tinyrt since a saved run, in itself and against TFLM in the same run."""
    table = headed("case", "ms before", "after", "change", "/TFLM before", "after", "change")
    changes = []
    for result in after.results:
        old = before.named(result.name)
        if old is None or OURS not in old.timings or OURS not in result.timings:
            continue
        times = [r.timings[OURS].median for r in (old, result)]
        ratios = [r.ratio(OURS, TFLM) for r in (old, result)]
        known = [value for value in ratios if value is not None]
        changes.append(times[1] / times[0])
        table.add_row(
            result.name,
            *map(milliseconds, times),
            _change(times[1] / times[0]),
            *("–" if value is None else f"{value:.2f}×" for value in ratios),
            _change(known[1] / known[0]) if len(known) == 2 else "",
        )
    console.print("\n[bold]Compared with the saved run[/]")
    if not machine.same(before.machine, after.machine):
        console.print("not the same machine, Python or clock: only ratios can be compared")
    console.print(table)
    if changes:
        console.print(f"geometric mean of {len(changes)}: {_change(geometric_mean(changes))}")


def _change(factor: float) -> str:
    colour = "green" if factor < 0.95 else "red" if factor > 1.05 else "default"
    return f"[{colour}]{factor - 1:+.1%}[/]"
