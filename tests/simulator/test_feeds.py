"""Feeds under a clock of the test's own."""

import asyncio

import msgspec
import pytest

from ingest.model import DAY, HOUR, MINUTE, SECOND
from ingest.plant.plan import Plan
from simulator.cement import CementPlant
from simulator.feeds import CementFeed, SteelFeed
from simulator.instruments import instruments
from simulator.packets import Packet, total
from simulator.series import EPOCH
from simulator.steel import WEEK, SteelReplay, read_rows

NOON = EPOCH + 690 * DAY + 12 * HOUR


class Time:
    """A clock that only waiting moves."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.waited: list[float] = []

    def clock(self) -> int:
        return self.now

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += round(seconds * SECOND)


class Collected:
    """What was sent, and when; stops the feed at an instant."""

    def __init__(self, time: Time, until: int) -> None:
        self.packets: list[Packet] = []
        self.sent_at: list[int] = []
        self._time = time
        self._until = until

    async def send(self, packets: list[Packet]) -> None:
        self.packets += packets
        self.sent_at += [self._time.now] * len(packets)
        if self._time.now >= self._until:
            raise asyncio.CancelledError


async def _follow(cement: CementPlant, history_us: int, now: int, until: int) -> tuple[Collected, CementFeed]:
    time = Time(now)
    sent = Collected(time, until)
    feed = CementFeed(cement, "plant", "cement", history_us, time.clock, time.wait)
    with pytest.raises(asyncio.CancelledError):
        await feed.run(sent.send)
    return sent, feed


async def test_history_first_then_every_tick_when_it_is_due(cement: CementPlant) -> None:
    now = NOON + 2_345_678
    sent, feed = await _follow(cement, 2 * HOUR, now, now + MINUTE)
    backfill = [p for p in sent.packets if p.topic == "plant/cement"]
    assert backfill[0].first_at == NOON - 2 * HOUR
    assert backfill[-1].last_at == NOON - 5 * SECOND  # the last tick is due now
    live = list(zip(sent.packets, sent.sent_at, strict=True))[len(backfill) :]
    assert {at - packet.last_at for packet, at in live} == {now - NOON, 0}
    assert feed.phase == "live"
    newest = max(packet.last_at for packet in sent.packets)
    assert set(total(sent.packets).values()) == {(newest - NOON + 2 * HOUR) // (5 * SECOND) + 1}


async def test_nothing_is_sent_before_its_time(cement: CementPlant) -> None:
    sent, _ = await _follow(cement, 10 * MINUTE, NOON + 1, NOON + MINUTE)
    assert all(packet.last_at <= at for packet, at in zip(sent.packets, sent.sent_at, strict=True))


async def test_readings_of_one_time_leave_together(cement: CementPlant) -> None:
    sent, _ = await _follow(cement, HOUR, NOON, NOON + MINUTE)
    assert all(a.first_at <= b.first_at for a, b in zip(sent.packets, sent.packets[1:], strict=False))


async def test_an_hour_not_at_the_clock_is_made_up_for(cement: CementPlant) -> None:
    time = Time(NOON)
    sent = Collected(time, NOON + 2 * HOUR)

    async def slow(seconds: float) -> None:
        time.now += HOUR if time.now < NOON + HOUR else round(seconds * SECOND)

    feed = CementFeed(cement, "plant", "cement", 0, time.clock, slow)
    with pytest.raises(asyncio.CancelledError):
        await feed.run(sent.send)
    times = sorted({at for p in sent.packets for at in (p.first_at, p.last_at)})
    assert times[0] == NOON
    assert set(total(sent.packets).values()) == {(times[-1] - NOON) // (5 * SECOND) + 1}


async def test_steel_days_at_once_then_a_row_a_second_then_nothing(steel_plan: Plan) -> None:
    rows = read_rows(WEEK, steel_plan.zone, "next-day")
    replay = SteelReplay(instruments(steel_plan), rows, "plant", "steel")
    time = Time(NOON)
    sent = Collected(time, NOON + DAY)
    feed = SteelFeed(replay, 6 * DAY, 2.0, time.wait)
    await feed.run(sent.send)
    assert time.waited == [0.5] * 96
    assert feed.phase == "done"
    assert set(total(sent.packets).values()) == {672}
    first_live = next(p for p in sent.packets if p.topic == "plant/steel/plant")
    assert msgspec.json.decode(first_live.payload)["ts"] * 1000 == rows[6 * 96].at


async def test_steel_without_a_pace_never_waits(steel_plan: Plan) -> None:
    rows = read_rows(WEEK, steel_plan.zone, "next-day")
    time = Time(NOON)
    sent = Collected(time, NOON + DAY)
    replay = SteelReplay(instruments(steel_plan), rows, "plant", "steel")
    await SteelFeed(replay, 0, 0.0, time.wait).run(sent.send)
    assert time.waited == []
    assert len(sent.packets) == 672
