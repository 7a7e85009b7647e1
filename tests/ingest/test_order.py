"""The order in which messages come, how often, in what batches and across which restarts: none of it matters.

What is stored in the end is what one fold of all stored readings says
(`tests.ingest.definition`), and the readings themselves are those of a run in order.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from ingest.source import Delivery
from tests.ingest.crooked import PLANT, crooked, end_of, the_end
from tests.ingest.definition import Facts, defined, latest, rollups, stored
from tests.ingest.feeding import open_site, readings

DAY_MINUTES = 24 * 60
DAY_SEED = 20261120

Shuffle = Callable[[list[Delivery], random.Random], list[Delivery]]


@dataclass(frozen=True, slots=True)
class Way:
    """How messages reach the ingest."""

    name: str
    shuffle: Shuffle
    sizes: tuple[int, ...]
    """Messages a batch, one of these each time."""
    crashes: float = 0.0
    """Chance after each batch that the process is gone and another goes on."""
    inbox: bool = False
    """Whether they come as inbox rows, whose late readings are not gathered."""


def in_order(messages: list[Delivery], dice: random.Random) -> list[Delivery]:
    return messages


def jittered(messages: list[Delivery], dice: random.Random) -> list[Delivery]:
    places = [(i + dice.uniform(0, 60), i) for i in range(len(messages))]
    places += [
        (i + dice.uniform(0, 400), i) for i in dice.choices(range(len(messages)), k=len(messages) // 5)
    ]
    return [messages[i] for _, i in sorted(places)]


def backwards(messages: list[Delivery], dice: random.Random) -> list[Delivery]:
    return messages[::-1]


def in_blocks(messages: list[Delivery], dice: random.Random) -> list[Delivery]:
    cuts = [0, *sorted(dice.sample(range(1, len(messages)), 7)), len(messages)]
    blocks = [messages[a:b] for a, b in pairwise(cuts)]
    dice.shuffle(blocks)
    return [one for block in blocks for one in block]


def anyhow(messages: list[Delivery], dice: random.Random) -> list[Delivery]:
    mixed = messages + dice.choices(messages, k=len(messages) // 3)
    dice.shuffle(mixed)
    return mixed


WAYS = (
    Way("in order", in_order, (100,)),
    Way("jittered and repeated", jittered, (40, 400)),
    Way("backwards", backwards, (150,)),
    Way("blocks swapped", in_blocks, (150,)),
    Way("anyhow and repeated", anyhow, (100, 3000)),
    Way("cut into batches of one to all", in_order, (1, 2, 10, 500, 100_000)),
    Way("killed and started again", jittered, (30, 500), crashes=0.1),
    Way("through the inbox", jittered, (200, 600), inbox=True),
)


async def bring(dsn: str, way: Way, messages: list[Delivery], dice: random.Random) -> None:
    """Hand messages over like a broker: what was not acknowledged when the process died comes again."""
    waiting, unacknowledged = way.shuffle(messages, dice), list[Delivery]()
    ingest = await open_site(dsn, PLANT)
    while waiting or unacknowledged:
        size = dice.choice(way.sizes)
        batch, waiting = waiting[:size], waiting[size:]
        unacknowledged += batch
        free = await ingest.take(batch, caught_up=False, inbox=way.inbox) or []
        if way.inbox:
            unacknowledged.clear()
        if ingest.late_due() or not waiting:
            free = free + await ingest.flush_late()
        done = {id(one) for one in free}
        unacknowledged = [one for one in unacknowledged if id(one) not in done]
        if waiting and dice.random() < way.crashes:
            await ingest.close()
            waiting, unacknowledged = unacknowledged + waiting, []
            ingest = await open_site(dsn, PLANT)
    await ingest.close()


async def brought(dsn: str, way: Way, messages: list[Delivery], minutes: int, seed: int) -> Facts:
    """What a database holds after messages have come in some way and everything has closed; checked."""
    await bring(dsn, way, messages, random.Random(f"{seed} {way.name}"))
    await bring(dsn, WAYS[0], [the_end(minutes)], random.Random(seed))
    ingest = await open_site(dsn, PLANT)
    await ingest.take([], caught_up=False)
    while ingest.more:
        await ingest.take([], caught_up=False)
    plan = ingest.plan
    await ingest.close()
    found, expected = stored(dsn), defined(dsn, plan, end_of(minutes))
    for table, rows in expected.items():
        assert different(found[table], rows) == ([], []), table
        assert found[table] == rows, table
    kept, made = rollups(dsn, str(plan.zone))
    assert kept == made
    check_windows(dsn, found)
    with psycopg.connect(dsn) as connection:
        twice = connection.execute(
            "SELECT point_no, measured_at, value, quality, seq FROM reading GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1"
        ).fetchall()
    assert twice == []
    return found


def different(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> tuple[list[Any], list[Any]]:
    """The rows that only one of the two has."""
    return sorted(set(found) - set(expected), key=repr), sorted(set(expected) - set(found), key=repr)


def check_windows(dsn: str, found: Facts) -> None:
    """The live windows are the exact sums of the rows in them, bit for bit."""
    rows = latest(dsn)
    assert len(rows) >= 5
    for kpi, _, from_at, to_at, a, b, *_ in rows:
        begin, end = (round(at.timestamp() * 1_000_000) for at in (from_at, to_at))
        inside = [row for row in found["kpi_value"] if row[0] == kpi and begin <= row[1] < end]
        assert (math.fsum(row[2] for row in inside), math.fsum(row[3] for row in inside)) == (a, b), kpi


def kept_readings(dsn: str) -> list[tuple[Any, ...]]:
    return [tuple(None if cell != cell else cell for cell in row) for row in readings(dsn)]  # noqa: PLR0124


_in_order: list[Any] = []
"""Readings and windows of the day in order, made by whichever test is the first to need them."""


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_a_day(dsn: str, other_dsn: str, way: Way) -> None:
    messages = crooked(DAY_SEED, DAY_MINUTES, 60)
    if not _in_order:
        await brought(other_dsn, WAYS[0], messages, DAY_MINUTES, DAY_SEED)
        _in_order[:] = [kept_readings(other_dsn), latest(other_dsn)]
        with psycopg.connect(other_dsn) as connection:
            flagged = connection.execute(
                "SELECT id, count(*) FILTER (WHERE reasons & 2 > 0), count(*) FILTER (WHERE reasons & 4 > 0)"
                " FROM interval JOIN point USING (point_no) WHERE id = ANY(%s) GROUP BY id",
                [["mill/line/fan", "mill/line/boiler", "mill/line/house"]],
            ).fetchall()
            overdue = connection.execute(
                "SELECT id, min(start_at) = '2026-11-20T18:30Z', count(*) > 100, max(quality) > 0"
                " FROM interval JOIN point USING (point_no) WHERE reasons & (1 << 18) > 0 GROUP BY id ORDER BY id"
            ).fetchall()
            steps = connection.execute("SELECT DISTINCT class FROM ledger ORDER BY class").fetchall()
            filled = connection.execute(
                "SELECT id, used, count(*) FROM gap_fill JOIN point USING (point_no)"
                " WHERE superseded_batch IS NULL GROUP BY 1, 2"
            ).fetchall()
        by_weights = {point: n for point, used, n in filled if used > 0}
        assert by_weights.keys() == {"mill/line/gas", "mill/line/water"}, filled
        assert all(n > 1 for n in by_weights.values()), filled
        assert any(point == "mill/line/mass" and not used for point, used, _ in filled), filled
        assert steps == [(1,), (2,), (3,), (4,), (5,), (6,)]
        assert overdue == [
            (f"mill/line/{name}", True, True, True) for name in ("batch", "power", "sum", "warmth")
        ]
        assert len(flagged) == 3
        assert all(fast > 50 and stuck > 50 for _, fast, stuck in flagged), flagged
    if way is not WAYS[0]:
        await brought(dsn, way, messages, DAY_MINUTES, DAY_SEED)
        assert [kept_readings(dsn), latest(dsn)] == _in_order


@pytest.mark.parametrize("seed", range(16))
async def test_half_an_hour(dsn: str, seed: int) -> None:
    way = WAYS[seed % len(WAYS)]
    fine = replace(way, sizes=(3, 50)) if len(way.sizes) < 3 else way
    await brought(dsn, fine, crooked(seed, 30, 20), 30, seed)


def test_the_day_holds_what_it_is_to_show() -> None:
    """A day without corrections, gaps or rollovers would prove nothing."""
    bodies = [one.payload for one in crooked(DAY_SEED, DAY_MINUTES, 60)]
    assert sum(b'"seq": 2' in body for body in bodies) > 50
    assert sum(b'"value": null' in body for body in bodies) > 50
    for word in (b"bad", b"uncertain", b"substituted"):
        assert sum(word in body for body in bodies) > 50
    for form in (b'"points"', b'"values"', b'"ts": ['):
        assert sum(form in body for body in bodies) > 20
