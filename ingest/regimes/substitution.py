"""Substitute values by a scheme, over records of hours.

Hours are HOUR_ROW records, from certification (or the begin of the data) on, no clock
hour left out; periods are numbered by the caller: quarters for HJ 75, reporting years
for the MRR. What comes out is a function of what is known: called again when a gap has
ended or a period is closed, it tells the hours anew, and no row is provisional any more.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.errors import InputError
from ingest.methods.schemes import Family, Scheme
from kernels.hours import HJ75_RULE, HOUR, HOUR_ROW, PART75_RULE, SUBSTITUTE_ROW
from kernels.missing import substitute_hj75, substitute_mrr, substitute_neighbours
from kernels.missing75 import substitute_part75
from kernels.rows import Records

NO_OPEN_PERIOD = 2**62
"""All periods are closed."""


def part75_rule(scheme: Scheme, potential: float) -> Records:
    """The kernel's rule of a Part 75 scheme and the plant's potential value."""
    return _rule(PART75_RULE, scheme, potential=potential)


def hj75_rule(scheme: Scheme) -> Records:
    """The kernel's rule of an HJ 75 scheme."""
    return _rule(HJ75_RULE, scheme)


def _rule(dtype: np.dtype[np.void], scheme: Scheme, **given: float) -> Records:
    found = np.zeros(1, dtype)
    for name in dtype.names or ():
        found[name] = given[name] if name in given else scheme[name]
    return found


def substitute(
    scheme: Scheme, hours: Records, *, potential: float | None = None, open_period: int = NO_OPEN_PERIOD
) -> Records:
    """SUBSTITUTE_ROW records, one per hour.

    Args:
        scheme: of `ingest.methods.schemes`.
        hours: HOUR_ROW records.
            Part 75 takes a negative value as 0 and says so (code 21).
        potential: maximum (or minimum) potential value of a Part 75 scheme, in the value's unit.
        open_period: the first period that is not closed.

    Raises InputError where hours are left out or repeated, or the potential value is missing.
    """
    check_hours(hours)
    out = np.zeros(hours.size, SUBSTITUTE_ROW)
    substitute_from(scheme, hours, 0, out, potential=potential, open_period=open_period)
    return out


def substitute_from(
    scheme: Scheme,
    hours: Records,
    begin: int,
    out: Records,
    *,
    potential: float | None = None,
    open_period: int = NO_OPEN_PERIOD,
) -> None:
    """The same from the place `begin` on, into `out`; hours are consecutive, and no gap reaches over that place."""
    match scheme.family:
        case Family.PART75:
            if potential is None or not math.isfinite(potential):
                raise InputError(
                    f"potential is {potential}; {scheme.id} expects the potential {scheme.quantity}"
                )
            substitute_part75(hours, part75_rule(scheme, potential), begin, out)
        case Family.HJ75:
            substitute_hj75(hours, hj75_rule(scheme), open_period, begin, out)
        case Family.MRR:
            substitute_mrr(hours, scheme["deviations"], open_period, begin, out)
        case Family.NEIGHBOURS:
            substitute_neighbours(hours, begin, out)


def check_hours(hours: Records) -> None:
    """Raise InputError unless these are consecutive clock hours with periods that do not go back."""
    apart: npt.NDArray[Any] = np.diff(hours["start_at"])
    wrong = np.flatnonzero(apart != HOUR)
    if wrong.size:
        raise InputError(
            f"hour {wrong[0] + 1} does not follow the one before; expected one record per clock hour"
        )
    if hours.size and hours["start_at"][0] % HOUR:
        raise InputError("hour 0 does not begin on a clock hour; expected one record per clock hour")
    if (np.diff(hours["period"]) < 0).any():
        raise InputError("periods go back; expected numbers that do not fall")


def hour_records(n: int, start_at: int = 0, value: float = math.nan) -> Records:
    """N consecutive hours from start_at, µs, all running, valid and in control."""
    hours = np.zeros(n, HOUR_ROW)
    hours["start_at"] = start_at + HOUR * np.arange(n)
    hours["value"], hours["valid"], hours["operating"] = value, 1, 1
    return hours
