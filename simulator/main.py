"""One simulated plant as a process: `run` until it is told to stop.

On SIGTERM or SIGINT nothing more is made; what was sent is waited for, at most
20 s; the last statistics say whether everything was acknowledged. A record that
has ended is not an end of the process: it stays, says so, and waits for the
signal. This is the only file of the package that reads a clock.
"""

import asyncio
import logging
import random
import secrets
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingest.errors import InputError
from ingest.model import DAY, HOUR
from ingest.plant.compile import compile_plan
from ingest.plant.parse import load_plant
from ingest.plant.plan import Plan
from simulator.cement import CementPlant
from simulator.faults import Chain, chain
from simulator.feeds import CementFeed, Feed, SteelFeed
from simulator.instruments import instruments
from simulator.packets import Packet
from simulator.publisher import Address, Publisher
from simulator.statistics import replace_file, statistics
from simulator.steel import WEEK, Midnight, SteelReplay, read_rows

_log = logging.getLogger(__name__)

PLANTS = Path(__file__).parent / "plants"
DRAIN_S = 20.0
_STATISTICS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run may be told; the defaults are the demo's."""

    plant: Path | None = None
    """Plant file; None: the shipped one of that name."""
    seed: int = 1
    faults: Sequence[str] = ()
    """Such as `late=0.02`, `spike` or `all`, see `simulator.faults.chain`."""
    history_h: float = 24.0
    """Cement: hours before now with which it starts."""
    csv: Path | None = None
    """Steel: the record; None: the shipped week."""
    midnight: Midnight = "next-day"
    """Steel: which day the row of 00:00 ends or begins."""
    at_once_days: float = 3.0
    """Steel: days sent as fast as they are acknowledged."""
    rows_per_s: float = 1.0
    """Steel: pace of the days after; 0: as fast as they are acknowledged."""


async def run(
    kind: Literal["cement", "steel"], mqtt_url: str, stats: Path | None = None, options: Options | None = None
) -> int:
    """Publish the plant until SIGTERM or SIGINT.

    Returns 0 if every reading published was acknowledged, else 1. Raises InputError before
    anything is sent where an option, the plant file or the record is wrong.
    """
    given = options or Options()
    plan = compile_plan(load_plant(given.plant or PLANTS / f"{kind}.yaml"))
    faults = chain(given.faults, given.seed)
    feed = make_feed(kind, plan, given, faults)
    client_id = f"stackwatt-simulate-{plan.site}-{secrets.token_hex(4)}"
    publisher = Publisher(Address.parse(mqtt_url), client_id, random.Random(client_id))  # noqa: S311 - jitter
    return await _Run(plan.site, feed, faults, publisher, stats).until_stopped()


def make_feed(kind: Literal["cement", "steel"], plan: Plan, options: Options, faults: Chain) -> Feed:
    """What a plant of that kind, its instruments faulty, publishes under that plan, on the wall clock."""
    measured = instruments(plan)
    if kind == "cement":
        plant = CementPlant(measured, options.seed)
        history_us = round(options.history_h * HOUR)
        return CementFeed(
            plant, plan.topic_prefix, plan.site, history_us, _wall_clock, asyncio.sleep, faults.disturb
        )
    if options.rows_per_s < 0:
        raise InputError(f"rows per second {options.rows_per_s}: expected 0 (no pace) or more")
    rows = read_rows(options.csv or WEEK, plan.zone, options.midnight)
    replay = SteelReplay(measured, rows, plan.topic_prefix, plan.site, faults.disturb)
    return SteelFeed(replay, round(options.at_once_days * DAY), options.rows_per_s, asyncio.sleep)


class _Run:
    """The tasks of one run: feed, publisher, statistics."""

    def __init__(
        self, site: str, feed: Feed, faults: Chain, publisher: Publisher, stats: Path | None
    ) -> None:
        self._site = site
        self._feed = feed
        self._faults = faults
        self._publisher = publisher
        self._stats = stats
        self._over = False

    async def until_stopped(self) -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            async with asyncio.TaskGroup() as group:
                publishing = group.create_task(self._publisher.run(), name="publisher")
                writing = group.create_task(self._write_statistics(), name="statistics")
                feeding = group.create_task(self._feed_all(), name="feed")
                await stop.wait()
                feeding.cancel()
                drained = await self._drain()
                publishing.cancel()
                writing.cancel()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        self._save(done=True, finished=drained)
        return 0 if drained else 1

    async def _feed_all(self) -> None:
        await self._feed.run(self._send)
        await self._send_now(self._faults.flush())
        await self._publisher.drained()
        self._over = True

    async def _send(self, packets: list[Packet]) -> None:
        await self._send_now(self._faults.apply(packets))

    async def _send_now(self, packets: list[Packet]) -> None:
        for packet in packets:
            await self._publisher.publish(packet)

    async def _drain(self) -> bool:
        """Send what the faults still hold, and wait for every acknowledgement."""
        try:
            async with asyncio.timeout(DRAIN_S):
                if self._publisher.connected:
                    await self._send_now(self._faults.flush())
                else:
                    self._publisher.give_up_unsent()
                await self._publisher.drained()
        except TimeoutError:
            _log.warning("%s: stopped with readings that the broker has not acknowledged", self._site)
            return False
        return True

    async def _write_statistics(self) -> None:
        while True:
            self._save(done=self._over, finished=self._over)
            await asyncio.sleep(_STATISTICS_EVERY_S)

    def _save(self, *, done: bool, finished: bool) -> None:
        if self._stats is not None:
            phase = "done" if done else self._feed.phase
            text = statistics(self._site, self._feed.points, self._publisher, phase, finished=finished)
            replace_file(self._stats, text)


def _wall_clock() -> int:
    return time.time_ns() // 1000
