"""Measured against calculated, from readings to answers: a kiln at rest for 34 days, and what goes wrong with it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from ingest.model import HOUR, SECOND
from ingest.source import Delivery
from tests.ingest.feeding import Clock, feed, open_site
from tests.ingest.uncertainty.cement import AT_REST, START
from tests.ingest.uncertainty.cement import PLANT as LINE
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.seeding import text

DAYS = 34
LAST_H = 24 * DAYS
DELTAS = {"coal", "clinker"}
_DATES = "calibrated_on: 2026-03-02, due_on: 2036-03-02"
PLANT = (
    LINE.replace(
        "  - {id: velocity, kind",
        '  - {id: o2, kind: sample, unit: "%", basis: dry, period: 1h, max_gap: 2h}\n  - {id: velocity, kind',
    ).replace(
        "kpis:\n",
        "  - {id: default, scope: 1, category: process, gas: co2, route: calculated, activity: clinker,"
        " factors: [default]}\n"
        "kpis:\n",
    ).replace(
        "points:\n",
        "  - {id: default, value: 0.535, unit: t/t, source: x, trust: unconfirmed, uncertainty_class: default-clinker}\n"
        "points:\n", 1,
    )
    + f"""\
  - {{id: zirconia, points: [o2], kind: analyser, uncertainty_class: o2-analyser, {_DATES}}}
reconciliations:
  - id: stack
    measured: stack
    calculated: [{{source: fuel}}, {{source: process}}, {{source: meal}}]
    methods: [default]
    gas: {{co2: co2, o2: o2, rq: 0.8877, fuel: [fuel, meal], product: clinker, fuel_kg_per_product: 293.98, baseline_percent: 1.5}}
