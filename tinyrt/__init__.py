"""tinyrt: quantized TFLite models on microcontrollers, the same bytes in Python and in C.

>>> import tinyrt
>>> interpreter = tinyrt.Interpreter("model.tflite")
"""

from tinyrt.errors import (
    FormatError,
    InputError,
    ModelError,
    PlanError,
    TinyrtError,
    ToolchainError,
    UnsupportedError,
)
from tinyrt.fixedpoint import Numerics
from tinyrt.interpreter import Interpreter
from tinyrt.load import Program, load

__version__ = "0.1.0"

__all__ = [
    "FormatError",
    "InputError",
    "Interpreter",
    "ModelError",
    "Numerics",
    "PlanError",
    "Program",
    "TinyrtError",
    "ToolchainError",
    "UnsupportedError",
    "__version__",
    "load",
]
