"""The stored rows that an allocation spreads: closed intervals of meters and masses of sources, as they stand or stood."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from psycopg import AsyncConnection

from ingest.allocation.lines import Stored, is_counted
from ingest.allocation.spreading import Rows
from ingest.plant.plan import Plan
from ingest.store.instants import MICROSECONDS

_SAID = "covered_us, valid_us, substituted_us, quality, reasons, revision, plan_version"


async def stored_rows(
    connection: AsyncConnection[Any],
    plan: Plan,
    wanted: tuple[Collection[str], Collection[str]],
    span: tuple[int, int],
    batch_no: int | None = None,
    today: Mapping[str, str] | None = None,
) -> Stored:
    """Rows of points and sources (full ids) that begin in a span, µs, as known at a batch; None: now.

    `today` gives what some of the ids are called now.
    """
    points, sources = ({(today or {}).get(name, name): name for name in names} for names in wanted)
    meters = await _read(connection, "interval", "point", "amount_count", "amount", points, span, batch_no)
    masses = await _read(connection, "emission", "source", "0", "mass_kg", sources, span, batch_no)
    return Stored(
        {points[now]: _rows(rows, counted=is_counted(plan, points[now])) for now, rows in meters.items()},
        {sources[now]: _rows(rows, counted=False) for now, rows in masses.items()},
    )


async def _read(
    connection: AsyncConnection[Any],
    table: str,
    key: str,
    count: str,
    value: str,
    ids: Collection[str],
    span: tuple[int, int],
    batch_no: int | None,
) -> dict[str, list[tuple[Any, ...]]]:
    columns = f"{key}_no, start_at, coalesce({count}, 0) AS counted, {value} AS value, {_SAID}, known_at"
    where = f"""
        {key}_no IN (SELECT {key}_no FROM {key} WHERE id = ANY(%(ids)s))
        AND start_at >= to_timestamp(0) + %(from)s * interval '1 microsecond'
        AND start_at < to_timestamp(0) + %(to)s * interval '1 microsecond'
    """  # noqa: S608  names of this module, as below
    found = f"SELECT {columns} FROM {table} WHERE {where} AND revision > 0"  # noqa: S608
    if batch_no is not None:
        found = f"""
            {found} AND batch_no <= %(batch)s UNION ALL
            SELECT {columns} FROM {table}_history
             WHERE {where} AND batch_no <= %(batch)s AND superseded_batch > %(batch)s
        """  # noqa: S608
    cursor = await connection.execute(
        f"""
        SELECT k.id, {MICROSECONDS.format("start_at")}, counted, value, {_SAID},
               {MICROSECONDS.format("f.known_at")}
          FROM ({found}) f JOIN {key} k USING ({key}_no) ORDER BY k.id, start_at
        """.encode(),  # noqa: S608
        {"ids": sorted(ids), "from": span[0], "to": span[1], "batch": batch_no},
    )
    by_id: dict[str, list[tuple[Any, ...]]] = {}
    for name, *rest in await cursor.fetchall():
        by_id.setdefault(name, []).append(tuple(rest))
    return by_id


def _rows(rows: list[tuple[Any, ...]], *, counted: bool) -> Rows:
    start, count, amount, covered, valid, substituted, quality, reasons, revision, version, known = (
        list(column) for column in zip(*rows, strict=True)
    )
    held = np.array(count, np.int64) if counted else np.array([one or 0.0 for one in amount], np.float64)
    ints = [
        np.array(one, np.int64)
        for one in (covered, valid, substituted, quality, reasons, revision, version, known)
    ]
    return Rows(np.array(start, np.int64), held, *ints)
