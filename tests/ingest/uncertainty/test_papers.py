"""How sure masses are that documents tell: against drawn errors, and what is one error and what are two."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from ingest.errors import PlantError
from ingest.methods.documented import Emitted, Quantity
from ingest.methods.figures import KpiKind
from ingest.model import DAY
from ingest.plant import Plan, compile_plan, parse_plant
from ingest.uncertainty.figure import FigureUncertainty, of_figure
from ingest.uncertainty.papers import InForce, Stretch, contributions_of, unknown_of
from tests.ingest.feeding import SECOND

JANUARY = 1_767_225_600 * SECOND
"""2026-01-01T00:00Z."""
PLANT = """\
site: yard
name: Yard
time_zone: UTC
factors:
  - {id: carbon, value: 0.025, unit: t/GJ, basis: NCV, source: x, trust: P, uncertainty: {percent: 1.5, source: x, trust: P}}
  - {id: to-co2, value: 3.664, unit: t/t, source: x, trust: R, uncertainty_class: exact}
  - {id: handbook, value: 21.0, unit: GJ/t, basis: NCV, source: x, trust: P, uncertainty_class: default-coal}
  - id: burnt
    unit: "1"
    uncertainty: {percent: 0.5, source: x, trust: P}
    series: [{since: 2025-01-01, value: 0.95, source: test, trust: P, data_year: 2025}, {since: 2026-01-21, value: 0.97, source: test, trust: P, data_year: 2026}]
activities:
  - {id: coal, name: Coal, unit: t, resolution: 0.001}
analyses:
  - {id: ncv, name: NCV, unit: GJ/t, basis: NCV, default: handbook, uncertainty_class: ncv-laboratory}
sources:
  - {id: co2, scope: 1, category: combustion, gas: co2, route: calculated, activity: {document: coal}, factors: [ncv, carbon, burnt, to-co2]}
instruments:
  - {id: bridge, activities: [coal], kind: weighbridge, uncertainty: {percent: 0.8, random_percent: 2.0, source: x, trust: P},
     calibrated_on: 2026-01-11, due_on: 2026-01-26}
