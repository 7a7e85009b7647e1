"""Stored readings near a span, as columns.

Folding [begin, end) again needs the readings from the last one at or before `begin`
to the first one at or after `end`. Of a counter both must be usable: not bad, and the
winner among readings of equal time; for other points a bad one ends what came before
it as well. The order of readings is that of `kernels.entry.sorts_after`.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER
from ingest.pipeline.batch import IntArray, Readings
from ingest.pipeline.signals import Load, Signals
from ingest.pipeline.state import SiteState
from ingest.store.registry import Numbers
from kernels.rows import COUNTER, DELTA

_ORDER = "{0}.seq, {0}.received_at, {0}.value <> 'NaN', {0}.value, {0}.quality"
_MATTERS = f"""
    (NOT t.counter OR r.quality < 3 AND NOT EXISTS (
        SELECT 1 FROM reading o
         WHERE o.point_no = r.point_no AND o.measured_at = r.measured_at AND o.quality = 3
           AND ({_ORDER.format("o")}) > ({_ORDER.format("r")})))
"""  # noqa: S608  fragments of this module
"""Of a usable reading that lost, its time is usable all the same if the winner is."""
_MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"


async def neighbours(
    cursor: AsyncCursor, state: SiteState, numbers: Numbers, point: IntArray, first: IntArray, last: IntArray
) -> tuple[IntArray, IntArray]:
    """Per point (plan index) the reading before `first` and the one after `last`, NEVER where there is none."""
    await cursor.execute(
        f"""
        SELECT {_MICROSECONDS.format("b.at")}, {_MICROSECONDS.format("n.at")}
          FROM unnest(%s::int[], %s::bool[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
               AS t (point_no, counter, first_at, last_at, place)
          LEFT JOIN LATERAL (
               SELECT r.measured_at AS at FROM reading r
                WHERE r.point_no = t.point_no AND r.measured_at < t.first_at AND {_MATTERS}
                ORDER BY r.measured_at DESC LIMIT 1) b ON true
          LEFT JOIN LATERAL (
               SELECT r.measured_at AS at FROM reading r
                WHERE r.point_no = t.point_no AND r.measured_at > t.last_at AND {_MATTERS}
                ORDER BY r.measured_at LIMIT 1) n ON true
         ORDER BY t.place
        """,  # noqa: S608  fragments of this module
        [numbers.points[point].tolist(), _counters(state, point), _instants(first), _instants(last)],
    )
    rows = [(NEVER if b is None else b, NEVER if n is None else n) for b, n in await cursor.fetchall()]
    array = np.array(rows, np.int64).reshape(-1, 2)
    return array[:, 0].copy(), array[:, 1].copy()


async def load_readings(
    cursor: AsyncCursor,
    state: SiteState,
    numbers: Numbers,
    point: IntArray,
    begin: IntArray,
    end: IntArray | None,
) -> Readings:
    """Readings around [begin, end) of each point (plan indices), in the order of the tail.

    What the rules of a point look back to is loaded as well. With `end` None all readings
    from the last one at or before `begin`, where the tail is to begin, are loaded; a `begin`
    of NEVER loads from the first.
    """
    params = state.params[point]
    if end is not None:
        begin = begin - params["lookback_us"]
    period = np.where(params["kind"] == DELTA, params["period_us"], 0)
    at_start = params["stamp_start"] != 0
    begin = np.where(begin == NEVER, NEVER, begin - np.where(at_start, period, 0))
    until = None if end is None else end + np.where(at_start, 0, period)
    await cursor.execute(
        f"""
        SELECT t.place - 1, {_MICROSECONDS.format("r.measured_at")}, {_MICROSECONDS.format("r.received_at")},
               r.value, r.quality, r.reasons, r.seq
          FROM unnest(%s::int[], %s::bool[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
               AS t (point_no, counter, begin_at, end_at, place)
         CROSS JOIN LATERAL (
               SELECT coalesce((SELECT r.measured_at FROM reading r
                                 WHERE r.point_no = t.point_no AND r.measured_at <= t.begin_at AND {_MATTERS}
                                 ORDER BY r.measured_at DESC LIMIT 1), t.begin_at) AS since,
                      coalesce((SELECT r.measured_at FROM reading r
                                 WHERE r.point_no = t.point_no AND r.measured_at >= t.end_at AND {_MATTERS}
                                 ORDER BY r.measured_at LIMIT 1), 'infinity') AS till) span
          JOIN reading r ON r.point_no = t.point_no AND r.measured_at BETWEEN span.since AND span.till
                        AND (r.measured_at = span.since OR r.measured_at >= t.begin_at)
         ORDER BY t.place, r.measured_at, {_ORDER.format("r")}
        """,  # noqa: S608  fragments of this module
        [
            numbers.points[point].tolist(),
            _counters(state, point),
            _instants(begin),
            _instants(until) or ["infinity"] * point.size,
        ],
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    ints = [np.array(columns[i], np.int64) for i in (0, 1, 2, 4, 5, 6)]
    owner, value = point[ints[0]] if rows else np.zeros(0, np.int64), np.array(columns[3], np.float64)
    return Readings(owner, ints[1], ints[2], value, state.counts(owner, value), ints[3], ints[4], ints[5])


def _counters(state: SiteState, point: IntArray) -> list[bool]:
    found: list[bool] = (state.params["kind"][point] == COUNTER).tolist()
    return found


def _instants(at: IntArray | None) -> Sequence[str]:
    """Instants as PostgreSQL reads them; NEVER is -infinity."""
    if at is None:
        return []
    return ["-infinity" if t == NEVER else f"{np.datetime64(t, 'us')}Z" for t in at.tolist()]


def as_signals(readings: Readings, points: IntArray) -> Signals:
    """Loaded readings as segments in the order of `points`, each of which they hold in one piece."""
    begins = np.flatnonzero(np.diff(readings.point, prepend=-1))
    pieces = dict(
        zip(
            readings.point[begins].tolist(),
            itertools.pairwise([*begins.tolist(), len(readings)]),
            strict=True,
        )
    )
    parts = []
    for p in points.tolist():
        rows = slice(*pieces.get(p, (0, 0)))
        mine = [
            getattr(readings, name)[rows] for name in ("measured_at", "value", "count", "quality", "reasons")
        ]
        parts.append(Signals(np.array([0, rows.stop - rows.start]), *mine))
    return Signals.join(parts)


def from_loaded(readings: Readings) -> Load:
    """Loaded readings as a source of signals."""
    return lambda points: as_signals(readings, points)
