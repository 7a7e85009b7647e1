"""Quarters and years of the regime's own time, numbered."""

from typing import Literal

import numpy as np

from kernels.rows import Ints

_MONTHS = {"quarter": 3, "year": 12}


def period_of(local_at: Ints, period: Literal["quarter", "year"]) -> Ints:
    """The number of the quarter or year instants lie in; int64 µs of the regime's time, numbers increase with it."""
    months: Ints = local_at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[period]
