"""When an analyser was out of control, by the rule of a regime, as spans and as time lost per hour.

Tests are sorted by time; instants in µs. Spans come out disjoint and sorted, an end of
FOREVER is open. An hour of which a span takes part loses that part; whether the rest
makes a valid hour is the rule for hours to say. Definitions: the same names in reference.
"""

import numpy as np

from kernels._jit import kernel
from kernels.hours import HOUR
from kernels.rows import Floats, Ints

FOREVER = 2**62
"""After every instant."""


@kernel
def spans_from_failure(at: Ints, passed: Ints, begin: Ints, end: Ints) -> int:
    """From each failed test to the next passed one: 40 CFR 75 appendix B. Returns the spans written."""
    n = 0
    is_out = False
    for i in range(at.size):
        if passed[i] != 0:
            if is_out:
                end[n - 1] = at[i]
            is_out = False
        elif not is_out:
            begin[n], end[n] = at[i], FOREVER
            n += 1
            is_out = True
    return n


@kernel
def spans_from_last_passed(at: Ints, passed: Ints, since: int, begin: Ints, end: Ints) -> int:
    """From the last passed test before a failed one to the next passed one: HJ 75-2017.

    since: where the data begin, for a failure that no passed test precedes.
    """
    n = spans_from_failure(at, passed, begin, end)
    k = 0
    for g in range(n):
        while at[k] < begin[g] or passed[k] != 0:
            k += 1
        begin[g] = at[k - 1] if k > 0 else since
    return n


@kernel
def spans_by_drift(
    at: Ints, drift: Floats, once: float, repeated: float, in_a_row: int, since: int, begin: Ints, end: Ints
) -> int:
    """40 CFR 60 appendix F: drift as a multiple of the limit, one test a day.

    Above `once` from the test before (since, if there is none); above `repeated` on
    `in_a_row` tests from the last of these. Until the next test that is not above
    what put it out. Spans that touch are one.
    """
    n = 0
    run = 0
    for i in range(at.size):
        run = run + 1 if drift[i] > repeated else 0
        for limit in (once, repeated):
            is_once = limit == once
            if not (drift[i] > once if is_once else run >= in_a_row):
                continue
            start = at[i] if not is_once else at[i - 1] if i > 0 else since
            k = i + 1
            while k < at.size and drift[k] > limit:
                k += 1
            until = at[k] if k < at.size else FOREVER
            if n > 0 and start <= end[n - 1]:
                end[n - 1] = max(end[n - 1], until)
            else:
                begin[n], end[n] = start, until
                n += 1
    return n


@kernel
def spans_uncovered(
    start_at: Ints,
    operating: Ints,
    at: Ints,
    passed: Ints,
    cover_h: int,
    grace_h: int,
    begin: Ints,
    end: Ints,
) -> int:
    """Hours that no passed test covers: 40 CFR 75 appendix B, 2.1.5.

    A passed test covers its clock hour and the following, cover_h in all; only hours in
    which the unit runs need it. With a start-up the unit has grace_h hours more, if the
    last test was passed and the last hour that it ran before was covered. Columns
    start_at and operating are clock hours, none left out.
    """
    n = 0
    test = -1
    grace_until = -FOREVER
    was_covered = False
    for i in range(start_at.size):
        hour = start_at[i]
        while test + 1 < at.size and at[test + 1] < hour + HOUR:
            test += 1
        if operating[i] == 0:
            continue
        covering = test
        while covering >= 0 and passed[covering] == 0:
            covering -= 1
        covered = covering >= 0 and hour - at[covering] // HOUR * HOUR < cover_h * HOUR
        starts = i > 0 and operating[i - 1] == 0
        if starts:
            usable = was_covered and test >= 0 and passed[test] != 0
            grace_until = hour + grace_h * HOUR if usable else -FOREVER
        if not covered and hour >= grace_until:
            if n > 0 and end[n - 1] == hour:
                end[n - 1] = hour + HOUR
            else:
                begin[n], end[n] = hour, hour + HOUR
                n += 1
        was_covered = covered
    return n


@kernel
def lost_time(start_at: Ints, begin: Ints, end: Ints, out: Ints) -> None:
    """out[i]: µs of hour i that lie in one of the disjoint, sorted spans."""
    k = 0
    for i in range(start_at.size):
        low, high = start_at[i], start_at[i] + HOUR
        while k < begin.size and end[k] <= low:
            k += 1
        lost, j = 0, k
        while j < begin.size and begin[j] < high:
            lost += min(end[j], high) - max(begin[j], low)
            j += 1
        out[i] = lost


def warm_up() -> None:
    """Compile what other modules call."""
    ints = np.zeros(1, np.int64)
    begin, end = np.zeros(1, np.int64), np.zeros(1, np.int64)
    spans_from_failure(ints, ints, begin, end)
    spans_from_last_passed(ints, ints, 0, begin, end)
    spans_by_drift(ints, np.zeros(1), 4.0, 2.0, 5, 0, begin, end)
    spans_uncovered(ints, ints, ints, ints, 26, 8, begin, end)
    lost_time(ints, begin, end, ints.copy())
