"""What a sealed period comes to, per point, KPI and emission source.

A point's period is made of its hours as its days are, by the same expression; sums of
KPIs and sources are the correctly rounded ones of their intervals, as windows and
emissions have them. A total is written only where it differs from the last one said,
so writing twice, or too many keys, changes nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from psycopg import AsyncCursor, sql

from ingest.model import Quality
from ingest.plant.plan import Plan
from ingest.store.arithmetic import FIGURES
from ingest.store.facts import Stamp
from ingest.store.pieces import summed
from ingest.store.registry import Numbers

TRUST = ("covered_us", "valid_us", "substituted_us", "quality", "reasons")
POINT_FIGURES = ("amount", "amount_count", "mean", "min", "max", *TRUST)


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed period, [from_at, to_at) in µs."""

    seal_no: int
    from_at: int
    to_at: int


Keys = Sequence[tuple[int, int]]
"""The store's number of each point, KPI or source, and the cause of what is said of it."""


async def write_points(cursor: AsyncCursor, seal: Seal, stamp: Stamp, keys: Keys) -> None:
    """Say what points come to."""
    await _take_back(cursor, seal, stamp, keys, "period_point", "point_no")
    await cursor.execute(
        _POINTS,
        {
            **said(seal, stamp),
            "keys": [number for number, _ in keys],
            "causes": [cause for _, cause in keys],
        },
    )


async def write_kpis(cursor: AsyncCursor, seal: Seal, stamp: Stamp, keys: Keys) -> None:
    """Say what KPIs come to."""
    await _write_sums(cursor, seal, stamp, keys, _Sums("kpi_value", "period_kpi", "kpi_no", ("a", "b")))


Varying = Mapping[int, int]
"""Number of a source whose factor depends on time → that of the point of its activity."""


def varying(plan: Plan, numbers: Numbers) -> Varying:
    """Those of a plan."""
    return {
        int(numbers.sources[place]): int(numbers.points[source.point])
        for place, source in enumerate(plan.sources)
        if source.varies
    }


async def write_sources(
    cursor: AsyncCursor, seal: Seal, stamp: Stamp, keys: Keys, activities: Varying
) -> None:
    """Say what emission sources come to; nothing where an amount of one of `activities` has no factor."""
    sums = _Sums("emission", "period_source", "source_no", ("mass_kg",))
    await _write_sums(cursor, seal, stamp, keys, sums, activities)


def _names(columns: Sequence[str], prefix: str | None = None) -> sql.Composed:
    names = [sql.Identifier(prefix, column) if prefix else sql.Identifier(column) for column in columns]
    return sql.SQL(", ").join(names)


_WITHIN = sql.SQL(
    """
    start_at >= to_timestamp(0) + %(from)s * interval '1 microsecond'
    AND start_at < to_timestamp(0) + %(to)s * interval '1 microsecond'
    """
)
_WITHOUT_MASS = sql.SQL(
    """
    SELECT FROM (SELECT start_at FROM interval
                  WHERE point_no = %(point)s AND revision > 0 AND quality < 3 AND amount IS NOT NULL AND {within}) a
     WHERE NOT EXISTS (SELECT FROM (SELECT start_at FROM emission
                                     WHERE source_no = %(source)s AND revision > 0 AND {within}) m
                        WHERE m.start_at = a.start_at)
     LIMIT 1
    """
).format(within=_WITHIN)
_POINTS = sql.SQL(
    """
    INSERT INTO period_point (seal_no, point_no, {columns}, cause, known_at, batch_no)
    SELECT %(seal)s, k.point_no, {now}, k.cause, to_timestamp(0) + %(known_at)s * interval '1 microsecond', %(batch)s
      FROM unnest(%(keys)s::int[], %(causes)s::smallint[]) AS k (point_no, cause)
      LEFT JOIN LATERAL (
           SELECT {figures} FROM interval_hour i WHERE i.point_no = k.point_no AND {within}
           HAVING count(*) > 0) AS n ({columns}) ON true
      LEFT JOIN LATERAL (
           SELECT * FROM period_point p WHERE p.seal_no = %(seal)s AND p.point_no = k.point_no
            ORDER BY p.batch_no DESC LIMIT 1) AS l ON true
     WHERE ({now}) IS DISTINCT FROM ({last})
    """
).format(
    columns=_names(POINT_FIGURES),
    now=_names(POINT_FIGURES, "n"),
    last=_names(POINT_FIGURES, "l"),
    figures=FIGURES,
    within=_WITHIN,
)


