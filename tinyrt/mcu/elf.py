"""Section sizes and symbols of an ELF file, read from its headers."""

import struct
from dataclasses import dataclass
from pathlib import Path

from tinyrt.errors import ToolchainError

_WRITE, _ALLOC, _EXECUTE = 1, 2, 4
_SYMBOL_TABLE, _NO_BITS = 2, 8
_FUNCTION, _FILE = 2, 4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of a piece of program by what they are.

    Attributes:
        code_bytes: Instructions, with the literals among them.
        rodata_bytes: Constants.
        data_bytes: Variables with an initial value.
        bss_bytes: Variables that start as zero.
    """

    code_bytes: int = 0
    rodata_bytes: int = 0
    data_bytes: int = 0
    bss_bytes: int = 0

    @property
    def flash_bytes(self) -> int:
        """Code, constants and initial values: what non-volatile memory holds."""
        return self.code_bytes + self.rodata_bytes + self.data_bytes

    @property
    def ram_bytes(self) -> int:
        """Variables, initialised or zeroed; the stack is not among them."""
        return self.data_bytes + self.bss_bytes

    def __add__(self, other: "Sizes") -> "Sizes":
        """Returns the bytes of both pieces together."""
        return Sizes(
            self.code_bytes + other.code_bytes,
            self.rodata_bytes + other.rodata_bytes,
            self.data_bytes + other.data_bytes,
            self.bss_bytes + other.bss_bytes,
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One section header: name, type, flags and extent as the ELF specification has them."""

    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size_bytes: int
    link: int
    entry_bytes: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the linked program.

    Attributes:
        name: Its symbol.
        address: Without the Thumb bit.
        size_bytes: Of its code.
        file: Of a static one, the name of the source without its folder; else empty.
    """

    name: str
    address: int
    size_bytes: int
    file: str = ""


def read_sections(path: Path) -> tuple[Section, ...]:
    """Returns the section headers of a little-endian ELF file of 32 or 64 bits.

    Raises:
        ToolchainError: It is not one.
    """
    return _sections(path, path.read_bytes())


def section_sizes(path: Path) -> Sizes:
    """Returns the bytes of an ELF object or program by kind, from its section headers.

    Raises:
        ToolchainError: It is not an ELF file.
    """
    total = Sizes()
    for section in read_sections(path):
        total += _size_by_kind(section)
    return total


def functions(path: Path) -> tuple[Function, ...]:
    """Returns the functions of an ELF program in the order of their addresses.

    Raises:
        ToolchainError: It is not an ELF file.
    """
    image = path.read_bytes()
    sections = _sections(path, image)
    wide = image[4] == 2
    found = []
    for table in sections:
        if table.kind != _SYMBOL_TABLE:
            continue
        names = sections[table.link]
        file = ""  # local symbols follow that of their source
        for at in range(table.offset, table.offset + table.size_bytes, table.entry_bytes):
            if wide:
                name, info, _, _, value, size = struct.unpack_from("<IBBHQQ", image, at)
            else:
                name, value, size, info, _, _ = struct.unpack_from("<IIIBBH", image, at)
            if info & 15 == _FILE:
                file = _string(image, names.offset + name)
            elif info & 15 == _FUNCTION:
                text = _string(image, names.offset + name)
                found.append(Function(text, value & ~1, size, "" if info >> 4 else file))
    return tuple(sorted(found, key=lambda function: function.address))


def function_at(path: Path, address: int) -> str | None:
    """Returns the name of the function of the ELF program that holds `address`, if any does."""
    for function in functions(path):
        if function.address <= address < function.address + max(function.size_bytes, 1):
            return function.name
    return None


def _sections(path: Path, image: bytes) -> tuple[Section, ...]:
    if image[:4] != b"\x7fELF" or len(image) < 64 or image[5] != 1:
        raise ToolchainError(f"{path.name}: not a little-endian ELF file")
    try:
        if image[4] == 2:
            start, count, names_at = _header(image, "<40xQ10xHHH")
            raw = [struct.unpack_from("<IIQQQQIIQQ", image, start + 64 * i) for i in range(count)]
        else:
            start, count, names_at = _header(image, "<32xI10xHHH")
            raw = [struct.unpack_from("<10I", image, start + 40 * i) for i in range(count)]
        names = raw[names_at][4]
        return tuple(
            Section(_string(image, names + name), kind, flags, address, offset, size, link, entry)
            for name, kind, flags, address, offset, size, link, _, _, entry in raw
        )
    except (struct.error, IndexError, ValueError) as error:
        raise ToolchainError(f"{path.name}: broken ELF headers") from error


def _header(image: bytes, layout: str) -> tuple[int, int, int]:
    """Returns where the section headers start, how many there are, and which one names them."""
    start, _, count, names_at = struct.unpack_from(layout, image)
    return start, count, names_at


def _string(image: bytes, start: int) -> str:
    return image[start : image.index(b"\0", start)].decode("utf-8", "replace")


def _size_by_kind(section: Section) -> Sizes:
    size = section.size_bytes
    if not section.flags & _ALLOC:
        return Sizes()
    if section.kind == _NO_BITS:
        return Sizes(bss_bytes=size)
    if section.flags & _EXECUTE:
        return Sizes(code_bytes=size)
    if section.flags & _WRITE:
        return Sizes(data_bytes=size)
    return Sizes(rodata_bytes=size)
