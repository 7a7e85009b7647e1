"""Demand as it is told while a block runs: fed to a real ingest, asked over HTTP."""

from typing import Any

import httpx
import pytest

from ingest.model import MINUTE, SECOND
from tests.ingest.feeding import PLANT, START, Clock, feed, message, open_site
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.seeding import text
from tests.service.test_routes import problem_of

WITH_DEMAND = f"""{PLANT}\
  - {{id: line/demand, kind: demand, unit: kW, numerator: [{{point: line/energy}}], block: 15min}}
currency: EUR
contracted_demand: {{value: 0.55, unit: MW, kpi: line/demand, caution: 0.1}}
demand_charges:
  - {{id: peak, kpi: line/demand, value: 10, unit: EUR/kW, valid_from: 2026-01-01, source: test, trust: P}}
"""
STEP = 5 * SECOND


def readings(loads: list[tuple[int, float]], register: float = 0.0, begin: int = START) -> list[Any]:
    """A register read every 5 s: (minutes, kW) one after the other."""
    told, at = [message("line/energy", begin, register)], begin
    for minutes, kw in loads:
        for _ in range(minutes * MINUTE // STEP):
            at += STEP
            register += kw * 5 / 3600
            told.append(message("line/energy", at, round(register, 3)))
    return told


async def asked(dsn: str, now: int) -> dict[str, Any]:
    clock = ServiceClock()
    clock.now = now
    async with admin_client(dsn, clock) as client:
        response = await client.get("/v1/demand")
    assert response.status_code == 200, response.text
    (item,) = response.json()["items"]
    return dict(item)


async def fed(dsn: str, loads: list[tuple[int, float]], plant: str = WITH_DEMAND) -> None:
    ingest = await open_site(dsn, plant, Clock())
    await feed(ingest, readings(loads))
    await ingest.close()


async def test_the_running_block(dsn: str) -> None:
    # A block of 400 kW, then 600 kW for five minutes of the next.
    await fed(dsn, [(15, 400.0), (5, 600.0)])
    now = START + 20 * MINUTE + SECOND
    found = await asked(dsn, now)
    assert (found["from"], found["to"]) == (text(START + 15 * MINUTE), text(START + 20 * MINUTE))
    assert (found["ends"], found["contract"], found["load_window"]) == (
        text(START + 30 * MINUTE),
        550.0,
        "2min",
    )
    assert found["value"] == pytest.approx(600.0, abs=0.1)
    assert found["energy"] == pytest.approx(50.0, abs=0.002)
    assert found["at_least"] == pytest.approx(200.0, abs=0.01)
    # 137.5 kWh are contracted, 50 drawn, 10 minutes left.
    assert found["may_draw"] == pytest.approx(525.0, abs=0.1)
    assert found["headroom"] == pytest.approx(-75.0, abs=0.2)
    assert found["exceeds_in_s"] == pytest.approx(87.5 / 600 * 3600, abs=1)
    # With a load that falls by a tenth it comes to 560 kW.
    assert found["announced"] is True
    assert (found["month"]["value"], found["month"]["at"]) == (pytest.approx(400.0, abs=0.01), text(START))
    assert found["cost"] == pytest.approx(2000.0, abs=2)
    assert (found["currency"], found["cost_reason"], found["reason"], found["no_room"]) == (
        "EUR",
        None,
        None,
        None,
    )
    assert found["uncertainty"]["u"] is None
    assert (found["valid_share"], found["quality"]) == (1.0, "good")


async def test_a_load_of_the_block_before_is_projected_and_not_announced(dsn: str) -> None:
    await fed(dsn, [(15, 600.0), (1, 100.0)])
    found = await asked(dsn, START + 16 * MINUTE)
    assert found["value"] > 300
    assert found["announced"] is False
    assert found["month"]["value"] == pytest.approx(600.0, abs=0.01)
    assert found["cost"] == 0.0


@pytest.mark.parametrize(("minutes", "reason"), [(4, None), (7, "stale"), (60, "stale")])
async def test_of_old_data_nothing_is_projected(dsn: str, minutes: int, reason: str | None) -> None:
    await fed(dsn, [(20, 400.0)])
    found = await asked(dsn, START + (20 + minutes) * MINUTE)
    assert (found["reason"], found["no_room"]) == (reason, reason)
    assert (found["value"] is None, found["may_draw"] is None, found["cost"] is None) == (
        reason is not None,
    ) * 3


async def test_a_gap_in_the_block_leaves_no_projection(dsn: str) -> None:
    plant = WITH_DEMAND.replace(
        "- {id: line/energy, kind: counter,", "- {id: line/energy, kind: counter, fill_at_most: 2min,"
    )
    ingest = await open_site(dsn, plant, Clock())
    before = readings([(18, 400.0)])
    after = readings([(3, 400.0)], register=150.0, begin=START + 21 * MINUTE + 30 * SECOND)
    await feed(ingest, [*before, *after])
    await ingest.close()
    found = await asked(dsn, START + 25 * MINUTE)
    assert (found["value"], found["reason"], found["no_room"], found["cost_reason"]) == (
        None,
        "gap",
        "gap",
        "gap",
    )
    assert found["at_least"] is not None
    assert found["valid_share"] < 1


async def test_without_a_contract_there_is_a_projection_and_no_room(dsn: str) -> None:
    plant = WITH_DEMAND.partition("contracted_demand")[0]
    await fed(dsn, [(20, 400.0)], plant)
    found = await asked(dsn, START + 20 * MINUTE)
    assert (found["value"], found["contract"]) == (pytest.approx(400.0, abs=0.1), None)
    assert (found["may_draw"], found["headroom"], found["no_room"]) == (None, None, "no_contract")
    assert (found["cost"], found["cost_reason"], found["announced"]) == (None, "no_price", False)


async def test_before_the_first_reading_there_is_none(dsn: str) -> None:
    ingest = await open_site(dsn, WITH_DEMAND, Clock())
    await ingest.close()
    found = await asked(dsn, START)
    assert (found["value"], found["reason"], found["from"], found["month"]) == (None, "no_data", None, None)


async def test_blocks_as_a_series_and_months(dsn: str) -> None:
    await fed(dsn, [(15, 400.0), (15, 600.0), (5, 100.0)])
    clock = ServiceClock()
    clock.now = START + 35 * MINUTE
    async with admin_client(dsn, clock) as client:
        span = {"from": text(START), "to": text(START + 35 * MINUTE)}
        found = (await client.get("/v1/demand/mill/line/demand/series", params=span)).json()
        refused = await client.get("/v1/demand/mill/line/co2/series")
        text_csv = (
            await client.get("/v1/demand/mill/line/demand/series", params={**span, "format": "csv"})
        ).text
    assert found["columns"]["value"] == pytest.approx([400.0, 600.0], abs=0.01)
    (month,) = found["months"]
    assert (month["at"], month["is_exceeded"], month["charge"]) == (
        text(START + 15 * MINUTE),
        True,
        "mill/peak",
    )
    assert float(month["cost"]) == pytest.approx(6000.0, abs=0.2)
    assert len(text_csv.splitlines()) == 3
    assert (refused.status_code, problem_of(refused).detail) == (
        404,
        "KPI 'mill/line/co2' is no demand but a rate.",
    )


async def test_a_block_that_has_just_ended_is_in_the_month_although_it_was_read_before(dsn: str) -> None:
    ingest = await open_site(dsn, WITH_DEMAND, Clock())
    told = readings([(15, 400.0), (10, 600.0), (10, 100.0)])
    clock = ServiceClock()
    async with admin_client(dsn, clock) as client:
        peaks: list[tuple[str, float]] = []
        for begin, end in ((0, 20), (20, 25), (25, 31)):
            await feed(ingest, told[begin * 12 : end * 12 + 1])
            clock.now = START + 25 * MINUTE + len(peaks) * SECOND
            (item,) = (await client.get("/v1/demand")).json()["items"]
            peaks.append((item["to"], item["month"]["value"]))
    await ingest.close()
    assert [to for to, _ in peaks] == [text(START + minutes * MINUTE) for minutes in (20, 25, 31)]
    assert [value for _, value in peaks] == pytest.approx([400.0, 400.0, 6500 / 15], abs=0.02)


async def test_the_shipped_plants_are_told(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/demand")).json()["items"]
    assert {item["id"] for item in items} == {"cement/demand", "steel/demand"}
