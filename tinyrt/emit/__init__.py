"""The emitter: a planned program as C files."""

from tinyrt.emit import writer
from tinyrt.emit.describe import Port
from tinyrt.emit.files import kernel_files, kernel_folder
from tinyrt.emit.project import Project, emit

__all__ = ["Port", "Project", "emit", "kernel_files", "kernel_folder", "writer"]
