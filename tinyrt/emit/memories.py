"""The memories of an emitted model: one arena, or one for each region of the target."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyrt.emit import writer
from tinyrt.plan import Plan

ARENA_ALIGN = 16


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory that the caller of the model owns."""

    pointer: str
    """The parameter of `init`, the member of the context and the variable in `run`."""
    size_macro: str
    align_macro: str
    size: int
    """Bytes."""
    base: int
    """Where it begins in the plan."""
    region: str | None
    """Its name; None where there is one arena."""

    @property
    def parameters(self) -> tuple[str, str]:
        """Of `init`."""
        return f"void *{self.pointer}", f"size_t {self.pointer}_bytes"

    def declaration(self, name: str) -> str:
        """An array that will do."""
        return f"static TINYRT_ALIGNED({self.align_macro}) uint8_t {name}[{self.size_macro}];"


def memories_of(plan: Plan, macro: str) -> tuple[Memory, ...]:
    """What a model needs; regions that it does not use are left out.

    Args:
        plan: of the model.
        macro: prefix of the model's macros.
    """
    align = f"{macro}_ARENA_ALIGN"
    zones = [zone for zone in plan.regions if zone.size]
    if not zones:
        # A model of constants alone needs no memory, but C has no arrays of no bytes.
        size = max(plan.arena_bytes, ARENA_ALIGN)
        return (Memory("arena", f"{macro}_ARENA_SIZE", align, size, 0, None),)
    return tuple(
        Memory(
            f"{zone.region.name.lower()}_arena",
            f"{macro}_{zone.region.name.upper()}_ARENA_SIZE",
            align,
            zone.size,
            zone.base,
            zone.region.name,
        )
        for zone in zones
    )


def holder_of(memories: Sequence[Memory], offset: int) -> Memory:
    """The memory that a byte of the plan is in."""
    return next(m for m in reversed(memories) if offset >= m.base)


def macros(memories: Sequence[Memory]) -> Iterator[str]:
    """How large they are."""
    if memories[0].region is None:
        yield "/* Working memory, in bytes: all that the model needs besides a little stack. */"
    else:
        yield "/* Working memory in each region, in bytes: all that the model needs besides a"
        yield " * little stack. */"
    yield from (f"#define {memory.size_macro} {memory.size}" for memory in memories)
    yield f"#define {memories[0].align_macro} {ARENA_ALIGN}"


def init_head(name: str, memories: Sequence[Memory], end: str) -> Iterator[str]:
    """The declarator of `init`."""
    parameters = [text for memory in memories for text in memory.parameters]
    yield from writer.wrapped(f"int {name}_init(", [f"{name}_ctx *ctx", *parameters], end)


def init_note(memories: Sequence[Memory]) -> Iterator[str]:
    """What `init` is given, as a comment."""
    first = memories[0]
    if first.region is None:
        yield f"/* Takes {first.size_macro} bytes or more, aligned to {first.align_macro}, that"
        yield " * nobody else touches between the writing of inputs and the reading of outputs."
    else:
        regions = " and ".join(f"{m.size_macro} of {m.region}" for m in memories)
        text = (
            f"Takes bytes of each region, {regions} or more, aligned to {first.align_macro}, that "
            "nobody else touches between the writing of inputs and the reading of outputs."
        )
        for number, line in enumerate(writer.filled(text)):
            yield f"{' *' if number else '/*'} {line}"
    yield " * Returns TINYRT_OK (0), or a negative TINYRT_ERROR_ code and changes nothing. */"


def init_checks(memories: Sequence[Memory]) -> Iterator[str]:
    """What `init` refuses."""
    missing = " || ".join(f"{memory.pointer} == NULL" for memory in memories)
    yield f"    if (ctx == NULL || {missing}) {{"
    yield "        return TINYRT_ERROR_ARENA_NULL;"
    yield "    }"
    for memory in memories:
        yield f"    if ((uintptr_t){memory.pointer} % {memory.align_macro} != 0) {{"
        yield "        return TINYRT_ERROR_ARENA_MISALIGNED;"
        yield "    }"
    for memory in memories:
        yield f"    if ({memory.pointer}_bytes < {memory.size_macro}) {{"
        yield "        return TINYRT_ERROR_ARENA_TOO_SMALL;"
        yield "    }"


def opening(memories: Sequence[Memory], calls: Sequence[str]) -> Iterator[str]:
    """The beginning of `run`: the pointers that the calls use, and whether there was an `init`."""
    first = memories[0].pointer
    text = "\n".join(calls)
    used = [m for m in memories if re.search(rf"\b{m.pointer} \+ \d", text)]
    yield from (
        f"    int8_t *const {m.pointer} = ctx == NULL ? NULL : ctx->{m.pointer};" for m in used
    )
    if memories[0] in used:
        yield f"    if ({first} == NULL) {{"
    else:
        yield f"    if (ctx == NULL || ctx->{first} == NULL) {{"


def init_arguments(names: Sequence[str]) -> list[str]:
    """What `init` is called with, given the names of arrays."""
    return ["&ctx", *(text for name in names for text in (name, f"sizeof {name}"))]


def arrays(memories: Sequence[Memory]) -> tuple[str, ...]:
    """Names for arrays in programs that call the model."""
    return tuple(f"memory_{number}" for number in range(len(memories)))


def refusals(name: str, memories: Sequence[Memory]) -> Iterator[str]:
    """Conditions in C: `init` takes what no model must take, or refuses what it must take."""
    names = arrays(memories)
    for number, array in enumerate(names):
        pairs = [f"{other}, sizeof {other}" for other in names]
        cases = (
            (f"{array}, sizeof {array} - 1", "TINYRT_ERROR_ARENA_TOO_SMALL"),
            (f"{array} + 1, sizeof {array}", "TINYRT_ERROR_ARENA_MISALIGNED"),
            (f"NULL, sizeof {array}", "TINYRT_ERROR_ARENA_NULL"),
        )
        for wrong, error in cases:
            given = ", ".join([*pairs[:number], wrong, *pairs[number + 1 :]])
            yield f"{name}_init(&ctx, {given}) != {error}"
    yield f"{name}_init({', '.join(init_arguments(names))}) != TINYRT_OK"
