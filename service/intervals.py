"""Intervals, hours and days of a point, with the gaps between them.

Nothing measured leaves no row; but inside the span that is closed an absent row
says something, so it is told as a gap: value null, reason gap. The grid is the
site's interval, or its hours and days in its own zone. An interval length that
changed between plan versions is read on the newest grid. As of an earlier batch, hours
and days are made from the intervals that stood then.
"""

import math
from dataclasses import dataclass
from typing import Literal, LiteralString

from pydantic import Field

from ingest.methods.figures import NoFigure
from ingest.model import DAY, HOUR, Cause, Quality, Reason
from ingest.plant.plan import Plan, PlanPoint
from service import cursors, past, validity
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant, Page, columns_of
from service.figures import QUALITY_NAMES, QualityName, reason_names, share
from service.frontiers import closed_until
from service.store import Connection, row, rows
from service.tabular import Table, instant_text
from service.times import to_datetime

Step = Literal["interval", "hour", "day"]

MOST_FOLDED = 250_000
"""Intervals that a page of hours or days as of an earlier batch is made of, at most."""


class IntervalDocument(Document):
    """One interval, hour or day."""

    from_: Instant = Field(alias="from")
    to: Instant
    amount: float | None = Field(description="In `amount_unit`; null for a sample or a gap")
    amount_count: int | None = Field(description="The exact amount of a counter or delta, times `resolution`")
    mean: float | None
    min: float | None
    max: float | None
    reason: str | None = Field(description="Why there are no figures: gap or no_data")
    quality: QualityName
    reasons: list[str]
    covered_share: float
    valid_share: float
    substituted_share: float
    revision: int | None = Field(description="0 provisional, 1 closed, more: revised; null of hours and days")
    cause: str | None = Field(description="Why there is this revision")
    plan_version: int | None
    known_at: Instant | None
    valid: bool | None = Field(description="Of a closed hour or day, by `validity_rule`; null: not judged")
    validity_rule: str | None = Field(
        description="What the point declares: hj-hour, hj-day, eu-hour, us-hour"
    )


class IntervalsPage(Page[IntervalDocument]):
    """A page of intervals of one point."""

    id: str
    unit: str
    amount_unit: str | None
    step: Step
    from_: Instant = Field(alias="from", description="Begin of the span asked for")
    to: Instant = Field(description="End of the span asked for, exclusive")
    resolution: float = Field(description="Of `amount_count`, in `unit`")
    as_of: AsOfDocument


@dataclass(frozen=True, slots=True)
class ClosedSpan:
    """From a point's first interval to the instant up to which it is closed, µs."""

    point_no: int
    first_at: int
    until: int


async def closed_span(
    connection: Connection, plan: Plan, point: PlanPoint, known: Known
) -> ClosedSpan | None:
    """Where a point has intervals, or had; None if it has none yet."""
    found = await row(
        connection, _SPAN if not known.past else "SELECT point_no FROM point WHERE id = %s", [point.id]
    )
    if found is None:
        return None
    if known.past:
        first_and_last = await past.first_and_last(connection, "interval", "point_no", found[0], known)
        found = (found[0], *first_and_last)
    point_no, first_at, last_at = found
    if first_at is None:
        return None
    place = plan.index[point.id]
    until = (await closed_until(connection, plan, [place], known)).get(place, 0)
    return ClosedSpan(point_no, first_at, max(last_at + plan.interval_us, until))


_SPAN: LiteralString = """
    SELECT p.point_no,
           (SELECT min(start_at) FROM interval WHERE point_no = p.point_no),
           (SELECT max(start_at) FROM interval WHERE point_no = p.point_no)
      FROM point p
     WHERE p.id = %s
"""


