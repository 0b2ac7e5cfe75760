"""Line-buffered execution: operators that run strip by strip, and choosing which.

`schedule` says which rows are computed when, `unroll` makes steps of that, `fit` chooses a form
for the arena that there is.
"""

from tinyrt.kernel import CKernel
from tinyrt.strips.average_pool_rows import AveragePoolRows
from tinyrt.strips.fit import Fit, fit

__all__ = ["ALL", "Fit", "fit"]

ALL: tuple[type[CKernel], ...] = (AveragePoolRows,)
"""Every kernel that only strips call."""
