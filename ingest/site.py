"""One site's ingest at work: deliveries in, acknowledgements out.

    lock → rebuild → connect → (collect → decode → admit → fold → commit → acknowledge)*

A delivery is acknowledged when every transaction that holds one of its readings
has committed, in the order of arrival: while late readings wait for theirs, so do
the acknowledgements behind them. What the database refuses is bisected down to the
message. Kernels run in a thread; the event loop only decodes and waits.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

import psycopg
from psycopg import AsyncConnection, AsyncCursor

from ingest.admit import Admitted, Gate
from ingest.clocks import Clocks
from ingest.committer import Committer
from ingest.errors import RefusedFiguresError
from ingest.gathered import Gathered
from ingest.metrics import IngestMetrics
from ingest.patient import in_words
from ingest.pipeline.batch import Batch, Readings
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.status import SiteStatus
from ingest.store.alert_acts import ActsAsked, take_up
from ingest.store.analysed import latest_days, told
from ingest.store.analyser_tests import TestAsked
from ingest.store.declarations import Declaration, DeclaredReading, book, said_by
from ingest.store.facts import Stamp
from ingest.store.footprints import look
from ingest.store.seals import SealAsked
from ingest.store.session import about_data
from ingest.store.writer import Writer

__all__ = ["Clocks", "SiteIngest"]

log = logging.getLogger(__name__)

LATE_EVERY_US = 500_000
LATE_AT_MOST = 20_000
"""Late readings are gathered so long, or so many."""


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
        self._committer = Committer(writer, plan, holder, status, metrics, clocks)
        self._metrics = metrics
        self._clocks = clocks
        self._gate = Gate(plan, metrics)
        self._late: list[Gathered] = []
        self._late_since = 0
        self._unacknowledged: list[Delivery] = []

    async def rebuild(self) -> None:
        """Take state from the store; patient with a database that is away."""
        await self._committer.rebuild()

    async def close(self) -> None:
        """Give the site back."""
        await self._committer.close()

    async def patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step on the database until it lets it through."""
        await self._committer.patiently(step)

    async def connection(self) -> AsyncConnection:
        """The data connection, between transactions."""
        return await self._committer.connection()

    @property
    def more(self) -> bool:
        """Whether closings are waiting for the next batch."""
        return self._committer.more

    @property
    def windows_due(self) -> bool:
        """Whether readings have come since KPI windows were evaluated, and they may be again."""
        return self._committer.unsaid and self._committer.latest_due()

    def late_due(self) -> bool:
        """Whether gathered late readings should be committed now."""
        if not self._late:
            return False
        held = sum(len(part) for part in self._late)
        return held >= LATE_AT_MOST or self._clocks.monotonic() - self._late_since >= LATE_EVERY_US

    def hear(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries say what time it is; nothing is taken of them."""
        self._gate.hear(deliveries, self._clocks.monotonic())

    async def take(
        self, deliveries: Sequence[Delivery], *, caught_up: bool, inbox: bool = False, windows: bool = True
    ) -> list[Delivery] | None:
        """Commit what deliveries hold; the deliveries that may be acknowledged now, in order.

        None: nothing was done, because the deliveries say that our own clock is behind. Without
        `windows` those of KPIs are left to the next batch or tick.

        Raises:
            RefusedFiguresError: the database refuses what follows from readings that it takes.
        """
        begun = self._clocks.monotonic()
        # What people or files say of other times says nothing about our clock.
        admitted = (
            self._gate.admit(deliveries) if inbox else self._gate.admit_unless_suspect(deliveries, begun)
        )
        self._committer.spent("decode", begun)
        if admitted is None:
            return None
        admitted = await self._judged(admitted, deliveries)
        await self._take(admitted, deliveries, caught_up=caught_up, inbox=inbox, windows=windows)
        self._metrics.messages.labels(self.plan.site).inc(len(deliveries))
        if not inbox:
            self._unacknowledged.extend(deliveries)
        return self._acknowledgeable()

    async def _judged(self, admitted: Admitted, deliveries: Sequence[Delivery]) -> Admitted:
        """What was admitted, with readings of an earlier version's time judged by its limits."""
        earlier = await self._committer.earlier_limits(admitted.readings)
        return self._gate.admit(deliveries, earlier) if earlier else admitted

    def _acknowledgeable(self) -> list[Delivery]:
        if self._late:
            return []
        free, self._unacknowledged = self._unacknowledged, []
        return free

    async def _take(
        self,
        admitted: Admitted,
        deliveries: Sequence[Delivery],
        *,
        caught_up: bool,
        inbox: bool,
        windows: bool,
    ) -> None:
        how = {"caught_up": caught_up, "inbox": inbox, "windows": windows}
        try:
            await self._commit(admitted, deliveries, **how)
        except psycopg.Error as error:
            await self._start_over(error, len(deliveries))
            if len(deliveries) == 1:
                await self._refuse(deliveries[0], admitted.readings, error, inbox=inbox)
                return
            half = len(deliveries) // 2
            for part in (deliveries[:half], deliveries[half:]):
                again = await self._judged(self._gate.admit(part), part)
                await self._take(again, part, **how)

    async def _commit(
        self,
        admitted: Admitted,
        deliveries: Sequence[Delivery],
        *,
        caught_up: bool,
        inbox: bool,
        windows: bool = True,
    ) -> None:
        batch = await self._committer.process(admitted, caught_up=caught_up, told=inbox, windows=windows)
        late = Gathered(batch.late, admitted.message[batch.late_rows], deliveries)
        tokens = [delivery.token for delivery in deliveries] if inbox else []
        if len(late) and inbox:
            # Late readings are folded among what is stored, so the others go first. Inbox rows have no
            # acknowledgement to hold back: they are consumed by the last transaction with something of theirs.
            await self._committer.write(batch, [], [])
            await self._committer.write_late(late.readings)
            batch = Batch(watermark=batch.watermark)
        await self._committer.write(batch, admitted.refusals, tokens)
        if len(late) and not inbox:
            self._late_since = self._late_since if self._late else self._clocks.monotonic()
            self._late.append(late)

    async def flush_late(self) -> list[Delivery]:
        """Commit the gathered late readings; the deliveries that may be acknowledged now, in order."""
        gathered, self._late = self._late, []
        if gathered:
            await self._commit_late(Gathered.join(gathered))
        return self._acknowledgeable()

    async def seal(self, asked: SealAsked) -> list[Delivery]:
        """Freeze a period, what is gathered in it, or let a document take effect.

        Returns the deliveries that may be acknowledged now, in order.
        """
        free = await self.flush_late()
        await self._committer.seal(asked)
        return free

    async def tell_analysed(self, site_no: int, days: int) -> tuple[list[Delivery], int | None]:
        """Say what approved analyses give at the points they tell, of the last `days` that have something to be said.

        Returns the deliveries that may be acknowledged now, in order, and when to look again, µs: at
        once if there is more; None: not before something is approved.
        """
        waiting: list[tuple[Readings, int | None]] = []

        async def look() -> None:
            waiting[:] = [await told(await self.connection(), site_no, self.plan, self._clocks.now())]

        await self.patiently(look)
        readings, again = waiting[0]
        if not len(readings):
            return [], again
        free = await self.flush_late()
        part = latest_days(readings, days)
        await self._committer.write_late(part)
        return free, self._clocks.now() if len(part) < len(readings) else again

    async def heed(self, asked: ActsAsked) -> None:
        """Take up what people have done about alerts."""
        await self._committer.aside(lambda writer, now, _: take_up(writer, self.plan.version, asked, now))

    async def account(self) -> None:
        """Tell what finished orders came to, where something has become of them."""
        await self._committer.aside(lambda writer, now, earlier: look(writer, earlier, now.state))

    async def examine(self, asked: TestAsked) -> list[Delivery]:
        """Keep an analyser's test; the deliveries that may be acknowledged now, in order."""
        free = await self.flush_late()
        await self._committer.examine(asked)
        return free

    async def declare(self, declaration: Declaration) -> list[Delivery]:
        """Commit what an approved declaration says; the deliveries that may be acknowledged now, in order.

        What is gathered goes first: a withdrawal says again what is stored.
        """
        free = await self.flush_late()
        readings, failure = Readings.empty(), f"the plan of site {self.plan.site} has no such measured point."
        point = self._committer.measured(declaration.point_no)
        if point is not None:
            said: list[DeclaredReading] = []

            async def look() -> None:
                said[:] = await said_by(await self.connection(), declaration)

            await self.patiently(look)
            readings, failure = declaration.readings(point, said), ""
        try:
            await self._write_declared(declaration, readings, failure)
        except psycopg.Error as error:
            await self._start_over(error, 1)
            if await self._committer.storable(readings):
                raise self._nobody_to_blame(error) from error
            await self._write_declared(declaration, Readings.empty(), in_words(error))
        return free

    async def _write_declared(self, declaration: Declaration, readings: Readings, failure: str) -> None:
        async def booked(cursor: AsyncCursor, stamp: Stamp) -> None:
            await book(cursor, stamp, declaration, failure or None)

        await self._committer.write_declared(readings, booked)

    async def _commit_late(self, gathered: Gathered) -> None:
        try:
            await self._committer.write_late(gathered.readings)
        except psycopg.Error as error:
            await self._start_over(error, len(gathered.deliveries))
            if len(gathered.deliveries) == 1:
                await self._refuse(gathered.deliveries[0], gathered.readings, error, inbox=False)
                return
            for half in gathered.halves():
                await self._commit_late(half)

    async def _start_over(self, error: psycopg.Error, messages: int) -> None:
        """The database refuses a transaction that holds so many messages: go back to what is stored."""
        if not messages or not about_data(error):
            raise self._nobody_to_blame(error) from error
        log.warning("the database refuses a batch of %d messages: %s", messages, in_words(error))
        await self._committer.rebuild()

    async def _refuse(
        self, delivery: Delivery, readings: Readings, error: psycopg.Error, *, inbox: bool
    ) -> None:
        """Keep a message among the refused, if it is the message that the database does not take."""
        if await self._committer.storable(readings):
            raise self._nobody_to_blame(error) from error
        refusal = self._gate.unstorable(delivery, in_words(error))
        await self._commit(Admitted.nothing(refusal), [delivery], caught_up=False, inbox=inbox)

    def _nobody_to_blame(self, error: psycopg.Error) -> RefusedFiguresError:
        return RefusedFiguresError(
            f"the database refuses what site {self.plan.site} has to store, and no message is to blame: "
            f"{in_words(error)}"
        )
