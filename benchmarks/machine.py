"""The machine that a run was measured on."""

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path


def facts() -> dict[str, str | int]:
    """Processor, system, Python, and how busy the machine is."""
    return {
        "processor": _processor(),
        "cpus": os.cpu_count() or 1,
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": platform.python_compiler(),
        "load": load(),
    }


def load() -> str:
    """The load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def same(first: Mapping[str, object], second: Mapping[str, object]) -> bool:
    """Whether times of two runs can be set side by side."""
    return all(
        first.get(fact) == second.get(fact) for fact in ("processor", "cpus", "python", "clock")
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or "unknown"
