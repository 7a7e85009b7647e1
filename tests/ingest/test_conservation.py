"""Registers lose nothing: Σ amounts + Σ booked corrections = last - first, with ==, whatever the offset."""

import random
from decimal import Decimal

import psycopg
import pytest

from tests.ingest.feeding import SECOND, START, feed, message, open_site

PLANT = """\
site: mill
name: Registers far from zero
time_zone: Europe/Berlin
units:
  - {id: line, name: Line, kind: line}
points:
  - {id: line/reset, kind: counter, unit: kWh, period: 10s, max_gap: 2min, resolution: 0.001}
  - {id: line/rolling, kind: counter, unit: kWh, period: 10s, max_gap: 2min, resolution: 0.001, modulus: 1000000000500, max_rate: 3.6e5}
  - {id: line/coarse, kind: counter, unit: t, period: 10s, max_gap: 2min, resolution: 0.03}
  - {id: line/clock, kind: state, period: 1min, max_gap: 5min}
"""  # noqa: E501
MODULUS = 1_000_000_000_500_000
RESOLUTION = {"reset": Decimal("0.001"), "rolling": Decimal("0.001"), "coarse": Decimal("0.03")}
OFFSET = {name: int(10**12 / size) for name, size in RESOLUTION.items()}
MINUTES = 240
MINUTE = 60 * SECOND


def register(name: str, dice: random.Random) -> list[tuple[int, int, bool]]:
    """(at, counts, whether it is bad) from an edge to an edge, with falls and silences in between."""
    count, at, end = OFFSET[name], START, START + MINUTES * MINUTE
    found = [(at, count, False)]
    while at < end:
        silence = dice.choice((61, 700)) if dice.random() < 0.03 else dice.choice((3, 10, 10))
        at = min(end, at + silence * SECOND + dice.randrange(1000) * 1000)
        count += dice.randrange(20_000)
        if name == "rolling":
            count %= MODULUS
        if dice.random() < 0.02:
            count = dice.choice((0, dice.randrange(1000), OFFSET[name] - dice.randrange(10**6)))
        shown = count
        if at < end and dice.random() < 0.02:
            shown = dice.choice((0, count + 10**9))
        found.append((at, shown, at < end and dice.random() < 0.05))
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_registers_with_an_offset_of_1e12(dsn: str, seed: int) -> None:
    dice = random.Random(seed)
    said = {name: register(name, dice) for name in RESOLUTION}
    messages = [
        message(f"line/{name}", at, float(count * RESOLUTION[name]), quality="bad" if bad else "good")
        for name, readings in said.items()
        for at, count, bad in readings
    ]
    if seed % 2:
        dice.shuffle(messages)
    else:
        messages.sort(key=lambda one: one.received_at)
    ingest = await open_site(dsn, PLANT)
    await feed(ingest, messages, batch=100)
    await feed(ingest, [message("line/clock", START + (MINUTES + 30) * MINUTE, 1)])
    await ingest.close()
    classes: set[int] = set()
    for name, readings in said.items():
        usable = [count for _, count, bad in readings if not bad]
        booked, corrected, found = totals(dsn, f"mill/line/{name}")
        assert booked + corrected == usable[-1] - usable[0], name
        assert corrected != 0
        classes |= found
    assert classes == {1, 2, 4, 5}


def totals(dsn: str, point: str) -> tuple[int, int, set[int]]:
    """Σ amounts of all intervals, Σ corrections, and which classes of step there were."""
    with psycopg.connect(dsn) as connection:
        amounts = connection.execute(
            "SELECT amount_count FROM interval JOIN point USING (point_no) WHERE id = %s AND revision > 0",
            [point],
        ).fetchall()
        steps = connection.execute(
            "SELECT correction, class FROM ledger JOIN point USING (point_no) WHERE id = %s", [point]
        ).fetchall()
    return sum(row[0] or 0 for row in amounts), sum(row[0] for row in steps), {row[1] for row in steps}
