"""MAX_POOL_2D: geometry, activations, and what is refused."""

import pytest

import tinyrt
from tests.ops import pools
from tinyrt.errors import UnsupportedError

OPCODE = "MAX_POOL_2D"
REFUSED = pools.refused(OPCODE)


def test_layers() -> None:
    pools.check(OPCODE, 71)


@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str) -> None:
    with pytest.raises(UnsupportedError, match=rule):
        tinyrt.load(REFUSED[rule])
