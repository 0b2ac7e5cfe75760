"""What Python's integers cost, for the choice between ways to compute the same.

Nanoseconds on one 2-core server, CPython 3.11; only the proportions matter.
"""

DIGIT_BITS = 30
"""Of Python's integers, on which all costs depend."""

CALL = 22.0
"""Of an operator, and of the result's memory."""

MULTIPLY = 0.8
"""A digit of the longer factor, for each of the shorter one."""

ADD = 0.62
"""A digit; so is a shift."""

FETCH = 0.4
"""A digit that drives other data out of the cache."""
