"""Activities that documents tell, in the plant file: compiled exactly, refused in one sentence."""

from fractions import Fraction

import pytest

from ingest.errors import InputError, PlantError
from ingest.plant import compile_plan, parse_plant
from ingest.plant.continuity import check_continuity
from ingest.plant.plan import Plan

PLANT = """\
site: mill
name: A mill
time_zone: Europe/Berlin
factors:
  - {id: coal-c, value: 0.0255, unit: t/GJ, basis: NCV, source: test, trust: unconfirmed}
  - {id: to-co2, value: 3.664, unit: t/t, source: test, trust: R}
  - {id: coal-ncv-default, value: 23000, unit: kJ/kg, basis: NCV, source: test, trust: unconfirmed}
activities:
  - {id: coal, name: Coal, unit: t, resolution: 0.001}
analyses:
  - {id: coal-ncv, name: Net calorific value, unit: GJ/t, basis: NCV, default: coal-ncv-default}
sources:
  - {id: boiler, scope: 1, category: combustion, gas: co2, route: calculated, activity: {document: coal}, factors: [coal-ncv, coal-c, to-co2]}
"""  # noqa: E501


def plan_of(text: str) -> Plan:
    return compile_plan(parse_plant(text, "test.yaml"))


def test_a_documented_source_is_one_exact_weight() -> None:
    plan = plan_of(PLANT)
    [source] = plan.documented
    assert plan.sources == ()
    assert source.kg_per_count == Fraction("0.0255") * Fraction("3.664")  # a count is a kg of coal
    assert (source.activity, source.analyses) == ("coal", ("coal-ncv",))
    [analysis] = plan.analyses
    assert analysis.default == ("coal-ncv-default", 23.0)


def test_what_leaves_in_products_is_fixed_and_negative() -> None:
    [source] = plan_of(PLANT.replace("category: combustion", "category: products")).documented
    assert source.account == "fixed"
    assert source.kg_per_count < 0


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{document: coal}", "{document: cola}",
         "sources[0].activity.document is 'cola'; expected the id of a documented activity of this file"),
        ("{document: coal}", "{file: coal}",
         "sources[0].activity is {'file': 'coal'}; expected the id of a point, or {document: the id of an activity}"),
        ("{document: coal}", "Coal",
         "sources[0].activity is 'Coal'; expected segments of a-z, 0-9, _ and - joined by /"),
        ("[coal-ncv, coal-c, to-co2]", "[coal-nvc, coal-c, to-co2]",
         "sources[0].factors[0] is 'coal-nvc'; expected the id of a factor of this file"),
        ("route: calculated", "route: measured", "expected"),
        ("default: coal-ncv-default", "default: to-co2",
         "analyses[0].default: unit 't/t' is of another dimension; expected one that converts to 'GJ/t'"),
        ("unit: kJ/kg, basis: NCV", "unit: kJ/kg, basis: GCV",
         "analyses[0].default is 'coal-ncv-default'; expected a factor of the analysis's basis, NCV"),
        ("id: coal-ncv,", "id: to-co2,", "analyses[0].id is 'to-co2'; expected an id that no factor has"),
        ("unit: t, resolution", "unit: m3, resolution", "unit 'm3*GJ/t*t/GJ*t/t' is of another dimension"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(old: str, new: str, sentence: str) -> None:
    with pytest.raises(PlantError) as refused:
        plan_of(PLANT.replace(old, new))
    assert sentence in str(refused.value)


def test_a_kpi_cannot_wait_for_documents() -> None:
    kpi = "kpis:\n  - {id: co2, kind: total, unit: t, numerator: [{source: boiler}]}\n"
    with pytest.raises(PlantError, match="a source with a meter, for documents have no live figure"):
        plan_of(PLANT + kpi)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("resolution: 0.001", "resolution: 0.01", "coal: resolution is 0.01; expected 0.001"),
        ("unit: GJ/t, basis: NCV", "unit: MJ/t, basis: NCV", "coal-ncv: unit is 'MJ/t'; expected 'GJ/t'"),
        ("gas: co2", "gas: ch4", "boiler: gas is 'ch4'; expected 'co2'"),
        ("activity: {document: coal}, factors: [coal-ncv, coal-c, to-co2]", "activity: feed, factors: [to-co2]",
         "boiler: evidence is 'metered'; expected 'documented'"),
    ],
)  # fmt: skip
def test_what_documents_rest_on_may_not_change(old: str, new: str, sentence: str) -> None:
    changed = PLANT.replace(old, new)
    changed += "points:\n  - {id: feed, kind: counter, unit: t, period: 5s}\n"
    with pytest.raises(InputError) as refused:
        check_continuity(plan_of(PLANT), plan_of(changed))
    assert sentence in str(refused.value)
