"""Messages of 100 readings at 1 Hz per point, end to end, beside bare binary COPY of the same rows.

`series`: 100 readings of one point in a message. `columns`: 10 points times 10
readings. The floor copies the rows of each load, ready encoded, into the same
table in one transaction (and once more in as many as ingest made). Readings come
as fast as the broker takes them.
"""

from dataclasses import replace
from statistics import median

from tests.benchmarks.bed import Bed, Commits, ingest
from tests.benchmarks.copy_floor import Copied, CopyFloor
from tests.benchmarks.end_to_end import Round, await_subscribed, through_ingest
from tests.benchmarks.figures import Figure, Figures, rounded
from tests.benchmarks.plants import plant
from tests.benchmarks.singles import first_load, next_load
from tests.benchmarks.traffic import Shape

POINTS = 1000
LATENESS = {"single": "5s", "series": "3min", "columns": "30s"}
"""A plant whose points send 100 s at once declares it; else most of them come after their interval has closed."""


def run(bed: Bed, *, quick: bool) -> Figures:
    """Readings per second beside COPY, and CPU of everybody."""
    messages, rounds = (3_000, 1) if quick else (8_000, 3)
    shapes: tuple[Shape, ...] = ("series", "columns")
    found = [Figure("readings_a_load", messages * 100)]
    for shape in shapes:
        loads, floors, cut = measure(bed, shape, messages, rounds)
        found += _figures(shape, loads, floors, cut)
    return found


def measure(
    bed: Bed, shape: Shape, messages: int, rounds: int
) -> tuple[list[Round], list[Copied], list[Copied]]:
    """The loads through ingest, copied at once, and copied in as many transactions."""
    site = f"in-{shape}"
    dsn = bed.database()
    floor = CopyFloor(bed, dsn)
    loads, floors, cut = [], [], []
    with ingest(bed, dsn, plant(site, POINTS, lateness=LATENESS[shape])) as ours:
        ours.await_ready()
        await_subscribed(dsn)
        commits = Commits(dsn)
        load = replace(first_load(site, 1000), shape=shape)
        through_ingest(bed, ours, commits, load)
        floor.prepare()
        floor.copy(floor.take())
        load = replace(next_load(load), messages=messages)
        for number in range(rounds + 1):
            done = through_ingest(bed, ours, commits, load)
            transactions = 1 if number < rounds else done.batches
            copied = floor.copy(floor.take(), transactions)
            assert copied.rows == done.readings
            if number < rounds:
                loads.append(done)
                floors.append(copied)
            else:
                cut.append(copied)
            load = next_load(load)
        commits.close()
    floor.close()
    bed.drop(dsn)
    return loads, floors, cut


def _figures(shape: str, loads: list[Round], floors: list[Copied], cut: list[Copied]) -> Figures:
    rate = median(load.readings_per_s for load in loads)
    copied = median(floor.rows / floor.wall_s for floor in floors)
    found = [
        Figure(f"{shape}_readings_per_s", rounded(rate), "goal 300 000"),
        Figure(f"{shape}_copy_readings_per_s", rounded(copied)),
        Figure(f"{shape}_ratio", rounded(rate / copied), "≥ 0.25"),
        Figure(
            f"{shape}_copy_in_as_many_transactions_readings_per_s",
            rounded(median(floor.rows / floor.wall_s for floor in cut)),
        ),
        Figure(
            f"{shape}_readings_a_transaction", rounded(median(load.readings / load.batches for load in loads))
        ),
    ]
    for part in ("receiver", "broker", "postgres", "generator"):
        spent = median(load.cpu_s[part] / load.readings * 1e6 for load in loads)
        found.append(
            Figure(f"{shape}_{'ingest' if part == 'receiver' else part}_cpu_us_a_reading", rounded(spent))
        )
    spent = median(floor.postgres_cpu_s / floor.rows * 1e6 for floor in floors)
    return [*found, Figure(f"{shape}_copy_postgres_cpu_us_a_reading", rounded(spent))]
