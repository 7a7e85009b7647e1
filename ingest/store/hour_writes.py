"""Rows of `hour_record` and `regime_hour` as they are written: where they differ from what is stored.

A row's revision begins at 1 and goes up by one whenever it says something else; what it
said goes to its history by a trigger (0017_regime_hours). A row that was taken away and
comes again goes on counting. A provisional hour whose numbers move only because time goes
on is overwritten in place, as provisional intervals are (`HourRows.goes_on`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from psycopg import AsyncCursor

from ingest.methods.hour_states import STATES
from ingest.model import Cause
from ingest.pipeline.batch import BoolArray, IntArray
from ingest.regimes.hour_rows import CONDITIONALLY, HOUR_MASS_ROW, HourRows
from ingest.store.facts import Stamp
from kernels.rows import Records

_FACT_COLUMNS = ("value", "valid_us", "minutes_us", "covered_us", "on_us", "quarters", "apart_us", "away")
ROWS_AT_ONCE = 5000
"""A year of many sources is no one statement, nor made before the first: the database ends who asks nothing for long."""
NOTHING: IntArray = np.zeros(0, np.int64)
NO_KEYS: IntArray = np.zeros((0, 3), np.int64)


@dataclass(frozen=True, slots=True)
class SaidFacts:
    """What is said of a component's hours, in whatever order."""

    source_no: int
    component: str
    cause: int
    facts: Records
    """HOUR_FACT of those that have one."""
    gone: IntArray
    """Begins of those that may have had one and have none."""


@dataclass(frozen=True, slots=True)
class SaidHours:
    """What is said of a source's hours."""

    source_no: int
    cause: int
    rows: HourRows
    before: HourRows
    """As those of them had been that were there."""
    gone: IntArray
    """Begins of hours that are no more."""

    @property
    def changed(self) -> IntArray:
        """int64[n, 3]: (source, start_at, cause) of what is new, differs or is no more."""
        starts = np.concatenate([self.rows.hours["start_at"][self.rows.differs(self.before)], self.gone])
        return np.column_stack(
            [np.full(starts.size, self.source_no), starts, np.full(starts.size, self.cause)]
        )


async def write_facts(cursor: AsyncCursor, said: Sequence[SaidFacts], stamp: Stamp) -> None:
    """Write facts where they differ from what is stored, and delete those that are no more."""
    fresh = [one for one in said if one.facts.size]
    if fresh:
        sizes = [one.facts.size for one in fresh]
        keys = [
            np.repeat([getattr(one, name) for one in fresh], sizes).tolist()
            for name in ("source_no", "component", "cause")
        ]
        facts = np.concatenate([one.facts for one in fresh])
        columns = [*keys, *(facts[name].tolist() for name in ("start_at", *_FACT_COLUMNS))]
        for low in range(0, facts.size, ROWS_AT_ONCE):
            part = [column[low : low + ROWS_AT_ONCE] for column in columns]
            await cursor.execute(_WRITE_FACTS, [*_stamped(stamp), *part])
    gone = [(one.source_no, one.component, at) for one in said for at in one.gone.tolist()]
    if gone:
        await cursor.execute(
            """
            DELETE FROM hour_record r USING unnest(%s::int[], %s::text[], %s::bigint[]) AS g (source_no, component, us)
             WHERE (r.source_no, r.component) = (g.source_no, g.component)
               AND r.start_at = to_timestamp(0) + us * interval '1 microsecond'
            """,
            [list(column) for column in zip(*gone, strict=True)],
        )


async def write_hours(cursor: AsyncCursor, said: Sequence[SaidHours], stamp: Stamp) -> None:
    """Write the hours that are new or differ from what they were, and delete those that are no more."""
    columns: list[list[Any]] = [[] for _ in range(len(HOUR_MASS_ROW.names or ()) + 4)]
    for one in said:
        place = np.flatnonzero(one.rows.differs(one.before))
        goes_on = _goes_on(one)
        for low in range(0, place.size, ROWS_AT_ONCE):
            part = place[low : low + ROWS_AT_ONCE]
            for column, values in zip(columns, _columns(one, part, goes_on[part]), strict=True):
                column.extend(values)
            if len(columns[0]) >= ROWS_AT_ONCE:
                await cursor.execute(_WRITE_HOURS, [*_stamped(stamp), *columns])
                columns = [[] for _ in columns]
    if columns[0]:
        await cursor.execute(_WRITE_HOURS, [*_stamped(stamp), *columns])
    gone = [(one.source_no, at) for one in said for at in one.gone.tolist()]
    if gone:
        await cursor.execute(
            """
            DELETE FROM regime_hour r USING unnest(%s::int[], %s::bigint[]) AS g (source_no, us)
             WHERE r.source_no = g.source_no AND r.start_at = to_timestamp(0) + us * interval '1 microsecond'
            """,
            [list(column) for column in zip(*gone, strict=True)],
        )


