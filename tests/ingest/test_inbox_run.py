"""A site that is fed by its inbox alone, as under an import."""

import time

import psycopg
import pytest

from tests.ingest.fed import Fed
from tests.ingest.feeding import START, readings


async def test_history_with_times_ahead_is_refused_and_holds_nothing_up(dsn: str) -> None:
    """What is read from a file says nothing about our own clock."""
    fed = Fed(dsn)
    await fed.start()
    ahead = time.time_ns() // 1_000_000 + 3_600_000
    points = ["line/energy", "line/mass", "line/power", "line/setpoint"]
    await fed.put("plant/mill", {"points": points, "ts": [ahead], "value": [[1.0]] * 4})
    await fed.put("plant/mill/line/power", {"ts": START // 1000 - 86_400_000, "value": 1.0})
    await fed.until_empty()
    await fed.end()
    assert [row[0] for row in readings(dsn)] == ["mill/line/power"]
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT reason, total FROM rejected_count").fetchall() == [("future", 4)]


async def test_closings_keep_up_with_an_import(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading may be many intervals: what is held does not grow with the file."""
    monkeypatch.setattr("ingest.aside.PAYLOAD_PER_BATCH", 1000)
    fed = Fed(dsn)
    begin = START // 1000 - 300 * 86_400_000
    points = ["line/energy", "line/mass"]
    await fed.start()
    for chunk in range(12):
        ts = [begin + (chunk * 100 + n) * 3_600_000 for n in range(100)]
        await fed.put(
            "plant/mill", {"points": points, "ts": ts, "value": [[float(n) for n in range(100)]] * 2}
        )
    await fed.until_empty()
    held = fed.registry.get_sample_value("stackwatt_tail_readings", {"site": "mill"})
    assert held is not None
    assert held < 500, held
    await fed.end()
