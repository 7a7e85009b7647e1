"""What documents come to: counts that add up however a span is cut, and the analysis in force."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.methods.documented import (
    Analysed,
    Analyses,
    Emitted,
    Quantity,
    covered_us,
    mass_kg,
    pieces,
    weight,
)
from ingest.model import MINUTE

HOURS = st.integers(0, 10_000)


@given(
    st.integers(-(2**62), 2**62),
    st.integers(0, 10**12),
    st.integers(1, 10**12),
    st.lists(st.integers(-(10**12), 3 * 10**12), max_size=20),
)
def test_the_parts_of_a_span_add_up_to_the_document(
    count: int, from_at: int, length: int, cuts: list[int]
) -> None:
    quantity = Quantity(1, from_at, from_at + length, count)
    edges = sorted({*cuts, -(10**13), 10**13})
    parts = [quantity.between(a, b) for a, b in pairwise(edges)]
    assert sum(parts) == count
    for part, (a, b) in zip(parts, pairwise(edges), strict=True):
        inside = max(0, min(b, quantity.to_at) - max(a, quantity.from_at))
        assert abs(part - Fraction(count * inside, length)) <= 1


def test_an_edge_is_rounded_half_away_from_zero() -> None:
    assert [Quantity(1, 0, 2, count).until(1) for count in (1, 3, -1, -3)] == [1, 2, -1, -2]


def analysed(number: int, from_at: int | None, to_at: int | None, lot: str | None = None) -> Analysed:
    return Analysed(number, number, "ncv", float(number), from_at, to_at, lot)


def test_the_newest_analysis_that_covers_an_interval_wholly_is_in_force() -> None:
    quantity = Quantity(1, 0, 10 * MINUTE, 100)
    known = [analysed(2, 0, 10 * MINUTE), analysed(3, 2 * MINUTE + 1, 5 * MINUTE + 30)]
    found = [(part.from_at // MINUTE, part.to_at // MINUTE, part.analyses) for part in pieces(
        quantity, ["ncv"], known, MINUTE
    )]  # fmt: skip
    assert found == [(0, 3, (2,)), (3, 5, (3,)), (5, 10, (2,))]


def test_an_analysis_of_the_lot_goes_before_a_newer_one_of_no_lot() -> None:
    known = [analysed(2, None, None, "A"), analysed(3, 0, 10 * MINUTE), analysed(4, None, None, "B")]
    for lot, chosen in (("A", 2), ("B", 4), ("C", 3), (None, 3)):
        quantity = Quantity(1, 0, 10 * MINUTE, 100, lot)
        assert [part.analyses for part in pieces(quantity, ["ncv"], known, MINUTE)] == [(chosen,)]


def test_a_document_that_begins_within_an_interval_takes_the_factor_of_that_interval() -> None:
    quantity = Quantity(1, 90_000_000, 4 * MINUTE, 100)
    half = [analysed(2, 90_000_000, 4 * MINUTE)]
    assert [part.analyses for part in pieces(quantity, ["ncv"], half, MINUTE)] == [(None,), (2,)]
    whole = [analysed(2, MINUTE, 4 * MINUTE)]
    assert [part.analyses for part in pieces(quantity, ["ncv"], whole, MINUTE)] == [(2,)]


@given(
    st.lists(st.tuples(HOURS, HOURS, st.booleans()), max_size=8), st.integers(1, 5000), st.integers(1, 5000)
)
def test_pieces_are_the_intervals_one_by_one(
    spans: list[tuple[int, int, bool]], from_at: int, length: int
) -> None:
    step = 100
    quantity = Quantity(1, from_at, from_at + length, 10**6, "A")
    known = [
        Analysed(n + 2, n, "ncv", 1.0, min(a, b), max(a, b) + 1, "A" if of_lot else None)
        for n, (a, b, of_lot) in enumerate(spans)
    ]
    found = pieces(quantity, ["ncv"], known, step)
    assert [part.from_at for part in found] == [from_at, *(part.to_at for part in found[:-1])]
    assert found[-1].to_at == quantity.to_at
    for begin in range(from_at - from_at % step, quantity.to_at, step):
        covering = [
            one for one in known if one.from_at is not None and one.to_at is not None
            and one.from_at <= begin and begin + step <= one.to_at
        ]  # fmt: skip
        best = max(covering, key=lambda one: (one.lot is not None, one.batch_no), default=None)
        at = max(begin, from_at)
        [part] = [part for part in found if part.from_at <= at < part.to_at]
        assert part.analyses == (None if best is None else best.document_no,)


@given(
    st.lists(
        st.tuples(
            HOURS, HOURS, st.sampled_from([None, "A", "B"]), st.sampled_from(["ncv", "c", "o"]), st.booleans()
        ),
        max_size=12,
    ),
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.sampled_from([None, "A"]),
)
def test_what_is_far_changes_nothing(
    told: list[tuple[int, int, str | None, str, bool]], from_at: int, length: int, lot: str | None
) -> None:
    quantity = Quantity(1, from_at, from_at + length, 10**6, lot)
    known = []
    for n, (a, b, of, name, always) in enumerate(told):
        begin, end = (None, None) if always and of else (min(a, b), max(a, b) + 1)
        known.append(Analysed(n + 2, n, name, n / 8, begin, end, of))
    found = Analyses(known)
    near = found.near(quantity, ["ncv", "c"])
    assert pieces(quantity, ["ncv", "c"], near, 100) == pieces(quantity, ["ncv", "c"], known, 100)
    assert {one.analysis for one in near} <= {"ncv", "c"}
    assert {one.lot for one in near} <= {None, lot}
    assert [found.value(one.document_no, one.analysis) for one in known] == [one.value for one in known]


def test_a_mass_is_known_only_where_every_factor_is() -> None:
    quantity = Quantity(1, 0, 100, 1000)
    parts = [Emitted(quantity, 0, 60, 0.5), Emitted(quantity, 60, 100, None)]
    assert mass_kg(parts, 0, 60) == 300
    assert mass_kg(parts, 0, 61) is None
    assert mass_kg(parts, 60, 61) is None


def test_each_instant_is_covered_once() -> None:
    assert covered_us([(0, 10), (5, 20), (30, 40), (32, 33)], 3, 35) == 17 + 5


def test_a_weight_is_rounded_once() -> None:
    assert weight(Fraction(1, 10), {"ncv": 0.1, "c": 10.0}) == 0.1
    assert weight(Fraction(1, 10), {"ncv": 0.1, "c": None}) is None
