"""Every target runs the same program to the same bytes, and says so when a program goes wrong."""

import struct
import zlib
from pathlib import Path

import pytest

from tests.mcu.programs import EMULATED, ON_HOST, Images, built, output
from tinyrt.errors import ToolchainError
from tinyrt.mcu.run import run
from tinyrt.mcu.targets import TARGETS


def _single(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _checksums() -> str:
    constants = bytes([1, 2, 3]) + bytes(4 * 1024 * 1024 - 3)
    variables = bytes([10, 20, 30, 40, 50])
    moved = bytearray(b"\x5a" * (3 * 1024 * 1024))
    moved[1:6] = variables
    floats = [_single(_single((i - 10) * _single(0.1)) + 0.25) for i in range(16)]
    return (
        f"constants {zlib.crc32(constants):08x}\n"
        f"variables {zlib.crc32(variables + bytes(3 * 1024 * 1024)):08x}\n"
        f"moved {zlib.crc32(moved):08x}\n"
        f"floats {zlib.crc32(struct.pack('<16f', *floats)):08x}\n"
        f"largest {2**64 - 1}\n"
        "no newline at the end"
    )


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_program_gives_the_same_bytes(target: str, images: Images) -> None:
    assert run(images(target, "checksum")) == _checksums()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("cortex-m3", ""),
        ("cortex-m4", "dsp 14\n"),
        ("cortex-m7", "dsp 14\n"),
        ("cortex-m33", "dsp 14\n"),
        ("cortex-m55", "dsp 14\nmve 65\n"),
        ("riscv32", ""),
    ],
)
def test_the_core_executes_the_extensions_it_is_built_with(
    target: str, expected: str, tmp_path: Path
) -> None:
    assert output(target, "extensions", tmp_path) == expected


FAULTS = [
    ("BAD_ADDRESS", r"program: bad address in main \(fault: .*08000000\)$"),
    ("STACK_OVERFLOW", r"program: stack overflow"),
    ("UNDEFINED", r"program: (undefined instruction|trap) in main"),
]


@pytest.mark.parametrize("target", EMULATED)
@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_a_fault_is_reported_with_the_function(
    target: str, fault: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ToolchainError, match=message) as caught:
        output(target, "fault", tmp_path, f"FAULT={fault}")
    assert str(caught.value).startswith(target)


@pytest.mark.parametrize("target", [name for name in EMULATED if name.startswith("cortex")])
def test_division_by_zero_faults_on_arm(target: str, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="division by zero in main"):
        output(target, "fault", tmp_path, "FAULT=DIVISION")


@pytest.mark.parametrize("target", ["host", "cortex-m4", "riscv32"])
def test_an_exit_status_is_reported_with_the_last_lines(target: str, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=f"^{target} program: exit status 3\n  before$"):
        output(target, "fault", tmp_path, "FAULT=STATUS")


@pytest.mark.parametrize("target", ["host"])
def test_a_signal_on_the_host_is_reported_by_name(target: str, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"ended by SIGFPE$"):
        output(target, "fault", tmp_path, "FAULT=DIVISION")


@pytest.mark.parametrize("target", ["host", "cortex-m4", "riscv32"])
def test_a_program_that_hangs_is_stopped(target: str, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"no end within 1 s(\n  before)?$"):
        output(target, "fault", tmp_path, "FAULT=HANG", timeout=1.0)


@pytest.mark.parametrize("target", ON_HOST)
@pytest.mark.parametrize(
    ("kind", "message"),
    [(0, "AddressSanitizer: global-buffer-overflow"), (1, "signed integer overflow")],
)
def test_a_sanitizer_ends_the_program_and_says_why(
    target: str, kind: int, message: str, tmp_path: Path
) -> None:
    image = built(target, "out_of_bounds", tmp_path, f"KIND={kind}", sanitize=True)
    with pytest.raises(ToolchainError, match=f"^{target} program: .*{message}"):
        run(image)


def test_sanitizers_are_refused_on_a_board(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="sanitizers run on the host only"):
        built("cortex-m4", "checksum", tmp_path, sanitize=True)
