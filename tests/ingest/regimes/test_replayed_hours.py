"""A replay makes the hours of regimes anew: what live has stored, bit for bit; what was corrupted it names and mends."""

import psycopg
import pytest

from tests.ingest.feeding import feed, open_site
from tests.ingest.regimes.plants import concentration, examine, hours, plant, said, stretch, tell_test
from tests.ingest.test_replay import execute, replayed

SPAN = ("2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z")
DEAD = range(20, 23)
LAST_BIT = "(1 + 2.220446049250313e-16)"


async def told(dsn: str, rule: str) -> None:
    """Sixty hours with a gap, one of it told late, and a failed calibration."""
    ingest = await open_site(dsn, plant(rule))
    await feed(ingest, stretch(0, 60, dead=DEAD))
    await feed(ingest, said("line/co2", concentration, DEAD[0] * 4, DEAD[0] * 4 + 4))
    for hour, passed in ((30, True), (40, False), (44, True)):
        tell_test(dsn, hour, passed=passed)
    await examine(ingest, dsn)
    await ingest.close()


@pytest.mark.parametrize("rule", ["part75", "hj75", "mrr", "part98"])
async def test_a_replay_finds_the_hours_that_live_has_stored(dsn: str, rule: str) -> None:
    await told(dsn, rule)
    outcome = await replayed(dsn, span=SPAN)
    assert outcome.first == []
    assert outcome.equal
    stored = len(hours(dsn))
    assert stored >= 58
    assert outcome.compared["regime_hour"] == stored
    assert outcome.compared["hour_record"] == sum(
        count for (count,) in execute(dsn, "SELECT count(*) FROM hour_record")
    )
    part = await replayed(dsn, span=("2026-11-20T12:15:00Z", "2026-11-20T20:45:00Z"))
    assert part.equal
    assert part.compared["regime_hour"] == 7
    other = await replayed(dsn, span=SPAN, points="line/co2-flow")
    assert "regime_hour" not in other.compared


CORRUPTIONS = {
    "the last bit of a mass": (
        f"UPDATE regime_hour SET mass_kg = mass_kg * {LAST_BIT} WHERE start_at = '2026-11-21T00:00Z'",
        [("regime_hour", "mill/line/stack", "differs", ["mass_kg"])],
    ),
    "a code": (
        """
        UPDATE regime_hour SET components = jsonb_set(components, '{flow,code}', '8')
         WHERE start_at = '2026-11-21T00:00Z'
        """,
        [("regime_hour", "mill/line/stack", "differs", ["flow.code"])],
    ),
    "an hour too few": (
        "DELETE FROM regime_hour WHERE start_at = '2026-11-21T00:00Z'",
        [("regime_hour", "mill/line/stack", "missing", [])],
    ),
    "a fact": (
        "UPDATE hour_record SET valid_us = valid_us - 1 WHERE start_at = '2026-11-21T00:00Z' AND component = 'flow'",
        [("hour_record", "mill/line/stack flow", "differs", ["valid_us"])],
    ),
    "a fact too few": (
        "DELETE FROM hour_record WHERE start_at = '2026-11-21T00:00Z' AND component = 'flow'",
        [("hour_record", "mill/line/stack flow", "missing", [])],
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
async def test_what_was_corrupted_is_named_and_mended(dsn: str, name: str) -> None:
    await told(dsn, "part75")
    good = {hour: (row["mass_kg"], row["components"]) for hour, row in hours(dsn).items()}
    with psycopg.connect(dsn) as connection:
        facts = connection.execute(
            "SELECT component, start_at, value, valid_us FROM hour_record ORDER BY 1, 2"
        ).fetchall()
    statement, expected = CORRUPTIONS[name]
    execute(dsn, statement)
    outcome = await replayed(dsn, span=SPAN)
    assert [(one.table, one.id, one.what, list(one.columns)) for one in outcome.first] == expected
    assert outcome.different.total() == 1
    assert (await replayed(dsn, apply=True, span=SPAN)).restated
    assert (await replayed(dsn, span=SPAN)).equal
    assert {hour: (row["mass_kg"], row["components"]) for hour, row in hours(dsn).items()} == good
    with psycopg.connect(dsn) as connection:
        mended = connection.execute(
            "SELECT component, start_at, value, valid_us FROM hour_record ORDER BY 1, 2"
        ).fetchall()
    assert mended == facts
