"""The state of one site between batches, as arrays.

A point's tail and frontiers, the frontiers and closed slots of its KPIs, the
watermark. All of it can be had again from the store (`ingest.store.rebuild`), so
nothing here is ever repaired.
"""

import numpy as np
import numpy.typing as npt

from ingest.model import NEVER
from ingest.pipeline.batch import IntArray, Readings, Refigured, Rows
from ingest.pipeline.watermark import Watermark
from ingest.plant.plan import Plan
from kernels.entry import ENTRY, TAIL_POINT
from kernels.exact import to_counts
from kernels.ring import SLOT, remember
from kernels.rows import COUNTER, DELTA, POINT_PARAMS
from kernels.tail import behead, insert, trim

_POINT_SHIFT = 40
"""Seconds since the epoch need 33 bits in the years plants are built for; points get the other 23."""


class SiteState:
    """Arrays of one site under one plan."""

    def __init__(self, plan: Plan) -> None:
        """Everything empty: no point has been seen."""
        n = len(plan.points)
        self.plan = plan
        self.params = np.zeros(n, POINT_PARAMS)
        for name in POINT_PARAMS.names or ():
            self.params[name] = plan.params[name]
        self.points = np.zeros(n, TAIL_POINT)
        self.points["first"] = self.points["last"] = -1
        for name in ("closed_until", "settled_until", "retain_from"):
            self.points[name] = NEVER
        self.entries = np.zeros(0, ENTRY)
        self.free = np.zeros(0, np.int64)
        self.free_count = np.zeros(1, np.int64)
        self.stored_until = np.full(n, NEVER, np.int64)
        """Frontiers as `point_state` has them."""
        self.held_until = np.full(n, NEVER, np.int64)
        """Monotonic µs until which silence closes nothing of a point, since its history is being told."""
        self._told = np.zeros(0, np.int64)
        """Provisional rows that stand in the store, as `_pairs` writes them."""
        self.kpi_closed = np.full(len(plan.kpis), NEVER, np.int64)
        longest = max((w for kpi in plan.kpis for w in kpi.windows_us), default=plan.interval_us)
        self.drifted: dict[int, set[int]] = {compared.point: set() for compared in plan.comparisons}
        """Of each compared point the hours in which it had drifted; see `ingest.pipeline.drift`."""
        self.compared_until = np.full(len(plan.comparisons), NEVER, np.int64)
        """Up to which edge of an hour each comparison has been made."""
        self.ring = np.zeros((len(plan.kpis), longest // plan.interval_us + 2), SLOT)
        self.ring["start_at"] = NEVER
        self.watermark = Watermark(plan.lateness_us, live=plan.clock == "live")
        self._counted = np.isin(self.params["kind"], (COUNTER, DELTA))
        self.readers = _readers(plan)

    def counts(self, point: IntArray, value: npt.NDArray[np.float64]) -> IntArray:
        """The readings of counters and deltas as counts of their resolution; 0 for others."""
        count = np.zeros(point.size, np.int64)
        counted = self._counted[point]
        if counted.any():
            resolution = self.params["resolution"][point]
            for size in np.unique(resolution[counted]).tolist():
                chosen = np.flatnonzero(counted & (resolution == size))
                found = np.zeros(chosen.size, np.int64)
                to_counts(value[chosen], size, found)
                count[chosen] = found
        return count

    def insert(self, readings: Readings, *, adopt: bool = False) -> IntArray:
        """Put readings into the tail; the outcome of each (`kernels.tail`).

        With `adopt` readings of closed time are taken in too, as far back as the tail reaches.
        """
        self._make_room(len(readings))
        outcome = np.zeros(len(readings), np.int64)
        order = _by_point_and_time(readings)
        given = readings if order is None else readings.take(order)
        insert(
            self.entries, self.free, self.free_count, self.points, self.params,
            given.point, given.measured_at, given.value, given.count, given.quality, given.reasons,
            given.seq, given.received_at, int(adopt), outcome,
        )  # fmt: skip
        if order is None:
            return outcome
        unsorted = np.empty_like(outcome)
        unsorted[order] = outcome
        return unsorted

    def behead(self, points: IntArray) -> None:
        """Forget what the tails of the points hold before what is open: it will be had from the store."""
        behead(self.entries, self.free, self.free_count, self.points, points)

    def _make_room(self, n: int) -> None:
        missing = n - int(self.free_count[0])
        if missing <= 0:
            return
        old = self.entries.size
        new = max(2 * old, old + missing, 1024)
        grown = np.zeros(new, ENTRY)
        grown.view(np.uint8)[: self.entries.nbytes] = self.entries.view(np.uint8)  # not field by field
        self.entries = grown
        free = np.zeros(new, np.int64)
        kept = int(self.free_count[0])
        free[:kept] = self.free[:kept]
        free[kept : kept + new - old] = np.arange(old, new)
        self.free = free
        self.free_count[0] = kept + new - old

    def trim(self) -> None:
        """Let go of readings that nothing will ask for again."""
        closed = self.points["closed_until"]
        retain = closed.copy()
        points, computed, kpis = self.readers
        seen = closed[computed[1]] != NEVER
        np.minimum.at(retain, computed[0][seen], closed[computed[1][seen]])
        seen = self.kpi_closed[kpis[1]] != NEVER
        np.minimum.at(retain, kpis[0][seen], self.kpi_closed[kpis[1][seen]])
        seen = retain != NEVER
        retain[seen] -= self.params["lookback_us"][seen]
        self.points["retain_from"][points] = retain[points]
        trim(self.entries, self.free, self.free_count, self.points, self.params)

    def remember(self, made: Refigured) -> None:
        """Put KPI rows that were made again into the windows' ring, as far as it reaches."""
        interval_us, size = self.plan.interval_us, self.ring.shape[1]
        for k, start_at in made.gone.tolist():
            slot = self.ring[k][start_at // interval_us % size]
            if slot["start_at"] == start_at:
                slot["start_at"] = NEVER
        for k in np.unique(made.rows["kpi"]).tolist():
            rows = made.rows[made.rows["kpi"] == k]
            oldest = int(self.kpi_closed[k]) - size * interval_us
            rows = rows[rows["start_at"] >= oldest]
            slots = np.zeros(rows.size, SLOT)
            for name in rows.dtype.names or ():
                if name != "kpi":
                    slots[name] = rows[name]
            remember(self.ring[k], slots, interval_us)

    def tell(self, provisional: Rows) -> IntArray:
        """Note the provisional rows that are told now; (point, start_at) of those told before that are none.

        A counter's last reading has turned out to be bad before its interval closed, say.
        """
        now = self._pairs(provisional["segment"], provisional["start_at"])
        gone = np.setdiff1d(self._told, now)
        self._told = now
        start_at = (gone & (1 << _POINT_SHIFT) - 1) * self.plan.interval_us
        return np.stack([gone >> _POINT_SHIFT, start_at], axis=1)

    def settle(self, closed: Rows) -> None:
        """Note that rows are provisional no more."""
        if closed.size:
            self._told = np.setdiff1d(self._told, self._pairs(closed["segment"], closed["start_at"]))

    def _pairs(self, point: IntArray, start_at: IntArray) -> IntArray:
        """(point, interval) as one number each, to compare sets of them."""
        return point << _POINT_SHIFT | start_at // self.plan.interval_us

    @property
    def held(self) -> int:
        """Readings in the tail."""
        return int(self.points["size"].sum())


Edges = tuple[IntArray, IntArray]


def _readers(plan: Plan) -> tuple[IntArray, Edges, Edges]:
    """Measured points, and who reads them: (input, computed point) and (input, KPI) pairs.

    A KPI that reads a computed point reads that point's inputs.
    """
    computed = [(i, program.point) for program in plan.computed for i in program.reads]
    inputs = {program.point: program.reads for program in plan.computed}
    kpis = [(i, k) for k, kpi in enumerate(plan.kpis) for p in kpi.points for i in inputs.get(p, (p,))]
    return np.arange(plan.n_measured), _pairs(computed), _pairs(kpis)


def _pairs(pairs: list[tuple[int, int]]) -> Edges:
    array = np.array(pairs, np.int64).reshape(-1, 2)
    return np.ascontiguousarray(array[:, 0]), np.ascontiguousarray(array[:, 1])


def _by_point_and_time(readings: Readings) -> IntArray | None:
    """The order that makes each point's readings ascend in time, None if they do already.

    Inserting walks back from a list's end, so a batch that descends would cost its square.
    """
    if len(readings) < 2:
        return None
    backwards = np.diff(readings.measured_at) < 0
    if not backwards.any():
        return None
    return np.lexsort((readings.measured_at, readings.point)).astype(np.int64)
