"""The tables a batch is written to, and how a row there gives way to a newer one.

Intervals, KPI values and emissions share one rule: a provisional row
(revision 0) is overwritten in place; a closed row changes only when the new one
differs in a figure, and then its revision goes up by one. Equal rows written
again (after a restart) change nothing. What a closed row said before goes to the
table's history, by a trigger (0005_history). A row that was taken away and comes
again goes on counting: nothing said was the revision between.
"""

import numpy as np
import numpy.typing as npt
from psycopg import sql

from ingest.store.copying import CopyTarget
from kernels.rows import NO_COUNT

QUALITY_COLUMNS = {
    "covered_us": "int8",
    "valid_us": "int8",
    "substituted_us": "int8",
    "quality": "int2",
    "reasons": "int4",
}
STAMP_COLUMNS = {"plan_version": "int4", "known_at": "timestamptz", "batch_no": "int8"}
REVISION_COLUMNS = {"revision": "int4", "cause": "int2", **STAMP_COLUMNS}

READING = CopyTarget(
    "reading",
    {
        "point_no": "int4",
        "measured_at": "timestamptz",
        "received_at": "timestamptz",
        "value": "float8",
        "quality": "int2",
        "reasons": "int4",
        "seq": "int8",
        "batch_no": "int8",
    },
)
STAGED_READING = CopyTarget("staged_reading", READING.columns)


class FigureTable:
    """A table of figures per key and interval, staged and merged."""

    def __init__(self, name: str, key: str, values: dict[str, str]) -> None:
        """`values` are the figure's own columns; NaN and NO_COUNT in them become NULL."""
        self.name = name
        figures = {**values, **QUALITY_COLUMNS}
        columns = {key: "int4", "start_at": "timestamptz", **figures, **REVISION_COLUMNS}
        self.key = key
        self.values = dict(values)
        self.staged = CopyTarget(f"staged_{name}", columns)
        self.whole = CopyTarget(name, columns)
        self.unstage = sql.SQL("DELETE FROM {}").format(sql.Identifier(f"staged_{name}"))
        self._merging = {
            "table": sql.Identifier(name),
            "staged": sql.Identifier(f"staged_{name}"),
            "key": sql.Identifier(key),
            "columns": _list(columns),
            "assignments": sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column))
                for column in columns
                if column not in (key, "start_at", "revision")
            ),
            "old": _list(figures, prefix=name),
            "new": _list(figures, prefix="excluded"),
        }
        selected = {column: _nullable(column, kind, column in values) for column, kind in columns.items()}
        self.merge = self._merge(selected)
        """What closing has staged, into the table."""
        counted = _COUNTED.format(
            staged=sql.Identifier(f"staged_{name}"),
            history=sql.Identifier(f"{name}_history"),
            key=sql.Identifier(key),
        )
        self.revise = self._merge({**selected, "revision": counted}) + sql.SQL(
            "RETURNING {}, start_at"
        ).format(sql.Identifier(key))
        """The same of what was recomputed, and which rows it has written."""

    def _merge(self, selected: dict[str, sql.Composable]) -> sql.Composed:
        return _MERGE.format(**self._merging, selected=sql.SQL(", ").join(selected.values()))


_MERGE = sql.SQL(
    """
    INSERT INTO {table} ({columns})
    SELECT {selected} FROM {staged}
    ON CONFLICT ({key}, start_at) DO UPDATE
       SET {assignments},
           revision = CASE WHEN {table}.revision = 0 THEN excluded.revision ELSE {table}.revision + 1 END
     WHERE {table}.revision = 0
        OR (excluded.revision > 0 AND ({old}) IS DISTINCT FROM ({new}))
    """
)
_COUNTED = sql.SQL(
    """
    GREATEST(revision, (SELECT max(h.revision) + 2 FROM {history} h
                         WHERE h.{key} = {staged}.{key} AND h.start_at = {staged}.start_at))
    """
)


def absent(column: np.ndarray) -> npt.NDArray[np.bool_]:
    """Where a figure's own column says that there is none."""
    found: npt.NDArray[np.bool_] = np.isnan(column) if column.dtype.kind == "f" else column == NO_COUNT
    return found


def _list(columns: dict[str, str], prefix: str | None = None) -> sql.Composed:
    names = [sql.Identifier(prefix, column) if prefix else sql.Identifier(column) for column in columns]
    return sql.SQL(", ").join(names)


def _nullable(column: str, kind: str, is_value: bool) -> sql.Composable:
    name = sql.Identifier(column)
    if is_value and kind == "float8":
        return sql.SQL("NULLIF({}, 'NaN')").format(name)
    if is_value and kind == "int8":
        return sql.SQL("NULLIF({}, {})").format(name, sql.Literal(int(NO_COUNT)))
    return name


INTERVAL = FigureTable(
    "interval",
    "point_no",
    {"amount": "float8", "amount_count": "int8", "mean": "float8", "min": "float8", "max": "float8"},
)
KPI_VALUE = FigureTable("kpi_value", "kpi_no", {"a": "float8", "b": "float8"})
EMISSION = FigureTable("emission", "source_no", {"mass_kg": "float8"})

STAGING = """
    CREATE TEMP TABLE staged_interval  (LIKE interval)  ON COMMIT DELETE ROWS;
    CREATE TEMP TABLE staged_kpi_value (LIKE kpi_value) ON COMMIT DELETE ROWS;
    CREATE TEMP TABLE staged_emission  (LIKE emission)  ON COMMIT DELETE ROWS;
    CREATE TEMP TABLE staged_reading (
        point_no integer, measured_at timestamptz, received_at timestamptz, value double precision,
        quality smallint, reasons integer, seq bigint, batch_no bigint
    ) ON COMMIT DELETE ROWS;
"""
"""Made once per connection; a session's own tables, so two writers never meet in them."""
