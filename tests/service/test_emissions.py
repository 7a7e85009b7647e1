"""Emissions of a span, by group; routes and gases stay apart."""

import math

import httpx
import pytest

from ingest.model import HOUR, MINUTE
from tests.service.seeding import CLOSED, emitted_kg, text

PATH = f"/v1/emissions?site=cement&from={text(CLOSED - HOUR)}&to={text(CLOSED)}"
DIRECT = ["cement/kiln/fuel", "cement/kiln/process", "cement/kiln/raw-meal"]


def mass(*sources: str) -> float:
    starts = range(CLOSED - HOUR, CLOSED, MINUTE)
    return math.fsum(emitted_kg(source, start_at) for source in sources for start_at in starts)


async def test_scope_1_is_told_once_per_route(client: httpx.AsyncClient) -> None:
    items = (await client.get(PATH)).json()["items"]
    told = {(item["group"], item["route"]): item["value"] for item in items}
    assert told == {
        ("1", "calculated"): mass(*DIRECT),
        ("2", "calculated"): mass("cement/electricity"),
        ("1", "measured"): mass("cement/kiln/stack"),
    }


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [
        ("scope", {"1", "2"}),
        ("category", {"combustion", "process", "purchased", "combined"}),
        ("source", {*DIRECT, "cement/electricity", "cement/kiln/stack"}),
        ("method", {"activity.factor", "hj212-2017.annex-d"}),
        ("gas", {"co2"}),
    ],
)
async def test_no_grouping_adds_the_routes(
    client: httpx.AsyncClient, group_by: str, groups: set[str]
) -> None:
    items = (await client.get(f"{PATH}&group_by={group_by}")).json()["items"]
    assert {item["group"] for item in items} == groups
    calculated = math.fsum(item["value"] for item in items if item["route"] == "calculated")
    measured = [item["value"] for item in items if item["route"] == "measured"]
    assert calculated == pytest.approx(mass(*DIRECT, "cement/electricity"), rel=1e-14)
    assert measured == [mass("cement/kiln/stack")]
    for item in items:
        routes = {"measured" if source == "cement/kiln/stack" else "calculated" for source in item["sources"]}
        assert routes == {item["route"]}


async def test_the_span_ends_where_the_data_end(client: httpx.AsyncClient) -> None:
    path = f"/v1/emissions?site=cement&from={text(CLOSED - HOUR)}&to={text(CLOSED + HOUR)}"
    for item in (await client.get(path)).json()["items"]:
        assert (item["to"], item["window"], item["valid_share"]) == (text(CLOSED), "1h", 1.0)


async def test_sites_are_not_added(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/emissions?group_by=gas")).json()["items"]
    assert [item["site"] for item in items] == ["cement", "cement", "steel"]
    assert items[-1]["reason"] == "no_data"
