"""A kiln whose stack is measured, under any regime, and what is said of it; a reading every quarter of an hour."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection

from ingest.model import HOUR, MINUTE
from ingest.site import SiteIngest
from ingest.source import Delivery
from ingest.store.analyser_tests import waiting
from tests.ingest.feeding import START

QUARTER = 15 * MINUTE

PLANT = """\
site: mill
name: A kiln
time_zone: UTC
clock: live
interval: 15min
lateness: 5s
units: [{id: line, name: Line}]
points:
  - {id: line/co2, kind: sample, unit: "%", basis: GAS, period: 15min, max_gap: 15min, sloped: false, limits: [-5, 40]}
  - {id: line/flow, kind: sample, unit: PER_HOUR, basis: STATE, period: 15min, max_gap: 15min, sloped: false}
  - {id: line/running, kind: state, period: 15min, max_gap: 1d, states: {stopped: 0, running: 1}}
  - {id: line/co2-flow, kind: gauge, unit: t/h, period: 15min, max_gap: 15min, sloped: false}
instruments:
  - {id: co2-analyser, points: [line/co2], kind: CO2 analyser, accuracy_class: "1", calibrated_on: 2026-01-01, due_on: 2036-01-01}
sources:
  - id: line/stack
    scope: 1
    category: combined
    gas: co2
    route: measured
    activity: line/co2-flow
    regime:
      rule: RULE
      equation: EQUATION
      concentration: line/co2
      flow: line/flow
      operating: {state: line/running, running: [running]}
      utc_offset: "OFFSET"
"""  # noqa: E501
POTENTIAL = "      maximum_potential: {concentration: 16, flow: 2.0e+7}\n"


def plant(rule: str) -> str:
    """The plant file under a rule."""
    words = {
        "part75": ("40cfr75.f-11", "wet", "scfh", "[20C, wet]", "-05:00"),
        "part98": ("40cfr98.c-6", "wet", "scfh", "[20C, wet]", "-05:00"),
        "hj75": ("hj212-2017.33", "dry", "m3/h", "[0C, dry]", "+08:00"),
        "mrr": ("mrr.eq-1", "[0C, dry]", "m3/h", "[0C, dry]", "+01:00"),
    }[rule]
    text = PLANT.replace("RULE", rule)
    for name, word in zip(("EQUATION", "GAS", "PER_HOUR", "STATE", "OFFSET"), words, strict=True):
        text = text.replace(name, word)
    if rule == "mrr":
        text = text.replace('unit: "%", basis', "unit: g/m3, basis").replace(
            "limits: [-5, 40]", "limits: [-5, 900]"
        )
    return text + (POTENTIAL if rule == "part75" else "")


Value = Callable[[int], float | None]
"""Quarter of the stretch → value; None: nothing is said."""


def said(point: str, value: Value, begin: int, end: int, quality: str = "good") -> list[Delivery]:
    """Readings of quarters [begin, end) from START, a hundred hours a message."""
    found = []
    for low in range(begin, end, 400):
        places = [q for q in range(low, min(low + 400, end)) if value(q) is not None]
        if not places:
            continue
        body = {
            "ts": [(START + q * QUARTER) / 1000 for q in places],
            "value": [value(q) for q in places],
            "quality": [quality] * len(places),
        }
        found.append(
            Delivery(
                topic=f"plant/mill/{point}",
                payload=json.dumps(body).encode(),
                received_at=START + places[-1] * QUARTER + 100_000,
            )
        )
    return found


def concentration(quarter: int) -> float:
    """Goes round 10.0 … 10.9 hour by hour."""
    return 10.0 + 0.1 * (quarter // 4 % 10)


def steady(_: int) -> float:
    """The flow."""
    return 1.0e7


def running(_: int) -> float:
    """The state."""
    return 1


def stretch(begin_h: int, end_h: int, *, dead: range = range(0)) -> list[Delivery]:
    """All points over hours; in dead ones the analyser says nothing."""
    begin, end = begin_h * 4, end_h * 4
    parts = [
        said("line/co2", lambda q: None if q // 4 in dead else concentration(q), begin, end),
        said("line/flow", steady, begin, end),
        said("line/running", running, begin, end),
    ]
    return sorted((one for part in parts for one in part), key=lambda one: one.received_at)


def hours(dsn: str, table: str = "regime_hour") -> dict[int, dict[str, Any]]:
    """Hour of the stretch → its row, of the history the last."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            f"""
            SELECT ((extract(epoch FROM start_at) * 1000000 - {START}) / {HOUR})::int, mass_kg, components, provisional,
                   reasons, revision, cause, quality, rate, batch_no
              FROM {table} ORDER BY start_at, batch_no
            """.encode()
        ).fetchall()
    names = (
        "mass_kg",
        "components",
        "provisional",
        "reasons",
        "revision",
        "cause",
        "quality",
        "rate",
        "batch_no",
    )
    return {hour: dict(zip(names, rest, strict=True)) for hour, *rest in found}


def tell_test(dsn: str, hour: float, *, passed: bool, kind: str = "daily_calibration") -> None:
    """Put a test of the CO2 analyser into the inbox."""
    measured = 10.0 if passed else 13.0
    readings: dict[str, Any] = {
        "quantity": "diluent",
        "span": 20.0,
        "injections": [{"level": "span", "reference": 10.0, "measured": measured}],
    }
    if kind == "drift":
        check = {"quantity": "gas_span", "reference": 10.0, "measured": measured, "full_scale": 20.0}
        readings = {"checks": [check]}
    elif kind == "linearity":
        readings = {"diluent": True, "levels": [{"reference": [10.0] * 3, "measured": [measured] * 3}]}
    elif kind == "recertification":
        readings = {"requires": ["linearity"]}
    body = {
        "instrument": "mill/co2-analyser",
        "kind": kind,
        "performed_us": int(START + hour * HOUR),
        "readings": readings,
    }
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            INSERT INTO inbox (site_no, kind, body, idempotency_key, author, received_at)
            SELECT site_no, 'test', %s, gen_random_uuid()::text, 'tester', to_timestamp(4000000000) FROM site
            """,
            [json.dumps(body)],
        )


async def examine(ingest: SiteIngest, dsn: str) -> None:
    """Let ingest take the tests that wait."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        asked = await waiting(connection, 1, 100)
    for one in asked:
        await ingest.examine(one)


def column(found: dict[int, dict[str, Any]], places: Sequence[int], component: str, name: str) -> list[Any]:
    """One entry of a component in some hours."""
    return [found[hour]["components"][component][name] for hour in places]
