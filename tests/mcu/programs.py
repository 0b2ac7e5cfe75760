"""The C programs of these tests, and building and running one in a line."""

from collections.abc import Callable
from pathlib import Path

from tinyrt.mcu.build import Image, build
from tinyrt.mcu.run import run
from tinyrt.mcu.targets import TARGETS

PROGRAMS = Path(__file__).parent / "programs"
EMULATED = tuple(name for name, target in TARGETS.items() if target.machine is not None)
ON_HOST = tuple(name for name in TARGETS if name not in EMULATED)

Images = Callable[[str, str], Image]


def built(
    target: str,
    program: str,
    out_dir: Path,
    *defines: str,
    optimize: str = "-O2",
    sanitize: bool = False,
) -> Image:
    """Builds one program for the target of that name, with every warning an error."""
    return build(
        TARGETS[target],
        [PROGRAMS / f"{program}.c"],
        defines=defines,
        out_dir=out_dir,
        optimize=optimize,
        sanitize=sanitize,
    )


def output(target: str, program: str, out_dir: Path, *defines: str, timeout: float = 30.0) -> str:
    """Builds and runs one program; returns what it wrote."""
    return run(built(target, program, out_dir, *defines), timeout=timeout)
