"""What a reading costs as the plant grows: 100 to 100 000 points, in process, on a real database.

Each point is read once a second of event time, in messages of the columns form. The
largest time of a batch is that of the edge at which all intervals close at once.
"""

import asyncio
import time

from ingest.source import Delivery
from tests.benchmarks.bed import Bed
from tests.benchmarks.figures import Figure, Figures, percentile, rounded
from tests.benchmarks.in_process import open_site
from tests.benchmarks.plants import plant
from tests.benchmarks.traffic import Traffic, messages

SITE = "points"
READINGS = 1_000_000
MESSAGES_A_BATCH = 100


def run(bed: Bed, *, quick: bool) -> Figures:
    """µs per reading and the slowest batch, by number of points."""
    found = []
    for points in (100, 1000, 10_000) if quick else (100, 1000, 10_000, 100_000):
        readings = max(READINGS // (10 if quick else 1), 70 * points if points <= 10_000 else 65 * points)
        readings = min(readings, 6_500_000)
        found += asyncio.run(_measure(bed, points, readings))
    return found


async def _measure(bed: Bed, points: int, readings: int) -> Figures:
    dsn = bed.database()
    site = await open_site(dsn, plant(SITE, points))
    ingest = await site.ingest()
    begin_ms = round(time.time() * 1000) - 4 * 3_600_000
    traffic = Traffic(SITE, points, readings // 100, begin_ms - begin_ms % 60_000, shape="columns")
    deliveries = [Delivery(topic, payload, 0) for topic, payload in messages(traffic)]
    now = time.time_ns() // 1000
    for delivery in deliveries:
        delivery.received_at = now
    times = []
    for start in range(0, len(deliveries), MESSAGES_A_BATCH):
        begun = time.perf_counter()
        await ingest.take(deliveries[start : start + MESSAGES_A_BATCH], caught_up=False)
        times.append(time.perf_counter() - begun)
    await ingest.close()
    bed.drop(dsn)
    return [
        Figure(f"{points}_points_us_a_reading", rounded(1e6 * sum(times) / (len(deliveries) * 100))),
        Figure(f"{points}_points_batch_p99_ms", rounded(1000 * percentile(times, 0.99))),
        Figure(f"{points}_points_batch_max_ms", rounded(1000 * max(times))),
    ]
