"""Points, their readings and their intervals."""

import csv
import io
import math
from typing import Any

import httpx
import psycopg
import pytest

from ingest.model import HOUR, MINUTE, SECOND
from service.as_of import Known
from service.current import newest
from service.store import Store, row
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import BEGIN, CLOSED, GAP, NOW, Seed, at, plant_only, room_for_readings, text, wave

READINGS = f"/v1/points/cement/kiln/power/readings?from={text(CLOSED)}&to={text(CLOSED + MINUTE)}"
INTERVALS = "/v1/points/cement/kiln/clinker/intervals"


async def pages_of(client: httpx.AsyncClient, path: str, limit: int) -> list[list[dict[str, Any]]]:
    """Every page, by following `next`."""
    pages, cursor = [], ""
    while True:
        body = (await client.get(f"{path}&limit={limit}{cursor}")).json()
        pages.append(body["items"])
        if body["next"] is None:
            return pages
        cursor = f"&cursor={body['next']}"


async def test_points_are_listed_in_the_plants_order_page_by_page(
    client: httpx.AsyncClient, seeded: Seed
) -> None:
    pages = await pages_of(client, "/v1/points?site=cement", 10)
    assert [len(page) for page in pages] == [10, 10, 3]
    points = [point for page in pages for point in page]
    assert [point["id"] for point in points] == [point.id for point in seeded.cement.points]
    by_id = {point["id"]: point for point in points}
    power = by_id["cement/kiln/power"]
    assert (power["kind"], power["unit"], power["amount_unit"], power["sloped"]) == (
        "gauge",
        "kW",
        "kWh",
        True,
    )
    assert by_id["cement/kiln/stack/co2-flow"]["computed"]


async def test_a_link_header_leads_to_the_next_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/points?limit=20&format=csv")
    address = response.headers["link"].removeprefix("<").partition(">")[0]
    assert len(list(csv.DictReader(io.StringIO(response.text)))) == 20
    assert len(list(csv.DictReader(io.StringIO((await client.get(address)).text)))) == 6


