"""Stored rows of one point, KPI or source over a span, as arrays.

What is stored comes as one binary COPY, so a day of minutes costs a millisecond.
Hours and days that rows would make are asked of the database too: there they are made.
"""

from collections.abc import Mapping

from psycopg import AsyncCursor, sql

from ingest.pipeline.batch import IntArray, Rows
from ingest.store.copying import CopySource
from ingest.store.rollups import days_of, hours_of
from ingest.store.tables import EMISSION, INTERVAL, KPI_VALUE, QUALITY_COLUMNS, FigureTable
from kernels.rows import NO_COUNT

_FIGURES = {"amount": "float8", "amount_count": "int8", "mean": "float8", "min": "float8", "max": "float8"}
_SUMS = {"mean_sum": "float8", "mean_us": "int8"}
_NONE = {"float8": sql.Literal("NaN"), "int8": sql.Literal(int(NO_COUNT))}


class StoredTable:
    """A table whose rows have a number and an instant."""

    def __init__(
        self,
        name: str,
        key: str,
        at: str,
        figures: Mapping[str, str],
        *,
        revised: bool,
        versioned: bool = False,
    ) -> None:
        """`figures` are its figures, which are compared; `revised`: whether it has revisions, and names a version.

        `versioned`: it names a version all the same.
        """
        self.name = name
        self.at = at
        self.figures = dict(figures)
        self.columns = tuple(figures)
        """The figures, as fields of what `fetch` gives."""
        stamps = {"revision": "int4"} if revised else {}
        stamps |= {"plan_version": "int4"} if revised or versioned else {}
        columns = {at: "timestamptz", **figures, **stamps}
        self.source = CopySource(columns)
        self.fields = sql.SQL(", ").join(_field(column, kind) for column, kind in columns.items())
        """Its columns for COPY, NULL as the arrays have it."""
        self._closed = sql.SQL("AND revision > 0" if revised else "")
        self._key = key

    def keys(self, rows: Rows) -> IntArray:
        """Of each row of one number its key: the instant, in the ledger with the class of the step."""
        at: IntArray = rows[self.at]
        return at << 4 | rows["class"] if "class" in self.columns else at

    async def fetch(self, cursor: AsyncCursor, number: int, begin: int, end: int) -> Rows:
        """The rows of a number whose instant is in [begin, end), in order of time; of intervals the closed ones."""
        return await self.source.fetch(
            cursor,
            sql.SQL(
                """
                SELECT {fields} FROM {table}
                 WHERE {key} = {number} AND {at} >= {begin} AND {at} < {end} {closed} ORDER BY {at}
                """
            ).format(
                fields=self.fields,
                table=sql.Identifier(self.name),
                key=sql.Identifier(self._key),
                at=sql.Identifier(self.at),
                number=number,
                begin=_instant(begin),
                end=_instant(end),
                closed=self._closed,
            ),
        )


class IntervalsOfPoints:
    """Closed intervals of many points, in order of point and time."""

    def __init__(self) -> None:
        """Columns as `INTERVALS` has them, and `point_no`."""
        columns = {"point_no": "int4", "start_at": "timestamptz", **INTERVALS.figures}
        self._source = CopySource(columns)
        self._fields = sql.SQL(", ").join(_field(column, kind) for column, kind in columns.items())

    async def fetch(self, cursor: AsyncCursor, numbers: IntArray, starts: IntArray) -> Rows:
        """Those of points (numbers) that begin at `starts` (µs)."""
        return await self._source.fetch(
            cursor,
            sql.SQL(
                """
                SELECT {fields} FROM interval
                 WHERE point_no = ANY({numbers}::int[]) AND revision > 0
                   AND start_at = ANY(ARRAY(SELECT to_timestamp(0) + s * interval '1 microsecond'
                                              FROM unnest({starts}::bigint[]) s))
                 ORDER BY point_no, start_at
                """
            ).format(fields=self._fields, numbers=numbers.tolist(), starts=starts.tolist()),
        )

    async def between(self, cursor: AsyncCursor, numbers: IntArray, begin: int, end: int) -> Rows:
        """Those of points (numbers) that begin in [begin, end) µs."""
        return await self._source.fetch(
            cursor,
            sql.SQL(
                """
                SELECT {fields} FROM interval
                 WHERE point_no = ANY({numbers}::int[]) AND revision > 0 AND start_at >= {begin} AND start_at < {end}
                 ORDER BY point_no, start_at
                """
            ).format(fields=self._fields, numbers=numbers.tolist(), begin=_instant(begin), end=_instant(end)),
        )


