"""How sure figures are, from readings to answers: a line at rest whose uncertainties are worked out by hand."""

import json
import math
from typing import Any

import psycopg
import pytest

from ingest.model import HOUR, SECOND
from ingest.restate import Wanted, restate
from ingest.site import Clocks
from ingest.source import Delivery
from ingest.uncertainty.figure import FigureUncertainty
from service.live_uncertainty import AT_ZERO, CANCELS, FAR, Share
from tests.ingest.feeding import Clock, feed, open_site
from tests.ingest.uncertainty.cement import AT_REST, PLANT, START
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.seeding import text

HOURS = 26
CLINKER = "uncertainty: {percent: 1.0, source: worked example, trust: unconfirmed}, calibrated_on: 2026-03-02"
"""Of the clinker's scale in the plant file."""
DELTAS = {"coal", "clinker"}


def readings(begin: int, end: int) -> list[Delivery]:
    """The line at rest, a message an hour."""
    found = []
    for hour in range(begin, end):
        for name, value in AT_REST.items():
            if name == "co2-flow":
                continue
            at = START + (hour + (name in DELTAS)) * HOUR
            body = json.dumps({"ts": at / 1000, "value": value}).encode()
            found.append(Delivery(topic=f"plant/line/{name}", payload=body, received_at=at + SECOND))
    return sorted(found, key=lambda one: one.received_at)


async def fed(dsn: str, plant: str = PLANT, begin: int = 0, end: int = HOURS) -> None:
    clock = Clock(START)
    ingest = await open_site(dsn, plant, clock)
    await feed(ingest, readings(begin, end))
    await ingest.close()


async def asked(dsn: str, path: str) -> dict[str, Any]:
    clock = ServiceClock()
    clock.now = START + HOURS * HOUR
    async with admin_client(dsn, clock) as client:
        response = await client.get(path)
    assert response.status_code == 200, response.text
    return dict(response.json())


def span(begin: int, end: int) -> str:
    return f"from={text(START + begin * HOUR)}&to={text(START + end * HOUR)}"


@pytest.fixture
async def line(dsn: str) -> str:
    await fed(dsn)
    return dsn


async def test_a_series_says_of_every_window_how_sure_it_is(line: str) -> None:
    series = await asked(line, f"/v1/kpis/line/intensity/series?{span(0, 24)}&window=24h&step=12h")
    columns, last = series["columns"], series["uncertainty"]
    assert len(columns["u"]) == 2
    assert columns["u"][1] == pytest.approx(4.4424, abs=5e-3)
    assert columns["U"] == pytest.approx([2 * u for u in columns["u"]])
    assert last["percent"] == pytest.approx(2 * 0.574, abs=2e-3)
    assert last["reason"] is None
    assert last["dominant"][0]["source"] == "instrument clinker-scale"
    assert last["dominant"][0]["u"] < 0


async def test_the_longer_the_span_the_less_is_random(line: str) -> None:
    percents = []
    for window in ("1h", "24h"):
        path = f"/v1/kpis/line/measured/series?{span(0, 24)}&window={window}&step={window}"
        percents.append((await asked(line, path))["uncertainty"]["percent"])
    assert percents == pytest.approx([6.98, 6.345], abs=6e-3)


async def test_live_figures(line: str) -> None:
    figures = {item["id"]: item for item in (await asked(line, "/v1/kpis/latest"))["items"]}
    intensity = figures["line/intensity"]
    assert intensity["value"] == pytest.approx(773.98, abs=0.02)
    assert intensity["uncertainty"]["u"] == pytest.approx(4.4424, abs=5e-3)
    assert figures["line/measured"]["uncertainty"]["percent"] == pytest.approx(6.98, abs=6e-3)


MORE = """\
  - {id: stack-rate, kind: rate, unit: t/h, numerator: [{source: stack}]}
  - {id: coal-rate, kind: rate, unit: t/h, numerator: [{point: coal}]}
  - {id: but-meal, kind: total, unit: t, numerator: [{source: stack}, {source: meal, weight: -1}]}
  - {id: gap-rate, kind: rate, unit: t/h, numerator: [{source: stack}, {source: fuel, weight: -1}, {source: process, weight: -1}, {source: meal, weight: -1}]}
"""  # noqa: E501
"""KPIs."""


