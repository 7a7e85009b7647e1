"""Gaps as objects: maximal spans [start, end) of a point in which nothing was measured.

They are derived, never stored, so they cannot differ from the figures and do not
depend on the order in which anything came. Hours that are covered whole are passed
over by their rollup, then intervals by their row; what is left are stretches, and the
readings at their ends give the exact µs. Two readings further apart than the point's
reach have a gap between them:

    sloped, counter   reach max_gap, from the one to the other
    stepped           reach max_gap, from the one + max_gap
    delta             reach period, between the spans they are of

Bad readings cover; of a counter they do not, as its register runs from one usable
reading to the next. A computed point has its inputs' readings. A reading alone parts two gaps. Behind the last reading
a gap is open: it ends where nothing ends it, and lasts to the point's frontier.
Before the first there is nothing to miss. Nothing is summed here: what a counter
lived through is the difference of two readings, or its step in the ledger. As of an earlier
batch the same is asked of what had been stored by then, under the plan in force now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.model import HOUR, Kind, Reason, StepClass
from ingest.plant.plan import Plan
from service import past
from service.as_of import Known
from service.frontiers import closed_until
from service.gap_queries import PAIRS, UNCOVERED
from service.problems import ProblemError
from service.store import Connection, rows
from service.times import to_datetime

MOST_INTERVALS = 3_000_000
"""Intervals, of all points together, one answer may look through: five years of minutes of one point."""
MOST_GAPS = 50_000


@dataclass(frozen=True, slots=True)
class Gap:
    """A span in which a point has nothing, instants in µs."""

    point: int
    """Plan index."""
    from_at: int
    to_at: int | None
    """None: it is open."""
    until: int
    """Its end; of an open one the instant up to which it is known."""
    before_at: int
    """The reading before it."""
    after_at: int | None
    """The reading behind it."""


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far a reading of a point speaks."""

    apart_us: int
    """Readings further apart than this have a gap between them."""
    behind_us: int
    """From a reading to where its time ends."""
    ahead_us: int
    """From where its time begins to a reading."""


_Stretch = tuple[int, int, int]
"""A place among the points, begin and end in µs."""


async def find(
    connection: Connection, plan: Plan, points: Sequence[int], from_at: int, to_at: int, known: Known
) -> list[Gap]:
    """The gaps of points (plan indices) that reach into [from_at, to_at) µs, ascending per point.

    Raises:
        ProblemError: more would have to be read, or told, than one answer may.
    """
    frontiers = await closed_until(connection, plan, points, known)
    closed = [point for point in points if point in frontiers]
    firsts = await _first_readings(connection, plan, closed, known)
    asked = []
    for place, point in enumerate(closed):
        first = firsts[place]
        begin = max(from_at, first) if first is not None else to_at
        # One interval on either side: a gap may end or begin between two edges.
        begin -= begin % plan.interval_us
        end = min(to_at + (-to_at) % plan.interval_us, frontiers[point])
        if begin < end:
            asked.append((place, begin, end))
    _check_size(plan, asked)
    # Of hours only what they are now is kept.
    hours = asked if known.past else await _uncovered(connection, plan, closed, asked, "hour", known)
    step = "interval then" if known.past else "interval"
    stretches = await _uncovered(connection, plan, closed, hours, step, known)
    pairs = await _pairs(connection, plan, closed, stretches, known)
    found = {}
    for place, before_at, after_at in pairs:
        gap = _gap(plan, closed[place], before_at, after_at, frontiers[closed[place]])
        if gap is not None and gap.from_at < to_at and gap.until > from_at:
            found[gap.point, gap.from_at] = gap
    return [found[key] for key in sorted(found)]


def _check_size(plan: Plan, asked: Iterable[_Stretch]) -> None:
    count = sum(end - begin for _, begin, end in asked) // plan.interval_us
    if count > MOST_INTERVALS:
        raise ProblemError(
            "too-much-asked",
            f"The gaps would be looked for in {count} intervals: expected at most {MOST_INTERVALS};"
            " ask for a shorter span or one site.",
        )


