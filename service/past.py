"""Closed rows as they stood after an earlier batch: the table's and its history's.

A row stood if its batch had been, and no later one up to then had changed it or taken
it away; the ledger's steps alike. How far a point was closed follows from the last of its
rows there had ever been, and where no row tells it from `frontier_history`. Provisional
rows are overwritten in place: of them nothing is known afterwards.
"""

from collections.abc import Sequence
from typing import LiteralString

from ingest.plant.plan import Plan
from ingest.store.arithmetic import FIGURES
from service.as_of import Known
from service.store import Connection, row, rows
from service.times import to_datetime


def truth(table: str, columns: str, where: str) -> str:
    """The query of the rows of `interval`, `kpi_value` or `emission` that stood after batch %(batch)s."""
    return f"""
        SELECT {columns} FROM {table} WHERE {where} AND revision > 0 AND batch_no <= %(batch)s
        UNION ALL
        SELECT {columns} FROM {table}_history
         WHERE {where} AND batch_no <= %(batch)s AND superseded_batch > %(batch)s
    """  # noqa: S608  fragments of the modules that ask


STEPS: LiteralString = """
    (SELECT point_no, at, previous_at, class, increment, correction, batch_no FROM ledger
      WHERE NOT %(past)s OR batch_no <= %(batch)s
     UNION ALL
     SELECT point_no, at, previous_at, class, increment, correction, batch_no FROM ledger_history
      WHERE %(past)s AND batch_no <= %(batch)s AND superseded_batch > %(batch)s)
"""
"""The steps of `ledger` that stand now or, %(past)s, stood after batch %(batch)s: a relation for a query."""


def stored(reading: LiteralString) -> LiteralString:
    """The condition that a reading (by its name in a query) was stored; see `asked`."""
    return f"(NOT %(past)s OR {reading}.batch_no <= %(batch)s)"


def asked(known: Known) -> dict[str, object]:
    """The parameters `past` and `batch` of these fragments."""
    return {"past": known.past, "batch": known.batch_no}


def rows_of(table: str, columns: str, where: str, known: Known) -> str:
    """The query of a table's rows: those that stand now, or stood then."""
    if known.past:
        return truth(table, columns, where)
    return f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608  as above


async def first_and_last(
    connection: Connection, table: str, key: str, number: int, known: Known
) -> tuple[int | None, int | None]:
    """The first and the last start (µs) of the rows of one key that stood; None where there were none."""
    stood = truth(table, "start_at", f"{key} = %(number)s AND start_at < %(watermark)s")
    found = await row(
        connection,
        f"""
        SELECT (SELECT start_at FROM ({stood}) first ORDER BY start_at LIMIT 1),
               (SELECT start_at FROM ({stood}) last ORDER BY start_at DESC LIMIT 1)
        """,  # noqa: S608  fragments of this module
        {"number": number, "batch": known.batch_no, "watermark": _bound(known)},
    )
    assert found is not None
    return found[0], found[1]


async def frontiers(
    connection: Connection, plan: Plan, point_ids: Sequence[str], known: Known
) -> dict[str, int]:
    """Up to which instant (µs) points were closed; those of which nothing was are missing."""
    found = await rows(
        connection,
        """
        SELECT id, greatest(
               (SELECT max(closed_until) FROM frontier_history f
                 WHERE f.point_no = p.point_no AND f.batch_no <= %(batch)s),
               (SELECT start_at FROM interval i
                 WHERE i.point_no = p.point_no AND start_at < %(watermark)s AND revision > 0 AND batch_no <= %(batch)s
                 ORDER BY start_at DESC LIMIT 1) + %(interval_us)s * INTERVAL '1 microsecond',
               (SELECT start_at FROM interval_history h
                 WHERE h.point_no = p.point_no AND start_at < %(watermark)s AND batch_no <= %(batch)s
                 ORDER BY start_at DESC LIMIT 1) + %(interval_us)s * INTERVAL '1 microsecond')
          FROM point p WHERE id = ANY(%(ids)s::text[])
        """,
        {
            "ids": list(point_ids),
            "batch": known.batch_no,
            "watermark": _bound(known),
            "interval_us": plan.interval_us,
        },
    )
    return {point_id: until for point_id, until in found if until is not None}


def _bound(known: Known) -> object:
    # What was closed ends before the watermark: so that the newest of old rows need not be looked for among newer ones.
    return "infinity" if known.watermark is None else to_datetime(known.watermark)


_COLUMNS = (
    "point_no, start_at, amount, amount_count, mean, min, max, quality, reasons, covered_us, valid_us,"
    " substituted_us, revision, cause, plan_version, known_at"
)
_ROLLED = (
    "point_no, start_at, amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us, quality,"
    " reasons, known_at"
)
_FIGURES = FIGURES.as_string(None)

_ASKED = "point_no = %(point_no)s AND start_at >= %(from)s AND start_at < %(beyond)s"

INTERVALS = f"WITH stood AS ({truth('interval', _COLUMNS, _ASKED)})"
"""`stood`: a point's rows that start from %(from)s to before %(beyond)s."""
HOURS = f"""{INTERVALS}, hours ({_ROLLED}) AS (
        SELECT point_no, date_trunc('hour', start_at, %(zone)s), {_FIGURES}, max(known_at)
          FROM stood i GROUP BY 1, 2)
"""  # noqa: S608  fragments of this module
"""`hours`: the same as hours of the site's zone, by the arithmetic that makes `interval_hour`."""
DAYS = f"""{HOURS}, days ({_ROLLED}) AS (
        SELECT point_no, date_trunc('day', start_at, %(zone)s), {_FIGURES}, max(known_at)
          FROM hours i GROUP BY 1, 2)
"""  # noqa: S608  fragments of this module
"""`days`: as days, made of the hours like `interval_day`."""