def _columns(said: SaidHours, place: IntArray, goes_on: BoolArray) -> list[list[Any]]:
    fresh = said.rows.hours[place]
    return [
        [said.source_no] * place.size,
        [said.cause] * place.size,
        goes_on.tolist(),
        *(fresh[name].tolist() for name in HOUR_MASS_ROW.names or ()),
        [_components(said.rows, i) for i in place.tolist()],
    ]


def _goes_on(said: SaidHours) -> BoolArray:
    """Whether an hour is said anew only because time has gone on: then the same revision goes on."""
    if said.cause != int(Cause.CLOSING) or not said.before.hours.size:
        return np.zeros(said.rows.hours.size, np.bool_)
    return said.rows.goes_on(said.before)


def _components(rows: HourRows, place: int) -> str:
    return msgspec.json.encode({name: _said(of[place]) for name, of in rows.components.items()}).decode()


def _stamped(stamp: Stamp) -> list[Any]:
    return [stamp.plan_version, stamp.known_at, stamp.batch_no]


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
        "conditional": int(row["valid"]) == CONDITIONALLY,
        "out_of_control": bool(row["out_of_control"]),
    }


_WRITE_FACTS = b"""
    INSERT INTO hour_record AS r
    SELECT source_no, component, at, NULLIF(value, 'NaN'), valid_us, minutes_us, covered_us, on_us, quarters, apart_us,
           away, coalesce((SELECT max(h.revision) + 2 FROM hour_record_history h WHERE h.source_no = f.source_no
                              AND h.component = f.component AND h.start_at = at), 1),
           cause, n.plan_version, to_timestamp(0) + n.known_us * interval '1 microsecond', n.batch_no
      FROM (SELECT %s::int AS plan_version, %s::bigint AS known_us, %s::bigint AS batch_no) n,
           unnest(%s::int[], %s::text[], %s::smallint[], %s::bigint[], %s::float8[], %s::bigint[], %s::bigint[],
                  %s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::smallint[])
               AS f (source_no, component, cause, us, value, valid_us, minutes_us, covered_us, on_us, quarters, apart_us,
                     away),
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
    WITH said AS (
        SELECT f.*, n.*, to_timestamp(0) + us * interval '1 microsecond' AS at
          FROM (SELECT %s::int AS plan_version, to_timestamp(0) + %s * interval '1 microsecond' AS known_at,
                       %s::bigint AS batch_no) n,
               unnest(%s::int[], %s::smallint[], %s::bool[], %s::bigint[], %s::float8[], %s::float8[], %s::bigint[],
                      %s::int[], %s::smallint[], %s::int[], %s::text[])
                   AS f (source_no, cause, goes_on, us, mass_kg, rate, operating_us, provisional, quality, reasons,
                         components)),
    gone_on AS (
        UPDATE regime_hour r
           SET mass_kg = NULLIF(s.mass_kg, 'NaN'), rate = NULLIF(s.rate, 'NaN'), components = s.components::jsonb,
               plan_version = s.plan_version, known_at = s.known_at, batch_no = s.batch_no
          FROM said s WHERE s.goes_on AND r.source_no = s.source_no AND r.start_at = s.at)
    INSERT INTO regime_hour AS r (source_no, start_at, mass_kg, rate, operating_us, components, provisional, quality,
                                  reasons, revision, cause, plan_version, known_at, batch_no, begun_batch)
    SELECT source_no, at, NULLIF(mass_kg, 'NaN'), NULLIF(rate, 'NaN'), operating_us, components::jsonb,
           provisional <> 0, quality, reasons,
           coalesce((SELECT max(h.revision) + 2 FROM regime_hour_history h
                      WHERE h.source_no = s.source_no AND h.start_at = at), 1),
           cause, plan_version, known_at, batch_no, batch_no
      FROM said s WHERE NOT goes_on
    ON CONFLICT (source_no, start_at) DO UPDATE
       SET (mass_kg, rate, operating_us, components, provisional, quality, reasons, revision, cause, plan_version,
            known_at, batch_no, begun_batch)
         = (excluded.mass_kg, excluded.rate, excluded.operating_us, excluded.components, excluded.provisional,
            excluded.quality, excluded.reasons, r.revision + 1, excluded.cause, excluded.plan_version,
            excluded.known_at, excluded.batch_no, excluded.begun_batch)
     WHERE (r.mass_kg, r.rate, r.operating_us, r.components, r.provisional, r.quality, r.reasons)
           IS DISTINCT FROM (excluded.mass_kg, excluded.rate, excluded.operating_us, excluded.components,
                             excluded.provisional, excluded.quality, excluded.reasons)
"""
