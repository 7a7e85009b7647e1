"""The table `gap_fill`: how gaps are filled by weights, and which gaps rest on an interval."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
from psycopg import AsyncCursor

from ingest.pipeline.batch import IntArray
from ingest.pipeline.late import Spans
from ingest.store.facts import Stamp
from ingest.store.instants import MICROSECONDS
from ingest.store.versions import Edition

_AT = "to_timestamp(0) + {} * interval '1 microsecond'"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """How the part of a gap that is of one version's time is filled, as the table has it; instants in µs."""

    point_no: int
    from_at: int
    to_at: int
    plan_version: int
    asked: int
    used: int
    because: int
    source_no: int
    source_from: int
    source_to: int

    @staticmethod
    def of(edition: Edition, fill_row: np.void) -> "Entry":
        """Of a FILL_ROW under a version."""
        own = {"plan_version": edition.plan.version}
        for key in ("point", "source"):
            own[f"{key}_no"] = int(edition.numbers.points[fill_row[key]])
        names = fill_row.dtype.names or ()
        known = {field.name: int(fill_row[field.name]) for field in fields(Entry) if field.name in names}
        return Entry(**known, **own)


_INSTANTS = ("from_at", "to_at", "source_from", "source_to")
_NAMES = [field.name for field in fields(Entry)]
_COLUMNS = ", ".join(
    MICROSECONDS.format(f"g.{name}") if name in _INSTANTS else f"g.{name}" for name in _NAMES
)
_VALUES = ", ".join(_AT.format("%s") if name in _INSTANTS else "%s" for name in _NAMES)


async def resting_on(cursor: AsyncCursor, pairs: IntArray) -> list[Entry]:
    """The gaps that rest on intervals (point number, start_at)."""
    if not pairs.size:
        return []
    await cursor.execute(
        f"""
        SELECT DISTINCT {_COLUMNS}
          FROM unnest(%s::int[], %s::bigint[]) AS changed (point_no, start_us)
          JOIN gap_fill g ON g.source_no = changed.point_no AND g.superseded_batch IS NULL
               AND g.source_from <= {_AT.format("changed.start_us")}
               AND g.source_to > {_AT.format("changed.start_us")}
        """,  # noqa: S608  fragments of this package
        [pairs[:, 0].tolist(), pairs[:, 1].tolist()],
    )
    return [Entry(*row) for row in await cursor.fetchall()]


async def of_other_versions(
    cursor: AsyncCursor, spans: Sequence[tuple[int, int, int]], version: int
) -> list[Entry]:
    """The gaps that reach into spans (point number, begin, end) and are filled under another version too."""
    if not spans:
        return []
    await cursor.execute(
        f"""
        SELECT DISTINCT {_COLUMNS}
          FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS span (point_no, begin_us, end_us)
          JOIN gap_fill g ON g.point_no = span.point_no AND g.plan_version <> %s AND g.superseded_batch IS NULL
               AND g.from_at < {_AT.format("span.end_us")} AND g.to_at > {_AT.format("span.begin_us")}
        """,  # noqa: S608  fragments of this package
        [*(list(column) for column in zip(*spans, strict=True)), version],
    )
    return [Entry(*row) for row in await cursor.fetchall()]


async def in_shaped_gaps(cursor: AsyncCursor, pairs: IntArray, interval_us: int) -> IntArray:
    """Of intervals (point number, start_at) those that a gap reaches into which is not flat."""
    if not pairs.size:
        return pairs
    asked = np.unique(pairs, axis=0)
    await cursor.execute(
        f"""
        SELECT place - 1 FROM unnest(%s::int[], %s::bigint[]) WITH ORDINALITY AS asked (point_no, start_us, place)
         WHERE EXISTS (SELECT FROM gap_fill g
                        WHERE g.point_no = asked.point_no AND g.superseded_batch IS NULL AND g.used > 0
                          AND g.from_at < {_AT.format("(asked.start_us + %s)")}
                          AND g.to_at > {_AT.format("asked.start_us")})
        """,  # noqa: S608  fragments of this package
        [asked[:, 0].tolist(), asked[:, 1].tolist(), interval_us],
    )
    found: IntArray = asked[[place for (place,) in await cursor.fetchall()]]
    return found


async def book(
    cursor: AsyncCursor, stamp: Stamp, looked_at: Iterable[tuple[int, Spans]], entries: Iterable[Entry]
) -> None:
    """Write down how gaps are filled, and strike those that are none.

    `looked_at` are (version, spans of point numbers) of which the entries are all there are.
    """
    said, known = set(entries), await _known(cursor, looked_at)
    for gone in known - said:
        key = [gone.point_no, gone.from_at, gone.plan_version]
        where = f"point_no = %s AND from_at = {_AT.format('%s')} AND plan_version = %s AND superseded_batch IS NULL"
        # What a batch says twice it has said once.
        await cursor.execute(
            f"DELETE FROM gap_fill WHERE {where} AND batch_no = %s",  # noqa: S608
            [*key, stamp.batch_no],
        )
        await cursor.execute(
            f"UPDATE gap_fill SET superseded_batch = %s WHERE {where}",  # noqa: S608
            [stamp.batch_no, *key],
        )
    for new in sorted(said - known):
        await cursor.execute(
            f"INSERT INTO gap_fill ({', '.join(_NAMES)}, batch_no) VALUES ({_VALUES}, %s)",  # noqa: S608
            [*astuple(new), stamp.batch_no],
        )


async def _known(cursor: AsyncCursor, looked_at: Iterable[tuple[int, Spans]]) -> set[Entry]:
    """What is said of the gaps that reach into spans."""
    rows = [
        (version, *one)
        for version, spans in looked_at
        for one in zip(spans.point.tolist(), spans.begin.tolist(), spans.end.tolist(), strict=True)
    ]
    if not rows:
        return set()
    await cursor.execute(
        f"""
        SELECT DISTINCT {_COLUMNS}
          FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::bigint[]) AS span (version, point_no, begin_us, end_us)
          JOIN gap_fill g ON g.point_no = span.point_no AND g.plan_version = span.version
               AND g.superseded_batch IS NULL
               AND g.from_at < {_AT.format("span.end_us")} AND g.to_at > {_AT.format("span.begin_us")}
        """,  # noqa: S608  fragments of this package
        [list(column) for column in zip(*rows, strict=True)],
    )
    return {Entry(*row) for row in await cursor.fetchall()}
