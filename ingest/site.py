"""One site's ingest at work: sources, pipeline, transactions, acknowledgements.

    lock → rebuild → connect → (collect → decode → admit → fold → commit → acknowledge)*

A delivery is acknowledged when every transaction that holds one of its readings
has committed, in the order of arrival: while late readings wait for theirs, so do
the acknowledgements behind them. What the database refuses is bisected down to the
message. Kernels run in a thread; the event loop only decodes and waits.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
from psycopg import AsyncConnection, AsyncCursor

from ingest.admit import Admitted, Gate
from ingest.metrics import IngestMetrics
from ingest.model import DAY, NEVER, Reason
from ingest.patient import patiently
from ingest.pipeline.batch import Batch, Latest, Readings, Rows
from ingest.pipeline.pipeline import SitePipeline
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.status import SiteStatus
from ingest.store.facts import Stamp
from ingest.store.late import LateWriter, Revised
from ingest.store.rebuild import rebuild
from ingest.store.registry import Numbers, ensure_numbers
from ingest.store.rejected import Refusal
from ingest.store.writer import Writer, lost

log = logging.getLogger(__name__)

LATE_EVERY_US = 500_000
LATE_AT_MOST = 20_000
"""Late readings are gathered so long, or so many."""
LATEST_EVERY_US = 100_000
"""KPI windows are evaluated at most so often."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks a site's ingest is given."""

    now: Callable[[], int]
    """µs since the epoch."""
    monotonic: Callable[[], int]
    """µs of any monotonic clock."""


