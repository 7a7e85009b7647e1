"""The tail: per point the accepted readings that open intervals still need.

One arena of entries for all points, linked per point in the order (at, seq,
received_at, value). A reading is appended, inserted, dropped as a duplicate,
or found to touch what is closed. Nothing is copied while readings arrive at
the end, which is what they nearly always do; `gather` copies a point's list
into columns when something is folded.

Twins: `reference.insert`, `reference.gather`. The arena never grows here; the
caller makes room first.
"""

import numpy as np

from kernels._jit import kernel
from kernels.rows import BAD, COUNTER, DELTA, NEVER, POINT_PARAMS

ENTRY = np.dtype(
    [
        ("at", "i8"),
        ("value", "f8"),
        ("count", "i8"),
        ("received_at", "i8"),
        ("seq", "i8"),
        ("quality", "i8"),
        ("reasons", "i8"),
        ("later", "i8"),
        ("earlier", "i8"),
    ]
)
"""One reading; `later` and `earlier` are indices of its neighbours, -1 for none."""

TAIL_POINT = np.dtype(
    [
        ("first", "i8"),
        ("last", "i8"),
        ("size", "i8"),
        ("closed_until", "i8"),
        ("settled_until", "i8"),
        ("retain_from", "i8"),
    ]
)
"""A point's list and frontiers.

`closed_until`: intervals before it are closed. `settled_until`: a computed point
that reads this one has used readings up to here. `retain_from`: the least of the
frontiers of everything that reads the point.
"""

APPENDED, INSERTED, DUPLICATE, LATE, REOPENS = 0, 1, 2, 3, 4
"""What `insert` did. LATE: not in the tail. REOPENS: in the tail, and a closed interval depends on it."""


@kernel
def _touches_closed(param: np.void, closed_until: int, at: int) -> bool:
    """Whether a reading at `at` belongs to closed time: class (c) of the commit rules."""
    if closed_until == NEVER:
        return False
    if param["kind"] == DELTA:
        start = at if param["stamp_start"] != 0 else at - param["period_us"]
        return bool(start < closed_until)
    if param["sloped"] != 0 or param["kind"] == COUNTER:
        return bool(at <= closed_until)
    return bool(at < closed_until)


@kernel
def _same(entry: np.void, value: float, quality: int, seq: int) -> bool:
    equal = entry["value"] == value or (np.isnan(entry["value"]) and np.isnan(value))
    return bool(equal and entry["quality"] == quality and entry["seq"] == seq)


@kernel
def _after(entry: np.void, at: int, seq: int, received_at: int, value: float) -> bool:
    """Whether `entry` sorts after the reading (at, seq, received_at, value); NaN sorts lowest."""
    if entry["at"] != at:
        return bool(entry["at"] > at)
    if entry["seq"] != seq:
        return bool(entry["seq"] > seq)
    if entry["received_at"] != received_at:
        return bool(entry["received_at"] > received_at)
    return bool(entry["value"] > value or (np.isnan(value) and not np.isnan(entry["value"])))


@kernel
def _reopens(entries: np.ndarray, param: np.void, point: np.void, spot: int, at: int, quality: int) -> bool:
    """Whether the reading after entry `spot` changes a segment that a closed interval has used.

    A sloped segment or counter step that crosses `closed_until` was closed with the
    bracket known then; a reading inside it, or one that ends a gap a counter has
    lived through, changes what was closed.
    """
    closed_until = point["closed_until"]
    if at <= point["settled_until"]:
        return True
    counter = param["kind"] == COUNTER
    if closed_until == NEVER or not (counter or (param["sloped"] != 0 and param["kind"] != DELTA)):
        return False
    if counter and quality == BAD:
        return False
    later = entries[spot]["later"] if spot >= 0 else point["first"]
    while spot >= 0 and (entries[spot]["at"] == at or (counter and entries[spot]["quality"] == BAD)):
        spot = entries[spot]["earlier"]
    if spot < 0 or entries[spot]["at"] >= closed_until:
        return False
    return bool(counter or later >= 0 or at - entries[spot]["at"] <= param["max_gap_us"])


