"""Rows of `hour_record` and `regime_hour` as they are read; `hour_writes` writes them."""

from typing import Any

import numpy as np
from psycopg import AsyncCursor

from ingest.methods.hour_states import STATES
from ingest.model import HOUR, NEVER
from ingest.pipeline.batch import Rows
from ingest.plant.plan import Plan
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.hour_rows import COMPONENT_ROW, CONDITIONALLY, HOUR_MASS_ROW, HourRows
from ingest.regimes.records import hour_facts
from ingest.store.instants import MICROSECONDS
from kernels.hours import HOUR_FACT

_AT = MICROSECONDS.format("start_at")
_LAST_HOUR = f"SELECT max({_AT}) FROM regime_hour WHERE source_no = %s".encode()  # noqa: S608
_FIRST_INTERVAL = f"""
    SELECT {_AT} FROM interval WHERE point_no = %s AND revision > 0 ORDER BY start_at LIMIT 1
""".encode()  # noqa: S608
_STATE_NO = {name: number for number, name in STATES.items()}


async def read_facts(cursor: AsyncCursor, source_no: int, components: list[str]) -> dict[str, Rows]:
    """HOUR_FACT of each component, in order of time."""
    found = {}
    for name in components:
        await cursor.execute(
            f"""
            SELECT {_AT}, coalesce(value, 'NaN'), valid_us, minutes_us, covered_us, on_us, quarters, apart_us, away
              FROM hour_record WHERE source_no = %s AND component = %s ORDER BY start_at
            """.encode(),  # noqa: S608  fragments of this module, as below
            [source_no, name],
        )
        found[name] = np.array(await cursor.fetchall(), HOUR_FACT)
    return found


async def read_hours(cursor: AsyncCursor, source_no: int, regime: PlanRegime) -> tuple[HourRows, int]:
    """The hours of a source, and the plan version that made the last of them; 0: there is none."""
    await cursor.execute(
        f"""
        SELECT {_AT}, coalesce(mass_kg, 'NaN'), coalesce(rate, 'NaN'), operating_us, provisional::int, quality, reasons,
               components, plan_version
          FROM regime_hour WHERE source_no = %s ORDER BY start_at
        """.encode(),  # noqa: S608
        [source_no],
    )
    stored = await cursor.fetchall()
    none = HourRows.none(regime)
    rows = HourRows(
        np.array([row[:7] for row in stored], HOUR_MASS_ROW),
        {name: np.zeros(len(stored), COMPONENT_ROW) for name in none.components},
    )
    for i, row in enumerate(stored):
        for name, said in row[7].items():
            if name in rows.components:
                rows.components[name][i] = _component(said)
    return rows, stored[-1][8] if stored else 0


async def version_of(cursor: AsyncCursor, source_no: int) -> int | None:
    """The plan version that made a source's last hour; None: it has none."""
    await cursor.execute(
        "SELECT plan_version FROM regime_hour WHERE source_no = %s ORDER BY start_at DESC LIMIT 1",
        [source_no],
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


def facts_of(plan: Plan, regime: PlanRegime, point: int, rows: Rows) -> Rows:
    """HOUR_FACT of a point of a regime (plan index), of its INTERVAL_ROW in order of time."""
    return hour_facts(
        rows,
        offset_us=regime.offset_us,
        interval_us=plan.interval_us,
        least_valid_us=float(plan.params["min_valid_share"][point]) * plan.interval_us,
        is_state=point in {regime.operating, regime.cap},
    )


async def frontier(cursor: AsyncCursor, source_no: int) -> int:
    """Up to where hours are stored; NEVER: none are."""
    await cursor.execute(_LAST_HOUR, [source_no])
    row = await cursor.fetchone()
    return NEVER if row is None or row[0] is None else int(row[0]) + HOUR


async def first_facts(cursor: AsyncCursor, source_no: int) -> dict[str, tuple[int, int]]:
    """Component → (start_at, covered_us) of its first fact."""
    await cursor.execute(
        f"""
        SELECT DISTINCT ON (component) component, {_AT}, covered_us FROM hour_record WHERE source_no = %s
         ORDER BY component, start_at
        """.encode(),  # noqa: S608
        [source_no],
    )
    return {name: (at, covered_us) for name, at, covered_us in await cursor.fetchall()}


async def first_interval(cursor: AsyncCursor, point_no: int) -> int | None:
    """The begin of a point's first closed interval."""
    await cursor.execute(_FIRST_INTERVAL, [point_no])
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def changed_since(cursor: AsyncCursor, source_no: int, point_no: int, end: int) -> list[int]:
    """Begins of a point's intervals before `end` that were said after the source's last hourly fact."""
    if end == NEVER:
        return []
    await cursor.execute(
        f"""
        WITH last AS (SELECT max(batch_no) AS batch FROM hour_record WHERE source_no = %(source)s)
        SELECT {_AT} FROM interval, last
         WHERE point_no = %(point)s AND start_at < {_instant("%(end)s")} AND batch_no > batch
        UNION
        SELECT {_AT} FROM interval_history, last
         WHERE point_no = %(point)s AND start_at < {_instant("%(end)s")} AND superseded_batch > batch
        """.encode(),  # noqa: S608
        {"source": source_no, "point": point_no, "end": end},
    )
    return [at for (at,) in await cursor.fetchall()]


def _instant(us: str) -> str:
    return f"to_timestamp(0) + {us} * interval '1 microsecond'"


async def drop_others(cursor: AsyncCursor, source_no: int, components: list[str]) -> None:
    """Delete the facts of components that a source has no more."""
    await cursor.execute(
        "DELETE FROM hour_record WHERE source_no = %s AND NOT component = ANY(%s)", [source_no, components]
    )


def _component(said: dict[str, Any]) -> tuple[Any, ...]:
    nan = float("nan")
    valid = CONDITIONALLY if said.get("conditional") else said["valid"]
    given = {**said, "state": _STATE_NO[said["state"]], "valid": valid}
    return tuple(nan if given[name] is None else given[name] for name in COMPONENT_ROW.names or ())
