"""Binary COPY of columns, into tables and out of queries.

psycopg's `write_row` costs 3 µs a row; a big-endian record array is the COPY
format itself, so a batch is one buffer. Every field is present in every row:
"none" is NaN or a sentinel, which the SQL that reads the rows turns into NULL.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from psycopg import AsyncCursor, sql

PG_EPOCH_US = 946_684_800_000_000
"""2000-01-01T00:00Z, where PostgreSQL's timestamptz counts from."""

HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
TRAILER = b"\xff\xff"
WIRE_TYPES = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float8": ">f8", "timestamptz": ">i8"}


def _record(columns: Mapping[str, str]) -> np.dtype[np.void]:
    """A row as COPY writes it."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name}_length", ">i4"), (name, WIRE_TYPES[kind])]
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
        record = np.empty(rows, self._dtype)
        record["fields"] = len(self.columns)
        for name, kind in self.columns.items():
            record[f"{name}_length"] = np.dtype(WIRE_TYPES[kind]).itemsize
            column = np.asarray(values[name])
            record[name] = column - PG_EPOCH_US if kind == "timestamptz" else column
        return HEADER + record.tobytes() + TRAILER

    async def copy(self, cursor: AsyncCursor, rows: int, values: Mapping[str, npt.ArrayLike]) -> None:
        """Send rows; to be called inside a transaction."""
        async with cursor.copy(self._statement) as copy:
            await copy.write(self.encode(rows, values))


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