class SiteIngest:
    """Commits what deliveries of one site hold, exactly once, under one plan."""

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
        self.plan = plan
        self._writer = writer
        self._holder = holder
        self._status = status
        self._metrics = metrics
        self._clocks = clocks
        self._gate = Gate(plan, metrics)
        self._pipeline: SitePipeline | None = None
        self._numbers: Numbers | None = None
        self._late_writer: LateWriter | None = None
        self._late: list[Readings] = []
        self._late_since = 0
        self._unacknowledged: list[Delivery] = []
        self._latest_at = NEVER
        self._told: dict[tuple[int, int], Latest] = {}
        self.more = False
        """Whether closings are waiting for the next batch."""
        self.unsaid = False
        """Whether readings have come since the windows were last evaluated."""

    async def rebuild(self) -> None:
        """Take state from the store; patient with a database that is away."""
        await self.patiently(self._rebuild)

    async def close(self) -> None:
        """Give the site back."""
        await self._writer.close()

    async def _rebuild(self) -> None:
        await self._writer.take_site(self._holder)
        connection = await self._writer.connection()
        await self._writer.resume()
        self._numbers = await ensure_numbers(connection, self._writer.site_no, self.plan)
        state = await rebuild(connection, self._writer.site_no, self.plan, self._numbers)
        self._pipeline = SitePipeline(self.plan, state)
        self._late_writer = LateWriter(self._writer, state, self._numbers, str(self.plan.zone))
        self._told.clear()
        self._status.batch_no = self._writer.batch_no

    async def patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step on the database until it lets it through."""
        await patiently(step, self._writer, self._holder, self._status, self._metrics)

    async def connection(self) -> AsyncConnection:
        """The data connection, between transactions."""
        return await self._writer.connection()

    def latest_due(self) -> bool:
        """Whether KPI windows may be evaluated again."""
        return self._clocks.monotonic() - self._latest_at >= LATEST_EVERY_US

    def late_due(self) -> bool:
        """Whether gathered late readings should be committed now."""
        if not self._late:
            return False
        held = sum(len(part) for part in self._late)
        return held >= LATE_AT_MOST or self._clocks.monotonic() - self._late_since >= LATE_EVERY_US

    async def take(
        self, deliveries: Sequence[Delivery], *, caught_up: bool, inbox: bool = False
    ) -> list[Delivery] | None:
        """Commit what deliveries hold; the deliveries that may be acknowledged now, in order.

        None: nothing was done, because the deliveries say that our own clock is behind.
        """
        if not await self._take(deliveries, caught_up=caught_up, inbox=inbox):
            return None
        self._metrics.messages.labels(self.plan.site).inc(len(deliveries))
        if not inbox:
            self._unacknowledged.extend(deliveries)
        return self._acknowledgeable()

    def _acknowledgeable(self) -> list[Delivery]:
        if self._late:
            return []
        free, self._unacknowledged = self._unacknowledged, []
        return free

    async def _take(self, deliveries: Sequence[Delivery], *, caught_up: bool, inbox: bool) -> bool:
        begun = self._clocks.monotonic()
        admitted = self._gate.admit(deliveries, begun)
        self._spent("decode", begun)
        if admitted is None:
            return False
        consumed = deliveries if inbox else ()
        try:
            await self._commit(admitted, consumed, caught_up=caught_up)
        except psycopg.Error as error:
            if lost(error) or not deliveries:
                raise
            log.warning("the database refuses a batch of %d messages: %s", len(deliveries), error)
            self._writer.forget()
            await self.rebuild()
            if len(deliveries) == 1:
                refusal = self._gate.unstorable(deliveries[0], str(error))
                await self._commit(Admitted.nothing(refusal), consumed, caught_up=caught_up)
            else:
                half = len(deliveries) // 2
                await self._take(deliveries[:half], caught_up=caught_up, inbox=inbox)
                await self._take(deliveries[half:], caught_up=caught_up, inbox=inbox)
        return True

    async def _commit(self, admitted: Admitted, consumed: Sequence[Delivery], *, caught_up: bool) -> None:
        assert self._pipeline is not None
        latest = self.latest_due()
        batch = await self._process(admitted, caught_up=caught_up, latest=latest)
        self.more = batch.more
        self.unsaid = (self.unsaid or len(batch.readings) > 0) and not latest
        if latest:
            self._latest_at = self._clocks.monotonic()
        batch.latest = [
            figure for figure in batch.latest if self._told.get((figure.kpi, figure.window_us)) != figure
        ]
        if len(batch.late) and consumed:
            # An inbox row has no acknowledgement to hold back: its late readings are committed first.
            await self._commit_late([batch.late])
        elif len(batch.late):
            self._late_since = self._late_since if self._late else self._clocks.monotonic()
            self._late.append(batch.late)
        tokens = [delivery.token for delivery in consumed]
        if not (batch.empty and not admitted.refusals and not tokens):
            await self._write(batch, admitted.refusals, tokens)
        self._count(batch, admitted.refusals)

    async def _process(self, admitted: Admitted, *, caught_up: bool, latest: bool) -> Batch:
        pipeline = self._pipeline
        assert pipeline is not None
        begun = self._clocks.monotonic()
        batch = await asyncio.to_thread(
            pipeline.process,
            admitted.readings,
            admitted.message,
            monotonic_us=begun,
            caught_up=caught_up,
            latest=latest,
        )
        self._spent("pipeline", begun)
        return batch

    async def _write(self, batch: Batch, refusals: Sequence[Refusal], tokens: list[int]) -> None:
        numbers, late_writer, pipeline = self._numbers, self._late_writer, self._pipeline
        assert numbers is not None
        assert late_writer is not None
        assert pipeline is not None
        behind: list[Rows] = []

        async def catch_up_kpis(cursor: AsyncCursor, stamp: Stamp) -> None:
            behind[:] = [await late_writer.refigure(cursor, batch.behind, stamp)]

        async def write() -> None:
            await self._writer.commit(
                batch,
                numbers,
                self.plan.version,
                refusals,
                tokens,
                catch_up_kpis if batch.behind.size else None,
            )

        begun = self._clocks.monotonic()
        await self.patiently(write)
        self._spent("commit", begun)
        self._metrics.commit_seconds.labels(self.plan.site).observe((self._clocks.monotonic() - begun) / 1e6)
        for rows in behind:
            pipeline.state.remember(rows)
        for figure in batch.latest:
            self._told[figure.kpi, figure.window_us] = figure

    async def flush_late(self) -> list[Delivery]:
        """Commit the gathered late readings; the deliveries that may be acknowledged now, in order."""
        gathered, self._late = self._late, []
        if gathered:
            await self._commit_late(gathered)
        return self._acknowledgeable()

    async def _commit_late(self, gathered: list[Readings]) -> None:
        """Store and recompute late readings, a day of event time per transaction."""
        pipeline, late_writer = self._pipeline, self._late_writer
        assert pipeline is not None
        assert late_writer is not None
        readings = Readings.join(gathered)
        day = readings.measured_at // DAY
        begun = self._clocks.monotonic()
        for one in np.unique(day).tolist():
            mine = readings.take(day == one)
            revised: list[Revised] = []

            async def write(mine: Readings = mine, revised: list[Revised] = revised) -> None:
                revised[:] = [await late_writer.commit(mine, self.plan.version)]

            await self.patiently(write)
            pipeline.state.insert(mine, adopt=True)
            pipeline.state.remember(revised[0].kpi_rows)
            self._metrics.readings.labels(self.plan.site).inc(revised[0].stored)
            self._count_late(mine)
            self._metrics.revised.labels(self.plan.site).inc(revised[0].changed)
        self._spent("late", begun)
        self._status.batch_no = self._writer.batch_no

    def _count_late(self, readings: Readings) -> None:
        late = int(((readings.reasons & int(Reason.LATE)) != 0).sum())
        self._metrics.late.labels(self.plan.site).inc(late)

    def _spent(self, stage: str, begun: int) -> None:
        seconds = (self._clocks.monotonic() - begun) / 1e6
        self._metrics.stage_seconds.labels(self.plan.site, stage).inc(seconds)

    def _count(self, batch: Batch, refusals: Sequence[Refusal]) -> None:
        metrics, site = self._metrics, self.plan.site
        metrics.readings.labels(site).inc(len(batch.readings))
        self._count_late(batch.readings)
        metrics.duplicates.labels(site).inc(batch.duplicates)
        metrics.intervals.labels(site).inc(batch.intervals.size)
        metrics.batch_no.labels(site).set(self._writer.batch_no)
        for refusal in refusals:
            metrics.rejected.labels(site, refusal.reason).inc(refusal.count)
        if self._pipeline is not None:
            metrics.tail.labels(site).set(self._pipeline.state.held)
        self._status.batch_no = self._writer.batch_no
        if batch.watermark != NEVER:
            metrics.watermark.labels(site).set(batch.watermark / 1e6)
            self._status.watermark = batch.watermark
