"""A simulator process from its start to SIGTERM, on a real broker."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.broker import Broker
from ingest.errors import InputError
from ingest.model import DAY, MINUTE, SECOND
from ingest.plant.plan import Plan
from simulator.faults import Chain
from simulator.feeds import CementFeed, SteelFeed
from simulator.main import Options, make_feed

ROOT = Path(__file__).resolve().parents[2]
START = """
import asyncio, sys
from pathlib import Path
from simulator.main import Options, run
kind, url, stats, options = sys.argv[1:]
sys.exit(asyncio.run(run(kind, url, Path(stats), eval(options))))
"""


@contextmanager
def _simulating(
    kind: str, broker: Broker, stats: Path, options: str = "Options()"
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", START, kind, broker.url, str(stats), options]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_for(stats: Path, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        body: dict[str, Any] = json.loads(stats.read_text()) if stats.exists() else {}
        if body and what(body):
            return body
        time.sleep(0.05)
    pytest.fail(f"not seen within a minute; the last statistics are {body}")


def _stop(process: subprocess.Popen[bytes], stats: Path) -> tuple[int, dict[str, Any]]:
    process.send_signal(signal.SIGTERM)
    code = process.wait(60)
    body: dict[str, Any] = json.loads(stats.read_text())
    return code, body


@pytest.mark.broker
def test_cement_fills_in_a_day_and_goes_on_live(mosquitto: Broker, tmp_path: Path) -> None:
    stats = tmp_path / "cement.json"
    with _simulating("cement", mosquitto, stats) as process:
        _wait_for(stats, lambda body: body["phase"] == "live")
        code, last = _stop(process, stats)
    assert code == 0
    assert (last["site"], last["phase"], last["finished"]) == ("cement", "done", True)
    assert len(last["points"]) == 22
    for numbers in last["points"].values():
        assert numbers["published"] == numbers["acknowledged"]
        assert numbers["published"] == (numbers["last_at"] - numbers["first_at"]) // (5 * SECOND) + 1
        assert numbers["first_at"] % MINUTE == 0
        assert DAY <= numbers["last_at"] - numbers["first_at"] < DAY + 10 * MINUTE


@pytest.mark.broker
def test_steel_says_when_it_has_finished_and_stays(mosquitto: Broker, tmp_path: Path) -> None:
    stats = tmp_path / "steel.json"
    with _simulating("steel", mosquitto, stats, "Options(rows_per_s=0)") as process:
        body = _wait_for(stats, lambda body: body["finished"])
        assert body["phase"] == "done"
        assert process.poll() is None
        code, last = _stop(process, stats)
    assert code == 0
    assert {n["published"] for n in last["points"].values()} == {672}
    assert {n["acknowledged"] for n in last["points"].values()} == {672}


@pytest.mark.broker
def test_stopped_in_the_middle_everything_published_is_acknowledged(
    mosquitto: Broker, tmp_path: Path
) -> None:
    stats = tmp_path / "steel.json"
    options = "Options(at_once_days=0, rows_per_s=200, faults=('late=0.2', 'duplicate=0.1'))"
    with _simulating("steel", mosquitto, stats, options) as process:
        _wait_for(stats, lambda body: body["points"]["steel/plant/energy"]["published"] > 0)
        code, last = _stop(process, stats)
    assert code == 0
    for numbers in last["points"].values():
        assert 0 < numbers["published"] == numbers["acknowledged"] <= 672


@pytest.mark.broker
def test_without_a_broker_it_waits_and_stops_with_nothing_published(
    mosquitto: Broker, tmp_path: Path
) -> None:
    mosquitto.stop()
    stats = tmp_path / "cement.json"
    with _simulating("cement", mosquitto, stats) as process:
        _wait_for(stats, lambda body: not body["connected"])
        code, last = _stop(process, stats)
    assert code == 0
    assert {n["published"] for n in last["points"].values()} == {0}


def test_options_are_for_the_plant_they_are_for(cement_plan: Plan, steel_plan: Plan) -> None:
    assert isinstance(make_feed("cement", cement_plan, Options(), Chain([])), CementFeed)
    assert isinstance(make_feed("steel", steel_plan, Options(), Chain([])), SteelFeed)
    with pytest.raises(InputError, match="rows per second -1: expected 0"):
        make_feed("steel", steel_plan, Options(rows_per_s=-1), Chain([]))


def test_the_simulator_knows_neither_database_nor_kernels() -> None:
    code = (
        "import sys, simulator.main\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('psycopg', 'numba', 'kernels', 'service')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
