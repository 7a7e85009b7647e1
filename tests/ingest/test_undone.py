"""What a late or bad reading undoes: rows that go, steps that were none, points that begin earlier.

Each is the smallest case of a difference that once depended on the order of arrival.
After each, everything stored is what one fold of all readings says.
"""

from typing import Any

import psycopg
import pytest

from ingest.site import SiteIngest
from ingest.source import Delivery
from tests.ingest.definition import Facts, defined, rollups, stored
from tests.ingest.feeding import PLANT, SECOND, START, feed, message, open_site, readings

MINUTE = 60 * SECOND
WITHOUT_COMPUTED = "".join(line + "\n" for line in PLANT.splitlines() if "doubled" not in line)


def said(point: str, second: float, value: Any, **more: Any) -> Delivery:
    """A reading so many seconds into the stretch."""
    return message(f"line/{point}", START + round(second * SECOND), value, **more)


def every(point: str, value: Any, begin: int, end: int, step: int = 5) -> list[Delivery]:
    """The same value again and again."""
    return [said(point, second, value) for second in range(begin, end, step)]


def later(minutes: int) -> list[Delivery]:
    """A reading of one point that lets the others' intervals close up to that minute."""
    return [said("batch", minutes * 60 + 60, 0.0)]


async def flows(ingest: SiteIngest, *parts: list[Delivery]) -> None:
    """Each part is committed, late readings and all, before the next."""
    for part in parts:
        await feed(ingest, part)
        while ingest.more:
            await ingest.take([], caught_up=False)


def checked(dsn: str, ingest: SiteIngest, minutes: int) -> Facts:
    """What is stored, which is what it is by definition up to a minute."""
    found = stored(dsn)
    expected = defined(dsn, ingest.plan, START + minutes * MINUTE)
    for table, rows in expected.items():
        assert found[table] == rows, table
    kept, made = rollups(dsn, str(ingest.plan.zone))
    assert kept == made
    return found


