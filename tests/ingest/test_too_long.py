"""Gaps of a register too long to be filled: left open, listed, and never half of either, whatever comes when.

After each everything stored is what one fold of all readings says, and the books balance.
"""

from typing import Any

import psycopg

from ingest.model import StepClass
from ingest.source import Delivery
from tests.ingest.feeding import PLANT, START, open_site
from tests.ingest.test_undone import MINUTE, checked, flows, later, minutes_of, said

TEN_AT_MOST = PLANT.replace("max_gap: 2min,", "max_gap: 2min, fill_at_most: 10min,")
TOO_LONG = int(StepClass.TOO_LONG)


def counts(begin: int, end: int) -> list[Delivery]:
    """A register that gains a unit every ten seconds of [begin, end), seconds."""
    return [said("energy", second, second / 10) for second in range(begin, end, 10)]


def balance(dsn: str) -> tuple[Any, ...]:
    """Σ amounts and Σ corrections of all stored intervals and steps, in counts."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            SELECT (SELECT sum(amount_count)::bigint FROM interval JOIN point USING (point_no)
                     WHERE id = 'mill/line/energy'),
                   (SELECT coalesce(sum(correction), 0)::bigint FROM ledger)
            """
        ).fetchone()
    assert row is not None
    return row


async def test_a_gap_longer_than_the_plant_says_is_left_open_and_listed(dsn: str) -> None:
    ingest = await open_site(dsn, TEN_AT_MOST)
    await flows(ingest, counts(0, 301), counts(1200, 1501), later(40))
    found = checked(dsn, ingest, 35)
    assert minutes_of(found, "line/energy") == [*range(5), *range(20, 25)]
    begin, end = START + 5 * MINUTE, START + 20 * MINUTE
    assert found["ledger"] == [("mill/line/energy", end, begin, TOO_LONG, 0, 90_000)]
    assert balance(dsn) == (60_000, 90_000)
    await ingest.close()


async def test_a_late_register_that_makes_it_shorter_fills_both_halves(dsn: str) -> None:
    ingest = await open_site(dsn, TEN_AT_MOST)
    await flows(ingest, counts(0, 301), counts(1200, 1501), later(40), [said("energy", 750, 75.0)])
    found = checked(dsn, ingest, 35)
    assert minutes_of(found, "line/energy") == list(range(25))
    assert found["ledger"] == []
    assert balance(dsn) == (150_000, 0)
    await ingest.close()


async def test_a_register_found_bad_opens_the_gap_again(dsn: str) -> None:
    ingest = await open_site(dsn, TEN_AT_MOST)
    between = said("energy", 750, 75.0)
    await flows(ingest, counts(0, 301), [between], counts(1200, 1501), later(40))
    assert minutes_of(checked(dsn, ingest, 35), "line/energy") == list(range(25))
    await ingest.close()
    ingest = await open_site(dsn, TEN_AT_MOST)
    await flows(ingest, [said("energy", 750, None, quality="bad", seq=1)])
    found = checked(dsn, ingest, 35)
    assert minutes_of(found, "line/energy") == [*range(5), *range(20, 25)]
    assert [step[3:] for step in found["ledger"]] == [(TOO_LONG, 0, 90_000)]
    await ingest.close()


async def test_a_register_that_ends_the_gap_on_an_edge_lists_it_there(dsn: str) -> None:
    """After that nothing comes: the step is listed by an interval that has no row."""
    ingest = await open_site(dsn, TEN_AT_MOST)
    await flows(ingest, counts(0, 301), later(12))
    await ingest.close()
    ingest = await open_site(dsn, TEN_AT_MOST)
    await flows(ingest, [said("energy", 1200, 120.0)], later(40))
    found = checked(dsn, ingest, 35)
    assert minutes_of(found, "line/energy") == list(range(5))
    assert balance(dsn) == (30_000, 90_000)
    await ingest.close()
