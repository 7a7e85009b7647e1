"""Whether hours and days of a point are valid by the rule its plant file names.

The rules are `ingest.methods.validity`; here the records they judge are made of the
intervals that stand, or stood at an earlier batch. A minute is valid if the point's
min_valid_share of it is. Of an hour or day that is not closed nothing is said yet.
"""

from collections.abc import Sequence

import numpy as np

from ingest.methods.validity import (
    ALL_QUARTERS,
    HOUR_RECORD,
    INVALID,
    NOT_JUDGED,
    REGIMES,
    VALID,
    hj_day,
    judge_hours,
)
from ingest.model import MINUTE, Reason
from ingest.plant.plan import Plan, PlanPoint
from service import past
from service.as_of import Known
from service.store import Connection, rows
from service.times import to_datetime

Slot = tuple[int, int]
"""Begin and end of an hour or day, µs."""
Judged = tuple[bool | None, str | None]
"""Whether it is valid and by which rule; None: not judged, no rule."""

_AWAY = int(Reason.CALIBRATION | Reason.MAINTENANCE)


async def judged(
    connection: Connection,
    plan: Plan,
    point: PlanPoint,
    step: str,
    slots: Sequence[Slot],
    until: int,
    known: Known,
) -> list[Judged]:
    """What the point's rule says of each slot, which are hours or days in order; `until` is closed, µs."""
    regime = None if point.validity is None else REGIMES[point.validity.regime]
    rule = None if regime is None else {"hour": regime.hour, "day": regime.day}.get(step)
    if point.validity is None or regime is None or rule is None or not slots:
        return [(None, None)] * len(slots)
    span = (slots[0][0], slots[-1][1])
    hours = await _hours(connection, plan, point, span, known)
    starts = np.array(sorted(hours), np.int64)
    records = np.array([hours[at] for at in starts.tolist()], HOUR_RECORD)
    verdicts = judge_hours(regime.hour, records)
    if step == "day":
        valid_hours = [
            int((verdicts[(starts >= begin) & (starts < end)] == VALID).sum()) for begin, end in slots
        ]
        found = hj_day(np.array(valid_hours, np.int64)).astype(np.int8).tolist()
    else:
        by_start = dict(zip(starts.tolist(), verdicts.tolist(), strict=True))
        # An hour without a trace is one in which nothing was measured, or in which the unit stood.
        absent = INVALID if point.validity.running is None else NOT_JUDGED
        found = [by_start.get(begin, absent) for begin, _ in slots]
    return [
        (None if end > until or verdict == NOT_JUDGED else verdict == VALID, rule)
        for verdict, (_, end) in zip(found, slots, strict=True)
    ]


async def _hours(
    connection: Connection, plan: Plan, point: PlanPoint, span: Slot, known: Known
) -> dict[int, tuple[int, ...]]:
    """HOUR_RECORD of the hours in which there is something of the point, or its unit ran, by their begin."""
    assert point.validity is not None
    whole_us = float(plan.params["min_valid_share"][plan.index[point.id]]) * plan.interval_us
    records: dict[int, tuple[int, ...]] = {}
    for hour, valid_us, minutes_us, quarters, apart_us, away in await rows(
        connection,
        _RECORDS.format(intervals=past.rows_of("interval", "start_at, valid_us, reasons", _SPAN, known)),
        {**_asked(plan, span, known), "point": point.id, "whole_us": whole_us, "away": _AWAY},
    ):
        records[hour] = (valid_us, minutes_us, quarters, ALL_QUARTERS, apart_us, away)
    if point.validity.running is None:
        return records
    running = plan.points[point.validity.running].id
    ran: dict[int, int] = dict(
        await rows(
            connection,
            _RAN.format(intervals=past.rows_of("interval", "start_at, amount", _SPAN, known)),
            {**_asked(plan, span, known), "point": running},
        )
    )
    return {
        hour: (*record[:3], ran.get(hour, 0), *record[4:])
        for hour in {*records, *ran}
        for record in [records.get(hour, (0,) * 6)]
    }


def _asked(plan: Plan, span: Slot, known: Known) -> dict[str, object]:
    return {
        "zone": plan.zone.key,
        "batch": known.batch_no,
        "from": to_datetime(span[0]),
        "to": to_datetime(span[1]),
        "interval_us": plan.interval_us,
    }


_SPAN = (
    "point_no = (SELECT point_no FROM point WHERE id = %(point)s)"
    " AND start_at >= %(from)s AND start_at < %(to)s"
)
_QUARTERS = (
    "bit_or(1 << floor(extract(epoch FROM start_at - date_trunc('hour', start_at, %(zone)s)) / 900)::int)"
)
_RECORDS = f"""
    SELECT date_trunc('hour', start_at, %(zone)s) AS hour, sum(valid_us)::bigint,
           sum(CASE WHEN %(interval_us)s > {MINUTE} THEN valid_us - valid_us %% {MINUTE}
                    WHEN valid_us >= %(whole_us)s THEN %(interval_us)s ELSE 0 END)::bigint,
           coalesce({_QUARTERS} FILTER (WHERE valid_us > 0), 0),
           coalesce(extract(epoch FROM max(start_at) FILTER (WHERE valid_us > 0)
                                     - min(start_at) FILTER (WHERE valid_us > 0)) * 1000000, 0)::bigint,
           (bit_or(reasons) & %(away)s <> 0)::int
      FROM ({{intervals}}) i GROUP BY hour
"""  # noqa: S608  fragments of this module
"""An hour of a point as HOUR_RECORD has it, but for `ran`."""
_RAN = f"""
    SELECT date_trunc('hour', start_at, %(zone)s) AS hour, {_QUARTERS}
      FROM ({{intervals}}) i WHERE amount > 0 GROUP BY hour
"""  # noqa: S608  as above
"""The quarters of an hour in which a state was not 0."""
