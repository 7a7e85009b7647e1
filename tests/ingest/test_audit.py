"""The lines that ingest and the console leave in the audit log: an applied plan, a restatement, a replayed refusal."""

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from ingest.plant import canonical, parse_plant
from ingest.restate import Wanted, restate
from ingest.site import Clocks
from ingest.store.audit import Actor
from ingest.store.registry import apply_plan, ensure_site
from ingest.store.rejected import replay_rejected
from tests.ingest.test_restate import CHANGED, PLANT, SPAN, clock, two_versions

WEBER = Actor("weber@office", "console")


def lines(dsn: str) -> list[dict[str, Any]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM audit ORDER BY audit_no").fetchall()


async def test_an_applied_plan_says_what_it_changes(dsn: str) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no = await ensure_site(connection, "mill")
        for plant in (PLANT, CHANGED, CHANGED):
            digest, body = canonical(parse_plant(plant, "a test"))
            await apply_plan(connection, site_no, digest, body, datetime.now(UTC), WEBER)
    first, second = lines(dsn)
    assert (first["what"], first["who"], first["via"]) == ("plan.applied", "weber@office", "console")
    assert (first["site_no"], first["before"], first["after"]["changes"]) == (site_no, None, [])
    assert second["before"]["version"] == 1
    assert (second["after"]["version"], second["after"]["changes"]) == (
        2,
        ["~ factors grid: value: 0.4 → 0.5306"],
    )


async def test_a_restatement_says_what_it_rewrote_and_a_preview_nothing(dsn: str) -> None:
    await two_versions(dsn)
    before, now = len(lines(dsn)), clock()
    wanted, clocks = Wanted(None, None, *SPAN), Clocks(now.now, now.monotonic)
    await restate(dsn, wanted, clocks, None, WEBER)
    assert len(lines(dsn)) == before
    await restate(dsn, wanted, clocks, "a test", WEBER)
    written = lines(dsn)[before:]  # one a day, as it is written in days
    assert {(line["what"], line["who"]) for line in written} == {("figures.restated", "weber@office")}
    assert [line["after"]["rows"] for line in written] == [{"emission": 4, "kpi_value": 4}] * 2
    with psycopg.connect(dsn) as connection:
        batches = connection.execute("SELECT DISTINCT batch_no FROM emission WHERE revision = 2").fetchall()
    assert sorted(batches) == [(line["after"]["batch_no"],) for line in written]


async def test_a_replayed_refusal_has_a_line_only_if_something_was_queued(dsn: str) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no = await ensure_site(connection, "mill")
        await connection.execute(
            "INSERT INTO rejected (site_no, topic, payload, reason, detail, received_at, batch_no)"
            " VALUES (%s, 'plant/mill/x', '1', 'unknown', 'x', now(), 1)",
            [site_no],
        )
        assert await replay_rejected(connection, [1], WEBER) == 1
        assert await replay_rejected(connection, [7], WEBER) == 0
    [line] = lines(dsn)
    assert (line["what"], line["after"]) == ("rejected.replayed", {"numbers": [1]})
