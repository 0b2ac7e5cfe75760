"""STRIDED_SLICE: masks, strides of either sign, indices outside, types, and what is refused."""

import random
from typing import Any

import pytest

import tinyrt
from tests.builder import TensorSpec, single_operator
from tests.harness import agree
from tinyrt.errors import UnsupportedError


def q8(*shape: int, **options: Any) -> TensorSpec:
    return TensorSpec(shape, **{"scale": 0.5, "zero_point": -3, **options})


def indices(*values: int, **options: Any) -> TensorSpec:
    return TensorSpec(**{"shape": (len(values),), "dtype": "int32", "data": values, **options})


def strided(
    shape: tuple[int, ...],
    begin: tuple[int, ...],
    end: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: str = "int8",
    **masks: int,
) -> bytes:
    """A slice with the output that Python's own slicing says; the masks are the test's words."""
    sizes = []
    for axis, (size, first, last, step) in enumerate(zip(shape, begin, end, strides, strict=True)):
        if masks.get("shrink_axis_mask", 0) >> axis & 1:
            continue
        taken = slice(
            None if masks.get("begin_mask", 0) >> axis & 1 else first,
            None if masks.get("end_mask", 0) >> axis & 1 else last,
            step,
        )
        sizes.append(len(range(size)[taken]))
    return single_operator(
        "STRIDED_SLICE",
        [q8(*shape, dtype=dtype), indices(*begin), indices(*end), indices(*strides)],
        [q8(*sizes, dtype=dtype)],
        **masks,
    )


def random_slice(rng: random.Random, dtype: str) -> bytes:
    shape, begin, end, strides = [], [], [], []
    masks = {"begin_mask": 0, "end_mask": 0, "shrink_axis_mask": 0}
    for axis in range(rng.randint(1, 4)):
        shrink = rng.random() < 0.2
        while True:
            size, step = rng.randint(1, 6), rng.choice((1, 1, 2, 3, -1, -2, 7, -7))
            first, last = rng.randint(-size - 2, size + 2), rng.randint(-size - 2, size + 2)
            begin_mask, end_mask = rng.random() < 0.3, rng.random() < 0.3
            if shrink and step > 0 and not begin_mask and -size <= first < size:
                break
            taken = slice(None if begin_mask else first, None if end_mask else last, step)
            if not shrink and len(range(size)[taken]):
                break
        shape.append(size)
        begin.append(first)
        end.append(last)
        strides.append(step)
        masks["begin_mask"] |= begin_mask << axis
        masks["end_mask"] |= end_mask << axis
        masks["shrink_axis_mask"] |= shrink << axis
    return strided(tuple(shape), tuple(begin), tuple(end), tuple(strides), dtype, **masks)


def test_random_slices() -> None:
    rng = random.Random(101)
    types = ["int8"] * 24 + ["int16", "int32", "float32", "bool"] * 2
    agree([random_slice(rng, dtype) for dtype in types], seed=101, styles=("uniform",))


def test_edges() -> None:
    least, most = -(1 << 31), (1 << 31) - 1
    agree(
        [
            strided((5,), (0,), (1,), (1,), shrink_axis_mask=1),
            strided((5,), (-1,), (0,), (1,), shrink_axis_mask=1),
            strided((2, 5), (0, 4), (0, 4), (9, 1), begin_mask=1, shrink_axis_mask=3),
            strided((3, 5), (most, most), (least, least), (-1, -1)),
            strided((3, 5), (least, least), (most, most), (1, 2)),
            strided((3, 5), (2, -1), (2, 0), (9999, -9999), end_mask=3),
            strided((2, 3, 4, 5), (0, 2, 0, 4), (2, 0, 4, 0), (1, -1, 1, -1), end_mask=15),
        ],
        styles=("uniform",),
    )


@pytest.mark.parametrize(
    ("inputs", "masks", "message"),
    [
        ({}, {"ellipsis_mask": 2}, "ellipsis_mask 2, field at byte 0x.*The ellipsis_mask is not"),
        ({}, {"new_axis_mask": 1}, "new_axis_mask 1, field at byte 0x.*The new_axis_mask is not"),
        ({}, {"offset": True}, "offset True, field at byte 0x.*The offset is not set"),
        ({"strides": indices(1, 0)}, {}, r"strides \(1, 0\), shrink_axis_mask 0. No stride is 0"),
        ({"strides": indices(1, -1)}, {"shrink_axis_mask": 2}, "those of shrunk axes are positive"),
        ({"begin": indices(0, 3)}, {}, "take none of the 6 elements along axis 1"),
        ({"begin": indices(0, 6)}, {"shrink_axis_mask": 2}, "take none of the 6 elements along"),
        ({"strides": indices(1, -1)}, {}, "take none of the 6 elements along axis 1"),
        ({}, {"shrink_axis_mask": 1}, "must have shape 3\\)"),
        ({"begin": indices(0)}, {}, "begin .* .must have 2 elements"),
        ({"end": indices(0, 1, 2)}, {}, "end .* .must have 2 elements"),
        ({"strides": indices(1)}, {}, "strides tensor .* .must have 2 elements"),
        ({"begin": indices(0, 0, data=None)}, {}, "The begin is a constant"),
        ({"end": indices(0, 0, data=None)}, {}, "The end is a constant"),
        ({"strides": indices(0, 0, data=None)}, {}, "The strides tensor is a constant"),
        ({"begin": indices(0, 0, dtype="int64")}, {}, "The begin is int32"),
        ({"end": None}, {}, "The end is present"),
        ({"source": q8(1, 1, 1, 2, 6)}, {}, "The input has rank 1 or 2 or 3 or 4"),
        ({"source": q8(2, 6, dtype="int16")}, {}, "element type of the first input"),
    ],
)
def test_refused(inputs: dict[str, Any], masks: dict[str, Any], message: str) -> None:
    chosen = {
        "source": q8(2, 6),
        "begin": indices(0, 0),
        "end": indices(2, 3),
        "strides": indices(1, 1),
        **inputs,
    }
    with pytest.raises(UnsupportedError, match=message):
        tinyrt.load(single_operator("STRIDED_SLICE", list(chosen.values()), [q8(2, 3)], **masks))
