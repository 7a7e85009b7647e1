"""Boundaries in the plant file: a balance of one gas, and sources that are in no total."""

import pytest

from ingest.errors import PlantError
from ingest.plant import compile_plan, parse_plant

PLANT = """\
site: works
name: Works
time_zone: Europe/Berlin
factors: [{id: ef, value: 2.5, unit: t/t, source: test, trust: P}]
points:
  - {id: coal, kind: counter, unit: t, period: 5s}
  - {id: gas, kind: gauge, unit: t/h, period: 5s}
sources:
  - {id: in, scope: 1, category: combustion, gas: co2, route: calculated, activity: coal, factors: [ef]}
  - {id: out, scope: 1, category: products, gas: co2, route: calculated, activity: coal, factors: [ef]}
  - {id: stack, scope: 1, category: combined, gas: co2, route: measured, activity: gas}
  - {id: slip, scope: 1, category: fugitive, gas: ch4, route: measured, activity: gas}
boundaries:
  - {id: fence, name: Fence, sources: [in, out], attributed: [stack]}
"""


def test_what_is_attributed_has_an_account_of_its_own() -> None:
    plan = compile_plan(parse_plant(PLANT, "test.yaml"))
    assert {source.id: source.account for source in plan.sources} == {
        "works/in": "gross", "works/out": "fixed", "works/stack": "attributed", "works/slip": "gross"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("sources: [in, out]", "sources: [in, off]", "boundaries[0].sources[1] is 'off'; expected the id of a source"),
        ("sources: [in, out]", "sources: [in, slip]", "expected a source of the gas of the others"),
        ("sources: [in, out], attributed: [stack]", "sources: [in, stack]",
         "boundaries[0].sources[1] is 'stack'; expected a calculated source, for a balance is one"),
        ("attributed: [stack]", "attributed: [in]",
         "boundaries[0].attributed[0] is 'in'; expected a source that stands once in all boundaries"),
        ("sources: [in, out], attributed: [stack]", "sources: [in], attributed: [out]",
         "boundaries[0].attributed[0] is 'out'; expected a source of no other account"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(old: str, new: str, sentence: str) -> None:
    with pytest.raises(PlantError) as refused:
        compile_plan(parse_plant(PLANT.replace(old, new), "test.yaml"))
    assert sentence in str(refused.value)
