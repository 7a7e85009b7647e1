"""The database is away while readings go on coming; then it is back.

A plant of 1000 points, one message a second each. With --quick the database is
stopped for 20 s of that; in full the 600 000 messages of ten minutes are sent as fast
as the broker takes them, which leaves the same queue behind without waiting for it.
Either way the database is started again when the last message is in the broker, and
the time counts from there to the sight of the last reading's commit. The floor is
mosquitto_sub, which was held back while the same messages queued for it.
"""

import math
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Self

import psycopg

from tests.benchmarks.bed import Bed, Commits, Ours, ingest
from tests.benchmarks.end_to_end import (
    await_subscribed,
    require_mosquitto_sub,
    through_ingest,
    through_mosquitto_sub,
)
from tests.benchmarks.figures import Figure, Figures, rounded
from tests.benchmarks.load import loaded
from tests.benchmarks.plants import plant
from tests.benchmarks.singles import first_load, next_load
from tests.benchmarks.traffic import Traffic

SITE = "outage"
POINTS = 1000
RATE = 1000
"""Messages a second that arrive."""
OUTAGE_S, QUICK_OUTAGE_S = 600, 20
TIMEOUT_S = 600.0


def run(bed: Bed, *, quick: bool) -> Figures:
    """How fast the queue is worked off, and ingest's memory."""
    require_mosquitto_sub()
    away_s = QUICK_OUTAGE_S if quick else OUTAGE_S
    dsn = bed.database()
    with ingest(bed, dsn, plant(SITE, POINTS)) as ours:
        ours.await_ready()
        await_subscribed(dsn)
        warm = first_load(SITE, 20_000)
        commits = Commits(dsn)
        through_ingest(bed, ours, commits, warm)
        commits.close()
        load = replace(next_load(warm), messages=away_s * RATE)
        with Memory(ours) as memory:
            caught_up_s, first_s = _through_outage(
                bed, dsn, ours, load, memory, float(RATE) if quick else None
            )
        stored, after_mib = _stored(dsn), memory.now_mib()
    bed.drop(dsn)
    floor = through_mosquitto_sub(bed, load, queued=True)
    rate = load.messages / caught_up_s
    return [
        Figure("outage_s", away_s),
        Figure("arrival_messages_per_s", RATE),
        Figure("messages_queued", load.messages),
        Figure("missing", warm.readings + load.readings - stored, "0"),
        Figure("first_commit_s", rounded(first_s)),
        Figure("caught_up_s", rounded(caught_up_s)),
        Figure("catch_up_messages_per_s", rounded(rate)),
        Figure("times_the_arrival_rate", rounded(rate / RATE), "≥ 10"),
        Figure("mosquitto_sub_messages_per_s", rounded(floor.messages_per_s)),
        Figure("ratio", rounded(rate / floor.messages_per_s)),
        Figure("ingest_before_mib", rounded(memory.before_mib)),
        Figure("ingest_while_away_mib", rounded(memory.away_mib)),
        Figure("ingest_largest_mib", rounded(memory.largest_mib), "bounded, whatever the outage"),
        Figure("ingest_after_mib", rounded(after_mib)),
    ]


def _through_outage(
    bed: Bed, dsn: str, ours: Ours, load: Traffic, memory: "Memory", rate: float | None
) -> tuple[float, float]:
    """Seconds from the database's start to the last commit, and to the first."""
    with loaded(bed.broker.host, bed.broker.port, load, rate) as generator:
        before = _stored(dsn)
        bed.postgres.stop()
        generator.start()
        generator.result()
        assert ours.process.poll() is None, "ingest has ended without its database"
        memory.away_mib = memory.now_mib()
        begun = time.perf_counter()
        bed.postgres.start()
        commits = Commits(dsn)
        commits.look()
        first_at = commits.await_readings(before + 1, TIMEOUT_S)
        ended = commits.await_readings(before + load.readings, TIMEOUT_S)
        commits.close()
    return ended - begun, first_at - begun


def _stored(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM reading").fetchone()
    assert row is not None
    return int(row[0])


class Memory:
    """What ingest holds, looked at ten times a second."""

    def __init__(self, ours: Ours) -> None:
        self._status = Path(f"/proc/{ours.process.pid}/status")
        self._ended = threading.Event()
        self.before_mib = self.largest_mib = self.away_mib = self.now_mib()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def now_mib(self) -> float:
        """Resident, MiB; NaN where there is no /proc."""
        try:
            lines = self._status.read_text(encoding="ascii").splitlines()
        except OSError:
            return math.nan
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), math.nan)

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            self.largest_mib = max(self.largest_mib, self.now_mib())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
