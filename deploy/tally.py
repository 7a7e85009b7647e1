"""Published = acknowledged = stored, point by point.

What was published and acknowledged the simulators say in their statistics
files; what is stored is counted in the database. A simulated plant is a
function of time, so a second run over the same hours sends what is there
already: counted is therefore what the database holds of the span of time this
run has published, not what it has added.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Published:
    """What one simulator says of one point."""

    id: str
    published: int
    """Distinct readings handed to the broker."""
    acknowledged: int
    first_at: int
    """µs; the oldest `measured_at` of them."""
    last_at: int
    """µs; the newest."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """One simulator's file at a moment."""

    site: str
    phase: str
    finished: bool
    points: tuple[Published, ...]

    @property
    def acknowledged(self) -> int:
        """Readings of all points."""
        return sum(point.acknowledged for point in self.points)


@dataclass(frozen=True, slots=True)
class PointTally:
    """One point's three numbers, which shall be one."""

    id: str
    published: int
    acknowledged: int
    stored: int

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing and nothing is double."""
        return self.published == self.acknowledged == self.stored


def read_statistics(path: Path) -> Statistics | None:
    """The newest statistics; None before the first are written."""
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Statistics(
        site=body["site"],
        phase=body["phase"],
        finished=body["finished"],
        points=tuple(_published(name, numbers) for name, numbers in body["points"].items()),
    )


def count_stored(dsn: str, statistics: Statistics) -> list[PointTally]:
    """Compare with the database, which is asked once per point."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [
            PointTally(
                point.id,
                point.published,
                point.acknowledged,
                _stored(connection, point) if point.published else 0,
            )
            for point in statistics.points
        ]


def _stored(connection: psycopg.Connection, point: Published) -> int:
    row = connection.execute(
        """
        SELECT count(*), count(DISTINCT measured_at)
        FROM   reading
        WHERE  point_no = (SELECT point_no FROM point WHERE id = %(id)s)
        AND    measured_at BETWEEN %(first_at)s AND %(last_at)s
        """,
        {"id": point.id, "first_at": _instant(point.first_at), "last_at": _instant(point.last_at)},
    ).fetchone()
    rows, distinct = row or (0, 0)
    # A doubled reading must not make up for a missing one.
    return int(rows if distinct == point.published else distinct)


def _published(name: str, numbers: Mapping[str, int]) -> Published:
    return Published(
        id=name,
        published=numbers["published"],
        acknowledged=numbers["acknowledged"],
        first_at=numbers["first_at"],
        last_at=numbers["last_at"],
    )


def _instant(at: int) -> datetime:
    return _UNIX + timedelta(microseconds=at)
