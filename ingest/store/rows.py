"""Rows of `reading` as columns, and the fragments of SQL that say which of them count.

The order of readings is that of `kernels.entry.sorts_after`.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ingest.model import NEVER
from ingest.pipeline.batch import IntArray, Readings
from ingest.pipeline.signals import COLUMNS, Load, Signals
from ingest.pipeline.state import SiteState

ORDER = "{0}.seq, {0}.received_at, {0}.value <> 'NaN', {0}.value, {0}.quality"


def usable(r: str) -> str:
    """SQL: whether a reading is usable at a usable time.

    Of a usable reading that lost, its time is usable all the same if the winner is.
    """
    return f"""
        {r}.quality < 3 AND NOT EXISTS (
            SELECT 1 FROM reading o
             WHERE o.point_no = {r}.point_no AND o.measured_at = {r}.measured_at AND o.quality = 3
               AND ({ORDER.format("o")}) > ({ORDER.format(r)}))
    """  # noqa: S608  fragments of this module


def beside(r: str) -> str:
    """SQL: whether there are other readings of a reading's time; equal ones are stored once."""
    return f"""
        EXISTS (SELECT 1 FROM reading o
                 WHERE o.point_no = {r}.point_no AND o.measured_at = {r}.measured_at
                   AND (o.value, o.quality, o.seq) <> ({r}.value, {r}.quality, {r}.seq))
    """  # noqa: S608  fragments of this module


def instants(at: IntArray) -> Sequence[str]:
    """Instants as PostgreSQL reads them; NEVER is -infinity, and as far in the other way infinity."""
    return [
        "-infinity" if t == NEVER else "infinity" if t == -NEVER else f"{np.datetime64(t, 'us')}Z"
        for t in at.tolist()
    ]


def as_readings(state: SiteState, point: IntArray, rows: list[tuple[Any, ...]]) -> Readings:
    """Rows (place in `point`, measured_at, received_at, value, quality, reasons, seq) as columns."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    ints = [np.array(columns[i], np.int64) for i in (0, 1, 2, 4, 5, 6)]
    owner, value = point[ints[0]] if rows else np.zeros(0, np.int64), np.array(columns[3], np.float64)
    return Readings(owner, ints[1], ints[2], value, state.counts(owner, value), ints[3], ints[4], ints[5])


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
        mine = [getattr(readings, name)[rows] for name in ("measured_at", *COLUMNS[1:])]
        parts.append(Signals(np.array([0, rows.stop - rows.start]), *mine))
    return Signals.join(parts)


def from_loaded(readings: Readings) -> Load:
    """Loaded readings as a source of signals."""
    return lambda points: as_signals(readings, points)
