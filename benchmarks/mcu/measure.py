"""Builds models and layers for emulated cores, a program for many of them, and counts."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import tinyrt
from benchmarks.mcu.grid import layers
from benchmarks.mcu.records import LayerCount, ModelCount, OperatorCount, Run
from tinyrt.emit import emit, writer
from tinyrt.load import Optimize, Program, lower
from tinyrt.mcu.profile import Profile, Subject, profile
from tinyrt.mcu.targets import TARGETS, Target
from tinyrt.mcu.toolchain import find_tool
from tinyrt.plan import plan
from tinyrt.plan.order import reorder
from tinyrt.rewrite import fold_pads
from tinyrt.samples import random_inputs
from tinyrt.strips import Fit, fit

CORES = tuple(name for name in TARGETS if name.startswith("cortex-m"))
DETAILED = ("cortex-m4", "cortex-m55")
"""Where operators are told apart, other ways to emit are tried, and layers are counted."""
COMPILER_OPTIMIZE = "-O2"
SEED = 0
"""Of the inputs: a few kernels take as many instructions as the data ask for."""


def tools(target: Target) -> Mapping[str, str]:
    """What counts with, by role: program and version.

    Raises:
        ToolchainError: one of them is missing.
    """
    found = [find_tool(name) for name in target.tools]
    return {
        role: f"{tool.name} {tool.version()}"
        for role, tool in zip(("compiler", "emulator"), found, strict=True)
    }


def whole(model: bytes, optimize: Optimize) -> Program:
    """A model as `tinyrt emit --no-strips` takes it unless it is told otherwise."""
    return reorder(lower(fold_pads(tinyrt.load(model)), optimize))


def emitted(model: bytes, optimize: Optimize) -> Fit:
    """A model with its plan, as `tinyrt emit` takes it unless it is told otherwise."""
    return fit(whole(model, optimize), lambda form: lower(form, optimize))


def floor_bytes(model: bytes) -> int:
    """The least arena that the planner knows a model to need whose operators run as wholes.

    Plain kernels take nothing more.
    """
    return plan(whole(model, Optimize.SIZE)).lower_bound_bytes


def subject(name: str, form: Fit) -> Subject:
    """A program ready to be counted."""
    project = emit(form.program, form.plan, name, f"{name}.tflite")
    return Subject(form.program, form.plan, project, random_inputs(form.program.graph, SEED))


def subjects(models: Mapping[str, bytes], optimize: Optimize) -> list[Subject]:
    """Models by name, emitted in one way."""
    return [subject(name, emitted(model, optimize)) for name, model in models.items()]


def count(
    target: Target, models: Sequence[Subject], *, per_operator: bool = False
) -> tuple[Profile, ...]:
    """The profiles of models on a core, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        return profile(
            target, models, Path(folder), per_operator=per_operator, optimize=COMPILER_OPTIMIZE
        )


def model_count(name: str, found: Profile) -> ModelCount:
    """A profile as a record."""
    return ModelCount(
        model=name,
        target=found.target,
        optimize=found.optimize,
        instructions=found.instructions,
        macs=found.macs,
        code_bytes=found.code_bytes,
        rodata_bytes=found.rodata_bytes,
        arena_bytes=found.arena_bytes,
        stack_bytes=found.stack_bytes,
        stack_bound=found.stack_bound,
    )


def measure(models: Mapping[str, bytes], announce: Callable[[str], None]) -> Run:
    """Everything.

    Args:
        models: the bytes of each model, by name.
        announce: told what is going on, for progress display.

    Raises:
        ToolchainError: compiler or emulator are missing or fail.
    """
    known = tools(TARGETS[CORES[0]])
    ways: dict[Optimize, list[Subject]] = {}
    for optimize in Optimize:
        announce(f"emitting {len(models)} models, --optimize {optimize.value}")
        ways[optimize] = subjects(models, optimize)
    whole: list[ModelCount] = []
    shares: list[OperatorCount] = []
    single: list[LayerCount] = []
    for core in CORES:
        target, detailed = TARGETS[core], core in DETAILED
        for optimize in Optimize if detailed else (Optimize.BALANCED,):
            announce(f"models, --optimize {optimize.value}, {core}")
            told_apart = detailed and optimize is Optimize.BALANCED
            found = count(target, ways[optimize], per_operator=told_apart)
            for name, one in zip(models, found, strict=True):
                whole.append(model_count(name, one))
                shares += _operators(name, one)
    layer_subjects = list(_layers(announce))
    for core in DETAILED:
        announce(f"{len(layer_subjects)} layers, {core}")
        profiles = count(TARGETS[core], [layer for _, layer in layer_subjects])
        for (name, layer), counted in zip(layer_subjects, profiles, strict=True):
            single.append(_layer_count(name, layer, counted))
    return Run(
        tools=known,
        models=tuple(sorted(whole, key=lambda one: one.key)),
        operators=tuple(sorted(shares, key=lambda one: one.key)),
        layers=tuple(sorted(single, key=lambda one: one.key)),
    )


def _operators(model: str, found: Profile) -> Iterator[OperatorCount]:
    for share in found.operators:
        yield OperatorCount(
            model, found.target, share.index, share.opcode, share.instructions, share.macs
        )


def _layers(announce: Callable[[str], None]) -> Iterator[tuple[str, Subject]]:
    """Every layer of the grid with all the working memory that helps it."""
    announce("building layers")
    for name, build in layers().items():
        program = lower(tinyrt.load(build()), Optimize.SPEED)
        yield name, subject(writer.identifier(name), Fit.of_whole(program))


def _layer_count(name: str, one: Subject, found: Profile) -> LayerCount:
    (step,) = one.program.steps
    tensors = one.program.graph.tensors
    return LayerCount(
        layer=name,
        target=found.target,
        kernel=step.code.c_name,
        instructions=found.instructions,
        macs=found.macs,
        outputs=sum(tensors[index].elements for index in step.results),
    )
