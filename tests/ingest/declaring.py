"""Declarations in tests of ingest: approved rows with their inbox row, as the service leaves them."""

from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from ingest.model import DECLARED_SEQ
from ingest.site import SiteIngest
from ingest.store.declarations import waiting

MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"


def approve(
    dsn: str,
    point: str,
    at: int,
    kind: str,
    *,
    withdraws: int | None = None,
    approved_at: int = 0,
    site: str = "mill",
    **body: Any,
) -> int:
    """Declare something of a point of the mill, as approved by a second person; the declaration's number."""
    with psycopg.connect(dsn) as connection:
        inbox = connection.execute(
            """
            INSERT INTO inbox (site_no, kind, body, idempotency_key, author, received_at)
            VALUES (1, %s, '{}', gen_random_uuid(), 'second', to_timestamp(0) + %s * interval '1 microsecond')
            RETURNING inbox_no
            """,
            [kind, approved_at or at],
        ).fetchone()
        assert inbox is not None
        row = connection.execute(
            """
            INSERT INTO declaration (site_no, point_no, kind, at, body, withdraws, note, author, proposed_at,
                                     idempotency_key, digest, decision, decided_by, decided_at, inbox_no)
            SELECT 1, point_no, %s, to_timestamp(0) + %s * interval '1 microsecond', %s, %s, 'test', 'first', now(),
                   gen_random_uuid(), '', 'approved', 'second', now(), %s
              FROM point WHERE id = %s
            RETURNING declaration_no
            """,
            [kind, at, Jsonb(body), withdraws, inbox[0], f"{site}/{point}"],
        ).fetchone()
        assert row is not None
    return int(row[0])


async def take_declared(ingest: SiteIngest, dsn: str) -> int:
    """Let ingest take what was approved; how many there were."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        found = await waiting(connection, 1, 2**61, 100)
    for declaration in found:
        await ingest.declare(declaration)
    return len(found)


def declared_rows(dsn: str) -> list[tuple[Any, ...]]:
    """Stored readings that were declared: point, measured_at, value, quality, reasons, seq - 2^62, batch_no."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            f"""
            SELECT id, {MICROSECONDS.format("measured_at")}, NULLIF(value, 'NaN'), quality, reasons, seq - %s, batch_no
              FROM reading JOIN point USING (point_no) WHERE seq >= %s ORDER BY seq
            """.encode(),
            [DECLARED_SEQ, DECLARED_SEQ],
        ).fetchall()


def booked(dsn: str) -> list[tuple[int, int | None, int | None, str | None]]:
    """Of each declaration its number, the batch in which it took effect, that of its inbox row, its failure."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT declaration_no, d.batch_no, i.batch_no, failure FROM declaration d JOIN inbox i USING (inbox_no)
             ORDER BY declaration_no
            """
        ).fetchall()
