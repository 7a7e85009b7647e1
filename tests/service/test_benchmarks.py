"""Benchmarks beside live figures: the band follows the value, and without a value there is none."""

import httpx

from ingest.methods.bands import band
from ingest.plant import compile_plan, parse_plant
from service.benchmarks import beside, by_kpi
from service.figures import latest_figures
from tests.ingest.plant.test_benchmarks import HEAD, declared

INTENSITY = "cement/electricity-intensity"


async def test_the_live_figures_tell_their_band(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/kpis/latest?site=cement")).json()["items"]
    mine = [item for item in items if item["id"] == INTENSITY]
    assert mine
    for item in mine:
        assert item["benchmarks"] == {"advanced": 48.0, "limit": 61.0}
        value = item["value"]
        expected = (
            None if value is None else "better" if value <= 48 else "worse" if value > 61 else "between"
        )
        assert item["band"] == expected
    assert any(item["band"] is not None for item in mine)
    without = [item for item in items if item["id"] == "cement/power"]
    assert [(item["band"], item["benchmarks"]) for item in without] == [(None, {})] * len(without)
    text = (await client.get("/v1/kpis/latest?site=cement&format=csv")).text
    assert text.splitlines()[0].endswith(",band,benchmarks")
    assert ",advanced=48.0 limit=61.0" in text


async def test_kpis_and_plants_list_theirs(client: httpx.AsyncClient) -> None:
    kpis = {kpi["id"]: kpi for kpi in (await client.get("/v1/kpis?site=cement")).json()["items"]}
    limit, advanced = kpis[INTENSITY]["benchmarks"]
    assert (limit["level"], limit["value"], limit["corrected"], limit["unit"]) == (
        "limit",
        61.0,
        61.0,
        "kWh/t",
    )
    assert (advanced["id"], advanced["trust"]) == ("cement/electricity-advanced", "P")
    (plant,) = (await client.get("/v1/plant?site=cement")).json()["items"]
    assert [mark["id"] for mark in plant["benchmarks"][:2]] == [limit["id"], advanced["id"]]


def test_a_figure_never_computed_has_no_band() -> None:
    plan = compile_plan(parse_plant(f"{HEAD}  - {declared('limit', 61)}\n", "mill.yaml"))
    figure, *_ = latest_figures(plan, {}, 0, {})
    told = beside(figure, by_kpi([plan]))
    assert (told.id, told.band, told.benchmarks) == ("mill/power", None, {})
    assert band(plan.benchmarks, 0.05) == "better"
