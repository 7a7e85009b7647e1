"""The tail: per point the accepted readings that open intervals still need.

One arena of entries for all points, linked per point in the order (at, seq,
received_at, value, quality). A reading is appended, inserted, dropped as a
duplicate, or found to touch what is closed. Nothing is copied while readings
arrive at the end, which is what they nearly always do; `gather` copies a point's
list into columns when something is folded.

Definitions: the same names in `reference`, on lists. The arena never grows here;
the caller makes room first.
"""

import numpy as np

from kernels._jit import kernel
from kernels.entry import ENTRY, TAIL_POINT, matters, reach_after, same, sorts_after, touches_closed
from kernels.listed import anchor_of, runs_on
from kernels.reopening import reopens
from kernels.rows import COUNTER, DELTA, NEVER, POINT_PARAMS

APPENDED, INSERTED, DUPLICATE, LATE, REOPENS = 0, 1, 2, 3, 4
"""What `insert` did. LATE: not in the tail. REOPENS: in the tail, and a closed interval depends on it."""


@kernel
def _is_duplicate(entries: np.ndarray, spot: int, at: int, value: float, quality: int, seq: int) -> bool:
    """Whether an equal reading stands among those of its time; `spot` sorts last before or with it."""
    e = spot
    while e >= 0 and entries[e]["at"] == at:
        if same(entries[e], value, quality, seq):
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
    1 readings of closed time are put in too, as far back as what is open may ask for
    them: they are stored and recomputed already. `outcome` gets one of APPENDED, INSERTED,
    DUPLICATE, LATE, REOPENS.
    """
    for i in range(point.size):
        param, owner = params[point[i]], points[point[i]]
        if _simply_follows(entries, param, owner, at[i]):
            outcome[i], spot = APPENDED, owner["last"]
        else:
            outcome[i], spot = _place(
                entries, param, owner, at[i], value[i], quality[i], seq[i], received_at[i], adopt
            )
            if outcome[i] == LATE or outcome[i] == DUPLICATE:
                continue
        free_count[0] -= 1
        new = free[free_count[0]]
        entry = entries[new]
        entry["at"], entry["value"], entry["count"] = at[i], value[i], count[i]
        entry["received_at"], entry["seq"] = received_at[i], seq[i]
        entry["quality"], entry["reasons"] = quality[i], reasons[i]
        _link(entries, owner, spot, new)


@kernel
def _simply_follows(entries: np.ndarray, param: np.void, owner: np.void, at: int) -> bool:
    """Whether a reading is later than all of its point and touches nothing closed.

    What `_place` would find out too; nearly every reading is told here, six times as fast.
    """
    last = owner["last"]
    if last < 0 or param["kind"] == DELTA:
        return False
    newest = entries[last]
    if newest["at"] >= at or newest["at"] < owner["closed_until"] or at <= owner["settled_until"]:
        return False
    if param["kind"] != COUNTER:
        return True
    before = newest["earlier"]
    if not matters(entries, param, last) or (before >= 0 and entries[before]["at"] == newest["at"]):
        return False
    return bool(before < 0 or (matters(entries, param, before) and runs_on(entries, param, before, last)))


@kernel
def _place(
    entries: np.ndarray,
    param: np.void,
    owner: np.void,
    at: int,
    value: float,
    quality: int,
    seq: int,
    received_at: int,
    adopt: int,
) -> tuple[int, int]:
    """What becomes of a reading, and the entry it stands behind (-1: in front of all)."""
    if _beyond(entries, param, owner, at, adopt):
        return LATE, -1
    spot, duplicate = owner["last"], False
    while spot >= 0 and sorts_after(entries[spot], at, seq, received_at, value, quality):
        duplicate |= entries[spot]["at"] == at and same(entries[spot], value, quality, seq)
        spot = entries[spot]["earlier"]
    if duplicate or _is_duplicate(entries, spot, at, value, quality, seq):
        return DUPLICATE, spot
    if reopens(entries, param, owner, spot, at, quality):
        return REOPENS, spot
    return (APPENDED if spot == owner["last"] else INSERTED), spot


@kernel
def _beyond(entries: np.ndarray, param: np.void, owner: np.void, at: int, adopt: int) -> bool:
    """Whether a reading has no place in the list: of closed time, or before all that is asked for."""
    if adopt == 0:
        return touches_closed(param, owner["closed_until"], at)
    if param["kind"] == DELTA:
        return bool(owner["retain_from"] != NEVER and at + reach_after(param) <= owner["retain_from"])
    if param["kind"] == COUNTER:  # a list of its own knows not how far back its anchor is: see `behead`
        return False
    newest = _newest_of_closed(entries, param, owner)
    return bool(newest >= 0 and at < entries[newest]["at"])


@kernel
def _newest_of_closed(entries: np.ndarray, param: np.void, owner: np.void) -> int:
    """The last entry at or before `retain_from` that matters, -1 for none."""
    newest = -1
    e = owner["first"]
    while e >= 0 and entries[e]["at"] <= owner["retain_from"]:
        if matters(entries, param, e):
            newest = e
        e = entries[e]["later"]
    return newest


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

    Kept is all from `retain_from` on and, before it, the last time that matters, of a
    counter also its anchor and what may contradict itself after it (of a delta point instead
    what speaks of time after `retain_from`). Readings of these times that lost stay as well:
    they may come again.
    """
    for p in range(points.size):
        owner, param = points[p], params[p]
        keep_from = owner["retain_from"]
        if owner["size"] == 0 or keep_from == NEVER:
            continue
        delta = param["kind"] == DELTA
        newest = -1 if delta else _newest_of_closed(entries, param, owner)
        anchor = anchor_of(entries, param, newest) if newest >= 0 and param["kind"] == COUNTER else newest
        kept_at, anchor_at, doubted_until = NEVER, NEVER, NEVER
        if newest >= 0:
            kept_at, anchor_at = entries[newest]["at"], entries[anchor]["at"]
            if param["kind"] == COUNTER:
                doubted_until = kept_at + param["max_gap_us"]
        until = keep_from - reach_after(param) + 1 if delta else keep_from
        e = owner["first"]
        while e >= 0 and entries[e]["at"] < until:
            later = entries[e]["later"]
            at = entries[e]["at"]
            doubts = anchor_at < at <= doubted_until and _stands_beside(entries, e)
            if at not in (kept_at, anchor_at) and not doubts:
                _unlink(entries, owner, e)
                free[free_count[0]] = e
                free_count[0] += 1
            e = later


