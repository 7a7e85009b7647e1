"""Benchmarks: versions by date, corrections of the standard, and the band a figure is in."""

from datetime import UTC, datetime

import pytest

from ingest.errors import PlantError
from ingest.methods.bands import band, in_force
from ingest.model import SECOND
from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan_benchmark import PlanBenchmark

HEAD = """\
site: mill
name: Mill
time_zone: Asia/Shanghai
units: [{id: line, name: Line}]
points:
  - {id: line/energy, kind: counter, unit: kWh, period: 5s}
  - {id: line/coal, kind: counter, unit: kg, period: 5s}
  - {id: line/product, kind: counter, unit: t, period: 5s}
factors: [{id: coal, from: {kind: standard_coal, subject: raw_coal}}]
kpis:
  - {id: power, kind: ratio, unit: MWh/t, numerator: [{point: line/energy}], denominator: [{point: line/product}]}
  - {id: energy, kind: ratio, unit: kgce/t, basis: calorific, numerator: [{point: line/coal, factors: [coal]}], denominator: [{point: line/product}]}
benchmarks:
"""  # noqa: E501


def marks(*lines: str) -> tuple[PlanBenchmark, ...]:
    return compile_plan(
        parse_plant(HEAD + "".join(f"  - {line}\n" for line in lines), "mill.yaml")
    ).benchmarks


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * SECOND


def declared(level: str, value: float, name: str = "", **more: object) -> str:
    said = "".join(f", {key}: {what}" for key, what in more.items())
    given = f"id: {name or level.replace('_', '-')}, kpi: power, value: {value}, unit: kWh/t, level: {level}"
    return f"{{{given}, source: x, trust: P{said}}}"


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (
            {"advanced": 48, "baseline": 57, "limit": 61},
            ["better", "better", "between", "between", "worse", "worse"],
        ),
        ({"advanced": 48, "limit": 61}, ["better", "better", "between", "between", "between", "worse"]),
        ({"advanced": 48}, ["better", "better", "worse", "worse", "worse", "worse"]),
        ({"limit": 61}, ["better", "better", "better", "better", "better", "worse"]),
        ({"own_best": 45}, [None] * 6),
        ({}, [None] * 6),
    ],
)
def test_the_band_of_a_figure(levels: dict[str, float], expected: list[str | None]) -> None:
    found = marks(*(declared(level, value) for level, value in levels.items())) if levels else ()
    held = in_force(found, at("2026-11-20T00:00:00Z"))
    # In MWh/t, the KPI's unit; the benchmarks are in kWh/t.
    assert [band(held, kwh / 1000) for kwh in (40, 48, 48.001, 57, 61, 61.001)] == expected


def test_more_may_be_better() -> None:
    found = marks(declared("advanced", 90, better="higher"), declared("limit", 80, better="higher"))
    assert [band(found, kwh / 1000) for kwh in (95, 90, 85, 80, 79)] == [
        *("better", "better", "between", "between", "worse")
    ]


def test_a_limit_that_tightens_does_so_at_midnight_of_the_plant() -> None:
    found = marks(
        declared("limit", 61, "old", valid_to="2028-01-01"),
        declared("limit", 55, "new", valid_from="2027-01-01"),
    )

    def held(when: str) -> list[str]:
        return [mark.id for mark in in_force(found, at(when))]

    assert held("2026-12-31T23:59:59+08:00") == ["mill/old"]
    assert held("2027-01-01T00:00:00+08:00") == ["mill/new"]
    assert held("2030-01-01T00:00:00+08:00") == ["mill/new"]
    assert marks(declared("limit", 61, valid_to="2027-01-01"))[0].to_at == at("2027-01-01T00:00:00+08:00")


def test_a_norm_of_the_ledger_with_its_corrections() -> None:
    """GB 16780-2021, cement: 94 kgce/t at level 3, 1.20 a point of clinker ratio, and its factor of altitude."""
    found = marks(
        "{id: limit, kpi: energy, level: limit, from: {kind: norm_level_3, subject: cement}, corrections: ["
        "{per_point: 1.20, reference: 75, actual: 72, source: GB 16780-2021, trust: P}, "
        "{base: 1.179, slope: 0.211, pressure: 80000, source: GB 16780-2021, trust: P}]}"
    )
    assert found[0].value == pytest.approx((94 - 3.6) * (1.179 - 0.211 * 80000 / 101325))
    capped = marks(
        "{id: limit, kpi: energy, level: limit, from: {kind: norm_level_1, subject: blast_furnace}, corrections: "
        "[{per_point: -3.61, reference: 62, actual: 50, most: 5, source: GB 21256-2025, trust: P}]}"
    )
    assert capped[0].value == pytest.approx(361 + 5 * 3.61)
    assert (capped[0].source, capped[0].trust) == ("GB 21256-2025 (transcription with clause and table)", "P")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([declared("limit", 1, "a"), declared("limit", 2, "b")], "expected another day than a"),
        (
            [declared("limit", 1, valid_from="2027-01-01", valid_to="2026-01-01")],
            "a valid_to after 2027-01-01",
        ),
        (
            [declared("limit", 1, corrections="[{per_point: 1, source: x, trust: P}]")],
            "either per_point, reference",
        ),
        (
            [
                declared(
                    "limit",
                    1,
                    corrections="[{per_point: 1, reference: 1, actual: 1, base: 1, source: x, trust: P}]",
                )
            ],
            "either per_point, reference",
        ),
        (
            ["{id: a, kpi: power, level: limit, from: {kind: norm_level_3, subject: clinker}}"],
            "is ['calorific']",
        ),
        (
            ["{id: a, kpi: power, level: limit, from: {kind: norm_level_3, subject: clinkr}}"],
            "one of clinker",
        ),
        (
            ["{id: a, kpi: power, level: limit, value: 3, from: {kind: norm_level_3, subject: clinker}}"],
            "nothing beside",
        ),
    ],
)
def test_what_is_refused(lines: list[str], said: str) -> None:
    with pytest.raises(PlantError) as refusal:
        marks(*lines)
    assert said in str(refusal.value)
