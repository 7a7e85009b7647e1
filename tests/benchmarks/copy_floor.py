"""The floor of storing: the same rows, ready as binary COPY, into the same table without anything else.

Rows are taken from the table ingest has filled, in the order they lie there, and
copied into a table of the same definition (indexes, partitions, fsync) that has
grown alike. Nothing is decoded, checked, folded or acknowledged.
"""

import asyncio
import time
from dataclasses import dataclass

import psycopg

from ingest.store.migrations import migrate
from tests.benchmarks.bed import Bed, tree_cpu_s

HEADER_BYTES = 19
TRAILER = b"\xff\xff"
ROW_BYTES = 84
"""Fields are NOT NULL and of fixed length: 2 + 8·4 + 4 + 8 + 8 + 8 + 2 + 4 + 8 + 8."""
OUT = "COPY (SELECT * FROM reading WHERE batch_no > {} AND batch_no <= {}) TO STDOUT (FORMAT BINARY)"
IN = "COPY reading FROM STDIN (FORMAT BINARY)"


@dataclass(frozen=True, slots=True)
class Copied:
    """One load copied."""

    rows: int
    wall_s: float
    postgres_cpu_s: float


class CopyFloor:
    """A database that is filled by COPY alone, after the one that ingest fills."""

    def __init__(self, bed: Bed, ingested: str) -> None:
        self._bed = bed
        self._ingested = ingested
        self._seen = 0
        self._connection: psycopg.Connection | None = None
        self.dsn = bed.database()

    def prepare(self) -> None:
        """Take over the schema and the partitions; to be called when ingest has stored something."""
        asyncio.run(migrate(self.dsn))
        with psycopg.connect(self._ingested) as source:
            months = source.execute(
                """
                SELECT c.relname, pg_get_expr(c.relpartbound, c.oid)
                  FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'reading'::regclass
                """
            ).fetchall()
        self._connection = psycopg.connect(self.dsn, autocommit=True)
        for name, bound in months:
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF reading {bound}".encode()
            )

    def take(self, most_rows: int | None = None) -> bytes:
        """The rows ingest has stored since the last call, as a COPY stream; some of them if there are more."""
        with psycopg.connect(self._ingested) as source, source.cursor() as cursor:
            commits = cursor.execute(
                "SELECT batch_no, readings FROM ingest_commit WHERE batch_no > %s ORDER BY batch_no",
                [self._seen],
            ).fetchall()
            until, rows = self._seen, 0
            for batch_no, readings in commits:
                if most_rows is not None and rows and rows + readings > most_rows:
                    break
                until, rows = batch_no, rows + readings
            with cursor.copy(OUT.format(self._seen, until).encode()) as copy:
                stream = b"".join(bytes(part) for part in copy)
        self._seen = until
        return stream

    def copy(self, stream: bytes, transactions: int = 1) -> Copied:
        """Copy rows in so many transactions."""
        rows, rest = divmod(len(stream) - HEADER_BYTES - len(TRAILER), ROW_BYTES)
        assert rest == 0, "a row of `reading` is no longer of fixed length"
        per = -(-rows // transactions) * ROW_BYTES
        header, body = stream[:HEADER_BYTES], stream[HEADER_BYTES : -len(TRAILER)]
        pieces = [header + body[start : start + per] + TRAILER for start in range(0, len(body), per)]
        assert self._connection is not None
        assert self._bed.postgres.process is not None
        server = self._bed.postgres.process.pid
        cpu_s, begun = tree_cpu_s(server), time.perf_counter()
        with self._connection.cursor() as cursor:
            for piece in pieces:
                with cursor.copy(IN) as copy:
                    copy.write(piece)
        return Copied(rows, time.perf_counter() - begun, tree_cpu_s(server) - cpu_s)

    def close(self) -> None:
        """Drop the database."""
        if self._connection is not None:
            self._connection.close()
        self._bed.drop(self.dsn)
