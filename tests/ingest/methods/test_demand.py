"""Projections of demand against what a block comes to, second by second, in fractions."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ingest.methods.demand import Projection, Running, block_begin, project, running_block
from ingest.methods.figures import NoFigure
from ingest.model import HOUR, MINUTE, SECOND

BLOCK_S = 900
LOADS = st.lists(st.integers(0, 2000), min_size=1, max_size=30)
"""kW, each for some seconds."""


def running(
    loads: list[int], at_s: int, window_s: int, contract: float | None, caution: float = 0.0
) -> Running:
    """The block of seconds [0, 900) of a load (kW by the second, from -window on), at a horizon in it."""
    drawn = math.fsum(loads[window_s : window_s + at_s]) / 3600
    window = loads[at_s : at_s + window_s]
    return running_block(
        block=(0, at_s * SECOND, drawn, at_s * SECOND),
        load=(
            (at_s - window_s) * SECOND,
            at_s * SECOND,
            math.fsum(window) / 3600,
            window_s / 3600,
            window_s * SECOND,
        ),
        length_us=BLOCK_S * SECOND,
        contract=contract,
        caution=caution,
    )


def by_the_second(parts: list[int], seconds: int) -> list[int]:
    """A load for every second of a stretch, of parts of one length."""
    return [parts[i * len(parts) // seconds] for i in range(seconds)]


@given(LOADS, st.integers(1, BLOCK_S), st.integers(1, 300), st.integers(1, 2000))
def test_against_brute_force(parts: list[int], at_s: int, window_s: int, contract: int) -> None:
    loads = by_the_second(parts, BLOCK_S + window_s)
    found = project(running(loads, at_s, window_s, float(contract)))
    # What would be drawn if every second of the rest were as the mean of the window.
    past = sum(map(Fraction, loads[window_s : window_s + at_s]), Fraction(0))
    present = Fraction(sum(loads[at_s : at_s + window_s]), window_s)
    rest_s = BLOCK_S - at_s
    end = (past + present * rest_s) / BLOCK_S
    assert found.projected is not None
    assert math.isclose(found.projected, end, rel_tol=1e-12, abs_tol=1e-9)
    assert found.at_least is not None
    assert math.isclose(found.at_least, past / BLOCK_S, rel_tol=1e-12, abs_tol=1e-9)
    if rest_s == 0:
        assert (found.may_draw, found.no_room) == (None, NoFigure.ENDED)
        return
    room = (contract * BLOCK_S - past) / rest_s
    assert found.may_draw is not None
    assert math.isclose(found.may_draw, max(Fraction(0), room), rel_tol=1e-9, abs_tol=1e-6)
    assert found.headroom is not None
    assert math.isclose(found.headroom, found.may_draw - present, rel_tol=1e-9, abs_tol=1e-6)
    _check_exceeds_at(found, at_s, past, present, contract)


def _check_exceeds_at(found: Projection, at_s: int, past: Fraction, present: Fraction, contract: int) -> None:
    """Drawing on second by second, when the energy of the contract is passed."""
    left = contract * BLOCK_S - past
    if left <= 0:
        assert found.exceeds_at == at_s * SECOND
    elif present and at_s + left / present < BLOCK_S * (1 - Fraction(1, 10**9)):
        assert found.exceeds_at is not None
        assert abs(found.exceeds_at - (at_s + left / present) * SECOND) <= 2
    elif not present or at_s + left / present > BLOCK_S * (1 + Fraction(1, 10**9)):
        assert found.exceeds_at is None


@given(LOADS, st.integers(1, 300), st.integers(1, 2000), st.floats(0, 0.5))
def test_no_announcement_is_false_where_the_load_falls_no_further_than_said(
    parts: list[int], window_s: int, contract: int, caution: float
) -> None:
    loads = by_the_second(parts, BLOCK_S + window_s)
    block = loads[window_s:]
    for at_s in range(30, BLOCK_S + 1, 30):
        one = running(loads, at_s, window_s, float(contract), caution)
        rest = block[at_s:]
        if one.load is None or any(load < one.load * (1 - caution) for load in rest):
            continue
        if project(one).announces(one.contract):
            assert sum(block) > contract * BLOCK_S


@given(LOADS, st.integers(1, 300), st.integers(1, 2000))
def test_whatever_the_load_an_exceedance_is_announced_when_it_is_drawn(
    parts: list[int], window_s: int, contract: int
) -> None:
    loads = by_the_second(parts, BLOCK_S + window_s)
    drawn = 0
    for at_s, load in enumerate(loads[window_s:], 1):
        drawn += load
        if drawn > contract * BLOCK_S:
            assert project(running(loads, at_s, window_s, float(contract), 1.0)).announces(float(contract))
            return
    assert not project(running(loads, BLOCK_S, window_s, float(contract))).announces(float(contract))


def test_a_gap_leaves_no_projection_but_what_is_drawn_counts() -> None:
    block = Running(0, 15 * MINUTE, 10 * MINUTE, 90.0, 9 * MINUTE, 600.0, 8 * MINUTE, 500.0)
    found = project(block)
    assert (found.projected, found.reason, found.at_least) == (None, NoFigure.GAP, 360.0)
    assert (found.may_draw, found.no_room, found.announces(500.0)) == (None, NoFigure.GAP, False)
    drawn = project(Running(0, 15 * MINUTE, 10 * MINUTE, 126.0, 9 * MINUTE, 600.0, 8 * MINUTE, 500.0))
    assert drawn.announces(500.0)


def test_a_gap_in_the_window_of_the_load_leaves_no_projection() -> None:
    made = running_block(
        block=(0, 10 * MINUTE, 90.0, 10 * MINUTE),
        load=(8 * MINUTE, 10 * MINUTE, 10.0, 1 / 60, MINUTE),
        length_us=15 * MINUTE,
        contract=500.0,
        caution=0.0,
    )
    assert project(made).reason is NoFigure.GAP


def test_without_a_contract_there_is_no_room_to_tell() -> None:
    found = project(Running(0, 15 * MINUTE, 5 * MINUTE, 50.0, 5 * MINUTE, 600.0, 3 * MINUTE, None))
    assert (found.projected, found.may_draw, found.no_room) == (600.0, None, NoFigure.NO_CONTRACT)
    assert not found.announces(None)


def test_a_load_of_the_block_before_announces_nothing() -> None:
    found = project(Running(0, 15 * MINUTE, MINUTE, 10.0, MINUTE, 600.0, -MINUTE, 500.0))
    assert found.projected == 600.0
    assert not found.announces(500.0)


@given(st.integers(0, 2**52), st.sampled_from([15 * MINUTE, 30 * MINUTE, HOUR]), st.integers(0, 3))
def test_a_block_begins_at_or_before_and_less_than_its_length(at: int, block_us: int, quarters: int) -> None:
    begin = block_begin(at, block_us, quarters * 15 * MINUTE)
    assert begin <= at < begin + block_us
    assert (begin + quarters * 15 * MINUTE) % block_us == 0


@given(LOADS, st.integers(1, BLOCK_S), st.integers(1, 300), st.floats(0, 1))
def test_what_is_announced_is_never_above_the_largest_load_of_the_block(
    parts: list[int], at_s: int, window_s: int, caution: float
) -> None:
    loads = by_the_second(parts, BLOCK_S + window_s)
    sure = project(running(loads, at_s, window_s, 1.0, caution)).sure
    assert sure is None or sure <= max(loads[window_s : window_s + at_s]) * (1 + 1e-9)
