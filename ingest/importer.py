"""History from a CSV file, through the inbox like everything that is not MQTT.

A file is read through before anything of it is queued, so one with a wrong row
leaves nothing behind. It becomes wire messages under keys that depend only on file, mapping and
place, so an import that was interrupted goes on where it was, and one that is
repeated changes nothing. A running ingest of the site consumes them between its
live batches; without one, or when that has gone, the import takes the site and runs the
pipeline itself.
It does not decide what a message means.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection

from ingest.csv_history import CsvHistory, HistoryChunk
from ingest.csv_mapping import load_mapping
from ingest.errors import InputError, SiteBusyError
from ingest.metrics import IngestMetrics
from ingest.plant import plan_from_body
from ingest.plant.plan import Plan
from ingest.run import SiteRun
from ingest.settings import IngestSettings
from ingest.site import Clocks
from ingest.status import SiteStatus
from ingest.store.inbox import OURS, Envelope
from ingest.store.registry import newest_plan
from ingest.warming import warm

CHUNKS_AT_ONCE = 20
"""Queued in one transaction."""
WAITING_AT_MOST = 200
"""Chunks in the inbox that nobody has consumed; more would only fill the database."""
PAUSE_S = 0.05
STALLED_S = 30.0
"""After so long without a consumed chunk the ingest that had the site is taken to be gone."""
PRIORITY = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come; reported after every `CHUNKS_AT_ONCE`."""

    phase: Literal["checking", "importing"]
    rows: int
    """Of the file, queued or found queued before."""
    queued: int
    """Chunks that were new."""
    bytes_done: int
    bytes_total: int
    waiting: int
    """Chunks not consumed yet."""


async def import_csv(
    dsn: str, path: Path, mapping: Path, clocks: Clocks, report: Callable[[Progress], None]
) -> Progress:
    """Import a file and wait until all of it is stored.

    Raises:
        InputError: file, mapping and plant do not fit, or a row is wrong; nothing has been queued.
    """
    wanted = load_mapping(mapping)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute("SELECT site_no FROM site WHERE id = %s", [wanted.site])
        row = await cursor.fetchone()
        stored = await newest_plan(connection, row[0]) if row else None
        if row is None or stored is None:
            raise InputError(
                f"{mapping}: site is {wanted.site!r}; expected a site whose plant file has been applied"
            )
        plan = plan_from_body(stored.body, stored.version)
        history = CsvHistory(path, wanted, plan)
        for bytes_done in history.checked():
            report(Progress("checking", 0, 0, bytes_done, history.bytes_total, 0))
            await asyncio.sleep(0)
        own = _OwnIngest(dsn, row[0], plan, clocks)
        try:
            progress = await _Queue(connection, row[0], report, own).fill(history)
            await own.has_looked()
            return progress
        finally:
            await own.end()


class _OwnIngest:
    """Runs the pipeline here unless a running ingest has the site, and once that has gone."""

    def __init__(self, dsn: str, site_no: int, plan: Plan, clocks: Clocks) -> None:
        settings = IngestSettings(dsn, wait=False, holder="an import")
        self._status = SiteStatus(plan.site)
        metrics = IngestMetrics(CollectorRegistry())
        self._run = SiteRun(settings, site_no, plan, self._status, metrics, clocks)
        self._stop, self._again, self._busy = asyncio.Event(), asyncio.Event(), False
        self._task = asyncio.create_task(self._until_stopped(), name="own ingest")

    async def _until_stopped(self) -> None:
        if not await warm(self._stop):
            return
        while not self._stop.is_set():
            with suppress(SiteBusyError):
                await self._run.run(self._stop)
                return
            self._busy = True
            self._again.clear()
            await self._again.wait()

    def take_over(self) -> None:
        """Try for the site again: whoever had it seems to be gone."""
        self._again.set()

    def check(self) -> None:
        """If the pipeline has failed, so has the import."""
        if self._task.done():
            self._task.result()

    async def has_looked(self) -> None:
        """Wait until a running ingest is known to have the site, or this one has it.

        An import that was killed may have stored all readings and not yet closed their intervals.
        """
        while not (self._busy or self._status.begun or self._task.done()):  # noqa: ASYNC110  it sets no event
            await asyncio.sleep(PAUSE_S)

    async def end(self) -> None:
        """Close what is to be closed, and let the site go."""
        self._stop.set()
        self._again.set()
        await self._task


class _Queue:
    """The chunks of one import in the inbox."""

    def __init__(
        self,
        connection: AsyncConnection,
        site_no: int,
        report: Callable[[Progress], None],
        own: _OwnIngest,
    ) -> None:
        self._connection = connection
        self._site_no = site_no
        self._report = report
        self._own = own
        self._least = 0
        self._moved_at = 0.0

    async def fill(self, history: CsvHistory) -> Progress:
        """Put all chunks in and wait until they are consumed."""
        rows = queued = done = 0
        for chunks in _some(history.chunks(), CHUNKS_AT_ONCE):
            queued += await _put(self._connection, self._site_no, chunks)
            rows, done = rows + sum(chunk.rows for chunk in chunks), chunks[-1].bytes_done
            self._restart_watch()
            while (waiting := await self._waiting()) >= WAITING_AT_MOST:  # noqa: ASYNC110  a table has no event
                await asyncio.sleep(PAUSE_S)
            self._report(Progress("importing", rows, queued, done, history.bytes_total, waiting))
        while (waiting := await self._waiting()) > 0:
            self._report(Progress("importing", rows, queued, done, history.bytes_total, waiting))
            await asyncio.sleep(PAUSE_S)
        progress = Progress("importing", rows, queued, history.bytes_total, history.bytes_total, 0)
        self._report(progress)
        return progress

    def _restart_watch(self) -> None:
        self._least, self._moved_at = 2**31, asyncio.get_running_loop().time()

    async def _waiting(self) -> int:
        """Chunks not consumed yet; where none has been for long, whoever had the site is gone."""
        self._own.check()
        waiting = await _waiting(self._connection, self._site_no)
        now = asyncio.get_running_loop().time()
        if waiting < self._least:
            self._least, self._moved_at = waiting, now
        elif now - self._moved_at > STALLED_S:
            self._moved_at = now
            self._own.take_over()
        return waiting


def _some(chunks: Iterable[HistoryChunk], most: int) -> Iterator[list[HistoryChunk]]:
    """The same, up to `most` at a time."""
    rest = iter(chunks)
    while some := list(islice(rest, most)):
        yield some


async def _put(connection: AsyncConnection, site_no: int, chunks: Sequence[HistoryChunk]) -> int:
    """Queue chunks, in order; how many of them were new."""
    envelopes = (Envelope(topic=chunk.topic, payload=msgspec.Raw(chunk.payload)) for chunk in chunks)
    cursor = await connection.execute(
        """
        INSERT INTO inbox (site_no, kind, body, idempotency_key, author, priority)
        SELECT %s, 'reading', body, key, 'import', %s
          FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS t (body, key, place) ORDER BY place
        ON CONFLICT (site_no, idempotency_key) DO NOTHING
        """,
        [
            site_no,
            PRIORITY,
            [msgspec.json.encode(envelope).decode() for envelope in envelopes],
            [OURS + chunk.key for chunk in chunks],
        ],
    )
    return cursor.rowcount


async def _waiting(connection: AsyncConnection, site_no: int) -> int:
    cursor = await connection.execute(
        "SELECT count(*) FROM inbox WHERE site_no = %s AND priority = %s AND batch_no IS NULL",
        [site_no, PRIORITY],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])
