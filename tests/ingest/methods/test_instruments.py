"""The table of instruments: its rows as the source prints them, and what they become in a plan."""

import math

import pytest

from ingest.errors import PlantError
from ingest.methods.instruments import instrument_classes, read_classes
from ingest.model import HOUR
from ingest.plant import Plan, compile_plan, parse_plant

PRINTED = {
    "electricity-meter-0.5s": 0.33, "electricity-meter-1": 0.65, "electricity-meter-0.2s": 0.2,
    "weighbridge-iii": 0.06, "belt-weigher-0.5": 0.29, "belt-weigher-1": 0.58, "belt-weigher-2": 1.15,
    "gas-meter-1": 1.15, "gas-meter-1.5": 1.73, "orifice-iso-5167": 0.9, "coriolis-liquid": 0.1,
    "turbine-liquid": 0.25, "steam-flow": 1.44, "temperature-compensation": 0.58, "pressure-compensation": 0.15,
    "co2-ndir": 1.2, "o2-analyser": 0.12, "moisture-analyser": 1.0, "stack-velocity": 2.5,
    "stack-velocity-qal2": 1.2, "duct-area": 0.29, "ncv-laboratory": 0.11, "carbon-laboratory": 0.35,
    "xrf-cao": 0.14, "xrf-mgo": 0.07, "default-coal": 2.5, "default-clinker": 2.0, "default-heat": 5.0,
}  # fmt: skip

PLANT = """\
site: mill
name: Mill
time_zone: Asia/Shanghai
factors:
  - {id: carbon, value: 0.5, unit: t/t, source: laboratory, trust: unconfirmed, uncertainty_class: carbon-laboratory}
  - {id: molar, value: 3.664, unit: t/t, source: convention, trust: R, uncertainty_class: exact}
  - {id: silent, value: 2, unit: t/t, source: somewhere, trust: unconfirmed}
points:
  - {id: coal, kind: counter, unit: t, period: 5s}
  - {id: moisture, kind: sample, unit: "1", period: 5s}
  - {id: quality, kind: sample, unit: GJ/t, basis: NCV, period: 24h}
instruments:
  - {id: scale, points: [coal], kind: scale, uncertainty_class: belt-weigher-0.5, calibrated_on: 2026-03-02, due_on: 2027-03-02}
  - {id: wet, points: [moisture], kind: analyser, uncertainty_class: moisture-analyser, calibrated_on: 2026-03-02, due_on: 2027-03-02}
  - {id: lab, points: [quality], kind: laboratory, uncertainty_class: ncv-laboratory, calibrated_on: 2026-03-02, due_on: 2027-03-02}
  - {id: own, points: [coal], kind: meter, uncertainty: {percent: 0.4, random_percent: 0.2, rho: 0.5, observations: 6, source: x, trust: R}, calibrated_on: 2026-03-02, due_on: 2027-03-02}
  - {id: mute, points: [quality], kind: meter, accuracy_class: 0.5S, calibrated_on: 2026-03-02, due_on: 2027-03-02}
"""  # noqa: E501


def plan_of(text: str = PLANT) -> Plan:
    return compile_plan(parse_plant(text, "x"))


@pytest.mark.parametrize(("row", "printed"), PRINTED.items())
def test_a_row_gives_the_standard_uncertainty_that_is_printed(row: str, printed: float) -> None:
    assert instrument_classes()[row].systematic == pytest.approx(printed, abs=0.0051)


def test_every_row_names_a_source_and_every_default_is_meant() -> None:
    rows = instrument_classes().values()
    assert len(rows) >= 35
    assert all(row.source for row in rows)
    assert [row.id for row in rows if row.systematic == 0] == ["exact"]
    assert {row.id for row in rows if row.shape == "lognormal"} == {
        "default-pfc", "default-sewage-n2o", "default-post-mining",
    }  # fmt: skip
    assert instrument_classes()["duct-area"].shape == "rectangular"


@pytest.mark.parametrize(
    "row",
    [
        "{id: a, kind: b, of: reading, unit: '%', parts: [], source: s}",
        "{id: a, kind: b, of: reading, unit: K, parts: [{u: 1}], source: s}",
        "{id: a, kind: b, of: reading, unit: '%', parts: [{u: 1, expanded: 2, k: 2}], source: s}",
        "{id: a, kind: b, of: reading, unit: '%', parts: [{limit: 1}], source: s}",
        "{id: a, kind: b, of: reading, unit: '%', parts: [{u: -1}], source: s}",
        "{id: a, kind: b, of: reading, unit: '%', parts: [{u: 1}], source: s, more: 1}",
    ],
)
def test_a_table_with_a_wrong_row_is_refused(row: str) -> None:
    with pytest.raises(ValueError):
        read_classes(f"- {row}\n")


def test_an_id_stands_once() -> None:
    row = "- {id: a, kind: b, of: reading, unit: '%', parts: [{u: 1}], source: s}\n"
    with pytest.raises(ValueError, match="twice"):
        read_classes(row + row)


def test_instruments_of_points() -> None:
    plan = plan_of()
    scale, own = plan.doubts.points[plan.index["mill/coal"]]
    assert (scale.systematic, scale.is_relative) == pytest.approx((0.005 / math.sqrt(3), True))
    assert (scale.random, scale.rho, scale.step_us) == pytest.approx((0.003, 0.0, HOUR))
    assert (own.systematic, own.random, own.rho, own.observations) == (0.004, 0.002, 0.5, 6)
    (wet,) = plan.doubts.points[plan.index["mill/moisture"]]
    assert (wet.systematic, wet.is_relative) == pytest.approx((0.01, False))
    assert (wet.random, wet.is_random_relative, wet.rho) == pytest.approx((0.0035, False, 0.8))
    lab, mute = plan.doubts.points[plan.index["mill/quality"]]
    assert (lab.systematic, lab.is_relative) == pytest.approx((0.106, False), abs=1e-3)
    assert (lab.random, lab.is_random_relative, lab.step_us) == pytest.approx((0.01, True, 24 * HOUR))
    assert math.isnan(mute.systematic)


def test_factors_are_relative_and_one_without_a_word_is_not_known() -> None:
    factors = plan_of().doubts.factors
    carbon = factors["carbon"]
    laboratory = 0.01 / (2 * math.sqrt(2)) / 0.5
    assert carbon.systematic == pytest.approx(math.hypot(laboratory, 0.012))
    assert factors["molar"].systematic == 0
    assert "silent" not in factors


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "uncertainty_class: belt-weigher-0.5",
            "uncertainty_class: scales",
            r"instruments\[0\]\.uncertainty_class is 'scales'; expected a row of the instrument table",
        ),
        (
            "uncertainty_class: moisture-analyser",
            "uncertainty_class: temperature-compensation",
            r"instruments\[1\]\.uncertainty_class: unit 'K' is of another dimension",
        ),
        (
            "trust: unconfirmed, uncertainty_class: carbon-laboratory",
            "trust: unconfirmed, uncertainty_class: exact, uncertainty: {percent: 1, source: x, trust: R}",
            r"factors\[0\].* expected an uncertainty or an uncertainty_class, not both",
        ),
    ],
)
def test_what_does_not_fit_is_refused(old: str, new: str, sentence: str) -> None:
    assert old in PLANT
    with pytest.raises(PlantError, match=sentence):
        plan_of(PLANT.replace(old, new))
