"""What a run of the benchmark found: records, and the JSON that keeps them, a line for each."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelCount:
    """One run of a whole model, emitted in one way for one core."""

    model: str
    target: str
    optimize: str
    instructions: int
    macs: int
    code_bytes: int
    rodata_bytes: int
    arena_bytes: int
    stack_bytes: int
    stack_bound: int | None

    @property
    def key(self) -> tuple[str, ...]:
        """What is compared with what."""
        return self.model, self.target, self.optimize


@dataclass(frozen=True, slots=True)
class OperatorCount:
    """One operator of such a run."""

    model: str
    target: str
    index: int
    opcode: str
    instructions: int
    macs: int

    @property
    def key(self) -> tuple[str, ...]:
        """What is compared with what."""
        return self.model, self.target, f"{self.index:3} {self.opcode}"


@dataclass(frozen=True, slots=True)
class LayerCount:
    """One run of a single layer, emitted for speed."""

    layer: str
    target: str
    kernel: str
    instructions: int
    macs: int
    outputs: int
    """Elements that it computes."""

    @property
    def key(self) -> tuple[str, ...]:
        """What is compared with what."""
        return self.layer, self.target

    @property
    def rate(self) -> float:
        """Instructions per multiply-accumulate, or per output where there are none."""
        return self.instructions / (self.macs or self.outputs)


Count = ModelCount | OperatorCount | LayerCount


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run of the benchmark found; counts are in the order of their keys."""

    tools: Mapping[str, str]
    """Name and version of compiler and emulator: counts of another compiler are other ones."""
    models: tuple[ModelCount, ...]
    operators: tuple[OperatorCount, ...]
    layers: tuple[LayerCount, ...]

    def of(self, model: str, target: str, optimize: str = "balanced") -> ModelCount | None:
        """The count of a whole model."""
        wanted = (model, target, optimize)
        return next((count for count in self.models if count.key == wanted), None)

    def completed(self, before: Self, present: Collection[str]) -> Self:
        """The same with what was known of models that are not present, if the tools are the same.

        So a run without some models leaves their records as they were.
        """
        if before.tools != self.tools:
            return self
        kept = [count for count in before.models if count.model not in present]
        shares = [count for count in before.operators if count.model not in present]
        return replace(
            self,
            models=tuple(sorted((*self.models, *kept), key=lambda count: count.key)),
            operators=tuple(sorted((*self.operators, *shares), key=lambda count: count.key)),
        )

    def save(self, path: Path) -> None:
        """Write JSON that shows in a review what changed."""
        sections: Mapping[str, tuple[Count, ...]] = {
            "models": self.models,
            "operators": self.operators,
            "layers": self.layers,
        }
        parts = [f' "format": {FORMAT}', f' "tools": {json.dumps(dict(self.tools))}']
        for name, counts in sections.items():
            lines = ",\n".join(f"  {json.dumps(asdict(count))}" for count in counts)
            parts.append(f' "{name}": [\n{lines}\n ]')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `save` wrote.

        Raises:
            ValueError: the file is something else.
        """
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"{path}: not counts of this benchmark, format {FORMAT}")
        return cls(
            tools=content["tools"],
            models=tuple(ModelCount(**count) for count in content["models"]),
            operators=tuple(OperatorCount(**count) for count in content["operators"]),
            layers=tuple(LayerCount(**count) for count in content["layers"]),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A count that is not what it was; None where it is in one run only."""

    key: tuple[str, ...]
    before: int | None
    after: int | None
    whole: bool
    """Whether it is that of a model."""

    @property
    def part(self) -> float:
        """The difference as a part of what was; 0 where there is nothing to compare."""
        if not self.before or self.after is None:
            return 0.0
        return self.after / self.before - 1


def changes(before: Run, after: Run) -> Iterator[Change]:
    """Every count of instructions that differs: whole models, then operators, then layers."""
    pairs: tuple[tuple[tuple[Count, ...], tuple[Count, ...]], ...] = (
        (before.models, after.models),
        (before.operators, after.operators),
        (before.layers, after.layers),
    )
    for old, new in pairs:
        was = {count.key: count.instructions for count in old}
        now = {count.key: count.instructions for count in new}
        for key in sorted({**was, **now}):
            if was.get(key) != now.get(key):
                yield Change(key, was.get(key), now.get(key), whole=new is after.models)


def drift(recorded: Run, found: ModelCount, tolerance: float) -> str | None:
    """What to say of a count that is not the recorded one; None where it is near enough.

    Args:
        recorded: what is held to be so.
        found: a model counted now.
        tolerance: the part of the recorded count by which it may be off.
    """
    remedy = "run make bench-mcu and commit the result if this is meant"
    where = f"{found.model} on {found.target}: {found.instructions:,} instructions"
    known = recorded.of(found.model, found.target, found.optimize)
    if known is None:
        return f"{where}, none recorded: {remedy}"
    part = found.instructions / known.instructions - 1
    if abs(part) <= tolerance:
        return None
    return f"{where}, recorded {known.instructions:,} ({part:+.1%}): {remedy}"
