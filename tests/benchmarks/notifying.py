"""From the packet of a reading that goes over a limit to the POST at a receiver, while half of what can be taken in flows.

A trigger makes an event happen every 150 ms, and a receiver on loopback notes when its delivery has
come; beside it the same POST sent directly, which is the floor. The time counted begins before the reading is
published: broker, batch, rule, commit, notifier and POST are in it. A burst is rows of `event`, written
as ingest does.
"""

import http.client
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from deploy.process import ROOT, end, log_since, spawn
from tests.benchmarks.bed import Bed, ingest, now_ms
from tests.benchmarks.end_to_end import await_subscribed
from tests.benchmarks.figures import Figure, Figures, percentile, rounded
from tests.benchmarks.latency import EVERY_S, POINTS, RATE
from tests.benchmarks.load import loaded
from tests.benchmarks.plants import plant
from tests.benchmarks.traffic import Traffic
from tests.service.webhooks.receiving import SECRET, alert, tell, webhook

SITE = "notify"
BURST = 1000
TRIPS = 40
LIMIT = 1_000_000
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Trigger:
    """What makes events happen."""

    name: str
    """Where the time begins."""
    cause: Callable[[int], str]
    """Make the n-th happen; what tells its delivery from all others."""
    told: Callable[[Any], str]
    """The same, of the body of a delivery."""


def by_row(connection: psycopg.Connection[Any], site_no: int) -> Trigger:
    """Events as ingest tells them."""

    def cause(number: int) -> str:
        event_id = f"evt_{number}"
        tell(connection, site_no, event_id, data=alert(number))
        connection.commit()
        return event_id

    return Trigger("event row", cause, lambda body: str(body["id"]))


def by_packet(client: Client) -> Trigger:
    """A reading that fires a rule of its point, or resolves it; points take turns, so each stands for seconds."""

    def cause(number: int) -> str:
        turn, place = divmod(number, TRIPS)
        value = float(number + LIMIT if turn % 2 == 0 else -number)
        body = json.dumps({"ts": now_ms(), "value": value})
        client.publish(f"plant/{SITE}/probe/trip{place}", body, qos=1)
        return repr(value)

    return Trigger("MQTT packet", cause, lambda body: repr(float(body["data"]["value"])))


def tripping(port: int) -> dict[str, Any]:
    """The plant of the benchmarks with points that trip rules, and the receiver."""
    file = plant(SITE, POINTS)
    names = [f"probe/trip{place}" for place in range(TRIPS)]
    points = [
        {"id": name, "kind": "sample", "unit": "°C", "period": "1s", "max_gap": "1min"} for name in names
    ]
    rules = [{"id": name.replace("/", "-"), "point": name, "above": LIMIT - 1} for name in names]
    hook = webhook(f"http://127.0.0.1:{port}/hook")
    return {**file, "points": [*file["points"], *points], "alerts": rules, "webhooks": [hook]}


@dataclass(slots=True)
class Arrivals:
    """When each delivery came for the first time, by the clock of `perf_counter`."""

    trigger: Trigger | None = None
    at: dict[str, float] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def note(self, body: bytes) -> None:
        """Called in the thread of a request."""
        now = time.perf_counter()
        if self.trigger is not None:
            name = self.trigger.told(json.loads(body))
            with self._news:
                self.at.setdefault(name, now)
                self._news.notify_all()

    def await_all(self, names: list[str]) -> None:
        """Wait until they have all come."""
        with self._news:
            assert self._news.wait_for(lambda: all(name in self.at for name in names), PATIENCE_S), (
                "not all events have arrived"
            )


