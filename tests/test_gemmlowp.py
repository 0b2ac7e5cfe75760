"""The fixed-point functions against their real counterparts, and their C twins against them.

Bit-exactness with TFLM is the business of the tests of SOFTMAX, LOGISTIC and TANH.
"""

import math
import random
import shutil
import subprocess
from pathlib import Path

from tinyrt import gemmlowp
from tinyrt.fixedpoint import INT32_MAX, INT32_MIN

KERNELS = Path(__file__).parent.parent / "kernels"
PROBE = """
#include <stdio.h>
#include "tinyrt_gemmlowp.h"
int main(void)
{
    long raw;
    while (scanf("%ld", &raw) == 1) {
        printf("%ld %ld\\n", (long)tinyrt_exp_on_negative_values_q5((int32_t)raw),
               (long)tinyrt_one_over_one_plus_x((int32_t)(-1 - raw)));
    }
    return 0;
}
"""


def negatives(count: int) -> list[int]:
    """Raw values below 1: the ends, each power of two with its neighbours, random ones."""
    rng = random.Random(5)
    powers = [-(1 << place) + near for place in range(1, 31) for near in (-1, 0, 1)]
    edges = [0, -1, INT32_MIN, INT32_MIN + 1, *powers]
    return edges + [-rng.getrandbits(rng.randint(1, 31)) - 1 for _ in range(count)]


def test_errors_against_the_real_functions() -> None:
    for raw in negatives(2000):
        for bits in range(1, 6):
            real = raw / (1 << (31 - bits))
            fixed = gemmlowp.exp_on_negative_values(raw, bits) / (1 << 31)
            assert abs(fixed - math.exp(real)) < 3e-7
            for value in (raw, min(-raw, INT32_MAX)):
                real = value / (1 << (31 - bits))
                logistic = gemmlowp.logistic(value, bits) / (1 << 31)
                assert abs(logistic - 1 / (1 + math.exp(-real))) < 2e-7
                if bits < 5:
                    tanh = gemmlowp.tanh(value, bits) / (1 << 31)
                    assert abs(tanh - math.tanh(real)) < 4e-7
        fraction = (-1 - raw) / (1 << 31) if raw else 0.0
        reciprocal = gemmlowp.one_over_one_plus_x(max(0, -1 - raw)) / (1 << 31)
        assert abs(reciprocal - 1 / (1 + fraction)) < 5e-9


def test_symmetry_and_ends() -> None:
    assert gemmlowp.exp_on_negative_values(0, 5) == INT32_MAX
    assert gemmlowp.one_over_one_plus_x(0) == INT32_MAX
    assert gemmlowp.logistic(0, 4) == 1 << 30
    for raw in negatives(300)[3:]:
        assert gemmlowp.tanh(-raw, 4) == -gemmlowp.tanh(raw, 4)
        assert gemmlowp.logistic(-raw, 4) + gemmlowp.logistic(raw, 4) == INT32_MAX


def test_c_twin(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler is not None, "no C compiler"
    source, program = tmp_path / "probe.c", tmp_path / "probe"
    source.write_text(PROBE)
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = [compiler, *flags, *sanitizers, f"-I{KERNELS}", str(source), "-o", str(program)]
    subprocess.run(command, check=True)
    raws = [raw for raw in negatives(20000) if raw < 0]
    listing = "\n".join(map(str, raws))
    found = subprocess.run([program], input=listing, capture_output=True, text=True, check=True)
    wanted = [
        f"{gemmlowp.exp_on_negative_values(raw, 5)} {gemmlowp.one_over_one_plus_x(-1 - raw)}"
        for raw in raws
    ]
    assert found.stdout.splitlines() == wanted
