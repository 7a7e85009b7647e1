"""Arithmetic over columns: from readings to intervals, sums and formulas.

Arrays in, arrays out. Nothing here knows a clock, a name of a thing, a file or
a log, and nothing raises: NaN and `rows.NO_COUNT` say "none". Every kernel has
a slow, obvious twin in `kernels.reference`, which is its definition.

Importing this package does not load numba; importing a module of kernels does,
except `rows` and `reference`.
"""
