"""Definition of `kernels.tail`: a point's readings are a sorted list.

The arena of entries is only where the lists are kept. A definition takes them out,
changes them as lists are changed, and lays all of them down again from the front.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernels.reference.register import kept, may_be_glitch, registers
from kernels.rows import BAD, COUNTER, DELTA, NEVER, Floats, Ints, Records

APPENDED, INSERTED, DUPLICATE, LATE, REOPENS = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Held:
    """One reading of a list."""

    at: int
    value: float
    count: int
    received_at: int
    seq: int
    quality: int
    reasons: int

    @property
    def rank(self) -> tuple[Any, ...]:
        """What readings are sorted by; of those of one time the last is the winner."""
        has_value = not math.isnan(self.value)
        return self.at, self.seq, self.received_at, has_value, self.value if has_value else 0.0, self.quality

    @property
    def identity(self) -> tuple[Any, ...]:
        """Readings that are equal in this are the same reading come twice."""
        return self.at, None if math.isnan(self.value) else self.value, self.quality, self.seq


def listed(entries: Records, point: np.void) -> list[Held]:
    """A point's list as the arena holds it."""
    found = []
    e = int(point["first"])
    while e >= 0:
        entry = entries[e]
        found.append(Held(*(entry[name].item() for name in Held.__dataclass_fields__)))
        e = int(entry["later"])
    return found


def insert(
    entries: Records,
    free: Ints,
    free_count: Ints,
    points: Records,
    params: Records,
    point: Ints,
    at: Ints,
    value: Floats,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    seq: Ints,
    received_at: Ints,
    adopt: int,
    outcome: Ints,
) -> None:
    """Put readings into lists, in the order given, and say what became of each."""
    lists = [listed(entries, owner) for owner in points]
    columns = (at, value, count, received_at, seq, quality, reasons)
    for i, p in enumerate(point.tolist()):
        new = Held(*(column[i].item() for column in columns))
        held, param, owner = lists[p], params[p], points[p]
        if _superseded(held, param, owner, new) if adopt else _touches_closed(param, owner, new):
            outcome[i] = LATE
        elif new.identity in {one.identity for one in held}:
            outcome[i] = DUPLICATE
        else:
            where = sum(one.rank <= new.rank for one in held)
            place = APPENDED if where == len(held) else INSERTED
            outcome[i] = REOPENS if _reopens(held, param, owner, new, where) else place
            held.insert(where, new)
    _lay_down(entries, free, free_count, points, lists)


def trim(entries: Records, free: Ints, free_count: Ints, points: Records, params: Records) -> None:
    """Keep what is not before `retain_from`, and what is before it but still speaks of it."""
    lists = [listed(entries, owner) for owner in points]
    for p, held in enumerate(lists):
        since = int(points[p]["retain_from"])
        if since == NEVER:
            continue
        if params[p]["kind"] == DELTA:
            lists[p] = [one for one in held if _end_of_delta(params[p], one) > since]
        else:
            times = _closed_times(held, params[p], since)
            times += _doubted_times(held, params[p], times)
            lists[p] = [one for one in held if one.at >= since or one.at in times]
    _lay_down(entries, free, free_count, points, lists)


def behead(entries: Records, free: Ints, free_count: Ints, points: Records, chosen: Ints) -> None:
    """Keep of the chosen points' lists what is not before `retain_from`."""
    lists = [listed(entries, owner) for owner in points]
    for p in chosen.tolist():
        lists[p] = [one for one in lists[p] if one.at >= points[p]["retain_from"]]
    _lay_down(entries, free, free_count, points, lists)


def gather(
    entries: Records,
    points: Records,
    chosen: Ints,
    offsets: Ints,
    at: Ints,
    value: Floats,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    seq: Ints,
) -> None:
    """The lists of the chosen points as columns, one after the other."""
    row = 0
    for j, p in enumerate(chosen.tolist()):
        offsets[j] = row
        for one in listed(entries, points[p]):
            at[row], value[row], count[row] = one.at, one.value, one.count
            quality[row], reasons[row], seq[row] = one.quality, one.reasons, one.seq
            row += 1
    offsets[len(chosen)] = row


