"""Running a built program: on this machine, or under QEMU with semihosting."""

import re
import signal

from tinyrt.errors import ToolchainError
from tinyrt.mcu.build import Image
from tinyrt.mcu.elf import function_at
from tinyrt.mcu.toolchain import find_tool, run_tool

_FAULT = re.compile(r"^fault: (?P<what>.*) pc 0x(?P<pc>[0-9a-f]{8}) ", re.MULTILINE)


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
        _command(image, count_instructions=count_instructions), timeout=timeout, check=False
    )
    if done.status == 0:
        return done.stdout
    fault = _FAULT.search(done.stdout)
    if fault is not None:
        where = function_at(image.elf, int(fault["pc"], 16)) or f"0x{fault['pc']}"
        line = done.stdout[fault.start() :].splitlines()[0]
        raise ToolchainError(f"{name}: {fault['what']} in {where} ({line})")
    last = (done.stderr.strip() or done.stdout.strip()).splitlines()
    ending = (
        f"signal {signal.Signals(-done.status).name}"
        if done.status < 0
        else (f"exit status {done.status}")
    )
    raise ToolchainError(f"{name}: program ended with {ending}{': ' + last[-1] if last else ''}")


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
