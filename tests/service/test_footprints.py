"""Footprints and allocations over HTTP: what ingest told, with == sums, as known then and now."""

import math
from fractions import Fraction
from typing import Any

import httpx
import pytest

from ingest.model import MINUTE
from service.app import create_app
from tests.ingest.allocation.test_footprints import STATEMENTS, events, fed, first_batch, readings, settle
from tests.ingest.feeding import START, Clock, feed, open_site
from tests.ingest.mes.telling import PLANT, said
from tests.service.conftest import ADMIN_KEY
from tests.service.seeding import text
from tests.service.serving import serving

HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
NOW = START + 40 * MINUTE


async def test_a_footprint_is_what_ingest_told(dsn: str) -> None:
    meters = readings()
    held = [one for one in meters if one.topic.endswith(("line1/out", "line1/gas"))][60:70]
    ingest = await fed(dsn, [*(one for one in meters if one not in held), *(said(one) for one in STATEMENTS)])
    before = {data["order"]: data["new"] for _, data in events(dsn)}
    batch = first_batch(dsn)
    await feed(ingest, held)
    await settle(ingest, dsn)
    after = before | {data["order"]: data["new"] for _, data in events(dsn)}
    async with (
        serving(create_app(dsn, ADMIN_KEY, now=lambda: NOW)) as address,
        httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=30) as client,
    ):
        for order, told in after.items():
            now = (await client.get(f"/v1/orders/{order}/footprint")).json()
            assert_same(now, told)
        then = (await client.get("/v1/orders/4711/footprint", params={"as_of": batch})).json()
        assert_same(then, before["4711"])
        assert [one["cause"] for one in then["told"]] == ["ready"]
        now = (await client.get("/v1/orders/4711/footprint")).json()
        assert [(one["revision"], one["cause"]) for one in now["told"]] == [(1, "ready"), (2, "late")]
        assert now["quantity"]["told_by"] == "output"
        gas = next(one for one in now["shares"] if one["id"] == "mill/line1/burner")
        assert gas["per_quantity"] == gas["value"] / now["quantity"]["good"]
        assert now["co2e"][0]["co2e_kg"] == gas["value"]
        missing = await client.get("/v1/orders/none/such/footprint")
        assert (missing.status_code, missing.json()["type"]) == (404, "urn:stackwatt:problem:unknown-order")
        await check_sums(client)
    await ingest.close()


def assert_same(document: dict[str, Any], told: dict[str, Any]) -> None:
    amounts = {
        one["id"] + (f"@{one['shared']}" if one["shared"] else ""): one["value"]
        for one in document["shares"]
        if one["kind"] == "energy"
    }
    assert amounts == told["amounts"]
    assert document["energy_kwh"] == told["energy_kwh"]
    masses = [one["value"] for one in document["shares"] if one["kind"] == "emission"]
    assert math.fsum(masses) == math.fsum(told["mass_kg"].values())
    assert document["quantity"]["good"] == told["good"]


async def check_sums(client: httpx.AsyncClient) -> None:
    """Of every grouping the groups add up to the total, which is that of the intervals."""
    span = {"from": text(START), "to": text(START + 30 * MINUTE)}
    for unit in ("line1", "mill/line2"):
        totals = set()
        for group_by in ("owner", "order", "batch", "product"):
            params = {"unit": unit, "group_by": group_by, **span}
            items = (await client.get("/v1/allocations", params=params)).json()["items"]
            lines = {(one["id"], one["shared"]) for one in items}
            assert len(lines) >= 2
            for line in lines:
                mine = [one for one in items if (one["id"], one["shared"]) == line]
                (whole,) = (one for one in mine if one["group"] == "total")
                groups = [one for one in mine if one["group"] != "total"]
                assert sum(Fraction(one["exact"]) for one in groups) == Fraction(whole["exact"])
                totals.add((line, whole["exact"]))
        assert len(totals) == len(lines)
    items = (
        await client.get("/v1/allocations", params={"unit": "line1", "group_by": "order", **span})
    ).json()["items"]
    assert {one["group"] for one in items} >= {"order: 4711", "order: 4712/b", "idle", "off", "total"}
    shown = await client.get("/v1/points/mill/line1/energy/intervals", params=span)
    counts = [one["amount_count"] for one in shown.json()["items"]]
    (whole,) = (one for one in items if one["group"] == "total" and one["id"] == "mill/line1/energy")
    assert Fraction(whole["exact"]) == sum(counts) * Fraction(1, 100)
    refused = await client.get("/v1/allocations", params={"unit": "air", **span})
    assert refused.status_code == 422
    assert "a unit on which orders run: mill/line1 or mill/line2" in refused.json()["detail"]
    shifts = await client.get("/v1/allocations", params={"unit": "line1", "group_by": "shift", **span})
    assert shifts.json()["type"] == "urn:stackwatt:problem:no-shifts"


TARIFF = """
currency: CNY
tariffs:
  - id: power
    carrier: electricity
    unit: CNY/kWh
    valid_from: 2026-01-01
    meters: [line1/energy, line2/energy, air/energy]
    source: test
    trust: unconfirmed
    periods:
      - {name: before, value: 1.25, hours: ["00:00-16:10"]}
      - {name: after, value: 3.5, hours: ["16:10-24:00"]}
"""


