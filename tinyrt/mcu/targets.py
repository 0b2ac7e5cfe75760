"""The machines that emitted C is built for: compiler, flags, memory map, emulator, counter."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tinyrt.errors import ToolchainError
from tinyrt.mcu.toolchain import how_to_get, missing_tools

# Nothing of the linked image has to fit real silicon here: the emulated boards are picked for
# their cores, and the large memory of each holds what a model needs (weights, arena, test vectors).
STACK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Region:
    """A piece of the memory map: first address, and size in bytes."""

    origin: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Counter:
    """How a board counts instructions while QEMU makes time a function of them (`-icount`).

    Attributes:
        source: The C file in `support/` that reads it.
        icount_shift: One instruction takes 2**icount_shift ns of the board's time.
        defines: Macros for `source`: addresses, and ticks → instructions as a ratio.
    """

    source: str
    icount_shift: int
    defines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """A board as QEMU emulates it.

    Attributes:
        emulator: The QEMU program.
        board: Its `-M` name, options included.
        support: What starts it and reports its faults: files in `support/`.
        code: Where the core starts; vector table and code.
        bulk: The largest memory: constants, initialised and zeroed data.
        stack: Grows down to `stack.origin`; what lies below it faults.
        counter: Its instruction counter.
    """

    emulator: str
    board: str
    support: tuple[str, ...]
    code: Region
    bulk: Region
    stack: Region
    counter: Counter


@dataclass(frozen=True, slots=True)
class Target:
    """A core that C can be built for and run on.

    Attributes:
        name: As on the command line, such as `cortex-m4`.
        core: For people, such as `Cortex-M4F`.
        compiler: Program that compiles and links.
        nm: Program that lists symbols.
        flags: What selects the core and its ABI.
        libraries: What a link ends with; from these only `memcpy`, `memset` and the compiler's
            own helpers are wanted.
        machine: The emulated board; None where programs run on this machine.
    """

    name: str
    core: str
    compiler: str
    nm: str
    flags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    machine: Machine | None = None

    @property
    def tools(self) -> tuple[str, ...]:
        """The programs that building and running for this target takes."""
        emulator = (self.machine.emulator,) if self.machine else ()
        return (self.compiler, *emulator)

    @property
    def objdump(self) -> str:
        """The program that lists the instructions of what `compiler` made."""
        return self.nm.removesuffix("nm") + "objdump"

    def missing(self) -> str | None:
        """Returns one line that names what is not installed and how to get it, or None."""
        names = missing_tools(self.tools)
        if not names:
            return None
        ways = "; ".join(dict.fromkeys(how_to_get(name) for name in names))
        return f"{self.name}: {' and '.join(names)} not installed: {ways}"


def _cmsdk(timer: int, fpgaio: int, scale: tuple[int, int], ticks_per_coarse: int) -> Counter:
    """The 32-bit CMSDK APB timer, its wraps told by the 100 Hz counter of the board's FPGA.

    An instruction takes 1024 ns: so many ticks that the count of instructions is exact, and
    their ratio, `scale` = (numerator, shift), needs no division.
    """
    numerator, shift = scale
    return Counter(
        source="counter_cmsdk.c",
        icount_shift=10,
        defines=(
            f"BOARD_TIMER=0x{timer:08x}u",
            f"BOARD_FPGAIO=0x{fpgaio:08x}u",
            f"BOARD_TICKS_PER_COARSE={ticks_per_coarse}u",
            f"BOARD_SCALE_NUMERATOR={numerator}u",
            f"BOARD_SCALE_SHIFT={shift}",
        ),
    )


_CORTEX_M_SUPPORT = ("startup_cortex_m.S", "fault_cortex_m.c")


def _mps2(board: str, bulk_origin: int) -> Machine:
    """An Armv7-M image of the MPS2 board: 4 MB of code RAM, 8 MB of SSRAM, 16 MB of PSRAM."""
    return Machine(
        emulator="qemu-system-arm",
        board=board,
        support=(*_CORTEX_M_SUPPORT, "protect_armv7m.c"),
        code=Region(0x00000000, 0x400000),
        bulk=Region(bulk_origin, 0x1000000),
        stack=Region(0x20000000, STACK_BYTES),
        # 25 MHz: 1024 ns / 40 ns a tick = 128 / 5.
        counter=_cmsdk(0x40000000, 0x40028000, (5, 7), 250_000),
    )


_AN505 = Machine(
    emulator="qemu-system-arm",
    board="mps2-an505",
    support=_CORTEX_M_SUPPORT,
    code=Region(0x10000000, 0x400000),
    bulk=Region(0x80000000, 0x1000000),
    stack=Region(0x38000000, STACK_BYTES),
    # 20 MHz: 1024 ns / 50 ns a tick = 512 / 25.
    counter=_cmsdk(0x50000000, 0x50302000, (25, 9), 200_000),
)

_AN547 = Machine(
    emulator="qemu-system-arm",
    board="mps3-an547",
    support=_CORTEX_M_SUPPORT,
    code=Region(0x00000000, 0x80000),
    bulk=Region(0x60000000, 0x4000000),
    stack=Region(0x20000000, STACK_BYTES),
    counter=Counter(
        source="counter_sse300.c",
        icount_shift=10,
        # 32 MHz: 1024 ns / 31.25 ns a tick = 4096 / 125.
        defines=("BOARD_SCALE_NUMERATOR=125u", "BOARD_SCALE_SHIFT=12"),
    ),
)

_RISCV_VIRT = Machine(
    emulator="qemu-system-riscv32",
    board="virt",
    support=("startup_riscv32.S", "fault_riscv32.c"),
    code=Region(0x80000000, 0x400000),
    bulk=Region(0x81000000, 0x4000000),
    stack=Region(0x80800000, STACK_BYTES),
    # The emulated `instret` shows the board's time in ns: one instruction each with shift 0.
    counter=Counter(source="counter_instret.c", icount_shift=0),
)

_ARM_LIBRARIES = ("-lc", "-lgcc")


def _cortex_m(name: str, core: str, machine: Machine, *fpu: str) -> Target:
    return Target(
        name=name,
        core=core,
        compiler="arm-none-eabi-gcc",
        nm="arm-none-eabi-nm",
        flags=(f"-mcpu={name}", "-mthumb", *fpu),
        libraries=_ARM_LIBRARIES,
        machine=machine,
    )


_ALL = (
    Target("host", "this machine, gcc", "gcc", "nm"),
    Target("host-clang", "this machine, clang", "clang", "nm"),
    _cortex_m("cortex-m3", "Cortex-M3", _mps2("mps2-an385", 0x21000000), "-mfloat-abi=soft"),
    _cortex_m(
        "cortex-m4",
        "Cortex-M4F",
        _mps2("mps2-an386", 0x21000000),
        "-mfloat-abi=hard",
        "-mfpu=fpv4-sp-d16",
    ),
    _cortex_m(
        "cortex-m7",
        "Cortex-M7",
        _mps2("mps2-an500", 0x60000000),
        "-mfloat-abi=hard",
        "-mfpu=fpv5-d16",
    ),
    _cortex_m("cortex-m33", "Cortex-M33", _AN505, "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"),
    _cortex_m("cortex-m55", "Cortex-M55 with MVE", _AN547, "-mfloat-abi=hard"),
    Target(
        name="riscv32",
        core="RV32IMAC",
        compiler="riscv64-unknown-elf-gcc",
        nm="riscv64-unknown-elf-nm",
        flags=("--specs=picolibc.specs", "-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany"),
        libraries=("-lc", "-lgcc"),
        machine=_RISCV_VIRT,
    ),
)

TARGETS: Mapping[str, Target] = MappingProxyType({target.name: target for target in _ALL})
"""Every target, by name, in the order in which they are shown."""


def target_named(name: str) -> Target:
    """Returns the target of that name.

    Raises:
        ToolchainError: There is none; the text lists those that there are.
    """
    target = TARGETS.get(name)
    if target is None:
        raise ToolchainError(f"no target {name!r}: there are {', '.join(TARGETS)}")
    return target
