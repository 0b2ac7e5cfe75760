"""The least height of small packing problems, by trying every offset: no theory, no cleverness."""

import itertools

from tinyrt.plan.problem import Buffer, Diagonal, Direction, Problem


def least_height(problem: Problem) -> int:
    """The least height over all directions and offsets (alignment 1, no pieces of wholes)."""
    assert problem.alignment == 1
    operators = sorted({pair.operator for pair in problem.diagonals})
    choices = itertools.product(Direction, repeat=len(operators))
    return min(_least(problem, dict(zip(operators, choice, strict=True))) for choice in choices)


def _least(problem: Problem, walks: dict[int, Direction]) -> int:
    height = max((buffer.size for buffer in problem.buffers), default=0)
    while not _fits(problem, walks, height, []):
        height += 1
    return height


def _fits(problem: Problem, walks: dict[int, Direction], height: int, placed: list[int]) -> bool:
    if len(placed) == len(problem.buffers):
        return True
    size = problem.buffers[len(placed)].size
    for offset in range(height - size + 1):
        placed.append(offset)
        if all(
            allowed(problem, walks, placed, other) for other in range(len(placed) - 1)
        ) and _fits(problem, walks, height, placed):
            return True
        placed.pop()
    return False


def allowed(problem: Problem, walks: dict[int, Direction], placed: list[int], other: int) -> bool:
    """Whether the buffer placed last and an earlier one may lie as they do."""
    number = len(placed) - 1
    one, two = problem.buffers[number], problem.buffers[other]
    if not _together(one, two):
        return True
    if placed[number] + one.size <= placed[other] or placed[other] + two.size <= placed[number]:
        return True
    return any(
        _safe(problem, pair, walks[pair.operator], placed)
        for pair in problem.diagonals
        if {pair.source, pair.target} == {number, other}
    )


def _together(one: Buffer, two: Buffer) -> bool:
    return any(two.lower <= time < two.upper for time in range(one.lower, one.upper))


def _safe(problem: Problem, pair: Diagonal, walk: Direction, placed: list[int]) -> bool:
    source, target = placed[pair.source], placed[pair.target]
    if walk is Direction.FORWARD:
        return pair.forward is not None and target <= source - pair.forward
    end = source + problem.buffers[pair.source].size
    reached = target + problem.buffers[pair.target].size
    return pair.backward is not None and reached >= end + pair.backward
