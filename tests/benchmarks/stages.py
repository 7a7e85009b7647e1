"""CPU of each stage of ingest, apart: what a message (a reading, in batches) costs this process.

The stages run one after the other in this process on a real broker and database:
first everything is read from the socket, then batch by batch decoded, admitted,
put through the pipeline and committed, at last acknowledged. So nothing is done by
two stages at once, and process time tells them apart. PostgreSQL's own CPU is not
in it; `encode` (rows to COPY bytes) is part of `store` and told beside it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence

from ingest.admit import Admitted, Gate
from ingest.mqtt.subscriber import Subscriber
from ingest.pipeline.pipeline import SitePipeline
from ingest.source import Delivery
from ingest.store.facts import Stamp, reading_columns
from ingest.store.rebuild import rebuild
from ingest.store.registry import Numbers, ensure_numbers
from ingest.store.tables import READING
from ingest.wire import WireDecoder
from kernels._jit import warm_up
from tests.benchmarks.batches import LATENESS
from tests.benchmarks.bed import Bed, tree_cpu_s
from tests.benchmarks.figures import Figure, Figures, rounded
from tests.benchmarks.in_process import CLOCKS, Site, open_site
from tests.benchmarks.load import loaded
from tests.benchmarks.plants import plant
from tests.benchmarks.singles import POINTS, first_load
from tests.benchmarks.traffic import PER_MESSAGE, Shape, Traffic

BATCH: dict[Shape, int] = {"single": 1000, "series": 200, "columns": 200}
"""Messages of a batch: what 50 ms bring at 20 000 messages or 400 000 readings a second."""
STAGES = ("read", "decode", "admit", "pipeline", "store", "encode", "acknowledge", "postgres")


class Spent:
    """CPU by stage, s."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = defaultdict(float)
        self._begun = 0.0

    def begin(self) -> None:
        """From now on it counts."""
        self._begun = time.process_time()

    def end(self, stage: str) -> None:
        """It was this stage."""
        self.cpu_s[stage] += time.process_time() - self._begun


def run(bed: Bed, *, quick: bool) -> Figures:
    """µs by stage for single messages and for batches."""
    warm_up()
    found: Figures = []
    shapes: dict[Shape, int] = {"single": 40_000, "series": 4000, "columns": 4000}
    for shape, messages in shapes.items():
        site = f"stage-{shape}"
        lateness = LATENESS[shape]
        traffic = first_load(site, messages // 4 if quick else messages)
        traffic = Traffic(site, POINTS, traffic.messages, traffic.begin_ms, shape)
        dsn = bed.database()
        spent = asyncio.run(_measure(bed, dsn, traffic, lateness))
        bed.drop(dsn)
        count = traffic.readings
        unit = "message" if PER_MESSAGE[shape] == 1 else "reading"
        for stage in STAGES:
            found.append(
                Figure(f"{shape}_{stage}_cpu_us_a_{unit}", rounded(spent.cpu_s[stage] / count * 1e6))
            )
        whole = sum(spent.cpu_s[stage] for stage in STAGES if stage not in ("encode", "postgres"))
        found.append(Figure(f"{shape}_all_cpu_us_a_{unit}", rounded(whole / count * 1e6)))
    return found


async def _measure(bed: Bed, dsn: str, traffic: Traffic, lateness: str) -> Spent:
    site = await open_site(dsn, plant(traffic.site, POINTS, lateness=lateness))
    spent = Spent()
    source = Subscriber(
        bed.broker.url, site=traffic.site, filters=[f"plant/{traffic.site}/#"], now=CLOCKS.now
    )
    async with source:
        while not source.caught_up:
            await source.collect(0.05, 1)
        deliveries = await _read(bed, source, traffic, spent)
        assert bed.postgres.process is not None
        before_s = tree_cpu_s(bed.postgres.process.pid)
        await _store(site, deliveries, BATCH[traffic.shape], spent)
        spent.cpu_s["postgres"] = tree_cpu_s(bed.postgres.process.pid) - before_s
        spent.begin()
        for start in range(0, len(deliveries), BATCH[traffic.shape]):
            source.acknowledge(deliveries[start : start + BATCH[traffic.shape]])
        await asyncio.sleep(0.1)
        spent.end("acknowledge")
    await site.writer.close()
    return spent


async def _read(bed: Bed, source: Subscriber, traffic: Traffic, spent: Spent) -> list[Delivery]:
    deliveries: list[Delivery] = []
    with loaded(bed.broker.host, bed.broker.port, traffic) as load:
        spent.begin()
        load.start()
        while len(deliveries) < traffic.messages:
            deliveries += await source.collect(0.05, 10_000)
        spent.end("read")
    return deliveries


async def _store(site: Site, deliveries: Sequence[Delivery], size: int, spent: Spent) -> None:
    writer, plan = site.writer, site.plan
    await writer.take_site("benchmark")
    connection = await writer.connection()
    await writer.resume()
    numbers = await ensure_numbers(connection, writer.site_no, plan)
    pipeline = SitePipeline(plan, await rebuild(connection, writer.site_no, plan, numbers))
    gate, decoder = Gate(plan, site.metrics), WireDecoder(plan)
    for turn, start in enumerate(range(0, len(deliveries), size)):
        chunk = deliveries[start : start + size]
        spent.begin()
        decoder.decode(chunk)
        spent.end("decode")
        spent.begin()
        admitted = gate.admit(chunk)
        spent.end("admit")
        assert not admitted.refusals
        latest = turn % 2 == 0  # windows every 100 ms
        await _commit(site, pipeline, numbers, admitted, spent, latest=latest)
    spent.cpu_s["admit"] -= spent.cpu_s["decode"]  # the gate decodes too


async def _commit(
    site: Site, pipeline: SitePipeline, numbers: Numbers, admitted: Admitted, spent: Spent, *, latest: bool
) -> None:
    while True:
        spent.begin()
        batch = pipeline.process(
            admitted.readings, admitted.message,
            monotonic_us=CLOCKS.monotonic(), caught_up=False, latest=latest,
        )  # fmt: skip
        spent.end("pipeline")
        assert not len(batch.late)
        spent.begin()
        READING.encode(len(batch.readings), reading_columns(batch.readings, numbers, Stamp(1, 1, 1)))
        spent.end("encode")
        spent.begin()
        await site.writer.commit(batch, numbers, site.plan.version)
        spent.end("store")
        if not batch.more:
            return
        admitted = Admitted.nothing()
