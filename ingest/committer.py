"""One site's transactions: its state from the store, and batches back into it.

The pipeline's state moves forward with every batch before the batch is written. So
a transaction that is lost on the way is tried again, and after one that the
database refuses the state is made anew from the store (`rebuild`), never repaired.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.admit import Admitted
from ingest.clocks import Clocks
from ingest.counting import Counting
from ingest.metrics import IngestMetrics
from ingest.model import DAY, NEVER
from ingest.patient import patiently
from ingest.pipeline import late
from ingest.pipeline.admission import EarlierLimits
from ingest.pipeline.batch import Batch, Latest, Readings, Refigured
from ingest.pipeline.pipeline import SitePipeline
from ingest.plant.plan import Plan
from ingest.status import SiteStatus
from ingest.store.alert_past import look_back
from ingest.store.alerts import restore, write_alerted
from ingest.store.analyser_tests import TestAsked
from ingest.store.earlier import Earlier
from ingest.store.facts import Stamp
from ingest.store.filling import FillBook
from ingest.store.housekeeping import drop_live_figures
from ingest.store.late import LateWriter
from ingest.store.paired import touches_pairs, write_paired
from ingest.store.rebuild import rebuild
from ingest.store.registry import Numbers, ensure_numbers
from ingest.store.rejected import Refusal
from ingest.store.revised import Revised
from ingest.store.seals import SealAsked, SealBook
from ingest.store.versions import Edition, take_over
from ingest.store.writer import FollowUp, Writer

LATEST_EVERY_US = 100_000
"""KPI windows are evaluated at most once in each such stretch of the monotonic clock.

