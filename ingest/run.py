"""The life of one site's ingest: take the site, follow its plan, feed it, let it go."""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack

from psycopg import AsyncConnection, OperationalError

from ingest.aside import Aside
from ingest.errors import SiteBusyError
from ingest.metrics import IngestMetrics
from ingest.model import HOUR
from ingest.mqtt.address import BrokerAddress
from ingest.mqtt.subscriber import Subscriber
from ingest.patient import answer_expected, in_words
from ingest.plant import plan_from_body
from ingest.plant.plan import Plan
from ingest.settings import IngestSettings
from ingest.site import Clocks, SiteIngest
from ingest.source import PAYLOAD_PER_BATCH, Delivery, batch_end
from ingest.status import SiteStatus
from ingest.store.housekeeping import let_go
from ingest.store.registry import newest_plan
from ingest.store.writer import Writer

log = logging.getLogger(__name__)

LINGER_S = 0.05
MESSAGES_PER_BATCH = 10_000
"""A batch closes after so long, so many messages or `PAYLOAD_PER_BATCH`."""
TICK_US = 1_000_000
INBOX_EVERY_US = 250_000
PLAN_EVERY_US = 2_000_000
BUSY_PAUSE_S = 1.0


class SiteRun:
    """Runs one site until told to stop."""

    def __init__(
        self,
        settings: IngestSettings,
        site_no: int,
        plan: Plan,
        status: SiteStatus,
        metrics: IngestMetrics,
        clocks: Clocks,
    ) -> None:
        """`plan` is the newest applied version."""
        self._settings = settings
        self._plan = plan
        self._site_no = site_no
        self.status = status
        self._metrics = metrics
        self._clocks = clocks
        self._writer = Writer(settings.dsn, site_no, str(plan.zone), clocks.now, settings.signer)
        self._aside = Aside(site_no, clocks)
        self._subscribed: tuple[str, ...] | None = None
        self._next_plan: Plan | None = None
        self._let_go_at = 0
        self._caught_up = False

    async def run(self, stop: asyncio.Event) -> None:
        """Ingest until `stop` is set; raises SiteBusyError where waiting is off."""
        if not await self._take_site(stop):
            return
        try:
            while not stop.is_set():
                ingest = SiteIngest(
                    self._writer, self._plan, self._settings.holder, self.status, self._metrics, self._clocks
                )
                await ingest.rebuild()
                if not self.status.begun and self._settings.mqtt_url is not None:
                    self.status.missing("broker", "not connected yet")
                self.status.begun = True
                self._aside.rewind()
                await self._ingest(ingest, stop)
                if self._next_plan is None:
                    return
                log.info("site %s goes on under plan version %d", self._plan.site, self._next_plan.version)
                self._plan, self._next_plan = self._next_plan, None
        finally:
            await self._writer.close()

    async def _take_site(self, stop: asyncio.Event) -> bool:
        while not stop.is_set():
            try:
                with answer_expected(self.status):
                    await self._writer.take_site(self._settings.holder)
            except SiteBusyError as error:
                if not self._settings.wait:
                    raise
                if "site" not in self.status.trouble:
                    log.warning("%s; waiting for it", error)
                self.status.missing("site", str(error))
                self.status.there("database")
            except OperationalError as error:
                self.status.missing("database", in_words(error))
            else:
                self.status.there("site")
                self.status.there("database")
                return True
            await asyncio.sleep(BUSY_PAUSE_S)
        return False

    async def _tls(self) -> ssl.SSLContext | None:
        if not BrokerAddress.parse(self._settings.mqtt_url or "").tls:
            return None
        return await asyncio.to_thread(self._settings.mqtt_tls.context)

    async def _ingest(self, ingest: SiteIngest, stop: asyncio.Event) -> None:
        """Feed the site from its sources until `stop` or a new plan."""
        plan = self._plan
        async with AsyncExitStack() as stack:
            subscriber = None
            if self._settings.mqtt_url is not None:
                held: list[str] = []

                async def look() -> None:
                    held[:] = await _subscribed(await ingest.connection(), self._site_no)

                await ingest.patiently(look)
                subscriber = await stack.enter_async_context(
                    Subscriber(
                        self._settings.mqtt_url,
                        site=plan.site,
                        filters=[f"{plan.topic_prefix}/{plan.site}/#", *plan.topics, *plan.mes.topics[1:]],
                        now=self._clocks.now,
                        client_id=f"{self._settings.mqtt_session}-{plan.site}",
                        subscribed=held,
                        on_subscribed=self._note_subscribed,
                        limits=self._settings.limits,
                        tls=await self._tls(),
                    )
                )
                self._metrics.broker.watch(plan.site, subscriber.counters)
            inbox_at = plan_at = took_at = 0
            hurry = False
            while not stop.is_set():
                at_once = hurry or ingest.more or self._aside.heavy  # a turn of history is linger enough
                deliveries = await self._collect(subscriber, 0.0 if at_once else LINGER_S)
                others_wait = len(deliveries) >= MESSAGES_PER_BATCH
                now = self._clocks.monotonic()
                if deliveries or ingest.more or now - took_at >= TICK_US or ingest.windows_due:
                    took_at = now
                    await self._take(ingest, subscriber, deliveries, stop)
                if ingest.late_due():
                    _acknowledge(subscriber, await ingest.flush_late())
                due = now - inbox_at >= INBOX_EVERY_US
                if hurry or due or (self._aside.heavy and not others_wait):
                    inbox_at = now
                    busy = ingest.more or await self._take_aside(ingest, subscriber)
                    hurry = busy and subscriber is None  # an import has nobody to wait for
                if now - plan_at >= PLAN_EVERY_US:
                    plan_at = now
                    await ingest.patiently(lambda: self._housekeep(ingest))
                    if self._next_plan is not None:
                        break
            await self._drain(ingest, subscriber, stop)

    async def _drain(self, ingest: SiteIngest, subscriber: Subscriber | None, stop: asyncio.Event) -> None:
        """Commit and acknowledge what has been read from the broker; read no more."""
        if subscriber is not None:
            subscriber.stop()
            while deliveries := await self._collect(subscriber, 0.0):
                if not await self._take(ingest, subscriber, deliveries, stop):
                    break
        else:  # an import may find readings whose intervals nobody has closed
            await ingest.take([], caught_up=False)
        _acknowledge(subscriber, await ingest.flush_late())
        while ingest.more:
            await ingest.take([], caught_up=False)

    async def _collect(self, subscriber: Subscriber | None, linger_s: float) -> list[Delivery]:
        if subscriber is None:
            await asyncio.sleep(linger_s)
            return []
        deliveries = await subscriber.collect(linger_s, MESSAGES_PER_BATCH)
        if subscriber.connected:
            self.status.there("broker")
        else:
            self.status.missing("broker", subscriber.trouble)
        self.status.caught_up = subscriber.caught_up
        # With as many messages as a batch may have, others may be waiting: their time is still to come.
        self._caught_up = subscriber.caught_up and len(deliveries) < MESSAGES_PER_BATCH
        self._metrics.connected.labels(self._plan.site).set(int(subscriber.connected))
        return deliveries

    async def _take(
        self,
        ingest: SiteIngest,
        subscriber: Subscriber | None,
        deliveries: list[Delivery],
        stop: asyncio.Event,
    ) -> bool:
        """Commit deliveries and acknowledge them; False if told to stop while our clock is the suspect."""
        while True:
            chunk = deliveries[: batch_end(deliveries, PAYLOAD_PER_BATCH)]
            caught_up = self._caught_up and len(chunk) == len(deliveries)
            free = await ingest.take(chunk, caught_up=caught_up)
            if free is not None:
                self.status.there("clock")
                _acknowledge(subscriber, free)
                del deliveries[: len(chunk)]
                if not deliveries:
                    return True
                continue
            self.status.missing(
                "clock", "more than half of the points heard say that our own clock is behind"
            )
            if stop.is_set():
                return False
            await asyncio.sleep(BUSY_PAUSE_S)
            if len(deliveries) < MESSAGES_PER_BATCH and subscriber is not None:
                # The others may know better than those who came first: it is one device's clock then.
                deliveries += await self._collect(subscriber, 0.0)
            for delivery in deliveries:
                delivery.received_at = self._clocks.now()
            ingest.hear(deliveries)

    async def _take_aside(self, ingest: SiteIngest, subscriber: Subscriber | None) -> bool:
        """Give the inbox its turn; whether there was anything."""
        busy, free = await self._aside.turn(ingest, alone=subscriber is None, caught_up=self._caught_up)
        _acknowledge(subscriber, free)
        return busy

    def _note_subscribed(self, filters: tuple[str, ...]) -> None:
        self._subscribed = filters

    async def _housekeep(self, ingest: SiteIngest) -> None:
        """Look for a newer plan and write down what the broker session holds."""
        connection = await ingest.connection()
        if self._subscribed is not None:
            await connection.execute(
                "UPDATE site SET subscribed = %s WHERE site_no = %s", [list(self._subscribed), self._site_no]
            )
            self._subscribed = None
        if self._clocks.monotonic() >= self._let_go_at:
            self._let_go_at = self._clocks.monotonic() + HOUR
            retention = self._plan.file.retention
            await let_go(
                connection, self._site_no,
                rejected_days=retention.rejected_days, commits_days=retention.commits_days,
            )  # fmt: skip
        # Its body is asked for only if there is a newer one: of 10 000 points, parsing it took 300 ms.
        stored = await newest_plan(connection, self._site_no, after_version=self._plan.version)
        if stored is not None:
            effective_at = round(stored.effective_at.timestamp() * 1e6)
            watermark, replay = self.status.watermark, self._plan.clock == "replay"
            # The time of a replay is not that in which plans are applied: it would never get there.
            if replay or watermark is None or watermark - watermark % self._plan.interval_us >= effective_at:
                self._next_plan = plan_from_body(stored.body, stored.version)


async def _subscribed(connection: AsyncConnection, site_no: int) -> list[str]:
    cursor = await connection.execute("SELECT subscribed FROM site WHERE site_no = %s", [site_no])
    row = await cursor.fetchone()
    return list(row[0]) if row else []


def _acknowledge(subscriber: Subscriber | None, deliveries: Sequence[Delivery]) -> None:
    if subscriber is not None and deliveries:
        subscriber.acknowledge(deliveries)
