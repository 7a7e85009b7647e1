"""A month of one-minute data from 200 points by `stackwatt import`, beside a live ingest.

The command is killed (SIGKILL) after a third of its messages has been consumed and
started again: the rate counts both, with reading the file through twice. Meanwhile a
probe on a point of the same site is timed as in `latency`. Floors of the same file:
Python's csv module reading it and nothing else, and bare binary COPY of rows that
the import stored.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from deploy.process import ROOT
from ingest.csv_history import READINGS_A_CHUNK
from tests.benchmarks.bed import Bed, ingest, now_ms, service
from tests.benchmarks.copy_floor import CopyFloor
from tests.benchmarks.end_to_end import await_subscribed
from tests.benchmarks.figures import Figure, Figures, percentile, rounded
from tests.benchmarks.latency import probe
from tests.benchmarks.plants import plant, point_id
from tests.benchmarks.traffic import Signal

SITE = "history"
POINTS = 200
MINUTES, QUICK_MINUTES = 43_200, 2_880
IDLE_S = 15.0
COPIED_ROWS = 500_000
TIMEOUT_S = 1800.0


def run(bed: Bed, *, quick: bool) -> Figures:
    """Readings per second, what is doubled, and p99 idle and meanwhile."""
    minutes = QUICK_MINUTES if quick else MINUTES
    file, mapping = _written(bed.home, minutes)
    dsn = bed.database()
    body = plant(SITE, POINTS, period="1min")
    with ingest(bed, dsn, body) as ours, service(bed, dsn) as api:
        ours.await_ready()
        api.await_ready()
        await_subscribed(dsn)
        client = Client(CallbackAPIVersion.VERSION2, "probe")
        client.connect(bed.broker.host, bed.broker.port)
        client.loop_start()
        probe(client, api, 2, SITE)
        idle = probe(client, api, IDLE_S / 3 if quick else IDLE_S, SITE)
        importing = Importing(dsn, file, mapping)
        importing.start()
        meanwhile: list[float] = []
        while importing.is_alive():
            meanwhile += probe(client, api, 0.5, SITE)
        client.disconnect()
        client.loop_stop()
    assert importing.error == "", importing.error
    stored, distinct = _stored(dsn)
    copied = _copied(bed, dsn)
    bed.drop(dsn)
    readings, read_s = minutes * POINTS, _read_s(file)
    size = file.stat().st_size
    file.unlink()
    rate = readings / importing.took_s
    return [
        Figure("readings", readings),
        Figure("file_mib", rounded(size / 2**20)),
        Figure("restarts", importing.restarts, "1"),
        Figure("missing", readings - distinct, "0"),
        Figure("doubled", stored - distinct, "0"),
        Figure("import_s", rounded(importing.took_s)),
        Figure("import_readings_per_s", rounded(rate), "≥ 30 000"),
        Figure("csv_module_readings_per_s", rounded(readings / read_s)),
        Figure("ratio_to_csv_module", rounded(rate / (readings / read_s))),
        Figure("copy_readings_per_s", rounded(copied)),
        Figure("ratio_to_copy", rounded(rate / copied)),
        Figure("idle_p50_ms", rounded(percentile(idle, 0.5))),
        Figure("idle_p99_ms", rounded(percentile(idle, 0.99))),
        Figure("idle_samples", len(idle)),
        Figure("meanwhile_p50_ms", rounded(percentile(meanwhile, 0.5))),
        Figure("meanwhile_p99_ms", rounded(percentile(meanwhile, 0.99))),
        Figure("meanwhile_samples", len(meanwhile)),
        Figure("p99_ratio", rounded(percentile(meanwhile, 0.99) / percentile(idle, 0.99)), "< 2"),
    ]


class Importing(threading.Thread):
    """The command, killed once in the middle and started again."""

    def __init__(self, dsn: str, file: Path, mapping: Path) -> None:
        super().__init__(name="importing", daemon=True)
        self.took_s = 0.0
        self.restarts = 0
        self.error = ""
        self._dsn = dsn
        self._command = [sys.executable, "-P", "-m", "deploy", "import", str(file), "--mapping", str(mapping)]
        rows = sum(1 for _ in file.open("rb")) - 1
        self._third = max(1, rows * POINTS // READINGS_A_CHUNK // 3)

    def run(self) -> None:
        """Until all of the file is stored."""
        begun = time.perf_counter()
        first = self._spawned()
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while first.poll() is None and _consumed(connection) < self._third:
                time.sleep(0.05)
        if first.poll() is None:
            first.send_signal(signal.SIGKILL)
            first.wait()
            self.restarts = 1
            first = self._spawned()
        try:
            _, said = first.communicate(timeout=TIMEOUT_S)
            self.error = "" if first.returncode == 0 else said.decode()[-500:]
        except subprocess.TimeoutExpired:
            first.kill()
            self.error = f"not imported after {TIMEOUT_S} s"
        self.took_s = time.perf_counter() - begun

    def _spawned(self) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "STACKWATT_DSN": self._dsn}
        return subprocess.Popen(
            self._command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )


def _written(home: Path, minutes: int) -> tuple[Path, Path]:
    """The file, ending a day ago, and its mapping."""
    file, mapping = home / "history.csv", home / "history.mapping.yaml"
    begin = datetime.fromtimestamp(now_ms() // 60_000 * 60 - (minutes + 1440) * 60, UTC)
    signal_ = Signal(1)
    with file.open("w", encoding="utf-8", newline="") as sink:
        rows = csv.writer(sink)
        rows.writerow(["t", *(point_id(number) for number in range(POINTS))])
        for first in range(0, minutes, 1440):
            values = [signal_.read(number, first, min(1440, minutes - first)) for number in range(POINTS)]
            for place, row in enumerate(zip(*values, strict=True)):
                stamp = begin + timedelta(minutes=first + place)
                rows.writerow([f"{stamp:%Y-%m-%dT%H:%M:%SZ}", *row])
    units = {point["id"]: point.get("unit", "1") for point in plant(SITE, POINTS)["points"]}
    columns = {
        point_id(number): {"point": point_id(number), "unit": units[point_id(number)]}
        for number in range(POINTS)
    }
    mapping.write_text(
        json.dumps({"site": SITE, "columns": columns, "time": {"column": "t"}}), encoding="utf-8"
    )
    return file, mapping


def _consumed(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM inbox WHERE priority = 1 AND batch_no IS NOT NULL"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _stored(dsn: str) -> tuple[int, int]:
    """Rows of the imported points, and how many are different readings."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            SELECT count(*), count(DISTINCT (point_no, measured_at)) FROM reading JOIN point USING (point_no)
             WHERE id <> 'history/probe/flow'
            """
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _copied(bed: Bed, dsn: str) -> float:
    """Rows a second of bare COPY."""
    floor = CopyFloor(bed, dsn)
    floor.prepare()
    copied = floor.copy(floor.take(COPIED_ROWS))
    floor.close()
    return copied.rows / copied.wall_s


def _read_s(file: Path) -> float:
    """How long the csv module takes for the file, s."""
    begun = time.perf_counter()
    with file.open(encoding="utf-8", newline="") as source:
        for _ in csv.reader(source):
            pass
    return time.perf_counter() - begun
