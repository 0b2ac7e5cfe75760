"""The CMSIS-NN flavour against TFLM: models and layers, with the double or with another build."""

import random
from collections.abc import Iterator, Sequence

import tinyrt
from tests import oracle
from tests.corpus import ROOT
from tests.harness import assert_c_agrees
from tests.ops import draws, pairs, pools, test_concatenation, test_pack, test_pad, test_transpose
from tests.ops import test_conv_2d as conv_2d
from tests.ops import test_depthwise_conv_2d as depthwise_conv_2d
from tests.ops import test_fully_connected as fully_connected
from tests.ops import test_softmax as softmax
from tests.test_rewrite import random_windows
from tinyrt.emit import emit
from tinyrt.load import Program, with_cmsis_nn
from tinyrt.mcu.cases import Case
from tinyrt.mcu.library import Library, cmsis_nn
from tinyrt.plan import plan
from tinyrt.rewrite import fold_pads
from tinyrt.samples import random_inputs

FOLDER = ROOT / "tests" / "cmsis_nn_double"
DOUBLE = cmsis_nn(FOLDER)
ROWS = ((8, 5, 2), (15, 3, 2), (6, 2, 3), (9, 4, 1), (1, 2, 1), (13, 2, 2), (5, 3, 4), (12, 7, 3))
"""Width, taps and stride of convolutions over one row."""


def prepared(model: bytes, *, rewritten: bool = False) -> Program:
    """A model in the flavour."""
    program = tinyrt.load(model)
    return with_cmsis_nn(fold_pads(program) if rewritten else program)


def layers(rng: random.Random, count: int) -> Iterator[bytes]:
    """Random layers of every kind that the library computes, `count` of each."""
    shape = (2, 3, 5, 4)
    for _ in range(count):
        yield conv_2d.layer(rng)
        yield conv_2d.layer(rng, groups=1, group_inputs=rng.randint(8, 40), group_outputs=9)
        yield depthwise_conv_2d.layer(rng)
        yield depthwise_conv_2d.layer(rng, depth=1, multiplier=rng.choice((2, 4, 9)))
        yield depthwise_conv_2d.layer(
            rng,
            kernel=(3, 3),
            dilations=(1, 1),
            batches=1,
            multiplier=1,
            depth=rng.choice((4, 9, 130)),
        )
        yield fully_connected.layer(rng)
        depth = rng.randint(16, 80)
        yield fully_connected.layer(rng, filter=(rng.randint(1, 9), depth), shape=(2, depth))
        yield pools.random_layer("AVERAGE_POOL_2D", rng)
        yield pools.random_layer("MAX_POOL_2D", rng)
        yield pairs.random_int8("ADD", rng, shapes=(shape, shape))
        yield pairs.random_int8("MUL", rng, shapes=(shape, shape))
        yield pairs.random_int8(rng.choice(("ADD", "MUL")), rng)
        yield softmax.softmax((3, rng.choice((1, 7, 30))), 10 ** rng.uniform(-3, 0))
        yield test_pad.random_pad(rng, "int8")
        yield test_concatenation.random_join(rng, "int8")
        yield test_pack.random_stack(rng, "int8")
        sizes = tuple(rng.randint(1, 9) for _ in range(rng.randint(1, 5)))
        yield test_transpose.transpose(sizes, tuple(rng.sample(range(len(sizes)), len(sizes))))


def rows(rng: random.Random) -> Iterator[bytes]:
    """Convolutions over one row, whose windows the library does not all get right."""
    for width, taps, stride in ROWS:
        for padding in ("SAME", "VALID"):
            row = {
                "size": (1, width),
                "kernel": (1, taps),
                "strides": (1, stride),
                "dilations": (1, 1),
                "padding": padding,
            }
            if draws.window_output(width, taps, stride, 1, padding) > 0:
                yield conv_2d.layer(rng, **row, groups=1, group_inputs=4)
                yield depthwise_conv_2d.layer(rng, **row, depth=1, multiplier=3)


def padded(rng: random.Random, count: int) -> list[bytes]:
    """Models whose convolutions and pools get any padding once they are rewritten."""
    return [random_windows(rng) for _ in range(count)]


def assert_agrees(
    models: Sequence[bytes],
    targets: Sequence[str],
    library: Library = DOUBLE,
    styles: Sequence[str] = ("uniform", "edges"),
    *,
    rewritten: bool = False,
) -> None:
    """Assert that the emitted calls give every tensor that TFLM computes, on these targets."""
    cases, expected = [], []
    for number, model in enumerate(models):
        program = prepared(model, rewritten=rewritten)
        runs = tuple(
            random_inputs(program.graph, seed + number, style) for seed, style in enumerate(styles)
        )
        truths = [oracle.every_tensor(model, program, inputs) for inputs in runs]
        project = emit(program, plan(program), f"model_{number}", "model.tflite")
        cases.append(Case(project, runs))
        expected.append((program, truths))
    for target in targets:
        assert_c_agrees(target, cases, expected, library)