@dataclass(frozen=True, slots=True)
class _Sums:
    """A table of figures per interval, and where their sums over a period go."""

    table: str
    into: str
    key: str
    summed: tuple[str, ...]

    @property
    def read(self) -> sql.Composed:
        gathered = sql.SQL(", ").join(
            sql.SQL("string_agg(float8send({}), ''::bytea)").format(sql.Identifier(column))
            for column in self.summed
        )
        return sql.SQL(
            """
            SELECT {gathered}, sum(covered_us)::bigint, sum(valid_us)::bigint, sum(substituted_us)::bigint,
                   max(quality), bit_or(reasons)
              FROM {table} WHERE {key} = %(key)s AND revision > 0 AND {within} HAVING count(*) > 0
            """
        ).format(
            gathered=gathered, table=sql.Identifier(self.table), key=sql.Identifier(self.key), within=_WITHIN
        )

    @property
    def write(self) -> sql.Composed:
        columns = (*self.summed, *TRUST)
        types = ["float8"] * len(self.summed) + ["bigint", "bigint", "bigint", "smallint", "integer"]
        given = sql.SQL(", ").join(
            sql.SQL("{}::{} AS {}").format(sql.Placeholder(column), sql.SQL(kind), sql.Identifier(column))
            for column, kind in zip(columns, types, strict=True)
        )
        return sql.SQL(
            """
            INSERT INTO {into} (seal_no, {key}, {columns}, cause, known_at, batch_no)
            SELECT %(seal)s, %(key)s, {now}, %(cause)s, to_timestamp(0) + %(known_at)s * interval '1 microsecond',
                   %(batch)s
              FROM (SELECT {given}) n
              LEFT JOIN LATERAL (
                   SELECT * FROM {into} p WHERE p.seal_no = %(seal)s AND p.{key} = %(key)s
                    ORDER BY p.batch_no DESC LIMIT 1) AS l ON true
             WHERE ({now}) IS DISTINCT FROM ({last})
            """
        ).format(
            into=sql.Identifier(self.into),
            key=sql.Identifier(self.key),
            columns=_names(columns),
            given=given,
            now=_names(columns, "n"),
            last=_names(columns, "l"),
        )


async def _write_sums(
    cursor: AsyncCursor,
    seal: Seal,
    stamp: Stamp,
    keys: Keys,
    sums: _Sums,
    activities: Varying = MappingProxyType({}),
) -> None:
    await _take_back(cursor, seal, stamp, keys, sums.into, sums.key)
    read, write = sums.read, sums.write
    for number, cause in keys:
        await cursor.execute(read, {"key": number, "from": seal.from_at, "to": seal.to_at}, binary=True)
        found = await cursor.fetchone() or (None,) * (len(sums.summed) + len(TRUST))
        count = len(sums.summed)
        figures = [correctly_rounded(values) for values in found[:count]] + list(found[count:])
        if sums.table == "emission":  # a source has a meter or documents, never both
            figures = list(await summed(cursor, number, seal.from_at, seal.to_at) or figures)
        if number in activities and await _lacks_factor(cursor, seal, number, activities[number]):
            _, covered, *_, reasons = figures
            figures = [None, covered or 0, 0, 0, int(Quality.BAD), reasons or 0]
        values = dict(zip((*sums.summed, *TRUST), figures, strict=True))
        await cursor.execute(write, {**values, **said(seal, stamp), "key": number, "cause": cause})


async def _lacks_factor(cursor: AsyncCursor, seal: Seal, source_no: int, point_no: int) -> bool:
    """Whether a point has an amount in the period of which a source has no mass."""
    await cursor.execute(
        _WITHOUT_MASS, {"source": source_no, "point": point_no, "from": seal.from_at, "to": seal.to_at}
    )
    return await cursor.fetchone() is not None


async def _take_back(cursor: AsyncCursor, seal: Seal, stamp: Stamp, keys: Keys, table: str, key: str) -> None:
    """Forget what the batch under way has said before: what it says twice of one total it has said once."""
    await cursor.execute(
        sql.SQL("DELETE FROM {} WHERE seal_no = %s AND {} = ANY(%s) AND batch_no = %s").format(
            sql.Identifier(table), sql.Identifier(key)
        ),
        [seal.seal_no, [number for number, _ in keys], stamp.batch_no],
    )


def correctly_rounded(values: bytes | None) -> float | None:
    """The correctly rounded sum of float64 as the database sends them; none where no float holds it."""
    if values is None:
        return None
    try:
        # An array of the driver's would cost a Python object more for each of half a million.
        return math.fsum(np.frombuffer(values, ">f8").tolist())
    except (OverflowError, ValueError):
        return None


def said(seal: Seal, stamp: Stamp) -> dict[str, int]:
    """The parameters of a statement that says totals."""
    return {
        "seal": seal.seal_no,
        "from": seal.from_at,
        "to": seal.to_at,
        "known_at": stamp.known_at,
        "batch": stamp.batch_no,
    }