def _figure_table(table: FigureTable) -> StoredTable:
    names = list(table.staged.columns)
    figures = {name: table.staged.columns[name] for name in names[2 : names.index("revision")]}
    return StoredTable(table.name, table.key, "start_at", figures, revised=True)


def _field(column: str, kind: str) -> sql.Composable:
    name, wire_type = sql.Identifier(column), sql.Identifier(kind)
    if kind not in _NONE:
        return sql.SQL("{}::{}").format(name, wire_type)
    return sql.SQL("coalesce({}, {})::{}").format(name, _NONE[kind], wire_type)


def _instant(at: int) -> sql.Composed:
    return sql.SQL("to_timestamp(0) + {} * interval '1 microsecond'").format(at)


INTERVALS = _figure_table(INTERVAL)
KPI_VALUES = _figure_table(KPI_VALUE)
EMISSIONS = _figure_table(EMISSION)
LEDGER = StoredTable(
    "ledger", "point_no", "at",
    {"previous_at": "timestamptz", "class": "int2", "increment": "int8", "correction": "int8"}, revised=False,
)  # fmt: skip
HOURS = StoredTable(
    "interval_hour", "point_no", "start_at",
    {**_FIGURES, **QUALITY_COLUMNS, "intervals": "int4", **_SUMS}, revised=False,
)  # fmt: skip
DAYS = StoredTable(
    "interval_day", "point_no", "start_at", {**_FIGURES, **QUALITY_COLUMNS, "intervals": "int4"}, revised=False
)  # fmt: skip
COMPARISONS = StoredTable(
    "comparison", "point_no", "start_at",
    {"own": "float8", "other": "float8", "common_us": "int8", "verdict": "int2"}, revised=False, versioned=True,
)  # fmt: skip
INTERVALS_OF_POINTS = IntervalsOfPoints()
TABLES = (INTERVALS, LEDGER, HOURS, DAYS, COMPARISONS, EMISSIONS, KPI_VALUES)

_ROLLED_UP = sql.SQL(", ").join(map(sql.Identifier, ("start_at", *HOURS.columns)))


async def rollups_of(cursor: AsyncCursor, rows: Rows, zone: str) -> tuple[Rows, Rows]:
    """The hours and the days that interval rows of one point make, in order of time."""
    hours = await _made(cursor, HOURS, hours_of(_relation(INTERVALS, rows), zone))
    return hours, await _made(cursor, DAYS, days_of(_relation(HOURS, hours), zone))


async def _made(cursor: AsyncCursor, table: StoredTable, rolled_up: sql.Composable) -> Rows:
    query = sql.SQL("SELECT {} FROM ({}) AS made ({}) ORDER BY start_at")
    return await table.source.fetch(cursor, query.format(table.fields, rolled_up, _ROLLED_UP))


def _relation(table: StoredTable, rows: Rows) -> sql.Composed:
    """Rows as they would be selected from their table."""
    fields, arrays = [], []
    for name, kind in ((table.at, "timestamptz"), *table.figures.items()):
        column = sql.Identifier(name)
        if kind == "timestamptz":
            fields.append(sql.SQL("to_timestamp(0) + {0} * interval '1 microsecond' AS {0}").format(column))
        else:
            none = _NONE.get(kind, sql.NULL)
            fields.append(sql.SQL("NULLIF({0}, {1}) AS {0}").format(column, none))
        array = f"{{{','.join(map(repr, rows[name].tolist()))}}}"
        arrays.append(sql.SQL("{}::{}[]").format(array, sql.Identifier("int8" if name == table.at else kind)))
    return sql.SQL("(SELECT {fields} FROM unnest({arrays}) AS t ({names}))").format(
        fields=sql.SQL(", ").join(fields),
        arrays=sql.SQL(", ").join(arrays),
        names=sql.SQL(", ").join(map(sql.Identifier, (table.at, *table.columns))),
    )
