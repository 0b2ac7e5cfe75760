"""The emitter: a planned program as C files."""

from tinyrt.emit import writer
from tinyrt.emit.model import Port
from tinyrt.emit.project import Project, emit, kernel_files, kernel_folder

__all__ = ["Port", "Project", "emit", "kernel_files", "kernel_folder", "writer"]
