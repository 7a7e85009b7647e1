"""Definitions of `kernels.frontier`: how far a point may be closed, and which readings came late."""

from kernels.reference.tail import hangs_on_next, listed, usable_times, waits
from kernels.rows import COUNTER, DELTA, NEVER, Ints, Records


def frontiers(
    entries: Records,
    points: Records,
    params: Records,
    watermark: int,
    interval_us: int,
    opens_at: Ints,
    closes_at: Ints,
    reaches: Ints,
) -> None:
    """Per point where open time begins, up to where it may be closed, and up to where it is known."""
    for p, owner in enumerate(points):
        param, held = params[p], listed(entries, owner)
        delta, ahead = param["kind"] == DELTA, param["stamp_start"] != 0
        closed_until, period = int(owner["closed_until"]), int(param["period_us"])
        times = usable_times(held, param)
        if not times:
            opens = _edge(held[0].at, interval_us) if held and closed_until == NEVER else closed_until
            known = NEVER if NEVER in {opens, watermark} else watermark
            opens_at[p], reaches[p] = opens, known
            closes_at[p] = opens if known == NEVER else max(opens, _edge(known, interval_us))
            continue
        opens = closed_until
        if opens == NEVER:
            opens = _edge(held[0].at - (period if delta and not ahead else 0), interval_us)
        newest = times[-1] + (period if delta and ahead else 0)
        silent = watermark != NEVER and watermark - newest > param["max_gap_us"]
        known, closes = max(newest, watermark), watermark
        if waits(param) and not silent:
            if param["kind"] == COUNTER and hangs_on_next(held, param, times[-1]):
                newest = max(opens, times[-2])
            known, closes = newest, min(newest, watermark)
        opens_at[p], reaches[p] = opens, known
        closes_at[p] = opens if closes == NEVER else max(opens, _edge(closes, interval_us))


def behind(
    params: Records,
    message: Ints,
    point: Ints,
    measured_at: Ints,
    received_at: Ints,
    watermark: int,
    lateness_us: int,
    interval_us: int,
    late: Ints,
) -> None:
    """late[i] 1: reading i begins before an edge that what came before it had passed.

    What came before it: the earlier messages, and its point's earlier readings in its own.
    """
    for i in range(point.size):
        own = (message == message[i]) & (point == point[i])
        own[i:] = False
        before = (message < message[i]) | own
        events = [min(a, b) for a, b in zip(measured_at[before], received_at[before], strict=True)]
        mark = max((watermark, *(int(event) - lateness_us for event in events)))
        param = params[point[i]]
        begin = int(measured_at[i])
        if param["kind"] == DELTA and param["stamp_start"] == 0:
            begin -= int(param["period_us"])
        late[i] = int(mark != NEVER and begin < _edge(mark, interval_us))


def _edge(at: int, interval_us: int) -> int:
    return at - at % interval_us
