"""The two commands as processes: everything starts, counts, recovers and stops."""

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from deploy.broker import Broker, find_mosquitto
from deploy.probe import get
from deploy.tally import PointTally, Published, Statistics, count_stored
from ingest.store.engine import Months, detect
from ingest.store.registry import ensure_site

ROOT = Path(__file__).resolve().parents[2]
BIND = "127.0.0.1"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("STACKWATT_")},
    "PYTHONPATH": str(ROOT),
}

pytestmark = pytest.mark.timeout(400)
"""The first start compiles the kernels."""


@pytest.fixture
def default_ports() -> Iterator[None]:
    """The ports a stack takes by default are one test's alone: another, side by side, would take that of a killed part."""
    with (Path(tempfile.gettempdir()) / "stackwatt-default-ports").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@contextmanager
def stack(state: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running `up` or `demo`, killed if a test leaves it running; what it tells goes to `told_of(state)`."""
    with told_of(state).open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "deploy", *arguments, "--state", str(state)],
            env={**ENVIRONMENT, "STACKWATT_ADMIN_KEY": "sw_of_the_test", "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def told_of(state: Path) -> Path:
    return state.with_name("told.log")


def _has_said(state: Path, what: str) -> bool:
    return what in told_of(state).read_text()


def endpoints(state: Path) -> dict[str, Any]:
    file = state / "endpoints.json"
    wait(file.exists, "endpoints.json")
    body: dict[str, Any] = json.loads(file.read_text())
    return body


def ready(port: int) -> Callable[[], bool]:
    def look() -> bool:
        answer = get(BIND, port, "/readyz")
        return answer is not None and answer.status == 200

    return look


def commands_with(word: str) -> list[int]:
    """Pids of processes with a word in their environment or command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in text:
            found.append(int(folder.name))
    return found


def wait(condition: Callable[[], bool], what: str, timeout_s: float = 300.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


@pytest.mark.usefixtures("default_ports")
def test_up_recovers_a_killed_ingest_and_stops_everything(server_home: Path) -> None:
    state = server_home / "state"
    with stack(state, "up") as process:
        told = endpoints(state)
        ports = told["ports"]
        for part in ("ingest", "serve"):  # until it has said so itself, a part that is killed ends the start
            wait(partial(_has_said, state, f"{part} is ready"), part)
        assert stat.S_IMODE((state / "endpoints.json").stat().st_mode) == 0o600
        assert (state / "admin_key").read_text().strip() == told["key"] == "sw_of_the_test"
        plant = get(BIND, ports["http"], "/v1/points", told["key"])
        assert plant is not None
        assert plant.status == 200
        refused = get(BIND, ports["http"], "/v1/points", "guess")
        assert refused is not None
        assert refused.status == 401

        if sys.platform == "linux":
            (ingest,) = [pid for pid in commands_with(str(state)) if b"ingest" in _words(pid)]
            os.kill(ingest, signal.SIGKILL)
            wait(lambda: not ready(ports["ingest"])(), "ingest to be gone")
        wait(ready(ports["ingest"]), "ingest to be back")

        wait(lambda: _notifiers(ports["http"]) == 1, "the notifier to be at work")

        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    if sys.platform == "linux":
        assert commands_with(str(state)) == []


def _notifiers(port: int) -> float:
    with urllib.request.urlopen(f"http://{BIND}:{port}/metrics", timeout=5) as answer:
        (line,) = [
            line
            for line in answer.read().decode().splitlines()
            if line.startswith("stackwatt_webhook_notifiers ")
        ]
    return float(line.rpartition(" ")[2])


def _words(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


@pytest.mark.usefixtures("default_ports")
def test_demo_counts_published_acknowledged_stored_also_over_an_existing_state(server_home: Path) -> None:
    state = server_home / "state"
    for seconds in ("6", "1"):
        result = subprocess.run(
            [sys.executable, "-P", "-m", "deploy", "demo", "--for", seconds, "--json", "--state", str(state)],
            env=ENVIRONMENT,
            cwd=ROOT,
            capture_output=True,
            timeout=380,
            check=False,
        )
        assert result.returncode == 0, result.stderr.decode()
        body = json.loads(result.stdout)
        assert set(body) == {"ports", "key_file", "sites", "kpis", "ok"}
        assert body["ok"] is True
        assert set(body["ports"]) == {"http", "mqtt", "ingest", "pg"}
        assert Path(body["key_file"]).is_file()
        assert {site["id"] for site in body["sites"]} == {"steel", "cement"}
        points = [point for site in body["sites"] for point in site["points"]]
        assert all(point["published"] == point["acknowledged"] == point["stored"] > 0 for point in points)
        assert {item["unit"] for item in body["kpis"]} >= {"kW", "kWh/t", "t/h", "t/t"}
    if find_mosquitto() is None:
        assert b"this broker keeps nothing across a crash" in result.stderr
    assert not [pid for pid in commands_with(str(state)) if sys.platform == "linux"]


def test_stand_in_broker_starts_and_stops(
    server_home: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.broker.find_mosquitto", lambda: None)
    broker = Broker(server_home, None, port=free_port)
    broker.start()
    assert broker.answers()
    broker.stop()
    assert not broker.answers()


async def test_what_is_missing_or_double_does_not_agree(dsn: str) -> None:
    at = {"a": [0, 10], "b": [0], "c": [-10, 0, 0], "d": [0, 10, 10]}
    start = 1_700_000_000
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        first = np.array([(start - 10) * 1_000_000], np.int64)
        await Months(await detect(connection)).ensure(connection, first)
        site_no = await ensure_site(connection, "mill")
        for name, seconds in at.items():
            await connection.execute(
                "INSERT INTO point (site_no, id) VALUES (%s, %s)", [site_no, f"mill/{name}"]
            )
            await connection.cursor().executemany(
                """
                INSERT INTO reading (point_no, measured_at, received_at, value, quality, reasons, seq, batch_no)
                SELECT point_no, to_timestamp(%s), now(), 1, 0, 0, -1, 1 FROM point WHERE id = %s
                """,
                [(start + second, f"mill/{name}") for second in seconds],
            )
    points = tuple(
        Published(f"mill/{name}", 2, 2, start * 1_000_000, (start + 10) * 1_000_000) for name in at
    )
    tallies = count_stored(dsn, Statistics("mill", "done", True, points))
    # a: all; b: one missing; c: one doubled and one missing (the older is of another run); d: one doubled
    assert [tally.stored for tally in tallies] == [2, 1, 1, 3]
    assert [tally.agrees for tally in tallies] == [True, False, False, False]
    assert not PointTally("x", 2, 1, 2).agrees
