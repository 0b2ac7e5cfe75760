"""The distances of window operators, against every byte that they read and write in order."""

from random import Random

import pytest

from tinyrt.kernel import Touch
from tinyrt.walks import Walk, taps


def random_walk(random: Random) -> Walk:
    """Any window operator: strides, dilations, padding, groups, blocks."""
    height, width = random.randint(1, 6), random.randint(1, 6)
    axes = []
    for size in (height, width):
        window, stride = random.randint(1, 4), random.randint(1, 3)
        dilation = random.choice((1, 1, 2, 3))
        pad = random.randint(0, (window - 1) * dilation + 1)
        axes.append(taps(random.randint(1, 6), size, window, stride, dilation, pad))
    groups = random.choice((1, 1, 2, 3))
    return Walk(
        batches=random.choice((1, 1, 2, 3, 4)),
        rows=axes[0],
        columns=axes[1],
        input_height=height,
        input_width=width,
        input_bytes=groups * random.randint(1, 3),
        output_bytes=groups * random.randint(1, 3),
        groups=groups,
        block=random.choice((0, 0, 1, 3)),
    )


def sizes(walk: Walk) -> tuple[int, int]:
    """Bytes of input and output."""
    return (
        walk.batches * walk.input_height * walk.input_width * walk.input_bytes,
        walk.batches * len(walk.rows) * len(walk.columns) * walk.output_bytes,
    )


def least(touches: list[Touch], size: int, written: int, *, backward: bool) -> int:
    """The least distance from which on no byte is read after it has been written over."""
    distance = -size
    over: set[int] = set()
    for touch in touches:
        for byte in (byte for _, part in touch.reads for byte in part):
            for other in over:
                # The byte written lies over the byte read if the output begins `lead` before.
                lead = other - byte
                apart = written - size - lead if backward else lead
                distance = max(distance, apart + 1)
        over.update({min(touch.writes), max(touch.writes)})
        over = {min(over), max(over)}
    return distance


def usual(walk: Walk) -> bool:
    """Whether every window sees the input, and there are a few."""
    return all((*walk.rows, *walk.columns)) and min(len(walk.rows), len(walk.columns)) > 1


@pytest.mark.parametrize("seed", range(30))
def test_distances_are_exact(seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        walk = random_walk(random)
        found = walk.overlap(backward=True)
        for backward, distance in ((False, found.forward), (True, found.backward)):
            touches = list(walk.touches(backward=backward))
            exact = least(touches, *sizes(walk), backward=backward)
            assert distance is not None
            assert distance >= exact, walk
            if walk.block <= 1 and usual(walk):
                assert distance == exact, walk


@pytest.mark.parametrize("seed", range(10))
def test_every_byte_is_written_once_and_every_window_read(seed: int) -> None:
    random = Random(100 + seed)
    for _ in range(20):
        walk = random_walk(random)
        for backward in (False, True):
            touches = list(walk.touches(backward=backward))
            written = [byte for touch in touches for byte in touch.writes]
            assert sorted(written) == list(range(sizes(walk)[1]))
            rows = {y for rows in walk.rows for y in rows}
            columns = {x for columns in walk.columns for x in columns}
            read = {byte for touch in touches for _, part in touch.reads for byte in part}
            assert read == {
                ((image * walk.input_height + y) * walk.input_width + x) * walk.input_bytes + byte
                for image in range(walk.batches)
                for y in rows
                for x in columns
                for byte in range(walk.input_bytes)
            } or any(not taps_ for taps_ in (*walk.rows, *walk.columns))


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_taps_are_those_inside(dilation: int) -> None:
    for inputs in range(1, 8):
        for window in range(1, 5):
            for pad in range(6):
                for stride in (1, 2, 3):
                    for output, places in enumerate(taps(6, inputs, window, stride, dilation, pad)):
                        origin = output * stride - pad
                        wanted = [origin + tap * dilation for tap in range(window)]
                        assert list(places) == [place for place in wanted if 0 <= place < inputs]
