"""Hours of regimes made anew, beside what is stored of them.

The facts of hours that lie in the span are made of the stored intervals, which a replay
compares with the readings; the hours of those facts, of the stored ones before and after,
and of the tests. So a difference is told where it arises. Hours are compared under the
version that made them. To be called in one snapshot: what changes an hour writes it in the
same transaction. Nothing is written here.
"""

from collections.abc import Callable

import numpy as np
from psycopg import AsyncCursor

from ingest.model import HOUR, NEVER
from ingest.pipeline.batch import Rows
from ingest.plant.plan import Plan
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.hour_rows import HourRows
from ingest.regimes.source_hours import hours_of
from ingest.store import hour_tables
from ingest.store.analyser_tests import tests_of
from ingest.store.hour_sources import first_hour, points_of
from ingest.store.mismatch import Mismatch, Tally
from ingest.store.paired import stored_intervals
from ingest.store.stored import StoredTable
from ingest.store.versions import Edition, Versions
from kernels.hours import HOUR_FACT

FACTS = StoredTable(
    "hour_record",
    "source_no",
    "start_at",
    {name: "float8" if name == "value" else "int8" for name in HOUR_FACT.names or () if name != "start_at"},
    revised=True,
)


async def replayed(
    cursor: AsyncCursor,
    versions: Versions,
    chosen: Callable[[str], bool],
    span: tuple[int, int],
    tally: Tally,
) -> list[Mismatch]:
    """What of hours that lie in a span (µs) is not stored as it comes out.

    `chosen`: of a point's id whether it is looked at; of a source one of its points has to be.
    """
    newest, found = await versions.edition(cursor, versions.newest), list[Mismatch | None]()
    assert newest is not None
    for place, source in enumerate(newest.plan.sources):
        number = int(newest.numbers.sources[place])
        version = await hour_tables.version_of(cursor, number)
        edition = newest if version is None else await versions.edition(cursor, version)
        regime = None if edition is None else _regime_of(edition.plan, source.id)
        if edition is None or regime is None or version is None:
            continue
        if any(chosen(edition.plan.points[point].id) for point in points_of(regime).values()):
            found += await _replayed(
                cursor, versions.site_no, edition, (number, source.id), regime, span, tally
            )
    return [one for one in found if one is not None]


def _regime_of(plan: Plan, source_id: str) -> PlanRegime | None:
    return next((one.regime for one in plan.sources if one.id == source_id), None)


async def _replayed(
    cursor: AsyncCursor,
    site_no: int,
    edition: Edition,
    source: tuple[int, str],
    regime: PlanRegime,
    span: tuple[int, int],
    tally: Tally,
) -> list[Mismatch | None]:
    number, name = source
    points = points_of(regime)
    stored, _ = await hour_tables.read_hours(cursor, number, regime)
    facts = await hour_tables.read_facts(cursor, number, list(points))
    until = await hour_tables.frontier(cursor, number)
    if until == NEVER:
        return []
    begin, end = (at + (-at - regime.offset_us) % HOUR for at in span)
    end = min(end if end == span[1] else end - HOUR, until)
    found: list[Mismatch | None] = []
    for component, point in points.items():
        known = facts[component]
        inside = (known["start_at"] >= begin) & (known["start_at"] < end)
        rows = await stored_intervals(cursor, edition.numbers, point, begin, end)
        made = hour_tables.facts_of(edition.plan, regime, point, rows)
        tally.compared[FACTS.name] += made.size
        versions = np.full(made.size, edition.plan.version)
        found.append(Mismatch.of(FACTS, number, f"{name} {component}", made, versions, known[inside]))
        joined = np.concatenate([known[~inside], made])
        facts[component] = joined[np.argsort(joined["start_at"], kind="stable")]
    firsts = {one: (int(of[0]["start_at"]), int(of[0]["covered_us"])) for one, of in facts.items() if of.size}
    first = first_hour(regime, firsts)
    hours = HourRows.none(regime)
    if first is not None:
        hours = hours_of(regime, facts, await tests_of(cursor, site_no, regime), first, until)
    table, made, kept = _table(hours), _flat(hours), _flat(stored)
    made, kept = (rows[(rows["start_at"] >= begin) & (rows["start_at"] < end)] for rows in (made, kept))
    tally.compared[table.name] += made.size
    version = np.full(made.size, edition.plan.version)
    return [*found, Mismatch.of(table, number, name, made, version, kept)]


def _flat(rows: HourRows) -> Rows:
    """Hours with the columns of their components beside their own."""
    columns = [(name, rows.hours[name]) for name in rows.hours.dtype.names or ()]
    for component, of in rows.components.items():
        columns += [(f"{component}.{name}", of[name]) for name in of.dtype.names or ()]
    found = np.zeros(rows.hours.size, np.dtype([(name, column.dtype) for name, column in columns]))
    for name, column in columns:
        found[name] = column
    return found


def _table(rows: HourRows) -> StoredTable:
    names = _flat(rows).dtype.names or ()
    return StoredTable(
        "regime_hour", "source_no", "start_at", {name: "float8" for name in names if name != "start_at"},
        revised=True,
    )  # fmt: skip
