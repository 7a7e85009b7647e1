"""Live figures for everyone who looks, from one query.

Ingest tells each commit on the channel `stackwatt`. While anybody listens, the
feed then reads `kpi_latest` (at most every PAUSE_S, at least every TICK_S, for
figures also grow stale when nothing comes) and wakes the subscribers. Each of
them sends what differs from what it sent before, so a slow client gets fewer
steps, never a queue. It keeps the last figures while the database is away and
says so.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import msgspec
import psycopg

from ingest.errors import StackwattError
from service import latest
from service.access import Access
from service.benchmarks import beside, by_kpi
from service.figures import LatestRow, latest_figures
from service.live_uncertainty import LiveUncertainty, Shares
from service.plans import PlanCache, SitePlan
from service.store import AWAY, Store
from service.times import format_instant

log = logging.getLogger("stackwatt.service")

PAUSE_S = 0.2
TICK_S = 1.0
STATUS_S = 2.0
RELISTEN_S = 1.0
MOST_STREAMS = 200

Key = tuple[str, str, int | None]
"""Site, KPI, window."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A figure ready to send."""

    mark: bytes
    """What makes it differ from another: all but its age."""
    text: bytes


@dataclass(slots=True)
class _Known:
    """What the database said last."""

    sites: list[SitePlan] = field(default_factory=list)
    rows: dict[int, dict[tuple[str, int], LatestRow]] = field(default_factory=dict)
    commits: dict[int, latest.Commit] = field(default_factory=dict)
    shares: dict[int, Shares] = field(default_factory=dict)


class Feed:
    """The shared source of all live streams; `run` it in a task."""

    def __init__(self, store: Store, plans: PlanCache, live: LiveUncertainty, now: Callable[[], int]) -> None:
        """`now` gives µs of UTC."""
        self._store = store
        self._plans = plans
        self._live = live
        self._now = now
        self._known = _Known()
        self._told: dict[Key, _Told] = {}
        self._subscribers: set[asyncio.Event] = set()
        self._news = asyncio.Event()
        self._read = False
        self.database_up = False
        self.stopping = False

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._subscribers)

    def stop(self) -> None:
        """End every stream; none begins any more."""
        self.stopping = True
        self._wake()

    async def run(self) -> None:
        """Listen and refresh until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="feed listener")
            tasks.create_task(self._refresh_always(), name="feed refresher")

    async def stream(self, access: Access) -> AsyncGenerator[bytes]:
        """Server-sent events: at once all figures the key covers, then what changes."""
        sent: dict[Key, bytes] = {}
        status_due, status_up = 0.0, None
        clock = asyncio.get_running_loop().time
        with self._subscribed() as woken:
            yield b"retry: 3000\n\n"  # before anything is waited for, so that whoever began to listen is counted
            while not self.stopping:
                if self._read and (clock() >= status_due or status_up is not self.database_up):
                    yield self._status(access)
                    status_due, status_up = clock() + STATUS_S, self.database_up
                changed = [key for key, told in self._told.items() if sent.get(key) != told.mark]
                if mine := [key for key in changed if access.covers(key[0])]:
                    sent |= {key: self._told[key].mark for key in mine}
                    yield self._figures(mine)
                await _set_within(woken, STATUS_S / 2)
                woken.clear()
        yield b"event: bye\ndata: {}\n\n"

    @contextmanager
    def _subscribed(self) -> Iterator[asyncio.Event]:
        woken = asyncio.Event()
        self._subscribers.add(woken)
        self._news.set()
        try:
            yield woken
        finally:
            self._subscribers.discard(woken)

    def _figures(self, keys: list[Key]) -> bytes:
        items = b",".join(self._told[key].text for key in keys)
        return b'event: figures\ndata: {"items":[' + items + b"]}\n\n"

    def _status(self, access: Access) -> bytes:
        known = self._known
        sites = {
            site.plan.site: latest.site_state(site, known.commits.get(site.site_no)).model_dump()
            for site in known.sites
            if access.covers(site.plan.site)
        }
        status = {"now": format_instant(self._now()), "database": self.database_up, "sites": sites}
        return b"event: status\ndata: " + msgspec.json.encode(status) + b"\n\n"

    def _wake(self) -> None:
        for woken in self._subscribers:
            woken.set()

    async def _listen(self) -> None:
        """Hear of commits; after a lost connection listen again and count what was missed as news."""
        while True:
            with suppress(psycopg.Error, OSError):
                async with await self._store.listener() as connection:
                    await connection.execute("LISTEN stackwatt")
                    await connection.execute("LISTEN stackwatt_plan")
                    self._news.set()
                    async for _ in connection.notifies():
                        self._news.set()
            await asyncio.sleep(RELISTEN_S)

    async def _refresh_always(self) -> None:
        while True:
            await _set_within(self._news, TICK_S)
            self._news.clear()
            if self._subscribers:
                await self._refresh()
            await asyncio.sleep(PAUSE_S)

    async def _refresh(self) -> None:
        try:
            async with self._store.glance() as connection:
                sites = await self._plans.all(connection)
                numbers = [site.site_no for site in sites]
                found = await latest.read_rows(connection, numbers)
                commits = await latest.read_commits(connection, numbers)
                shares = await latest.read_shares(connection, sites, found, self._live, self._now())
                self._known = _Known(sites, found, commits, shares)
            self.database_up = True
        except (*AWAY, StackwattError) as error:
            if self.database_up:
                log.warning("the live feed cannot read: %s", error)
            self.database_up = False
        self._tell()
        self._read = True
        self._wake()

    def _tell(self) -> None:
        """Make the figures of now from what is known."""
        now = self._now()
        told: dict[Key, _Told] = {}
        marks = by_kpi(site.plan for site in self._known.sites)
        for site in self._known.sites:
            rows = self._known.rows.get(site.site_no, {})
            shares = self._known.shares.get(site.site_no, {})
            for figure in latest_figures(site.plan, rows, now, shares):
                written = beside(figure, marks).model_dump(by_alias=True)
                text = msgspec.json.encode(written)
                written.pop("data_age_s")
                told[site.plan.site, figure.id, figure.window] = _Told(msgspec.json.encode(written), text)
        self._told = told


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, or for the time to pass."""
    # Not wait_for: before Python 3.12 it loses a cancellation that meets the event's setting.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
