"""Executors in plain Python at the speed of compiled kernels: lanes in big integers, byte tables.

Rooms: `planes` (feature maps as integers), `requantize` (accumulators back to bytes, all lanes at
once), then one for each family of operators. They know integers and geometry only; operators call
them with their own fields.
"""
