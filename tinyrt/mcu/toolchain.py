"""Finding and running compilers and emulators: no shell, a time limit on all, nothing at import."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrt.errors import ToolchainError

VERSION_TIMEOUT_SECONDS = 20.0
LAST_LINES = 12

# Program → Debian package that holds it.  Other systems name theirs alike.
DEBIAN_PACKAGES: Mapping[str, str] = {
    "gcc": "gcc",
    "clang": "clang",
    "nm": "binutils",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "arm-none-eabi-nm": "binutils-arm-none-eabi",
    "arm-none-eabi-objdump": "binutils-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    "riscv64-unknown-elf-nm": "binutils-riscv64-unknown-elf",
    "riscv64-unknown-elf-objdump": "binutils-riscv64-unknown-elf",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A program found on this machine.

    Attributes:
        name: As it is called, such as `arm-none-eabi-gcc`.
        path: Where it was found.
    """

    name: str
    path: Path

    def version(self) -> str:
        """Returns the dotted version that the program prints of itself, such as `12.2.1`.

        Raises:
            ToolchainError: The program does not run, or names no version.
        """
        banner = run_tool([str(self.path), "--version"], timeout=VERSION_TIMEOUT_SECONDS).stdout
        # Debian's banners give the package's version, in parentheses, before the program's own.
        plain = re.sub(r"\([^)]*\)", "", banner)
        found = re.search(r"\d+\.\d+(\.\d+)*", plain) or re.search(r"\d+\.\d+(\.\d+)*", banner)
        if found is None:
            raise ToolchainError(f"{self.name}: --version names no version")
        return found.group()


def how_to_get(name: str) -> str:
    """Returns one line on how to install the program `name`."""
    package = DEBIAN_PACKAGES.get(name)
    return f"apt install {package}" if package else f"install {name} and put it on PATH"


def find_tool(name: str) -> Tool:
    """Finds a program on PATH.

    Raises:
        ToolchainError: It is not there; the text says how to get it.
    """
    path = shutil.which(name)
    if path is None:
        raise ToolchainError(f"{name} is not installed: {how_to_get(name)}")
    return Tool(name, Path(path))


def missing_tools(names: Sequence[str]) -> tuple[str, ...]:
    """Returns those of `names` that are not on PATH, in order."""
    return tuple(name for name in names if shutil.which(name) is None)


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program left behind: exit status (negative: the signal), and its two outputs."""

    status: int
    stdout: str
    stderr: str


def run_tool(
    command: Sequence[str],
    *,
    timeout: float,
    cwd: Path | None = None,
    check: bool = True,
    label: str | None = None,
) -> Finished:
    """Runs a program to its end, with no input.

    Args:
        command: Program and arguments; no shell reads them.
        timeout: Seconds after which it is killed.
        cwd: The directory that it runs in.
        check: Whether a status other than 0 is an error.
        label: What errors call it; by default the program's name.

    Raises:
        ToolchainError: It cannot be started, takes too long, or fails under `check`; the text
            ends with the last lines that it wrote.
    """
    name = label or Path(command[0]).name
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
    except OSError as error:
        raise ToolchainError(f"{name}: {error.strerror or error}") from error
    with process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            # A compiler has children, which would hold the pipes open.
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            raise ToolchainError(
                f"{name}: no end within {timeout:g} s{last_lines(stdout + stderr)}"
            ) from expired
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    finished = Finished(process.returncode, stdout, stderr)
    if check and finished.status != 0:
        raise ToolchainError(
            f"{name}: exit status {finished.status}{last_lines(finished.stderr or finished.stdout)}"
        )
    return finished


def undefined_symbols(nm: str, paths: Sequence[Path]) -> frozenset[str]:
    """Returns the symbols that a set of objects and archives needs from outside of the set.

    Args:
        nm: The `nm` for them, such as `arm-none-eabi-nm`.
        paths: Object files and archives.

    Raises:
        ToolchainError: `nm` is missing or cannot read a file.
    """
    tool = find_tool(nm)
    command = [str(tool.path), "-P", "-g", *(str(path) for path in paths)]
    listing = run_tool(command, timeout=VERSION_TIMEOUT_SECONDS).stdout
    undefined: set[str] = set()
    defined: set[str] = set()
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) >= 2 and not line.endswith(":"):
            (undefined if fields[1] in "Uwv" else defined).add(fields[0])
    return frozenset(undefined - defined)


def last_lines(output: str) -> str:
    """Returns the end of what a program wrote, indented on lines of its own, for an error's text.

    QEMU's warning that an emulated network card has no network is left out.
    """
    lines = [line for line in output.strip().splitlines() if not line.endswith("has no peer")]
    return "".join(f"\n  {line}" for line in lines[-LAST_LINES:])
