"""The C kernels as files: where they are, and which of them belong together."""

import re
from collections.abc import Sequence
from pathlib import Path

_INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.MULTILINE)


def kernel_folder() -> Path:
    """Where the C kernels are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_c"
    return installed if installed.is_dir() else package.parent / "kernels"


def kernel_files(stems: Sequence[str]) -> dict[str, str]:
    """The kernels with what they include, each file once, in alphabetical order."""
    folder = kernel_folder()
    found: dict[str, str] = {}
    waiting = ["tinyrt.h", *(f"{stem}.h" for stem in stems)]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found[file] = (folder / file).read_text(encoding="ascii")
        waiting += _INCLUDE.findall(found[file])
        source = Path(file).with_suffix(".c").name
        if (folder / source).exists():
            waiting.append(source)
    return dict(sorted(found.items()))
