"""Which version weighs which stretch of a document, against its definition instant by instant."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.methods.documented import Analysed, Analyses, Quantity
from ingest.model import HOUR
from ingest.plant import compile_plan, parse_plant
from ingest.store.piece_versions import PieceRow, Reign, Under, reigns_of, restated, weighed
from tests.ingest.feeding import SECOND

BEGIN = 1_767_225_600 * SECOND
"""2026-01-01T00:00Z."""
SOURCE = 7
DAY_H = 24

PLANT = """\
site: yard
name: Yard
time_zone: UTC
interval: 1h
factors:
  - {{id: handbook, value: {default}, unit: GJ/t, basis: NCV, source: x, trust: P}}
  - id: carbon
    unit: t/GJ
    basis: NCV
    series: [{{since: '{first}', value: {carbon}, source: x, trust: P}}, {{since: '2026-01-02', value: {later}, source: x, trust: P}}]
activities: [{{id: coal, name: Coal, unit: t, resolution: 0.001}}]
analyses: [{{id: ncv, name: NCV, unit: GJ/t, basis: NCV{stands}}}]
sources:
  - {{id: co2, scope: 1, category: combustion, gas: co2, route: calculated, activity: {{document: coal}}, factors: [ncv, carbon]}}
"""  # noqa: E501
NO_SOURCE = PLANT.replace("- {{id: co2,", "- {{id: other,")


def under(version: int, text: str = PLANT, **more: object) -> Under:
    given = {
        "default": 20.0,
        "first": "2025-01-01",
        "carbon": 0.025,
        "later": 0.026,
        "stands": ", default: handbook",
    }
    plan = compile_plan(parse_plant(text.format(**(given | more)), "yard.yaml"), version)
    return Under(plan, {"yard/co2": SOURCE, "yard/other": SOURCE + 1})


VERSIONS = {
    one.plan.version: one
    for one in (
        under(1),
        under(2, carbon=0.03),  # before the second day only
        under(3, default=21.0),  # where nothing is analysed
        under(4, stands=""),  # none where nothing is analysed
        under(5, first="2026-01-01T12:00:00Z"),  # none on the first morning
        under(6, NO_SOURCE),
    )
}
hours = st.integers(0, 2 * DAY_H)


@st.composite
def analysed(draw: st.DrawFn) -> Analyses:
    """Up to three analyses of stretches of the two days."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        first, last = sorted(draw(st.lists(hours, min_size=2, max_size=2, unique=True)))
        span = BEGIN + first * HOUR, BEGIN + last * HOUR
        value = draw(st.sampled_from([20.0, 23.5]))
        found.append(Analysed(10 + number, number, "ncv", value, *span, None))
    return Analyses(found)


def at(rows: list[PieceRow], hour: int) -> tuple[object, ...] | None:
    instant = BEGIN + hour * HOUR
    return next((row.weighs for row in rows if row.from_at <= instant < row.to_at), None)


@settings(max_examples=100, deadline=None)
@given(
    known=analysed(),
    later=analysed(),
    ends=st.lists(hours, min_size=2, max_size=2, unique=True),
    acts=st.lists(
        st.tuples(st.sampled_from(sorted(VERSIONS)), st.lists(hours, min_size=2, max_size=2, unique=True)),
        max_size=4,
    ),
)
def test_each_hour_is_as_the_last_version_that_changed_it_weighs_it(
    known: Analyses, later: Analyses, ends: list[int], acts: list[tuple[int, list[int]]]
) -> None:
    begin, end = (BEGIN + hour * HOUR for hour in sorted(ends))
    quantity = Quantity(1, begin, end, 1000)
    reigns: list[Reign] = [(begin, end, VERSIONS[1])]
    rows = weighed(quantity, "coal", SOURCE, reigns, known)
    of_hour = dict.fromkeys(range(min(ends), max(ends)), 1)
    for version, span in acts:
        whole = weighed(quantity, "coal", SOURCE, [(begin, end, VERSIONS[version])], known)
        edges = BEGIN + min(span) * HOUR, BEGIN + max(span) * HOUR
        outcome = restated(rows, reigns_of(rows, VERSIONS), whole, VERSIONS[version], edges)
        left = False
        for hour in of_hour:
            was, would = at(rows, hour), at(whole, hour)
            if min(span) <= hour < max(span) and was != would:
                if would is not None and would[0] is not None:
                    of_hour[hour] = version
                else:
                    left = left or (was is not None and was[0] is not None)
        assert outcome.left == left
        rows = weighed(quantity, "coal", SOURCE, outcome.reigns, known)
        again = restated(rows, reigns_of(rows, VERSIONS), whole, VERSIONS[version], edges)
        assert weighed(quantity, "coal", SOURCE, again.reigns, known) == rows
    # Whatever is analysed later, each hour stays under its version.
    rows = weighed(quantity, "coal", SOURCE, reigns_of(rows, VERSIONS), later)
    wholes = {v: weighed(quantity, "coal", SOURCE, [(begin, end, one)], later) for v, one in VERSIONS.items()}
    for hour, version in of_hour.items():
        assert at(rows, hour) == at(wholes[version], hour)
    assert [row.from_at for row in rows[1:]] == [row.to_at for row in rows[:-1]]
    assert (rows[0].from_at, rows[-1].to_at) == (begin, end)


def test_a_stretch_that_a_version_did_not_know_is_not_filled_in() -> None:
    """A source that came with a version, restated in two spans of a document: between them it has told nothing."""
    quantity, known = Quantity(1, BEGIN, BEGIN + 48 * HOUR, 1000), Analyses([])
    reigns: list[Reign] = []
    rows: list[PieceRow] = []
    for hour in (2, 40):
        whole = weighed(quantity, "coal", SOURCE, [(BEGIN, BEGIN + 48 * HOUR, VERSIONS[1])], known)
        span = BEGIN + hour * HOUR, BEGIN + (hour + 3) * HOUR
        reigns = restated(rows, reigns_of(rows, VERSIONS), whole, VERSIONS[1], span).reigns
        rows = weighed(quantity, "coal", SOURCE, reigns, known)
    assert [(row.from_at, row.to_at) for row in rows] == [
        (BEGIN + hour * HOUR, BEGIN + (hour + 3) * HOUR) for hour in (2, 40)
    ]
    kg = {row.kg_per_count for row in rows}
    assert kg == {float(Fraction("0.025") * 20), float(Fraction("0.026") * 20)}
