"""The pure pipeline of one site: admitted readings in, one transaction's rows out.

    readings → tail (append, insert, duplicate, late) → watermark
             → close intervals → emissions, KPIs → windows at the horizon → alert rules

A tick is a batch without readings on the same path. Time comes in as arguments;
nothing here waits. Late readings leave in `Batch.late`, for `ingest.pipeline.late`.
"""

import numpy as np

from ingest.model import NEVER, SECOND, Reason
from ingest.pipeline import closing, drift
from ingest.pipeline.alerts import AlertBoard
from ingest.pipeline.batch import Batch, IntArray, Readings, Rows
from ingest.pipeline.kpis import KpiBoard
from ingest.pipeline.signals import from_tail
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan
from kernels.frontier import behind
from kernels.tail import DUPLICATE, LATE, REOPENS

CLOSINGS_PER_BATCH = 2000
"""Rows closed in one transaction; at 100 000 points one edge closes as many intervals at once."""
HOLD_US = 300 * SECOND
"""After the last of an import's readings; longer than a file is read through again."""


class SitePipeline:
    """Turns readings of one site into batches."""

    def __init__(self, plan: Plan, state: SiteState) -> None:
        """Go on from `state`, empty or rebuilt."""
        self.plan = plan
        self.state = state
        self._board = KpiBoard(state)
        self.alerts = AlertBoard(state)
        self._passed = NEVER
        self._kpi_readers = _readers_of(plan)

    def process(
        self,
        readings: Readings,
        message: IntArray,
        *,
        monotonic_us: int,
        caught_up: bool,
        latest: bool,
        told: bool = False,
        most: int = CLOSINGS_PER_BATCH,
        now_us: int | None = None,
    ) -> Batch:
        """One batch.

        Args:
            readings: admitted readings in order of arrival; `count` and the reason late are filled here.
            message: of each reading the number of its message, never decreasing.
            monotonic_us: a monotonic clock.
            caught_up: whether the source has handed out all it had (watermark moves with time).
            latest: whether KPI windows are to be evaluated, and alert rules.
            told: whether the readings came by the inbox, as an import's do.
            most: about how many interval rows to close; where more are told, twice as many as are.
            now_us: UTC; None: alert rules are not judged.
        """
        state = self.state
        readings.count = state.counts(readings.point, readings.value)
        self._mark_late(readings, message)
        outcome = state.insert(readings)
        fresh = outcome < DUPLICATE
        late, reopening = outcome == LATE, outcome == REOPENS
        batch = Batch(
            readings=readings if fresh.all() else readings.take(fresh),
            late=readings.take(late) if late.any() else Readings.empty(),
            late_rows=np.flatnonzero(late),
            reopening=readings.take(reopening) if reopening.any() else Readings.empty(),
            duplicates=int((outcome == DUPLICATE).sum()),
        )
        if told:
            self._hold(readings.take(fresh), monotonic_us)
            most = max(most, 2 * len(readings))
        accepted = outcome != DUPLICATE
        if accepted.any():
            event_at = np.minimum(readings.measured_at, readings.received_at)[accepted]
            state.watermark.observe(int(event_at.max()), monotonic_us)
        state.watermark.tick(monotonic_us, caught_up=caught_up)
        batch.watermark = state.watermark.at
        reaches = self._close(batch, monotonic_us, latest=latest, most=most).reaches
        if latest and now_us is not None:
            batch.alerts = self.alerts.evaluate(batch, reaches, now_us, monotonic_us, caught_up=caught_up)
        return batch

    def _hold(self, readings: Readings, monotonic_us: int) -> None:
        """Give points whose past is being told time to go on, before the silence after it is closed."""
        state = self.state
        silence = state.watermark.at - readings.measured_at
        past = readings.point[
            (state.watermark.at != NEVER) & (silence > state.params["max_gap_us"][readings.point])
        ]
        state.held_until[past] = monotonic_us + HOLD_US

    def _mark_late(self, readings: Readings, message: IntArray) -> None:
        """Give readings that came after their interval should have closed the reason late."""
        plan, late = self.plan, np.zeros(len(readings), np.int64)
        behind(
            self.state.params, message, readings.point, readings.measured_at, readings.received_at,
            self.state.watermark.at, plan.lateness_us, plan.interval_us, late,
        )  # fmt: skip
        readings.reasons = readings.reasons | np.where(late == 1, int(Reason.LATE), 0)

    def _close(self, batch: Batch, monotonic_us: int, *, latest: bool, most: int) -> closing.Frontiers:
        state = self.state
        found = closing.look_ahead(state, monotonic_us)
        self._board.begin(found)
        frontier_before = state.kpi_closed.copy()
        closed = closing.close(state, found, most)
        batch.intervals, batch.steps, batch.more = closed.rows, closed.steps, closed.more
        state.settle(closed.rows)
        batch.closed_points = closed.points
        batch.closed_until = state.points["closed_until"][closed.points].copy()
        batch.silent = closing.silent(state, closed)
        batch.emissions = closing.emissions(self.plan, closed.rows, paired=False)
        batch.behind = self._behind(closed.rows, frontier_before)
        batch.compared = drift.due(state)
        load = from_tail(state)
        batch.kpi_rows, batch.latest = self._board.evaluate(found, load, latest=latest)
        edge = (
            batch.watermark - batch.watermark % self.plan.interval_us if batch.watermark != NEVER else NEVER
        )
        passed = edge > self._passed and not closed.more
        batch.passed = passed
        if passed:
            self._passed = edge
            batch.provisional = closing.provisional(state, found, load, monotonic_us)
            batch.withdrawn = state.tell(batch.provisional)
        if passed or closed.rows.size or batch.kpi_rows.size:
            state.trim()
        self.alerts.see(batch)
        return found

    def _behind(self, rows: Rows, frontier: IntArray) -> IntArray:
        """(point, start_at) of rows closed behind a KPI that has gone on without them."""
        if not rows.size or not len(self.plan.kpis):
            return np.zeros((0, 2), np.int64)
        latest_reader = np.full(len(self.plan.points), NEVER, np.int64)
        point, kpi = self._kpi_readers
        np.maximum.at(latest_reader, point, frontier[kpi])
        chosen = rows["start_at"] < latest_reader[rows["segment"]]
        return np.stack([rows["segment"][chosen], rows["start_at"][chosen]], axis=1)


def _readers_of(plan: Plan) -> tuple[IntArray, IntArray]:
    """(point, KPI) pairs as two columns."""
    pairs = [(point, k) for k, kpi in enumerate(plan.kpis) for point in kpi.points]
    array = np.array(pairs, np.int64).reshape(-1, 2)
    return np.ascontiguousarray(array[:, 0]), np.ascontiguousarray(array[:, 1])
