"""Factors from the ledger, series of them, and what the compiler makes of both."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest import factors as the_ledger
from ingest.errors import PlantError
from ingest.model import SECOND
from ingest.plant import canonical, compile_plan, parse_plant, plan_from_body
from ingest.plant.commands import schema
from ingest.plant.parse import from_body

HEAD = """\
site: mill
name: Mill
time_zone: Asia/Shanghai
units: [{id: line, name: Line}]
points:
  - {id: line/energy, kind: counter, unit: kWh, period: 5s}
  - {id: line/gas, kind: counter, unit: Nm3, period: 5s}
  - {id: line/coal, kind: counter, unit: t, period: 5s}
  - {id: line/grid, kind: sample, unit: g/kWh, period: 1h}
"""
SOURCE = "{{id: {0}, scope: {1}, category: purchased, gas: co2, route: calculated, activity: {2}, {3}}}"


def source(name: str, activity: str, factors: str, scope: int = 2) -> str:
    return "  - " + SOURCE.format(name, scope, activity, factors) + "\n"


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * SECOND


BURNT = """\
factors:
  - {id: ncv, from: {kind: ncv, subject: natural_gas, edition: cn-24-sector}}
  - {id: carbon, from: {kind: carbon_per_heat, subject: natural_gas, edition: cn-24-sector}}
  - {id: oxidation, from: {kind: oxidation, subject: natural_gas, edition: cn-24-sector}}
  - {id: coal-ncv, from: {kind: ncv, subject: bituminous, edition: cn-ets-cement-2024}}
  - {id: coal-carbon, from: {kind: carbon_per_heat, subject: bituminous, edition: cn-ets-cement-2024}}
  - {id: coal-oxidation, from: {kind: oxidation, subject: bituminous, edition: cn-ets-cement-2024, equipment: cement_kiln}}
  - {id: co2, from: {kind: stoichiometry, subject: carbon}}
sources:
"""


def test_fuel_burnt_with_the_ledger_s_factors() -> None:
    text = source("gas", "line/gas", "factors: [ncv, carbon, oxidation, co2]", 1)
    text += source("coal", "line/coal", "factors: [coal-ncv, coal-carbon, coal-oxidation, co2]", 1)
    gas, coal = compile_plan(parse_plant(HEAD + BURNT + text, "mill.yaml")).sources
    assert gas.kg_per_amount == pytest.approx(2.16219, rel=1e-5)  # 21.6219 t per 10000 Nm3
    assert coal.kg_per_amount == pytest.approx(23.076 * 0.02618 * 0.99 * 44 / 12 * 1000)


def test_a_stored_body_is_a_plant_file_too() -> None:
    """What stands beside a key of the ledger may say what the key leads to, and nothing else."""
    text = HEAD + BURNT + source("gas", "line/gas", "factors: [ncv, carbon, oxidation, co2]", 1)
    digest, body = canonical(parse_plant(text, "mill.yaml"))
    assert canonical(parse_plant(json.dumps(body), "mill.yaml"))[0] == digest
    body["factors"][0]["value"] *= 2
    with pytest.raises(PlantError, match="expected nothing beside from"):
        parse_plant(json.dumps(body), "mill.yaml")


def test_what_was_looked_up_stands_in_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that mends a row of the ledger changes no version that was applied before."""
    text = (
        HEAD
        + "factors: [{id: grid, from: {kind: grid, subject: co2_average, geography: CN, data_year: 2023}}]\n"
    )
    text += "sources:\n" + source("power", "line/energy", "factors: [grid]")
    digest, body = canonical(parse_plant(text, "mill.yaml"))
    body = json.loads(json.dumps(body))
    (frozen,) = body["factors"]
    assert (frozen["value"], frozen["unit"], frozen["trust"], frozen["kind"]) == (
        0.5306,
        "t/MWh",
        "P",
        "co2_average",
    )
    assert (frozen["region"], frozen["data_year"], frozen["published"]) == ("CN", 2023, "2025-12-31")
    assert frozen["from"]["data_year"] == 2023

    def mended(*_: Any) -> None:
        raise AssertionError("a stored version asks the ledger")

    monkeypatch.setattr(the_ledger.look_up, "ledger", mended)
    assert plan_from_body(body, 3).sources[0].kg_per_amount == pytest.approx(0.5306)
    assert canonical(from_body(body, "stored"))[0] == digest


SERIES = """\
factors:
  - id: grid
    series:
      - {since: 2021-01-01, from: {kind: grid, subject: co2_average, geography: CN, data_year: 2021}}
      - {since: 2022-01-01, from: {kind: grid, subject: co2_average, geography: CN, data_year: 2022}}
      - {since: "2022-07-01T00:00:00+08:00", source: not published, trust: unconfirmed}
  - {id: loss, unit: "1", series: [{since: 2021-06-01, value: 1.02, source: grid, trust: P}]}
sources:
"""


def test_a_series_is_cut_at_midnights_of_the_plant() -> None:
    plan = compile_plan(
        parse_plant(HEAD + SERIES + source("power", "line/energy", "factors: [grid]"), "mill.yaml")
    )
    (power,) = plan.sources
    assert [since for since, _ in power.steps] == [
        at("2021-01-01T00:00:00+08:00"),
        at("2022-01-01T00:00:00+08:00"),
        at("2022-07-01T00:00:00+08:00"),
    ]
    assert [value for _, value in power.steps[:2]] == [0.5568, 0.5366]
    assert math.isnan(power.steps[2][1])


def test_several_series_of_a_source_change_where_any_does() -> None:
    """Nothing is known before the last of them begins."""
    plan = compile_plan(
        parse_plant(HEAD + SERIES + source("power", "line/energy", "factors: [grid, loss]"), "mill.yaml")
    )
    values = [value for _, value in plan.sources[0].steps]
    assert math.isnan(values[0])
    assert values[1:3] == [pytest.approx(0.5568 * 1.02), pytest.approx(0.5366 * 1.02)]
    assert math.isnan(values[3])


def test_a_factor_point_gives_the_unit() -> None:
    text = (
        HEAD
        + "sources:\n"
        + source("power", "line/energy", "factor_point: line/grid, basis: location, supply: grid")
    )
    (power,) = compile_plan(parse_plant(text, "mill.yaml")).sources
    assert power.kg_per_amount == 0.001
    assert power.points == (0, 3)
    assert (power.basis, power.supply, power.varies) == ("location", "grid", True)


def test_a_body_of_before_series_still_compiles() -> None:
    text = HEAD + "factors: [{id: grid, value: 0.5, unit: t/MWh, source: x, trust: P}]\nsources:\n"
    _, body = canonical(parse_plant(text + source("power", "line/energy", "factors: [grid]"), "mill.yaml"))
    for entry in (*body["factors"], *body["sources"]):
        for key in ("from", "series", "factor_point", "basis", "supply"):
            if not (key == "basis" and "value" in entry):
                entry.pop(key, None)
    assert plan_from_body(body, 1).sources[0].kg_per_amount == 0.5


def test_the_schema_asks_for_nothing_that_is_looked_up() -> None:
    entries = schema()["$defs"]
    assert entries["Factor"]["required"] == ["id"]
    assert entries["Benchmark"]["required"] == ["id", "kpi", "level"]
    assert entries["FactorStep"]["required"] == ["since"]
    assert {"required": ["from"]} in entries["FactorStep"]["anyOf"]
    assert "from" in entries["Factor"]["properties"]
