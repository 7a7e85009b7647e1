"""Rows of `hour_record` and `regime_hour`: read whole, written where they differ.

A row's revision begins at 1 and goes up by one whenever it says something else; what it
said goes to its history by a trigger (0017_regime_hours). A row that was taken away and
comes again goes on counting.
"""

from typing import Any

import msgspec
import numpy as np
from psycopg import AsyncCursor, sql

from ingest.methods.hour_states import STATES
from ingest.model import HOUR, NEVER
from ingest.pipeline.batch import IntArray
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.hour_rows import COMPONENT_ROW, HOUR_MASS_ROW, HourRows, differs
from ingest.regimes.records import HOUR_FACT
from ingest.store.facts import Stamp
from ingest.store.rows import MICROSECONDS
from kernels.rows import Records

_FACT_COLUMNS = ("value", "valid_us", "minutes_us", "covered_us", "on_us", "quarters", "apart_us", "away")
_AT = MICROSECONDS.format("start_at")
_LAST_HOUR = f"SELECT max({_AT}) FROM regime_hour WHERE source_no = %s".encode()  # noqa: S608
_FIRST_INTERVAL = f"""
    SELECT {_AT} FROM interval WHERE point_no = %s AND revision > 0 ORDER BY start_at LIMIT 1
""".encode()  # noqa: S608
_STATE_NO = {name: number for number, name in STATES.items()}


async def read_facts(cursor: AsyncCursor, source_no: int, components: list[str]) -> dict[str, Records]:
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


async def frontier(cursor: AsyncCursor, source_no: int) -> int:
    """Up to where hours are stored; NEVER: none are."""
    await cursor.execute(_LAST_HOUR, [source_no])
    row = await cursor.fetchone()
    return NEVER if row is None or row[0] is None else int(row[0]) + HOUR


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


async def write_facts(
    cursor: AsyncCursor,
    source_no: int,
    component: str,
    facts: Records,
    old: Records | None,
    cause: int,
    stamp: Stamp,
) -> None:
    """Write the facts of a component that are new or differ from the old ones, and delete those that are no more."""
    old = np.zeros(0, HOUR_FACT) if old is None else old
    fresh = facts[differs(facts, old)]
    gone = np.setdiff1d(old["start_at"], facts["start_at"])
    if fresh.size:
        columns = [fresh[name].tolist() for name in ("start_at", *_FACT_COLUMNS)]
        await cursor.execute(_WRITE_FACTS, [source_no, component, cause, *_stamped(stamp), *columns])
    await _delete(cursor, "hour_record", source_no, gone, component)


async def write_hours(
    cursor: AsyncCursor, source_no: int, rows: HourRows, old: HourRows, cause: int, stamp: Stamp
) -> None:
    """Write the hours that are new or differ from the old ones, and delete those that are no more."""
    place = np.flatnonzero(rows.differs(old))
    if place.size:
        fresh = rows.hours[place]
        columns = [fresh[name].tolist() for name in HOUR_MASS_ROW.names or ()]
        said = [
            msgspec.json.encode({name: _said(of[i]) for name, of in rows.components.items()}).decode()
            for i in place.tolist()
        ]
        await cursor.execute(_WRITE_HOURS, [source_no, cause, *_stamped(stamp), *columns, said])
    await _delete(
        cursor, "regime_hour", source_no, np.setdiff1d(old.hours["start_at"], rows.hours["start_at"])
    )


async def drop_others(cursor: AsyncCursor, source_no: int, components: list[str]) -> None:
    """Delete the facts of components that a source has no more."""
    await cursor.execute(
        "DELETE FROM hour_record WHERE source_no = %s AND NOT component = ANY(%s)", [source_no, components]
    )


def _stamped(stamp: Stamp) -> list[Any]:
    return [stamp.plan_version, stamp.known_at, stamp.batch_no]


async def _delete(
    cursor: AsyncCursor, table: str, source_no: int, starts: IntArray, component: str | None = None
) -> None:
    if starts.size:
        query = sql.SQL(
            """
            DELETE FROM {} WHERE source_no = %s {} AND start_at = ANY(
                   SELECT to_timestamp(0) + s * interval '1 microsecond' FROM unnest(%s::bigint[]) s)
            """
        ).format(
            sql.Identifier(table),
            sql.SQL("")
            if component is None
            else sql.SQL("AND component = {}").format(sql.Literal(component)),
        )
        await cursor.execute(query, [source_no, starts.tolist()])


