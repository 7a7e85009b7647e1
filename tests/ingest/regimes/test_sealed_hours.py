"""Hours of regimes in sealed periods: frozen once, and what they come to now whatever changed them."""

import math
from typing import Any

import psycopg

from ingest.model import HOUR, Cause
from tests.ingest.feeding import START, feed, open_site
from tests.ingest.regimes.plants import concentration, examine, plant, said, stretch, tell_test
from tests.ingest.sealing import seal

SEALED_H = 60
DEAD = range(20, 23)


def totals(dsn: str) -> list[dict[str, Any]]:
    """What was said of the sealed period, the frozen first."""
    names = (
        "rule",
        "mass_kg",
        "hours",
        "without_mass",
        "substituted",
        "provisional",
        "quality",
        "cause",
        "batch_no",
    )
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            f"SELECT {', '.join(names)} FROM period_regime ORDER BY batch_no".encode()
        ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]


def of_hours(dsn: str) -> dict[str, Any]:
    """The same made of the stored hours of now, one by one."""
    with psycopg.connect(dsn) as connection:
        hours = connection.execute(
            "SELECT mass_kg, quality, provisional FROM regime_hour WHERE start_at >= to_timestamp(%s)"
            " AND start_at < to_timestamp(%s)",
            [START // 1_000_000, START // 1_000_000 + SEALED_H * 3600],
        ).fetchall()
    masses = [mass for mass, _, _ in hours if mass is not None]
    return {
        "mass_kg": math.fsum(masses) if len(masses) == len(hours) else None,
        "hours": len(hours),
        "without_mass": len(hours) - len(masses),
        "substituted": sum(quality == 2 for _, quality, _ in hours),
        "provisional": sum(provisional for _, _, provisional in hours),
        "quality": max(quality for _, quality, _ in hours),
    }


def figures(total: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in total.items() if name not in {"rule", "cause", "batch_no"}}


async def test_frozen_and_what_became_known_come_to_what_stands(dsn: str) -> None:
    ingest = await open_site(dsn, plant("part75"))
    await feed(ingest, stretch(0, SEALED_H + 4, dead=DEAD))
    await seal(ingest, dsn, START, START + SEALED_H * HOUR)
    (frozen,) = totals(dsn)
    assert (frozen["rule"], frozen["cause"], frozen["hours"]) == ("part75", Cause.CLOSING, SEALED_H)
    assert frozen["substituted"] == len(DEAD)
    assert figures(frozen) == of_hours(dsn)
    await feed(ingest, said("line/co2", concentration, DEAD[0] * 4, DEAD[0] * 4 + 4))
    tell_test(dsn, 40, passed=False)
    await examine(ingest, dsn)
    await feed(ingest, stretch(SEALED_H + 4, SEALED_H + 8))
    await ingest.close()
    first, late, test = totals(dsn)
    assert first == frozen
    assert (late["cause"], late["substituted"]) == (Cause.LATE, len(DEAD) - 1)
    assert (test["cause"], test["substituted"]) == (Cause.TEST, len(DEAD) - 1 + SEALED_H - 40)
    assert figures(test) == of_hours(dsn)


async def test_a_year_that_goes_on_is_one_total_and_settles_with_it(dsn: str) -> None:
    """MRR substitutes of a sealed period move until the year is closed."""
    ingest = await open_site(dsn, plant("mrr"))
    await feed(ingest, stretch(0, SEALED_H + 4, dead=DEAD))
    await seal(ingest, dsn, START, START + SEALED_H * HOUR)
    (frozen,) = totals(dsn)
    assert frozen["provisional"] == len(DEAD)
    await feed(ingest, stretch(SEALED_H + 4, SEALED_H + 14))
    first, moved = totals(dsn)
    assert first == frozen
    assert moved["mass_kg"] != frozen["mass_kg"]
    assert figures(moved) == of_hours(dsn)
    await feed(ingest, stretch(1005, 1010))
    await ingest.close()
    first, settled = totals(dsn)
    assert first == frozen
    assert settled["batch_no"] > moved["batch_no"]
    assert settled["provisional"] == 0
    assert figures(settled) == of_hours(dsn)
