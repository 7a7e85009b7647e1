"""What the run torments: PostgreSQL, Mosquitto, ingest and service as real processes, and the links between them.

    publisher → broker → link → ingest → proxy → PostgreSQL ← service

`down` says, at any moment, what the run itself has taken away and since when: the truth that
`/readyz` is measured by. Processes are started and stopped by the main thread only; links and
proxy live in a loop of a thread of their own.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

from deploy.process import end
from tests.benchmarks.bed import KEY, Bed, Ours, free_port
from tests.chaos.link import Link, linked
from tests.chaos.traffic import PLANT
from tests.recovery.pausing import paused
from tests.recovery.proxy import Cut, PostgresProxy, proxied

START_S = 90.0


class Links:
    """Both ways of ingest out of its process, in a thread."""

    database: PostgresProxy
    broker: Link

    def __init__(self, dsn: str, broker_port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links")
        self._thread.start()
        self._stack = AsyncExitStack()
        self._wait(self._open(dsn, broker_port))

    async def _open(self, dsn: str, broker_port: int) -> None:
        self.database = await self._stack.enter_async_context(proxied(dsn))
        self.broker = await self._stack.enter_async_context(linked(broker_port))

    def cut_database(self) -> None:
        """Lose every connection of ingest to the database."""
        self._loop.call_soon_threadsafe(self.database.cut_all)

    def cut_at_commit(self, cut: Cut) -> None:
        """Lose the connection at the next COMMIT."""
        self._loop.call_soon_threadsafe(self.database.plan, [cut])

    def cut_broker(self) -> None:
        """Lose the connection of ingest to the broker."""
        self._loop.call_soon_threadsafe(self.broker.cut)

    def hold_broker(self) -> None:
        """Let nothing pass between ingest and broker."""
        self._loop.call_soon_threadsafe(self.broker.hold)

    def release_broker(self) -> None:
        """Let it pass again."""
        self._loop.call_soon_threadsafe(self.broker.release)

    def close(self) -> None:
        """End the thread."""
        self._wait(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


class World:
    """All of them; `down` and `touched_at` are in seconds of the monotonic clock."""

    def __init__(self, bed: Bed, links: Links) -> None:
        self.bed = bed
        self.links = links
        self.dsn = bed.postgres.dsn()
        self.ingest: Ours | None = None
        self.service: Ours | None = None
        self.lives = 0
        """How often ingest was started."""
        self.down: dict[str, float] = {}
        """`database`, `broker`, `ingest`, `service`: since when, while it is."""
        self.touched_at = time.monotonic()
        """When anything was last taken away or given back."""
        self._ports = free_port(), free_port()
        self._plant = bed.home / "mill.yaml"
        self._plant.write_text(PLANT, encoding="utf-8")

    def take(self, what: str) -> None:
        """Something is about to be taken away."""
        self.touched_at = time.monotonic()
        self.down[what] = self.touched_at

    def give(self, what: str) -> None:
        """It is there again."""
        self.touched_at = time.monotonic()
        self.down.pop(what, None)

    def start_ingest(self) -> None:
        """Start it; it is not awaited."""
        dsn, url = self.links.database.dsn, f"mqtt://127.0.0.1:{self.links.broker.port}"
        told = {"STACKWATT_DSN": dsn, "STACKWATT_MQTT_URL": url}
        port = self._ports[0]
        arguments = ["ingest", "--plant", str(self._plant), "--http-port", str(port)]
        self.ingest = Ours(self.bed, "ingest", arguments, told, port)
        self.lives += 1
        self.give("ingest")

    def start_service(self) -> None:
        """Start it; it is not awaited."""
        told = {"STACKWATT_DSN": self.dsn, "STACKWATT_ADMIN_KEY": KEY}
        port = self._ports[1]
        self.service = Ours(self.bed, "serve", ["serve", "--port", str(port)], told, port)
        self.give("service")

    def kill_ingest(self) -> None:
        """`kill -9`."""
        self.take("ingest")
        assert self.ingest is not None
        end(self.ingest.process, signal.SIGKILL, 10)

    def kill_service(self) -> None:
        """`kill -9`."""
        self.take("service")
        assert self.service is not None
        end(self.service.process, signal.SIGKILL, 10)

    def kill_database(self, number: signal.Signals) -> None:
        """SIGKILL for the postmaster alone, or SIGQUIT: all its processes end at once, nothing is written."""
        self.take("database")
        process = self.bed.postgres.process
        assert process is not None
        end(process, number, 10)
        self.bed.postgres.process = None

    def start_database(self) -> None:
        """Start it and wait until it answers."""
        self.bed.postgres.start(START_S)
        self.give("database")

    def stop_broker(self, *, kill: bool = False) -> None:
        """SIGTERM, which has it save its queue; or -9."""
        self.take("broker")
        if kill:
            self.bed.broker.kill()
        else:
            self.bed.broker.stop()

    def start_broker(self) -> None:
        """Start it and wait until it listens."""
        self.bed.broker.start()
        self.give("broker")

    @contextmanager
    def stopped(self, what: str) -> Iterator[None]:
        """SIGSTOP for the length of the block; of the database all processes."""
        processes = {
            "ingest": None if self.ingest is None else self.ingest.process,
            "service": None if self.service is None else self.service.process,
            "database": self.bed.postgres.process,
            "broker": self.bed.broker.process,
        }
        process = processes[what]
        assert process is not None
        self.take(what)
        try:
            with paused(process.pid):
                yield
        finally:
            self.give(what)

    def close(self) -> None:
        """End what is left of ours."""
        for ours in (self.ingest, self.service):
            if ours is not None:
                end(ours.process, signal.SIGKILL, 10)