"""  # noqa: E501


def plan_of(text: str = PLANT, version: int = 1) -> Plan:
    return compile_plan(parse_plant(text, "yard.yaml"), version)


def stretch(
    plan: Plan, document_no: int, days: tuple[int, int], whole: tuple[int, int], ncv: InForce
) -> Stretch:
    """1000 t between two days of the month, of which `days` are this stretch."""
    quantity = Quantity(document_no, JANUARY + whole[0] * DAY, JANUARY + whole[1] * DAY, 1_000_000)
    (source,) = plan.documented
    at = JANUARY + days[0] * DAY
    per_count = source.kg_per_count_at(at)
    assert per_count is not None
    emitted = Emitted(quantity, at, JANUARY + days[1] * DAY, float(per_count * Fraction(repr(ncv.value))))
    return Stretch(plan, source, emitted, (ncv,))


FIRST, SECOND_ONE = InForce("ncv", 7, "handbook", 23.0), InForce("ncv", 8, "handbook", 20.0)
DEFAULT = InForce("ncv", None, "handbook", 21.0)


def month(plan: Plan) -> list[Stretch]:
    """Two invoices over the month: analysed, from the 21st on under another oxidation, at last by default."""
    return [
        stretch(plan, 1, (0, 15), (0, 15), FIRST),
        stretch(plan, 2, (15, 20), (15, 30), SECOND_ONE),
        stretch(plan, 2, (20, 28), (15, 30), SECOND_ONE),
        stretch(plan, 2, (28, 30), (15, 30), DEFAULT),
    ]


def told(stretches: Sequence[Stretch], days: tuple[int, int] = (0, 30)) -> FigureUncertainty:
    span = JANUARY + days[0] * DAY, JANUARY + days[1] * DAY
    assert unknown_of(stretches) is None
    found = of_figure(contributions_of(stretches, *span), KpiKind.TOTAL, 0.0, 0.0, *span)
    assert found is not None
    return found


def test_u_is_the_spread_of_what_drawn_errors_make_of_a_month() -> None:
    """Each error drawn once for all that shares it, and the masses computed with it."""
    random, n = np.random.default_rng(5), 200_000

    def error(u: float) -> np.ndarray:
        return 1 + u * random.standard_normal(n)

    old, new, carbon, before, after, handbook = (error(u) for u in (0.008, 0.008, 0.015, 0.005, 0.005, 0.025))
    weighed = {1: 0.02 * random.standard_normal(n), 2: 0.02 * random.standard_normal(n)}
    sampled = {7: error(0.01), 8: error(0.01)}
    laboratory = 0.30 / (2 * math.sqrt(2)) * random.standard_normal(n)
    overdue = 1 + 2 * (new - 1)

    def mass(
        tonnes: float, document: int, scale: np.ndarray, ncv: np.ndarray, oxidation: np.ndarray
    ) -> np.ndarray:
        # From the 26th on both errors of the bridge count twice.
        own = weighed[document] * (2 if scale is overdue else 1)
        found: np.ndarray = tonnes * (scale + own) * ncv * oxidation * carbon * 0.025 * 3.664 * 1000
        return found

    first, second = 23.0 * sampled[7] + laboratory, 20.0 * sampled[8] + laboratory
    total = (
        mass(1000 * 10 / 15, 1, old, first, 0.95 * before)
        + mass(1000 * 5 / 15, 1, new, first, 0.95 * before)
        + mass(1000 * 5 / 15, 2, new, second, 0.95 * before)
        + mass(1000 * 5 / 15, 2, new, second, 0.97 * after)
        + mass(1000 * 3 / 15, 2, overdue, second, 0.97 * after)
        + mass(1000 * 2 / 15, 2, overdue, 21.0 * handbook, 0.97 * after)
    )
    found = told(month(plan_of()))
    assert found.u == pytest.approx(float(total.std()), rel=0.01)


def test_an_error_of_a_document_is_one_in_all_its_parts() -> None:
    plan = plan_of()
    whole = told([stretch(plan, 1, (0, 10), (0, 10), FIRST)], (0, 10))
    parts = told(
        [stretch(plan, 1, (0, 4), (0, 10), FIRST), stretch(plan, 1, (4, 10), (0, 10), FIRST)], (0, 10)
    )
    assert parts.u == pytest.approx(whole.u, rel=1e-9)
    assert parts.random_u == pytest.approx(whole.random_u, rel=1e-9)
    # Half of a document is as unsure as the whole: it was weighed and sampled once.
    half = told([stretch(plan, 1, (0, 10), (0, 10), FIRST)], (0, 5))
    assert half.u == pytest.approx(whole.u / 2, rel=1e-9)
    # Two documents with a sample each are surer by what is random.
    two = told(
        [stretch(plan, 1, (0, 5), (0, 5), FIRST), stretch(plan, 2, (5, 10), (5, 10), SECOND_ONE)], (0, 10)
    )
    mass = 1000 * 1000 * 0.95 * 0.025 * 3.664
    assert two.random_u == pytest.approx(
        math.hypot(mass * 23.0 * math.hypot(0.02, 0.01), mass * 20.0 * math.hypot(0.02, 0.01)), rel=1e-9
    )
    assert {one.name for one in two.dominant} >= {"instrument bridge, document 1, random"}


def test_an_analysis_of_0_is_off_by_what_its_laboratory_is() -> None:
    found = told([stretch(plan_of(), 1, (0, 10), (0, 10), InForce("ncv", 7, "handbook", 0.0))], (0, 10))
    per_gj = 1000 * 1000 * 0.95 * 0.025 * 3.664
    assert found.u == pytest.approx(0.30 / (2 * math.sqrt(2)) * per_gj, rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("activities: [coal], ", "points: [other], ", "activity coal has no instrument"),
        (", uncertainty_class: ncv-laboratory", "", "analysis ncv has no uncertainty"),
        ("uncertainty: {percent: 0.8, random_percent: 2.0, source: x, trust: P}", "accuracy_class: III",
         "instrument bridge has no uncertainty"),
        (", uncertainty: {percent: 1.5, source: x, trust: P}", "", "factor carbon has no uncertainty"),
        ("    uncertainty: {percent: 0.5, source: x, trust: P}\n", "", "factor burnt has no uncertainty"),
        (", uncertainty_class: default-coal", "", "factor handbook has no uncertainty"),
    ],
)  # fmt: skip
def test_what_nobody_says_is_not_known(old: str, new: str, reason: str) -> None:
    assert old in PLANT
    point = "points: [{id: other, kind: gauge, unit: kW, period: 5s}]\nsources:\n"
    plan = plan_of(PLANT.replace(old, new).replace("sources:\n", point))
    assert unknown_of(month(plan)) == reason
    # What stands in for no analysis here is not asked.
    analysed = unknown_of(month(plan)[:3])
    assert analysed == (None if "handbook" in reason else reason)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("activities: [coal], ", "", "at least one of points and activities"),
        ("activities: [coal], ", "activities: [ash], ", "is 'ash'; expected the id of a documented activity"),
        ("uncertainty: {percent: 0.8, random_percent: 2.0, source: x, trust: P}", "uncertainty_class: o2-analyser",
         "a class in percent of the value, for an instrument of a documented activity"),
        ("uncertainty_class: ncv-laboratory", "uncertainty_class: xrf-cao", "GJ/t"),
        ("uncertainty_class: ncv-laboratory", "uncertainty_class: lab", "a row of the instrument table"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused(old: str, new: str, sentence: str) -> None:
    assert old in PLANT
    with pytest.raises(PlantError, match=sentence):
        plan_of(PLANT.replace(old, new))
