"""What was said before: closed rows that were changed or taken away, and nothing else."""

import random
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import RaiseException

from ingest.model import DECLARED_SEQ, MINUTE, Cause, Reason
from ingest.pipeline.causes import BY_WEIGHT
from tests.ingest.crooked import PLANT, crooked, the_end
from tests.ingest.feeding import SECOND, START, a_day, feed, message, open_site

TABLES = {"interval": "point_no", "kpi_value": "kpi_no", "emission": "source_no"}
Rows = list[tuple[Any, ...]]


def last_batch(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT max(batch_no) FROM ingest_commit").fetchone()
    assert row is not None
    return int(row[0])


def closed_rows(connection: psycopg.Connection) -> dict[str, Rows]:
    """All closed rows and all frontiers as they stand."""
    found = {
        table: connection.execute(
            sql.SQL("SELECT * FROM {} WHERE revision > 0 ORDER BY 1, 2").format(sql.Identifier(table))
        ).fetchall()
        for table in TABLES
    }
    found["frontier"] = connection.execute(
        "SELECT point_no, closed_until FROM point_state ORDER BY 1"
    ).fetchall()
    return found


def truth(connection: psycopg.Connection, batch: int) -> dict[str, Rows]:
    """The same as it was after a batch, from the tables and their histories."""
    found = {}
    for table in TABLES:
        columns = sql.SQL(", ").join(map(sql.Identifier, columns_of(connection, table)))
        found[table] = connection.execute(
            sql.SQL(
                """
                SELECT {columns} FROM {table} WHERE revision > 0 AND batch_no <= %(batch)s
                UNION ALL
                SELECT {columns} FROM {history} WHERE batch_no <= %(batch)s AND superseded_batch > %(batch)s
                ORDER BY 1, 2
                """
            ).format(
                columns=columns, table=sql.Identifier(table), history=sql.Identifier(f"{table}_history")
            ),
            {"batch": batch},
        ).fetchall()
    found["frontier"] = connection.execute(
        """
        SELECT point_no, max(closed_until) FROM (
               SELECT point_no, closed_until FROM frontier_history WHERE batch_no <= %(batch)s
                UNION ALL
               SELECT point_no, start_at + interval '1 minute' FROM interval
                WHERE revision > 0 AND batch_no <= %(batch)s
                UNION ALL
               SELECT point_no, start_at + interval '1 minute' FROM interval_history WHERE batch_no <= %(batch)s
               ) told
         GROUP BY point_no ORDER BY 1
        """,
        {"batch": batch},
    ).fetchall()
    return found


def columns_of(connection: psycopg.Connection, table: str) -> list[str]:
    return [
        name
        for (name,) in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
            [table],
        )
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_every_batch_can_be_had_again(dsn: str, seed: int) -> None:
    dice = random.Random(seed)
    messages = crooked(seed, 40, 20)
    late = dice.sample(messages, len(messages) // 10)
    messages = [one for one in messages if one not in late] + late
    ingest = await open_site(dsn, PLANT)
    with psycopg.connect(dsn, autocommit=True) as connection:
        seen: dict[int, dict[str, Rows]] = {}
        while messages:
            size = dice.choice((5, 60))
            await ingest.take(messages[:size], caught_up=False)
            seen[last_batch(connection)] = closed_rows(connection)
            del messages[:size]
            if ingest.late_due() or not messages:
                await ingest.flush_late()
                seen[last_batch(connection)] = closed_rows(connection)
        await feed(ingest, [the_end(40)])
        await ingest.close()
        for batch, rows in seen.items():
            again = truth(connection, batch)
            for table, expected in rows.items():
                assert again[table] == expected, (batch, table)
        for table in TABLES:
            (told,) = connection.execute(f"SELECT count(*) FROM {table}_history".encode()).fetchone() or (0,)
            assert told > 0, table


async def test_closing_leaves_no_history(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.5)), batch=20)
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        for table in TABLES:
            assert connection.execute(f"SELECT * FROM {table}_history".encode()).fetchall() == []


def test_a_history_has_every_column_of_its_table(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        for table in TABLES:
            assert columns_of(connection, f"{table}_history") == [
                "superseded_batch",
                *columns_of(connection, table),
            ]


async def test_nobody_but_a_batch_deletes_what_is_closed(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.1)))
    await ingest.close()
    with (
        psycopg.connect(dsn) as connection,
        pytest.raises(RaiseException, match="a closed row can only be deleted by a batch of ingest"),
    ):
        connection.execute("DELETE FROM emission")


async def test_a_row_that_comes_again_goes_on_counting(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, [message("line/batch", START + n * MINUTE, 0.5) for n in range(1, 10)])
    at = START + 3 * MINUTE
    revisions = []
    for seq, value in ((1, 0.75), (2, None), (3, 0.625)):
        more = {} if value is not None else {"quality": "bad"}
        await feed(ingest, [message("line/batch", at, value, seq=seq, **more)])
        with psycopg.connect(dsn) as connection:
            revisions += connection.execute(
                """
                SELECT revision, amount FROM interval JOIN point USING (point_no)
                 WHERE id = 'mill/line/batch' AND start_at = to_timestamp(%s)
                """,
                [at // SECOND - 60],
            ).fetchall()
    await ingest.close()
    assert revisions == [(2, 0.75), (3, None), (4, 0.625)]


async def test_what_follows_has_the_cause_of_what_it_follows_from(dsn: str) -> None:
    """A register read again after a gap fills it; what was emitted and what was used per tonne with it."""
    ingest = await open_site(dsn)
    for n in range(13):
        await feed(ingest, [message("line/energy", START + n * 5 * SECOND, n * 0.5)])
    for n in range(130):
        await feed(ingest, [message("line/mass", START + n * 5 * SECOND, n * 0.25)])
    for n in (121, 122, 130):
        await feed(ingest, [message("line/energy", START + n * 5 * SECOND, n * 0.5)])
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        for table in TABLES:
            causes = connection.execute(
                f"SELECT cause, count(*) FROM {table} WHERE revision > 1 GROUP BY 1".encode()
            ).fetchall()
            assert [cause for cause, _ in causes] == [Cause.GAP_FILLED], table


async def test_what_people_declare_is_no_late_reading(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.2)))
    readings = message("line/power", START + 125 * SECOND, 400.0)
    declared = ingest._gate.admit([readings])
    declared.readings.seq[:] = DECLARED_SEQ
    declared.readings.reasons |= int(Reason.MANUAL)
    declared.readings.count[:] = 0
    await ingest._committer.write_late(declared.readings)
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT DISTINCT id, cause FROM interval JOIN point USING (point_no) WHERE revision > 1 ORDER BY 1"
        ).fetchall()
        assert found == [("mill/line/doubled", Cause.CORRECTION), ("mill/line/power", Cause.CORRECTION)]
        kpis = connection.execute(
            "SELECT DISTINCT id, cause FROM kpi_value JOIN kpi USING (kpi_no) WHERE revision > 1"
        ).fetchall()
        assert kpis == [("mill/line/load", Cause.CORRECTION)]


def test_every_cause_has_its_weight() -> None:
    assert sorted(BY_WEIGHT) == list(Cause)