@contextmanager
def receiver(arrivals: Arrivals) -> Iterator[int]:
    """A receiver on loopback; its port."""

    class Taking(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            arrivals.note(body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, name="receiver")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def notifier(bed: Bed, dsn: str) -> Iterator[None]:
    """`stackwatt notify` over a database; SIGTERM at the end."""
    log = bed.home / "notify.log"
    process = spawn(
        [sys.executable, "-P", "-m", "deploy", "notify", "--private", "127.0.0.0/8"],
        log=log,
        environment={"PYTHONPATH": str(ROOT), "STACKWATT_DSN": dsn, "HOOK_SECRET": SECRET},
        death_signal=signal.SIGKILL,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while "listens" not in log_since(log):
            assert process.poll() is None, log_since(log)
            assert time.monotonic() < deadline, "the notifier does not listen"
            time.sleep(0.05)
        yield
    finally:
        end(process, signal.SIGTERM, 20)


def run(bed: Bed, *, quick: bool) -> Figures:
    """p50 and p99 idle and under load, ms; the rate of a burst."""
    seconds = 8 if quick else 30
    dsn, arrivals = bed.database(), Arrivals()
    with receiver(arrivals) as port, ingest(bed, dsn, tripping(port)) as ours:
        ours.await_ready()
        await_subscribed(dsn)
        with notifier(bed, dsn), psycopg.connect(dsn) as connection, probing(bed) as client:
            trigger = arrivals.trigger = by_packet(client)
            floor = direct(port, 2)
            probe(trigger, arrivals, 2, "warm")
            idle = probe(trigger, arrivals, seconds / 2, "idle")
            traffic = Traffic(SITE, POINTS, RATE * (seconds + 2), time.time_ns() // 1_000_000)
            with loaded(bed.broker.host, bed.broker.port, traffic, float(RATE)) as load:
                load.start()
                time.sleep(1)
                busy = probe(trigger, arrivals, seconds, "busy")
                sent = load.result()
            arrivals.trigger = by_row(connection, _site_no(connection))
            burst_s = burst(connection, arrivals)
    bed.drop(dsn)
    found = [Figure("load_messages_per_s", RATE), Figure("generator_behind_s", rounded(sent.behind_s))]
    for name, times, asked in (
        ("direct_post", floor, "the floor"),
        ("idle", idle, ""),
        ("half_load", busy, "goal < 1000"),
    ):
        found += [
            Figure(f"{name}_p50_ms", rounded(percentile(times, 0.5))),
            Figure(f"{name}_p99_ms", rounded(percentile(times, 0.99)), asked),
            Figure(f"{name}_samples", len(times)),
        ]
    return [
        *found,
        Figure("begins_at", trigger.name),
        Figure("burst_deliveries_per_s", rounded(BURST / burst_s)),
    ]


@contextmanager
def probing(bed: Bed) -> Iterator[Client]:
    """A publisher of the readings that trip rules."""
    client = Client(CallbackAPIVersion.VERSION2, "probe")
    client.connect(bed.broker.host, bed.broker.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


_numbers = iter(range(sys.maxsize))


def probe(trigger: Trigger, arrivals: Arrivals, seconds: float, what: str) -> list[float]:
    """Times from an event to the arrival of its delivery, ms."""
    begun: dict[str, float] = {}
    last = time.perf_counter() + seconds
    while (now := time.perf_counter()) < last:
        begun[trigger.cause(next(_numbers))] = now
        time.sleep(max(0.0, EVERY_S - (time.perf_counter() - now)))
    assert begun, what
    arrivals.await_all(list(begun))
    return [1000 * (arrivals.at[name] - at) for name, at in begun.items()]


def direct(port: int, seconds: float) -> list[float]:
    """Times of a POST of the same size, connection included, ms."""
    found: list[float] = []
    body = json.dumps({"id": "direct", "data": alert(0)}).encode()
    last = time.perf_counter() + seconds
    while (now := time.perf_counter()) < last:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/hook", body)
        connection.getresponse().read()
        connection.close()
        found.append(1000 * (time.perf_counter() - now))
        time.sleep(0.02)
    return found


def burst(connection: psycopg.Connection[Any], arrivals: Arrivals) -> float:
    """Seconds until events told in one transaction, each of an episode of its own, have all arrived."""
    site_no = _site_no(connection)
    names = [f"burst_{number}" for number in range(BURST)]
    for name in names:
        tell(connection, site_no, name)
    begun = time.perf_counter()
    connection.commit()
    arrivals.await_all(names)
    return max(arrivals.at[name] for name in names) - begun


def _site_no(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT site_no FROM site WHERE id = %s", [SITE]).fetchone()
    assert row is not None
    return int(row[0])