async def test_energy_costs_what_its_time_costs(dsn: str) -> None:
    """The order runs from 16:01:30 to 16:12:15 by the clock on the wall; the price changes at 16:10."""
    ingest = await open_site(dsn, PLANT + TARIFF, Clock(NOW))
    await feed(ingest, [*readings(), *(said(one) for one in STATEMENTS)])
    async with (
        serving(create_app(dsn, ADMIN_KEY, now=lambda: NOW)) as address,
        httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=30) as client,
    ):
        expected = Fraction(0)
        for begin, end, price in ((0, 10, Fraction(5, 4)), (10, 13, Fraction(7, 2))):
            span = {"from": text(START + begin * MINUTE), "to": text(START + end * MINUTE)}
            asked = {"unit": "line1", "group_by": "order", **span}
            items = (await client.get("/v1/allocations", params=asked)).json()["items"]
            mine = [one for one in items if one["group"] == "order: 4711" and one["id"].endswith("energy")]
            assert len(mine) == 2
            expected += price * sum(Fraction(one["exact"]) for one in mine)
        told = (await client.get("/v1/orders/4711/footprint")).json()["cost"]
        assert told == {
            "value": float(expected),
            "exact": str(expected),
            "export": 0.0,
            "currency": "CNY",
            "without": ["mill/line1/gas"],
        }
    await ingest.close()


async def test_shifts_that_change_within_an_interval_add_up_too(dsn: str) -> None:
    """Intervals of two minutes, shifts that begin at 16:01 and 16:13: each interval is of one of them, whole."""
    calendar = (
        "interval: 2min\ncalendar: {shifts: [{name: early, start: '16:01'}, {name: late, start: '16:13'}]}\n"
    )
    ingest = await open_site(dsn, PLANT + calendar, Clock(NOW))
    await feed(ingest, [*readings(), *(said(one) for one in STATEMENTS)])
    async with (
        serving(create_app(dsn, ADMIN_KEY, now=lambda: NOW)) as address,
        httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=30) as client,
    ):

        async def exact(group_by: str, begin: int, end: int) -> dict[str, Fraction]:
            asked = {"from": text(START + begin * MINUTE), "to": text(START + end * MINUTE)}
            asked |= {"unit": "line1", "group_by": group_by}
            items = (await client.get("/v1/allocations", params=asked)).json()["items"]
            sums = dict[str, Fraction]()
            for one in items:
                if one["id"] == "mill/line1/energy":
                    sums[one["group"]] = sums.get(one["group"], Fraction(0)) + Fraction(one["exact"])
            return sums

        by_shift = await exact("shift", 0, 30)
        whole = (await exact("order", 0, 30))["total"]
        assert sum(value for group, value in by_shift.items() if group != "total") == whole
        early, late = await exact("order", 0, 12), await exact("order", 12, 30)
        assert by_shift["2026-11-20/early"] == early["total"]
        assert by_shift["2026-11-20/late"] == late["total"]
    await ingest.close()


INSTRUMENTS = """
instruments:
  - {id: meter, points: [line1/energy, air/energy], kind: meter, uncertainty: {percent: 0.8, source: certificate, trust: R},
     calibrated_on: 2026-03-02, due_on: 2030-03-02}
  - {id: gas-meter, points: [line1/gas], kind: meter, uncertainty: {percent: 1.5, source: certificate, trust: R},
     calibrated_on: 2026-03-02, due_on: 2030-03-02}
"""


async def test_a_share_is_as_sure_as_its_meter_and_what_meters_share_counts_once(dsn: str) -> None:
    judged = PLANT.replace(
        "source: test, trust: P}",
        "source: test, trust: P, uncertainty: {percent: 2, source: test, trust: P}}",
    )
    assert judged != PLANT
    ingest = await open_site(dsn, judged + INSTRUMENTS, Clock(NOW))
    await feed(ingest, [*readings(), *(said(one) for one in STATEMENTS)])
    async with (
        serving(create_app(dsn, ADMIN_KEY, now=lambda: NOW)) as address,
        httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=30) as client,
    ):
        told = (await client.get("/v1/orders/4711/footprint")).json()
        span = {"from": told["from"], "to": told["to"]}
        emitted = (await client.get("/v1/emissions", params={"group_by": "source", **span})).json()["items"]
        other = (await client.get("/v1/orders/4713/footprint")).json()
    await ingest.close()
    shares = {(one["id"], one["shared"]): one for one in told["shares"]}
    own, air = shares["mill/line1/energy", None], shares["mill/air/energy", "air"]
    assert own["uncertainty"]["u"] == pytest.approx(0.008 * own["value"], rel=0.01)
    assert [one["source"] for one in own["uncertainty"]["dominant"]] == ["instrument meter"]
    both = told["energy_uncertainty"]["electricity"]
    assert both["u"] == pytest.approx(own["uncertainty"]["u"] + air["uncertainty"]["u"], rel=1e-9)
    burner = shares["mill/line1/burner", None]
    (whole,) = [one for one in emitted if one["group"] == "mill/line1/burner"]
    part = burner["value"] / whole["value"]
    assert 0 < part < 1
    assert burner["uncertainty"]["u"] == pytest.approx(part * whole["uncertainty"]["u"], rel=1e-9)
    (co2e,) = told["co2e"]
    assert co2e["uncertainty"]["u"] == pytest.approx(burner["uncertainty"]["u"], rel=1e-12)
    reasons = {one["id"]: one["uncertainty"]["reason"] for one in other["shares"]}
    assert reasons["mill/line2/energy"] == "point mill/line2/energy has no instrument"
    assert other["energy_uncertainty"]["electricity"]["u"] is None
