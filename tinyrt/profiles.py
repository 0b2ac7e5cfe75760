"""Profiles of a model, in seconds (Python) or instructions (emulated cores)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.table import Table

from tinyrt.errors import InputError
from tinyrt.mcu.profile import Profile
from tinyrt.timing import Timing

UNITS = ("seconds", "instructions")
_PYTHON = "python"
_DIFFERENT = 0.0005
"""Changes that are less than this part of what was are shown as none."""


@dataclass(frozen=True, slots=True)
class Share:
    """One operator's part of a run; `amount` is in the unit of its record."""

    index: int
    opcode: str
    name: str
    amount: float
    macs: int

    @property
    def place(self) -> str:
        """What is compared with what: the operator at this place of the graph."""
        return f"{self.index} {self.opcode}"


@dataclass(frozen=True, slots=True)
class Record:
    """A profile as it is shown and saved, of either kind."""

    model: str
    target: str
    unit: str
    """One of `UNITS`."""
    total: float
    macs: int
    operators: tuple[Share, ...]
    facts: Mapping[str, int | str | None]
    """What else is known: sizes in bytes, rounds, the source of the inputs; None: there is none."""

    @classmethod
    def of_timing(cls, model: str, timing: Timing, kernels: str, inputs: str) -> Self:
        """A profile of the Python executor."""
        return cls(
            model=model,
            target=_PYTHON,
            unit="seconds",
            total=timing.seconds,
            macs=timing.macs,
            operators=tuple(
                Share(o.index, o.opcode, o.name, o.seconds, o.macs) for o in timing.operators
            ),
            facts={"kernels": kernels, "rounds": timing.rounds, "inputs": inputs},
        )

    @classmethod
    def of_profile(cls, model: str, profile: Profile, inputs: str) -> Self:
        """A profile of the emitted C on an emulated core."""
        return cls(
            model=model,
            target=profile.target,
            unit="instructions",
            total=profile.instructions,
            macs=profile.macs,
            operators=tuple(
                Share(o.index, o.opcode, o.name, o.instructions, o.macs) for o in profile.operators
            ),
            facts={
                "code_bytes": profile.code_bytes,
                "rodata_bytes": profile.rodata_bytes,
                "arena_bytes": profile.arena_bytes,
                "stack_bytes": profile.stack_bytes,
                "stack_bound": profile.stack_bound,
                "stack_chain": profile.stack_chain,
                "flavour": profile.flavour,
                "optimize": profile.optimize,
                "compiler_optimize": profile.compiler_optimize,
                "inputs": inputs,
            },
        )

    def as_json(self) -> dict[str, Any]:
        """For programs and for files; `seconds` or `instructions` hold the amounts."""
        return {
            "model": self.model,
            "target": self.target,
            self.unit: self.total,
            "macs": self.macs,
            **self.facts,
            "operators": [
                {
                    "index": share.index,
                    "opcode": share.opcode,
                    "name": share.name,
                    self.unit: share.amount,
                    "macs": share.macs,
                }
                for share in self.operators
            ],
        }

    @classmethod
    def read(cls, path: Path) -> Self:
        """A saved profile.

        Raises:
            InputError: the file cannot be read, or is no profile.
        """
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from error
        except ValueError as error:
            raise InputError(f"{path}: not a saved profile ({error})") from error
        try:
            (unit,) = (unit for unit in UNITS if unit in saved)
            known = {"model", "target", unit, "macs", "operators"}
            return cls(
                model=str(saved["model"]),
                target=str(saved["target"]),
                unit=unit,
                total=float(saved[unit]),
                macs=int(saved["macs"]),
                operators=tuple(
                    Share(
                        int(o["index"]),
                        str(o["opcode"]),
                        str(o["name"]),
                        float(o[unit]),
                        int(o["macs"]),
                    )
                    for o in saved["operators"]
                ),
                facts={name: value for name, value in saved.items() if name not in known},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not a saved profile") from error

    def save(self, path: Path) -> None:
        """Write it for a later comparison.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            path.write_text(json.dumps(self.as_json(), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a comparison; an amount is None where the operator is in one profile only."""

    place: str
    before: float | None
    after: float | None

    @property
    def ratio(self) -> float | None:
        """After over before."""
        if not self.before or self.after is None:
            return None
        return self.after / self.before


def changes(before: Record, after: Record) -> tuple[Change, ...]:
    """The whole, then every operator of either profile.

    Raises:
        InputError: seconds and instructions cannot be compared.
    """
    if before.unit != after.unit:
        raise InputError(f"a profile in {after.unit} cannot be compared with one in {before.unit}")
    old = {share.place: share.amount for share in before.operators}
    new = {share.place: share.amount for share in after.operators}
    return (
        Change("all", before.total, after.total),
        *(Change(place, old.get(place), new.get(place)) for place in {**new, **old}),
    )


def changes_json(before: Record, found: Sequence[Change]) -> dict[str, Any]:
    """A comparison, for programs."""
    return {
        "before": {"model": before.model, "target": before.target, **before.facts},
        "changes": [asdict(change) | {"ratio": change.ratio} for change in found],
    }


def show(console: Console, record: Record) -> None:
    """A profile for people: the operators that take most come first."""
    unit = _unit(record)
    whole = sum(share.amount for share in record.operators) or 1
    rows = [
        (
            str(share.index),
            share.opcode,
            _amount(record.unit, share.amount),
            f"{share.amount / whole:.1%}",
            f"{share.macs:,}" if share.macs else "",
            _rate(record.unit, share.amount, share.macs),
            share.name,
        )
        for share in sorted(record.operators, key=lambda share: -share.amount)
    ]
    headings = ("#", "operator", unit, "share", "MACs", _per_mac(record), "name")
    console.print(_table(headings, rows))
    rate = _rate(record.unit, record.total, record.macs)
    console.print(
        f"[bold]{_amount(record.unit, record.total)}[/] {unit} a run on {record.target}, "
        f"{record.macs:,} MACs" + (f", {rate} {_per_mac(record)}" if rate else ""),
        highlight=False,
    )
    facts = (f"{name.replace('_', ' ')} {_fact(value)}" for name, value in record.facts.items())
    console.print("; ".join(facts), highlight=False, markup=False)


def show_changes(console: Console, before: Record, found: Sequence[Change]) -> None:
    """A comparison for people, the greatest differences first after the whole."""
    whole, *operators = found
    operators.sort(key=lambda change: -abs((change.after or 0.0) - (change.before or 0.0)))
    rows = [
        (
            change.place,
            *("" if a is None else _amount(before.unit, a) for a in (change.before, change.after)),
            _amount(before.unit, (change.after or 0.0) - (change.before or 0.0)),
            _percent(change),
        )
        for change in (whole, *operators)
    ]
    console.print(f"\ncompared with {before.model} on {before.target}:", highlight=False)
    headings = ("operator", f"{_unit(before)} before", "after", "difference", "change")
    console.print(_table(headings, rows))


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table in which names give way in a narrow terminal, and numbers do not."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(
            heading,
            justify="left" if heading in {"operator", "name"} else "right",
            overflow="ellipsis",
            no_wrap=heading != "name",  # columns that may wrap are those that shrink
        )
    for row in rows:
        table.add_row(*row)
    return table


def _percent(change: Change) -> str:
    if change.before is None:
        return "new"
    if change.after is None:
        return "gone"
    if change.ratio is None or abs(change.ratio - 1) < _DIFFERENT:
        return "="
    colour = "green" if change.ratio < 1 else "red"
    return f"[{colour}]{change.ratio - 1:+.1%}[/]"


def _amount(unit: str, amount: float) -> str:
    return f"{amount * 1e3:,.3f}" if unit == "seconds" else f"{amount:,.0f}"


def _rate(unit: str, amount: float, macs: int) -> str:
    if not macs:
        return ""
    return f"{amount / macs * (1e9 if unit == 'seconds' else 1):.2f}"


def _unit(record: Record) -> str:
    return "ms" if record.unit == "seconds" else record.unit


def _per_mac(record: Record) -> str:
    return "ns/MAC" if record.unit == "seconds" else "instr/MAC"


def _fact(value: int | str | None) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else value
