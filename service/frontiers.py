"""Up to which instant each point is closed: the frontier ingest holds in memory, told from what is stored.

`point_state` is written with the rows that ingest closes, and of a silent point only
once an hour, so behind a silence it lags. But a silent point closes with the
watermark alone, and every commit names that: where no stored reading covers anything
at or after the stored frontier, and the watermark has left a point that waits for its
next reading (sloped or counter) more than max_gap behind, it is closed up to the edge
below the watermark. That is the rule of `kernels.frontier` for points that have
nothing to close; all others have a stored frontier that is right. A computed point is
silent when all its inputs are. As of an earlier batch the same is told from what had been
stored by then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.model import HOUR, Kind
from ingest.pipeline.admission import MOST_AHEAD
from ingest.plant.plan import Plan
from service import past
from service.as_of import Known
from service.store import Connection, rows
from service.times import to_datetime


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is stored of one point, µs."""

    closed_until: int | None
    newest_at: int | None
    """Its newest reading that may end what came before it (of a counter a usable one)."""


async def closed_until(
    connection: Connection, plan: Plan, points: Iterable[int], known: Known
) -> dict[int, int]:
    """Per plan index the edge up to which the point is closed, µs; a point that never was is left out."""
    asked = sorted(set(points))
    inputs = {program.point: program.reads for program in plan.computed}
    every = sorted({*asked, *(i for point in asked for i in inputs.get(point, ()))})
    heard = await _heard(connection, plan, every, known)
    watermark = known.watermark
    found = {}
    for point in asked:
        stored = heard[point].closed_until
        if stored is None:
            continue
        sources = inputs.get(point, (point,))
        if watermark is not None and all(_is_silent(plan, i, heard[i], watermark) for i in sources):
            newest = max((at for i in sources if (at := heard[i].newest_at) is not None), default=None)
            if _covers_nothing_after(plan, point, newest, stored, watermark):
                stored = max(stored, watermark - watermark % plan.interval_us)
        found[point] = stored
    return found


def _waits(plan: Plan, point: int) -> bool:
    """Whether closing needs a reading beyond the edge."""
    kind = plan.points[point].kind
    return kind is Kind.COUNTER or (
        bool(plan.params["sloped"][point]) and kind not in {Kind.DELTA, Kind.STATE}
    )


def _is_silent(plan: Plan, point: int, heard: _Heard, watermark: int) -> bool:
    """Whether nothing of the point holds its readers back at the watermark."""
    newest = heard.newest_at
    return newest is None or (
        watermark - newest > int(plan.params["max_gap_us"][point]) if _waits(plan, point) else True
    )


def _covers_nothing_after(plan: Plan, point: int, newest: int | None, stored: int, watermark: int) -> bool:
    """Whether nothing that is stored covers any time between a frontier and the watermark."""
    if newest is None:
        return True
    max_gap_us = int(plan.params["max_gap_us"][point])
    if plan.points[point].kind is Kind.DELTA:
        at_start = bool(plan.params["stamp_start"][point])
        return newest + (int(plan.params["period_us"][point]) if at_start else 0) <= stored
    if _waits(plan, point):
        return newest <= stored and watermark - newest > max_gap_us
    return newest + max_gap_us <= stored


async def _heard(
    connection: Connection, plan: Plan, points: Sequence[int], known: Known
) -> dict[int, _Heard]:
    ids = [plan.points[i].id for i in points]
    found = await rows(
        connection,
        """
        SELECT s.closed_until, r.measured_at
          FROM unnest(%(ids)s::text[], %(counter)s::bool[]) WITH ORDINALITY AS asked (id, counter, place)
          LEFT JOIN point p ON p.id = asked.id
          LEFT JOIN point_state s USING (point_no)
          LEFT JOIN LATERAL (
               SELECT r.measured_at FROM reading r
                WHERE r.point_no = p.point_no AND r.measured_at < %(beyond)s
                  AND (NOT %(past)s OR r.batch_no <= %(batch)s)
                  AND (NOT asked.counter OR r.quality < 3 AND NOT EXISTS (
                      SELECT 1 FROM reading o
                       WHERE o.point_no = r.point_no AND o.measured_at = r.measured_at AND o.quality = 3
                         AND (NOT %(past)s OR o.batch_no <= %(batch)s)
                         AND (o.seq, o.received_at, o.value <> 'NaN', o.value, o.quality)
                           > (r.seq, r.received_at, r.value <> 'NaN', r.value, r.quality)))
                ORDER BY r.measured_at DESC LIMIT 1
               ) r ON true
         ORDER BY asked.place
        """,
        {
            "ids": ids,
            "counter": [plan.points[i].kind is Kind.COUNTER for i in points],
            "past": known.past,
            "batch": known.batch_no,
            "beyond": beyond(plan, known),
        },
    )
    heard = {point: _Heard(*values) for point, values in zip(points, found, strict=True)}
    if not known.past:
        return heard
    stood = await past.frontiers(connection, plan, ids, known)
    return {point: _Heard(stood.get(plan.points[point].id), heard[point].newest_at) for point in points}


def beyond(plan: Plan, known: Known) -> object:
    """An instant no reading known by then had: so that the newest need not be looked for among all later ones.

    The watermark knew min(measured_at, received_at) of each, less the lateness, which another version may have had
    longer: at a live site none came after its commit either. Infinity where the commit is gone.
    """
    if not known.past or known.known_at is None or known.watermark is None:
        return "infinity"
    heard = known.watermark + plan.lateness_us
    if plan.clock == "live":
        return to_datetime(max(heard, known.known_at) + MOST_AHEAD)
    return to_datetime(heard + HOUR)
