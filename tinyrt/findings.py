"""What is wrong with a model, as records: where it stands, what was found, what is allowed."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinyrt.errors import FormatError, UnsupportedError
from tinyrt.records import Record


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a model; `str()` gives it as one line."""

    place: str
    """The part of the model for people, such as `op 7 CONV_2D 'dw3'`."""
    text: str
    """What was found and what is allowed."""
    operator: int | None = None
    """Index of the operator that the finding is about."""
    opcode: str = ""
    tensor: int | None = None
    """Index of the tensor that the finding is about."""
    field: str = ""
    """Name of the schema's field."""
    byte_offset: int = 0
    """Where the field stands in the file; of its table, where the field is absent."""
    present: bool = True
    """Whether the file has the field; one that is absent has its default."""
    unsupported: bool = False
    """Whether the file is well-formed there, but outside of what tinyrt runs."""

    def __str__(self) -> str:
        """`op 7 CONV_2D 'dw3': stride_w 0 (must be ≥ 1), field at byte 0x1a4`."""
        if not self.field:
            return f"{self.place}: {self.text}"
        where = "field at" if self.present else "field absent, table at"
        return f"{self.place}: {self.text}, {where} byte {self.byte_offset:#x}"


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a model that findings are about."""

    name: str = "model"
    operator: int | None = None
    opcode: str = ""
    tensor: int | None = None

    def at_tensor(self, index: int, label: str) -> "Place":
        """A tensor, named together with the operator that uses it."""
        tensor = f"tensor {index} '{label}'"
        name = tensor if self.operator is None else f"{self.name}, {tensor}"
        return Place(name, self.operator, self.opcode, index)

    def finding(
        self, record: Record, field: str, text: str, *, unsupported: bool = False
    ) -> Finding:
        """A finding about a field of a record."""
        at = record.positions.get(field)
        return Finding(
            place=self.name,
            text=text,
            operator=self.operator,
            opcode=self.opcode,
            tensor=self.tensor,
            field=field,
            byte_offset=record.position if at is None else at,
            present=at is not None,
            unsupported=unsupported,
        )


def refuse(findings: Sequence[Finding]) -> None:
    """Raise one error that lists all findings, a line each; nothing where there are none.

    Raises:
        FormatError: at least one finding is about a malformed model.
        UnsupportedError: all of them are about what tinyrt does not run.
    """
    if findings:
        unsupported = all(finding.unsupported for finding in findings)
        error = UnsupportedError if unsupported else FormatError
        raise error("\n".join(map(str, findings)))
