"""What benchmarks run on: a database server, a broker, and processes of ours, all on loopback.

The servers are the embedded ones as `up` starts them, fsync included. CPU is
read from /proc, so it is known on Linux only (NaN elsewhere); of PostgreSQL it is
the server with all its sessions, those that have ended included.
"""

import json
import math
import os
import shutil
import signal
import socket
import subprocess  # noqa: TC003  mypy and readers want it here
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.account import open_state, unprivileged_account
from deploy.broker import Broker
from deploy.postgres import PostgresServer
from deploy.probe import get, is_ready
from deploy.process import end, log_since, spawn

KEY = "key-of-the-benchmarks"
READY_S = 60.0


class Bed:
    """Servers, and a fresh database for whoever asks."""

    def __init__(self, home: Path) -> None:
        account = unprivileged_account()
        open_state(home, account)
        self.home = home
        self.postgres = PostgresServer(home, account)
        self.broker = Broker(home, account, port=free_port())
        self._databases = 0

    def database(self) -> str:
        """Connection string of a new, empty database."""
        self._databases += 1
        name = f"bench{self._databases}"
        with psycopg.connect(self.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            connection.execute("CHECKPOINT")
        return make_conninfo(self.postgres.dsn("postgres"), dbname=name)

    def drop(self, dsn: str) -> None:
        """Let a database go: the disk is bounded too."""
        name = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))
        with psycopg.connect(self.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def cpu_s(self) -> dict[str, float]:
        """CPU used so far by the servers, s."""
        assert self.broker.process is not None
        assert self.postgres.process is not None
        return {
            "broker": cpu_s(self.broker.process.pid),
            "postgres": tree_cpu_s(self.postgres.process.pid),
        }


@contextmanager
def opened() -> Iterator[Bed]:
    """Servers for the length of the block."""
    home = Path(tempfile.mkdtemp(prefix="stackwatt-bench-"))
    try:
        bed = Bed(home)
        try:
            bed.postgres.start()
            bed.broker.start()
            yield bed
        finally:
            bed.broker.stop()
            bed.postgres.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


class Ours:
    """One of our processes, with HTTP on a port of its own."""

    def __init__(
        self, bed: Bed, name: str, arguments: list[str], environment: Mapping[str, str], port: int
    ) -> None:
        self._log = bed.home / f"{name}.log"
        self._offset = self._log.stat().st_size if self._log.exists() else 0
        self.port = port
        self.begun = time.perf_counter()
        self.process: subprocess.Popen[bytes] = spawn(
            [sys.executable, "-P", "-m", "deploy", *arguments],
            log=self._log,
            environment={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
            death_signal=signal.SIGKILL,
        )

    def await_ready(self, timeout_s: float = READY_S) -> float:
        """Wait for `/readyz`; seconds since its start."""
        deadline = time.monotonic() + timeout_s
        while not is_ready("127.0.0.1", self.port):
            said = log_since(self._log, self._offset)
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {said}"
            assert time.monotonic() < deadline, f"not ready after {timeout_s} s: {said}"
            time.sleep(0.02)
        return time.perf_counter() - self.begun

    def metrics(self) -> dict[str, float]:
        """Its metrics: sample name with labels → value."""
        answer = self._text("/metrics")
        samples = (line.rpartition(" ") for line in answer.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def latest(self, site: str) -> Any:
        """The body of `/v1/kpis/latest`."""
        answer = get("127.0.0.1", self.port, f"/v1/kpis/latest?site={site}", KEY)
        return None if answer is None else answer.body

    def _text(self, path: str) -> str:
        import http.client  # noqa: PLC0415

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def cpu_s(self) -> float:
        """CPU used so far, s."""
        return cpu_s(self.process.pid)


@contextmanager
def ingest(
    bed: Bed, dsn: str, plant: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Iterator[Ours]:
    """The ingest process of one plant; SIGTERM at the end."""
    port = free_port()
    file = bed.home / f"{plant['site']}.yaml"
    file.write_text(json.dumps(plant), encoding="utf-8")
    arguments = ["ingest", "--plant", str(file), "--http-port", str(port)]
    told = {"STACKWATT_DSN": dsn, "STACKWATT_MQTT_URL": bed.broker.url, **(environment or {})}
    process = Ours(bed, "ingest", arguments, told, port)
    try:
        yield process
    finally:
        end(process.process, signal.SIGTERM, 20)


@contextmanager
def service(bed: Bed, dsn: str) -> Iterator[Ours]:
    """The service over a database; SIGTERM at the end."""
    port = free_port()
    told = {"STACKWATT_DSN": dsn, "STACKWATT_ADMIN_KEY": KEY}
    process = Ours(bed, "serve", ["serve", "--port", str(port)], told, port)
    try:
        yield process
    finally:
        end(process.process, signal.SIGTERM, 10)


class Commits:
    """Readings committed by the ingest of a database, followed by its commit rows."""

    PAUSE_S = 0.01

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._batch_no = 0
        self.readings = 0
        self.batches = 0

    def look(self) -> None:
        """Add what has been committed since the last look."""
        row = self._connection.execute(
            "SELECT max(batch_no), sum(readings)::bigint, count(*) FROM ingest_commit WHERE batch_no > %s",
            [self._batch_no],
        ).fetchone()
        if row is not None and row[0] is not None:
            self._batch_no = row[0]
            self.readings += row[1]
            self.batches += row[2]

    def await_readings(self, target: int, timeout_s: float) -> float:
        """Wait until so many are committed; the time it was seen (`perf_counter`)."""
        deadline = time.perf_counter() + timeout_s
        while True:
            self.look()
            now = time.perf_counter()
            if self.readings >= target:
                return now
            assert now < deadline, f"{self.readings} of {target} readings committed after {timeout_s} s"
            time.sleep(self.PAUSE_S)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def now_ms() -> int:
    """Wall clock, ms."""
    return time.time_ns() // 1_000_000


def cpu_s(pid: int) -> float:
    """User and system time of a process, s; NaN where there is no /proc."""
    fields = _stat(pid)
    return math.nan if fields is None else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tree_cpu_s(pid: int) -> float:
    """Of a process, its children, and its children that have ended."""
    fields = _stat(pid)
    if fields is None:
        return math.nan
    ticks = sum(int(fields[i]) for i in (11, 12, 13, 14))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    total = ticks / os.sysconf("SC_CLK_TCK")
    return total + sum(spent for child in children if not math.isnan(spent := cpu_s(int(child))))


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
