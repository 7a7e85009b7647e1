"""The ledger and the plants' factors, and a restatement previewed before anybody writes it."""

from dataclasses import asdict
from typing import Any

import httpx
import psycopg
import pytest

from ingest.factors import ledger
from tests.ingest.feeding import feed, message, open_site
from tests.ingest.test_restate import (
    BEGIN,
    CHANGED,
    MINUTE,
    PLANT,
    SPAN,
    clock,
    coming,
    restated,
    two_versions,
)
from tests.service.conftest import Clock, admin_client

PREVIEW = f"/v1/factors/restatement?site=mill&from={SPAN[0]}&to={SPAN[1]}"


async def asked(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    response = await client.get(path)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_the_ledger_is_listed_row_by_row(client: httpx.AsyncClient) -> None:
    items: list[dict[str, Any]] = []
    path = "/v1/factors?origin=ledger&limit=250"
    page = await asked(client, path)
    items += page["items"]
    while page["next"] is not None:
        page = await asked(client, f"{path}&cursor={page['next']}")
        items += page["items"]
    assert len(items) == len(ledger()) > 500
    assert {item["site"] for item in items} == {None}


async def test_a_row_with_its_source_and_one_without_a_value(client: httpx.AsyncClient) -> None:
    page = await asked(client, "/v1/factors?origin=ledger&kind=grid&subject=co2_average&geography=CN-XZ")
    (item,) = page["items"]
    assert (item["value"], item["trust"], item["data_year"]) == (None, "P", 2023)
    assert item["note"] == "the announcement lists thirty provinces, Tibet not among them"
    (item,) = (await asked(client, "/v1/factors?kind=raw_meal_organic_carbon"))["items"]
    assert (item["value"], item["low"], item["high"], item["unit"]) == (None, 0.1, 0.3, "%")


async def test_the_factors_of_a_plant(client: httpx.AsyncClient) -> None:
    items = (await asked(client, "/v1/factors?origin=plant&site=cement"))["items"]
    (grid,) = [item for item in items if item["id"] == "cement/grid"]
    assert (grid["value"], grid["unit"], grid["site"], grid["trust"]) == (
        0.34,
        "t/MWh",
        "cement",
        "unconfirmed",
    )
    response = await client.get("/v1/factors?origin=plant&site=cement&format=csv")
    assert response.text.splitlines()[0].startswith("site,id,kind,subject,")


async def test_a_series_is_told_step_by_step(dsn: str) -> None:
    steps = "series: [{since: 2026-01-01, from: {kind: grid, subject: co2_average, geography: CN, data_year: 2023}}, "
    steps += "{since: 2027-01-01, source: not published, trust: unconfirmed}]"
    text = CHANGED.replace("value: 0.5306, unit: t/MWh, source: test, trust: unconfirmed", steps)
    text = text.replace("numerator: [{source: line/electricity}]", "numerator: [{source: line/fuel}]")
    await (await open_site(dsn, text)).close()
    async with admin_client(dsn, Clock()) as client:
        items = (await asked(client, "/v1/factors?origin=plant"))["items"]
    told = [(i["value"], i["valid_from"], i["valid_to"], i["kind"]) for i in items if i["id"] == "mill/grid"]
    assert told == [(0.5306, "2026-01-01", "2027-01-01", "grid"), (None, "2027-01-01", None, "grid")]


def emissions(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT * FROM emission ORDER BY source_no, start_at").fetchall()


async def test_the_preview_is_what_is_written(dsn: str) -> None:
    await two_versions(dsn)
    before = emissions(dsn)
    service_clock = Clock()
    service_clock.now = clock().now()
    async with admin_client(dsn, service_clock) as client:
        first = await asked(client, f"{PREVIEW}&plan_version=2")
        by_value = await asked(client, f"{PREVIEW}&plan_version=1&values=grid:0.5306")
        assert emissions(dsn) == before
        batch = (await asked(client, "/v1/emissions"))["as_of"]["mill"]["batch_no"]
        written = await restated(dsn, apply=True)
        assert first["items"] == by_value["items"] == [asdict(change) for change in written.changes]
        assert (first["plan_version"], first["from"], first["to"]) == (2, *SPAN)
        after = await asked(client, f"{PREVIEW}&plan_version=2")
        assert [item["difference_kg"] for item in after["items"]] == [0.0] * 6
        assert [item["before_kg"] for item in after["items"]] == [item["after_kg"] for item in first["items"]]
        told = await asked(client, f"/v1/emissions?from={SPAN[0]}&to={SPAN[1]}&group_by=source")
        values = {item["group"]: item["value"] for item in told["items"]}
        wholes = {item["source"]: item["after_kg"] for item in first["items"] if item["month"] is None}
        assert values == pytest.approx(wholes, rel=1e-14)
        old = await asked(client, f"/v1/emissions?from={SPAN[0]}&to={SPAN[1]}&group_by=source&as_of={batch}")
        assert {item["group"]: item["value"] for item in old["items"]} == pytest.approx(
            {item["source"]: item["before_kg"] for item in first["items"] if item["month"] is None}, rel=1e-14
        )


async def test_a_factor_point_is_previewed_too(dsn: str) -> None:
    hourly = PLANT.replace(
        "activity: line/energy, factors: [grid]", "activity: line/energy, factor_point: line/hourly"
    ).replace(
        "sources:\n",
        "  - {id: line/hourly, kind: sample, unit: g/kWh, period: 1min, max_gap: 2min}\nsources:\n",
    )
    hourly = hourly.replace("numerator: [{source: line/electricity}]", "numerator: [{source: line/fuel}]")
    now = clock()
    ingest = await open_site(dsn, PLANT, now)
    await feed(ingest, coming())
    await ingest.close()
    ingest = await open_site(dsn, hourly, now)
    told = [message("line/hourly", BEGIN + i * MINUTE, 100.0 + 50.0 * i) for i in range(8)]
    await feed(ingest, [*told, *coming(range(20, 21)), message("line/hourly", BEGIN + 21 * MINUTE, 1.0)])
    await ingest.close()
    service_clock = Clock()
    service_clock.now = now.now()
    async with admin_client(dsn, service_clock) as client:
        first = await asked(client, PREVIEW)
    written = await restated(dsn, apply=True)
    assert first["items"] == [asdict(change) for change in written.changes]
    assert written.different["emission"] > 4
    assert written.left > 0  # the last minutes have no factor


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("&plan_version=9", "a version of mill that was applied"),
        ("&values=grit:1", "a factor of mill with one value: grid, gas"),
        ("&values=grid", "a factor's id and number, such as grid:0.5306"),
        ("&values=grid:1,grid:2", "once each"),
        ("&values=grid:nan", "a factor's id and number"),
    ],
)
async def test_what_cannot_be_previewed_is_refused(dsn: str, more: str, said: str) -> None:
    await (await open_site(dsn, PLANT)).close()
    async with admin_client(dsn, Clock()) as client:
        response = await client.get(PREVIEW + more)
    assert response.status_code == 422
    assert said in response.json()["detail"]