def usable_times(held: list[Held], param: np.void) -> list[int]:
    """The times from which a fold may begin: of a counter those of its register values, else all."""
    if param["kind"] == COUNTER:
        return [register.at for register in registers(held)]
    return list(dict.fromkeys(one.at for one in held))


def waits(param: np.void) -> bool:
    """Whether what a point says of a time needs a reading after it."""
    return bool(param["kind"] == COUNTER or (param["sloped"] != 0 and param["kind"] != DELTA))


def _closed_times(held: list[Held], param: np.void, since: int) -> list[int]:
    """The last time at or before `since` that matters, and of a counter that of the anchor before it."""
    times = [at for at in usable_times(held, param) if at <= since]
    if param["kind"] == COUNTER and times and hangs_on_next(held, param, times[-1]):
        return times[-2:]
    return times[-1:]


def _doubted_times(held: list[Held], param: np.void, times: list[int]) -> list[int]:
    """Of a counter the times after its anchor that several readings tell of, and that a step may pass over."""
    if param["kind"] != COUNTER or not times:
        return []
    told = Counter(one.at for one in held)
    return [at for at, n in told.items() if n > 1 and times[0] < at <= times[-1] + int(param["max_gap_us"])]


def hangs_on_next(held: list[Held], param: np.void, at: int) -> bool:
    """Whether the register after that at `at` decides if it is a glitch."""
    until = [register for register in registers(held) if register.at <= at]
    if len(until) < 2 or kept(until, param)[-1].glitch is not None:
        return False
    return may_be_glitch(until[-2], until[-1], param)


def _end_of_delta(param: np.void, one: Held) -> int:
    return one.at + (int(param["period_us"]) if param["stamp_start"] != 0 else 0)


def _touches_closed(param: np.void, owner: np.void, new: Held) -> bool:
    closed_until = int(owner["closed_until"])
    if closed_until == NEVER:
        return False
    if param["kind"] == DELTA:
        return _end_of_delta(param, new) - int(param["period_us"]) < closed_until
    return new.at <= closed_until if waits(param) or param["sloped"] != 0 else new.at < closed_until


def _superseded(held: list[Held], param: np.void, owner: np.void, new: Held) -> bool:
    """Whether nothing open asks for a reading, whatever it says."""
    since = int(owner["retain_from"])
    if since == NEVER:
        return False
    if param["kind"] == DELTA:
        return _end_of_delta(param, new) <= since
    newest = [at for at in usable_times(held, param) if at <= since][-1:]
    return param["kind"] != COUNTER and newest != [] and new.at < newest[0]


def _reopens(held: list[Held], param: np.void, owner: np.void, new: Held, where: int) -> bool:
    """Whether a reading changes a line or step that began in closed time and was used there."""
    closed_until = int(owner["closed_until"])
    if new.at <= owner["settled_until"]:
        return True
    if closed_until == NEVER or not waits(param):
        return False
    counter = param["kind"] == COUNTER
    if counter and new.quality == BAD and not any(one.at == new.at for one in held):
        return False
    times = [at for at in usable_times(held, param) if at < new.at]
    if not times:
        return False
    before = times[-1]
    if before >= closed_until:
        brackets = len(times) > 1 and times[-2] < closed_until
        in_time = new.at - before <= param["max_gap_us"]
        return bool(counter and brackets and in_time and hangs_on_next(held, param, before))
    return bool(counter or where < len(held) or new.at - before <= param["max_gap_us"])


def _lay_down(
    entries: Records, free: Ints, free_count: Ints, points: Records, lists: list[list[Held]]
) -> None:
    e = 0
    for p, held in enumerate(lists):
        points[p]["size"] = len(held)
        points[p]["first"], points[p]["last"] = (e, e + len(held) - 1) if held else (-1, -1)
        for i, one in enumerate(held):
            for name in Held.__dataclass_fields__:
                entries[e][name] = getattr(one, name)
            entries[e]["earlier"] = e - 1 if i > 0 else -1
            entries[e]["later"] = e + 1 if i + 1 < len(held) else -1
            e += 1
    free_count[0] = len(entries) - e
    free[: len(entries) - e] = range(e, len(entries))
