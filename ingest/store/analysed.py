"""What approved analyses come to at the points they tell: readings, as declarations are.

A point `analysis:` names shows the newest analysis in force that is valid for all of an
interval, and nothing (a bad reading) where none is. So that it holds, the value is said again every period;
what changes is said again at every instant at which something was said before, with a
`seq` above all those. Nothing stored is overwritten, and telling twice says nothing more.
Of instants to come nothing is said yet. An analysis of a lot is of deliveries, not of time.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.methods.documented import Analysed
from ingest.model import ANALYSED_SEQ, DAY, Quality, Reason
from ingest.pipeline.batch import Readings
from ingest.plant.plan import Plan
from ingest.store.document_facts import MICROS, analyses_in_force, rows

NOTHING = math.nan
"""That no analysis is in force."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a point has to be told."""

    at: list[int]
    """Instants, µs, ascending."""
    value: list[float]
    """In the analysis's unit; NaN: none is in force."""
    next_at: int | None
    """When it has to be told again; None: not before something else is approved."""


def values_of(analyses: Iterable[Analysed], interval_us: int, period_us: int) -> dict[int, float]:
    """Instant (µs) → the value from it on, at each change and every period after it.

    Args:
        analyses: of one property.
        interval_us: an analysis is in force in intervals that it covers wholly.
        period_us: after which a value is said again.
    """
    ranked = sorted(
        ((one.batch_no, *_whole(one, interval_us), one.value) for one in analyses if _is_of_time(one)),
        reverse=True,
    )
    edges = sorted({at for _, begin, end, _ in ranked if begin < end for at in (begin, end)})
    found: dict[int, float] = {}
    for i, at in enumerate(edges):
        value = next((value for _, begin, end, value in ranked if begin <= at < end), NOTHING)
        until = edges[i + 1] if i + 1 < len(edges) else at + 1
        instants = [at] if math.isnan(value) else range(at, until, period_us)
        found |= dict.fromkeys(instants, value)
    return found


def _is_of_time(one: Analysed) -> bool:
    return one.lot is None and one.from_at is not None


def _whole(one: Analysed, interval_us: int) -> tuple[int, int]:
    assert one.from_at is not None
    assert one.to_at is not None
    return -(-one.from_at // interval_us) * interval_us, one.to_at - one.to_at % interval_us


def latest_days(readings: Readings, days: int) -> Readings:
    """The readings of the last days that have any: told first, nothing holds beyond what ends it."""
    day = readings.measured_at // DAY
    return readings.take(day >= np.unique(day)[-days:].min()) if len(readings) else readings


def to_be_told(wanted: Mapping[int, float], stored: Mapping[int, float], now: int) -> Told:
    """What differs from what was told, up to an instant.

    Args:
        wanted: instant → value from it on.
        stored: the same as it was told.
        now: µs.
    """
    instants = np.array(sorted(wanted), np.int64)
    at, value = [], []
    for one in sorted({*wanted, *stored}):
        if one > now:
            continue
        place = int(np.searchsorted(instants, one, side="right")) - 1
        should = NOTHING if place < 0 else wanted[int(instants[place])]
        if one not in stored or not _same(stored[one], should):
            at.append(one)
            value.append(should)
    return Told(at, value, next((one for one in instants.tolist() if one > now), None))


def _finite(value: float) -> float:
    """A value no float holds in the point's unit is none."""
    return value if math.isfinite(value) else NOTHING


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


async def told(
    connection: AsyncConnection, site_no: int, plan: Plan, now: int
) -> tuple[Readings, int | None]:
    """The readings that the points of a plan still have to be told; when to look again, if nothing is approved before.

    Args:
        connection: between transactions.
        site_no: of the site.
        plan: in force.
        now: our clock, µs.
    """
    points = [p for p in range(plan.n_measured) if plan.points[p].analysis is not None]
    parts, again = [Readings.empty()], []
    if not points:
        return parts[0], None
    async with connection.cursor() as cursor:
        known = await analyses_in_force(cursor, site_no)
        ids = [plan.points[p].id for p in points]
        numbers = dict(await rows(cursor, "SELECT id, point_no FROM point WHERE id = ANY(%s)", [ids]))
        for p in points:
            analysis = plan.points[p].analysis
            assert analysis is not None
            mine = [one for one in known if one.analysis == analysis[0]]
            wanted = values_of(mine, plan.interval_us, int(plan.params["period_us"][p]))
            scaled = {at: _finite(value * analysis[1]) for at, value in wanted.items()}
            stored, seq = await _stored(cursor, numbers[plan.points[p].id])
            found = to_be_told(scaled, stored, now)
            parts.append(_readings(p, found, seq + 1, now))
            again += [] if found.next_at is None else [found.next_at]
    return Readings.join(parts), min(again, default=None)


async def _stored(cursor: AsyncCursor, point_no: int) -> tuple[dict[int, float], int]:
    """What a point was told last at each instant, and the highest seq of that."""
    found = await rows(
        cursor,
        f"""
        SELECT DISTINCT ON (measured_at) {MICROS.format("measured_at")},
               CASE WHEN quality = {int(Quality.BAD)} THEN 'NaN' ELSE value END, seq
          FROM reading WHERE point_no = %s AND seq >= %s ORDER BY measured_at, seq DESC
        """,  # noqa: S608  fragments of this package
        [point_no, ANALYSED_SEQ],
    )
    return {at: value for at, value, _ in found}, max((seq for *_, seq in found), default=ANALYSED_SEQ - 1)


def _readings(point: int, found: Told, seq: int, now: int) -> Readings:
    n, value = len(found.at), np.array(found.value, np.float64)
    quality = np.where(np.isnan(value), int(Quality.BAD), int(Quality.GOOD)).astype(np.int64)
    return Readings(
        point=np.full(n, point, np.int64),
        measured_at=np.array(found.at, np.int64),
        received_at=np.full(n, now, np.int64),
        value=value,
        count=np.zeros(n, np.int64),
        quality=quality,
        reasons=np.full(n, int(Reason.MANUAL), np.int64),
        seq=np.full(n, seq, np.int64),
    )
