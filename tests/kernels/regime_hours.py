"""Hour records for tests: short histories with gaps, stops, bins and periods."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from kernels.hours import HOUR, HOUR_ROW, SUBSTITUTE_ROW
from kernels.rows import Records


@st.composite
def histories(draw: st.DrawFn, most: int = 40, *, negative: bool = False) -> Records:
    """Hours of which some are missing for one reason or another; with negative values if asked for."""
    n = draw(st.integers(1, most))
    hours = np.zeros(n, HOUR_ROW)
    hours["start_at"] = HOUR * (draw(st.integers(-5, 5)) + np.arange(n))

    def column(elements: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(elements, min_size=n, max_size=n))

    hours["value"] = column(st.sampled_from([1.0, 2.0, 2.5, 3.0, 7.25, 10.0, np.nan] + [-1.5] * negative))
    rare = st.sampled_from([1, 1, 1, 0])
    hours["valid"], hours["operating"] = column(rare), column(rare)
    hours["out_of_control"] = column(st.sampled_from([0, 0, 0, 0, 1]))
    hours["load_bin"] = column(st.integers(-1, 3))
    hours["period"] = np.sort(column(st.integers(0, 2)))
    return hours


SENTINEL = -77


def going_on(substitute: Any, hours: Records, begin: int, *arguments: Any) -> Records:
    """Rows made from a place on; those before it say that nobody has made them."""
    out = np.full(hours.size, SENTINEL, SUBSTITUTE_ROW)
    substitute(hours, *arguments, begin, out)
    return out


def filled(substitute: Any, hours: Records, *arguments: Any) -> Records:
    out = np.zeros(hours.size, SUBSTITUTE_ROW)
    substitute(hours, *arguments, 0, out)
    return out
