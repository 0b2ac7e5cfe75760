"""A bound on stack depth: frames as GCC reports them, calls as they stand in the linked program."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyrt.errors import ToolchainError
from tinyrt.mcu.build import Image
from tinyrt.mcu.disassembly import Code, disassemble
from tinyrt.mcu.elf import functions

# `-fcallgraph-info=su` writes one line a function that is defined there, with the size of its
# frame in the label; "dynamic" frames have no size that the compiler knows.  Of the calls only
# those through pointers are taken from there: the linked program has all others.
_NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \((\w+)[^)]*\)"')
_INDIRECT = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "__indirect_call"')


@dataclass(frozen=True, slots=True)
class StackBound:
    """How deep the stack can get below the caller of a function.

    Attributes:
        size_bytes: Sum of the frames on the deepest chain of calls.
        chain: That chain, outermost function first.
    """

    size_bytes: int
    chain: tuple[str, ...]


def stack_bound(image: Image, function: str) -> StackBound:
    """Returns the static bound of the stack that a call of `function` takes.

    What is called from the compiler's own library, or from archives, counts too: its frames are
    read from its instructions.

    Args:
        image: Built by GCC for an emulated core.
        function: A function that is linked.

    Raises:
        ToolchainError: The compiler left no report, or the function is not there; or there is no
            bound, because a function on the way calls itself, calls through a pointer, or has a
            frame whose size only a run can tell.
    """
    frames, unbounded = _reports(image)
    codes = disassemble(image.target.objdump, image.elf)
    symbols = functions(image.elf)
    places = {symbol.address: (symbol.file, symbol.name) for symbol in symbols}
    graph = _Graph(codes, {}, {})
    for address, code in codes.items():
        place = places.get(address, ("", code.name))
        graph.frames[address] = frames.get(place, code.frame_bytes)
        if place in unbounded:
            graph.unbounded[address] = unbounded[place]
        elif place not in frames and code.unclear is not None:
            graph.unbounded[address] = f"{code.unclear}: its stack has no bound"
    root = next((symbol.address for symbol in symbols if symbol.name == function), None)
    if root is None:
        raise ToolchainError(f"{image.elf.name}: no function {function} in it")
    return graph.deepest(root, ())


_Place = tuple[str, str]
"""A function: the name of its source where it is static, else nothing; and its own name."""


def _reports(image: Image) -> tuple[Mapping[_Place, int], Mapping[_Place, str]]:
    """What the compiler says: the bytes of frames, and why some functions have no bound."""
    frames: dict[_Place, int] = {}
    unbounded: dict[_Place, str] = {}
    for source, output in zip(image.sources, image.objects, strict=True):
        report = output.with_suffix(".ci")
        if not report.exists():
            raise ToolchainError(f"{image.target.compiler} left no report of the stack")
        for line in report.read_text(encoding="utf-8", errors="replace").splitlines():
            if node := _NODE.match(line):
                place = _place(source.name, node[1])
                # Sources of one name may have static functions of one name: the larger counts.
                frames[place] = max(int(node[2]), frames.get(place, 0))
                if node[3] == "dynamic" and "bounded" not in node[0]:
                    unbounded[place] = "the size of its frame has no bound"
            elif edge := _INDIRECT.match(line):
                text = "it calls through a pointer: its stack has no bound"
                unbounded[_place(source.name, edge[1])] = text
    return frames, unbounded


def _place(source: str, title: str) -> _Place:
    """The title of a static function has a file in front: where it is declared, maybe a header."""
    file, _, name = title.rpartition(":")
    return (source if file else ""), name


@dataclass(frozen=True, slots=True)
class _Graph:
    """The functions of a program, by address."""

    codes: Mapping[int, Code]
    frames: dict[int, int]
    unbounded: dict[int, str]
    done: dict[int, StackBound] = field(default_factory=dict)

    def deepest(self, address: int, callers: tuple[int, ...]) -> StackBound:
        """The bound of a function that is called by others, outermost first."""
        name = self.codes[address].name
        if address in callers:
            raise ToolchainError(f"{name} calls itself: its stack has no bound")
        if address in self.done:
            return self.done[address]
        if address in self.unbounded:
            raise ToolchainError(f"{name}: {self.unbounded[address]}")
        below = StackBound(0, ())
        for callee in sorted(self.codes[address].callees):
            inner = self.deepest(callee, (*callers, address))
            if inner.size_bytes >= below.size_bytes:
                below = inner
        found = StackBound(self.frames[address] + below.size_bytes, (name, *below.chain))
        self.done[address] = found
        return found
