"""What carbon costs among the kernels: a hundred stacks with a year behind them, and a thousand points at 1 Hz.

An hour of event time in process, on a real database, with its close: CPU inside all
kernels, inside those of the regimes' hours (facts, control, availability, substitutes,
equations) and inside mass programs (their evaluation, and their part of the folding by
readings). Apart from it what Python and SQL around the hours take. Every regime has a
quarter of the stacks; of each one analyser in ten is dead, so a gap is open, and MRR and
HJ 75 have provisional hours that every hour says anew.
"""

import asyncio
import time
from dataclasses import dataclass, field

from psycopg import AsyncCursor

from ingest.model import HOUR
from ingest.site import SiteIngest
from ingest.source import Delivery
from ingest.store.facts import Stamp
from ingest.store.hour_book import HourBook
from kernels._jit import warm_up, warm_up_regimes
from tests.benchmarks.bed import Bed
from tests.benchmarks.figures import Figure, Figures, rounded
from tests.benchmarks.in_process import open_site
from tests.benchmarks.kernel_time import KernelTime
from tests.benchmarks.stacks import messages, plant_of, write_past

SITE = "carbon"
HOUR_S = 3600
YEAR_H = 8760
MESSAGES_A_BATCH = 20
OF_HOURS = (
    "availability", "control", "hour_facts", "methods", "missing", "missing75", "part75", "quality", "exact",
)  # fmt: skip
"""Modules whose kernels are called for hours; none of them but by other kernels for anything else."""


@dataclass
class Spent:
    """On updates of hours."""

    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)


def run(bed: Bed, *, quick: bool) -> Figures:
    """CPU of kernels in an hour of event time, and the share of carbon."""
    warm_up()
    warm_up_regimes()
    stacks, points = (10, 100) if quick else (100, 1000)
    return asyncio.run(_measure(bed, stacks, points))


async def _measure(bed: Bed, stacks: int, points: int) -> Figures:
    dsn = bed.database()
    site = await open_site(dsn, plant_of(SITE, points, stacks))
    now = time.time_ns() // 1000
    begin = now - now % HOUR - 5 * HOUR
    ingest = await site.ingest()  # gives sources their numbers
    await ingest.close()
    write_past(dsn, stacks, begin, YEAR_H)
    site = await open_site(dsn, plant_of(SITE, points, stacks))
    ingest = await site.ingest()
    spent = _watched()
    # The first hour, thinly told: with its close the hours of the year are made, and every kernel is called.
    await _feed(ingest, points, stacks, begin, HOUR_S + 60, now, every=30)
    whole, spent.cpu_s[:], spent.wall_s[:] = sum(spent.wall_s), [], []
    with KernelTime() as kernels:
        readings = await _feed(ingest, points, stacks, begin + HOUR + 60_000_000, HOUR_S, now)
    await ingest.close()
    bed.drop(dsn)
    return [
        Figure("stacks", stacks),
        Figure("readings", readings),
        Figure("updates_of_hours", len(spent.wall_s)),
        *_figures(kernels, spent),
        Figure("hours_first_made_wall_s", rounded(whole), "a year of all stacks, once"),
    ]


def _figures(kernels: KernelTime, spent: Spent) -> Figures:
    hours = kernels.of(*OF_HOURS)
    folded = kernels.of("fold") * kernels.readings["computed"] / max(kernels.readings["folded"], 1)
    programs = kernels.of("union") + folded
    around = sum(spent.cpu_s) - hours
    return [
        Figure("all_kernels_cpu_s", rounded(kernels.all)),
        Figure("hour_kernels_cpu_s", rounded(hours)),
        Figure("mass_programs_cpu_s", rounded(programs), f"{rounded(folded)} of it folding"),
        Figure("hour_kernels_share_pct", rounded(100 * hours / kernels.all)),
        Figure("carbon_share_pct", rounded(100 * (hours + programs) / kernels.all), "< 30"),
        Figure("around_hours_cpu_s", rounded(around), "Python, NumPy and SQL text around their kernels"),
        Figure("hours_wall_s", rounded(sum(spent.wall_s)), "with the database"),
        *(
            Figure(f"{module}.{name}_cpu_s", rounded(cpu_s), f"{kernels.calls[module, name]} calls")
            for (module, name), cpu_s in sorted(kernels.cpu_s.items(), key=lambda one: -one[1])[:8]
        ),
    ]


def _watched() -> Spent:
    """Book what updates of hours that have something to do take."""
    spent, update = Spent(), HourBook.update

    async def watched(self: HourBook, cursor: AsyncCursor, stamp: Stamp) -> None:
        was_due, cpu, wall = self.due, time.process_time(), time.perf_counter()
        await update(self, cursor, stamp)
        if was_due:
            spent.cpu_s.append(time.process_time() - cpu)
            spent.wall_s.append(time.perf_counter() - wall)

    HourBook.update = watched  # type: ignore[method-assign]
    return spent


async def _feed(
    ingest: SiteIngest, points: int, stacks: int, begin: int, seconds: int, now: int, *, every: int = 1
) -> int:
    """Let ingest take readings as messages; how many there were."""
    pending: list[Delivery] = []
    readings = 0
    for topic, payload, count in messages(SITE, points, stacks, begin // 1000, seconds, every=every):
        pending.append(Delivery(topic, payload, now))
        readings += count
        if len(pending) >= MESSAGES_A_BATCH:
            await _take(ingest, pending)
            pending = []
    await _take(ingest, pending)
    return readings


async def _take(ingest: SiteIngest, deliveries: list[Delivery]) -> None:
    await ingest.take(deliveries, caught_up=False)
    while ingest.more:
        await ingest.take([], caught_up=False)
