"""Somebody else's C that a program is linked with: taken as it is, warnings and all."""

from dataclasses import dataclass
from pathlib import Path

from tinyrt.errors import ToolchainError


@dataclass(frozen=True, slots=True)
class Library:
    """Sources and where their headers are."""

    sources: tuple[Path, ...]
    include_dirs: tuple[Path, ...]


def cmsis_nn(folder: Path) -> Library:
    """CMSIS-NN in a checkout of it: what its int8 and int32 functions are made of.

    Raises:
        ToolchainError: there is no such library.
    """
    header = folder / "Include" / "arm_nnfunctions.h"
    if not header.is_file():
        raise ToolchainError(f"{folder}: not a checkout of CMSIS-NN (it has no {header.name})")
    sources = sorted((folder / "Source").glob("*/*.c"))
    floats = ("_f16", "_f32", "_flt")
    return Library(
        tuple(path for path in sources if not path.stem.endswith(floats)),
        (folder / "Include",),
    )
