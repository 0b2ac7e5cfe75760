"""`tinyrt.Interpreter`: runs a model in pure Python, with the interface of LiteRT's interpreter."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from tinyrt import arrays
from tinyrt.errors import InputError
from tinyrt.fast.arrange import Stage, arrange
from tinyrt.fixedpoint import Numerics
from tinyrt.graph import Shape, Signature, Tensor
from tinyrt.kernel import Held, HeldRun, Value, as_bytes
from tinyrt.load import Excerpt, Program, Step, load, resize
from tinyrt.planar import Planes

Kernels = Literal["fast", "reference"]


def read_model(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a model file.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def numerics_of(name: str | Numerics) -> Numerics:
    """The profile of a name.

    Raises:
        InputError: no profile has that name.
    """
    try:
        return Numerics(name)
    except ValueError as error:
        known = " or ".join(f"'{profile.value}'" for profile in Numerics)
        raise InputError(f"numerics {name!r} (must be {known})") from error


class Interpreter:
    """Runs a quantized TFLite model, bit-identical to the C that tinyrt emits.

    A drop-in for LiteRT's interpreter. Values go in as NumPy arrays, `bytes`, `array.array` or
    nested lists; they come out as NumPy arrays where NumPy can be imported, and as
    `memoryview`s through `view` anywhere. Only the methods that return arrays import NumPy.

    Args:
        model_path: a .tflite file.
        model_content: the bytes of one, instead of a path.
        numerics: `"tflm"` (rounds as TFLM and CMSIS-NN do) or `"single"` (as LiteRT does).
        kernels: `"fast"`, or `"reference"` for the plain loops that define each operator.
        preserve_all_tensors: keep every intermediate tensor readable after `invoke`.

    Raises:
        InputError: neither or both of the model arguments, an unreadable file, unknown choices.
        ModelError: the model is malformed or unsupported.
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        model_content: bytes | bytearray | memoryview | None = None,
        *,
        numerics: str | Numerics = "tflm",
        kernels: Kernels = "fast",
        preserve_all_tensors: bool = False,
    ) -> None:
        if (model_path is None) == (model_content is None):
            raise InputError("give exactly one of model_path and model_content")
        if model_content is None:
            assert model_path is not None
            model_content = read_model(model_path)
        self._adopt(load(model_content, numerics_of(numerics)), kernels, preserve_all_tensors)

    @classmethod
    def of(
        cls, program: Program, *, kernels: Kernels = "fast", preserve_all_tensors: bool = False
    ) -> Self:
        """An interpreter of a program that is loaded already."""
        interpreter = cls.__new__(cls)
        interpreter._adopt(program, kernels, preserve_all_tensors)
        return interpreter

    def _adopt(self, program: Program, kernels: Kernels, preserve_all_tensors: bool) -> None:
        if kernels not in {"fast", "reference"}:
            raise InputError(f"kernels {kernels!r} (must be 'fast' or 'reference')")
        self._program = program
        self._kernels = kernels
        self._keep_all = preserve_all_tensors
        self._pending: dict[int, Shape] = {}
        self._runs: tuple[HeldRun, ...] = ()
        self._last_use: tuple[tuple[int, ...], ...] = ()
        self._constants: dict[int, Value] = {}
        self._stored: dict[int, memoryview] = {}
        """Tensors within others, and those that hold them: their bytes stay where they are."""
        self._values: dict[int, Held] = {}
        self._allocated = False

    @property
    def program(self) -> Program:
        """The prepared model: graph, operators, numerics."""
        return self._program

    # --- shapes and memory -------------------------------------------------------------------

    def allocate_tensors(self) -> None:
        """Take resized shapes into effect and make input and output buffers, zeroed.

        Called by `invoke` and `set_tensor` where it has not been called before.

        Raises:
            InputError: the graph cannot run with the shapes that were asked for.
        """
        if self._pending:
            self._program = resize(self._program, self._pending)
            self._pending = {}
        elif self._allocated:
            return
        graph, steps = self._program.graph, self._program.steps
        excerpts = self._program.excerpts
        wholes = {excerpt.whole for excerpt in excerpts.values()}
        if self._kernels == "fast":
            stages = [
                Stage(s.kernel, s.operands, s.results, graph.tensors[s.results[0]].shape)
                for s in steps
            ]
            self._runs = tuple(arrange(stages, {*graph.outputs, *excerpts, *wholes}))
        else:
            self._runs = tuple(step.kernel.reference for step in steps)
        self._constants = {t.index: t.data for t in graph.tensors if t.data is not None}
        kept = {*graph.inputs, *graph.outputs, *self._constants, *excerpts, *wholes}
        last: dict[int, int] = {}
        for number, step in enumerate(steps):
            last |= dict.fromkeys((*step.operands, *step.results), number)
        self._last_use = tuple(
            tuple(t for t, end in last.items() if end == number and t not in kept)
            for number in range(len(steps))
        )
        self._values = dict(self._constants)
        for index in {*graph.inputs, *graph.outputs, *wholes} - set(self._constants):
            self._values[index] = bytearray(graph.tensors[index].bytes)
        self._stored = {index: self._storage(index) for index in (*wholes, *excerpts)}
        self._values |= {index: self._stored[index] for index in excerpts}
        self._allocated = True

    def resize_tensor_input(
        self, input_index: int, tensor_size: Sequence[int], strict: bool = False
    ) -> None:
        """Ask for another shape of an input; takes effect with `allocate_tensors`.

        Args:
            input_index: tensor index, as in `get_input_details()`.
            tensor_size: the new shape, of the same rank.
            strict: allow only dimensions to change that the model declares unknown (−1).

        Raises:
            InputError: the tensor is no input, or the shape cannot be.
        """
        tensor = self._tensor(input_index)
        if tensor.index not in self._program.graph.inputs:
            raise InputError(f"{tensor} is not an input of the model")
        shape = tuple(int(size) for size in tensor_size)
        if len(shape) != len(tensor.shape) or any(size < 1 for size in shape):
            raise InputError(f"{tensor} cannot be resized to {shape}")
        signature = tensor.shape_signature or tensor.shape
        for axis, (old, new) in enumerate(zip(signature, shape, strict=True)):
            if strict and old not in {-1, new}:
                raise InputError(f"{tensor}: dimension {axis} is fixed at {old}, {new} was asked")
        self._pending[tensor.index] = shape

    def reset_all_variables(self) -> None:
        """Set stateful tensors back to their initial value."""
        for tensor in self._program.graph.tensors:
            if tensor.is_variable and tensor.index in self._values:
                self._values[tensor.index] = bytearray(tensor.bytes)

    # --- what the model looks like -----------------------------------------------------------

    def get_input_details(self) -> list[dict[str, Any]]:
        """A dict for each input, with LiteRT's fields."""
        return [self._details(index) for index in self._program.graph.inputs]

    def get_output_details(self) -> list[dict[str, Any]]:
        """A dict for each output, with LiteRT's fields."""
        return [self._details(index) for index in self._program.graph.outputs]

    def get_tensor_details(self) -> list[dict[str, Any]]:
        """A dict for each tensor of the main subgraph, with LiteRT's fields."""
        return [self._details(tensor.index) for tensor in self._program.graph.tensors]

    def get_signature_list(self) -> dict[str, dict[str, list[str]]]:
        """The named entry points, each with the names of its inputs and outputs."""
        return {
            signature.key: {"inputs": list(signature.inputs), "outputs": list(signature.outputs)}
            for signature in self._program.graph.signatures
        }

    def get_signature_runner(self, signature_key: str | None = None) -> "SignatureRunner":
        """A callable for a named entry point; the key may be left out where there is one only.

        Raises:
            InputError: the model has no such signature.
        """
        known = {signature.key: signature for signature in self._program.graph.signatures}
        if signature_key is None and len(known) == 1:
            signature_key = next(iter(known))
        if signature_key is None or signature_key not in known:
            names = ", ".join(map(repr, known)) or "none"
            raise InputError(f"signature {signature_key!r} (the model has: {names})")
        return SignatureRunner(self, known[signature_key])

    # --- values ------------------------------------------------------------------------------

    def set_tensor(self, tensor_index: int, value: object) -> None:
        """Copy a value into an input (or variable) tensor.

        Raises:
            InputError: no such input, or the wrong type, shape or range.
        """
        self._ready()
        tensor = self._tensor(tensor_index)
        target = self._values.get(tensor.index)
        if not isinstance(target, bytearray):
            raise InputError(f"{tensor} cannot be set: it is not an input of the model")
        target[:] = arrays.to_bytes(tensor, value)

    def get_tensor(self, tensor_index: int) -> Any:
        """A copy of a tensor's value: a NumPy array, or a `memoryview` without NumPy.

        Raises:
            InputError: the tensor holds no value (see `preserve_all_tensors`).
        """
        return arrays.to_array(
            self._tensor(tensor_index), memoryview(bytearray(self._value(tensor_index)))
        )

    def tensor(self, tensor_index: int) -> Callable[[], Any]:
        """A function that gives the tensor's value without copying it.

        For inputs, what is written into the array is what the next `invoke` reads.
        """
        self._tensor(tensor_index)
        return lambda: arrays.to_array(
            self._tensor(tensor_index), memoryview(self._value(tensor_index))
        )

    def view(self, tensor_index: int) -> arrays.Elements:
        """The tensor's value as a shaped `memoryview`, not copied; needs no NumPy.

        Raises:
            InputError: the tensor holds no value (see `preserve_all_tensors`).
        """
        return arrays.to_view(self._tensor(tensor_index), memoryview(self._value(tensor_index)))

    def invoke(self, *, observe: Callable[[Step], None] | None = None) -> None:
        """Run the model on the inputs that were set.

        Args:
            observe: called after every operator, as `TINYRT_OBSERVE` is in the emitted C.
        """
        self._ready()
        values, stored = self._values, self._stored
        outputs = {index: values[index] for index in self._program.graph.outputs}
        for step, run, dead in zip(self._program.steps, self._runs, self._last_use, strict=True):
            results = run(*[values[index] for index in step.operands])
            for index, result in zip(step.results, results, strict=True):
                if index in stored:
                    stored[index][:] = as_bytes(result)
                else:
                    values[index] = result
            if not self._keep_all:
                for index in dead:
                    del values[index]
            if observe is not None:
                observe(step)
        for index, buffer in outputs.items():
            # Outputs keep their buffer, so that what `tensor` gave stays valid from run to run.
            if isinstance(buffer, bytearray) and values[index] is not buffer:
                buffer[:] = as_bytes(values[index])
                values[index] = buffer

    # --- inside ------------------------------------------------------------------------------

    def _ready(self) -> None:
        if self._pending or not self._allocated:
            self.allocate_tensors()

    def _storage(self, index: int) -> memoryview:
        """The bytes of a tensor that lies within another, or of one that holds others."""
        excerpt = self._program.excerpts.get(index, Excerpt(index, 0))
        whole = self._values[excerpt.whole]
        assert isinstance(whole, bytearray)
        end = excerpt.byte_offset + self._program.graph.tensors[index].bytes
        return memoryview(whole)[excerpt.byte_offset : end]

    def _tensor(self, index: int) -> Tensor:
        tensors = self._program.graph.tensors
        if not 0 <= index < len(tensors):
            raise InputError(f"tensor index {index} (must be 0 to {len(tensors) - 1})")
        return tensors[index]

    def _value(self, index: int) -> Value:
        self._ready()
        tensor = self._tensor(index)
        try:
            held = self._values[tensor.index]
        except KeyError as error:
            raise InputError(
                f"{tensor} holds no value: invoke() has not computed it, or it was not kept "
                "(preserve_all_tensors=True keeps every tensor)"
            ) from error
        if isinstance(held, Planes):
            # Fast kernels hand planes on to one another; who reads a tensor sees its bytes.
            held = self._values[tensor.index] = held.to_bytes()
        return held

    def _details(self, index: int) -> dict[str, Any]:
        tensor = self._tensor(index)
        np = arrays.numpy_or_none()
        quantization = tensor.quantization
        scales = quantization.scales if quantization else ()
        zero_points = quantization.zero_points if quantization else ()
        signature, name = tensor.shape_signature or tensor.shape, tensor.dtype.value
        single = (scales[0], zero_points[0]) if len(scales) == 1 else (0.0, 0)
        return {
            "name": tensor.name,
            "index": tensor.index,
            "shape": np.array(tensor.shape, np.int32) if np else tensor.shape,
            "shape_signature": np.array(signature, np.int32) if np else signature,
            "dtype": np.dtype(name).type if np and tensor.dtype.is_plain else name,
            "quantization": single,
            "quantization_parameters": {
                "scales": np.array(scales, np.float32) if np else scales,
                "zero_points": np.array(zero_points, np.int32) if np else zero_points,
                "quantized_dimension": quantization.axis if quantization else 0,
                "block_size": 0,
            },
            "sparsity_parameters": {},
        }


