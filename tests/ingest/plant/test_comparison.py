"""What a point is compared with, as it is written and as it compiles."""

import pytest

from ingest.model import HOUR
from ingest.plant import canonical, compile_plan, parse_plant, plan_from_body
from ingest.plant.plan import Plan

HEAD = "site: mill\nname: Mill\ntime_zone: UTC\nunits: [{id: line, name: Line}]\npoints:\n"


def compiled(*points: str) -> Plan:
    text = HEAD + "".join(f"  - {{id: line/{point}}}\n" for point in points)
    file = parse_plant(text, "x")
    plan = compile_plan(file)
    again = plan_from_body(canonical(file)[1], 0)
    assert again.comparisons == plan.comparisons
    return plan


@pytest.mark.parametrize(
    ("own", "other", "within", "scale", "share", "limit"),
    [
        ("kind: gauge, unit: kW", "kind: counter, unit: MWh", "2 %", (1000.0, 0.0), 0.02, 0.0),
        ("kind: gauge, unit: t/h", "kind: delta, unit: kg", "50 kg/h", (0.001, 0.0), None, 0.05),
        ("kind: counter, unit: kWh", "kind: gauge, unit: kW", "0.5MWh", (1.0, 0.0), None, 500.0),
        ("kind: sample, unit: °C", "kind: sample, unit: K", "2 K", (1.0, -273.15), None, 2.0),
        ('kind: sample, unit: "%"', 'kind: sample, unit: "1"', "5 ‰", (100.0, 0.0), None, 0.5),
    ],
)
def test_figures_are_compared_in_the_points_unit(
    own: str, other: str, within: str, scale: tuple[float, float], share: float | None, limit: float
) -> None:
    compare = f"compare: {{with: line/b, within: {within}, least_share: 0.25}}"
    [found] = compiled(f"a, {own}, period: 5s, {compare}", f"b, {other}, period: 5s").comparisons
    assert (found.point, found.other) == (0, 1)
    assert found.scale == pytest.approx(scale)
    assert found.share == share
    assert found.limit == pytest.approx(limit)
    assert (found.least_us, found.doubts) == (HOUR / 4, (0,))


def test_computed_points_that_read_it_are_in_doubt_with_it() -> None:
    plan = compiled(
        "sum, kind: gauge, unit: kW, computed: {method: linear, inputs: {a: line/a, b: line/b}, constants: {a: 1, b: 1}}",
        "a, kind: gauge, unit: kW, period: 5s, compare: {with: line/twice, within: 1 kW}",
        "twice, kind: gauge, unit: kW, computed: {method: linear, inputs: {b: line/b}, constants: {b: 2}}",
        "b, kind: gauge, unit: kW, period: 5s",
    )
    [found] = plan.comparisons
    names = [point.id.removeprefix("mill/line/") for point in plan.points]
    assert (names[found.point], names[found.other]) == ("a", "twice")
    assert [names[point] for point in found.doubts] == ["a", "sum"]
    assert found.least_us == HOUR / 2
