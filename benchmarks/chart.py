"""The whole models of a run as an SVG bar chart: self-contained, for light and dark pages."""

from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.cases import MLPERF_TINY, MOBILENET_V2
from benchmarks.executors import OURS, REFERENCE, TFLM
from benchmarks.results import Result, Run, milliseconds

SHOWN = (*MLPERF_TINY, MOBILENET_V2)
_BARS = {
    OURS: ("tinyrt, pure Python", "ours"),
    "numpy": ("NumPy int32, matmul", "numpy"),
    "numpy-einsum": ("NumPy int32, einsum", "einsum"),
    TFLM: ("TFLM, compiled reference kernels", "tflm"),
    "litert-reference": ("LiteRT, reference kernels", "litert"),
    "litert": ("LiteRT, XNNPACK (SIMD)", "xnnpack"),
}
_LONGEST = 4.0
"""Ratio beyond which bars are cut off."""

_WIDTH, _LEFT, _RIGHT = 760, 170, 120
_BAR, _STEP, _GAP, _TOP = 12, 15, 22, 80
_STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #57606a; }
.title { font-size: 15px; font-weight: 600; fill: #24292f; }
.name { font-weight: 600; fill: #24292f; }
.value { font-size: 11px; }
.axis { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 3 3; opacity: 0.5; }
.ours { fill: #2f81f7; } .numpy { fill: #bf8700; } .einsum { fill: #d4a72c; }
.tflm { fill: #8c959f; } .litert { fill: #a475f9; } .xnnpack { fill: #57ab5a; }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1; }
  .title, .name { fill: #e6edf3; }
}"""


def draw(run: Run) -> str:
    """Bars of the time of one run against TFLM's, in groups by model.

    Models that were not run, or not by TFLM, are left out.
    """
    results = [r for name in SHOWN if (r := run.named(name)) is not None and TFLM in r.timings]
    kinds = [kind for kind in _BARS if any(kind in result.timings for result in results)]
    height = _TOP + len(results) * (len(kinds) * _STEP + _GAP) + 26
    box = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">',
        "<title>Time of one run against TFLM</title>",
        f"<style>\n{_STYLE}\n</style>",
        _text(10, 22, "Time of one int8 inference, TFLM's compiled kernels = 1", "title"),
        *_legend(kinds),
    ]
    ratios = [
        found for r in results for kind in kinds if (found := r.ratio(kind, TFLM)) is not None
    ]
    span = min(_LONGEST, max(ratios, default=1.0))
    top = _TOP
    for result in results:
        lines += _group(result, kinds, top, span)
        top += len(kinds) * _STEP + _GAP
    axis = _x(1.0, span)
    lines += [
        f'<line class="axis" x1="{axis:.1f}" y1="{_TOP - 8}" x2="{axis:.1f}" y2="{top - 20}"/>',
        _text(10, height - 10, _conditions(run)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _x(ratio: float, span: float) -> float:
    """Where a bar ends; the longest is as long as `span`."""
    return _LEFT + min(ratio / span, 1.0) * (_WIDTH - _LEFT - _RIGHT)


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _legend(kinds: Sequence[str]) -> Iterator[str]:
    columns = 3
    for place, kind in enumerate(kinds):
        title, style = _BARS[kind]
        x, y = 10 + place % columns * 250, 36 + place // columns * 18
        yield f'<rect class="{style}" x="{x}" y="{y}" width="12" height="12" rx="2"/>'
        yield _text(x + 18, y + 10, title)


def _group(result: Result, kinds: Sequence[str], top: float, span: float) -> Iterator[str]:
    middle = top + len(kinds) * _STEP / 2
    yield _text(10, middle - 8, result.name.replace("_", " "), "name")
    yield _text(10, middle + 8, f"{result.macs / 1e6:.1f} million MACs")
    if REFERENCE in result.timings:
        definition = milliseconds(result.timings[REFERENCE].median)
        yield _text(10, middle + 24, f"tinyrt reference {definition} ms", "value")
    for place, kind in enumerate(kinds):
        timing, ratio = result.timings.get(kind), result.ratio(kind, TFLM)
        y = top + place * _STEP
        if timing is None or ratio is None:
            yield _text(_LEFT, y + 10, "absent", "value")
            continue
        end = _x(ratio, span)
        style = _BARS[kind][1]
        yield (
            f'<rect class="{style}" x="{_LEFT}" y="{y}" width="{end - _LEFT:.1f}" height="{_BAR}" '
            f'rx="2"><title>{escape(_BARS[kind][0])}</title></rect>'
        )
        cut = "… " if ratio > span else ""
        digits = ".2f" if ratio >= 0.1 else ".2g"
        value = f"{cut}{ratio:{digits}}×  {milliseconds(timing.median)} ms"
        yield _text(end + 6, y + 10, value, "value")


def _conditions(run: Run) -> str:
    facts = run.machine
    return (
        f"{facts['clock']} time, medians of interleaved rounds, one thread, tinyrt without NumPy; "
        f"{facts['python']}, {facts['processor']}"
    )
