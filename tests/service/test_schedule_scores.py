"""Schedules scored over HTTP: learned of orders that ran, held against what they come to by hand."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from ingest.model import HOUR, MINUTE
from ingest.source import Delivery
from service.app import create_app
from tests.ingest.feeding import SECOND, START, Clock, feed, message, open_site
from tests.ingest.mes.telling import PLANT, event, said
from tests.service.conftest import ADMIN_KEY, migrated_database
from tests.service.serving import serving
from tests.service.test_footprints import TARIFF
from tests.service.test_routes import problem_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
HOURS = 11
ORDERS = 60
"""Each of ten minutes: eight run at 120 kW, two are idle at 30; every fourth begins with two minutes of ramp at 60."""
NOW = START + HOURS * HOUR
GRID = """
  - {id: grid, unit: line1, scope: 2, category: purchased, gas: co2, route: calculated, basis: location,
     activity: line1/energy, factors: [ef-grid]}
mes:
"""
WORKS = PLANT.replace("\nmes:\n", GRID, 1).replace(
    "factors:\n", "factors:\n  - {id: ef-grid, value: 0.5, unit: t/MWh, source: test, trust: P}\n", 1
)


def power_kw(minute: int) -> float:
    """Of line1."""
    order, place = divmod(minute, 10)
    if place >= 8 or order >= ORDERS:
        return 30.0
    return 60.0 if order % 4 == 0 and place < 2 else 120.0


def meters() -> list[Delivery]:
    told, kwh = [], 0.0
    for i in range(HOURS * 360):
        kwh += power_kw(i // 6) / 360
        told.append(message("line1/energy", START + (i + 1) * 10 * SECOND, round(kwh, 2)))
    return [message("line1/energy", START, 0.0), *told]


def statements() -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [{"kind": "state", "unit": "line1", "ts": START // 1000, "state": "run"}]
    for order in range(ORDERS):
        begin = 10 * order
        if order % 4 == 0:
            told += [
                {"kind": "state", "unit": "line1", "ts": (START + begin * MINUTE) // 1000, "state": "ramp"},
                {
                    "kind": "state",
                    "unit": "line1",
                    "ts": (START + (begin + 2) * MINUTE) // 1000,
                    "state": "run",
                },
            ]
        tonnes = 3 if order % 4 == 0 else 4
        told += [
            event("start", f"o{order}", begin, product="meal"),
            event("stop", f"o{order}", begin + 8, good=tonnes, scrap=0, measure="t"),
        ]
    return told


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(postgres_server: str, migrated_template: str) -> AsyncIterator[httpx.AsyncClient]:
    with migrated_database(postgres_server, migrated_template) as dsn:
        ingest = await open_site(dsn, WORKS + TARIFF, Clock(NOW))
        await feed(ingest, [*meters(), *(said(one) for one in statements())])
        await ingest.close()
        async with (
            serving(create_app(dsn, ADMIN_KEY, now=lambda: NOW)) as address,
            httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=30) as made,
        ):
            yield made


def instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat()


def asked(*starts: int, **more: Any) -> dict[str, Any]:
    """One order of 8 t on line1, at each of some starts."""
    return {
        "orders": [{"id": "next", "product": "meal", "quantity": 8}],
        "candidates": [
            {"name": f"at {n}", "runs": [{"order": "next", "unit": "line1", "start": instant(at)}]}
            for n, at in enumerate(starts)
        ],
        **more,
    }


async def scored(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post("/v1/schedules/score", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_what_is_learned_is_scored_at_its_price_and_factor(client: httpx.AsyncClient) -> None:
    """The price changes at 16:10 by the clock of the plant, which is START + 10 min."""
    cheap, dear = START + 16 * HOUR, START + 25 * HOUR
    told = await scored(client, asked(dear, cheap, weights={"cost": 1}))
    assert [one["name"] for one in told["candidates"]] == ["at 1", "at 0"]
    assert (told["currency"], told["tariff"], told["source"]) == ("CNY", "mill/power", "mill/grid")
    assert told["model"]["runs"] + told["model"]["left_out"] == ORDERS
    assert told["model"]["error"] is None
    assert abs(told["model"]["bias"]) < 0.05
    # Per tonne 4 kWh; the ramps are half 2 kWh and half none.
    for one, price in zip(told["candidates"], (1.25, 3.5), strict=True):
        energy = one["energy_kwh"]
        assert energy["value"] == pytest.approx(8 * 4.0, rel=0.08)
        assert energy["low"] <= energy["value"] <= energy["high"]
        assert one["cost"]["value"] == pytest.approx(price * energy["value"], rel=0.02)
        assert one["co2_kg"]["value"] == pytest.approx(0.5 * energy["value"], rel=1e-6)
        assert one["reason"] is None
    assert "no demand" in told["missing"]["peak_kw"]


async def test_the_same_question_has_the_same_answer(client: httpx.AsyncClient) -> None:
    body = asked(NOW + HOUR, NOW + 5 * HOUR)
    assert await scored(client, body) == await scored(client, body)


async def test_what_cannot_be_has_no_figures_and_says_why(client: httpx.AsyncClient) -> None:
    body = asked(NOW + HOUR)
    body["orders"].append({"id": "other", "product": "meal", "quantity": 8})
    run = {"unit": "line1", "start": instant(NOW + HOUR)}
    body["candidates"].append({"name": "both", "runs": [{"order": "next", **run}, {"order": "other", **run}]})
    first, second = (await scored(client, body))["candidates"]
    assert (first["name"], first["reason"]) == ("at 0", None)
    assert (second["name"], second["energy_kwh"]["value"], second["cost"]["value"]) == ("both", None, None)
    assert second["reason"].startswith("overlapping: the order before is not finished")


WRONG = [
    ({"orders": [{"id": "next", "product": "bread", "quantity": 8}]}, "one made in the past six weeks: meal"),
    ({"orders": [{"id": "other", "product": "meal", "quantity": 8}]}, "one of `orders`, once in a candidate"),
    ({"weights": {"beauty": 1}}, "weights of cost, co2_kg, energy_kwh, peak_kw, none negative and not all 0"),
    ({"weights": {"cost": -1}}, "none negative and not all 0"),
    ({"candidates": []}, "candidates"),
    ({"horizon": 3}, "one of the members orders, candidates, weights"),
]


@pytest.mark.parametrize(("more", "sentence"), WRONG)
async def test_a_wrong_question_is_refused_in_a_sentence(
    client: httpx.AsyncClient, more: dict[str, Any], sentence: str
) -> None:
    response = await client.post("/v1/schedules/score", json={**asked(NOW + HOUR), **more})
    problem = problem_of(response)
    assert response.status_code == 422
    assert sentence in problem.detail


async def test_a_unit_without_meters_and_a_start_long_ago_are_refused(client: httpx.AsyncClient) -> None:
    elsewhere = json.loads(json.dumps(asked(NOW + HOUR)).replace("line1", "air"))
    problem = problem_of(await client.post("/v1/schedules/score", json=elsewhere))
    assert "a unit with an electricity meter on which orders run: mill/line1, mill/line2" in problem.detail
    problem = problem_of(await client.post("/v1/schedules/score", json=asked(START)))
    assert "starts from" in problem.detail
