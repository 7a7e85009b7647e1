"""A point beside the one it is compared with, as it is asked for."""

import csv
import io
from collections.abc import AsyncIterator

import httpx
import pytest

from ingest.model import HOUR
from service.comparisons import ComparisonPage
from tests.ingest.feeding import START, feed, open_site
from tests.ingest.test_drift import PLANT, energy, five_percent_up, in_order, said
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import text
from tests.service.test_points import pages_of
from tests.service.test_routes import problem_of

POWER = "/v1/points/mill/line/power/comparison"
SPAN = f"?from={text(START)}&to={text(START + 3 * HOUR)}"


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    """Three hours: in the first the gauge shows too much, in the second the register is missing for most of the time."""
    ingest = await open_site(dsn, PLANT)
    register = [*said("energy", energy, 0, 70), *said("energy", energy, 120)]
    await feed(ingest, in_order(register, said("power", five_percent_up)))
    await ingest.close()
    clock = Clock()
    clock.now = START + 3 * HOUR
    async with admin_client(dsn, clock) as made:
        yield made


async def test_hours_stand_with_what_their_verdicts_are_made_of(client: httpx.AsyncClient) -> None:
    response = await client.get(POWER + SPAN)
    body = response.json()
    ComparisonPage.model_validate(body)
    assert {name: body[name] for name in ("id", "unit", "with", "within", "least_share")} == {
        "id": "mill/line/power",
        "unit": "kWh",
        "with": "mill/line/energy",
        "within": "2 %",
        "least_share": 0.5,
    }
    assert [(item["from"], item["verdict"], item["reason"]) for item in body["items"]] == [
        (text(START), "drifted", None),
        (text(START + HOUR), None, "too_little_in_common"),
        (text(START + 2 * HOUR), "within", None),
    ]
    first, second, third = body["items"]
    assert first["own"] == pytest.approx(100 + 10 / 3)
    assert first["other"] == pytest.approx(100)
    assert first["difference"] == first["own"] - first["other"]
    assert [item["common_share"] for item in body["items"]] == [1.0, 5 / 60, 1.0]
    assert (second["own"], second["other"]) == (pytest.approx(100 * 5 / 60), 8.333)
    assert first["known_at"] is not None
    assert first["batch_no"] <= third["batch_no"]


async def test_pages_and_csv_say_the_same(client: httpx.AsyncClient) -> None:
    everything = (await client.get(POWER + SPAN)).json()["items"]
    pages = await pages_of(client, POWER + SPAN, 1)
    assert [len(page) for page in pages] == [1, 1, 1]
    assert [item for page in pages for item in page] == everything
    told = await client.get(f"{POWER}{SPAN}&format=csv")
    table = list(csv.DictReader(io.StringIO(told.text)))
    assert [row["verdict"] for row in table] == ["drifted", "", "within"]
    assert [float(row["own"]) for row in table] == [item["own"] for item in everything]
    later = await client.get(f"{POWER}?from={text(START + 1)}&to={text(START + 2 * HOUR)}")
    assert [item["from"] for item in later.json()["items"]] == [text(START + HOUR)]


async def test_a_point_that_is_compared_with_nothing_has_no_hours(client: httpx.AsyncClient) -> None:
    body = (await client.get(f"/v1/points/mill/line/copy/comparison{SPAN}")).json()
    assert (body["items"], body["with"], body["within"], body["unit"]) == ([], None, None, "K")


async def test_a_cursor_of_something_else_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{POWER}{SPAN}&cursor=WzEsMl0")
    assert response.status_code == 422
    assert "expected the `next`" in problem_of(response).detail
