"""Definitions of `kernels.control`: instants out of control, test by test."""

from kernels.hours import HOUR
from kernels.rows import Floats, Ints

FOREVER = 2**62
"""After every instant."""

Span = tuple[int, int]


def _write(spans: list[Span], begin: Ints, end: Ints) -> int:
    for n, (low, high) in enumerate(spans):
        begin[n], end[n] = low, high
    return len(spans)


def _next_passed(at: list[int], passed: list[bool], after: int) -> int:
    return next((at[k] for k in range(after + 1, len(at)) if passed[k]), FOREVER)


def _first_failures(passed: list[bool]) -> list[int]:
    return [i for i in range(len(passed)) if not passed[i] and (i == 0 or passed[i - 1])]


def spans_from_failure(at: Ints, passed: Ints, begin: Ints, end: Ints) -> int:
    """[failed test, next passed test)."""
    times, good = at.tolist(), (passed != 0).tolist()
    return _write([(times[i], _next_passed(times, good, i)) for i in _first_failures(good)], begin, end)


def spans_from_last_passed(at: Ints, passed: Ints, since: int, begin: Ints, end: Ints) -> int:
    """[last passed test before a failed one, next passed test)."""
    times, good = at.tolist(), (passed != 0).tolist()
    spans = [(times[i - 1] if i > 0 else since, _next_passed(times, good, i)) for i in _first_failures(good)]
    return _write(spans, begin, end)


def spans_by_drift(
    at: Ints, drift: Floats, once: float, repeated: float, in_a_row: int, since: int, begin: Ints, end: Ints
) -> int:
    """The union of what single large drifts and runs of smaller ones put out of control."""
    times, size = at.tolist(), drift.tolist()
    spans: list[Span] = []
    for i in range(len(times)):
        if size[i] > once:
            below = [one <= once for one in size]
            spans.append((times[i - 1] if i > 0 else since, _next_passed(times, below, i)))
        if i + 1 >= in_a_row and all(one > repeated for one in size[i + 1 - in_a_row : i + 1]):
            below = [one <= repeated for one in size]
            spans.append((times[i], _next_passed(times, below, i)))
    union: list[Span] = []
    for low, high in sorted(spans):
        if union and low <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], high))
        else:
            union.append((low, high))
    return _write(union, begin, end)


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
    """Running hours for which neither a passed test nor a start-up's grace is near enough."""
    hours, ran = start_at.tolist(), (operating != 0).tolist()
    tests = [(one, bool(good)) for one, good in zip(at.tolist(), passed.tolist(), strict=True)]

    def covered(hour: int) -> bool:
        known = [one for one, good in tests if good and one < hour + HOUR]
        return bool(known) and hour - known[-1] // HOUR * HOUR < cover_h * HOUR

    def graced(i: int) -> bool:
        start = i
        while start > 0 and ran[start - 1]:
            start -= 1
        earlier = [k for k in range(start) if ran[k]]
        known = [good for one, good in tests if one < hours[start] + HOUR]
        usable = start > 0 and earlier and covered(hours[earlier[-1]]) and known and known[-1]
        return bool(usable) and hours[i] < hours[start] + grace_h * HOUR

    union: list[Span] = []
    for i, hour in enumerate(hours):
        if not ran[i] or covered(hour) or graced(i):
            continue
        if union and union[-1][1] == hour:
            union[-1] = (union[-1][0], hour + HOUR)
        else:
            union.append((hour, hour + HOUR))
    return _write(union, begin, end)


def lost_time(start_at: Ints, begin: Ints, end: Ints, out: Ints) -> None:
    """Overlap of every hour with every span."""
    spans = list(zip(begin.tolist(), end.tolist(), strict=True))
    for i, low in enumerate(start_at.tolist()):
        out[i] = sum(max(0, min(high, low + HOUR) - max(start, low)) for start, high in spans)
