"""Definitions of `kernels.ring`: a KPI's slots by start, and the slots of a window summed."""

import math

import numpy as np

from kernels.reference.exact import exact_sum
from kernels.rows import BAD, HOUR_US, Floats, Ints, Records


def kpi_slots(
    rows: Records,
    segment_kpi: Ints,
    segment_side: Ints,
    segment_weight: Floats,
    first_at: Ints,
    offsets: Ints,
    timed: Ints,
    interval_us: int,
    slots: Records,
) -> None:
    """Every slot from the usable rows of its KPI that begin with it."""
    for k in range(first_at.size):
        for s in range(int(offsets[k]), int(offsets[k + 1])):
            start = int(first_at[k]) + (s - int(offsets[k])) * interval_us
            mine = [
                row
                for row in rows
                if segment_kpi[row["segment"]] == k
                and row["start_at"] == start
                and row["quality"] < BAD
                and not math.isnan(row["amount"])
            ]
            sums = [0.0, 0.0]
            for row in mine:
                sums[segment_side[row["segment"]]] += segment_weight[row["segment"]] * row["amount"]
            covered_us = min([interval_us, *(row["covered_us"] for row in mine)])
            slots[s]["start_at"], slots[s]["inputs"] = start, len(mine)
            slots[s]["a"], slots[s]["b"] = sums[0], covered_us / HOUR_US if timed[k] else sums[1]
            slots[s]["covered_us"] = covered_us
            slots[s]["valid_us"] = min([interval_us, *(row["valid_us"] for row in mine)])
            slots[s]["substituted_us"] = max([0, *(row["substituted_us"] for row in mine)])
            slots[s]["quality"] = max([0, *(row["quality"] for row in mine)])
            slots[s]["reasons"] = np.bitwise_or.reduce([0, *(row["reasons"] for row in mine)])


def window_sums(
    ring: Records,
    open_slots: Records,
    from_at: int,
    to_at: int,
    interval_us: int,
    scratch: Floats,  # noqa: ARG001  only the kernel needs room
    sums: Records,
    place: int,
) -> None:
    """Sums of all slots that begin in [from_at, to_at)."""
    closed = [ring[start // interval_us % ring.size] for start in range(from_at, to_at, interval_us)]
    inside = [slot for slot in open_slots if from_at <= slot["start_at"] < to_at]
    inside += [
        slot
        for slot, start in zip(closed, range(from_at, to_at, interval_us), strict=True)
        if slot["start_at"] == start
    ]
    for name in ("covered_us", "valid_us", "substituted_us"):
        sums[place][name] = sum(int(slot[name]) for slot in inside)
    for name in ("a", "b"):
        sums[place][name] = exact_sum(np.array([slot[name] for slot in inside], np.float64))
    sums[place]["quality"] = max((int(slot["quality"]) for slot in inside), default=BAD)
    sums[place]["reasons"] = np.bitwise_or.reduce([0, *(int(slot["reasons"]) for slot in inside)])
    sums[place]["slots"] = len(inside)


def remember(ring: Records, slots: Records, interval_us: int) -> None:
    """A slot's place is its interval's number modulo the size of the ring."""
    for slot in slots:
        ring[int(slot["start_at"]) // interval_us % ring.size] = slot
