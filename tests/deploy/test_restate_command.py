"""What `restate` prints before and after it writes."""

import asyncio
import json

import psycopg
from typer.testing import CliRunner, Result

from deploy.cli import app
from tests.ingest.test_restate import SPAN, restated, two_versions


def restate(dsn: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["restate", "--from", SPAN[0], "--to", SPAN[1], "--dsn", dsn, *arguments])


def test_a_preview_by_source_and_month_and_the_same_written(dsn: str) -> None:
    asyncio.run(two_versions(dsn))
    # In the test's own time they have taken effect; here a real clock asks.
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE plan_version SET effective_at = '2020-01-01'")
    expected = asyncio.run(restated(dsn)).changes[0]
    preview = restate(dsn)
    assert preview.exit_code == 0
    first, *_, last = preview.stdout.splitlines()
    assert first == (
        f"mill/line/electricity  2026-11  {expected.before_kg!r} kg → {expected.after_kg!r} kg,"
        f" {expected.difference_kg:+} kg in 4 intervals"
    )
    assert last == (
        "mill: 2026-11-30T22:56:00Z to 2026-11-30T23:04:00Z: plan version 2 would change emission 8, kpi_value 8"
    )
    written = restate(dsn, "--apply")
    assert written.stdout.splitlines()[-1].endswith("plan version 2 restated emission 8, kpi_value 8")
    found = json.loads(restate(dsn, "--json").stdout)
    assert (found["version"], found["different"], found["written"], found["left"]) == (2, {}, False, 0)
    assert found["from"] == SPAN[0]