class SignatureRunner:
    """Calls one entry point of a model by the names of its inputs and outputs."""

    def __init__(self, interpreter: Interpreter, signature: Signature) -> None:
        self._interpreter = interpreter
        self._signature = signature

    def __call__(self, **inputs: object) -> dict[str, Any]:
        """Run the model and return its outputs by name.

        Raises:
            InputError: inputs are missing or unknown, or a value does not fit.
        """
        expected = self._signature.inputs
        if set(inputs) != set(expected):
            raise InputError(
                f"signature '{self._signature.key}' takes {sorted(expected)}, got {sorted(inputs)}"
            )
        for name, value in inputs.items():
            self._interpreter.set_tensor(expected[name], value)
        self._interpreter.invoke()
        return {
            name: self._interpreter.get_tensor(index)
            for name, index in self._signature.outputs.items()
        }

    def get_input_details(self) -> Mapping[str, dict[str, Any]]:
        """LiteRT's dict for each input, by its name in the signature."""
        return self._named(self._interpreter.get_input_details(), self._signature.inputs)

    def get_output_details(self) -> Mapping[str, dict[str, Any]]:
        """LiteRT's dict for each output, by its name in the signature."""
        return self._named(self._interpreter.get_output_details(), self._signature.outputs)

    @staticmethod
    def _named(
        details: list[dict[str, Any]], names: Mapping[str, int]
    ) -> dict[str, dict[str, Any]]:
        by_index = {detail["index"]: detail for detail in details}
        return {name: by_index[index] for name, index in names.items()}
