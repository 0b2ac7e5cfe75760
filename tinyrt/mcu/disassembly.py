"""What the linked code of a program says of each function: whom it calls, what stack it takes.

The compiler reports neither its own helpers (64-bit division, `memcpy`) nor what lies in archives;
the listing of the linked file has them all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrt.mcu.toolchain import find_tool, run_tool

LISTING_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Code:
    """One function as it was linked.

    Attributes:
        name: Its symbol; several static functions may have the same.
        callees: Addresses of the functions that it calls or jumps to.
        frame_bytes: Sum of all that its instructions take of the stack, whatever the branches.
        unclear: The first instruction that goes where a pointer says, or moves the stack pointer
            by what only a run can tell; None where there is none.
    """

    name: str
    callees: frozenset[int]
    frame_bytes: int
    unclear: str | None


def disassemble(objdump: str, elf: Path) -> Mapping[int, Code]:
    """Reads a program's functions, by address.

    Args:
        objdump: The disassembler for it, such as `arm-none-eabi-objdump`.
        elf: A linked program for an Arm M-profile or RISC-V core.

    Raises:
        ToolchainError: The disassembler is missing or fails.
    """
    command = [str(find_tool(objdump).path), "-d", "--no-show-raw-insn", str(elf)]
    bodies = dict(_bodies(run_tool(command, timeout=LISTING_TIMEOUT_SECONDS).stdout))
    return {
        address: Code(
            name=name,
            callees=frozenset(_jumps(instructions)) & bodies.keys() - {address}
            | ({address} if _calls_itself(address, instructions) else set()),
            frame_bytes=sum(map(taken_bytes, instructions)),
            unclear=next(filter(_UNCLEAR.search, instructions), None),
        )
        for address, (name, instructions) in bodies.items()
    }


_HEAD = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_INSTRUCTION = re.compile(r"^ *[0-9a-f]+:\t(.*)$")


def _bodies(listing: str) -> Iterator[tuple[int, tuple[str, list[str]]]]:
    """Address, name and instructions of every function, with one blank where there were more."""
    instructions: list[str] = []
    for line in listing.splitlines():
        if head := _HEAD.match(line):
            instructions = []
            yield int(head[1], 16), (head[2], instructions)
        elif found := _INSTRUCTION.match(line):
            instructions.append(" ".join(found[1].split()))


_PLACE = re.compile(r"\b([0-9a-f]+) <[^>+]+(?:\+0x([0-9a-f]+))?>")
# Named, because the listing takes some vector instructions for rarer kinds of branches.
_JUMP = re.compile(
    r"^(bl?|b(eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)[uz]?|cbn?z|jal?|jr|jalr)(\.[nw])? "
)
_CALL = re.compile(r"^(bl|jal|jalr) ")


def _jumps(instructions: Sequence[str]) -> Iterator[int]:
    """Where the functions begin that instructions jump into."""
    for instruction in instructions:
        if _JUMP.match(instruction) and (place := _PLACE.search(instruction)):
            yield int(place[1], 16) - int(place[2] or "0", 16)


def _calls_itself(address: int, instructions: Sequence[str]) -> bool:
    """Whether a function calls itself; what jumps to its own beginning is a loop."""
    return address in _jumps([line for line in instructions if _CALL.match(line)])


_UNCLEAR = re.compile(
    # Arm: through a register, or by loading the program counter from anywhere but the stack.
    r"^blx? (?!lr\b)(r\d+|ip|sl|fp|r9)\b|^bx (?!lr\b)|^mov(s|\.w)? pc, (?!lr\b)"
    r"|^ldr(\.w)? pc, \[(?!sp)"
    r"|^(sub|add|mov|bic|and)s?(\.w)? sp, (sp, )?(r\d+|sl|fp|ip)\b"
    # RISC-V: likewise.
    r"|^(jalr|jr|c\.jr|c\.jalr) (?!ra$)(?!.*<)|^(sub|add|mv|and) sp,(sp,)?[ast]\d"
)
_LIST = re.compile(r"^(push(?:\.w)?|vpush|stmdb(?:\.w)? sp!,|vstmdb sp!,) ?\{(.*)\}")
_LESS = re.compile(r"^(?:subw?|sub\.w) sp, (?:sp, )?#(\d+)|^(?:c\.)?add(?:i|i16sp)? sp,sp,-(\d+)")
_STORE = re.compile(r"^\w+(?:\.w)? .*\[sp, #-(\d+)\]!")


def taken_bytes(instruction: str) -> int:
    """How far an instruction moves the stack pointer down, by what it says.

    Args:
        instruction: As objdump lists it, such as `push {r4, lr}` or `sub sp, #76 @ 0x4c`.
    """
    if found := _LIST.match(instruction):
        return sum(map(_register_bytes, found[2].split(", ")))
    if found := _LESS.match(instruction):
        return int(found[1] or found[2])
    if found := _STORE.match(instruction):
        return int(found[1])
    return 0


def _register_bytes(registers: str) -> int:
    """The bytes of a register, or of a range of them, such as `d8-d15`."""
    first, _, last = registers.partition("-")
    count = int(last[1:]) - int(first[1:]) + 1 if last else 1
    return count * (8 if first.startswith("d") else 4)
