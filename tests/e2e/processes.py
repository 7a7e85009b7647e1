"""Real processes for end-to-end tests: started from this checkout, ended with the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(*arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A stackwatt command in a process of its own; SIGTERM and at most 20 s at the end."""
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy", *arguments],
            cwd=ROOT,
            stdout=sink,
            stderr=sink,
            env={**os.environ},
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(
    condition: Callable[[], bool], what: str, timeout_s: float = 60.0, *alive: subprocess.Popen[bytes]
) -> None:
    """Poll until it holds; the failure says what was waited for, or who has died meanwhile."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        for process in alive:
            assert process.poll() is None, f"{process.args!r} ended with {process.returncode} before {what}"
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        time.sleep(0.1)


def count(dsn: str, table: str) -> int:
    """Rows of a table."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
