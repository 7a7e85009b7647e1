"""The loop of a notifier: woken by an event, or every POLL_S, it makes deliveries and sends what is due.

One connection of its own listens and holds the lock on the notifier's number; when it is lost
a new number is taken, and what was claimed under the old one is free for anybody. Streams are sent
at once, up to a bound for all and one for each endpoint, so that a slow receiver delays nobody
else. Every decision is in the database: a notifier killed at any instant is replaced by the next.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from ingest.model import SECOND
from service.store import AWAY, Store
from service.webhooks import claiming
from service.webhooks.claiming import Claimed
from service.webhooks.endpoints import Endpoint, InForce, in_force
from service.webhooks.fan_out import MOST_EVENTS, fan_out
from service.webhooks.sending import Sender

log = logging.getLogger("stackwatt.webhooks")

EVENT_CHANNEL, PLAN_CHANNEL = "stackwatt_event", "stackwatt_plan"
CHANNELS = (EVENT_CHANNEL, "stackwatt_delivery", PLAN_CHANNEL)
_WORDS = {"again": "failed and is tried again", "dead": "failed for the last time", "gone": "is not wanted"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a notifier does at once, and how often it looks by itself."""

    at_once: int = 128
    per_endpoint: int = 8
    poll_s: float = 2.0
    grace_s: float = 5.0
    """What running attempts are given when it is told to stop."""


class Notifier:
    """Sends the events of one database; `run` it in a task, or one `round` after the other."""

    def __init__(self, store: Store, sender: Sender, bounds: Bounds | None = None) -> None:
        """`store` is open."""
        self._store = store
        self._sender = sender
        self._bounds = bounds or Bounds()
        self.number: int | None = None
        """Under which it claims; None: it has no session."""
        self._news = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: Counter[int] = Counter()
        """Attempts that run, by webhook_no."""
        self._known = InForce()
        self._looked_at = -math.inf
        """When the endpoints were read, by the loop's clock."""
        self._told = False
        """Whether there may be events of which no delivery has been made."""
        self._stopping = False
        self._fault: BaseException | None = None

    @property
    def sending(self) -> int:
        """How many attempts run."""
        return len(self._sending)

    def stop(self) -> None:
        """Take nothing more; `run` ends when what is being sent has ended, or the grace is over."""
        self._stopping = True
        self._news.set()

    async def run(self) -> None:
        """Work until told to stop."""
        session = asyncio.create_task(self._hold_session(), name="notifier session")
        try:
            while not self._stopping:
                await self._woken()
                if session.done():
                    session.result()
                try:
                    await self.round()
                except AWAY as error:
                    log.warning("the database is away: %s", " ".join(str(error).split()))
                    await asyncio.sleep(min(1.0, self._bounds.poll_s))
            if self._sending:
                await asyncio.wait(set(self._sending), timeout=self._bounds.grace_s)
            if self._fault is not None:
                raise self._fault
        finally:
            while not session.done():
                session.cancel()
                await asyncio.wait([session], timeout=1.0)
            for task in self._sending:
                task.cancel()

    async def round(self) -> None:
        """Make deliveries of all events that wait, and begin to send what is due."""
        if self.number is None:
            return
        clock = asyncio.get_running_loop().time
        if clock() >= self._looked_at + self._bounds.poll_s:
            async with self._store.transaction() as connection:
                self._known = await in_force(connection)
            async with self._store.transaction() as connection:
                await claiming.release(connection)
            self._looked_at, self._told = clock(), True
        while self._told:
            self._told = False
            async with self._store.transaction() as connection:
                taken = await fan_out(connection, self._known, self._sender.now())
            self._told = self._told or taken == MOST_EVENTS
        await self._send_due(self._known.endpoints)

    async def settled(self) -> None:
        """Wait until nothing is being sent, in `round`s driven by hand."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def _send_due(self, endpoints: Sequence[Endpoint]) -> None:
        of_number = {endpoint.webhook_no: endpoint for endpoint in endpoints}
        most = self._bounds.at_once - len(self._sending)
        room = {number: self._bounds.per_endpoint - self._busy[number] for number in of_number}
        room = {number: places for number, places in room.items() if places > 0}
        if not room or most <= 0 or self.number is None or self._stopping:
            return
        by, now = self.number, self._sender.now()
        lease_s = max(of_number[number].webhook.timeout for number in room) / SECOND
        async with self._store.transaction() as connection:
            claimed = await claiming.claim(connection, by, room, most, now, lease_s)
        for delivery in claimed:
            self._busy[delivery.webhook_no] += 1
            task = asyncio.create_task(self._send(of_number[delivery.webhook_no], delivery, by))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    async def _send(self, endpoint: Endpoint, claimed: Claimed, by: int) -> None:
        try:
            attempt, verdict, due_at = await self._sender.attempt(endpoint, claimed)
        finally:
            self._busy[claimed.webhook_no] -= 1
        if verdict != "delivered":
            log.warning(
                "delivery %d to %s %s: %s",
                claimed.message.sequence,
                endpoint.id,
                _WORDS[verdict],
                attempt.error,
            )
        while True:
            try:
                async with self._store.transaction() as connection:
                    await claiming.settle(connection, claimed, by, attempt, verdict, due_at)
            except AWAY as error:
                # It may have been delivered: worth some patience, not worth more than the claim lasts.
                log.warning(
                    "the outcome of a delivery cannot be written yet: %s", " ".join(str(error).split())
                )
                if self.number != by:
                    return
                await asyncio.sleep(0.5)
            else:
                return

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("an attempt failed in a way that is no attempt's", exc_info=error)
            self._fault = error
            self.stop()

    async def _hold_session(self) -> None:
        """Be somebody while the session lives, and hear of what is new."""
        while True:
            try:
                async with await self._store.listener() as connection:
                    number = await claiming.enrol(connection)
                    for channel in CHANNELS:
                        await connection.execute(f"LISTEN {channel}")
                    log.info("notifier %d listens", number)
                    self.number, self._looked_at = number, -math.inf
                    self._news.set()
                    async for notice in connection.notifies():
                        if notice.channel == PLAN_CHANNEL:
                            self._looked_at = -math.inf
                        self._told = self._told or notice.channel == EVENT_CHANNEL
                        self._news.set()
            except (psycopg.Error, OSError) as error:
                log.warning("no session with the database: %s", " ".join(str(error).split()))
            self.number = None
            await asyncio.sleep(min(1.0, self._bounds.poll_s))

    async def _woken(self) -> None:
        """Wait for news, or for the time to look anyway."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._bounds.poll_s):
                await self._news.wait()
        self._news.clear()
