"""Restoring a backup into an empty database, all of it or nothing, and comparing.

pg_restore runs in one transaction, under the lock of migrations, so an ingest that starts
meanwhile waits. Whoever restores owns what comes of it. TimescaleDB is restored as its makers
ask: the same version of the extension first, `timescaledb_pre_restore()`, one job,
`timescaledb_post_restore()`. Only a superuser may do that, so there the owners stay those of
the backup, or its tables would belong to the superuser. Statistics are made anew; the schema stays the backup's,
and `migrate` (or the next start of ingest) brings it to the newest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql
from psycopg.errors import DuplicateObject, InsufficientPrivilege, UniqueViolation

from deploy.backup import (
    Connection,
    Statement,
    count_rows,
    digest_of,
    engine_of,
    has_tables,
    statement_file,
)
from deploy.pg_programs import find_program, run_program
from ingest.errors import InputError, StackwattError
from ingest.store.migrations import MIGRATION_LOCK, steps

READER = "stackwatt_read"
"""The role that views are granted to. It belongs to the server, so no dump of a database holds it."""


def read_statement(backup: Path) -> Statement:
    """The statement of a backup, once the file is found to be what it says.

    Raises:
        InputError: a file is missing or not what was written, or the schema is newer than this version.
    """
    file = statement_file(backup)
    try:
        statement = msgspec.json.decode(file.read_bytes(), type=Statement)
        digest = digest_of(backup)
    except OSError as error:
        raise InputError(
            f"--from {backup}: {error.filename}: {error.strerror}; expected a file of `stackwatt backup`"
            f" and beside it {file.name}"
        ) from error
    except msgspec.MsgspecError as error:
        raise InputError(f"{file}: {error}; expected the statement `stackwatt backup` wrote") from error
    if digest != statement.sha256:
        raise InputError(f"{backup} is not what was backed up: sha256 {digest}, expected {statement.sha256}")
    engine = "plain" if statement.timescaledb is None else "timescaledb"
    unknown = set(statement.steps) - {name for name, _ in steps(engine)}
    if unknown:
        raise InputError(
            f"{backup} has a schema this version does not know ({min(unknown)}): expected a stackwatt as new"
            " as the one that wrote it"
        )
    return statement


def restore(dsn: str, backup: Path, statement: Statement) -> None:
    """Restore a backup into an empty database and compare the rows of every table.

    Raises:
        InputError: the database is not empty, its server older, or TimescaleDB not of the backup's version.
        StackwattError: pg_restore failed, then nothing of the backup is there; or rows are missing.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        program = _fitting(connection, statement)
        _make_reader(connection)
        arguments = ["--single-transaction", "--exit-on-error", str(backup)]
        if statement.timescaledb is None:
            run_program(program, dsn, ["--no-owner", *arguments])
        else:
            with _restoring(connection, statement.timescaledb):
                run_program(program, dsn, arguments)
        connection.execute("ANALYZE")
        rows = count_rows(connection)
    differ = [
        f"{table} ({rows.get(table, 0)} for {count})"
        for table, count in statement.rows.items()
        if rows.get(table) != count
    ]
    if differ or rows.keys() != statement.rows.keys():
        raise StackwattError(f"the restored rows are not those of {backup}: {', '.join(differ)}")


def _fitting(connection: Connection, statement: Statement) -> Path:
    postgresql, _ = engine_of(connection)
    if has_tables(connection):
        raise InputError("the database is not empty: expected one without tables, made by CREATE DATABASE")
    if postgresql < statement.postgresql:
        raise InputError(
            f"the server is PostgreSQL {postgresql}, the backup of {statement.postgresql}:"
            " expected a server as new or newer"
        )
    if statement.timescaledb is not None:
        found = connection.execute(
            "SELECT version FROM pg_available_extension_versions WHERE name = 'timescaledb'"
        ).fetchall()
        if (statement.timescaledb,) not in found:
            offered = ", ".join(version for (version,) in found)
            raise InputError(
                f"the server has {f'TimescaleDB {offered}' if offered else 'no TimescaleDB'}: expected"
                f" {statement.timescaledb}, which the backup is of (update the extension afterwards)"
            )
    program, _ = find_program("pg_restore", max(statement.pg_dump, postgresql))
    return program


def _make_reader(connection: Connection) -> None:
    """As the migration of the views does; who may not make roles has it made, or pg_restore says that it is missing."""
    try:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(READER)))
    except (DuplicateObject, UniqueViolation, InsufficientPrivilege):
        return


@contextmanager
def _restoring(connection: Connection, version: str) -> Iterator[None]:
    if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() != (True,):
        raise InputError(
            f"TimescaleDB is restored by a superuser, and {connection.info.user} is none: expected --dsn of one"
            " (owners stay those of the backup)"
        )
    connection.execute(
        sql.SQL("CREATE EXTENSION IF NOT EXISTS timescaledb VERSION {}").format(sql.Literal(version))
    )
    connection.execute("SELECT timescaledb_pre_restore()")
    try:
        yield
    finally:
        connection.execute("SELECT timescaledb_post_restore()")
