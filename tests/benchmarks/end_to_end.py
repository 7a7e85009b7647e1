"""One load through the whole of ingest, or past it into mosquitto_sub.

`through_ingest` counts from the first byte sent to the sight of the last
reading's commit (looked for every 10 ms). `through_mosquitto_sub` sends the same
packets on topics of the same length that ingest does not hear, and counts to the
last message printed. With `queued` the receiver is held (SIGSTOP) until the broker
has the whole load: then the receiver is what is measured, not the broker.
"""

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import psycopg

from tests.benchmarks.bed import Bed, Commits, Ours, cpu_s
from tests.benchmarks.load import loaded
from tests.benchmarks.traffic import Traffic

FLOOR_PREFIX = "floor"
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """One load received."""

    messages: int
    readings: int
    wall_s: float
    cpu_s: dict[str, float]
    """Of receiver, broker, postgres and generator."""
    batches: int = 0
    behind_s: float = 0.0
    """How far the generator fell behind its rate."""

    @property
    def messages_per_s(self) -> float:
        """Rate of the whole."""
        return self.messages / self.wall_s

    @property
    def readings_per_s(self) -> float:
        """Rate of the whole."""
        return self.readings / self.wall_s

    def cpu_us(self, part: str) -> float:
        """CPU of a part, µs a message."""
        return self.cpu_s[part] / self.messages * 1e6


def require_mosquitto_sub() -> None:
    """End with one sentence where the floor cannot be had."""
    if shutil.which("mosquitto_sub") is None:
        sys.exit("needs mosquitto_sub on PATH (Debian: apt install mosquitto-clients)")


def await_subscribed(dsn: str, timeout_s: float = TIMEOUT_S) -> None:
    """Wait until the site's session holds its subscription; what is sent before, nobody keeps."""
    deadline = time.monotonic() + timeout_s
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute("SELECT FROM site WHERE subscribed <> '{}'").fetchone() is None:
            assert time.monotonic() < deadline, "ingest has not subscribed"
            time.sleep(0.05)


def through_ingest(
    bed: Bed,
    ours: Ours,
    commits: Commits,
    traffic: Traffic,
    *,
    rate: float | None = None,
    queued: bool = False,
) -> Round:
    """Send a load and wait until all of it is committed."""
    commits.look()
    readings, batches = commits.readings, commits.batches
    with loaded(bed.broker.host, bed.broker.port, traffic, rate) as load:
        if queued:
            ours.process.send_signal(signal.SIGSTOP)
        before = {"receiver": ours.cpu_s(), **bed.cpu_s()}
        begun = load.start()
        if queued:
            sent = load.result()
            begun = time.perf_counter()
            ours.process.send_signal(signal.SIGCONT)
        ended = commits.await_readings(readings + traffic.readings, TIMEOUT_S)
        if not queued:
            sent = load.result()
        spent = {name: cpu - before[name] for name, cpu in {"receiver": ours.cpu_s(), **bed.cpu_s()}.items()}
    assert commits.readings - readings == traffic.readings, "readings were committed twice"
    spent["generator"] = sent.cpu_s
    return Round(
        traffic.messages, traffic.readings, ended - begun, spent, commits.batches - batches, sent.behind_s
    )


def through_mosquitto_sub(bed: Bed, traffic: Traffic, *, queued: bool = False) -> Round:
    """Send the same load past ingest and wait until mosquitto_sub has printed all of it."""
    past = replace(traffic, prefix=FLOOR_PREFIX)
    assert len(past.prefix) == len(traffic.prefix)
    command = ["mosquitto_sub", "-h", bed.broker.host, "-p", str(bed.broker.port), "-i", "floor", "-q", "1"]
    with loaded(bed.broker.host, bed.broker.port, past) as load:
        process = subprocess.Popen(
            [*command, "-t", f"{FLOOR_PREFIX}/#", "-C", str(past.messages)], stdout=subprocess.DEVNULL
        )
        try:
            time.sleep(0.3)  # it says nothing when it has subscribed
            if queued:
                process.send_signal(signal.SIGSTOP)
            before = {"receiver": cpu_s(process.pid), **bed.cpu_s()}
            begun = load.start()
            if queued:
                sent = load.result()
                begun = time.perf_counter()
                process.send_signal(signal.SIGCONT)
            spent_s = _await_end(process)
            ended = time.perf_counter()
            if not queued:
                sent = load.result()
        finally:
            process.kill()
            process.wait()
        spent = {name: cpu - before[name] for name, cpu in bed.cpu_s().items()}
    spent |= {"receiver": spent_s - before["receiver"], "generator": sent.cpu_s}
    return Round(past.messages, past.readings, ended - begun, spent)


def _await_end(process: "subprocess.Popen[bytes]") -> float:
    """Wait for a process; the CPU it had used when it was last seen alive, s."""
    spent_s, deadline = 0.0, time.monotonic() + TIMEOUT_S
    while process.poll() is None:
        seen = cpu_s(process.pid)
        spent_s = max(spent_s, seen)
        assert time.monotonic() < deadline, f"mosquitto_sub has not ended after {TIMEOUT_S} s"
        time.sleep(0.005)
    return spent_s