@kernel
def insert(
    entries: np.ndarray,
    free: np.ndarray,
    free_count: np.ndarray,
    points: np.ndarray,
    params: np.ndarray,
    point: np.ndarray,
    at: np.ndarray,
    value: np.ndarray,
    count: np.ndarray,
    quality: np.ndarray,
    reasons: np.ndarray,
    seq: np.ndarray,
    received_at: np.ndarray,
    adopt: int,
    outcome: np.ndarray,
) -> None:
    """Put readings into the lists of their points, in the order given.

    Args:
        entries: ENTRY[capacity], the arena.
        free: int64[capacity], indices of free entries; the first `free_count[0]` are valid.
        free_count: int64[1]; at least `point.size` on entry.
        points: TAIL_POINT[n_points].
        params: POINT_PARAMS[n_points].
        point: int64[n], index of each reading's point; the other columns alike.
        at: µs.
        value: in the point's unit, NaN for none.
        count: counts of the point's resolution (counters and deltas).
        quality: 0…3.
        reasons: bit set.
        seq: -1 for none.
        received_at: µs.
        adopt: 1 puts readings of closed time in as well, as far back as the lists reach: they are
            stored and recomputed already, and what is open may begin with them.
        outcome: int64[n], one of APPENDED, INSERTED, DUPLICATE, LATE, REOPENS.
    """
    for i in range(point.size):
        p = point[i]
        owner = points[p]
        if adopt == 0:
            beyond = _touches_closed(params[p], owner["closed_until"], at[i])
        else:
            first = owner["first"]
            beyond = (
                first >= 0 and at[i] < entries[first]["at"] and entries[first]["at"] <= owner["retain_from"]
            )
        if beyond:
            outcome[i] = LATE
            continue
        spot = owner["last"]
        duplicate = False
        while spot >= 0 and _after(entries[spot], at[i], seq[i], received_at[i], value[i]):
            if entries[spot]["at"] == at[i] and _same(entries[spot], value[i], quality[i], seq[i]):
                duplicate = True
                break
            spot = entries[spot]["earlier"]
        same_time = spot
        while not duplicate and same_time >= 0 and entries[same_time]["at"] == at[i]:
            duplicate = _same(entries[same_time], value[i], quality[i], seq[i])
            same_time = entries[same_time]["earlier"]
        if duplicate:
            outcome[i] = DUPLICATE
            continue
        appended = spot == owner["last"]
        if _reopens(entries, params[p], owner, spot, at[i], quality[i]):
            outcome[i] = REOPENS
        else:
            outcome[i] = APPENDED if appended else INSERTED
        free_count[0] -= 1
        new = free[free_count[0]]
        entry = entries[new]
        entry["at"] = at[i]
        entry["value"] = value[i]
        entry["count"] = count[i]
        entry["received_at"] = received_at[i]
        entry["seq"] = seq[i]
        entry["quality"] = quality[i]
        entry["reasons"] = reasons[i]
        _link(entries, owner, spot, new)


@kernel
def _link(entries: np.ndarray, owner: np.void, spot: int, new: int) -> None:
    """Put entry `new` behind entry `spot` (-1: in front) of the owner's list."""
    later = entries[spot]["later"] if spot >= 0 else owner["first"]
    entries[new]["earlier"] = spot
    entries[new]["later"] = later
    if spot >= 0:
        entries[spot]["later"] = new
    else:
        owner["first"] = new
    if later >= 0:
        entries[later]["earlier"] = new
    else:
        owner["last"] = new
    owner["size"] += 1


@kernel
def trim(
    entries: np.ndarray,
    free: np.ndarray,
    free_count: np.ndarray,
    points: np.ndarray,
    params: np.ndarray,
) -> None:
    """Free what nothing will ask for again.

    Kept is the last usable reading at or before `retain_from` and all after it; of a
    delta point what reaches beyond `retain_from`.
    """
    for p in range(points.size):
        owner = points[p]
        keep_from = owner["retain_from"]
        if owner["size"] == 0 or keep_from == NEVER:
            continue
        keep = owner["first"]
        if params[p]["kind"] == DELTA:
            reach = params[p]["period_us"] if params[p]["stamp_start"] != 0 else 0
            while keep >= 0 and entries[keep]["at"] + reach <= keep_from:
                keep = entries[keep]["later"]
        else:
            e = keep
            while e >= 0 and entries[e]["at"] <= keep_from:
                later = entries[e]["later"]
                winner = later < 0 or entries[later]["at"] != entries[e]["at"]
                if winner and entries[e]["quality"] != BAD:
                    keep = e
                e = later
        e = owner["first"]
        while e != keep:
            later = entries[e]["later"]
            free[free_count[0]] = e
            free_count[0] += 1
            owner["size"] -= 1
            e = later
        owner["first"] = keep
        if keep >= 0:
            entries[keep]["earlier"] = -1
        else:
            owner["last"] = -1