def _said(row: Any) -> dict[str, Any]:
    """A component's row as JSON."""
    value, availability = float(row["value"]), float(row["availability_pct"])
    return {
        "value": None if np.isnan(value) else value + 0.0,
        "code": int(row["code"]),
        "state": STATES[int(row["state"])],
        "provisional": bool(row["provisional"]),
        "availability_pct": None if np.isnan(availability) else availability,
        "gap_h": int(row["gap_h"]),
        "rests_on": int(row["rests_on"]),
        "valid": bool(row["valid"]),
        "out_of_control": bool(row["out_of_control"]),
    }


def _component(said: dict[str, Any]) -> tuple[Any, ...]:
    nan = float("nan")
    given = {**said, "state": _STATE_NO[said["state"]]}
    return tuple(nan if given[name] is None else given[name] for name in COMPONENT_ROW.names or ())


_WRITE_FACTS = b"""
    INSERT INTO hour_record AS r
    SELECT n.source_no, n.component, at, NULLIF(value, 'NaN'), valid_us, minutes_us, covered_us, on_us, quarters, apart_us,
           away, coalesce((SELECT max(h.revision) + 2 FROM hour_record_history h WHERE h.source_no = n.source_no
                              AND h.component = n.component AND h.start_at = at), 1),
           n.cause, n.plan_version, to_timestamp(0) + n.known_us * interval '1 microsecond', n.batch_no
      FROM (SELECT %s::int AS source_no, %s::text AS component, %s::smallint AS cause, %s::int AS plan_version,
                   %s::bigint AS known_us, %s::bigint AS batch_no) n,
           unnest(%s::bigint[], %s::float8[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[],
                  %s::bigint[], %s::smallint[])
               AS f (us, value, valid_us, minutes_us, covered_us, on_us, quarters, apart_us, away),
           LATERAL (SELECT to_timestamp(0) + us * interval '1 microsecond') AS instant (at)
    ON CONFLICT (source_no, component, start_at) DO UPDATE
       SET (value, valid_us, minutes_us, covered_us, on_us, quarters, apart_us, away, revision, cause, plan_version,
            known_at, batch_no)
         = (excluded.value, excluded.valid_us, excluded.minutes_us, excluded.covered_us, excluded.on_us,
            excluded.quarters, excluded.apart_us, excluded.away, r.revision + 1, excluded.cause,
            excluded.plan_version, excluded.known_at, excluded.batch_no)
     WHERE (r.value, r.valid_us, r.minutes_us, r.covered_us, r.on_us, r.quarters, r.apart_us, r.away)
           IS DISTINCT FROM (excluded.value, excluded.valid_us, excluded.minutes_us, excluded.covered_us,
                             excluded.on_us, excluded.quarters, excluded.apart_us, excluded.away)
"""
_WRITE_HOURS = b"""
    INSERT INTO regime_hour AS r
    SELECT n.source_no, at, NULLIF(mass_kg, 'NaN'), NULLIF(rate, 'NaN'), operating_us, components::jsonb,
           provisional <> 0, quality, reasons,
           coalesce((SELECT max(h.revision) + 2 FROM regime_hour_history h
                      WHERE h.source_no = n.source_no AND h.start_at = at), 1),
           n.cause, n.plan_version, to_timestamp(0) + n.known_us * interval '1 microsecond', n.batch_no
      FROM (SELECT %s::int AS source_no, %s::smallint AS cause, %s::int AS plan_version, %s::bigint AS known_us,
                   %s::bigint AS batch_no) n,
           unnest(%s::bigint[], %s::float8[], %s::float8[], %s::bigint[], %s::int[], %s::smallint[], %s::int[],
                  %s::text[])
               AS f (us, mass_kg, rate, operating_us, provisional, quality, reasons, components),
           LATERAL (SELECT to_timestamp(0) + us * interval '1 microsecond') AS instant (at)
    ON CONFLICT (source_no, start_at) DO UPDATE
       SET (mass_kg, rate, operating_us, components, provisional, quality, reasons, revision, cause, plan_version,
            known_at, batch_no)
         = (excluded.mass_kg, excluded.rate, excluded.operating_us, excluded.components, excluded.provisional,
            excluded.quality, excluded.reasons, r.revision + 1, excluded.cause, excluded.plan_version,
            excluded.known_at, excluded.batch_no)
     WHERE (r.mass_kg, r.rate, r.operating_us, r.components, r.provisional, r.quality, r.reasons)
           IS DISTINCT FROM (excluded.mass_kg, excluded.rate, excluded.operating_us, excluded.components,
                             excluded.provisional, excluded.quality, excluded.reasons)
"""
