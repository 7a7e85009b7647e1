"""A backup: one file of pg_dump's, and beside it a statement of what is in it.

Both are of one snapshot, so ingest may go on writing: a backup is the database as it was
at one instant between two transactions. The file is pg_dump's custom format, which
anybody's pg_restore reads; the statement (`FILE.json`) holds what a restore is compared
with. What is not in the database is not in it: the private key of evidence, keys and
certificates in files, the broker's queue.
"""

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from deploy.pg_programs import find_program, run_program
from ingest.errors import InputError, StackwattError

Connection = psycopg.Connection[tuple[Any, ...]]

_OURS = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|_?timescaledb_)'
       AND NOT EXISTS (
           SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
       )
     ORDER BY 1, 2
"""


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds."""

    taken_at: datetime
    """Of the snapshot, by the database's clock."""
    postgresql: int
    """Major version of the server."""
    pg_dump: int
    """Major version of the program that wrote the file."""
    timescaledb: str | None
    """Version of the extension; None: plain PostgreSQL."""
    steps: list[str]
    """Migrations that the schema has."""
    rows: dict[str, int]
    """By table, with its schema."""
    sha256: str
    """Of the file, in hex."""


def statement_file(backup: Path) -> Path:
    """Where the statement of a backup is."""
    return backup.with_name(f"{backup.name}.json")


def back_up(dsn: str, to: Path) -> Statement:
    """Write a backup of the database and its statement; both files are open to this account only.

    Raises:
        InputError: there is a file of this name already, or no folder for it.
        StackwattError: pg_dump is missing, too old or failed, or the database has no schema of ours.
    """
    for file in (to, statement_file(to)):
        if file.exists():
            raise InputError(f"--to {to}: {file.name} exists already; expected the name of a new file")
    try:
        descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}.")
    except OSError as error:
        raise InputError(f"--to {to}: {error.strerror}; expected a folder this account may write") from error
    os.close(descriptor)
    draft = Path(name)
    try:
        statement = _dump(dsn, draft)
        _write(statement_file(to), msgspec.json.format(msgspec.json.encode(statement), indent=2) + b"\n")
        draft.replace(to)
        _sync(to.parent)
    finally:
        draft.unlink(missing_ok=True)
    return statement


def count_rows(connection: Connection) -> dict[str, int]:
    """Rows of every table that is ours, by `schema.table`."""
    found: dict[str, int] = {}
    for schema, table in connection.execute(_OURS).fetchall():
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        row = connection.execute(count).fetchone()
        assert row is not None
        found[f"{schema}.{table}"] = row[0]
    return found


def has_tables(connection: Connection) -> bool:
    """Whether anything is in the database but what extensions made."""
    return connection.execute(_OURS).fetchone() is not None


def engine_of(connection: Connection) -> tuple[int, str | None]:
    """Major version of the server, and of TimescaleDB in this database if it is there."""
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    return connection.info.server_version // 10_000, None if row is None else row[0]


def digest_of(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _dump(dsn: str, draft: Path) -> Statement:
    with psycopg.connect(dsn) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # The snapshot lives as long as this transaction, which has nothing to say while pg_dump works.
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        exported = connection.execute("SELECT pg_export_snapshot(), now()").fetchone()
        assert exported is not None
        postgresql, timescaledb = engine_of(connection)
        program, pg_dump = find_program("pg_dump", postgresql)
        if connection.execute("SELECT to_regclass('public.schema_migration')").fetchone() == (None,):
            raise StackwattError("the database has no schema of stackwatt's: there is nothing to back up")
        steps = connection.execute("SELECT step FROM schema_migration ORDER BY step").fetchall()
        run_program(program, dsn, ["--format=custom", f"--snapshot={exported[0]}", f"--file={draft}"])
        _sync(draft)
        return Statement(
            taken_at=exported[1],
            postgresql=postgresql,
            pg_dump=pg_dump,
            timescaledb=timescaledb,
            steps=[step for (step,) in steps],
            rows=count_rows(connection),
            sha256=digest_of(draft),
        )


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    _sync(file)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
