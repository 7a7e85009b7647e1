"""Single QoS 1 messages, end to end: from a socket through Mosquitto and ingest into PostgreSQL.

The floor is mosquitto_sub on the same packets from the same broker, which prints
and stores nothing. `live`: received while the load is sent, the broker working for
both. `queued`: the whole load waits in the broker first. Medians of rounds whose
order alternates.
"""

from dataclasses import replace
from statistics import median

from tests.benchmarks.bed import Bed, Commits, Ours, ingest, now_ms
from tests.benchmarks.end_to_end import (
    Round,
    await_subscribed,
    require_mosquitto_sub,
    through_ingest,
    through_mosquitto_sub,
)
from tests.benchmarks.figures import Figure, Figures, rounded
from tests.benchmarks.plants import plant
from tests.benchmarks.traffic import Traffic

SITE = "singles"
POINTS = 1000
BETWEEN_MS = 120_000
"""Event time between two loads: the watermark moves on by itself meanwhile."""


def next_load(traffic: Traffic) -> Traffic:
    """The same plant, later."""
    done = -(-traffic.readings // traffic.points)
    return replace(traffic, begin_ms=traffic.end_ms + BETWEEN_MS, skip=traffic.skip + done)


def first_load(site: str, messages: int, points: int = POINTS) -> Traffic:
    """A load of event time long past, so that many more can follow."""
    begin = now_ms() - 8 * 3_600_000
    return Traffic(site, points, messages, begin - begin % 60_000)


def run(bed: Bed, *, quick: bool) -> Figures:
    """Messages per second beside mosquitto_sub, and CPU of everybody."""
    require_mosquitto_sub()
    messages, rounds = (40_000, 1) if quick else (100_000, 3)
    live: list[tuple[Round, Round]] = []
    queued: list[tuple[Round, Round]] = []
    dsn = bed.database()
    with ingest(bed, dsn, plant(SITE, POINTS)) as ours:
        ours.await_ready()
        await_subscribed(dsn)
        commits = Commits(dsn)
        load = first_load(SITE, 20_000)
        through_ingest(bed, ours, commits, load)
        load = replace(next_load(load), messages=messages)
        for number in range(rounds):
            for held, found in ((False, live), (True, queued)):
                found.append(both(bed, ours, commits, load, queued=held, floor_first=number % 2 == 1))
                load = next_load(load)
        commits.close()
    bed.drop(dsn)
    return [
        Figure("messages_a_load", messages),
        *_figures("live", live, "≥ 0.55"),
        *_figures("queued", queued),
    ]


def both(
    bed: Bed, ours: Ours, commits: Commits, load: Traffic, *, queued: bool, floor_first: bool
) -> tuple[Round, Round]:
    """(ingest, mosquitto_sub) on one load."""
    if floor_first:
        floor = through_mosquitto_sub(bed, load, queued=queued)
        return through_ingest(bed, ours, commits, load, queued=queued), floor
    ingested = through_ingest(bed, ours, commits, load, queued=queued)
    return ingested, through_mosquitto_sub(bed, load, queued=queued)


def _figures(name: str, pairs: list[tuple[Round, Round]], asked: str = "") -> Figures:
    def middle(of: int, part: str) -> float | int | None:
        return rounded(median(pair[of].cpu_us(part) for pair in pairs))

    rates = [median(pair[i].messages_per_s for pair in pairs) for i in (0, 1)]
    found = [
        Figure(f"{name}_messages_per_s", rounded(rates[0]), "≈ 20 000 and more" if asked else ""),
        Figure(f"{name}_mosquitto_sub_messages_per_s", rounded(rates[1])),
        Figure(f"{name}_ratio", rounded(rates[0] / rates[1]), asked),
        Figure(f"{name}_messages_a_batch", rounded(median(p[0].messages / p[0].batches for p in pairs))),
        Figure(f"{name}_ingest_cpu_us_a_message", middle(0, "receiver")),
        Figure(f"{name}_mosquitto_sub_cpu_us_a_message", middle(1, "receiver")),
    ]
    parts = ("broker", "postgres", "generator")
    return [*found, *(Figure(f"{name}_{part}_cpu_us_a_message", middle(0, part)) for part in parts)]
