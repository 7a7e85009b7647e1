"""The register of instruments: what it tells, and from when an instrument is due soon or overdue."""

from datetime import UTC, datetime

import httpx
import pytest

from ingest.model import DAY, SECOND
from ingest.plant import compile_plan, parse_plant
from service.instruments import instrument_documents

PLANT = """\
site: mill
name: Mill
time_zone: Asia/Shanghai
units: [{id: line, name: Line}]
points: [{id: line/energy, kind: counter, unit: kWh, period: 5s}]
instruments:
  - {id: meter, points: [line/energy], kind: meter, uncertainty: {percent: 0.33, source: its certificate, trust: R},
     calibrated_on: 2026-03-02, due_on: 2027-03-02}
  - {id: spare, points: [line/energy], kind: meter, accuracy_class: 0.5S, calibrated_on: 2026-03-02, due_on: 2030-01-01}
"""
DUE_AT = int(datetime(2027, 3, 1, 16, tzinfo=UTC).timestamp()) * SECOND
"""The midnight in Shanghai with which 2 March 2027 begins."""


@pytest.mark.parametrize(
    ("now", "state", "effective"),
    [
        (DUE_AT - 30 * DAY - 1, "ok", 0.33),
        (DUE_AT - 30 * DAY, "due_soon", 0.33),
        (DUE_AT - 1, "due_soon", 0.33),
        (DUE_AT, "overdue", 0.66),
    ],
)
def test_from_the_midnight_of_its_day_it_is_overdue_and_counts_twice(
    now: int, state: str, effective: float
) -> None:
    meter, spare = instrument_documents(compile_plan(parse_plant(PLANT, "x")), now)
    assert (meter.state, meter.due_at) == (state, DUE_AT)
    assert (meter.uncertainty_percent, meter.effective_uncertainty_percent) == (0.33, effective)
    assert (spare.state, spare.uncertainty_percent, spare.effective_uncertainty_percent) == ("ok", None, None)


async def test_the_register_of_a_site(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/instruments?site=cement")).json()["items"]
    assert [item["id"] for item in items][:2] == ["cement/main-meter", "cement/coal-scale"]
    assert items[0]["points"] == ["cement/substation/energy", "cement/substation/reactive-energy"]
    assert {item["state"] for item in items} == {"ok"}


async def test_a_replayed_site_is_judged_at_the_end_of_its_data(client: httpx.AsyncClient) -> None:
    (item,) = (await client.get("/v1/instruments?site=steel")).json()["items"]
    assert (item["due_on"], item["state"]) == ("2027-06-01", "ok")
