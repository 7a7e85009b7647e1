"""The simulated cement line with every fault on, and a process that is killed: replay says what live said."""

import re

import psycopg
import pytest

from ingest.model import MINUTE, SECOND, Reason
from ingest.plant import compile_plan, parse_plant
from ingest.replay import Outcome, Wanted, replay
from ingest.site import Clocks, SiteIngest
from ingest.source import Delivery
from simulator.cement import CementPlant
from simulator.faults import FAULTS, chain
from simulator.feeds import CementFeed
from simulator.instruments import instruments
from simulator.packets import Packet
from tests.e2e.test_cement_line import PLANT as CEMENT
from tests.e2e.test_cement_line import StretchOverError
from tests.ingest.feeding import START, Clock, open_site

BEGIN = START + 45 * MINUTE
LENGTH = 25 * MINUTE
PLANT = re.sub(
    r"(id: kiln/(power|clinker-flow), .*)}",
    lambda found: (
        f"{found[1]}, compare: {{with: kiln/{'energy' if found[2] == 'power' else 'clinker'}, "
        "within: 0.001 %, least_share: 0.02}}"
    ),
    CEMENT,
)
"""So close a comparison that the first hour, of which the stretch has a quarter, is drift to the second."""
SEED = 11
WORSE = 3
"""How many times its usual share each fault has; at most one half."""


class Published:
    """What the line publishes, live, through all faults."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.disturbed: set[str] = set()
        shares = [f"{name}={min(WORSE * kind.usual, 0.5)}" for name, kind in FAULTS.items()]
        self._faults = chain(shares, SEED, lambda *_, **__: None)
        self._now = BEGIN

    def clock(self) -> int:
        return self._now

    async def wait(self, seconds: float) -> None:
        self._now += round(seconds * SECOND)

    async def send(self, packets: list[Packet]) -> None:
        self._deliver(self._faults.apply(packets))
        if self._now >= BEGIN + LENGTH:
            raise StretchOverError

    async def everything(self) -> list[Delivery]:
        plan = compile_plan(parse_plant(PLANT, "cement.yaml"))
        plant = CementPlant(instruments(plan), seed=1)
        feed = CementFeed(plant, "plant", "cement", 0, self.clock, self.wait, self._faults.disturb)
        with pytest.raises(StretchOverError):
            await feed.run(self.send)
        self._deliver(self._faults.flush())
        return self.deliveries

    def _deliver(self, packets: list[Packet]) -> None:
        self.deliveries += [Delivery(one.topic, one.payload, self._now + 200_000) for one in packets]


async def take(dsn: str, messages: list[Delivery]) -> None:
    """Hand messages over; after every thirtieth batch the process dies with what it has not acknowledged."""
    clock = Clock(at=BEGIN + 2 * LENGTH)
    ingest = await open_site(dsn, PLANT, clock)
    unacknowledged: list[Delivery] = []
    for number, begin in enumerate(range(0, len(messages), 100), start=1):
        batch = messages[begin : begin + 100]
        unacknowledged += batch
        await _acknowledge(await ingest.take(batch, caught_up=False), unacknowledged)
        if number % 30 == 0:
            await ingest.close()
            ingest = await open_site(dsn, PLANT, clock)
            await _acknowledge(await ingest.take(unacknowledged, caught_up=False), unacknowledged)
        if ingest.late_due():
            await _acknowledge(await ingest.flush_late(), unacknowledged)
    await _end(ingest)


async def _acknowledge(free: list[Delivery] | None, unacknowledged: list[Delivery]) -> None:
    done = {id(one) for one in free or ()}
    unacknowledged[:] = [one for one in unacknowledged if id(one) not in done]


async def _end(ingest: SiteIngest) -> None:
    await ingest.flush_late()
    while ingest.more:
        await ingest.take([], caught_up=False)
    await ingest.close()


async def checked(dsn: str) -> Outcome:
    clock = Clock()
    wanted = Wanted("cement", "*", "2026-11-20", "2026-11-21")
    return await replay(dsn, wanted, Clocks(clock.now, clock.monotonic), lambda *_: None, None)


async def test_replay_equals_live_after_a_run_with_every_fault_on(dsn: str) -> None:
    messages = await Published().everything()
    await take(dsn, messages)
    outcome = await checked(dsn)
    assert outcome.first == []
    assert outcome.equal
    assert outcome.readings > 4000
    assert outcome.compared["ledger"] > 3, "no register was disturbed"
    assert outcome.compared["comparison"] == 2
    with psycopg.connect(dsn) as connection:
        flagged = connection.execute(
            "SELECT count(*) FROM interval WHERE reasons & %s > 0 AND start_at >= '2026-11-20T09:00Z'",
            [int(Reason.DRIFT)],
        ).fetchone()
    assert flagged is not None
    assert flagged[0] > 5
    assert min(outcome.compared[table] for table in ("interval", "kpi_value", "emission")) > 15
