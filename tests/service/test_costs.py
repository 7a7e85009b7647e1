"""Costs against their definition, interval by interval: exactly, over a day of 25 hours and a change of tariff."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from ingest.model import HOUR, SECOND
from ingest.plant import canonical, parse_plant
from tests.service.conftest import Clock, admin_client, migrated_database
from tests.service.costing import BEGIN, END, GAP, PLANT, QUARTER, ZONE, Works, clock, cost, price, seed
from tests.service.seeding import at as instant
from tests.service.seeding import text
from tests.service.test_routes import problem_of


@pytest.fixture(scope="module")
def stored(postgres_server: str, migrated_template: str) -> Iterator[tuple[str, Works]]:
    """The works for tests that change nothing."""
    with migrated_database(postgres_server, migrated_template) as dsn:
        yield dsn, seed(dsn)


@pytest.fixture
def works(stored: tuple[str, Works]) -> Works:
    """What is stored."""
    return stored[1]


@pytest.fixture
async def client(stored: tuple[str, Works]) -> AsyncIterator[httpx.AsyncClient]:
    """A client over it."""
    async with admin_client(stored[0], after()) as made:
        yield made


def after() -> Clock:
    """A clock that stands just after the data."""
    clock = Clock()
    clock.now = END + 10 * SECOND
    return clock


async def lines(client: httpx.AsyncClient, group_by: str, **more: str) -> list[dict[str, Any]]:
    asked = {"from": text(BEGIN), "to": text(END), "group_by": group_by, **more}
    response = await client.get("/v1/costs", params=asked)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def exact(items: list[dict[str, Any]], component: str) -> dict[str, Fraction]:
    return {
        one["group"]: Fraction(one["exact"])
        for one in items
        if one["component"] == component and one["exact"]
    }


async def test_hours_days_and_months_are_their_definition_and_add_up(
    client: httpx.AsyncClient, works: Works
) -> None:
    hours, days, months = [await lines(client, unit) for unit in ("hour", "day", "month")]
    for component, points in (("energy", ("main", "gas")), ("export", ("sold",))):
        by_hour, by_day, by_month = (exact(items, component) for items in (hours, days, months))
        expected = {
            clock(begin).isoformat(): sum(
                (cost(works, point, begin, begin + HOUR) for point in points), Fraction(0)
            )
            for begin in range(BEGIN, END, HOUR)
            if begin != GAP[0]
        }
        assert by_hour == expected
        assert len(by_hour) == 10 * 24 + 1 - 1
        assert len(by_day) == 10
        for day, money in by_day.items():
            assert money == sum((one for hour, one in by_hour.items() if hour.startswith(day)), Fraction(0))
        assert sum(by_month.values()) == sum(by_day.values())
        assert set(by_month) == {"2026-10", "2026-11"}
        # Exact sums are sums of what is told, as decimals, with ==.
        told = sum(
            (Decimal(one["exact"]) for one in hours if one["component"] == component and one["exact"]),
            Decimal(0),
        )
        assert told == sum(
            (Decimal(one["exact"]) for one in months if one["component"] == component), Decimal(0)
        )
    for one in hours:
        assert one["value"] == (None if one["exact"] is None else float(Fraction(one["exact"])))


async def test_the_hour_that_comes_twice_has_its_price_twice(client: httpx.AsyncClient, works: Works) -> None:
    first = int(datetime(2026, 10, 25, 2, tzinfo=ZONE).timestamp()) * SECOND
    assert price(first) == price(first + HOUR) == Fraction("0.01")
    items = await lines(client, "hour", **{"from": text(first), "to": text(first + 2 * HOUR)})
    found = [one for one in items if one["component"] == "energy"]
    assert [one["group"] for one in found] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    assert [one["from"] for one in found] == [text(first), text(first + HOUR)]


async def test_a_gap_costs_nothing_and_is_told(client: httpx.AsyncClient, works: Works) -> None:
    begin, end = GAP
    (energy, *_) = await lines(client, "hour", **{"from": text(begin), "to": text(end)})
    assert (energy["value"], energy["exact"], energy["reason"], energy["valid_share"]) == (
        None,
        None,
        "gap",
        0.0,
    )
    (day, *_) = await lines(client, "day", **{"from": text(BEGIN + 24 * HOUR), "to": text(BEGIN + 49 * HOUR)})
    assert day["value"] is not None
    assert day["valid_share"] == 24 / 25
    assert "gap" in day["reasons"]
    asked = {"from": text(BEGIN + 24 * HOUR), "to": text(BEGIN + 49 * HOUR), "min_valid_share": "0.97"}
    (day, *_) = await lines(client, "day", **asked)
    assert (day["value"], day["reason"]) == (None, "gap")


async def test_units_carriers_and_periods_are_all_of_it(client: httpx.AsyncClient, works: Works) -> None:
    total = {point: cost(works, point, BEGIN, END) for point in ("main", "sold", "gas")}
    carriers = await lines(client, "carrier")
    assert exact(carriers, "energy") == {"electricity": total["main"], "gas": total["gas"]}
    assert exact(carriers, "export") == {"electricity": total["sold"]}
    (power,) = [one for one in carriers if (one["group"], one["component"]) == ("electricity", "energy")]
    assert (power["amount_unit"], power["unit"], power["prices"]) == (
        None,
        "EUR",
        ["works/power-new", "works/power-old"],
    )
    assert power["unconfirmed"] == power["prices"]
    periods = exact(await lines(client, "period"), "energy")
    assert set(periods) == {"day", "night", "rest", "deep", "flat", "gas"}
    assert sum(periods.values()) == total["main"] + total["gas"]
    units = exact(await lines(client, "unit"), "energy")
    line, press, light = (
        cost(works, point, BEGIN, END) for point in ("line/energy", "line/press/energy", "hall/light/energy")
    )
    assert units == {
        "works": total["main"] + total["gas"],
        "works/line": line,
        "works/line/press": press,
        "works/hall": light,
        "works/hall/light": light,
        "works/unallocated": total["main"] + total["gas"] - line - light,
    }


async def test_carbon_is_apart(client: httpx.AsyncClient, works: Works) -> None:
    (carbon,) = [one for one in await lines(client, "unit") if one["component"] == "carbon"]
    masses = [
        Fraction(repr(count / 1000 * 0.4)) for (point, _), count in works.counts.items() if point == "main"
    ]
    assert Fraction(carbon["exact"]) == sum(masses) * Fraction("0.0713")
    assert (carbon["group"], carbon["scope"], carbon["route"], carbon["prices"]) == (
        "works",
        2,
        "calculated",
        ["carbon_price"],
    )
    assert (carbon["amount_unit"], carbon["unconfirmed"]) == ("kg", [])
    (by_carrier,) = [one for one in await lines(client, "carrier") if one["component"] == "carbon"]
    assert (by_carrier["group"], by_carrier["exact"]) == ("electricity", carbon["exact"])


async def test_the_demand_charge_is_of_whole_months(client: httpx.AsyncClient, works: Works) -> None:
    asked = {"from": text(END - 26 * HOUR), "to": text(END)}
    (charge,) = [one for one in await lines(client, "month", **asked) if one["component"] == "demand"]
    november = int(datetime(2026, 11, 1, tzinfo=ZONE).timestamp()) * SECOND
    kw = {start: count / 1000 * 4 for (point, start), count in works.counts.items() if point == "main"}
    peak = max(value for start, value in kw.items() if start >= november)
    october = max(value for start, value in kw.items() if start < november)
    billed = max(Fraction(peak), Fraction("0.8") * Fraction(october))
    assert Fraction(charge["exact"]) == billed * Fraction("12.5")
    assert (charge["group"], charge["from"], charge["amount_unit"]) == ("2026-11", text(november), "kW")
    assert charge["amount"] == float(billed)


async def test_a_charge_that_is_given_up_stays_that_of_its_months(dsn: str) -> None:
    seed(dsn)
    asked = {"from": text(END - 26 * HOUR), "to": text(END)}
    async with admin_client(dsn, after()) as client:
        before = [one for one in await lines(client, "month", **asked) if one["component"] == "demand"]
    given_up = parse_plant(PLANT, "works.yaml").model_copy(update={"demand_charges": ()})
    digest, body = canonical(given_up)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO plan_version (site_no, version, effective_at, digest, body)"
            " SELECT site_no, 2, %s, %s, %s FROM site",
            [instant(END), digest, Jsonb(body)],
        )
    async with admin_client(dsn, after()) as client:
        now = [one for one in await lines(client, "month", **asked) if one["component"] == "demand"]
    assert len(before) == 1
    assert [one["exact"] for one in now] == [one["exact"] for one in before]


async def test_costs_follow_revisions_and_stay_what_they_were_as_of_a_batch(dsn: str) -> None:
    seed(dsn)
    asked = {"from": text(BEGIN), "to": text(END)}
    start = BEGIN + 5 * HOUR
    async with admin_client(dsn, after()) as client:
        before = (await client.get("/v1/costs", params={**asked, "as_of": "5"})).json()
        revise(dsn, start)
        now = (await client.get("/v1/costs", params=asked)).json()
        again = (await client.get("/v1/costs", params={**asked, "as_of": "5"})).json()
    assert again["items"] == before["items"]
    old, new = before["items"][0], now["items"][0]
    assert Fraction(new["exact"]) - Fraction(old["exact"]) == price(start)
    assert (old["revision"], new["revision"]) == (1, 2)


async def test_each_interval_is_at_the_price_of_the_version_it_names(dsn: str) -> None:
    works = seed(dsn)
    since = BEGIN + 48 * HOUR + HOUR
    dearer = parse_plant(
        PLANT.replace("value: 0.3117", "value: 0.4").replace("name: deep", "name: cheap"), "works.yaml"
    )
    digest, body = canonical(dearer)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO plan_version (site_no, version, effective_at, digest, body)"
            " SELECT site_no, 2, %s, %s, %s FROM site",
            [instant(since), digest, Jsonb(body)],
        )
        connection.execute("INSERT INTO plan_in_force SELECT point_no, 1, '-infinity' FROM point")
        connection.execute("INSERT INTO plan_in_force SELECT point_no, 2, %s FROM point", [instant(since)])
        connection.execute(
            "UPDATE interval SET plan_version = 2, batch_no = 6 WHERE start_at >= %s", [instant(since)]
        )
    async with admin_client(dsn, after()) as client:
        days = exact(await lines(client, "day"), "energy")
        periods = exact(await lines(client, "period"), "energy")
    raised = Fraction("0.4") - Fraction("0.3117")
    for day, money in days.items():
        begin = int(datetime.fromisoformat(day).replace(tzinfo=ZONE).timestamp()) * SECOND
        end = int((datetime.fromisoformat(day).replace(tzinfo=ZONE) + timedelta(days=1)).timestamp()) * SECOND
        dear = sum(
            count
            for (point, start), count in works.counts.items()
            if point == "main" and max(begin, since) <= start < end and price(start) == Fraction("0.3117")
        )
        expected = cost(works, "main", begin, end) + cost(works, "gas", begin, end) + dear * raised / 1000
        assert money == expected, day
    # The weekend was of the first version, the holiday after it of the second, which calls that price otherwise.
    assert {"deep", "cheap"} < set(periods)


async def test_what_the_newest_plan_gave_up_stays_in_the_past(dsn: str) -> None:
    seed(dsn)
    since = END - 24 * HOUR
    asked = {"from": text(BEGIN), "to": text(since)}
    async with admin_client(dsn, after()) as client:
        before = await lines(client, "hour", **asked)
        units = await lines(client, "unit", **asked)
    given_up = PLANT.replace(
        "- {id: gas, kind: counter, unit: Nm3, carrier: gas, period: 5s, resolution: 0.01}", ""
    )
    begin, end = given_up.index("sources:"), given_up.index("kpis:")
    given_up = given_up[:begin] + given_up[end:]
    begin, end = given_up.index("  - {id: gas, carrier: gas"), given_up.index("demand_charges:")
    digest, body = canonical(parse_plant(given_up[:begin] + given_up[end:], "works.yaml"))
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO plan_version (site_no, version, effective_at, digest, body)"
            " SELECT site_no, 2, %s, %s, %s FROM site",
            [instant(since), digest, Jsonb(body)],
        )
        connection.execute("INSERT INTO plan_in_force SELECT point_no, 1, '-infinity' FROM point")
        connection.execute(
            "INSERT INTO plan_in_force SELECT point_no, 2, %s FROM point WHERE id <> 'works/gas'",
            [instant(since)],
        )
        connection.execute("SET session_replication_role = replica")  # as if it had never been measured
        connection.execute("DELETE FROM interval WHERE start_at >= %s", [instant(since)])
        connection.execute("DELETE FROM emission WHERE start_at >= %s", [instant(since)])
    async with admin_client(dsn, after()) as client:
        assert told(await lines(client, "hour", **asked)) == told(before)
        assert told(await lines(client, "unit", **asked)) == told(units)
        later = await lines(client, "hour", **{"from": text(since), "to": text(END)})
    assert any(one["component"] == "carbon" and one["reason"] == "gap" for one in before)
    assert not [one for one in later if one["component"] == "carbon"]


def told(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines without how old they are, and those of nothing without the version, which is the newest."""
    leave = {"data_age_s"}
    return [
        {
            name: value
            for name, value in one.items()
            if name not in leave | ({"plan_version"} if one["value"] is None else set())
        }
        for one in items
    ]