@kernel
def _stands_beside(entries: np.ndarray, e: int) -> bool:
    """Whether there is another entry of the time of entry `e`."""
    earlier, later, at = entries[e]["earlier"], entries[e]["later"], entries[e]["at"]
    return bool(
        (earlier >= 0 and entries[earlier]["at"] == at) or (later >= 0 and entries[later]["at"] == at)
    )


@kernel
def behead(
    entries: np.ndarray, free: np.ndarray, free_count: np.ndarray, points: np.ndarray, chosen: np.ndarray
) -> None:
    """Free what the lists of the chosen points (int64[k]) hold before `retain_from`.

    Their beginning is to come from the store: a list does not know all the readings of
    times before `retain_from`, so it cannot tell who wins when one more comes.
    """
    for j in range(chosen.size):
        owner = points[chosen[j]]
        while owner["first"] >= 0 and entries[owner["first"]]["at"] < owner["retain_from"]:
            e = owner["first"]
            _unlink(entries, owner, e)
            free[free_count[0]] = e
            free_count[0] += 1


@kernel
def _unlink(entries: np.ndarray, owner: np.void, e: int) -> None:
    """Take entry `e` out of the owner's list."""
    earlier, later = entries[e]["earlier"], entries[e]["later"]
    if earlier >= 0:
        entries[earlier]["later"] = later
    else:
        owner["first"] = later
    if later >= 0:
        entries[later]["earlier"] = earlier
    else:
        owner["last"] = earlier
    owner["size"] -= 1


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
    seq: np.ndarray,
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
            seq[row] = entry["seq"]
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
    others = (columns.copy(), columns.copy(), columns.copy(), columns.copy())
    gather(entries, points, one, offsets, columns, value, *others)
    trim(entries, free, free_count, points, params)
    behead(entries, free, free_count, points, one)
