"""Gaps as the API tells them: why there was nothing, and what was put in its place.

The cause follows a rule, not a guess. A reason on the readings at the ends (of a
counter also on bad ones between them) comes first: maintenance, calibration, fault or
comm. Else it is `site` when no point of the site has a reading in any interval that
lies whole in the gap, `unit` when none of the point's own unit has, else `point`; so
is a gap too short to hold an interval. (Readings, not covered time: a state that holds
for a day covers an outage of everything around it.) Only a counter's gap is ever
filled: its register knows what was used, and the next reading tells it. How it was spread
over intervals is what ingest wrote down with them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from ingest.model import SECOND, Fill, FlatBecause, Kind, Reason, StepClass
from ingest.plant.plan import Plan, PlanPoint
from service import gap_queries, past
from service.as_of import AsOfDocument, Known
from service.books import count_of
from service.documents import Document, Instant, Page, columns_of
from service.gaps import Gap, sources_of
from service.store import Connection, Row, rows
from service.tabular import Table, instant_text
from service.times import to_datetime

GapCause = Literal["maintenance", "calibration", "fault", "comm", "site", "unit", "point"]
Filled = Literal["none", "flat", "same_hour", "production", "too_long"]
WhyFlat = Literal["no_weight", "weights_zero", "plan_changed"]

_PROFILES: dict[int, Filled] = {Fill.SAME_HOUR: "same_hour", Fill.PRODUCTION: "production"}
_WHY_FLAT: dict[int, WhyFlat] = {
    FlatBecause.WEIGHT_MISSING: "no_weight",
    FlatBecause.WEIGHTS_ZERO: "weights_zero",
    FlatBecause.PLAN_CHANGED: "plan_changed",
}
_TOLD: tuple[tuple[Reason, GapCause], ...] = (
    (Reason.MAINTENANCE, "maintenance"),
    (Reason.CALIBRATION, "calibration"),
    (Reason.FAULT, "fault"),
    (Reason.COMM, "comm"),
)


class GapDocument(Document):
    """One gap of one point."""

    id: str = Field(description="Full id of the point")
    from_: Instant = Field(alias="from", description="Where what was measured ends")
    to: Instant | None = Field(description="Where it goes on, exclusive; null: it is open")
    length_s: float = Field(description="Of an open gap up to the instant that the point is closed to")
    cause: GapCause = Field(
        description="What the readings at its ends say, else how much was silent: the site, the unit, the point"
    )
    filled: Filled = Field(
        description="How the amount was spread over it: flat, as is usual at that hour, or as was produced; too_long:"
        " it is known but not spread, as the gap is longer than the point's fill_at_most; none: nothing is known of it,"
        " or it is no counter"
    )
    flat_because: WhyFlat | None = Field(
        description="Why it is flat although the plant file asks for a profile: an interval of it has no weight,"
        " all weights are 0, or the plan file was changed in it"
    )
    amount: float | None = Field(description="What a counter's register lived through in it")
    amount_count: int | None = Field(description="The same, exact, in counts of the point's resolution")
    amount_unit: str | None
    intervals: int = Field(description="How many intervals it touches")
    intervals_from: Instant = Field(description="Begin of the first of them")
    intervals_to: Instant = Field(description="End of the last of them, exclusive")


class GapsPage(Page[GapDocument]):
    """A page of gaps of one point."""

    id: str
    from_: Instant = Field(alias="from", description="Begin of the span asked for")
    to: Instant = Field(description="End of the span asked for, exclusive")
    as_of: AsOfDocument


class AllGapsPage(Page[GapDocument]):
    """A page of gaps of all points."""

    as_of: dict[str, AsOfDocument] = Field(description="By site id")


async def page(
    connection: Connection, asked: Sequence[tuple[Plan, Gap]], known: Mapping[str, Known]
) -> Table:
    """Gaps of any sites as a table of `GapDocument`, in the order given; what is `known` of each site."""
    shown: dict[int, tuple[object, ...]] = {}
    for plan in {id(plan): plan for plan, _ in asked}.values():
        places = [place for place, (owner, _) in enumerate(asked) if owner is plan]
        gaps = [asked[place][1] for place in places]
        ends = await _ends(connection, plan, gaps, known[plan.site])
        silent = await _silences(connection, plan, gaps, known[plan.site])
        for place, gap, found, what in zip(places, gaps, ends, silent, strict=True):
            shown[place] = _shown(plan, gap, found, what)
    return Table(columns_of(GapDocument), [shown[place] for place in range(len(asked))])


async def _ends(connection: Connection, plan: Plan, gaps: Sequence[Gap], known: Known) -> list[Row]:
    return await rows(
        connection,
        gap_queries.ENDS,
        {
            "ids": [" ".join(plan.points[i].id for i in sources_of(plan, gap.point)) for gap in gaps],
            "befores": [to_datetime(gap.before_at) for gap in gaps],
            "afters": [None if gap.after_at is None else to_datetime(gap.after_at) for gap in gaps],
            **past.asked(known),
        },
    )


async def _silences(connection: Connection, plan: Plan, gaps: Sequence[Gap], known: Known) -> list[GapCause]:
    """How much of the plant was silent in each gap; asked once per span, for outages leave many alike."""
    asked: dict[tuple[str, int, int], bool] = {}
    spans = [_whole_intervals(plan, gap) for gap in gaps]
    for gap, (begin, end) in zip(gaps, spans, strict=True):
        if begin < end:
            asked[_unit_stem(plan, gap), begin, end] = asked[f"{plan.site}/", begin, end] = True
    keys = sorted(asked)
    heard = await rows(
        connection,
        gap_queries.HEARD,
        {
            "ids": [point.id for point in plan.points[: plan.n_measured]],
            "stems": [stem for stem, _, _ in keys],
            "begins": [to_datetime(begin) for _, begin, _ in keys],
            "ends": [to_datetime(end) for _, _, end in keys],
            **past.asked(known),
        },
    )
    asked = {key: was for key, (was,) in zip(keys, heard, strict=True)}
    return [
        "site"
        if not asked.get((f"{plan.site}/", *span), True)
        else "unit"
        if not asked.get((_unit_stem(plan, gap), *span), True)
        else "point"
        for gap, span in zip(gaps, spans, strict=True)
    ]


def _unit_stem(plan: Plan, gap: Gap) -> str:
    """What the ids of all points of the gap's unit begin with."""
    return plan.points[gap.point].id.rpartition("/")[0] + "/"