def minutes_of(found: Facts, name: str, table: str = "interval") -> list[int]:
    return [(row[1] - START) // MINUTE for row in found[table] if row[0] == f"mill/{name}"]


async def test_rows_of_a_last_register_that_was_wrong_go_with_all_that_follows(dsn: str) -> None:
    ingest = await open_site(dsn)
    registers = [said("energy", 0, 5.0), said("energy", 50, 0.5), said("energy", 130, 9.0)]
    production = [said("mass", second, second / 1000) for second in range(0, 300, 10)]
    await flows(ingest, [*registers, *production], later(70))
    assert minutes_of(stored(dsn), "line/energy") == [0, 1, 2]
    assert len(stored(dsn)["ledger"]) == 1
    await flows(ingest, [said("energy", 50, None, quality="bad", seq=1)], later(71))
    assert stored(dsn)["ledger"] == []
    await flows(ingest, [said("energy", 130, None, quality="bad", seq=1)], later(72))
    found = checked(dsn, ingest, 72)
    await ingest.close()
    assert minutes_of(found, "line/energy") == []
    assert found["emission"] == found["kpi_value"] == []
    with psycopg.connect(dsn) as connection:
        hours = connection.execute(
            "SELECT DISTINCT id FROM interval_hour JOIN point USING (point_no)"
        ).fetchall()
    assert sorted(hours) == [("mill/line/batch",), ("mill/line/mass",)]


async def test_a_provisional_row_is_taken_back(dsn: str) -> None:
    ingest = await open_site(dsn)
    await flows(ingest, [said("energy", 0, 5.0), said("energy", 65, 6.0), said("energy", 75, 7.0)], later(2))
    query = f"""
        SELECT (extract(epoch FROM start_at)::bigint - {START // SECOND}) / 60, revision
          FROM interval JOIN point USING (point_no) WHERE id = 'mill/line/energy' ORDER BY 1
    """
    with psycopg.connect(dsn) as connection:
        assert connection.execute(query.encode()).fetchall() == [(0, 1), (1, 0)]
    await ingest.close()
    ingest = await open_site(dsn)  # which another process had told
    taken_back = [said("energy", second, None, quality="bad", seq=1) for second in (65, 75)]
    await flows(ingest, taken_back, later(3))
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        assert connection.execute(query.encode()).fetchall() == []


async def test_a_window_forgets_what_an_input_has_no_more(dsn: str) -> None:
    ingest = await open_site(dsn)
    both = [said("energy", s, s / 10) for s in range(0, 300, 10)]
    both += [said("mass", s, s / 1000) for s in range(0, 300, 10)]
    bad = [said("mass", s, None, quality="bad", seq=1) for s in range(60, 300, 10)]
    await flows(ingest, both, later(10), bad, later(11))
    checked(dsn, ingest, 11)
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            SELECT l.b, (SELECT sum(v.b) FROM kpi_value v WHERE v.kpi_no = l.kpi_no)
              FROM kpi_latest l JOIN kpi USING (kpi_no) WHERE id = 'mill/line/intensity' AND window_us = 3600000000
            """
        ).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(row[1])
    assert row[0] == pytest.approx(0.05)


@pytest.mark.parametrize("restart", [False, True])
async def test_a_computed_point_begins_with_its_first_input(dsn: str, restart: bool) -> None:
    ingest = await open_site(dsn)
    await flows(ingest, every("power", 100.0, 0, 200))
    if restart:
        await ingest.close()
        ingest = await open_site(dsn)
    await flows(ingest, every("setpoint", 20.0, 40, 200), later(10))
    found = checked(dsn, ingest, 10)
    await ingest.close()
    assert minutes_of(found, "line/doubled") == [0, 1, 2, 3]
    amounts = [row[2] for row in found["interval"] if row[0] == "mill/line/doubled"]
    assert amounts[1] == pytest.approx(110 / 60)


async def test_an_input_that_lags_costs_the_others_nothing(dsn: str) -> None:
    """The first minute of one input has closed before the other's has come to its end."""
    ingest = await open_site(dsn)
    await flows(ingest, every("power", 100.0, 0, 60), every("setpoint", 20.0, 0, 100))
    await flows(ingest, every("power", 100.0, 60, 100), later(10))
    found = checked(dsn, ingest, 10)
    await ingest.close()
    assert next(row[2] for row in found["interval"] if row[0] == "mill/line/doubled") == pytest.approx(
        110 / 60
    )


async def test_a_line_drawn_to_a_late_reading_and_then_on(dsn: str) -> None:
    ingest = await open_site(dsn)
    await flows(ingest, every("power", 100.0, 0, 30), every("setpoint", 20.0, 0, 30), later(4))
    await flows(ingest, [said("setpoint", 200, 30.0)], [said("setpoint", 245, 40.0)], later(10))
    checked(dsn, ingest, 10)
    await ingest.close()


async def test_what_lost_comes_after_what_won(dsn: str) -> None:
    ingest = await open_site(dsn)
    first = [said("energy", 0, 1.0), said("energy", 25, 2.0), said("energy", 65, 3.0)]
    await flows(ingest, [*first, said("energy", 45, 7.0, quality="bad", seq=2)], later(1))
    await flows(
        ingest,
        [said("energy", 45, 7.0, seq=1)],
        [said("energy", 70, 4.0), said("energy", 125, 5.0)],
        later(9),
    )
    checked(dsn, ingest, 9)
    await ingest.close()


async def test_the_register_before_one_that_was_wrong_counts_again(dsn: str) -> None:
    ingest = await open_site(dsn)
    await flows(ingest, [said("energy", s, s / 10) for s in (0, 30, 55, 62)], later(1))
    await flows(
        ingest, [said("energy", 55, 9.0, quality="bad", seq=1)], [said("energy", 100, 10.0)], later(9)
    )
    checked(dsn, ingest, 9)
    await ingest.close()


async def test_a_bad_reading_before_the_first_good_one(dsn: str) -> None:
    ingest = await open_site(dsn)
    await flows(ingest, [said("setpoint", 50, None, quality="bad"), said("setpoint", 400, 1.0)], later(8))
    await flows(ingest, [said("power", 50, None, quality="bad"), said("power", 400, 1.0)], later(8))
    await flows(ingest, [said("setpoint", 95, 1.0), said("power", 95, 1.0)], later(9))
    await flows(ingest, [said("setpoint", 20, 1.0, quality="bad")], later(10))
    checked(dsn, ingest, 10)
    await ingest.close()


async def test_periods_of_two_deltas_that_overlap(dsn: str) -> None:
    ingest = await open_site(dsn)
    await flows(ingest, [said("batch", s, 0.06) for s in (60, 115, 180)], later(4))
    await flows(ingest, [said("batch", 60, 0.12, seq=1)], later(5))
    checked(dsn, ingest, 5)
    await ingest.close()


async def test_a_reading_that_lost_at_the_edge_is_stored_once(dsn: str) -> None:
    ingest = await open_site(dsn, WITHOUT_COMPUTED)
    twice = [said("setpoint", 60, 1.0, seq=1), said("setpoint", 60, 2.0, seq=2)]
    await flows(ingest, [said("setpoint", 50, 0.0), *twice], later(1), twice)
    await ingest.close()
    assert [row[2] for row in readings(dsn) if row[0] == "mill/line/setpoint"] == [0.0, 1.0, 2.0]


async def test_a_point_long_silent_is_not_loaded_from_its_last_word(dsn: str) -> None:
    """Its frontier moves without rows; a restart must not hold back all that its KPI's other input said since."""
    ingest = await open_site(dsn)
    await flows(ingest, [said("mass", 0, 1.0), said("mass", 10, 2.0)], every("energy", 1.0, 0, 4 * 3600, 60))
    await ingest.close()
    again = await open_site(dsn)
    held = again._committer._now.pipeline.state.held
    await again.close()
    assert held < 100


async def test_a_plant_without_computed_points_is_none_the_worse(dsn: str) -> None:
    ingest = await open_site(dsn, WITHOUT_COMPUTED)
    await flows(ingest, every("energy", 1.0, 0, 200), later(5), [said("energy", 33, 1.0)], later(6))
    checked(dsn, ingest, 6)
    await ingest.close()
