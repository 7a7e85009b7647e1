"""A quarry, a kiln, a mill and a mixer over two days, by numbers made by hand.

Every hour: 30 t of stone for 300 kg CO2 (10 kg/t); 20 t of clinker of it for 10 000 kg more (515 kg/t); 16.6 t of
cement of 15 t of clinker, 500 kg of power and 75 kg bought with gypsum (500 kg/t); 50 t of concrete of 10 t of
cement and 50 kg of power (101 kg/t), of which 40 t leave.
"""

import math
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ingest.model import DAY, HOUR
from ingest.source import Delivery
from tests.ingest import feeding
from tests.ingest.feeding import START, feed, message, open_site
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import text

PLANT = """\
site: mill
name: Concrete from the quarry on
time_zone: Etc/GMT+8
interval: 1h
units:
  - {id: quarry, name: Quarry}
  - {id: kiln, name: Kiln, units: [{id: calciner, name: Calciner}]}
  - {id: grinding, name: Grinding}
  - {id: mixer, name: Mixer}
  - {id: office, name: Office}
products:
  - {id: stone, name: Stone}
  - {id: clinker, name: Clinker}
  - {id: cement, name: Cement}
  - {id: concrete, name: Concrete}
factors:
  - {id: diesel, value: 3, unit: t/t, source: test, trust: unconfirmed}
  - {id: coal, value: 2.5, unit: t/t, source: test, trust: unconfirmed}
  - {id: methane, value: 0.001, unit: t/t, source: test, trust: unconfirmed}
  - {id: grid, value: 0.5, unit: kg/kWh, source: test, trust: unconfirmed}
  - {id: gypsum, value: 75, unit: kg/t, source: test, trust: unconfirmed}
points:
POINTS
sources:
  - {id: diesel, unit: quarry, scope: 1, category: combustion, gas: co2, route: calculated, activity: quarry/diesel, factors: [diesel]}
  - {id: coal, unit: kiln/calciner, scope: 1, category: combustion, gas: co2, route: calculated, activity: kiln/coal, factors: [coal]}
  - {id: power, unit: grinding, scope: 2, category: purchased, gas: co2, route: calculated, activity: grinding/power, factors: [grid]}
  - {id: mixing, unit: mixer, scope: 2, category: purchased, gas: co2, route: calculated, activity: mixer/power, factors: [grid]}
  - {id: heating, scope: 1, category: combustion, gas: co2, route: calculated, activity: office/coal, factors: [coal]}
  - {id: leaks, scope: 1, category: fugitive, gas: ch4, route: calculated, activity: office/coal, factors: [methane]}
stages:
  - id: concrete
    units: [mixer]
    outputs: [{product: concrete, point: mixer/concrete, leaves: mixer/sold, OPENING}]
    inputs: [{product: cement, point: mixer/cement}]
  - id: quarry
    units: [quarry]
    outputs: [{product: stone, point: quarry/stone, OPENING}]
  - id: clinker
    units: [kiln]
    outputs: [{product: clinker, point: kiln/clinker, OPENING}]
    inputs: [{product: stone, point: kiln/stone}]
  - id: cement
    units: [grinding]
    outputs: [{product: cement, point: grinding/cement, OPENING}]
    inputs: [{product: clinker, point: grinding/clinker}]
    bought: [{goods: gypsum, point: grinding/gypsum, factor: gypsum}]
"""  # noqa: E501
PER_HOUR = {
    "quarry/diesel": 0.1,
    "quarry/stone": 30.0,
    "kiln/stone": 30.0,
    "kiln/coal": 4.0,
    "kiln/clinker": 20.0,
    "grinding/clinker": 15.0,
    "grinding/power": 1000.0,
    "grinding/gypsum": 1.0,
    "grinding/cement": 16.6,
    "mixer/cement": 10.0,
    "mixer/power": 100.0,
    "mixer/concrete": 50.0,
    "mixer/sold": 40.0,
    "office/coal": 0.07,
}
END = START + 2 * DAY
LATE = "kiln/clinker", 30
"""The point and the hour whose production comes late."""
SPAN = {"from": text(START), "to": text(END)}