def revise(dsn: str, start: int) -> None:
    """A kWh more, known with batch 6."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            INSERT INTO ingest_commit (site_no, batch_no, epoch, known_at, plan_version, watermark, readings)
            SELECT site_no, 6, 1, %s, 1, %s, 1 FROM site
            """,
            [instant(END + 2 * SECOND), instant(END + SECOND)],
        )
        connection.execute(
            """
            UPDATE interval SET amount = amount + 1, amount_count = amount_count + 1000, revision = 2, batch_no = 6
             WHERE start_at = %s AND point_no = (SELECT point_no FROM point WHERE id = 'works/main')
            """,
            [instant(start)],
        )


async def test_csv_has_the_same_lines(client: httpx.AsyncClient, works: Works) -> None:
    items = await lines(client, "day")
    response = await client.get("/v1/costs", params={"from": text(BEGIN), "to": text(END), "format": "csv"})
    header, *found = response.text.splitlines()
    assert header.startswith("id,unit,window,from,to,value,reason")
    assert len(found) == len(items)
    assert items[0]["exact"] in found[0]


async def test_too_much_is_refused(client: httpx.AsyncClient, works: Works) -> None:
    response = await client.get(
        "/v1/costs", params={"from": text(BEGIN - 20 * 365 * 24 * HOUR), "to": text(END)}
    )
    assert response.status_code == 422
    assert "ask for a shorter span or one site" in problem_of(response).detail


async def test_the_demands_of_the_plant(client: httpx.AsyncClient, works: Works) -> None:
    span = {"from": text(BEGIN), "to": text(BEGIN + timedelta(days=1) // timedelta(microseconds=1))}
    found = (await client.get("/v1/demand/works/demand/series", params=span)).json()
    columns = found["columns"]
    assert len(columns["value"]) == 96
    assert columns["value"] == [works.counts["main", BEGIN + n * QUARTER] / 1000 * 4 for n in range(96)]
    (month,) = found["months"]
    kw = [
        count / 1000 * 4
        for (point, start), count in works.counts.items()
        if point == "main" and clock(start).month == 10
    ]
    assert (month["value"], month["contract"], month["is_exceeded"]) == (max(kw), 700.0, max(kw) > 700)
    assert Fraction(month["cost"]) == Fraction(max(kw)) * Fraction("12.5")
    assert month["valid_share"] < 1