async def test_live_figures_whose_share_means_nothing_say_so(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(AT_REST, "coal", 0.0)
    monkeypatch.setitem(AT_REST, "velocity", AT_REST["velocity"] * 101.2 / 161.246)
    await fed(dsn, PLANT.replace("instruments:\n", MORE + "instruments:\n"))
    figures = {item["id"]: item for item in (await asked(dsn, "/v1/kpis/latest"))["items"]}
    told = {name.removeprefix("line/"): item["uncertainty"] for name, item in figures.items()}
    # What is left of 101.2 t less 101.1 t may be off by seven tonnes, or by any multiple of its share.
    assert abs(figures["line/gap"]["value"]) < 1
    for name, reason in (("gap", CANCELS), ("gap-rate", CANCELS), ("coal-rate", AT_ZERO)):
        assert (told[name]["u"], told[name]["reason"]) == (None, reason)
    rate_u = told["stack-rate"]["u"]
    assert rate_u == pytest.approx(0.0698 / 2 * 101.2, rel=1e-3)
    # The live total has two hours, and is one of as many; of it 1.136 t are subtracted, which nobody knows well.
    assert told["measured"]["u"] == pytest.approx(2 * rate_u, rel=1e-3)
    assert told["but-meal"]["u"] == pytest.approx(2 * math.hypot(rate_u, 0.328), rel=1e-3)


@pytest.mark.parametrize(
    ("value", "is_difference", "expected"),
    [
        (50.0, False, 1.0), (300.0, False, 6.0), (50.0, True, 1.0), (99.0, True, 1.98),
        (0.0, False, AT_ZERO), (-50.0, False, FAR), (501.0, False, FAR), (4.9, False, FAR), (101.0, True, FAR),
        (24.0, True, FAR), (-50.0, True, FAR),
    ],
)  # fmt: skip
def test_a_share_is_carried_as_far_as_it_means_something(
    value: float, is_difference: bool, expected: float | str
) -> None:
    """Of 100 of two hours, 2 may be wrong; the live window has one hour."""
    share = Share(100.0, FigureUncertainty(2.0, 1.0, 2.0, 4.0, ()), None, 2.0, is_difference)
    found = share.document(value, HOUR, 0)
    assert found is not None
    assert (found.reason if found.u is None else found.u) == expected


async def test_emissions_count_what_they_share_once(line: str) -> None:
    items = (await asked(line, f"/v1/emissions?{span(0, 24)}&group_by=scope"))["items"]
    routes = {item["route"]: item for item in items}
    calculated, measured = routes["calculated"], routes["measured"]
    assert calculated["value"] == pytest.approx(24 * 161_246, rel=1e-4)
    by_hand = 24_000 * math.hypot(0.501, 1.01136, 0.37, 0.328)
    assert calculated["uncertainty"]["u"] == pytest.approx(by_hand, rel=2e-3)
    assert measured["uncertainty"]["percent"] == pytest.approx(6.345, abs=6e-3)
    assert (measured["mrr_tier"], calculated["mrr_tier"]) == (2, None)


async def test_as_of_an_earlier_batch(line: str) -> None:
    path = f"/v1/kpis/line/measured/series?{span(0, 24)}&window=24h"
    now = await asked(line, path)
    then = await asked(line, f"{path}&as_of={now['as_of']['batch_no']}")
    assert then["columns"]["u"] == now["columns"]["u"]
    assert then["columns"]["u"][0] > 0
    figures = (await asked(line, f"/v1/kpis/latest?as_of={now['as_of']['batch_no']}&site=line"))["items"]
    (intensity,) = [item for item in figures if item["id"] == "line/intensity"]
    assert intensity["uncertainty"]["u"] == pytest.approx(4.4424, abs=5e-3)


async def test_what_the_plan_does_not_say_is_told(dsn: str) -> None:
    silent = PLANT.replace(
        CLINKER,
        CLINKER.replace(
            "uncertainty: {percent: 1.0, source: worked example, trust: unconfirmed}", "accuracy_class: '1'"
        ),
    )
    assert silent != PLANT
    await fed(dsn, silent)
    reason = "instrument clinker-scale has no uncertainty"
    series = await asked(dsn, f"/v1/kpis/line/intensity/series?{span(0, 24)}&window=24h")
    assert (series["uncertainty"]["reason"], series["columns"]["u"]) == (reason, [None])
    figures = {item["id"]: item for item in (await asked(dsn, "/v1/kpis/latest"))["items"]}
    assert figures["line/intensity"]["uncertainty"]["reason"] == reason
    assert figures["line/measured"]["uncertainty"]["u"] > 0
    items = (await asked(dsn, f"/v1/emissions?{span(0, 24)}&group_by=source"))["items"]
    reasons = {item["id"]: item["uncertainty"]["reason"] for item in items}
    assert reasons == {"line/fuel": None, "line/process": reason, "line/meal": reason, "line/stack": None}


async def test_a_span_over_two_calibrations_has_two_sources(dsn: str) -> None:
    """The second plan version names a later calibration: its error has nothing to do with the first's."""
    await fed(dsn, PLANT, 0, 16)
    renewed = PLANT.replace(CLINKER, CLINKER.replace("2026-03-02", "2026-11-21"))
    await fed(dsn, renewed, 16, HOURS)
    one = await asked(dsn, f"/v1/kpis/line/calculated/series?{span(0, 8)}&window=8h")
    both = await asked(dsn, f"/v1/kpis/line/calculated/series?{span(0, 24)}&window=24h")
    assert set(both["columns"]["plan_version"]) == {2}
    other = math.hypot(0.501, 0.37, 0.328)
    assert one["columns"]["u"][0] == pytest.approx(8 * math.hypot(1.01136, other), rel=2e-3)
    # It was calibrated at midnight, after 16 of the 24 hours.
    apart = math.hypot(16 * 1.01136, 8 * 1.01136, 24 * other)
    assert both["columns"]["u"][0] == pytest.approx(apart, rel=2e-3)


async def test_a_plan_version_that_cannot_be_read_any_more_takes_no_answer_away(line: str) -> None:
    """Only what it would have told of uncertainty."""
    renewed = PLANT.replace(CLINKER, CLINKER.replace("2026-03-02", "2026-11-21"))
    await fed(line, renewed, HOURS, HOURS + 4)
    with psycopg.connect(line) as connection:
        connection.execute("UPDATE plan_version SET body = '{}' WHERE version = 1")
    series = await asked(line, f"/v1/kpis/line/calculated/series?{span(0, 24)}&window=24h")
    assert series["columns"]["value"][0] == pytest.approx(24 * 161.246, rel=1e-4)
    assert series["uncertainty"]["reason"] == "plan version 1 cannot be read any more"
    items = (await asked(line, f"/v1/emissions?{span(0, 24)}&group_by=gas"))["items"]
    assert {item["uncertainty"]["reason"] for item in items} == {"plan version 1 cannot be read any more"}


async def test_a_restated_figure_is_as_sure_as_its_version_says(dsn: str) -> None:
    """Its intervals name the version that folded them, it the one that weighed them."""
    await fed(dsn)
    path = f"/v1/emissions?{span(0, 24)}&group_by=source"
    doubled = PLANT.replace("value: 0.48, unit: t/t", "value: 0.96, unit: t/t").replace(
        "percent: 0.37", "percent: 3.7"
    )
    clock = Clock(START + HOURS * HOUR)
    await (await open_site(dsn, doubled, clock)).close()
    then = {item["id"]: item for item in (await asked(dsn, path))["items"]}["line/process"]
    wanted = Wanted(None, None, text(START), text(START + 24 * HOUR))
    await restate(dsn, wanted, Clocks(clock.now, clock.monotonic), "a test")
    now = {item["id"]: item for item in (await asked(dsn, path))["items"]}["line/process"]
    assert now["value"] == pytest.approx(2 * then["value"])
    assert then["uncertainty"]["u"] == pytest.approx(math.hypot(0.01, 0.0037) * then["value"], rel=1e-6)
    assert now["uncertainty"]["u"] == pytest.approx(math.hypot(0.01, 0.037) * now["value"], rel=1e-6)
    series = await asked(dsn, f"/v1/kpis/line/calculated/series?{span(0, 24)}&window=24h")
    assert series["uncertainty"]["reason"] is None
    # The scale's error is in the process and in the raw meal's carbon: 1 % of 201.136 t.
    by_hand = 24 * math.hypot(0.501, 2.01136, 0.037 * 200.0, 0.328)
    assert series["columns"]["u"][0] == pytest.approx(by_hand, rel=2e-3)
