"""Figures about ingest itself are facts too."""

import psycopg

from ingest.wire import RejectReason
from tests.ingest.fed import Fed
from tests.ingest.feeding import SECOND, START, feed, message, open_site

DAY_MS = 86_400_000


async def test_what_comes_again_is_counted_as_that_and_nothing_else(dsn: str) -> None:
    fed = Fed(dsn)
    await fed.start()
    before = fed.status.ready
    begin = START // 1000 - 3 * DAY_MS
    at = [begin + n * 10_000 for n in range(60)]
    told = {"ts": at, "value": [float(n) for n in range(60)]}
    late = {"ts": begin + 5_000, "value": 7.0}
    for body in (told, late, told, late):
        await fed.put("plant/mill/line/setpoint", body)
        await fed.until_empty()
    assert (before, fed.status.ready) == (False, True)
    await fed.end()
    counted = {
        name: fed.registry.get_sample_value(f"stackwatt_{name}_total", {"site": "mill"})
        for name in ("messages", "readings", "late", "duplicates")
    }
    assert counted == {"messages": 4, "readings": 61, "late": 1, "duplicates": 61}


async def test_every_reason_to_refuse_is_there_from_the_start(dsn: str) -> None:
    fed = Fed(dsn)
    await fed.start()
    await fed.end()
    for reason in RejectReason:
        labels = {"site": "mill", "reason": str(reason)}
        assert fed.registry.get_sample_value("stackwatt_rejected_total", labels) == 0


async def test_commit_rows_add_up_to_the_readings_stored(dsn: str) -> None:
    ingest = await open_site(dsn)
    told = [message("line/setpoint", START + n * 10 * SECOND, float(n)) for n in range(60)]
    late = [message("line/setpoint", START + 5 * SECOND, 7.0), message("line/setpoint", START, 0.0)]
    for _ in range(2):
        await feed(ingest, [*told, *late])
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT sum(readings), (SELECT count(*) FROM reading) FROM ingest_commit"
        ).fetchone()
    assert row == (61, 61)


async def test_last_committed_batch_is_told_after_late_readings_too(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, [message("line/setpoint", START + n * 10 * SECOND, float(n)) for n in range(60)])
    await feed(ingest, [message("line/setpoint", START + 5 * SECOND, 7.0)])
    told = ingest._metrics.batch_no.labels("mill")._value.get()
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT max(batch_no) FROM ingest_commit").fetchone()
    assert row == (told,)