def _whole_intervals(plan: Plan, gap: Gap) -> tuple[int, int]:
    """Edges of the intervals that lie whole in a gap; the same one twice where there is none."""
    begin = gap.from_at + (-gap.from_at) % plan.interval_us
    return begin, max(begin, gap.until - gap.until % plan.interval_us)


def _shown(plan: Plan, gap: Gap, ends: Row, silent: GapCause) -> tuple[object, ...]:
    point, interval_us = plan.points[gap.point], plan.interval_us
    reasons, before, after, step, increment, correction, used, because = ends
    filled, count = _filled(point, before, after, step, increment, correction)
    if filled == "flat":
        filled = _PROFILES.get(used, filled)
    begin = gap.from_at - gap.from_at % interval_us
    end = gap.until + (-gap.until) % interval_us
    return (
        point.id,
        instant_text(gap.from_at),
        instant_text(gap.to_at),
        (gap.until - gap.from_at) / SECOND,
        next((name for reason, name in _TOLD if (reasons or 0) & reason), silent),
        filled,
        _WHY_FLAT.get(because) if filled == "flat" else None,
        None if count is None else count * point.resolution,
        count,
        point.amount_unit,
        (end - begin) // interval_us,
        instant_text(begin),
        instant_text(end),
    )


def _filled(
    point: PlanPoint,
    before: float | None,
    after: float | None,
    step: int | None,
    increment: int | None,
    correction: int | None,
) -> tuple[Filled, int | None]:
    """How a gap was filled, and with how many counts."""
    if point.kind is not Kind.COUNTER or before is None or after is None:
        return "none", None
    if step is None:
        return "flat", count_of(after, point.resolution) - count_of(before, point.resolution)
    if step == StepClass.TOO_LONG:
        # A register that fell has been reset or gone round: how much it counted is anybody's guess.
        return "too_long", correction if correction is not None and correction >= 0 else None
    return ("none", None) if step == StepClass.IMPLAUSIBLE else ("flat", increment)
