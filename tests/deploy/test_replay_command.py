"""What `replay` prints, and its exit codes."""

import asyncio
import json

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from tests.ingest.feeding import a_day, feed, open_site

SPAN = ("--from", "2026-11-20", "--to", "2026-11-21T00:00:00+01:00")


@pytest.fixture
def fed(dsn: str) -> str:
    """A database with a stretch of the mill."""

    async def stretch() -> None:
        ingest = await open_site(dsn)
        await feed(ingest, list(a_day(1.1)))
        await ingest.close()

    asyncio.run(stretch())
    return dsn


def replay(dsn: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["replay", *SPAN, "--dsn", dsn, *arguments])


def test_exit_is_1_for_a_difference_and_0_once_it_is_restated(fed: str) -> None:
    equal = replay(fed)
    assert equal.exit_code == 0
    assert equal.stdout.startswith("mill: 2026-11-19T23:00:00Z to 2026-11-20T23:00:00Z: ")
    assert equal.stdout.endswith(": equal\n")
    with psycopg.connect(fed) as connection:
        connection.execute("UPDATE interval_hour SET covered_us = 1 WHERE start_at = '2026-11-20T08:00Z'")
    wrong = replay(fed)
    assert wrong.exit_code == 1
    *lines, last = wrong.stdout.splitlines()
    assert len(lines) == 6
    assert lines[0] == (
        "interval_hour  mill/line/energy  2026-11-20T08:00:00Z  covered_us is 1, expected 3600000000"
    )
    assert "interval_hour 13 (6 differ)" in last
    assert last.endswith(": different")
    as_json = replay(fed, "--json", "--points", "line/power")
    assert as_json.exit_code == 1
    found = json.loads(as_json.stdout)
    assert (found["site"], found["equal"], found["different"]) == ("mill", False, {"interval_hour": 2})
    assert (found["from"], found["to"]) == ("2026-11-19T23:00:00Z", "2026-11-20T23:00:00Z")
    assert found["first"] == [
        {
            "table": "interval_hour",
            "id": "mill/line/power",
            "at": "2026-11-20T08:00:00Z",
            "what": "differs",
            "columns": {"covered_us": [1, 3_600_000_000]},
        },
        {
            "table": "interval_hour",
            "id": "mill/line/doubled",
            "at": "2026-11-20T08:00:00Z",
            "what": "differs",
            "columns": {"covered_us": [1, 3_600_000_000]},
        },
    ]
    restated = replay(fed, "--apply")
    assert restated.exit_code == 0
    assert restated.stdout.endswith(": restated\n")
    assert replay(fed).stdout == equal.stdout