def plant(opening: str = f"opening: {{at: {text(START)}, quantity: 0, co2e_t: 0}}") -> str:
    points = "\n".join(
        f"  - {{id: {point}, kind: delta, unit: {'kWh' if point.endswith('power') else 't'}, period: 1h,"
        " resolution: 0.001}"
        for point in PER_HOUR
    )
    return PLANT.replace("POINTS", points).replace(", OPENING", f", {opening}" if opening else "")


def readings(hours: int = 50) -> Iterator[Delivery]:
    for hour in range(hours):
        for point, amount in PER_HOUR.items():
            if (point, hour) != LATE:
                yield message(point, START + (hour + 1) * HOUR, amount)


async def fed(dsn: str, file: str, *, late: bool) -> None:
    ingest = await open_site(dsn, file, feeding.Clock(END + 3 * HOUR))
    await feed(ingest, list(readings()))
    if late:
        point, hour = LATE
        told = message(point, START + (hour + 1) * HOUR, PER_HOUR[point], received_at=END + 3 * HOUR)
        await feed(ingest, [told])
    await ingest.close()


async def asked(client: httpx.AsyncClient, path: str, **more: Any) -> Any:
    response = await client.get(path, params={**SPAN, **more})
    assert response.status_code == 200, response.text
    return response.json()


def clock() -> Clock:
    made = Clock()
    made.now = END + 3 * HOUR
    return made


async def test_the_chain_by_hand_and_its_totals_are_the_inventory(dsn: str) -> None:
    await fed(dsn, plant(), late=True)
    async with admin_client(dsn, clock()) as client:
        for product, kg_per_t in (("stone", 10), ("clinker", 515), ("cement", 500), ("concrete", 101)):
            told = await asked(client, f"/v1/products/{product}/footprint")
            assert told["reasons"] == []
            assert told["value"] == pytest.approx(kg_per_t / 1000, rel=1e-12)
        assert [stage["id"] for stage in told["stages"]] == ["quarry", "clinker", "cement", "concrete"]
        chain = await asked(client, "/v1/stages")
        assert (chain["to"], chain["books_begin"]) == (SPAN["to"], SPAN["from"])
        check_stages({stage["id"]: stage for stage in chain["stages"]})
        await check_inventory(client, chain)
        second = await asked(client, "/v1/stages", **{"from": text(START + DAY + HOUR)})
        check_carried_over({stage["id"]: stage for stage in second["stages"]})
        await check_inventory(client, second)
        missing = await client.get("/v1/products/gravel/footprint")
        assert (missing.status_code, missing.json()["type"]) == (404, "urn:stackwatt:problem:unknown-product")


def check_stages(stages: dict[str, Any]) -> None:
    own = {name: stage["own_co2e_kg"] / 48 for name, stage in stages.items()}
    assert own == pytest.approx({"quarry": 300, "clinker": 10_000, "cement": 500, "concrete": 50}, rel=1e-12)
    assert stages["cement"]["bought_co2e_kg"] == pytest.approx(75 * 48, rel=1e-12)
    (taken,) = stages["cement"]["inputs"]
    assert (taken["product"], taken["quantity"]) == ("clinker", 15.0 * 48)
    assert taken["co2e_kg"] == pytest.approx(15 * 515 * 48, rel=1e-12)
    (made,) = stages["clinker"]["outputs"]
    assert (made["quantity"], made["stock_after"]) == (20.0 * 48, 5.0 * 48)
    assert made["stock_after_co2e_kg"] == pytest.approx(5 * 515 * 48, rel=1e-12)
    (sold,) = stages["concrete"]["outputs"]
    assert (sold["left_quantity"], sold["left_co2e_kg"]) == (40.0 * 48, pytest.approx(101 * 40 * 48))


def check_carried_over(stages: dict[str, Any]) -> None:
    """A span that begins in the middle of a day takes over the stocks of 25 hours."""
    (made,) = stages["clinker"]["outputs"]
    assert (made["stock_before"], made["quantity"]) == (5.0 * 25, 20.0 * 23)
    assert made["stock_before_co2e_kg"] == pytest.approx(5 * 515 * 25, rel=1e-12)


