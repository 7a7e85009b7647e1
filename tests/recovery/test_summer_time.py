"""Both changes of a year's clock: days of 23 and 25 hours in the store and over HTTP, demand blocks aligned."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from ingest.model import MINUTE
from ingest.source import Delivery
from service.app import create_app
from tests.ingest.definition import rollups
from tests.ingest.feeding import PLANT, SECOND, Clock, feed, open_site
from tests.recovery.running import rows

BERLIN = ZoneInfo("Europe/Berlin")
KEY = "key of the tests"
WITH_DEMAND = PLANT + (
    "  - {id: line/demand, kind: demand, unit: kW, numerator: [{point: line/energy}], block: 15min}\n"
    '  - {id: line/load-factor, kind: load_factor, unit: "1", numerator: [{point: line/energy}], block: 15min,'
    " windows: [24h]}\n"
)
CHANGES = {
    "to summer time": (datetime(2025, 3, 29, tzinfo=BERLIN), (24, 23, 24)),
    "to winter time": (datetime(2025, 10, 25, tzinfo=BERLIN), (24, 25, 24)),
}
"""First of three local days, and their hours; the second is the one with the change."""


def micros(at: datetime) -> int:
    return round(at.timestamp()) * SECOND


def used(minute: int) -> int:
    """kWh of the minute with this number since the epoch."""
    return 1 + minute % 7


def stretch(begin: int, end: int) -> Iterator[Delivery]:
    """A register read every half minute, a series an hour."""
    register, told = 0.0, list[tuple[int, float]]()
    for at in range(begin, end + 1, MINUTE // 2):
        told.append((at // 1000, register))
        register += used(at // MINUTE) / 2
        if len(told) == 120 or at == end:
            body = {"ts": [ts for ts, _ in told], "value": [value for _, value in told]}
            yield Delivery("plant/mill/line/energy", json.dumps(body).encode(), at + SECOND)
            told = []


@pytest.mark.parametrize("change", CHANGES)
async def test_days_of_23_and_25_hours(dsn: str, change: str) -> None:
    first_day, hours = CHANGES[change]
    days = [
        first_day + timedelta(days=n) for n in range(4)
    ]  # local midnights: datetime adds on the wall clock
    begin, end = micros(days[0]), micros(days[3])
    ingest = await open_site(dsn, WITH_DEMAND, Clock(end + MINUTE))
    await feed(ingest, [*stretch(begin, end + 10 * MINUTE)])
    await ingest.close()
    expected = Counter[str]()
    for minute in range(begin // MINUTE, end // MINUTE):
        expected[datetime.fromtimestamp(minute * 60, BERLIN).date().isoformat()] += used(minute)
    found = rows(
        dsn,
        """
        SELECT start_at, amount, amount_count, covered_us, intervals FROM interval_day
          JOIN point USING (point_no) WHERE id = 'mill/line/energy' ORDER BY start_at LIMIT 3
        """,
    )
    assert [row[0] for row in found] == [day.astimezone(UTC) for day in days[:3]]
    assert [(row[1], row[2]) for row in found] == [(n, n * 1000) for n in list(expected.values())]
    assert [row[3:] for row in found] == [(n * 60 * MINUTE, n * 60) for n in hours]
    kept, made = rollups(dsn, "Europe/Berlin")
    assert kept == made
    await _same_over_http(dsn, days, hours, list(expected.values()))


async def _same_over_http(dsn: str, days: list[datetime], hours: tuple[int, ...], kwh: list[int]) -> None:
    app = create_app(dsn, KEY, now=lambda: micros(days[3]) + 10 * MINUTE)
    span = {"from": days[0].isoformat(), "to": days[3].isoformat()}
    headers = {"Authorization": f"Bearer {KEY}"}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client,
    ):
        intervals = "/v1/points/mill/line/energy/intervals"
        by_day = (await client.get(intervals, params={**span, "step": "day"})).json()
        by_hour = (await client.get(intervals, params={**span, "step": "hour", "limit": 100})).json()
        demand = (
            await client.get("/v1/kpis/mill/line/demand/series", params={**span, "window": "15min"})
        ).json()
        share = (
            await client.get("/v1/kpis/mill/line/load-factor/series", params={**span, "window": "24h"})
        ).json()
    assert [item["amount"] for item in by_day["items"]] == kwh
    assert [_instant(item["from"]) for item in by_day["items"]] == days[:3]
    assert len(by_hour["items"]) == sum(hours)
    assert demand["window"] == "15min"
    blocks = _blocks(demand)
    assert len(blocks) == 4 * sum(hours)
    quarter = timedelta(minutes=15)
    for at, kw in blocks:
        assert (at - quarter).astimezone(BERLIN).minute % 15 == 0
        minutes = range(micros(at - quarter) // MINUTE, micros(at) // MINUTE)
        assert kw == 4 * sum(used(minute) for minute in minutes)
    assert len(share["columns"]["value"]) == sum(hours) // 24
    assert all(0.9 < value < 1 for value in share["columns"]["value"][1:])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _blocks(series: dict[str, dict[str, list[Any]]]) -> list[tuple[datetime, float]]:
    columns = series["columns"]
    return [(_instant(to), value) for to, value in zip(columns["to"], columns["value"], strict=True)]
