"""Covered rows out of the database, as canonical bytes.

The rows of a batch stand in a table and in its history with that batch_no, what it superseded in the history with
that superseded_batch. Column by column as `ingest.evidence.rows` wants them; a text leaves the database as its hash.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import AsyncCursor

from ingest.evidence.rows import Words, in_order, table_words
from ingest.evidence.verifier.layout import TABLES, Table
from ingest.model import Cause
from ingest.store.copying import PG_EPOCH_US
from ingest.store.instants import MICROSECONDS

HISTORIES = ("interval", "kpi_value", "emission", "ledger", "hour_record", "regime_hour")
SUPERSEDED = " superseded"
BY_NAME = {table.name: table for table in TABLES.values()}
KEYED = {"interval": "point_no", "kpi_value": "kpi_no", "emission": "source_no"}
"""Tables of which triggers note the rows a batch writes (0026_evidence), and their key."""
SAID_ROW = """
    CREATE TEMP TABLE said_row (table_no integer, number integer, start_at timestamptz) ON COMMIT DELETE ROWS;
"""
"""Where they note them; made once per connection."""
_NOTED_SPAN = b"""
    SELECT min(start_at), max(start_at), count(*), array_agg(DISTINCT number) FROM pg_temp.said_row WHERE table_no = %s
