"""Executors in plain Python at the speed of compiled kernels: lanes in big integers, byte tables.

Rooms: `arrange` (who hands on planes, see `tinyrt.planar`), `requantize` and `straight`
(accumulators back to bytes, all lanes at once), `costs` (by which forms are chosen), then those of
each family of operators. They know integers and geometry only; operators call them with their own
fields.
"""