async def check_inventory(client: httpx.AsyncClient, chain: dict[str, Any]) -> None:
    """Line by line the masses of /v1/emissions, and the balance closes, to the last bit."""
    span = {"from": chain["from"], "to": chain["to"]}
    lines = (await asked(client, "/v1/emissions", **span, group_by="scope"))["items"]
    inventory = {(int(line["group"]), line["gas"]): line["value"] for line in lines}
    assert {(line["scope"], line["gas"]): line["mass_kg"] for line in chain["totals"]} == inventory
    assert set(inventory) == {(1, "co2"), (1, "ch4"), (2, "co2")}
    hours = round(inventory[2, "co2"] / 550)
    outside = {line["gas"]: line["mass_kg"] for line in chain["outside"]}
    assert outside == pytest.approx({"co2": 175.0 * hours, "ch4": 0.07 * hours})
    balance = chain["balance"]
    assert balance["difference"] == 0
    ins = math.fsum(balance[name] for name in ("opening", "own", "bought"))
    outs = math.fsum(balance[name] for name in ("left", "stock", "without_production", "uncounted"))
    assert ins == pytest.approx(outs, rel=1e-14)
    assert balance["own"] == pytest.approx(10_850 * hours, rel=1e-12)


async def test_late_production_changes_the_footprint_and_as_of_shows_the_old(dsn: str) -> None:
    await fed(dsn, plant(), late=False)
    async with admin_client(dsn, clock()) as client:
        before = await asked(client, "/v1/products/cement/footprint")
        assert before["value"] is None
        assert "clinker: what was made has a gap" in before["reasons"]
        stone = await asked(client, "/v1/products/stone/footprint")
        chain = await asked(client, "/v1/stages")
        await check_inventory(client, chain)
        assert chain["balance"]["uncounted"] > 0
    batch = before["as_of"]["batch_no"]
    point, hour = LATE
    ingest = await open_site(dsn, plant(), feeding.Clock(END + 3 * HOUR))
    await feed(
        ingest, [message(point, START + (hour + 1) * HOUR, PER_HOUR[point], received_at=END + 3 * HOUR)]
    )
    await ingest.close()
    async with admin_client(dsn, clock()) as client:
        after = await asked(client, "/v1/products/cement/footprint")
        assert after["value"] == pytest.approx(0.5, rel=1e-12)
        old = await asked(client, "/v1/products/cement/footprint", as_of=batch)
        assert old == before
        assert (await asked(client, "/v1/stages", as_of=batch)) == chain
        assert (await asked(client, "/v1/products/stone/footprint"))["value"] == stone["value"]


async def test_what_is_not_known_makes_no_number(dsn: str) -> None:
    """Without openings nothing that draws on a stock has a figure; unknown goods and a gas only a stack tells are named."""
    stack = "  - {id: stack, unit: kiln, scope: 1, category: combustion, gas: n2o, route: measured, activity: kiln/coal}\n"
    file = plant("").replace("factor: gypsum}", "factor: unknown}").replace("stages:\n", f"{stack}stages:\n")
    await fed(dsn, file, late=True)
    async with admin_client(dsn, clock()) as client:
        assert (await asked(client, "/v1/products/stone/footprint"))["value"] == pytest.approx(0.01)
        told = await asked(client, "/v1/products/cement/footprint")
        assert told["value"] is None
        assert told["reasons"] == [
            f"clinker: what was in stock at {text(START)} is not known",
            f"stone: what was in stock at {text(START)} is not known",
            "without all of mill/stack",
            "without gypsum",
        ]
        assert (await asked(client, "/v1/stages"))["balance"]["difference"] == 0
        refused = await client.get("/v1/stages?from=2020-01-01T00:00:00Z&to=2026-11-22T00:00:00Z")
        assert refused.json()["type"] == "urn:stackwatt:problem:too-much-asked"
