"""A site's ingest from wire messages to rows, on a real database."""

import random

import psycopg
import pytest

from tests.ingest.feeding import SECOND, START, a_day, feed, figures, message, open_site, readings


async def test_a_stretch_is_stored_and_closed(dsn: str) -> None:
    ingest = await open_site(dsn)
    messages = list(a_day(0.5))
    assert await feed(ingest, messages) == len(messages)
    await ingest.close()
    assert len(readings(dsn)) == len(messages)
    found = figures(dsn)
    energies = [row for row in found["interval"] if row[0] == "mill/line/energy"]
    assert len(energies) == 29
    assert all(row[2] is not None and row[3] is not None for row in energies)
    assert {row[0] for row in found["kpi_value"]} == {
        "mill/line/intensity",
        "mill/line/co2",
        "mill/line/load",
    }


@pytest.mark.parametrize("seed", range(4))
async def test_order_repetition_and_splitting_do_not_matter(dsn: str, other_dsn: str, seed: int) -> None:
    dice = random.Random(seed)
    messages = list(a_day(0.4))
    straight = await open_site(dsn)
    await feed(straight, messages)
    await straight.close()
    mixed = messages + dice.choices(messages, k=len(messages) // 4)
    reach = (0, 40, 400, 100_000)[seed]
    mixed = [one for _, one in sorted(enumerate(mixed), key=lambda pair: pair[0] + dice.uniform(0, reach))]
    crooked = await open_site(other_dsn)
    await feed(crooked, mixed, batch=dice.choice((1, 17, 230)) if seed else 50)
    await feed(crooked, messages[-3:])
    await crooked.close()
    assert readings(dsn) == readings(other_dsn)
    left, right = figures(dsn), figures(other_dsn)
    for table, rows in left.items():
        assert rows == right[table], table


async def test_a_restart_changes_nothing(dsn: str, other_dsn: str) -> None:
    messages = list(a_day(0.4))
    straight = await open_site(dsn)
    await feed(straight, messages)
    await straight.close()
    for begin in range(0, len(messages), 333):
        ingest = await open_site(other_dsn)
        await feed(ingest, messages[max(0, begin - 40) : begin + 333])
        await ingest.close()
    assert readings(dsn) == readings(other_dsn)
    assert figures(dsn) == figures(other_dsn)


async def test_a_register_of_1e12_conserves(dsn: str) -> None:
    ingest = await open_site(dsn)
    values = [1e12 + 0.125 * i * (i % 5) for i in range(200)]
    values.sort()
    await feed(
        ingest, [message("line/mass", START + i * 5 * SECOND, value) for i, value in enumerate(values)]
    )
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            SELECT sum(amount_count), max(start_at) FROM interval JOIN point USING (point_no)
             WHERE id = 'mill/line/mass' AND revision > 0
            """
        ).fetchone()
    assert row is not None
    closed = int(row[1].timestamp()) * SECOND + 60 * SECOND
    last = max(i for i in range(200) if START + i * 5 * SECOND <= closed)
    assert row[0] == round((values[last] - values[0]) * 1000)