async def test_readings_come_as_they_were_stored(client: httpx.AsyncClient) -> None:
    items = (await client.get(READINGS)).json()["items"]
    assert len(items) == 20
    assert items[1]["measured_at"] == text(CLOSED + SECOND // 2)
    assert items[1]["value"] == 11_460.0 + 1 / 7
    assert (items[3]["value"], items[3]["quality"], items[3]["reasons"]) == (None, "bad", ["range"])
    # Of two readings of one instant the one that counts, with the larger seq, comes last.
    assert [item["seq"] for item in items[4:6]] == [None, 7]
    assert items[4]["measured_at"] == items[5]["measured_at"]


async def test_pages_of_readings_of_any_size_are_the_whole(client: httpx.AsyncClient) -> None:
    whole = (await client.get(READINGS)).json()["items"]
    for limit in (1, 3, 5, 19, 20, 21):
        pages = await pages_of(client, READINGS, limit)
        assert [item for page in pages for item in page] == whole
        assert all(len(page) == limit for page in pages[:-1])


async def test_an_interval_tells_its_exact_amount(client: httpx.AsyncClient) -> None:
    body = (await client.get(f"{INTERVALS}?from={text(CLOSED - HOUR)}&to={text(CLOSED)}")).json()
    assert (body["unit"], body["amount_unit"], body["resolution"]) == ("t", "t", 0.001)
    assert len(body["items"]) == 60
    first = body["items"][0]
    assert first["amount_count"] == round(wave(CLOSED - HOUR, 3472.0))
    assert first["amount"] == first["amount_count"] * 0.001
    assert (first["from"], first["to"]) == (text(CLOSED - HOUR), text(CLOSED - 59 * MINUTE))
    assert (first["revision"], first["cause"], first["valid_share"]) == (1, "closing", 1.0)


async def test_an_absent_interval_inside_the_closed_span_is_a_gap(client: httpx.AsyncClient) -> None:
    path = f"{INTERVALS}?from={text(GAP[0] - MINUTE)}&to={text(GAP[1] + MINUTE)}"
    items = (await client.get(path)).json()["items"]
    assert [item["reason"] for item in items] == [None, *["gap"] * 5, None]
    gap = items[1]
    assert (gap["amount"], gap["quality"], gap["covered_share"]) == (None, "bad", 0.0)
    assert gap["reasons"] == ["gap"]


async def test_before_the_first_and_after_the_last_interval_there_is_nothing_to_miss(
    client: httpx.AsyncClient,
) -> None:
    path = f"{INTERVALS}?from={text(BEGIN - HOUR)}&to={text(CLOSED + HOUR)}"
    items = (await client.get(path)).json()["items"]
    assert (items[0]["from"], items[-1]["to"], len(items)) == (text(BEGIN), text(CLOSED), 360)


async def test_pages_of_intervals_of_any_size_are_the_whole(client: httpx.AsyncClient) -> None:
    path = f"{INTERVALS}?from={text(GAP[0] - 10 * MINUTE)}&to={text(CLOSED + HOUR)}"
    whole = (await client.get(path)).json()["items"]
    assert len(whole) == 110
    for limit in (1, 7, 109, 110):
        pages = await pages_of(client, path, limit)
        assert [item for page in pages for item in page] == whole


async def test_hours_and_days_are_the_sites(client: httpx.AsyncClient) -> None:
    hours = (await client.get(f"{INTERVALS}?step=hour&from={text(BEGIN)}&to={text(CLOSED)}")).json()["items"]
    assert [hour["reason"] for hour in hours] == ["gap"] * 5 + [None]
    assert hours[-1]["amount_count"] == 208_000
    days = (
        await client.get(f"{INTERVALS}?step=day&from={text(CLOSED - 48 * HOUR)}&to={text(CLOSED)}")
    ).json()
    [day] = days["items"]
    # Midnight in Shanghai.
    assert (day["from"], day["to"]) == ("2026-11-19T16:00:00Z", "2026-11-20T16:00:00Z")


async def test_csv_of_intervals_is_the_same_table(client: httpx.AsyncClient) -> None:
    path = f"{INTERVALS}?from={text(GAP[0] - MINUTE)}&to={text(GAP[1])}"
    items = (await client.get(path)).json()["items"]
    rows = list(csv.DictReader(io.StringIO((await client.get(f"{path}&format=csv")).text)))
    assert list(rows[0]) == list(items[0])
    assert [row["amount"] for row in rows] == [
        "" if item["amount"] is None else repr(item["amount"]) for item in items
    ]


async def test_a_plus_that_became_a_space_is_understood(client: httpx.AsyncClient) -> None:
    """`+08:00` in a query string is read as a space by every server; nobody means a space."""
    plain = await client.get(f"{INTERVALS}?from=2026-11-20T15:00:00%2B08:00&to={text(CLOSED)}")
    spoilt = await client.get(f"{INTERVALS}?from=2026-11-20T15:00:00+08:00&to={text(CLOSED)}")
    assert plain.json() == spoilt.json()
    assert len(plain.json()["items"]) == 60


async def test_an_hour_of_counts_is_their_exact_sum(client: httpx.AsyncClient) -> None:
    """The rollup's own amount is a float sum of rounded amounts and misses it by its last bits."""
    for step, begin in (("hour", CLOSED - HOUR), ("day", CLOSED - 16 * HOUR)):
        path = f"{INTERVALS}?step={step}&from={text(begin)}&to={text(CLOSED)}"
        [item] = [item for item in (await client.get(path)).json()["items"] if item["reason"] is None]
        assert item["amount"] == item["amount_count"] * 0.001 == 208.0


async def test_a_page_tells_what_it_is_of(client: httpx.AsyncClient) -> None:
    span = {"from": text(CLOSED), "to": text(CLOSED + MINUTE)}
    readings = (await client.get(READINGS)).json()
    assert {name: readings[name] for name in ("id", "unit", "from", "to")} == {
        "id": "cement/kiln/power",
        "unit": "kW",
        **span,
    }
    # Also where the span is the default and nothing is in it.
    steel = (await client.get("/v1/points/steel/plant/energy/intervals")).json()
    assert (steel["from"], steel["to"]) == ("2018-01-02T00:00:00.000001Z", "2018-01-03T00:00:00.000001Z")


async def test_a_point_tells_its_method_its_states_and_its_limits(
    client: httpx.AsyncClient, seeded: Seed
) -> None:
    by_id = {point["id"]: point for point in (await client.get("/v1/points?site=cement")).json()["items"]}
    assert by_id["cement/kiln/stack/co2-flow"]["method"] == "hj212-2017.annex-d"
    assert by_id["cement/kiln/state"]["states"] == {"stopped": 0, "running": 1}
    power = by_id["cement/kiln/power"]
    declared = next(point for point in seeded.cement.file.points if point.id == "kiln/power")
    assert (power["method"], power["states"]) == (None, None)
    assert (power["low"], power["high"]) == declared.limits
    rows = csv.DictReader(io.StringIO((await client.get("/v1/points?site=cement&format=csv")).text))
    assert {row["id"]: row["states"] for row in rows}["cement/kiln/state"] == "stopped=0 running=1"


async def test_the_latest_reading_of_each_point_is_the_one_that_counts(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/points/latest")).json()["items"]
    measured = [
        point["id"] for point in (await client.get("/v1/points")).json()["items"] if not point["computed"]
    ]
    assert [item["id"] for item in items] == measured
    power = next(item for item in items if item["id"] == "cement/kiln/power")
    assert power["measured_at"] == text(CLOSED + 19 * SECOND // 2)
    assert (power["value"], power["unit"], power["quality"]) == (11_460.0 + 19 / 7, "kW", "good")
    assert power["data_age_s"] == 0.5
    silent = next(item for item in items if item["id"] == "steel/plant/energy")
    assert (silent["value"], silent["reason"], silent["quality"]) == (None, "no_data", "bad")
    pages = await pages_of(client, "/v1/points/latest?site=cement", 7)
    assert [item["id"] for page in pages for item in page] == [name for name in measured if name < "d"]


async def test_the_latest_reading_names_its_state_and_tells_why_there_is_no_value(
    dsn: str, clock: Clock
) -> None:
    plant_only(dsn)
    with psycopg.connect(dsn) as connection:
        room_for_readings(connection)
        numbers: dict[str, int] = dict(connection.execute("SELECT id, point_no FROM point").fetchall())
        for number, value, quality, reasons, seq in (
            (numbers["cement/kiln/stack/state"], 2.0, 0, 0, 4),
            (numbers["cement/kiln/stack/state"], 1.0, 0, 0, -1),
            (numbers["cement/kiln/stack/co2"], math.nan, 3, 1, -1),
        ):
            connection.execute(
                "INSERT INTO reading VALUES (%s, %s, %s, %s, %s, %s, %s, 1)",
                [number, at(CLOSED), at(NOW), value, quality, reasons, seq],
            )
    async with admin_client(dsn, clock) as client:
        items = {item["id"]: item for item in (await client.get("/v1/points/latest")).json()["items"]}
    state = items["cement/kiln/stack/state"]
    assert (state["value"], state["state"]) == (2.0, "calibration")
    faulty = items["cement/kiln/stack/co2"]
    assert (faulty["value"], faulty["reason"], faulty["reasons"]) == (None, "no_data", ["range"])


AGO = 10_000
"""So many seconds of readings are stored before, and as many after."""


@pytest.mark.parametrize("kept", [True, False])
async def test_the_latest_reading_of_then_is_found_without_all_that_came_later(dsn: str, kept: bool) -> None:
    """Also where its clock was ahead of ours; where the commit is gone it is found all the same."""
    plan = plant_only(dsn)
    point = plan.points[plan.index["cement/kiln/power"]]
    ahead = CLOSED + 4 * MINUTE
    with psycopg.connect(dsn, autocommit=True) as connection:
        room_for_readings(connection)
        said = """
            INSERT INTO reading SELECT point_no, %s + n * interval '1 second', %s + n * interval '1 second', n, 0, 0, -1, %s
              FROM point, generate_series(%s::int, %s::int) n WHERE id = %s
        """
        for measured_at, batch_no, first, last in (
            (CLOSED, 1, -AGO, 0),
            (ahead, 1, 0, 0),
            (CLOSED, 2, 1, AGO),
        ):
            connection.execute(said, [at(measured_at), at(CLOSED), batch_no, first, last, point.id])
        connection.execute("ANALYZE reading")
    known = Known(1, CLOSED if kept else None, CLOSED - plan.lateness_us if kept else None, past=True)
    store = Store(dsn, readers=1)
    await store.open()
    async with store.snapshot() as reader:
        [found] = await newest(reader, [(plan, point)], {plan.site: known}, NOW)
        walked = await row(
            reader, "SELECT sum(idx_tup_fetch + seq_tup_read)::int FROM pg_stat_xact_user_tables"
        )
    await store.close()
    assert text(ahead) in found
    assert walked is not None
    assert (walked[0] < 1000) == kept
