"""What every test may ask for: a real database, a real broker, a free port.

`dsn` is a fresh, migrated database per test. It lives in an embedded server of
this session, or in the one given by `--dsn` or STACKWATT_TEST_DSN (any
database of it, with a role that may create databases). `mosquitto` is a real
broker under our configuration. What is missing is skipped by name.
"""

import asyncio
import importlib
import inspect
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.account import open_state, unprivileged_account
from deploy.broker import Broker, find_mosquitto
from deploy.postgres import PostgresServer, find_programs

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "ingest" / "store" / "migrations"
ROOM_IN_MEMORY = 4 * 2**30


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dsn", default=None, help="PostgreSQL or TimescaleDB to test on (default: embedded)")


def pytest_report_header(config: pytest.Config) -> str:
    broker = find_mosquitto() or "none"
    given = _given_dsn(config)
    if given is None:
        postgres = find_programs(Path(), None) / "postgres"
        version = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
        return f"database: embedded {version.strip()}; broker: {broker}"
    with psycopg.connect(given) as connection:
        server = connection.execute("SHOW server_version").fetchone()
        extension = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
        ).fetchone()
    timescale = f"TimescaleDB {extension[0]}" if extension else "no TimescaleDB"
    return f"database: PostgreSQL {server[0] if server else '?'}, {timescale}; broker: {broker}"


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server_home() -> Iterator[Path]:
    """A folder the servers' account can reach, which under root `tmp_path` is not."""
    with _server_home() as home:
        yield home


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Connection string of a maintenance database; tests want `dsn`."""
    given = _given_dsn(request.config)
    if given is not None:
        yield given
        return
    with _server_home() as home:
        server = PostgresServer(home, unprivileged_account(), durable=False)
        server.start()
        try:
            yield server.dsn("postgres")
        finally:
            server.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> Iterator[str]:
    """Name of a migrated database that others are copied from."""
    name = f"stackwatt_template_{secrets.token_hex(4)}"
    _execute(postgres_server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    _migrate(make_conninfo(postgres_server, dbname=name))
    # Closed to sessions, a template is not visited by TimescaleDB's workers either.
    _execute(
        postgres_server, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
    )
    _end_sessions(postgres_server, name)
    yield name
    _execute(postgres_server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def empty_dsn(postgres_server: str) -> Iterator[str]:
    """Connection string of a fresh database without a schema."""
    # Nobody is ever connected to template0; TimescaleDB's workers visit template1.
    yield from _database(postgres_server, sql.SQL("TEMPLATE template0"))


@pytest.fixture
def dsn(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """Connection string of a fresh, migrated database."""
    yield from _database(postgres_server, sql.SQL("TEMPLATE {}").format(sql.Identifier(migrated_template)))


@pytest.fixture
def other_dsn(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """Connection string of a second fresh, migrated database, to compare with the first."""
    yield from _database(postgres_server, sql.SQL("TEMPLATE {}").format(sql.Identifier(migrated_template)))


@pytest.fixture
def database_server() -> Iterator[PostgresServer]:
    """A server of its own that a test may stop, kill and start; its database is not migrated."""
    with _server_home() as home:
        server = PostgresServer(home, unprivileged_account(), durable=False)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def mosquitto(free_port: int) -> Iterator[Broker]:
    """A running broker of its own that a test may stop, kill and start; see `Broker`."""
    if find_mosquitto() is None:
        pytest.skip("needs Mosquitto on PATH (Debian: apt install mosquitto)")
    with _server_home() as home:
        broker = Broker(home, unprivileged_account(), port=free_port)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


@contextmanager
def _server_home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="stackwatt-test-", dir=_memory()))
    open_state(home, unprivileged_account())
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _memory() -> Path | None:
    """A folder in memory, if this machine has one with room: a database costs 10 ms there, on a disk 0.3 s."""
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK | os.X_OK) or shutil.disk_usage(folder).free < ROOM_IN_MEMORY:
        return None
    return folder


def _given_dsn(config: pytest.Config) -> str | None:
    given = config.getoption("--dsn") or os.environ.get("STACKWATT_TEST_DSN")
    return str(given) if given else None


def _database(server: str, template: sql.Composable) -> Iterator[str]:
    name = sql.Identifier(f"stackwatt_test_{secrets.token_hex(6)}")
    # Small as they are, copying their files is four times as fast as logging their pages.
    _execute(server, sql.SQL("CREATE DATABASE {} {} STRATEGY file_copy").format(name, template))
    yield make_conninfo(server, dbname=name.as_string().strip('"'))
    _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _end_sessions(server: str, database: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (database,)
        )


def _migrate(dsn: str) -> None:
    migrate = getattr(importlib.import_module("ingest.store.migrations"), "migrate", None)
    if migrate is None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for path in sorted(MIGRATIONS.glob("*.sql")):
                connection.execute(path.read_bytes())
    elif inspect.iscoroutinefunction(migrate):
        asyncio.run(migrate(dsn))
    else:
        migrate(dsn)
