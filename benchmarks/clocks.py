"""What time is told by."""

from collections.abc import Callable, Mapping
from time import perf_counter, process_time

Clock = Callable[[], float]

CLOCKS: Mapping[str, Clock] = {"wall": perf_counter, "cpu": process_time}
"""`wall` is what a user waits for; `cpu`, the processor time of all threads of the process, is the
same on an idle machine, and leaves out the waiting for a processor on a busy one. It takes some
tenths of a microsecond to read, which tells on runs of a microsecond."""
DEFAULT = "wall"
