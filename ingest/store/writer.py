"""The one writer of a site: lock, epoch, transactions.

A batch is one transaction that begins by inserting its `ingest_commit` row. When
the connection is lost in COMMIT, that row says afterwards whether it happened:
present, the batch is done; absent, the same batch is written again. The site's
advisory lock lives on a session of its own, so that a lost data connection does
not lose the site. Every transaction checks the epoch all the same, and holds it:
who takes the site waits for the end of a transaction of the writer before.
"""

from collections.abc import Awaitable, Callable, Sequence

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.errors import UniqueViolation

from ingest.errors import SiteBusyError, StaleEpochError
from ingest.evidence.signing import Signer
from ingest.model import NEVER
from ingest.pipeline.batch import Batch, Readings
from ingest.store.closings import write_intervals
from ingest.store.covered import SAID_ROW
from ingest.store.engine import Engine, Months, detect
from ingest.store.evidence import EvidenceBook
from ingest.store.facts import (
    Stamp,
    delete_rows,
    reading_columns,
    stage_rows,
    write_frontiers,
    write_latest,
    write_readings,
    write_steps,
)
from ingest.store.registry import Numbers
from ingest.store.rejected import Refusal, store_rejections
from ingest.store.session import Session, about_data
from ingest.store.tables import EMISSION, INTERVAL, KPI_VALUE, STAGING
from ingest.store.told import write_statements

FollowUp = Callable[[AsyncCursor, Stamp], Awaitable[None]]
"""Something a caller adds to a batch's transaction."""

SITE_LOCK = 0x5741_5454
"""First key of the advisory lock; the second is site_no."""


