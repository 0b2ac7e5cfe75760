"""Random prepared operators, without a file: fast kernels against their reference twins."""

import random
from collections.abc import Sequence
from typing import Any

from tinyrt.fixedpoint import Numerics
from tinyrt.kernel import Kernel, Value
from tinyrt.ops.conv_2d import Conv2D
from tinyrt.ops.depthwise_conv_2d import DepthwiseConv2D

PROFILES = tuple(Numerics)
STYLES = ("uniform", "edges", "low", "high", "sparse")


def content(rng: random.Random, size: int, style: str, zero_point: int = -128) -> bytes:
    """int8 values: uniform, extremes mixed, all at one extreme, or mostly the zero-point."""
    if style == "uniform":
        return rng.randbytes(size)
    if style == "edges":
        return bytes(rng.choice((0x80, 0x7F, 0x81, 0, 0xFF)) for _ in range(size))
    if style == "sparse":
        zero = zero_point & 0xFF
        return bytes(rng.choice((zero, zero, zero, rng.randrange(256))) for _ in range(size))
    return (b"\x80" if style == "low" else b"\x7f") * size


def axis(rng: random.Random, fixed: dict[str, Any], name: str) -> tuple[int, ...]:
    """Size, kernel, stride, dilation, padding and output of one axis."""
    size = fixed.get(name, rng.randint(1, 9))
    kernel = fixed.get("kernel", rng.choice((1, 2, 3, 3, 5)))
    stride = fixed.get("stride", rng.choice((1, 1, 2, 3)))
    dilation = fixed.get("dilation", rng.choice((1, 1, 2)))
    effective = (kernel - 1) * dilation + 1
    if fixed.get("same", rng.random() < 0.6) or effective > size:
        output = -(-size // stride)
    else:
        output = (size - effective) // stride + 1
    return (
        size,
        kernel,
        stride,
        dilation,
        max(0, (output - 1) * stride + effective - size) // 2,
        (output),
    )


def scales(
    rng: random.Random, channels: int, taps: int, numerics: Numerics, factor: float | None = None
) -> dict[str, Any]:
    """Multipliers, shifts and output range: sums fill the range, or leave it, or hardly move."""
    shifts = []
    multipliers = []
    for _ in range(channels):
        want = (
            factor if factor is not None else 2.0 ** rng.uniform(-4, 3) / (40 * max(1, taps) ** 0.5)
        )
        shift = 0
        while want < 0.5:
            want, shift = want * 2, shift - 1
        while want >= 1:
            want, shift = want / 2, shift + 1
        multipliers.append(min((1 << 31) - 1, int(want * (1 << 31))))
        shifts.append(max(-31, shift))
    offset = rng.choice((-128, -128, rng.randint(-128, 127)))
    low = rng.choice((-128, offset))
    return {
        "output_offset": offset,
        "activation_min": low,
        "activation_max": rng.choice((127, 127, rng.randint(low, 127))),
        "multipliers": tuple(multipliers),
        "shifts": tuple(shifts),
        "numerics": numerics,
    }


def filter_bytes(rng: random.Random, size: int) -> bytes:
    """Weights: uniform, extreme, mostly zero, or nothing but zero."""
    style = rng.choice(("uniform", "uniform", "edges", "sparse", "zero"))
    if style == "zero":
        return bytes(size)
    return content(rng, size, style, 0)


def conv(rng: random.Random, **fixed: Any) -> Conv2D:
    """A random CONV_2D."""
    batches = fixed.get("batches", 1)
    h, kh, sh, dh, pt, oh = axis(rng, fixed, "height")
    w, kw, sw, dw, pl, ow = axis(rng, fixed, "width")
    groups = fixed.get("groups", rng.choice((1, 1, 1, 2)))
    depth = fixed.get("depth", groups * rng.choice((1, 2, 3, 8)))
    channels = fixed.get("channels", groups * rng.choice((1, 2, 5, 8)))
    taps = kh * kw * depth // groups
    reach = fixed.get("bias", rng.choice((0, 300, 20000)))
    return Conv2D(
        batches=batches,
        input_height=h,
        input_width=w,
        input_depth=depth,
        filter_height=kh,
        filter_width=kw,
        filter_depth=depth // groups,
        output_height=oh,
        output_width=ow,
        output_depth=channels,
        stride_height=sh,
        stride_width=sw,
        dilation_height=dh,
        dilation_width=dw,
        pad_top=pt,
        pad_left=pl,
        input_offset=fixed.get("input_offset", rng.choice((128, 128, rng.randint(-127, 128)))),
        filter=filter_bytes(rng, channels * taps),
        bias=tuple(rng.randint(-reach, reach) for _ in range(channels)),
        **scales(
            rng, channels, taps, fixed.get("numerics", rng.choice(PROFILES)), fixed.get("factor")
        ),
    )


def depthwise(rng: random.Random, **fixed: Any) -> DepthwiseConv2D:
    """A random DEPTHWISE_CONV_2D."""
    h, kh, sh, dh, pt, oh = axis(rng, fixed, "height")
    w, kw, sw, dw, pl, ow = axis(rng, fixed, "width")
    depth = fixed.get("depth", rng.choice((1, 2, 7)))
    multiplier = fixed.get("multiplier", rng.choice((1, 1, 2, 3)))
    channels = depth * multiplier
    reach = rng.choice((0, 300, 20000))
    return DepthwiseConv2D(
        batches=fixed.get("batches", 1),
        input_height=h,
        input_width=w,
        input_depth=depth,
        filter_height=kh,
        filter_width=kw,
        output_height=oh,
        output_width=ow,
        output_depth=channels,
        stride_height=sh,
        stride_width=sw,
        dilation_height=dh,
        dilation_width=dw,
        pad_top=pt,
        pad_left=pl,
        input_offset=fixed.get("input_offset", rng.choice((128, 128, rng.randint(-127, 128)))),
        filter=filter_bytes(rng, channels * kh * kw),
        bias=tuple(rng.randint(-reach, reach) for _ in range(channels)),
        **scales(rng, channels, kh * kw, fixed.get("numerics", rng.choice(PROFILES))),
    )


def assert_same(kernel: Kernel, operands: Sequence[Value], what: object = "") -> None:
    """Assert that the fast executor gives the reference's bytes."""
    wanted = [bytes(value) for value in kernel.reference(*operands)]
    found = [bytes(value) for value in kernel.fast()(*operands)]
    assert found == wanted, f"{what}\n{kernel}"[:3000]
