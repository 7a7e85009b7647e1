"""Facts of hours: the kernel equals its definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import hour_facts
from kernels.hours import HOUR, HOUR_FACT
from kernels.reference import hour_facts as plain
from kernels.rows import INTERVAL_ROW, Records

MINUTE = 60_000_000
AWAY = 6


@st.composite
def intervals(draw: st.DrawFn, interval_us: int) -> Records:
    """Rows of some hours, with holes, invalid and substituted ones among them."""
    places = sorted(draw(st.sets(st.integers(-40, 200), max_size=60)))
    rows = np.zeros(len(places), INTERVAL_ROW)
    rows["start_at"] = np.array(places, np.int64) * interval_us

    def column(elements: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(elements, min_size=len(places), max_size=len(places)))

    rows["covered_us"] = interval_us
    rows["valid_us"] = column(st.sampled_from([0, 7_000_000, interval_us // 2, interval_us]))
    rows["substituted_us"] = column(st.sampled_from([0, 0, 0, 1]))
    rows["mean"] = column(st.floats(-1e6, 1e6))
    rows["amount"] = column(st.sampled_from([0.0, 0.001, interval_us / HOUR]))
    rows["reasons"] = column(st.integers(0, 7))
    return rows


@settings(deadline=None, max_examples=200)
@given(
    st.data(),
    st.sampled_from([MINUTE, 15 * MINUTE]),
    st.sampled_from([0, 5 * HOUR, -30 * MINUTE]),
    st.booleans(),
)
def test_facts_equal_their_definition(
    data: st.DataObject, interval_us: int, offset_us: int, is_state: bool
) -> None:
    rows = data.draw(intervals(interval_us))
    found = []
    for module in (hour_facts, plain):
        out = np.zeros(rows.size, HOUR_FACT)
        n = module.hour_facts(rows, offset_us, interval_us, 0.75 * interval_us, is_state, AWAY, out)
        found.append(out[:n])
    assert found[0].tobytes() == found[1].tobytes()
