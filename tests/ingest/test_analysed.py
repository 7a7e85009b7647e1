"""What analyses come to at a point, against the definition: the newest one that is valid for an interval."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import PlantError
from ingest.methods.documented import Analysed
from ingest.model import HOUR, MINUTE
from ingest.plant import compile_plan, parse_plant
from ingest.store.analysed import to_be_told, values_of

INTERVAL = 10 * MINUTE
PERIOD = 2 * HOUR
SPAN = 12 * HOUR
instants = st.integers(0, SPAN // MINUTE).map(lambda minute: minute * MINUTE)


@st.composite
def analysed(draw: st.DrawFn) -> list[Analysed]:
    """Up to five, in the order in which they were approved; some of a lot, some of no time."""
    found = []
    for number in range(draw(st.integers(0, 5))):
        begin, end = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
        lot = draw(st.sampled_from([None, None, None, "A"]))
        value = draw(st.sampled_from([0.6, 0.61, 0.0]))
        timeless = lot is not None and draw(st.booleans())
        first, last = (None, None) if timeless else (begin, end)
        found.append(Analysed(number, number, "c", value, first, last, lot))
    return found


def in_force(known: list[Analysed], start_at: int) -> float:
    """By the definition, in the interval that begins at an instant; NaN: none."""
    for one in sorted(known, key=lambda one: -one.batch_no):
        if one.lot is not None or one.from_at is None or one.to_at is None:
            continue
        if one.from_at <= start_at and start_at + INTERVAL <= one.to_at:
            return one.value
    return math.nan


def alike(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


@settings(max_examples=100, deadline=None)
@given(
    known=analysed(), steps=st.lists(st.tuples(st.sets(st.integers(0, 4)), instants), min_size=1, max_size=4)
)
def test_what_is_told_is_what_is_in_force(known: list[Analysed], steps: list[tuple[set[int], int]]) -> None:
    """Whatever is approved and withdrawn in between, and however time goes on."""
    stored: dict[int, float] = {}
    now = 0
    for chosen, later in steps:
        mine, now = [one for one in known if one.document_no in chosen], max(now, later)
        wanted = values_of(mine, INTERVAL, PERIOD)
        found = to_be_told(wanted, stored, now)
        stored |= dict(zip(found.at, found.value, strict=True))
        assert found.at == sorted(found.at)
        assert all(at <= now and at % INTERVAL == 0 for at in found.at)
        assert found.next_at is None or (found.next_at > now and found.next_at in wanted)
        for start_at in range(0, min(now, SPAN) + 1, INTERVAL):
            last = max((at for at in stored if at <= start_at), default=None)
            shown = math.nan if last is None else stored[last]
            assert alike(shown, in_force(mine, start_at)), start_at
            if not math.isnan(shown):
                assert last is not None
                assert start_at - last < PERIOD, "it is said again before it is forgotten"
        assert to_be_told(wanted, stored, now).at == []


PLANT = """\
site: mill
name: Mill
time_zone: UTC
analyses: [{id: ncv, name: NCV, unit: GJ/t, basis: NCV}]
points:
  - {id: coal, kind: delta, unit: t, period: 1min}
  - {id: lab, kind: sample, unit: MJ/kg, basis: NCV, analysis: ncv, period: 1h}
"""


def test_a_point_may_show_an_analysis_in_its_own_unit() -> None:
    for unit, multiplier in (("MJ/kg", 1.0), ("GJ/kg", 1e-3)):
        plan = compile_plan(parse_plant(PLANT.replace("unit: MJ/kg", f"unit: {unit}"), "mill.yaml"))
        told = plan.points[1].analysis
        assert told is not None
        assert told[0] == "ncv"
        assert told[1] == pytest.approx(multiplier)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("analysis: ncv", "analysis: gcv", "is 'gcv'; expected the id of an analysis of this file"),
        ("kind: sample", "kind: gauge", "is 'gauge'; expected sample of a point that analyses tell"),
        ("period: 1h", "period: 5s", "expected 1h to 1d, a multiple of the interval, 1min"),
        ("period: 1h", "period: 2d", "expected 1h to 1d"),
        ("period: 1h", "period: 1h, sloped: true", "expected no such key for an analysed point"),
        ("period: 1h", "period: 1h, max_gap: 2h", "expected no such key for an analysed point"),
        ("period: 1h", "period: 1h, topics: [lab/ncv]", "expected no such key for an analysed point"),
        ("unit: MJ/kg", "unit: t/t", "unit 'GJ/t' is of another dimension"),
        ("unit: MJ/kg, basis: NCV", "unit: MJ/kg, basis: GCV", "an analysis of the point's basis, GCV"),
    ],
)  # fmt: skip
def test_a_wrong_point_is_refused(old: str, new: str, sentence: str) -> None:
    assert old in PLANT
    with pytest.raises(PlantError, match=sentence):
        compile_plan(parse_plant(PLANT.replace(old, new), "mill.yaml"))