Counted from the last evaluation, every second batch of 50 ms would often miss it by a hair and wait for a third.
"""


@dataclass(frozen=True, slots=True)
class _State:
    """What a rebuild gives."""

    pipeline: SitePipeline
    numbers: Numbers
    earlier: Earlier
    late_writer: LateWriter
    seals: SealBook


class Committer:
    """Writes what is admitted of one site, under one plan, through its writer."""

    def __init__(
        self,
        writer: Writer,
        plan: Plan,
        holder: str,
        status: SiteStatus,
        metrics: IngestMetrics,
        clocks: Clocks,
    ) -> None:
        """`holder` names this process to others that want the site."""
        self._writer = writer
        self._plan = plan
        self._holder = holder
        self._status = status
        self._metrics = metrics
        self._clocks = clocks
        self._counting = Counting(metrics, plan.site, status)
        self._state: _State | None = None
        self._latest_slot = NEVER
        self._told: dict[tuple[int, int], Latest] = {}
        self.more = False
        """Whether closings are waiting for the next batch."""
        self.unsaid = False
        """Whether readings have come since the windows were last evaluated."""

    async def rebuild(self) -> None:
        """Take state from the store; patient with a database that is away."""
        self._writer.forget()
        await self.patiently(self._rebuild)

    async def _rebuild(self) -> None:
        await self._writer.take_site(self._holder)
        connection = await self._writer.connection()
        await self._writer.resume()
        numbers = await ensure_numbers(connection, self._writer.site_no, self._plan)
        await drop_live_figures(connection, self._writer.site_no, self._plan, numbers)
        state = await rebuild(connection, self._writer.site_no, self._plan, numbers)
        await take_over(connection, state, numbers)
        seals = SealBook(self._writer, state, numbers, str(self._plan.zone))
        await seals.load()
        earlier = Earlier(self._writer.site_no, Edition.over(state, numbers))
        await earlier.load(connection)
        fills = await FillBook.of(connection, earlier, self._writer.site_no)
        late_writer = LateWriter(self._writer, earlier, str(self._plan.zone), seals, fills)
        await late_writer.hours.load(connection)
        pipeline = SitePipeline(self._plan, state)
        await restore(connection, self._writer.site_no, state, numbers, pipeline.alerts)
        self._state = _State(pipeline, numbers, earlier, late_writer, seals)
        self._told.clear()
        self._status.batch_no = self._writer.batch_no

    async def close(self) -> None:
        """Give the site back."""
        await self._writer.close()

    async def patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step on the database until it lets it through."""
        await patiently(step, self._writer, self._holder, self._status, self._metrics)

    async def connection(self) -> AsyncConnection:
        """The data connection, between transactions."""
        return await self._writer.connection()

    def latest_due(self) -> bool:
        """Whether KPI windows may be evaluated again."""
        return self._clocks.monotonic() // LATEST_EVERY_US != self._latest_slot

    async def process(self, admitted: Admitted, *, caught_up: bool, told: bool, windows: bool) -> Batch:
        """What admitted readings come to; the state has moved, nothing is written yet.

        `told`: they came by the inbox. `windows`: KPI windows may be evaluated with them.
        """
        if self._now.pipeline.alerts.wanted() is not None:
            await self.patiently(self._look_back)
        begun = self._clocks.monotonic()
        slot = begun // LATEST_EVERY_US
        latest = windows and slot != self._latest_slot
        batch = await asyncio.to_thread(
            self._now.pipeline.process,
            admitted.readings,
            admitted.message,
            monotonic_us=begun,
            caught_up=caught_up,
            latest=latest,
            told=told,
            now_us=self._clocks.now(),
        )
        batch.statements = admitted.statements
        self.spent("pipeline", begun)
        self.more = batch.more
        self.unsaid = (self.unsaid or (windows and len(batch.readings) > 0)) and not latest
        if latest:
            self._latest_slot = slot
        batch.latest = [
            figure for figure in batch.latest if self._told.get((figure.kpi, figure.window_us)) != figure
        ]
        return batch

    async def write(self, batch: Batch, refusals: Sequence[Refusal], tokens: list[int]) -> None:
        """Commit a batch, its refusals and the inbox rows consumed, unless there is nothing to commit."""
        if not (batch.empty and not refusals and not tokens):
            await self._write(batch, refusals, tokens)
        self._now.pipeline.alerts.settle(batch.alerts)
        self._counting.batch(batch, refusals, self._writer.batch_no, self._now.pipeline.state.held)

    async def _write(self, batch: Batch, refusals: Sequence[Refusal], tokens: list[int]) -> None:
        now = self._now
        remade: list[Refigured] = []  # of one row the last is what stands
        revised = list[Revised]()
        # A point never heard of before may close intervals of a period that is sealed.
        sealed = now.seals.touches(batch.intervals["start_at"])
        batch.kpi_rows, apart = now.earlier.set_apart(batch.kpi_rows)
        following = np.concatenate([batch.behind, apart])
        paired = touches_pairs(self._plan, batch.intervals)
        closes = now.late_writer.concerns(batch)

        async def follow_up(cursor: AsyncCursor, stamp: Stamp) -> None:
            remade.clear()
            await write_paired(cursor, self._plan, now.numbers, batch.intervals, stamp)
            if following.size:
                remade.append(await now.late_writer.follow(cursor, following, stamp))
            if sealed:
                rows = batch.intervals
                await now.seals.book(cursor, stamp, np.column_stack([rows["segment"], rows["start_at"]]))
            if len(batch.reopening):
                revised[:] = [await now.late_writer.within(cursor, batch.reopening, stamp)]
                remade.append(revised[0].kpis)
            if batch.compared.size:
                remade.append(await now.late_writer.compare(cursor, batch.compared, stamp))
            if closes:
                remade.append(await now.late_writer.closed(cursor, batch, stamp))
            await write_alerted(cursor, self._writer.site_no, now.pipeline.alerts, batch.alerts, stamp)

        follows = (paired, following.size, batch.follows, sealed, closes, batch.tells)
        then = follow_up if any(follows) else None

        async def write() -> None:
            await self._writer.commit(batch, now.numbers, self._plan.version, refusals, tokens, then)

        begun = self._clocks.monotonic()
        await self.patiently(write)
        self.spent("commit", begun)
        self._metrics.commit_seconds.labels(self._plan.site).observe((self._clocks.monotonic() - begun) / 1e6)
        for one in revised:
            late.adopt(now.pipeline.state, batch.reopening, one.heads)
            self._counting.revised(one, len(batch.reopening), self._writer.batch_no)
        for made in remade:
            now.pipeline.state.remember(made)
        for figure in batch.latest:
            self._told[figure.kpi, figure.window_us] = figure

    async def write_late(self, readings: Readings) -> None:
        """Store and recompute late readings, a day of event time per transaction."""
        day = readings.measured_at // DAY
        for one in np.unique(day).tolist():
            await self._write_late(readings.take(day == one), None)

    async def write_declared(self, readings: Readings, book: FollowUp) -> None:
        """Store and recompute what was declared, of open time too, in one transaction with `book`."""
        readings.count = self._now.pipeline.state.counts(readings.point, readings.value)
        await self._write_late(readings, book)

    async def _write_late(self, readings: Readings, follow_up: FollowUp | None) -> None:
        now = self._now
        begun = self._clocks.monotonic()
        revised = list[Revised]()

        async def write() -> None:
            revised[:] = [await now.late_writer.commit(readings, self._plan.version, follow_up)]

        await self.patiently(write)
        late.adopt(now.pipeline.state, readings, revised[0].heads)
        now.pipeline.state.remember(revised[0].kpis)
        self._counting.revised(revised[0], len(readings), self._writer.batch_no)
        self.spent("late", begun)
        self._status.batch_no = self._writer.batch_no

    async def seal(self, asked: SealAsked) -> None:
        """Freeze a period, or let a document take effect."""

        async def write() -> None:
            await self._now.seals.seal(asked, self._plan.version)

        await self.patiently(write)
        self._status.batch_no = self._writer.batch_no

    async def _look_back(self) -> None:
        await look_back(await self.connection(), self._now.pipeline.alerts, self._now.numbers)

    async def aside(self, step: Callable[[Writer, SitePipeline, Earlier], Awaitable[None]]) -> None:
        """Run a step that has a transaction of its own."""
        await self.patiently(lambda: step(self._writer, self._now.pipeline, self._now.earlier))
        self._status.batch_no = self._writer.batch_no

    async def examine(self, asked: TestAsked) -> None:
        """Keep an analyser's test, with what follows from it."""
        await self.patiently(lambda: self._now.late_writer.hours.examine(asked, self._plan.version))
        self._status.batch_no = self._writer.batch_no

    async def earlier_limits(self, readings: Readings) -> list[EarlierLimits]:
        """By what readings of the time before the newest version are judged; none if there are no such readings."""
        found: list[EarlierLimits] = []

        async def learn() -> None:
            found[:] = await self._now.earlier.limits(await self._writer.connection(), readings)

        if self._now.earlier.is_touched(readings):
            await self.patiently(learn)
        return found

    def measured(self, point_no: int) -> int | None:
        """The plan index of a measured point by the store's number; None: the plan has none."""
        found = np.flatnonzero(self._now.numbers.points[: self._plan.n_measured] == point_no)
        return int(found[0]) if found.size else None

    async def storable(self, readings: Readings) -> bool:
        """Whether the database takes readings as they are; nothing stays of the trial."""
        found: list[bool] = []

        async def attempt() -> None:
            found[:] = [await self._writer.storable(readings, self._now.numbers)]

        await self.patiently(attempt)
        return found[0]

    @property
    def _now(self) -> _State:
        assert self._state is not None
        return self._state

    def spent(self, stage: str, begun: int) -> None:
        """Book the time since `begun` (monotonic µs) on a stage."""
        seconds = (self._clocks.monotonic() - begun) / 1e6
        self._metrics.stage_seconds.labels(self._plan.site, stage).inc(seconds)
