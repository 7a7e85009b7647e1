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
def _is_duplicate(entries: np.ndarray, spot: int, at: int, value: float, quality: int, seq: int) -> bool:
    """Whether an equal reading stands among those of its time; `spot` sorts last before or with it."""
    e = spot
    while e >= 0 and entries[e]["at"] == at:
        if _same(entries[e], value, quality, seq):
            return True
        e = entries[e]["earlier"]
    return False


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
    """Put readings (columns of equal length, `point` indexes `points`) into lists, in the order given.

    `free[:free_count[0]]` are the free entries, at least as many as readings. With `adopt`
    1 readings of closed time are put in too, as far back as the lists reach: they are
    stored and recomputed already, and what is open may begin with them. `outcome` gets
    one of APPENDED, INSERTED, DUPLICATE, LATE, REOPENS.
    """
    for i in range(point.size):
        param, owner = params[point[i]], points[point[i]]
        if _beyond(entries, param, owner, at[i], adopt):
            outcome[i] = LATE
            continue
        spot, duplicate = owner["last"], False
        while spot >= 0 and _after(entries[spot], at[i], seq[i], received_at[i], value[i]):
            duplicate |= entries[spot]["at"] == at[i] and _same(entries[spot], value[i], quality[i], seq[i])
            spot = entries[spot]["earlier"]
        if duplicate or _is_duplicate(entries, spot, at[i], value[i], quality[i], seq[i]):
            outcome[i] = DUPLICATE
            continue
        if _reopens(entries, param, owner, spot, at[i], quality[i]):
            outcome[i] = REOPENS
        else:
            outcome[i] = APPENDED if spot == owner["last"] else INSERTED
        free_count[0] -= 1
        new = free[free_count[0]]
        entry = entries[new]
        entry["at"], entry["value"], entry["count"] = at[i], value[i], count[i]
        entry["received_at"], entry["seq"] = received_at[i], seq[i]
        entry["quality"], entry["reasons"] = quality[i], reasons[i]
        _link(entries, owner, spot, new)


@kernel
def _beyond(entries: np.ndarray, param: np.void, owner: np.void, at: int, adopt: int) -> bool:
    """Whether a reading has no place in the list: of closed time, or before all that is held."""
    if adopt == 0:
        return _touches_closed(param, owner["closed_until"], at)
    first = owner["first"]
    return bool(first >= 0 and at < entries[first]["at"] and entries[first]["at"] <= owner["retain_from"])


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
    """Copy the lists of the chosen points into columns (out; int64, value float64).

    `chosen` (int64[k]) are indices of points, one may stand there twice; the rows of
    chosen[j] are offsets[j] to offsets[j + 1]. Columns have room for all of them.
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


def warm_up() -> None:
    """Compile every kernel of this module with the types the pipeline uses."""
    entries, free, free_count = np.zeros(4, ENTRY), np.arange(4), np.array([4])
    points, params = np.zeros(1, TAIL_POINT), np.zeros(1, POINT_PARAMS)
    points["first"] = points["last"] = -1
    points["closed_until"] = points["settled_until"] = points["retain_from"] = NEVER
    one, value, outcome = np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.int64)
    insert(entries, free, free_count, points, params, one, one, value, one, one, one, one, one, 0, outcome)
    offsets, columns = np.zeros(2, np.int64), np.zeros(1, np.int64)
    gather(entries, points, one, offsets, columns, value, columns.copy(), columns.copy(), columns.copy())
    trim(entries, free, free_count, points, params)
