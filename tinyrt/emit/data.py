"""The constants of an emitted model: arrays named for what they belong to, equal ones shared."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyrt.emit import writer
from tinyrt.graph import DType, Tensor

_ELEMENT_BYTES = {d.c_type: d.bytes for d in DType}


@dataclass(slots=True)
class _Array:
    """One array of the file."""

    name: str
    element: str
    values: Sequence[int | float]
    note: str
    also: list[str] = dataclasses.field(default_factory=list)
    """What others would have called it that share it."""


class Constants:
    """Collects constant arrays in the order they are first used."""

    def __init__(self, names: writer.Names) -> None:
        self._names = names
        self._known: dict[tuple[str, Sequence[int | float]], _Array] = {}
        self._tensors: dict[int, _Array] = {}
        self._arrays: list[_Array] = []

    def array(
        self, wish: str, element: str, values: bytes | Sequence[int | float], note: str = ""
    ) -> str:
        """The name of an array with these values; equal arrays are one.

        Args:
            wish: names the array if it is new.
            element: the C type.
            values: `bytes` are two's complement int8 values.
            note: stands above the array, if it is new.
        """
        key = (element, values if isinstance(values, bytes) else tuple(values))
        known = self._known.get(key)
        if known is None:
            numbers = memoryview(values).cast("b") if isinstance(values, bytes) else values
            known = self._known[key] = self._new(wish, element, numbers, note)
        else:
            other = writer.identifier(wish)
            # Strips of one operator wish for the same name.
            if other not in (known.name, *known.also):
                known.also.append(other)
        return known.name

    def tensor(self, tensor: Tensor) -> str:
        """The name of the array that holds a constant tensor; each has its own."""
        known = self._tensors.get(tensor.index)
        if known is None:
            assert tensor.data is not None
            values = tensor.data.cast("B").cast(tensor.dtype.format)[: tensor.elements]
            # The prefix keeps whatever a file calls its tensors apart from every other name.
            wish = f"const_{writer.short_name(tensor.name)}"
            known = self._new(wish, tensor.dtype.c_type, list(values), str(tensor))
            self._tensors[tensor.index] = known
        return known.name

    def _new(self, wish: str, element: str, values: Sequence[int | float], note: str) -> _Array:
        array = _Array(self._names.take(wish), element, values, note)
        self._arrays.append(array)
        return array

    @property
    def bytes(self) -> int:
        """Bytes of all arrays in flash."""
        return sum(len(array.values) * _ELEMENT_BYTES[array.element] for array in self._arrays)

    def text(self) -> Iterator[str]:
        """The definitions."""
        for array in self._arrays:
            notes = [array.note] if array.note else []
            if array.also:
                notes.append(f"also {', '.join(array.also)}")
            if notes:
                yield from writer.comment(writer.filled("; ".join(notes)))
            yield from writer.array(array.name, array.element, array.values)
            yield ""
