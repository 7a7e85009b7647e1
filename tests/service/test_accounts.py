"""Location and market, what the grid supplied and what did not: side by side, never added; no factor is no zero."""

import httpx
import pytest

from tests.ingest.feeding import SECOND, START, feed, message, open_site
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import text

MINUTE = 60 * SECOND
SCOPE_2 = "scope: 2, category: purchased, gas: co2, route: calculated"
PLANT = f"""\
site: mill
name: A mill
time_zone: UTC
interval: 1min
lateness: 5s
units: [{{id: line, name: Line, kind: line}}]
factors:
  - {{id: average, from: {{kind: grid, subject: co2_average, geography: CN, data_year: 2022}}}}
  - {{id: residual, from: {{kind: grid, subject: co2_residual, geography: CN, data_year: 2022}}}}
  - {{id: contract, value: 0, unit: t/MWh, source: contract, trust: P}}
  - {{id: unpublished, unit: t/MWh, series: [{{since: 2027-01-01, value: 0.5, source: x, trust: P}}]}}
points:
  - {{id: line/bought, kind: delta, unit: kWh, period: 1min, resolution: 0.001}}
  - {{id: line/green, kind: delta, unit: kWh, period: 1min, resolution: 0.001}}
  - {{id: line/sold, kind: delta, unit: kWh, period: 1min, resolution: 0.001}}
  - {{id: line/grid, kind: sample, unit: g/kWh, period: 5min, max_gap: 6min, sloped: false}}
sources:
  - {{id: location, {SCOPE_2}, activity: line/bought, factors: [average], basis: location, supply: grid}}
  - {{id: market, {SCOPE_2}, activity: line/bought, factors: [residual], basis: market, supply: grid}}
  - {{id: green, {SCOPE_2}, activity: line/green, factors: [contract], basis: market, supply: green}}
  - {{id: export, {SCOPE_2}, activity: line/sold, factors: [average], basis: location, supply: export}}
  - {{id: later, scope: 3, category: purchased, gas: co2, route: calculated, activity: line/bought, factors: [unpublished]}}
  - {{id: untold, scope: 3, category: fugitive, gas: co2, route: calculated, activity: line/bought, factor_point: line/grid}}
"""
SPAN = f"from={text(START)}&to={text(START + 10 * MINUTE)}"


async def told(client: httpx.AsyncClient, more: str = "") -> list[dict[str, object]]:
    response = await client.get(f"/v1/emissions?{SPAN}{more}")
    assert response.status_code == 200, response.text
    items: list[dict[str, object]] = response.json()["items"]
    return items


async def test_accounts_side_by_side(dsn: str) -> None:
    ingest = await open_site(dsn, PLANT)
    amounts = {"line/bought": 1000.0, "line/green": 500.0, "line/sold": 100.0}
    coming = [
        message(point, START + (i + 1) * MINUTE, amount)
        for i in range(11)
        for point, amount in amounts.items()
    ]
    await feed(ingest, coming)
    await ingest.close()
    clock = Clock()
    clock.now = START + 12 * MINUTE
    async with admin_client(dsn, clock) as client:
        found = {(item["group"], item["basis"], item["supply"]): item for item in await told(client)}
        values = {key: item["value"] for key, item in found.items()}
        assert values == {
            ("2", "location", "grid"): pytest.approx(5366.0),
            ("2", "market", "grid"): pytest.approx(5856.0),
            ("2", "market", "green"): 0.0,
            ("2", "location", "export"): pytest.approx(536.6),
            ("3", None, None): None,
        }
        by_source = {item["group"]: item for item in await told(client, "&group_by=source")}
        for name in ("later", "untold"):
            item = by_source[f"mill/{name}"]
            assert (item["value"], item["reason"], item["window"]) == (None, "no_factor", "10min"), item
        assert by_source["mill/green"]["value"] == 0.0
        (plant,) = (await client.get("/v1/plant")).json()["items"]
        factors = {factor["id"]: factor for factor in plant["factors"]}
        assert (factors["average"]["value"], factors["average"]["look_up"]["data_year"]) == (0.5366, 2022)
        assert factors["unpublished"]["series"][0]["since"] == "2027-01-01"
        sources = {source["id"]: source for source in plant["sources"]}
        assert sources["mill/untold"]["factor_point"] == "mill/line/grid"
        assert (sources["mill/green"]["basis"], sources["mill/green"]["supply"]) == ("market", "green")