async def page(
    connection: Connection,
    plan: Plan,
    point: PlanPoint,
    step: Step,
    from_at: int,
    to_at: int,
    limit: int,
    cursor: str | None,
    known: Known,
) -> Table:
    """Intervals that start in [from_at, to_at) µs, at most `limit`; all of them `known`."""
    head = _head(point, step, from_at, to_at, known)
    span = await closed_span(connection, plan, point, known)
    if span is None:
        return Table(columns_of(IntervalDocument), [], head=head)
    begin = from_at if cursor is None else cursors.decode(cursor, (cursors.INSTANT,))[0]
    begin = max(begin, from_at)
    step_us = {"interval": plan.interval_us, "hour": HOUR, "day": DAY}[step]
    if known.past and step != "interval":
        limit = min(limit, max(1, MOST_FOLDED * plan.interval_us // step_us))
    # The hour or day that holds the point's first interval begins before it; days have up to 25 hours.
    begin = max(begin, span.first_at - {"interval": 0, "hour": HOUR, "day": 25 * HOUR}[step])
    # Slots before the first interval and after `until` are no gaps and fall out; four more are enough.
    end = min(to_at, max(begin, span.until) + step_us, begin + (limit + 4) * step_us + HOUR)
    # The last hour or day may begin just before `to`.
    beyond = end + {"interval": 0, "hour": HOUR, "day": 25 * HOUR}[step]
    instants = {"from": begin, "to": end, "beyond": beyond, "first": span.first_at, "until": span.until}
    found = await rows(
        connection,
        _PAST[step] if known.past else _QUERIES[step],
        {
            "point_no": span.point_no,
            **{name: to_datetime(at) for name, at in instants.items()},
            "batch": known.batch_no,
            "zone": plan.zone.key,
            "step_us": step_us,
            "limit": limit + 1,
        },
    )
    more = len(found) > limit
    key = cursors.encode([found[limit][0]]) if more else None
    slots = [(values[0], values[1]) for values in found[:limit]]
    verdicts = await validity.judged(connection, plan, point, step, slots, span.until, known)
    shown = [
        _shown(point.resolution, *values) + verdict
        for values, verdict in zip(found[:limit], verdicts, strict=True)
    ]
    return Table(columns_of(IntervalDocument), shown, key, head)


def _head(point: PlanPoint, step: Step, from_at: int, to_at: int, known: Known) -> dict[str, object]:
    return {
        "id": point.id,
        "unit": point.unit,
        "amount_unit": point.amount_unit,
        "step": step,
        "from": instant_text(from_at),
        "to": instant_text(to_at),
        "resolution": point.resolution,
        "as_of": known.document.model_dump(),
    }


_INTERVALS: LiteralString = """
    SELECT g.start_at, g.start_at + %(step_us)s * INTERVAL '1 microsecond', i.point_no IS NULL,
           i.amount, i.amount_count, i.mean, i.min, i.max, i.quality, i.reasons,
           i.covered_us, i.valid_us, i.substituted_us, i.revision, i.cause, i.plan_version, i.known_at
      FROM generate_series(
               date_bin(%(step_us)s * INTERVAL '1 microsecond', %(from)s, 'epoch'::timestamptz),
               %(to)s, %(step_us)s * INTERVAL '1 microsecond'
           ) AS g (start_at)
      LEFT JOIN interval i ON i.point_no = %(point_no)s AND i.start_at = g.start_at
       AND i.start_at >= %(from)s AND i.start_at < %(to)s
     WHERE g.start_at >= %(from)s AND g.start_at < %(to)s
       AND (i.point_no IS NOT NULL
            OR (g.start_at >= %(first)s AND g.start_at + %(step_us)s * INTERVAL '1 microsecond' <= %(until)s))
     ORDER BY g.start_at
     LIMIT %(limit)s
"""
_HOURS: LiteralString = """
    SELECT g.start_at, g.start_at + INTERVAL '1 hour', i.point_no IS NULL,
           i.amount, i.amount_count, i.mean, i.min, i.max, i.quality, i.reasons,
           i.covered_us, i.valid_us, i.substituted_us, NULL, NULL, NULL, i.known_at
      FROM generate_series(
               date_trunc('hour', %(from)s, %(zone)s), %(to)s, INTERVAL '1 hour'
           ) AS g (start_at)
      LEFT JOIN interval_hour i ON i.point_no = %(point_no)s AND i.start_at = g.start_at
     WHERE g.start_at >= %(from)s AND g.start_at < %(to)s
       AND (i.point_no IS NOT NULL
            OR (g.start_at >= %(first)s AND g.start_at + INTERVAL '1 hour' <= %(until)s))
     ORDER BY g.start_at
     LIMIT %(limit)s
"""
_DAYS: LiteralString = """
    SELECT g.start_at, date_add(g.start_at, INTERVAL '1 day', %(zone)s), i.point_no IS NULL,
           i.amount, i.amount_count, i.mean, i.min, i.max, i.quality, i.reasons,
           i.covered_us, i.valid_us, i.substituted_us, NULL, NULL, NULL, i.known_at
      FROM generate_series(
               date_trunc('day', %(from)s, %(zone)s), %(to)s, INTERVAL '1 day', %(zone)s
           ) AS g (start_at)
      LEFT JOIN interval_day i ON i.point_no = %(point_no)s AND i.start_at = g.start_at
     WHERE g.start_at >= %(from)s AND g.start_at < %(to)s
       AND (i.point_no IS NOT NULL
            OR (g.start_at >= %(first)s AND date_add(g.start_at, INTERVAL '1 day', %(zone)s) <= %(until)s))
     ORDER BY g.start_at
     LIMIT %(limit)s
"""
_QUERIES: dict[Step, LiteralString] = {"interval": _INTERVALS, "hour": _HOURS, "day": _DAYS}
_PAST: dict[Step, LiteralString] = {
    "interval": past.INTERVALS + _INTERVALS.replace("JOIN interval i", "JOIN stood i"),
    "hour": past.HOURS + _HOURS.replace("JOIN interval_hour i", "JOIN hours i"),
    "day": past.DAYS + _DAYS.replace("JOIN interval_day i", "JOIN days i"),
}


def _shown(
    resolution: float,
    start_at: int,
    end_at: int,
    absent: bool,
    amount: float | None,
    amount_count: int | None,
    mean: float | None,
    least: float | None,
    largest: float | None,
    quality: int | None,
    reasons: int | None,
    covered_us: int | None,
    valid_us: int | None,
    substituted_us: int | None,
    revision: int | None,
    cause: int | None,
    plan_version: int | None,
    known_at: int | None,
) -> tuple[object, ...]:
    span = end_at - start_at
    figures = (amount, mean, least, largest)
    beyond = any(figure is not None and not math.isfinite(figure) for figure in figures)
    nothing = absent or beyond or not (valid_us or substituted_us)
    return (
        instant_text(start_at),
        instant_text(end_at),
        # Of counts the sum is exact; the sum of their amounts, each rounded, is not.
        _finite(amount if amount_count is None else amount_count * resolution),
        amount_count,
        _finite(mean),
        _finite(least),
        _finite(largest),
        NoFigure.GAP.value if absent else NoFigure.NO_DATA.value if nothing else None,
        QUALITY_NAMES[Quality.BAD if quality is None else quality],
        reason_names(Reason.GAP if absent else reasons or 0),
        share(covered_us or 0, span),
        share(valid_us or 0, span),
        share(substituted_us or 0, span),
        revision,
        None if cause is None else Cause(cause).name.lower(),
        plan_version,
        instant_text(known_at),
    )


def _finite(figure: float | None) -> float | None:
    """A figure beyond a float, as when a meter has told 1e308, is none."""
    return figure if figure is not None and math.isfinite(figure) else None
