"""Patience with a database that is away.

Connection, resource and serialisation errors say nothing about the data: the same
transaction is tried again, with growing pauses, for as long as it takes, and the
site says what it is waiting for. The writer's lock is looked at each time: it may
have gone with the connection. A database that is there and does not answer (a lock, a
disk that hangs, a process that is stopped) is waited for as well, and said to be away.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import psycopg

from ingest.errors import SiteBusyError
from ingest.metrics import IngestMetrics
from ingest.status import SiteStatus
from ingest.store.session import lost
from ingest.store.writer import Writer

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
"""A server that is back is not left waiting; an attempt costs it next to nothing."""
SILENT_S = 5.0
"""How long a step may take before its database is said to be away: nothing is stored meanwhile."""


async def patiently(
    step: Callable[[], Awaitable[None]],
    writer: Writer,
    holder: str,
    status: SiteStatus,
    metrics: IngestMetrics,
) -> None:
    """Run a step until the database lets it through.

    Raises:
        psycopg.Error: the database refuses what the step holds.
        StaleEpochError: another ingest has taken the site.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            with answer_expected(status):
                if "database" in status.trouble or "site" in status.trouble:
                    await writer.take_site(holder)
                await step()
        except psycopg.Error as error:
            if not lost(error):
                raise
            if "database" not in status.trouble:
                log.warning("site %s waits for the database: %s", status.site, error)
            status.missing("database", in_words(error))
        except SiteBusyError as error:
            status.missing("site", str(error))
        else:
            if "database" in status.trouble:
                log.info("site %s has its database again", status.site)
            status.there("database")
            status.there("site")
            return
        metrics.retries.labels(status.site).inc()
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


@contextmanager
def answer_expected(*statuses: SiteStatus) -> Iterator[None]:
    """Say that the database is away if the block takes longer than `SILENT_S`; who uses it says when it is back."""

    def silent() -> None:
        for status in statuses:
            if "database" not in status.trouble:
                log.warning("site %s: the database has not answered for %g s", status.site, SILENT_S)
                status.missing("database", f"it has not answered for {SILENT_S:g} s")

    timer = asyncio.get_running_loop().call_later(SILENT_S, silent)
    try:
        yield
    finally:
        timer.cancel()


def in_words(error: psycopg.Error) -> str:
    """An error of the database in one line."""
    return " ".join(str(error).split()) or type(error).__name__
