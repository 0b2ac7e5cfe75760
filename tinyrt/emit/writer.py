"""C text: identifiers, literals, arrays, comments. Knows nothing of models."""

import math
import re
import struct
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from tinyrt.fixedpoint import float32

VALUES_PER_LINE = 12
LINE_WIDTH = 100
_GREATEST_SINGLE = float(2**128 - 2**104)
_KEYWORDS = re.compile(
    "auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|"
    "inline|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef|"
    "union|unsigned|void|volatile|while"
)


def identifier(text: str) -> str:
    """A C identifier in lower case that resembles the text."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "unnamed"
    return f"_{name}" if name[0].isdigit() or _KEYWORDS.fullmatch(name) else name


_TAKEN_BY_HEADERS = frozenset(
    (
        *("assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits"),
        *("locale", "math", "setjmp", "signal", "stdarg", "stdbool", "stddef", "stdint", "stdio"),
        *("stdlib", "string", "tgmath", "time", "wchar", "wctype"),
        *("all", "clean", "example", "install", "main", "test"),
    )
)
"""Names of libc's headers, which a model's own would hide, and of build targets."""


def model_name(text: str, kernels: Iterable[str]) -> str:
    """The identifier of a model; its files must not hide a kernel's, or libc's."""
    name = identifier(text)
    return f"{name}_model" if name in _TAKEN_BY_HEADERS or name in set(kernels) else name


def short_name(text: str) -> str:
    """The last two parts of a path-like name: what tells `model/block_3/dw/Relu` from others."""
    return "/".join(text.partition(";")[0].split("/")[-2:])


class Names:
    """Gives each text an identifier of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, text: str) -> str:
        """An identifier that no earlier call has given."""
        base = name = identifier(text)
        number = 2
        while name in self._taken:
            name = f"{base}_{number}"
            number += 1
        self._taken.add(name)
        return name


def integer(value: int, element: str) -> str:
    """A literal of an integer type; the least value of a type has no literal of its own."""
    if element == "int32_t" and value == -(1 << 31):
        return "INT32_MIN"
    if element == "int64_t":
        return "INT64_MIN" if value == -(1 << 63) else f"INT64_C({value})"
    return str(value)


def single(value: float) -> str:
    """A `float` literal of exactly this value, in the fewest digits."""
    if math.isnan(value):
        return "(0.0f / 0.0f)"
    if math.isinf(value):
        return "(1.0f / 0.0f)" if value > 0 else "(-1.0f / 0.0f)"
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        # Few digits of the greatest singles round up beyond what a single holds.
        if abs(float(text)) <= _GREATEST_SINGLE and float32(float(text)) == value:
            break
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def single_of_bits(bits: int) -> float:
    """The single whose bit pattern is an int32."""
    return float(struct.unpack("<f", struct.pack("<i", bits))[0])


def array(name: str, element: str, values: Sequence[int | float]) -> Iterator[str]:
    """The definition of a constant array, a dozen values a line where they fit."""
    yield f"static const {element} {name}[{len(values)}] = {{"
    literals = [
        single(float(value)) if element == "float" else integer(int(value), element)
        for value in values
    ]
    width = max(map(len, literals), default=0)
    a_line = min(VALUES_PER_LINE, (LINE_WIDTH - 4) // (width + 2))
    for start in range(0, len(literals), a_line):
        yield f"    {', '.join(text.rjust(width) for text in literals[start : start + a_line])},"
    yield "};"


def comment_text(text: str) -> str:
    """Text that can stand inside a comment, whatever a file called its tensors."""
    printable = text.encode("ascii", "replace").decode()
    return re.sub(r"[^ -~]", "?", printable).replace("*/", "* /").replace("/*", "/ *")


def filled(text: str) -> list[str]:
    """Text broken into lines that a comment takes."""
    return textwrap.wrap(comment_text(text), LINE_WIDTH - 6, break_on_hyphens=False)


def comment(lines: Iterable[str]) -> Iterator[str]:
    """A block comment; one line stays one."""
    texts = [comment_text(line) for line in lines]
    if len(texts) == 1:
        yield f"/* {texts[0]} */"
        return
    yield f"/* {texts[0]}".rstrip()
    yield from (f" * {text}".rstrip() for text in texts[1:])
    yield " */"


def array_argument(pointer: str, elements: Sequence[str]) -> list[str]:
    """A compound literal of pointers, as pieces between which a call may be broken."""
    first, last = f"({pointer}[]){{{elements[0]}", "}"
    pieces = [first, *elements[1:]]
    pieces[-1] += last
    return pieces


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: str) -> Iterator[str]:
    """Columns of text under a header; `right` has an `r` for each column that is a number."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = [
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def wrapped(
    head: str, arguments: Sequence[str], tail: str, width: int = LINE_WIDTH
) -> Iterator[str]:
    """A call, broken between arguments where it is too long for a line."""
    line = head
    indent = " " * len(head)
    for number, argument in enumerate(arguments):
        text = argument + (tail if number == len(arguments) - 1 else ",")
        if line.strip() and line != head and len(line) + 1 + len(text) > width:
            yield line
            line = indent + text
        else:
            line += text if line == head else f" {text}"
    yield line
