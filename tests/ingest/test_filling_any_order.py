"""Gaps filled by weights: whatever comes late, twice, corrected or in pieces, the same rows in the end.

`test_any_order` draws readings freely, which seldom makes a gap with a weight in each of
its intervals. Here what the weights come from is nearly whole, and Hypothesis takes away,
corrects, mixes and cuts.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.model import DAY, Fill
from tests.ingest.feeding import SECOND, START
from tests.ingest.test_any_order import Arrival, Said, bring, empty

PLANT = """\
site: mill
name: A mill with gaps
time_zone: Asia/Kolkata
clock: live
interval: 1min
lateness: 5s
units:
  - {id: line, name: Line, kind: line}
carriers: [{id: steam, name: Steam}]
products: [{id: flour, name: Flour}]
factors:
  - {id: boiler, value: 0.2, unit: t/t, source: test, trust: unconfirmed}
points:
  - {id: line/batch, kind: delta, unit: t, product: flour, period: 1min, resolution: 0.001}
  - {id: line/power, kind: gauge, period: 1min, unit: kW, max_gap: 90s, sloped: false}
  - {id: line/steam, kind: counter, period: 1min, unit: t, carrier: steam, max_gap: 70s, resolution: 1, modulus: 5000, fill: production, fill_by: line/batch}
  - {id: line/water, kind: counter, period: 1min, unit: m3, max_gap: 70s, resolution: 1, fill_at_most: 4min, fill: production, fill_by: line/double}
  - {id: line/cool, kind: counter, period: 1min, unit: kWh, max_gap: 30s, resolution: 0.1, on_fall: reset, fill: production, fill_by: line/steam}
  - {id: line/heat, kind: counter, period: 1min, unit: kWh, max_gap: 70s, resolution: 1, fill_at_most: 20min, fill: same_hour}
  - {id: line/double, kind: gauge, unit: kW, max_gap: 90s, computed: {method: linear, inputs: {a: line/power}, constants: {a: 2.0}}}
sources:
  - {id: line/boiler, scope: 1, category: combustion, gas: co2, route: calculated, activity: line/steam, factors: [boiler]}
kpis:
  - {id: line/steaming, kind: ratio, unit: t/t, numerator: [{point: line/steam}], denominator: [{point: line/batch}], windows: [5min, 1h]}
  - {id: line/wetness, kind: ratio, unit: m3/kWh, numerator: [{point: line/water}], denominator: [{point: line/heat}], windows: [1h]}
  - {id: line/co2, kind: rate, unit: t/h, numerator: [{source: line/boiler}], windows: [1h]}
"""  # noqa: E501
POINTS = ("line/batch", "line/power", "line/steam", "line/water", "line/cool", "line/heat")
MINUTES = 7
USUAL = {"line/batch": 0.125, "line/power": 30.0}
GAPS = {"line/steam": (1, 5), "line/water": (2, 5), "line/cool": (2, 4), "line/heat": (1, 6)}
"""Minutes between which a counter says nothing."""

pytestmark = pytest.mark.timeout(400)


def usual() -> Iterator[Said]:
    """A stretch of readings a minute apart, the counters with gaps; of the one that looks back two days more."""
    for minute in range(MINUTES + 1):
        at = START + minute * 60 * SECOND
        for point, value in USUAL.items():
            yield Said(point, at, 0, value * (minute % 3 + 1), "good")
        for point, (begin, end) in GAPS.items():
            if not begin < minute < end:
                yield Said(point, at + (minute == end) * 13 * SECOND, 0, float(100 * minute**2), "good")
        for day in (1, 2):
            yield Said("line/heat", at - day * DAY, 0, float(40 * minute * minute + day * minute), "good")


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """The stretch with some left out, corrected or added, in any order, cut into batches."""
    base = list(usual())
    picked = st.sets(st.integers(0, len(base) - 1), max_size=4)
    gone = draw(picked)
    said = [one for place, one in enumerate(base) if place not in gone]
    for place in draw(picked):
        one, quality = base[place], draw(st.sampled_from(["bad", "good", "substituted", "uncertain"]))
        said.append(Said(one.point, one.at, 1, float(draw(st.integers(0, 9))), quality))
    for place in draw(picked):
        one = base[place]
        at = one.at + draw(st.sampled_from([17, 60, 95])) * SECOND
        said.append(Said(one.point, at, 2, one.value + draw(st.integers(0, 2)), "good"))
    said = list({(one.point, one.at, one.seq): one for one in said}.values())
    said += draw(st.lists(st.sampled_from(said), max_size=4))
    if draw(st.integers(0, 3)):
        draw(st.randoms(use_true_random=False)).shuffle(said)
    else:
        said.sort(key=lambda one: one.at)
    found, begin = [], 0
    while begin < len(said):
        size = draw(st.sampled_from([1, 5, 12, 40]))
        found.append(
            Arrival(tuple(said[begin : begin + size]), draw(st.booleans()), draw(st.integers(0, 4)) == 0)
        )
        begin += size
    return found


def test_whatever_comes_when(dsn: str) -> None:
    filled: Counter[tuple[int, bool]] = Counter()  # by the profile used, and whether it was the one asked for

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(coming=arrivals())
    def as_defined(coming: list[Arrival]) -> None:
        empty(dsn)
        found = asyncio.run(bring(dsn, coming, PLANT, POINTS))
        for _, _, _, asked, used, _ in found["gap_fill"]:
            filled[used, asked == used] += 1

    as_defined()
    assert filled[Fill.PRODUCTION, True] > 10, filled
    assert filled[Fill.SAME_HOUR, True] > 5, filled
    assert filled[Fill.FLAT, False] > 10, filled