"""
FEW = 100
"""So few points, KPIs or sources are named: their rows of a day are then looked up by the key, not all rows of the day."""
MANY = 2000
"""So many rows are looked up by hashing: of a table that was never analysed the planner expects next to nothing, and
took minutes over the year that an import closes at once (tests/e2e/test_steel_year.py)."""
ROWS_AT_ONCE = 50_000
Cells = Callable[[str, str], str]
"""SQL of a column by its name and kind."""
_SETTLED = {
    **dict.fromkeys(KEYED, "revision > 0"),
    "regime_hour": "NOT provisional",
    "period_regime": f"""
        (r.cause <> {Cause.CLOSING:d}
         OR EXISTS (SELECT FROM period_seal s WHERE s.seal_no = r.seal_no AND s.batch_no = r.batch_no))
    """,
}
"""Of what may be overwritten in place the rows that may not: closed, final, frozen or said for a reason."""
_NEVER_NULL = ("reading",)
_TRUTHS = ("passed", "provisional")
_ZERO_HASH = "decode(repeat('00', 32), 'hex')"
_OF_SITE = {
    key: f"NOT EXISTS (SELECT FROM {table} o WHERE o.{key} = r.{key} AND o.site_no <> {{site}})"
    for key, table in (("point_no", "point"), ("kpi_no", "kpi"), ("source_no", "source"))
}
"""Rows of a site are those of no other: what names a number that nobody has is strange everywhere."""


@dataclass(frozen=True, slots=True)
class BatchRows:
    """Rows of several batches of one table, by batch, within a batch in canonical order."""

    table: Table
    batch_no: npt.NDArray[np.int64]
    words: Words

    def batches(self) -> Iterator[tuple[int, Words]]:
        """Each batch with its rows."""
        if not self.batch_no.size:
            return
        begins = np.flatnonzero(np.concatenate([[True], self.batch_no[1:] != self.batch_no[:-1]]))
        ends = [*begins[1:].tolist(), self.batch_no.size]
        for begin, end in zip(begins.tolist(), ends, strict=True):
            yield int(self.batch_no[begin]), self.words[begin:end]


async def said_in(cursor: AsyncCursor, table: Table, site_no: int, batch_no: int) -> Words:
    """What the batch under way has written to a table, in canonical order."""
    if table.name not in KEYED:
        return (await between(cursor, table, site_no, batch_no, batch_no)).words
    await cursor.execute(_NOTED_SPAN, [table.number])
    first, last, count, numbers = await cursor.fetchone() or (None, None, 0, [])
    if first is None:
        return (await _fetch(cursor, table, _select(table, table.name, "false", None, _cell))).words
    # As literals the bounds leave one or two of a hypertable's chunks to be looked into.
    where = f"""
        r.batch_no = {batch_no:d} AND r.revision > 0
        AND r.start_at BETWEEN '{first.isoformat()}' AND '{last.isoformat()}'
        AND (r.{KEYED[table.name]}, r.start_at) IN (
            SELECT DISTINCT number, start_at FROM pg_temp.said_row WHERE table_no = {table.number:d})
    """  # noqa: S608  names of this package
    is_few = len(numbers) <= FEW
    if is_few:
        where = f"{where} AND r.{KEYED[table.name]} IN ({', '.join(str(int(one)) for one in numbers)})"
    if is_few or count > MANY:
        await cursor.execute("SET LOCAL enable_nestloop = off")
    found = await _fetch(cursor, table, _select(table, table.name, where, None, _cell))
    if is_few or count > MANY:
        await cursor.execute("SET LOCAL enable_nestloop = on")
    return found.words


async def between(cursor: AsyncCursor, table: Table, site_no: int, first: int, last: int) -> BatchRows:
    """The rows of the batches from first to last."""
    return await _fetch(cursor, table, _between(table, site_no, first, last, _cell))


async def cells_between(
    cursor: AsyncCursor, table: Table, site_no: int, first: int, last: int
) -> AsyncIterator[list[tuple[Any, ...]]]:
    """The same as values (batch_no and the columns; instants in µs), by batch, so many rows at once."""
    query = f"SELECT * FROM ({_between(table, site_no, first, last, cells=_value)}) rows ORDER BY 1, 2, 3"  # noqa: S608
    async with cursor.connection.cursor(f"rows of {table.number:d}") as found:
        await found.execute(query.encode())
        while rows := await found.fetchmany(ROWS_AT_ONCE):
            yield [row[:-1] for row in rows]


def _value(name: str, kind: str) -> str:
    match kind:
        case "instant":
            return MICROSECONDS.format(f"r.{name}")
        case "text":
            return text_of(name)
        case _:
            return f"r.{name}{'::int' if name in _TRUTHS else ''}"


def _between(table: Table, site_no: int, first: int, last: int, cells: Cells) -> str:
    name, of_history = table.name.removesuffix(SUPERSEDED), table.name.endswith(SUPERSEDED)
    if of_history:
        where = f"superseded_batch BETWEEN {first:d} AND {last:d}"
        return _select(table, f"{name}_history" if name in HISTORIES else name, where, site_no, cells)
    where = f"batch_no BETWEEN {first:d} AND {last:d}"
    if name in _SETTLED:
        where = f"{where} AND {_SETTLED[name]}"
    parts = [_select(table, name, where, site_no, cells)]
    if name in HISTORIES:
        parts.append(_select(table, f"{name}_history", where, site_no, cells))
    return " UNION ALL ".join(parts)


def _select(table: Table, relation: str, where: str, site_no: int | None, cells: Cells) -> str:
    """Rows of a relation; without a site whosever they are."""
    batch = "superseded_batch" if table.name.endswith(SUPERSEDED) else "batch_no"
    if site_no is not None:
        whose = next((found for name, found in _OF_SITE.items() if name in table.key), "r.site_no = {site}")
        where = f"{where} AND {whose.format(site=int(site_no))}"
    columns = ", ".join(cells(name, kind) for name, kind in table.columns.items())
    nulls = [f"((r.{name} IS NULL)::int::bigint << {place})" for place, name in enumerate(table.columns)]
    null = "0::bigint" if table.name in _NEVER_NULL else " | ".join(nulls)
    return f"SELECT r.{batch}, {columns}, {null} FROM {relation} r WHERE {where}"  # noqa: S608


def _cell(name: str, kind: str) -> str:
    match kind:
        case "float":
            return f"coalesce(r.{name}, 0)"
        case "instant":
            return f"coalesce(r.{name}, to_timestamp(0))"
        case "text":
            return f"coalesce(sha256(convert_to({text_of(name)}, 'UTF8')), {_ZERO_HASH})"
        case _:
            return f"coalesce(r.{name}{'::int' if name in _TRUTHS else ''}, 0)::bigint"


def text_of(name: str) -> str:
    """SQL: a column of kind text, whatever it is stored as, as the text that is hashed."""
    return f"encode(r.{name}, 'hex')" if name == "digest" else f"r.{name}::text"


def _record(table: Table) -> np.dtype[np.void]:
    """A row as `record_send` packs it, none of it NULL."""
    types = {"int": ">i8", "float": ">f8", "instant": ">i8", "text": "V32"}
    columns = {"batch": ">i8", **{name: types[kind] for name, kind in table.columns.items()}, "null": ">u8"}
    fields: list[tuple[str, str]] = [("fields", ">i4")]
    for name, kind in columns.items():
        fields += [(f"type of {name}", ">i4"), (f"length of {name}", ">i4"), (f"of {name}", kind)]
    return np.dtype(fields)


async def _fetch(cursor: AsyncCursor, table: Table, query: str) -> BatchRows:
    # As one value: a COPY would come row by row, at 10 µs each.
    together = f"SELECT coalesce(string_agg(record_send(packed), ''), '') FROM ({query}) packed"  # noqa: S608
    await cursor.execute(together.encode(), binary=True)
    row = await cursor.fetchone()
    assert row is not None
    record = np.frombuffer(row[0], _record(table))
    columns = {}
    for name, kind in table.columns.items():
        column = record[f"of {name}"]
        columns[name] = column + PG_EPOCH_US if kind == "instant" else np.ascontiguousarray(column)
    batch_no = record["of batch"].astype(np.int64)
    words = table_words(table, columns, record["of null"].astype(np.uint64))
    if batch_no.size:
        ordered = in_order(np.column_stack([batch_no.astype(">u8"), words]).astype(">u8"))
        batch_no, words = ordered[:, 0].astype(np.int64), np.ascontiguousarray(ordered[:, 1:])
    return BatchRows(table, batch_no, words)
