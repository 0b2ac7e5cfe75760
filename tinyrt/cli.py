"""The command line: `tinyrt run · info · plan · emit · verify · profile`."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

import tinyrt
from tinyrt import forms, planning, profiles, report
from tinyrt.emit import emit, writer
from tinyrt.errors import InputError, TinyrtError
from tinyrt.interpreter import Interpreter, read_model
from tinyrt.load import Flavour, Program
from tinyrt.mcu.certify import Verdict, sample_runs, verify
from tinyrt.mcu.library import Library, cmsis_nn
from tinyrt.mcu.profile import Subject, profile
from tinyrt.mcu.targets import TARGETS, Target, target_named
from tinyrt.samples import random_inputs
from tinyrt.timing import time_operators

EXIT_FAILED = 1
PYTHON = "python"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0, or 1 where the command failed or executors disagree. Wrong usage
        leaves with status 2.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except TinyrtError as error:
        first, *more = str(error).splitlines() or ["unknown error"]
        rest = f" (and {len(more)} more: see tinyrt info)" if more and options.brief else ""
        print(f"tinyrt: {first}{rest}", file=sys.stderr)
        if not options.brief:
            for line in more:
                print(f"  {line}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tinyrt",
        description="Quantized TFLite models on microcontrollers: run them in pure Python, plan "
        "their memory, emit them as C, and prove that all of it computes the same bytes.",
        epilog="Start with: tinyrt info MODEL.tflite",
    )
    parser.add_argument("--version", action="version", version=f"tinyrt {tinyrt.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    run = _command(commands, "run", _run, "run a model once in Python and show its outputs")
    _source(run)
    _kernels(run)
    forms.add_numerics(run)
    _json(run)

    info = _command(commands, "info", _info, "show what a model is made of", brief=False)
    _json(info)

    plan_ = _command(
        commands,
        "plan",
        _plan,
        "draw where each tensor lies in the arena, and say why no arena is smaller",
        optional=True,
    )
    planning.add_options(plan_)
    forms.add_rewrites(plan_)
    forms.add_strips(plan_)
    forms.add_regions(plan_)
    forms.add_code(plan_)
    _json(plan_)

    emit_ = _command(commands, "emit", _emit, "write a model as C99 with the kernels it uses")
    emit_.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write to")
    emit_.add_argument("--name", metavar="N", help="prefix of files and identifiers")
    forms.add_rewrites(emit_)
    forms.add_strips(emit_)
    forms.add_regions(emit_)
    forms.add_code(emit_)
    forms.add_numerics(emit_)

    verify_ = _command(
        commands,
        "verify",
        _verify,
        "build the emitted C, run it on this machine and on emulated cores, and compare every "
        "tensor with Python",
    )
    verify_.add_argument(
        "--target",
        action="append",
        choices=tuple(TARGETS),
        metavar="TARGET",
        help=f"where to run; may be repeated (default: all that are installed): "
        f"{', '.join(TARGETS)}",
    )
    verify_.add_argument(
        "--inputs", type=_positive, default=3, metavar="K", help="number of runs (default: 3)"
    )
    forms.add_rewrites(verify_)
    forms.add_strips(verify_)
    forms.add_regions(verify_)
    forms.add_code(verify_, builds=True)
    forms.add_numerics(verify_)
    _json(verify_)

    profile_ = _command(
        commands,
        "profile",
        _profile,
        "show what each operator takes: time in Python, or instructions on an emulated core",
    )
    cores = tuple(name for name, target in TARGETS.items() if target.machine is not None)
    profile_.add_argument(
        "--target",
        choices=(PYTHON, *cores),
        default=PYTHON,
        metavar="TARGET",
        help=f"where to run (default: {PYTHON}): {', '.join((PYTHON, *cores))}",
    )
    _source(profile_)
    _kernels(profile_)
    profile_.add_argument(
        "--rounds", type=_positive, metavar="N", help="timed runs (default: about two seconds)"
    )
    profile_.add_argument("--save", metavar="FILE", help="write the profile for a later --compare")
    profile_.add_argument("--compare", metavar="FILE", help="show what changed since --save FILE")
    forms.add_rewrites(profile_)
    forms.add_strips(profile_)
    forms.add_code(profile_, builds=True)
    forms.add_numerics(profile_)
    _json(profile_)
    return parser


def _command(
    commands: Any,
    name: str,
    run: Any,
    summary: str,
    *,
    brief: bool = True,
    optional: bool = False,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    nargs = "?" if optional else None
    parser.add_argument("model", metavar="MODEL", nargs=nargs, help="a .tflite file")
    parser.set_defaults(run=run, brief=brief)
    return parser


def _source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--input",
        action="append",
        metavar="FILE",
        help="raw little-endian bytes of an input; once for each input, in order",
    )
    source.add_argument(
        "--random", type=int, metavar="SEED", help="seeded random inputs (default: seed 0)"
    )


def _kernels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kernels",
        choices=("fast", "reference"),
        default="fast",
        help="Python's fast kernels, or the plain ones that define each operator (default: fast)",
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} (must be at least 1)")
    return value


def _library(options: argparse.Namespace, program: Program) -> Library | None:
    """The library that the emitted C is to be built with."""
    if program.flavour is Flavour.PORTABLE:
        return None
    if options.cmsis_nn is None:
        raise InputError(
            "--flavour cmsis-nn is built with CMSIS-NN: say where it is, --cmsis-nn DIR"
        )
    return cmsis_nn(Path(options.cmsis_nn))


def _print_json(facts: Any) -> None:
    print(json.dumps(facts, indent=2))


def _run(options: argparse.Namespace) -> int:
    program = forms.whole(options, forms.read(options))
    interpreter = Interpreter.of(program, kernels=options.kernels)
    interpreter.allocate_tensors()
    values, source = _inputs(options, interpreter.program)
    for index, value in values.items():
        interpreter.set_tensor(index, value)
    start = time.perf_counter()
    interpreter.invoke()
    seconds = time.perf_counter() - start
    if options.json:
        _print_json(report.run_facts(interpreter, seconds, source))
    else:
        report.show_run(Console(), interpreter, seconds, source)
    return 0


def _inputs(options: argparse.Namespace, program: Program) -> tuple[Mapping[int, bytes], str]:
    indices = program.graph.inputs
    if options.input is None:
        seed = options.random or 0
        return random_inputs(program.graph, seed), f"random, seed {seed}"
    if len(options.input) != len(indices):
        raise InputError(f"{len(options.input)} input files for {len(indices)} inputs of the model")
    contents = [read_model(path) for path in options.input]
    return dict(zip(indices, contents, strict=True)), ", ".join(options.input)


def _info(options: argparse.Namespace) -> int:
    program = forms.whole(options, forms.read(options))
    if options.json:
        _print_json(report.info_facts(program))
    else:
        report.show_info(Console(), program)
    return 0


def _plan(options: argparse.Namespace) -> int:
    planning.check_usage(options)
    if options.csv is not None:
        return planning.plan_csv(options)
    return planning.plan_model(options)


def _emit(options: argparse.Namespace) -> int:
    fit = forms.fitted(options, forms.read(options))
    model = Path(options.model)
    name = options.name or model.stem
    project = emit(fit.program, fit.plan, name, model.name, forms.flags(options))
    for path in project.write(Path(options.output)):
        print(path)
    return 0


def _verify(options: argparse.Namespace) -> int:
    original = forms.read(options)
    fit = forms.fitted(options, original)
    library = _library(options, fit.program)
    targets, missing = _targets(options.target)
    console = Console(stderr=True)
    runs = sample_runs(fit.program, options.inputs)
    name = writer.identifier(Path(options.model).stem)
    with tempfile.TemporaryDirectory() as folder, console.status("") as status:
        verdicts = verify(
            fit.program,
            fit.plan,
            targets,
            runs,
            Path(folder),
            name=name,
            original=original,
            library=library,
            announce=status.update,
        )
    agree = all(verdict.agrees for verdict in verdicts)
    if options.json:
        facts = [
            {
                "executor": v.executor,
                "agrees": v.agrees,
                "difference": v.difference,
                "tensors": v.tensors,
                "seconds": v.seconds,
            }
            for v in verdicts
        ]
        _print_json({"agrees": agree, "executors": facts, "not_installed": missing})
    else:
        _show_verdicts(Console(), verdicts, missing)
    return 0 if agree else EXIT_FAILED


def _targets(names: Sequence[str] | None) -> tuple[tuple[Target, ...], list[str]]:
    """The targets asked for, or all that are installed with a line for each that is not."""
    if names is not None:
        return tuple(target_named(name) for name in dict.fromkeys(names)), []
    missing = [line for target in TARGETS.values() if (line := target.missing()) is not None]
    return tuple(t for t in TARGETS.values() if t.missing() is None), missing


def _show_verdicts(console: Console, verdicts: Sequence[Verdict], missing: Sequence[str]) -> None:
    for verdict in verdicts:
        if verdict.agrees:
            text = f"[green]same[/]      {verdict.tensors} tensors"
        else:
            text = f"[red]DIFFERENT[/] first in {verdict.difference}"
        console.print(f"{verdict.executor:<18} {text}  ({verdict.seconds:.1f} s)", highlight=False)
    for line in missing:
        console.print(f"not run: {line}", highlight=False, markup=False)
    if all(verdict.agrees for verdict in verdicts):
        console.print("[bold green]bit-identical to Python's reference kernels everywhere[/]")


def _profile(options: argparse.Namespace) -> int:
    before = profiles.Record.read(Path(options.compare)) if options.compare else None
    record = _profiled(options)
    found = profiles.changes(before, record) if before else ()
    if options.save:
        record.save(Path(options.save))
    if options.json:
        _print_json(
            record.as_json()
            | ({"compared": profiles.changes_json(before, found)} if before else {})
        )
        return 0
    console = Console()
    profiles.show(console, record)
    if before:
        profiles.show_changes(console, before, found)
    return 0


def _profiled(options: argparse.Namespace) -> profiles.Record:
    program = forms.read(options)
    values, source = _inputs(options, program)
    model = Path(options.model)
    if options.target == PYTHON:
        # To save memory is of no use here, unless that is what is to be looked at.
        in_strips = options.arena_limit is not None
        program = (
            forms.fitted(options, program).program if in_strips else forms.whole(options, program)
        )
        interpreter = Interpreter.of(program, kernels=options.kernels)
        timing = time_operators(interpreter, values, options.rounds)
        return profiles.Record.of_timing(model.name, timing, options.kernels, source)
    fit = forms.fitted(options, program)
    library = _library(options, fit.program)
    project = emit(fit.program, fit.plan, model.stem, model.name)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, console.status("building and counting"):
        subject = Subject(fit.program, fit.plan, project, values)
        target = target_named(options.target)
        (counts,) = profile(target, (subject,), Path(folder), library=library)
    return profiles.Record.of_profile(model.name, counts, source)
