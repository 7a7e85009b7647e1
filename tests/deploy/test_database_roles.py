"""The roles of the compose stack: the owner is no superuser and migrates, Grafana reads the views and nothing else."""

import asyncio
import re
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from deploy.pg_programs import find_program, run_program
from deploy.postgres import PostgresServer
from deploy.process import ROOT
from ingest.store.migrations import migrate
from tests.ingest.feeding import PLANT, Clock, a_day, feed, open_site

SCRIPT = ROOT / "deploy" / "compose" / "database" / "10-roles.sql"


async def test_the_owner_migrates_and_ingests_and_grafana_only_reads(
    database_server: PostgresServer, tmp_path: Path
) -> None:
    (tmp_path / "db_password").write_text("o'wner\n")
    (tmp_path / "grafana_db_password").write_text("reader\n")
    script = tmp_path / "roles.sql"
    # The embedded server has a superuser and a database of the same name already.
    told = re.sub(r"\bstackwatt\b", "plant", SCRIPT.read_text(encoding="utf-8"))
    script.write_text(told.replace("/run/secrets", str(tmp_path)))
    psql, _ = find_program("psql", 18)
    await asyncio.to_thread(
        run_program, psql, database_server.dsn("postgres"), ["--no-psqlrc", "--file", str(script)]
    )

    owner = make_conninfo(database_server.dsn("plant"), user="plant", password="o'wner")
    with psycopg.connect(owner) as connection:
        assert connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False, False, False)
    assert await migrate(owner)
    ingest = await open_site(owner, PLANT, Clock())
    await feed(ingest, list(a_day(0.02, 30)))
    await ingest.close()

    reader = make_conninfo(owner, user="grafana", password="reader")
    with psycopg.connect(reader, autocommit=True) as connection:
        assert connection.execute("SELECT site FROM board.site").fetchall() == [("mill",)]
        for denied in ("SELECT * FROM reading", "SELECT * FROM api_key", "CREATE SCHEMA mine"):
            with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
                connection.execute(denied.encode())
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        _as_stranger(database_server, owner)


def _as_stranger(server: PostgresServer, owner: str) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    psycopg.connect(make_conninfo(owner, user="stranger", password="x")).close()