class Writer:
    """Commits batches of one site, one after the other, each exactly once.

    The caller retries `commit` with the same batch on `OperationalError`; a batch that
    had in fact been committed is then recognised and not written again.
    """

    def __init__(
        self, dsn: str, site_no: int, zone: str, now: Callable[[], int], signer: Signer | None = None
    ) -> None:
        """`zone` names the site's time zone (days of the rollups); `now` is the clock in µs; `signer` signs evidence."""
        self.site_no = site_no
        self._zone = zone
        self._now = now
        self._lock = Session(dsn)
        self._data = Session(dsn)
        self._months: Months | None = None
        self.engine: Engine | None = None
        self.epoch = 0
        self._epochs: set[int] = set()
        self.batch_no = 0
        self.known_at = NEVER
        self._pending: Stamp | None = None
        self.evidence = EvidenceBook(site_no, signer)

    async def take_site(self, holder: str) -> None:
        """Take the site's writer lock and raise its epoch, unless it is held already.

        Raises:
            SiteBusyError: another process holds it; the text names that process.
            StaleEpochError: the lock was lost, and somebody else holds it or has written since.
        """
        if await self._lock.alive():
            return
        if self._epochs:
            await self.connection()  # ends a transaction of ours that the server may still hold open

        async def take(lock: AsyncConnection) -> None:
            await self._take(lock, holder)

        await self._lock.renew(take)

    async def _take(self, lock: AsyncConnection, holder: str) -> None:
        cursor = await lock.execute("SELECT pg_try_advisory_lock(%s, %s)", [SITE_LOCK, self.site_no])
        if await cursor.fetchone() != (True,):
            cursor = await lock.execute("SELECT id, holder FROM site WHERE site_no = %s", [self.site_no])
            site, other = await cursor.fetchone() or ("?", "?")
            busy = f"site {site} is being written by {other}; only one ingest may write a site"
            # Who has lost the site to another cannot write on, but could go on taking its messages.
            raise StaleEpochError(f"{busy}, so this one stops") if self._epochs else SiteBusyError(busy)
        cursor = await lock.execute(
            "UPDATE site SET epoch = epoch + 1, holder = %s WHERE site_no = %s RETURNING epoch",
            [holder, self.site_no],
        )
        row = await cursor.fetchone()
        assert row is not None
        if self._epochs:
            cursor = await lock.execute(
                """
                SELECT FROM ingest_commit
                 WHERE site_no = %s AND batch_no > %s AND NOT epoch = ANY(%s) LIMIT 1
                """,
                [self.site_no, self.batch_no, list(self._epochs)],
            )
            if await cursor.fetchone() is not None:
                raise StaleEpochError(
                    f"site {self.site_no} was written by another ingest meanwhile; this one stops"
                )
        self.epoch = row[0]
        self._epochs.add(self.epoch)

    async def close(self) -> None:
        """Give the site back."""
        await self._data.drop()
        await self._lock.drop()

    async def connection(self) -> AsyncConnection:
        """The data connection, made again if it was lost."""
        return self._data.current or await self._data.renew(self._prepare)

    async def _prepare(self, connection: AsyncConnection) -> None:
        await connection.execute("SET synchronous_commit = on")
        await connection.execute((STAGING + SAID_ROW).encode())
        self.engine = await detect(connection)
        self._months = Months(self.engine)

    async def resume(self) -> None:
        """Learn the last committed batch; to be called before the first `commit`."""
        connection = await self.connection()
        cursor = await connection.execute(
            """
            SELECT batch_no, (extract(epoch FROM known_at) * 1000000)::bigint
              FROM ingest_commit WHERE site_no = %s ORDER BY batch_no DESC LIMIT 1
            """,
            [self.site_no],
        )
        self.batch_no, self.known_at = await cursor.fetchone() or (0, NEVER)
        self._pending = None
        await self.evidence.load(connection, self.batch_no)

    async def begin(self, plan_version: int) -> Stamp | None:
        """The stamp of the next batch, or None if the batch under way turns out to be committed."""
        connection = await self.connection()
        if self._pending is None:
            known_at = max(self._now(), self.known_at + 1)
            self._pending = Stamp(self.batch_no + 1, known_at, plan_version)
            return self._pending
        cursor = await connection.execute(
            "SELECT epoch FROM ingest_commit WHERE site_no = %s AND batch_no = %s",
            [self.site_no, self._pending.batch_no],
        )
        row = await cursor.fetchone()
        if row is None:
            return self._pending
        if row[0] not in self._epochs:
            raise StaleEpochError(
                f"batch {self._pending.batch_no} was written by another ingest; this one stops"
            )
        self.done()
        return None

    @property
    def in_doubt(self) -> bool:
        """Whether a batch was begun of which it is not known whether it was committed."""
        return self._pending is not None

    def done(self) -> None:
        """The batch under way is committed."""
        assert self._pending is not None
        self.batch_no, self.known_at = self._pending.batch_no, self._pending.known_at
        self._pending = None
        self.evidence.committed()

    def forget(self) -> None:
        """The batch under way will not be written: the database refused what it holds."""
        self._pending = None

    async def commit(
        self,
        batch: Batch,
        numbers: Numbers,
        plan_version: int,
        refusals: Sequence[Refusal] = (),
        inbox: Sequence[int] = (),
        follow_up: FollowUp | None = None,
    ) -> None:
        """Write a batch, what was refused with it, and the inbox rows it consumed, in one transaction.

        `follow_up` runs inside it after the figures are written.

        Raises:
            OperationalError: the connection or the server failed; call again with the same arguments.
            psycopg.Error: the database refuses what the batch holds; nothing was written.
            StaleEpochError: another writer has taken the site.
        """
        stamp = await self.begin(plan_version)
        if stamp is None:
            return
        connection = await self.connection()
        await self.ensure_months(batch.readings)
        await self.ensure_months(batch.reopening)
        async with connection.transaction(), connection.cursor() as cursor:
            await self.open(cursor, stamp, batch.watermark, len(batch.readings))
            await write_readings(cursor, batch.readings, numbers, stamp)
            if len(batch.readings):
                self.evidence.readings(reading_columns(batch.readings, numbers, stamp))
            await self.write_figures(cursor, batch, numbers, stamp)
            await write_latest(cursor, batch, numbers, stamp)
            if batch.statements:
                await write_statements(cursor, self.site_no, stamp, batch.statements)
            if follow_up is not None:
                await follow_up(cursor, stamp)
            await store_rejections(cursor, self.site_no, stamp.batch_no, refusals)
            if inbox:
                await cursor.execute(
                    "UPDATE inbox SET batch_no = %s WHERE inbox_no = ANY(%s)", [stamp.batch_no, list(inbox)]
                )
            await self.announce(cursor, stamp)
        self.done()

    async def storable(self, readings: Readings, numbers: Numbers) -> bool:
        """Whether readings can be written, found out by a trial that is rolled back."""
        connection = await self.connection()
        await self.ensure_months(readings)
        trial = Stamp(self.batch_no + 1, self._now(), 0)
        try:
            async with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                await write_readings(cursor, readings, numbers, trial)
        except psycopg.Error as error:
            if not about_data(error):
                raise
            return False
        return True

    async def ensure_months(self, readings: Readings) -> None:
        """Make the partitions that the readings fall into."""
        connection = await self.connection()
        assert self._months is not None
        await self._months.ensure(connection, readings.measured_at)

    async def open(self, cursor: AsyncCursor, stamp: Stamp, watermark: int, readings: int) -> None:
        """Insert the commit row if this writer still owns the site, and say which batch it is to triggers.

        Raises:
            StaleEpochError: it does not.
        """
        self.evidence.begin()
        try:
            await cursor.execute(
                """
                INSERT INTO ingest_commit (site_no, batch_no, epoch, known_at, plan_version, watermark, readings)
                SELECT site_no, set_config('stackwatt.batch_no', %s::text, true)::bigint, epoch,
                       to_timestamp(0) + %s * interval '1 microsecond', %s,
                       to_timestamp(0) + %s * interval '1 microsecond', %s
                  FROM site WHERE site_no = %s AND epoch = %s FOR SHARE
                """,
                [
                    stamp.batch_no,
                    stamp.known_at,
                    stamp.plan_version,
                    None if watermark == NEVER else watermark,
                    readings,
                    self.site_no,
                    self.epoch,
                ],
            )
        except UniqueViolation as error:
            raise StaleEpochError(
                f"batch {stamp.batch_no} of site {self.site_no} was written by another ingest; this one stops"
            ) from error
        if cursor.rowcount != 1:
            raise StaleEpochError(f"another ingest has taken site {self.site_no}; this one stops")

    async def write_figures(self, cursor: AsyncCursor, batch: Batch, numbers: Numbers, stamp: Stamp) -> None:
        """Intervals with what follows from them, and the frontiers they moved."""
        await write_intervals(cursor, batch, numbers, stamp, self._zone)
        await delete_rows(cursor, INTERVAL, numbers.points, batch.withdrawn, revision=0)
        await stage_rows(cursor, KPI_VALUE, "kpi", numbers.kpis, batch.kpi_rows, stamp)
        await stage_rows(cursor, EMISSION, "source", numbers.sources, batch.emissions, stamp)
        await write_steps(cursor, batch.steps, numbers, stamp)
        moved = numbers.points[batch.closed_points]
        await write_frontiers(cursor, moved, batch.closed_until, batch.silent, stamp)

    async def announce(self, cursor: AsyncCursor, stamp: Stamp) -> None:
        """Make evidence of the batch, all of which is written, and tell listeners that it is there (after COMMIT)."""
        await self.evidence.write(cursor, stamp.batch_no, "stackwatt")