@kernel
def gather(
    entries: np.ndarray,
    points: np.ndarray,
    chosen: np.ndarray,
    offsets: np.ndarray,
    at: np.ndarray,
    value: np.ndarray,
    count: np.ndarray,
    quality: np.ndarray,
    reasons: np.ndarray,
) -> None:
    """Copy the lists of the chosen points into columns.

    Args:
        entries: ENTRY[capacity].
        points: TAIL_POINT[n_points].
        chosen: int64[k], indices of points; one may stand there twice.
        offsets: int64[k + 1], out: rows of `chosen[j]` are offsets[j]…offsets[j + 1].
        at: int64[Σ size], out; the other columns alike.
        value: out.
        count: out.
        quality: out.
        reasons: out.
    """
    row = 0
    for j in range(chosen.size):
        offsets[j] = row
        e = points[chosen[j]]["first"]
        while e >= 0:
            entry = entries[e]
            at[row] = entry["at"]
            value[row] = entry["value"]
            count[row] = entry["count"]
            quality[row] = entry["quality"]
            reasons[row] = entry["reasons"]
            row += 1
            e = entry["later"]
    offsets[chosen.size] = row


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

    Args:
        params: POINT_PARAMS[n_points].
        message: int64[n], number of the message, never decreasing.
        point: int64[n]; a point's readings in one message stand together.
        measured_at: µs.
        received_at: µs.
        watermark: before the first of them, NEVER if there is none.
        lateness_us: of the site.
        interval_us: length of an interval.
        late: int64[n], out: 1 late, 0 not.
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


@kernel
def _floor(at: int, step: int) -> int:
    return at - at % step


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
    """How far each point may be closed and how far its signal is known.

    Args:
        entries: ENTRY[capacity].
        points: TAIL_POINT[n].
        params: POINT_PARAMS[n].
        watermark: µs, NEVER before the first reading.
        interval_us: length of an interval.
        opens_at: int64[n], out: the edge from which intervals are still open; NEVER if never seen.
        closes_at: int64[n], out: the edge up to which they may be closed now (<= opens_at: nothing to do).
        reaches: int64[n], out: the instant up to which the signal is known; NEVER if never seen.
    """
    for p in range(points.size):
        owner = points[p]
        param = params[p]
        e = owner["last"]
        if param["kind"] == COUNTER:
            while e >= 0 and entries[e]["quality"] == BAD:
                e = entries[e]["earlier"]
        if e < 0:
            opens_at[p] = owner["closed_until"]
            closes_at[p] = max(owner["closed_until"], NEVER)
            reaches[p] = NEVER
            if owner["closed_until"] != NEVER and watermark != NEVER:
                closes_at[p] = max(owner["closed_until"], _floor(watermark, interval_us))
                reaches[p] = watermark
            continue
        newest = entries[e]["at"]
        begin = entries[owner["first"]]["at"]
        if param["kind"] == DELTA and param["stamp_start"] != 0:
            newest += param["period_us"]
        elif param["kind"] == DELTA:
            begin -= param["period_us"]
        opens = owner["closed_until"]
        if opens == NEVER:
            opens = _floor(begin, interval_us)
        opens_at[p] = opens
        closes = watermark
        reach = max(newest, watermark)
        waits = param["kind"] == COUNTER or (param["sloped"] != 0 and param["kind"] != DELTA)
        if waits and (watermark == NEVER or watermark - newest <= param["max_gap_us"]):
            closes = min(watermark, newest)
            reach = newest
        reaches[p] = reach
        closes_at[p] = opens if closes == NEVER else max(opens, _floor(closes, interval_us))


def warm_up() -> None:
    """Compile every kernel of this module with the types the pipeline uses."""
    entries, free, free_count = np.zeros(4, ENTRY), np.arange(4), np.array([4])
    points, params = np.zeros(1, TAIL_POINT), np.zeros(1, POINT_PARAMS)
    points["first"] = points["last"] = -1
    points["closed_until"] = points["settled_until"] = points["retain_from"] = NEVER
    one, value, outcome = np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.int64)
    insert(entries, free, free_count, points, params, one, one, value, one, one, one, one, one, 0, outcome)
    frontiers(entries, points, params, 0, 60, one.copy(), one.copy(), one.copy())
    behind(params, one, one, one, one, 0, 0, 60, outcome)
    offsets, columns = np.zeros(2, np.int64), np.zeros(1, np.int64)
    gather(entries, points, one, offsets, columns, value, columns.copy(), columns.copy(), columns.copy())
    trim(entries, free, free_count, points, params)
