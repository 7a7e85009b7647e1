"""Our own clock behind: nothing is stored, refused or acknowledged, `/readyz` says so, and it ends by itself."""

import time

import pytest

from deploy.broker import Broker
from tests.recovery.running import SECOND, ShiftedClock, count, publish, rows, running
from tests.recovery.stream import Message, Stream

pytestmark = pytest.mark.broker

BEHIND = 120 * SECOND
POINTS = ("power", "setpoint", "temperature", "energy")


def now() -> int:
    return time.time_ns() // 1000 // SECOND * SECOND


def round_of(make: Stream, at: int, points: tuple[str, ...] = POINTS) -> list[Message]:
    return [make.single(f"line/{point}", at, 1.0) for point in points]


def on_wire(messages: list[Message]) -> list[tuple[str, bytes]]:
    return [(message.topic, message.payload) for message in messages]


async def test_clock_behind_is_waited_for_and_then_all_is_taken(dsn: str, mosquitto: Broker) -> None:
    clock = ShiftedClock(-BEHIND)
    make = Stream()
    sent = on_wire([*round_of(make, now()), *round_of(make, now() + SECOND)])
    async with running(dsn, mosquitto, clock=clock) as site:
        await publish(mosquitto, [*sent[:4], ("plant/mill/line/power", b"much"), *sent[4:]])
        await site.until(lambda: "clock" in site.status.trouble, "the clock to be the suspect")
        answer = await site.readyz()
        assert not answer["ready"]
        assert "our own clock is behind" in answer["sites"]["mill"]["missing"]["clock"]
        assert (count(dsn, "reading"), count(dsn, "rejected")) == (0, 0)
        await site.killed()
    async with running(dsn, mosquitto, clock=clock) as site:
        assert site.metric("stackwatt_broker_redelivered_total") == len(sent) + 1
        await site.until(lambda: "clock" in site.status.trouble, "the clock to be the suspect again")
        clock.shift = 0
        await site.until(lambda: count(dsn, "reading") == len(sent), "all to be taken")
        assert site.status.ready
        await site.drained()
    taken = rows(dsn, "SELECT DISTINCT quality, reasons & 512, received_at >= measured_at FROM reading")
    assert taken == [(0, 0, True)]
    assert rows(dsn, "SELECT reason FROM rejected") == [("malformed",)]


async def test_told_to_stop_meanwhile_it_leaves_the_messages_to_the_broker(
    dsn: str, mosquitto: Broker
) -> None:
    clock = ShiftedClock(-BEHIND)
    sent = on_wire(round_of(Stream(), now()))
    async with running(dsn, mosquitto, clock=clock) as site:
        await publish(mosquitto, sent)
        await site.until(lambda: "clock" in site.status.trouble, "the clock to be the suspect")
        await site.drained()
    assert count(dsn, "reading") == 0
    clock.shift = 0
    async with running(dsn, mosquitto, clock=clock) as site:
        await site.until(lambda: count(dsn, "reading") == len(sent), "all to be taken")


async def test_one_device_ahead_that_speaks_first_does_not_stop_the_site(dsn: str, mosquitto: Broker) -> None:
    make = Stream()
    ahead = make.unit(now() + BEHIND, {"power": 1.0, "setpoint": 2.0, "temperature": 3.0})
    others = make.unit(now(), {"energy": 1.0, "mass": 1.0, "running": 1.0})
    async with running(dsn, mosquitto) as site:
        await publish(mosquitto, on_wire([ahead]))
        await site.until(lambda: "clock" in site.status.trouble, "the clock to be the suspect")
        await publish(mosquitto, on_wire([others]))
        await site.until(lambda: count(dsn, "reading") == 6, "all to be taken")
        await site.until(lambda: site.status.ready, "the site to be ready")
        await site.drained()
    assert sorted(rows(dsn, "SELECT quality, reasons & 512 FROM reading")) == [(0, 0)] * 3 + [(1, 512)] * 3
