"""Sealing periods in tests: seals asked for, taken by an ingest, and what periods come to by definition."""

import math
from functools import reduce
from operator import add, or_
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from ingest.site import SiteIngest
from ingest.store.inbox import SealBody
from ingest.store.seals import waiting
from service.inbox import accept

Rows = list[tuple[Any, ...]]
SUBJECTS = {
    "point": "amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us, quality, reasons",
    "kpi": "a, b, covered_us, valid_us, substituted_us, quality, reasons",
    "source": "mass_kg, covered_us, valid_us, substituted_us, quality, reasons",
}
NOTHING = (None,) * 10


async def seal(
    ingest: SiteIngest,
    dsn: str,
    from_at: int,
    to_at: int,
    *,
    kind: str = "shift",
    again: int = 0,
    reason: str = "",
) -> None:
    """Ask for a seal, or for the next edition of a period, and let the ingest take it."""
    body = msgspec.json.encode(SealBody(kind, from_at, to_at, again, reason)).decode()
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await accept(connection, 1, "seal", body, f"seal {from_at} {to_at} {kind} {reason}", "m.weber")
        for asked in await waiting(connection, 1, 10, ingest.plan):
            await ingest.seal(asked)
        assert await waiting(connection, 1, 10, ingest.plan) == []


def said(dsn: str) -> dict[tuple[int, str, str], Rows]:
    """Per (seal, subject, id) what was said of it: (batch_no, cause, *figures), the frozen first."""
    found: dict[tuple[int, str, str], Rows] = {}
    with psycopg.connect(dsn) as connection:
        for subject, columns in SUBJECTS.items():
            query = f"""
                SELECT seal_no, id, batch_no, cause, {columns} FROM period_{subject} JOIN {subject} USING ({subject}_no)
                 ORDER BY 1, 2, 3
            """
            for number, name, *row in connection.execute(query.encode()):
                found.setdefault((number, subject, name), []).append(tuple(row))
    return found


def defined(dsn: str) -> dict[tuple[int, str, str], tuple[Any, ...]]:
    """Per (seal, subject, id) what it comes to now, made of the stored hours and intervals one by one."""
    found: dict[tuple[int, str, str], tuple[Any, ...]] = {}
    with psycopg.connect(dsn) as connection:
        for subject, (table, columns) in {
            "point": ("interval_hour", SUBJECTS["point"]),
            "kpi": ("kpi_value", SUBJECTS["kpi"]),
            "source": ("emission", SUBJECTS["source"]),
        }.items():
            query = f"""
                SELECT seal_no, o.id, {columns} FROM {table} r JOIN {subject} o USING ({subject}_no)
                  JOIN period_seal s ON r.start_at >= from_at AND r.start_at < to_at
                 ORDER BY seal_no, id, start_at
            """
            parts: dict[tuple[int, str], Rows] = {}
            for number, name, *row in connection.execute(query.encode()):
                parts.setdefault((number, name), []).append(tuple(row))
            for (number, name), rows in parts.items():
                figures = _of_hours(rows) if subject == "point" else _of_intervals(rows)
                found[number, subject, name] = figures
    return found


def _of_intervals(rows: Rows) -> tuple[Any, ...]:
    *summed, covered, valid, substituted, quality, reasons = zip(*rows, strict=True)
    return (
        *(math.fsum(column) for column in summed),
        sum(covered),
        sum(valid),
        sum(substituted),
        max(quality),
        reduce(or_, reasons),
    )


def _of_hours(rows: Rows) -> tuple[Any, ...]:
    amount, count, mean, least, largest, covered, valid, substituted, quality, reasons = zip(
        *rows, strict=True
    )
    used = [v + s for v, s in zip(valid, substituted, strict=True)]
    with_mean = [(m * u, u) for m, u in zip(mean, used, strict=True) if m is not None]
    weight = float(sum(u for _, u in with_mean))
    counted = [c for c in count if c is not None]
    amounts = [a for a in amount if a is not None]
    return (
        reduce(add, amounts) if amounts else None,
        sum(counted) if counted and len(counted) == len(amounts) else None,
        reduce(add, (m for m, _ in with_mean)) / weight if weight else None,
        min((x for x in least if x is not None), default=None),
        max((x for x in largest if x is not None), default=None),
        sum(covered),
        sum(valid),
        sum(substituted),
        3 if not sum(used) else 2 if sum(substituted) else min(1, max(quality)),
        reduce(or_, reasons),
    )
