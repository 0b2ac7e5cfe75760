"""Running a built program: on this machine, or under QEMU with semihosting."""

import re
import signal

from tinyrt.errors import ToolchainError
from tinyrt.mcu.build import Image
from tinyrt.mcu.elf import function_at
from tinyrt.mcu.toolchain import find_tool, last_lines, run_tool

_FAULT = re.compile(r"^fault: (?P<what>.*) pc 0x(?P<pc>[0-9a-f]{8}).*$", re.MULTILINE)

_SANITIZER = re.compile(r"(?<=ERROR: )AddressSanitizer: .*$|\S+: runtime error: .*$", re.MULTILINE)


def run(image: Image, *, timeout: float = 60.0, count_instructions: bool = False) -> str:
    """Runs a program to its end and returns what it wrote.

    Args:
        image: What `build` returned.
        timeout: Seconds after which it is killed.
        count_instructions: Whether `board_instructions` counts, which makes QEMU slower.  Under
            it, a program's counts are the same in every run.

    Raises:
        ToolchainError: The emulator is missing, the program does not end in time, faults, or
            ends with a status other than 0; the text says which, and holds its last lines.
    """
    name = image.target.name
    done = run_tool(
        _command(image, count_instructions=count_instructions),
        timeout=timeout,
        check=False,
        label=f"{name} program",
    )
    if done.status == 0:
        return done.stdout
    fault = _FAULT.search(done.stdout)
    if fault is not None:
        function = function_at(image.elf, int(fault["pc"], 16))
        where = f" in {function}" if function else ""
        raise ToolchainError(f"{name} program: {fault['what']}{where} ({fault.group()})")
    broken = _SANITIZER.search(done.stderr)
    if broken is not None:
        raise ToolchainError(f"{name} program: {broken.group()}")
    if done.status < 0:
        ending = f"ended by {signal.Signals(-done.status).name}"
    else:
        ending = f"exit status {done.status}"
    raise ToolchainError(f"{name} program: {ending}{last_lines(done.stdout + done.stderr)}")


def _command(image: Image, *, count_instructions: bool) -> list[str]:
    machine = image.target.machine
    if machine is None:
        return [str(image.elf)]
    command = [str(find_tool(machine.emulator).path), "-M", machine.board]
    if machine.emulator == "qemu-system-riscv32":
        command += ["-bios", "none"]
    command += [
        *("-display", "none", "-monitor", "none", "-serial", "none", "-nic", "none"),
        *("-chardev", "stdio,id=console,signal=off"),
        *("-semihosting-config", "enable=on,target=native,chardev=console"),
        *("-kernel", str(image.elf)),
    ]
    if count_instructions:
        command += ["-icount", f"shift={machine.counter.icount_shift},align=off,sleep=off"]
    return command