"""  # noqa: E501
)  # fmt: skip
REST = {**AT_REST, "o2": 10.0}

Change = Callable[[str, int, float], float | None]
"""(point, hour, value) → what is read; None: nothing."""


async def fed(dsn: str, change: Change, plant: str = PLANT) -> None:
    found = []
    for hour in range(LAST_H + 1):
        for name, at_rest in REST.items():
            value = None if name == "co2-flow" else change(name, hour, at_rest)
            if value is None:
                continue
            at = START + (hour + (name in DELTAS)) * HOUR
            body = json.dumps({"ts": at / 1000, "value": value}).encode()
            found.append(Delivery(topic=f"plant/line/{name}", payload=body, received_at=at + SECOND))
    ingest = await open_site(dsn, plant, Clock(START))
    await feed(ingest, sorted(found, key=lambda one: one.received_at), batch=2000)
    await ingest.close()


async def asked(dsn: str, days: int = 1) -> dict[str, Any]:
    clock = ServiceClock()
    clock.now = START + LAST_H * HOUR
    begin = START + (LAST_H - 24 * days) * HOUR
    async with admin_client(dsn, clock) as client:
        path = f"/v1/reconciliations/line/stack?from={text(begin)}&to={text(clock.now)}"
        response = await client.get(path)
    assert response.status_code == 200, response.text
    return dict(response.json())


def from_day(day: int, faulty: str, factor: float) -> Change:
    """One point reads wrong from a day on."""
    return lambda name, hour, value: value * factor if name == faulty and hour >= 24 * day else value


def residuals(found: dict[str, Any]) -> list[float]:
    return [one["percent"] for one in found["composition"]["residuals"]]


async def test_a_plant_at_rest(dsn: str) -> None:
    await fed(dsn, lambda _, __, value: value)
    found = await asked(dsn)
    assert (found["hours"], found["valid_hours"]) == (24, 24)
    assert found["calculated_kg"] == pytest.approx(24 * 161_246, rel=1e-4)
    assert found["difference_percent"] == pytest.approx(0, abs=0.01)
    # u(D) = √(3.172² + 0.774²) % of the mass over a day: the limit that is stated.
    assert found["bias"] == {
        "verdict": "within", "limit_kg": pytest.approx(found["uncertainty"]["U"]),
        "limit_percent": pytest.approx(6.5, abs=0.1), "reason": None,
    }  # fmt: skip
    assert found["change"]["verdict"] == "within"
    assert [one["is_beyond"] for one in found["change"]["windows"]] == [False] * 3
    assert residuals(found) == pytest.approx([0, 0, 0, 0], abs=0.3)
    assert found["composition"]["verdict"] == "nothing stands out"
    # The default route differs by construction: shown, and no verdict.
    (method,) = found["methods"]
    assert method["source"] == "line/default"
    assert method["mass_kg"] == pytest.approx(24 * 208_333 * 0.535, rel=1e-4)
    week = await asked(dsn, days=7)
    assert week["valid_hours"] == 168
    assert week["bias"]["limit_percent"] < found["bias"]["limit_percent"]


async def test_a_drift_below_the_limit_of_bias_is_a_change(dsn: str) -> None:
    await fed(dsn, from_day(31, "velocity", 0.955))
    found = await asked(dsn)
    assert found["difference_percent"] == pytest.approx(-4.5, abs=0.1)
    assert found["bias"]["verdict"] == "within"
    assert found["change"]["verdict"] == "beyond"
    first, *_, last = found["change"]["windows"]
    assert first["change_kg_per_h"] == pytest.approx(-0.045 * 161_246, rel=1e-3)
    assert abs(last["change_kg_per_h"]) < abs(first["change_kg_per_h"])  # its reference holds two bad days
    assert residuals(found)[1:3] == pytest.approx([-4.5, -4.5], abs=0.3)


async def test_a_large_fault_is_beyond_and_named(dsn: str) -> None:
    await fed(dsn, from_day(30, "velocity", 0.85))
    found = await asked(dsn)
    assert found["bias"]["verdict"] == "beyond"
    assert {"flow", "leak"} <= set(found["composition"]["likely"])


async def test_only_hours_valid_in_both_are_compared(dsn: str) -> None:
    def gaps(name: str, hour: int, value: float) -> float | None:
        lost = (name == "co2" and LAST_H - 20 <= hour < LAST_H - 15) or (
            name == "coal" and hour == LAST_H - 3
        )
        return None if lost else value

    await fed(dsn, gaps)
    found = await asked(dsn)
    # A value of the analyser holds for two hours.
    assert found["valid_hours"] == 24 - 4 - 1
    assert found["difference_percent"] == pytest.approx(0, abs=0.01)
    assert found["bias"]["verdict"] == "not_judged"
    assert found["bias"]["reason"] == "19 hours are valid in both accounts; a day is needed"
    assert (await asked(dsn, days=2))["bias"]["verdict"] == "within"


async def test_hours_that_are_partly_covered_are_as_uncertain_as_they_are_compared(dsn: str) -> None:
    """The stack has four fifths of each hour: the hours count whole, and so does what they may be off by."""
    await fed(dsn, lambda _, __, value: value)
    whole = await asked(dsn)
    part = "covered_us = covered_us * 4 / 5, valid_us = valid_us * 4 / 5"
    with psycopg.connect(dsn) as connection:
        connection.execute(
            f"UPDATE interval SET amount = 0.8 * amount, {part} FROM point p"
            " WHERE interval.point_no = p.point_no AND p.id = 'line/co2-flow'"
        )
        connection.execute(
            f"UPDATE emission SET mass_kg = 0.8 * mass_kg, {part} FROM source s"
            " WHERE emission.source_no = s.source_no AND s.id = 'line/stack'"
        )
    found = await asked(dsn)
    assert (found["valid_hours"], found["measured_kg"]) == (24, pytest.approx(whole["measured_kg"]))
    assert found["uncertainty"]["u"] == pytest.approx(whole["uncertainty"]["u"], rel=1e-6)
    assert found["bias"]["limit_kg"] == pytest.approx(whole["bias"]["limit_kg"], rel=1e-6)
    limits = [[one["limit_kg_per_h"] for one in answer["change"]["windows"]] for answer in (found, whole)]
    assert limits[0] == pytest.approx(limits[1], rel=1e-6)


async def test_what_is_not_known_is_not_judged(dsn: str) -> None:
    silent = PLANT.replace("uncertainty_class: moisture-analyser", "accuracy_class: '1'")
    assert silent != PLANT
    await fed(dsn, from_day(30, "velocity", 0.5), silent)
    found = await asked(dsn)
    reason = "instrument wet has no uncertainty"
    assert found["difference_percent"] == pytest.approx(-50, abs=0.1)
    assert (found["bias"]["verdict"], found["bias"]["reason"]) == ("not_judged", reason)
    assert (found["change"]["verdict"], found["uncertainty"]["reason"]) == ("not_judged", reason)
    assert (found["composition"]["verdict"], found["composition"]["reason"]) == ("not judged", reason)
    assert residuals(found)[2] == pytest.approx(-50, abs=0.1)


async def test_no_data_and_no_such_reconciliation(client: httpx.AsyncClient) -> None:
    found = (
        await client.get(
            "/v1/reconciliations/cement/kiln-stack?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
        )
    ).json()
    assert (found["valid_hours"], found["difference_kg"], found["uncertainty"]) == (0, None, None)
    assert found["bias"]["verdict"] == found["change"]["verdict"] == "not_judged"
    assert (await client.get("/v1/reconciliations/cement/nothing")).status_code == 404
    long = await client.get(
        "/v1/reconciliations/cement/kiln-stack?from=2024-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
    )
    assert long.json()["detail"].endswith("expected at most 9600; ask for a shorter span.")
