"""Binary COPY of columns, into tables and out of queries.

psycopg's `write_row` costs 3 µs a row; a big-endian record array is the COPY
format itself, so a batch is one buffer. Every field is present in every row:
"none" is NaN or a sentinel, which the SQL that reads the rows turns into NULL. Where
no SQL stands between, rows with the same fields are one record array.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
from psycopg import AsyncCursor, sql

PG_EPOCH_US = 946_684_800_000_000
"""2000-01-01T00:00Z, where PostgreSQL's timestamptz counts from."""

HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
TRAILER = b"\xff\xff"
NULL_LENGTH = -1
WIRE_TYPES = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float8": ">f8", "timestamptz": ">i8"}


def _record(columns: Mapping[str, str], absent: Collection[str] = ()) -> np.dtype[np.void]:
    """A row as COPY writes it; of the absent columns, which are NULL, there is only a length."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns.items():
        fields.append((f"{name}_length", ">i4"))
        if name not in absent:
            fields.append((name, WIRE_TYPES[kind]))
    return np.dtype(fields)


class CopyTarget:
    """A table and the columns that are copied into it, in order."""

    def __init__(self, table: str, columns: Mapping[str, str]) -> None:
        """Columns map a name to one of `WIRE_TYPES`."""
        self.table = table
        self.columns = dict(columns)
        self._dtype = _record(columns)
        self._statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )

    def encode(self, rows: int, values: Mapping[str, npt.ArrayLike]) -> bytes:
        """The COPY stream of `rows` rows; a scalar value stands in every row, instants are µs since 1970."""
        return HEADER + self._records(rows, values, ()) + TRAILER

    def encode_nulls(
        self, rows: int, values: Mapping[str, npt.ArrayLike], nulls: Mapping[str, npt.NDArray[np.bool_]]
    ) -> bytes:
        """The same where `nulls` says of some columns in which rows they are NULL; rows with the same fields go together."""
        pattern = np.zeros(rows, np.int64)
        for bit, null in enumerate(nulls.values()):
            pattern |= null.astype(np.int64) << bit
        parts = []
        for one in np.unique(pattern).tolist():
            chosen = np.flatnonzero(pattern == one)
            absent = [name for bit, name in enumerate(nulls) if one >> bit & 1]
            given = {
                name: column[chosen] if (column := np.asarray(values[name])).ndim else column
                for name in self.columns
                if name not in absent
            }
            parts.append(self._records(chosen.size, given, absent))
        return HEADER + b"".join(parts) + TRAILER

    def _records(self, rows: int, values: Mapping[str, npt.ArrayLike], absent: Collection[str]) -> bytes:
        record = np.empty(rows, _record(self.columns, absent) if absent else self._dtype)
        record["fields"] = len(self.columns)
        for name, kind in self.columns.items():
            if name in absent:
                record[f"{name}_length"] = NULL_LENGTH
                continue
            record[f"{name}_length"] = np.dtype(WIRE_TYPES[kind]).itemsize
            column = np.asarray(values[name])
            record[name] = column - PG_EPOCH_US if kind == "timestamptz" else column
        return record.tobytes()

    async def copy(self, cursor: AsyncCursor, rows: int, values: Mapping[str, npt.ArrayLike]) -> None:
        """Send rows; to be called inside a transaction."""
        await self.send(cursor, self.encode(rows, values))

    async def send(self, cursor: AsyncCursor, stream: bytes) -> None:
        """Send rows that are encoded already."""
        async with cursor.copy(self._statement) as copy:
            await copy.write(stream)


class CopySource:
    """Columns of queries as one array; a query's rows must hold no NULL."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        """Columns, in the order of the query's, map a name to one of `WIRE_TYPES`."""
        self._columns = dict(columns)
        self._record = _record(columns)
        native = [(name, "f8" if kind == "float8" else "i8") for name, kind in columns.items()]
        self.dtype = np.dtype(native)
        """Of what `fetch` gives: int64 and float64, instants in µs since 1970."""

    async def fetch(self, cursor: AsyncCursor, query: sql.Composable) -> npt.NDArray[np.void]:
        """The rows of a query that holds its values as literals."""
        statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(query)
        async with cursor.copy(statement) as copy:
            stream = b"".join([bytes(part) async for part in copy])
        record = np.frombuffer(stream[len(HEADER) : -len(TRAILER)], self._record)
        rows = np.zeros(record.size, self.dtype)
        for name, kind in self._columns.items():
            rows[name] = record[name]
            if kind == "timestamptz":
                rows[name] += PG_EPOCH_US
        return rows
