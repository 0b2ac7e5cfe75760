"""The edge of the API: values of many kinds to tensor bytes, and tensor bytes to arrays.

This is the only room that knows of NumPy, and it asks for it only where a result is to be an
array. NumPy arrays come in through the buffer protocol, without an import.
"""

import struct
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, TypeAlias

from tinyrt.errors import InputError
from tinyrt.graph import DType, Tensor

_KINDS = {"b": "i", "h": "i", "i": "i", "l": "i", "q": "i", "n": "i"}
_KINDS |= {code.upper(): "u" for code in _KINDS} | {"f": "f", "d": "f", "?": "?"}
_TENSOR_KINDS = {
    DType.FLOAT32: ("f", 4),
    DType.INT8: ("i", 1),
    DType.UINT8: ("u", 1),
    DType.INT16: ("i", 2),
    DType.INT32: ("i", 4),
    DType.INT64: ("i", 8),
    DType.BOOL: ("?", 1),
}


Elements: TypeAlias = "memoryview[int] | memoryview[float] | memoryview[bool]"
"""A shaped view of a tensor's elements."""


def numpy_or_none() -> ModuleType | None:
    """NumPy, if it can be imported."""
    try:
        import numpy as np
    except ImportError:
        return None
    return np


def to_bytes(tensor: Tensor, value: object) -> bytes:
    """The bytes of a tensor from an array, raw bytes or nested lists.

    Arrays of the right element type may have the tensor's shape or be flat; raw bytes have the
    tensor's length; nested lists have its shape and only values that the element type can hold.

    Raises:
        InputError: type, shape or range do not fit.
    """
    if isinstance(value, bytes | bytearray):
        return _raw(tensor, value)
    if isinstance(value, Sequence) and not isinstance(value, str | memoryview):
        if not hasattr(value, "typecode"):
            return _nested(tensor, value)
    elif isinstance(value, int | float):
        return _nested(tensor, value)
    try:
        view = memoryview(value)  # type: ignore[arg-type]  # any object with the buffer protocol
    except (TypeError, ValueError) as error:
        raise InputError(f"{tensor}: a value of type {type(value).__name__}") from error
    code = view.format.lstrip("@=<")
    if (_KINDS.get(code, code), view.itemsize) != _TENSOR_KINDS[tensor.dtype]:
        raise InputError(
            f"{tensor}: elements of format '{view.format}' with {view.itemsize} bytes "
            f"(must be {tensor.dtype.value})"
        )
    if view.shape not in {tensor.shape, (tensor.elements,)}:
        found = "x".join(map(str, view.shape or ()))
        raise InputError(f"{tensor}: an array of shape {found or 'scalar'}")
    return view.tobytes()


def to_array(tensor: Tensor, data: memoryview) -> Any:
    """A NumPy array over the tensor's bytes, sharing them; the shaped view without NumPy."""
    np = numpy_or_none()
    if np is None:
        return to_view(tensor, data)
    return np.frombuffer(data, dtype=tensor.dtype.value).reshape(tensor.shape)


def to_view(tensor: Tensor, data: memoryview) -> Elements:
    """The tensor's bytes as a view with its element type and shape."""
    flat = data.cast("B")
    if not tensor.shape:
        return flat.cast(tensor.dtype.format)
    return flat.cast(tensor.dtype.format, tensor.shape)


def _raw(tensor: Tensor, value: bytes | bytearray) -> bytes:
    if len(value) != tensor.bytes:
        raise InputError(f"{tensor}: {len(value)} bytes (must be {tensor.bytes})")
    return bytes(value)


def _nested(tensor: Tensor, value: object) -> bytes:
    shape: list[int] = []
    inner = value
    while isinstance(inner, Sequence):
        shape.append(len(inner))
        if not inner:
            break
        inner = inner[0]
    if tuple(shape) not in {tensor.shape, (tensor.elements,)}:
        raise InputError(f"{tensor}: lists of shape {'x'.join(map(str, shape)) or 'scalar'}")
    elements = list(_leaves(tensor, value, shape))
    try:
        return struct.pack(f"<{len(elements)}{tensor.dtype.format}", *elements)
    except (struct.error, OverflowError) as error:
        raise InputError(f"{tensor}: {_misfit(tensor, elements)}") from error


def _leaves(tensor: Tensor, value: object, shape: list[int]) -> Iterator[Any]:
    if not shape:
        yield value
        return
    if not isinstance(value, Sequence) or len(value) != shape[0]:
        raise InputError(f"{tensor}: the nested lists are ragged")
    for inner in value:
        yield from _leaves(tensor, inner, shape[1:])


def _misfit(tensor: Tensor, elements: list[Any]) -> str:
    for position, element in enumerate(elements):
        try:
            struct.pack(f"<{tensor.dtype.format}", element)
        except (struct.error, OverflowError):
            return f"element {position} is {element!r} (must be {tensor.dtype.value})"
    return "the elements do not fit"
