"""The constants of an emitted model: arrays named for what they belong to, equal ones shared."""

from collections.abc import Iterator, Sequence

from tinyrt.emit import writer
from tinyrt.graph import DType, Tensor

_ELEMENT_BYTES = {d.c_type: d.bytes for d in DType}


class Constants:
    """Collects constant arrays in the order they are first used."""

    def __init__(self, names: writer.Names) -> None:
        self._names = names
        self._known: dict[tuple[str, tuple[int | float, ...] | bytes], str] = {}
        self.lines: list[str] = []
        self.bytes = 0
        """Bytes of all arrays in flash."""

    def array(self, wish: str, element: str, values: bytes | Sequence[int | float]) -> str:
        """The name of an array with these values; `wish` names it if it is new.

        `bytes` are two's complement int8 values.
        """
        key = (element, bytes(values) if isinstance(values, bytes) else tuple(values))
        if key not in self._known:
            name = self._known[key] = self._names.take(wish)
            numbers = memoryview(values).cast("b") if isinstance(values, bytes) else values
            self.lines += [*writer.array(name, element, list(numbers)), ""]
            self.bytes += len(values) * _ELEMENT_BYTES[element]
        return self._known[key]

    def tensor(self, tensor: Tensor) -> str:
        """The name of the array that holds a constant tensor."""
        assert tensor.data is not None
        values = list(tensor.data.cast("B").cast(tensor.dtype.format))
        return self.array(writer.short_name(tensor.name), tensor.dtype.c_type, values)

    def text(self) -> Iterator[str]:
        """The definitions."""
        yield from self.lines
