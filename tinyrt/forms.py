"""The form of a model that a command's options ask for: rewrites, order, kernels, strips."""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tinyrt.errors import InputError, PlanError
from tinyrt.interpreter import numerics_of, read_model
from tinyrt.load import Flavour, Optimize, Program, load, lower, with_cmsis_nn
from tinyrt.plan import check_room, plan
from tinyrt.plan.order import reorder
from tinyrt.plan.packing import Budget
from tinyrt.plan.regions import Region
from tinyrt.rewrite import fold_pads, integer_io
from tinyrt.strips import Fit, fit


def add_numerics(parser: argparse.ArgumentParser) -> None:
    """How to round."""
    parser.add_argument(
        "--numerics",
        choices=("tflm", "single"),
        default="tflm",
        help="rounding: as TFLM and CMSIS-NN (tflm), or as LiteRT's default kernels (single)",
    )


def add_rewrites(parser: argparse.ArgumentParser) -> None:
    """What need not be as in the file."""
    parser.add_argument(
        "--no-rewrites",
        action="store_true",
        help="keep every PAD, where otherwise windows reach beyond their input instead",
    )
    parser.add_argument(
        "--keep-order",
        action="store_true",
        help="run the operators in the order of the file, though another takes less memory",
    )
    parser.add_argument(
        "--int8-io",
        action="store_true",
        help="take and give integers: leave out QUANTIZE at float inputs, DEQUANTIZE at outputs",
    )


def add_strips(parser: argparse.ArgumentParser) -> None:
    """How small the arena must be."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--arena-limit",
        type=byte_count,
        metavar="BYTES",
        help="compute maps strip by strip, a few rows at a time, only if the arena is larger than "
        "this otherwise, in the fewest steps that do; fails if none do (default: in strips where "
        "each further call saves 64 bytes of the arena)",
    )
    group.add_argument(
        "--no-strips", action="store_true", help="run every operator in one step, never in strips"
    )


def add_regions(parser: argparse.ArgumentParser) -> None:
    """Which memories there are."""
    parser.add_argument(
        "--region",
        type=_region,
        action="append",
        metavar="NAME=BYTES[:COST]",
        help="a memory of the target; give several, the fastest first, and tensors are divided "
        "such that all fits and the bytes moved, each times the COST of its region, are least "
        "(default cost: twice that of the region before, 1 for the first)",
    )


def _region(text: str) -> tuple[str, int, int | None]:
    """Name, bytes and cost, as argparse takes a type."""
    match = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)=([0-9_]+)(?::([0-9]+))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=BYTES or NAME=BYTES:COST")
    name, size, cost = match.groups()
    return name, byte_count(size), None if cost is None else int(cost)


def regions(options: argparse.Namespace) -> tuple[Region, ...]:
    """The memories that are given.

    Raises:
        InputError: two have the same name.
    """
    found: list[Region] = []
    for name, size, cost in (options.region or ()) if "region" in options else ():
        if any(name.lower() == other.name.lower() for other in found):
            raise InputError(f"--region {name}: given twice")
        usual = 2 * found[-1].cost if found else 1
        found.append(Region(name, size, usual if cost is None else cost))
    return tuple(found)


def add_code(parser: argparse.ArgumentParser, *, builds: bool = False) -> None:
    """Which kernels the C calls.

    Args:
        parser: of the command.
        builds: whether the command builds the C itself.
    """
    parser.add_argument(
        "--flavour",
        choices=tuple(flavour.value for flavour in Flavour),
        default=Flavour.PORTABLE.value,
        help="whose kernels the C calls: tinyrt's own (portable, the default), or Arm's CMSIS-NN "
        "wherever it computes the same",
    )
    parser.add_argument(
        "--optimize",
        choices=tuple(choice.value for choice in Optimize),
        default=Optimize.BALANCED.value,
        help="what tinyrt's kernels save: code (size), instructions (balanced, the default), or "
        "instructions at the price of working memory (speed)",
    )
    if builds:
        parser.add_argument(
            "--cmsis-nn", metavar="DIR", help="your checkout of CMSIS-NN, for --flavour cmsis-nn"
        )


def byte_count(text: str) -> int:
    """A number of bytes, perhaps with underscores, as argparse takes a type."""
    digits = text.replace("_", "")
    if not digits.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes")
    return int(digits)


def read(options: argparse.Namespace) -> Program:
    """The model with the inputs and outputs that are asked for."""
    numerics = options.numerics if "numerics" in options else "tflm"
    program = load(read_model(options.model), numerics_of(numerics))
    return integer_io(program) if "int8_io" in options and options.int8_io else program


def whole(options: argparse.Namespace, program: Program) -> Program:
    """The program with all else that is asked for, every operator in one step."""
    if "no_rewrites" in options and not options.no_rewrites:
        program = fold_pads(program)
    program = _with_code(options, program)
    if "keep_order" in options and not options.keep_order:
        program = reorder(program)
    return program


def fitted(options: argparse.Namespace, program: Program) -> Fit:
    """The same with its plan, in strips where that is asked for, and divided among regions."""
    program = whole(options, program)
    if options.no_strips:
        found = Fit.of_whole(program)
    else:
        found = fit(program, lambda form: _with_code(options, form), options.arena_limit)
    memories = regions(options)
    if len(memories) < 2:
        for region in memories:
            check_room(found.plan, region)
        return found
    if options.arena_limit is not None or found.schedule is None:
        return _divided(found, memories)
    return _cheaper(replace(found, program=program, schedule=None), found, memories)


def _divided(form: Fit, memories: Sequence[Region]) -> Fit:
    """A form with its tensors divided among regions."""
    budget = Budget() if form.schedule is None else Budget(nodes=0)
    return replace(form, plan=plan(form.program, regions=memories, budget=budget))


def _cheaper(one: Fit, other: Fit, memories: Sequence[Region]) -> Fit:
    """Of two forms the one with less traffic where it is slow; the first, if both have as much."""
    try:
        first = _divided(one, memories)
    except PlanError:
        return _divided(other, memories)
    try:
        second = _divided(other, memories)
    except PlanError:
        return first
    return min(first, second, key=lambda form: form.plan.weighted_traffic)


def wholes(options: argparse.Namespace, program: Program) -> Mapping[str, int]:
    """Bytes of arena without strips, by the code that may be asked for."""
    choices = {choice.value: (Flavour.PORTABLE.value, choice.value) for choice in Optimize}
    choices[Flavour.CMSIS_NN.value] = Flavour.CMSIS_NN.value, options.optimize
    return {
        name: plan(
            whole(
                argparse.Namespace(**vars(options) | {"flavour": flavour, "optimize": optimize}),
                program,
            )
        ).arena_bytes
        for name, (flavour, optimize) in choices.items()
    }


def flags(options: argparse.Namespace) -> list[str]:
    """The options given that an emitted program does not show by itself."""
    switches = {
        "--no-rewrites": options.no_rewrites,
        "--keep-order": options.keep_order,
        "--int8-io": options.int8_io,
        "--no-strips": options.no_strips,
        f"--arena-limit {options.arena_limit}": options.arena_limit is not None,
    }
    memories = (f"--region {r.name}={r.capacity}:{r.cost}" for r in regions(options))
    return [*(flag for flag, on in switches.items() if on), *memories]


def _with_code(options: argparse.Namespace, program: Program) -> Program:
    """The kernels that are asked for."""
    if "flavour" in options and options.flavour == Flavour.CMSIS_NN.value:
        program = with_cmsis_nn(program)
    if "optimize" in options:
        program = lower(program, Optimize(options.optimize))
    return program
