"""An ingest process that a test starts, kills and starts again, and what it says over HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
"""How long a test waits for what must happen before it fails."""


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STACKWATT_")}
    return {**clean, "PYTHONPATH": str(ROOT), **more}


def until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain for {what}"
        time.sleep(0.02)


class IngestProcess:
    """`stackwatt ingest` on one database, broker and plant file, one life after the other."""

    def __init__(self, *, dsn: str, mqtt_url: str, plant: Path, port: int, log: Path) -> None:
        self._command = [sys.executable, "-P", "-m", "deploy", "ingest", "--plant", str(plant)]
        self._command += ["--http-port", str(port)]
        self._environment = environment(STACKWATT_DSN=dsn, STACKWATT_MQTT_URL=mqtt_url)
        self._log = log
        self._port = port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._command, *options], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def ended(self, patience_s: float) -> int:
        """Its exit code, once it has ended by itself or after SIGTERM."""
        assert self.process is not None
        return self.process.wait(patience_s)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def said(self) -> str:
        """What all lives so far have written."""
        return self._log.read_text(encoding="utf-8")

    def readyz(self) -> dict[str, Any] | None:
        """The answer of `/readyz`; None while nobody answers."""
        text = self._get("/readyz")
        answer: dict[str, Any] | None = None if text is None else json.loads(text)
        return answer

    def missing(self) -> dict[str, str] | None:
        """What its only site waits for, and why; None while nobody answers."""
        answer = self.readyz()
        if answer is None:
            return None
        (site,) = answer["sites"].values()
        assert answer["ready"] == (not site["missing"])
        missing: dict[str, str] = site["missing"]
        return missing

    def metric(self, name: str) -> float:
        """The value of a metric that has one child."""
        text = self._get("/metrics") or ""
        (line,) = [line for line in text.splitlines() if line.startswith(name + "{")]
        return float(line.rpartition(" ")[2])

    def until_ready(self) -> None:
        self.until(lambda: self.missing() == {}, "ingest to be ready")

    def until_caught_up(self) -> None:
        """Ready, subscribed, and all that had waited at the broker taken."""

        def caught_up() -> bool:
            answer = self.readyz()
            return answer is not None and all(site["caught_up"] for site in answer["sites"].values())

        self.until_ready()
        self.until(caught_up, "ingest to be caught up")

    def until_missing(self, *what: str) -> dict[str, str]:
        """Wait until exactly this is missing; why."""
        self.until(lambda: (self.missing() or {}).keys() == set(what), f"/readyz to name {what}")
        return self.missing() or {}

    def until(self, condition: Callable[[], bool], what: str) -> None:
        def met() -> bool:
            assert self.alive, f"ingest has ended before {what}:\n{self.said[-3000:]}"
            return condition()

        until(met, what)

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as answer:
            with answer:
                return str(answer.read().decode())
        except OSError:
            return None


@contextmanager
def ingesting(*, dsn: str, mqtt_url: str, plant: Path, port: int, log: Path) -> Iterator[IngestProcess]:
    """An ingest process that does not outlive the test; it is not started yet."""
    ingest = IngestProcess(dsn=dsn, mqtt_url=mqtt_url, plant=plant, port=port, log=log)
    try:
        yield ingest
    finally:
        if ingest.alive:
            ingest.kill()
