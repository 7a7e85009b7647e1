"""How far time has come for each point: what may be closed, what is known, what came late.

A stepped or delta point closes with the watermark; a sloped point or counter also
waits for a reading beyond the edge, but not longer than its max_gap. A register whose
newest step may turn out to be a glitch is known up to the reading before. Twins in
`reference`. Nothing is closed here.
"""

import numpy as np

from kernels._jit import kernel
from kernels.entry import ENTRY, TAIL_POINT, matters, reach_after
from kernels.listed import hangs_on_next, previous_used
from kernels.rows import COUNTER, DELTA, NEVER, POINT_PARAMS


@kernel
def _floor(at: int, step: int) -> int:
    return at - at % step


@kernel
def _newest_used(entries: np.ndarray, param: np.void, owner: np.void) -> int:
    """The newest entry that matters, -1 for none."""
    e = int(owner["last"])
    while e >= 0 and not matters(entries, param, e):
        e = int(entries[e]["earlier"])
    return e


@kernel
def _waits(param: np.void) -> bool:
    """Whether closing needs a reading beyond the edge."""
    return bool(param["kind"] == COUNTER or (param["sloped"] != 0 and param["kind"] != DELTA))


@kernel
def frontiers(
    entries: np.ndarray,
    points: np.ndarray,
    params: np.ndarray,
    watermark: int,
    interval_us: int,
    opens_at: np.ndarray,
    closes_at: np.ndarray,
    reaches: np.ndarray,
) -> None:
    """How far each point (TAIL_POINT) may be closed and how far its signal is known; int64 out, µs.

    opens_at: the edge from which intervals are open. closes_at: the edge up to which they
    may be closed now (<= opens_at: nothing to do). reaches: the instant up to which the
    signal is known. NEVER: the point was never seen, or there is no watermark.
    Definition: reference.frontiers.
    """
    for p in range(points.size):
        owner, param = points[p], params[p]
        e = _newest_used(entries, param, owner)
        opens = owner["closed_until"]
        if e < 0:
            if opens == NEVER and owner["first"] >= 0:  # heard, though nothing usable: it holds nobody up
                opens = _floor(entries[owner["first"]]["at"], interval_us)
            seen = opens != NEVER and watermark != NEVER  # noqa: PLR1714  a set in a kernel costs an allocation
            opens_at[p] = opens
            closes_at[p] = max(opens, _floor(watermark, interval_us)) if seen else opens
            reaches[p] = watermark if seen else NEVER
            continue
        begin, newest = entries[owner["first"]]["at"], entries[e]["at"]
        newest += reach_after(param)
        if param["kind"] == DELTA and param["stamp_start"] == 0:
            begin -= param["period_us"]
        if opens == NEVER:
            opens = _floor(begin, interval_us)
        closes, reach = watermark, max(newest, watermark)
        if _waits(param) and (watermark == NEVER or watermark - newest <= param["max_gap_us"]):
            if param["kind"] == COUNTER and hangs_on_next(entries, param, e):
                newest = max(opens, entries[previous_used(entries, param, e)]["at"])
            closes, reach = min(watermark, newest), newest
        opens_at[p], reaches[p] = opens, reach
        closes_at[p] = opens if closes == NEVER else max(opens, _floor(closes, interval_us))


@kernel
def behind(
    params: np.ndarray,
    message: np.ndarray,
    point: np.ndarray,
    measured_at: np.ndarray,
    received_at: np.ndarray,
    watermark: int,
    lateness_us: int,
    interval_us: int,
    late: np.ndarray,
) -> None:
    """Which readings came after their interval should have closed.

    Told by the order of messages and of a point's readings within one, not by how
    messages fall into batches: a reading is late if its time begins before the edge
    below the watermark that all earlier messages, and its point's earlier readings in
    its own message, have made. Definition: reference.behind.

    `message` never decreases and a point's readings in one stand together; `watermark` is
    the one before the first of them (NEVER: none). `late` (int64, out): 1 late, 0 not.
    """
    newest = watermark
    reached, own = newest, NEVER
    for i in range(point.size):
        if i == 0 or message[i] != message[i - 1]:
            reached = newest
        if i == 0 or message[i] != message[i - 1] or point[i] != point[i - 1]:
            own = NEVER
        begin = measured_at[i]
        param = params[point[i]]
        if param["kind"] == DELTA and param["stamp_start"] == 0:
            begin -= param["period_us"]
        mark = max(reached, own)
        late[i] = 1 if mark != NEVER and begin < _floor(mark, interval_us) else 0
        event = min(measured_at[i], received_at[i]) - lateness_us
        own = max(own, event)
        newest = max(newest, event)


def warm_up() -> None:
    """Compile every kernel of this module with the types the pipeline uses."""
    points, params, column = np.zeros(1, TAIL_POINT), np.zeros(1, POINT_PARAMS), np.zeros(1, np.int64)
    points["first"] = points["last"] = -1
    frontiers(np.zeros(1, ENTRY), points, params, 0, 60, column, column.copy(), column.copy())
    behind(params, column, column, column, column, 0, 0, 60, column.copy())
