"""From PUBLISH to readable over HTTP, while half of what can be taken in flows.

A probe publishes one reading of its own point every 150 ms and asks
`/v1/kpis/latest` until its KPI's horizon has reached that reading. The time counted
includes the broker, the 50 ms a batch lingers, the commit and the HTTP answer.
"""

import json
import time
from datetime import datetime

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.benchmarks.bed import Bed, Ours, ingest, now_ms, service
from tests.benchmarks.end_to_end import await_subscribed
from tests.benchmarks.figures import Figure, Figures, percentile, rounded
from tests.benchmarks.load import loaded
from tests.benchmarks.plants import PROBE, plant
from tests.benchmarks.traffic import Traffic

SITE = "latency"
POINTS = 10_000
RATE = 10_000
"""Single messages a second, half of the 20 000 that are asked for; one a second of each point."""
EVERY_S = 0.15


def run(bed: Bed, *, quick: bool) -> Figures:
    """p50 and p99 idle and under load, ms."""
    seconds = 8 if quick else 30
    dsn = bed.database()
    with ingest(bed, dsn, plant(SITE, POINTS)) as ours, service(bed, dsn) as api:
        ours.await_ready()
        api.await_ready()
        await_subscribed(dsn)
        client = Client(CallbackAPIVersion.VERSION2, "probe")
        client.connect(bed.broker.host, bed.broker.port)
        client.loop_start()
        probe(client, api, 2)
        idle = probe(client, api, seconds / 2)
        traffic = Traffic(SITE, POINTS, RATE * (seconds + 2), now_ms())
        with loaded(bed.broker.host, bed.broker.port, traffic, float(RATE)) as load:
            load.start()
            time.sleep(1)
            busy = probe(client, api, seconds)
            sent = load.result()
        client.disconnect()
        client.loop_stop()
    bed.drop(dsn)
    found = [Figure("load_messages_per_s", RATE), Figure("generator_behind_s", rounded(sent.behind_s))]
    for name, times, asked in (("idle", idle, ""), ("half_load", busy, "goal < 150")):
        found += [
            Figure(f"{name}_p50_ms", rounded(percentile(times, 0.5))),
            Figure(f"{name}_p99_ms", rounded(percentile(times, 0.99)), asked),
            Figure(f"{name}_samples", len(times)),
        ]
    return found


def probe(client: Client, api: Ours, seconds: float, site: str = SITE) -> list[float]:
    """Times from publishing to being readable, ms."""
    found: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun, at = time.perf_counter(), now_ms()
        client.publish(f"plant/{site}/{PROBE}", json.dumps({"ts": at, "value": 1.5}), qos=1)
        while (horizon := _horizon_ms(api, site)) is None or horizon < at:
            assert time.perf_counter() - begun < 10, "a reading was not readable after 10 s"
        found.append(1000 * (time.perf_counter() - begun))
        time.sleep(max(0.0, EVERY_S - (time.perf_counter() - begun)))
    return found


def _horizon_ms(api: Ours, site: str) -> float | None:
    body = api.latest(site)
    for item in (body or {}).get("items", []):
        if item["id"] == f"{site}/{PROBE}" and item["to"] is not None:
            return 1000 * datetime.fromisoformat(item["to"]).timestamp()
    return None
