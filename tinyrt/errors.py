"""What can go wrong, as types: everything that tinyrt raises on purpose is a `TinyrtError`."""


class TinyrtError(Exception):
    """Base of every error that tinyrt raises on purpose; its text is one readable message."""


class ModelError(TinyrtError):
    """The model cannot be used: see the subclasses for whether it is malformed or unsupported."""


class FormatError(ModelError):
    """The file is not a well-formed TFLite model; the text says where, what, found and allowed."""


class UnsupportedError(ModelError):
    """The file is well-formed, but uses operators, types or options outside of what tinyrt runs."""


class PlanError(TinyrtError):
    """No memory plan meets what was asked, or a plan failed its independent check."""


class InputError(TinyrtError, ValueError):
    """A value handed to an interpreter has the wrong dtype, shape or range, or names no tensor."""


class ToolchainError(TinyrtError):
    """A compiler or emulator is missing or failed; the text says which and how to get it."""
