"""A bound on stack depth, from the frame sizes and calls that GCC reports for each object."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyrt.errors import ToolchainError
from tinyrt.mcu.build import Image

# `-fcallgraph-info=su` writes one line a node and one line a call.  The frame's size is in the
# label of what is defined there; "dynamic" frames have no size that the compiler knows.
_NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \((\w+)[^)]*\)"')
_EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


@dataclass(frozen=True, slots=True)
class StackBound:
    """How deep the stack can get below the caller of a function.

    Attributes:
        size_bytes: Sum of the frames on the deepest chain of calls.
        chain: That chain, outermost function first.
        outside: What is called and not among the image's sources, such as `memcpy`, or
            `__indirect_call` for a call through a pointer: its frame is not in `size_bytes`.
            The compiler's arithmetic helpers are not in it: GCC does not report calls to them.
    """

    size_bytes: int
    chain: tuple[str, ...]
    outside: frozenset[str]


def stack_bound(image: Image, function: str) -> StackBound:
    """Returns the static bound of the stack that a call of `function` takes.

    Args:
        image: Built by GCC.
        function: A function in one of its sources.

    Raises:
        ToolchainError: The compiler left no report, the function is not there, calls itself, or
            has a frame without a bound.
    """
    frames: dict[str, int] = {}
    calls: dict[str, list[str]] = {}
    for source in image.objects:
        report = source.with_suffix(".ci")
        if not report.exists():
            raise ToolchainError(f"{image.target.compiler} left no report of the stack")
        _read(report, frames, calls)
    # A static function's title has its file in front.
    root = next((title for title in frames if _plain(title) == function), None)
    if root is None:
        raise ToolchainError(f"{image.elf.name}: no function {function} in its sources")
    done: dict[str, StackBound] = {}
    return _deepest(root, frames, calls, done, ())


def _read(report: Path, frames: dict[str, int], calls: dict[str, list[str]]) -> None:
    for line in report.read_text(encoding="utf-8", errors="replace").splitlines():
        if node := _NODE.match(line):
            if node[3] == "dynamic" and "bounded" not in node[0]:
                raise ToolchainError(f"{_plain(node[1])}: the size of its frame has no bound")
            frames[node[1]] = int(node[2])
        elif edge := _EDGE.match(line):
            calls.setdefault(edge[1], []).append(edge[2])


def _deepest(
    title: str,
    frames: Mapping[str, int],
    calls: Mapping[str, list[str]],
    done: dict[str, StackBound],
    callers: tuple[str, ...],
) -> StackBound:
    if title in callers:
        raise ToolchainError(f"{_plain(title)} calls itself: its stack has no bound")
    if title not in done:
        below = StackBound(0, (), frozenset())
        outside: set[str] = set()
        for callee in dict.fromkeys(calls.get(title, ())):
            if callee not in frames:
                outside.add(callee)
                continue
            inner = _deepest(callee, frames, calls, done, (*callers, title))
            outside |= inner.outside
            if inner.size_bytes >= below.size_bytes:
                below = inner
        done[title] = StackBound(
            frames[title] + below.size_bytes, (_plain(title), *below.chain), frozenset(outside)
        )
    return done[title]


def _plain(title: str) -> str:
    return title.rpartition(":")[2]
