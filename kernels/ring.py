"""KPI sums per interval, and windows over them.

A ring holds, per KPI, the rows of closed intervals as far back as the longest
window; what is still open is passed beside it. A window is re-summed at every
evaluation with correctly rounded sums (`exact.exact_sum`), so it is exact after a
year, does not depend on who adds, and equals what the API adds up later.

Twins: `reference.kpi_slots`, `reference.window_sums`. Which figure the sums make
is not decided here (`ingest.methods.figures`).
"""

import numpy as np

from kernels._jit import kernel
from kernels.exact import exact_sum
from kernels.rows import BAD, HOUR_US, INTERVAL_ROW, NEVER

SLOT = np.dtype(
    [
        ("start_at", "i8"),
        ("a", "f8"),
        ("b", "f8"),
        ("covered_us", "i8"),
        ("valid_us", "i8"),
        ("substituted_us", "i8"),
        ("quality", "i8"),
        ("reasons", "i8"),
        ("inputs", "i8"),
    ]
)
"""One KPI in one interval; `inputs` counts the terms that had a usable amount."""

SUMS = np.dtype(
    [
        ("a", "f8"),
        ("b", "f8"),
        ("covered_us", "i8"),
        ("valid_us", "i8"),
        ("substituted_us", "i8"),
        ("quality", "i8"),
        ("reasons", "i8"),
        ("slots", "i8"),
    ]
)
"""One KPI over one window; `quality` is the worst, BAD if `slots` is 0."""


@kernel
def _clear(first_at: np.ndarray, offsets: np.ndarray, interval_us: int, slots: np.ndarray) -> None:
    for k in range(first_at.size):
        for s in range(offsets[k], offsets[k + 1]):
            slot = slots[s]
            slot["start_at"] = first_at[k] + (s - offsets[k]) * interval_us
            slot["a"] = 0.0
            slot["b"] = 0.0
            slot["covered_us"] = interval_us
            slot["valid_us"] = interval_us
            slot["substituted_us"] = 0
            slot["quality"] = 0
            slot["reasons"] = 0
            slot["inputs"] = 0


@kernel
def kpi_slots(
    rows: np.ndarray,
    segment_kpi: np.ndarray,
    segment_side: np.ndarray,
    segment_weight: np.ndarray,
    first_at: np.ndarray,
    offsets: np.ndarray,
    timed: np.ndarray,
    interval_us: int,
    slots: np.ndarray,
) -> None:
    """Weigh interval rows (INTERVAL_ROW, `segment` is a term) into the slots of the KPIs they feed.

    A term is one input of one KPI: segment_kpi, segment_side (0 adds to a, 1 to b) and
    segment_weight (KPI units per unit of amount); rows stand in the order of adding. The
    slots of KPI k begin at first_at[k] and are slots[offsets[k]:offsets[k + 1]], one per
    interval; timed[k] 1: b is the covered time in hours. Shares are those of the worst input:
    least covered and valid, most substituted. Complete are slots whose `inputs` equals the
    KPI's terms. Definition: reference.kpi_slots.
    """
    _clear(first_at, offsets, interval_us, slots)
    for r in range(rows.size):
        row = rows[r]
        k = segment_kpi[row["segment"]]
        s = offsets[k] + (row["start_at"] - first_at[k]) // interval_us
        if row["start_at"] < first_at[k] or s >= offsets[k + 1]:
            continue
        if row["quality"] == BAD or np.isnan(row["amount"]):
            continue
        slot = slots[s]
        amount = segment_weight[row["segment"]] * row["amount"]
        if segment_side[row["segment"]] == 0:
            slot["a"] += amount
        else:
            slot["b"] += amount
        slot["covered_us"] = min(slot["covered_us"], row["covered_us"])
        slot["valid_us"] = min(slot["valid_us"], row["valid_us"])
        slot["substituted_us"] = max(slot["substituted_us"], row["substituted_us"])
        slot["quality"] = max(slot["quality"], row["quality"])
        slot["reasons"] |= row["reasons"]
        slot["inputs"] += 1
    for k in range(first_at.size):
        if timed[k] != 0:
            for s in range(offsets[k], offsets[k + 1]):
                slots[s]["b"] = slots[s]["covered_us"] / HOUR_US


@kernel
def _empty(sums: np.void) -> None:
    sums["a"] = 0.0
    sums["b"] = 0.0
    sums["covered_us"] = 0
    sums["valid_us"] = 0
    sums["substituted_us"] = 0
    sums["quality"] = BAD
    sums["reasons"] = 0
    sums["slots"] = 0


@kernel
def window_sums(
    ring: np.ndarray,
    open_slots: np.ndarray,
    from_at: int,
    to_at: int,
    interval_us: int,
    scratch: np.ndarray,
    sums: np.ndarray,
    place: int,
) -> None:
    """Sum one KPI over [from_at, to_at), from_at an interval edge, into sums[place] (SUMS).

    `ring` holds its closed slots, the slot of start s at (s // interval_us) % ring.size;
    `open_slots` are its complete slots that are not closed, none of them in the ring.
    `scratch` is float64[2, ring.size + open_slots.size]. Definition: reference.window_sums.
    """
    total = sums[place]
    _empty(total)
    n = 0
    worst = 0
    size = ring.size
    start = from_at
    stop = min(to_at, from_at + size * interval_us)
    for i in range(open_slots.size + (stop - start + interval_us - 1) // interval_us):
        if i < open_slots.size:
            slot = open_slots[i]
            if slot["start_at"] < from_at or slot["start_at"] >= to_at:
                continue
        else:
            at = start + (i - open_slots.size) * interval_us
            slot = ring[(at // interval_us) % size]
            if slot["start_at"] != at:
                continue
        scratch[0, n] = slot["a"]
        scratch[1, n] = slot["b"]
        n += 1
        total["covered_us"] += slot["covered_us"]
        total["valid_us"] += slot["valid_us"]
        total["substituted_us"] += slot["substituted_us"]
        worst = max(worst, slot["quality"])
        total["reasons"] |= slot["reasons"]
    if n == 0:
        return
    total["quality"] = worst
    total["slots"] = n
    total["a"] = exact_sum(scratch[0, :n])
    total["b"] = exact_sum(scratch[1, :n])


@kernel
def remember(ring: np.ndarray, slots: np.ndarray, interval_us: int) -> None:
    """Put closed slots (SLOT[n]) into a KPI's ring (SLOT[r])."""
    for i in range(slots.size):
        ring[(slots[i]["start_at"] // interval_us) % ring.size] = slots[i]


def warm_up() -> None:
    """Compile every kernel of this module with the types the pipeline uses."""
    slots, sums = np.zeros(1, SLOT), np.zeros(1, SUMS)
    ring = np.zeros((1, 2), SLOT)
    ring["start_at"] = NEVER
    zero, offsets = np.zeros(1, np.int64), np.array([0, 1])
    kpi_slots(np.zeros(1, INTERVAL_ROW), zero, zero, np.ones(1), zero, offsets, zero, 60, slots)
    remember(ring[0], slots, 60)
    window_sums(ring[0], slots[:0], 0, 120, 60, np.zeros((2, 4)), sums, 0)
