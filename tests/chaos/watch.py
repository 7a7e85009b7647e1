"""Whether what the parts say of themselves is true, asked all the time, and how much memory ingest takes.

`/readyz` and metrics are held against what the run knows it has taken away: ready although the
database has been away for 10 s is a lie, and so is not ready long after everything is back. A part
that does not answer says nothing; it is expected to answer once nothing was touched for long.
"""

import http.client
import threading
import time
from pathlib import Path
from typing import Any, Self

import psycopg

from deploy.probe import get
from tests.benchmarks.bed import Ours
from tests.chaos.world import World

EVERY_S = 0.2
NOTICED_S = 10.0
"""How long an outage may last before who depends on what is away must say so."""
BACK_S = 45.0
"""How long after the last touch everything must say that it is ready."""
LISTED = 10
BATCH_NO, READINGS, CONNECTED = (
    f'stackwatt_{name}{{site="mill"}}' for name in ("batch_no", "readings_total", "broker_connected")
)


class Watch:
    """Asks in a thread of its own until the end of the block."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._highest: dict[tuple[int, str], float] = {}
        self.checks = 0
        """Answers that were held against what is known."""
        self.outages_seen = 0
        """Answers that came during an outage that had to be noticed."""
        self.lies: list[str] = []
        self.largest_ingest_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            world = self._world
            if world.ingest is not None:
                self.largest_ingest_bytes = max(
                    self.largest_ingest_bytes, _peak_bytes(world.ingest.process.pid)
                )
                self._readiness("ingest", world.ingest, ("database", "broker"))
                self._figures(world.ingest)
            if world.service is not None:
                self._readiness("service", world.service, ("database",))
                self._service_figures(world.service)

    def _readiness(self, name: str, part: Ours, needs: tuple[str, ...]) -> None:
        known, quiet_s = dict(self._world.down), self._quiet_s()
        asked_at = time.monotonic()
        answer = get("127.0.0.1", part.port, "/readyz", timeout_s=2)
        if name in known or part.process.poll() is not None:
            return
        if answer is None:
            if quiet_s > BACK_S:
                self._lie(f"{name} does not answer although nothing was touched for {quiet_s:.0f} s")
            return
        self.checks += 1
        ready = answer.status == http.client.OK
        if name == "ingest":
            missing = [site["missing"] for site in answer.body["sites"].values()]
            if not ready == answer.body["ready"] == (not any(missing)):
                self._lie(f"ingest contradicts itself: {answer.status}, {answer.body}")
        for need in needs:
            if self._out(need, known, asked_at):
                self.outages_seen += 1
                if ready:
                    self._lie(f"{name} is ready, but {need} has been away for {asked_at - known[need]:.0f} s")
        if not ready and quiet_s > BACK_S:
            self._lie(f"{name} is not ready although nothing was touched for {quiet_s:.0f} s: {answer.body}")

    def _figures(self, part: Ours) -> None:
        known, asked_at = dict(self._world.down), time.monotonic()
        found = _metrics(part)
        if found is None or BATCH_NO not in found:  # before it has its sites there is nothing to say
            return
        self.checks += 1
        pid = part.process.pid
        for name in (BATCH_NO, READINGS):
            if found[name] < self._highest.get((pid, name), 0):
                self._lie(f"{name} of one life of ingest went back to {found[name]}")
            self._highest[pid, name] = found[name]
        committed = self._committed()
        if committed is not None and found[BATCH_NO] > committed:
            self._lie(
                f"ingest says that batch {found[BATCH_NO]:.0f} is committed; the last one is {committed}"
            )
        if self._out("broker", known, asked_at) and found[CONNECTED]:
            self._lie("ingest says that the broker is connected, which has been away for 10 s")

    def _service_figures(self, part: Ours) -> None:
        known, quiet_s, asked_at = dict(self._world.down), self._quiet_s(), time.monotonic()
        found = _metrics(part)
        if found is None:
            return
        self.checks += 1
        up = found["stackwatt_service_database_up"]
        if up and self._out("database", known, asked_at):
            self._lie("the service says that the database is up, which has been away for 10 s")
        if not up and quiet_s > BACK_S:
            self._lie("the service says that the database is down, which it is not")

    def _out(self, need: str, known: dict[str, float], asked_at: float) -> bool:
        """Whether it was away for long when we asked, and still is."""
        since = known.get(need)
        return since is not None and asked_at - since > NOTICED_S and self._world.down.get(need) == since

    def _quiet_s(self) -> float:
        """For how long nothing has been taken away or given back."""
        return 0.0 if self._world.down else time.monotonic() - self._world.touched_at

    def _committed(self) -> int | None:
        if "database" in self._world.down:
            return None
        try:
            with psycopg.connect(self._world.dsn, connect_timeout=3) as connection:
                row = connection.execute("SELECT max(batch_no) FROM ingest_commit").fetchone()
        except psycopg.Error:
            return None
        return row[0] if row is not None else None

    def _lie(self, sentence: str) -> None:
        if len(self.lies) < LISTED:
            self.lies.append(sentence)


def _metrics(part: Ours) -> dict[str, float] | None:
    try:
        return part.metrics()
    except (OSError, http.client.HTTPException):
        return None


def _peak_bytes(pid: int) -> int:
    """Largest resident set a process has had; 0 where there is no /proc."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    words: list[Any] = [line.split() for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(words[0][1]) * 1024 if words else 0