def _gap(plan: Plan, point: int, before_at: int, after_at: int | None, frontier: int) -> Gap | None:
    """The gap between two readings, or behind the last; None if there is none (yet)."""
    reach, retired_at = _reach(plan, point), plan.points[point].until
    from_at = before_at + reach.behind_us
    to_at = None if after_at is None else after_at - reach.ahead_us
    if to_at is None and retired_at is not None and frontier >= retired_at:
        to_at = retired_at
    until = frontier if to_at is None else to_at
    return Gap(point, from_at, to_at, until, before_at, after_at) if from_at < until else None


def _reach(plan: Plan, point: int) -> _Reach:
    kind, max_gap_us = plan.points[point].kind, int(plan.params["max_gap_us"][point])
    if kind is Kind.DELTA:
        period_us = int(plan.params["period_us"][point])
        ahead = period_us if plan.params["stamp_start"][point] else 0
        return _Reach(period_us, ahead, period_us - ahead)
    if kind is Kind.COUNTER or (kind is not Kind.STATE and plan.params["sloped"][point]):
        return _Reach(max_gap_us, 0, 0)
    return _Reach(max_gap_us, max_gap_us, 0)


def sources_of(plan: Plan, point: int) -> tuple[int, ...]:
    """The measured points whose readings a point has: itself, or the inputs of a computed one."""
    return plan.computed[point - plan.n_measured].reads if point >= plan.n_measured else (point,)


async def _first_readings(
    connection: Connection, plan: Plan, points: Sequence[int], known: Known
) -> list[int | None]:
    found = await rows(
        connection,
        """
        SELECT (SELECT min(f.at)
                  FROM unnest(string_to_array(asked.ids, ' ')) AS source (id)
                  JOIN point p USING (id)
                 CROSS JOIN LATERAL (SELECT r.measured_at AS at FROM reading r
                                      WHERE r.point_no = p.point_no AND (NOT %(past)s OR r.batch_no <= %(batch)s)
                                      ORDER BY r.measured_at LIMIT 1) f)
          FROM unnest(%(ids)s::text[]) WITH ORDINALITY AS asked (ids, place)
         ORDER BY asked.place
        """,
        {"ids": _source_ids(plan, points), **past.asked(known)},
    )
    return [at for (at,) in found]


def _source_ids(plan: Plan, points: Sequence[int]) -> list[str]:
    return [" ".join(plan.points[i].id for i in sources_of(plan, point)) for point in points]


async def _uncovered(
    connection: Connection,
    plan: Plan,
    points: Sequence[int],
    spans: Sequence[_Stretch],
    step: str,
    known: Known,
) -> list[_Stretch]:
    """The maximal parts of spans that are not covered, by their whole hours or by their intervals.

    Substituted time of a counter is covered, but carries the reason gap.
    """
    if not spans:
        return []
    length = HOUR if step == "hour" else plan.interval_us
    found = await rows(
        connection,
        UNCOVERED[step],
        {
            "places": [place for place, _, _ in spans],
            "ids": [plan.points[points[place]].id for place, _, _ in spans],
            "begins": [to_datetime(begin) for _, begin, _ in spans],
            "ends": [to_datetime(end) for _, _, end in spans],
            "length": length,
            "gap": int(Reason.GAP),
            **past.asked(known),
        },
    )
    return [(place, begin, end) for place, begin, end in found]


async def _pairs(
    connection: Connection, plan: Plan, points: Sequence[int], stretches: Sequence[_Stretch], known: Known
) -> list[tuple[int, int, int | None]]:
    """(place, reading, next reading) further apart than the point's reach, around each stretch; None: no next."""
    if not stretches:
        return []
    owners = [points[place] for place, _, _ in stretches]
    found = await rows(
        connection,
        PAIRS,
        {
            "places": [place for place, _, _ in stretches],
            "ids": _source_ids(plan, owners),
            "counter": [plan.points[point].kind is Kind.COUNTER for point in owners],
            "apart": [_reach(plan, point).apart_us for point in owners],
            "begins": [to_datetime(begin) for _, begin, _ in stretches],
            "ends": [to_datetime(end) for _, _, end in stretches],
            "glitch": int(StepClass.GLITCH),
            "limit": MOST_GAPS + 1,
            **past.asked(known),
        },
    )
    if len(found) > MOST_GAPS:
        raise ProblemError(
            "too-much-asked",
            f"There are more than {MOST_GAPS} gaps: expected fewer; ask for a shorter span or one point.",
        )
    return [(place, before_at, after_at) for place, before_at, after_at in found]
