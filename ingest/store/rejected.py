"""What was refused, kept for whoever has to mend the sender.

Bounded per reason and minute and by age; everything beyond is still counted, per
reason and day. A refusal is stored in the transaction of the batch it came with,
so a message is acknowledged only when its refusal is kept too.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection, AsyncCursor

from ingest.store.audit import CONSOLE, Actor, Change, record
from ingest.store.inbox import OURS

KEPT_PER_REASON_AND_MINUTE = 100
KEPT_PAYLOAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message, or one element of it, that was not accepted."""

    topic: str
    payload: bytes
    element: int | None
    """Index of the refused element; None refuses the whole body."""
    reason: str
    detail: str
    """One sentence: what, where, the value, what was expected."""
    received_at: int
    count: int = 1
    """Readings refused by it."""


async def store_rejections(
    cursor: AsyncCursor, site_no: int, batch_no: int, refusals: Sequence[Refusal]
) -> None:
    """Keep refusals up to the bound and count all."""
    if not refusals:
        return
    counts: Counter[str] = Counter()
    for refusal in refusals:
        counts[refusal.reason] += refusal.count
    await cursor.execute(
        """
        INSERT INTO rejected_count (site_no, reason, day, total)
        SELECT %s, reason, (now() AT TIME ZONE 'UTC')::date, total
          FROM unnest(%s::text[], %s::bigint[]) AS t (reason, total)
        ON CONFLICT (site_no, reason, day) DO UPDATE SET total = rejected_count.total + excluded.total
        """,
        [site_no, list(counts), list(counts.values())],
    )
    newest = max(refusal.received_at for refusal in refusals)
    kept = await _kept_within_a_minute(cursor, site_no, list(counts), newest)
    rows = []
    for refusal in refusals:
        if kept[refusal.reason] >= KEPT_PER_REASON_AND_MINUTE:
            continue
        kept[refusal.reason] += 1
        payload = refusal.payload[:KEPT_PAYLOAD_BYTES]
        row = (site_no, refusal.topic.replace("\x00", "\\0"), payload, refusal.element, refusal.reason)
        rows.append((*row, refusal.detail.replace("\x00", "\\0"), refusal.received_at, batch_no))
    await cursor.executemany(
        """
        INSERT INTO rejected (site_no, topic, payload, element, reason, detail, received_at, batch_no)
        VALUES (%s, %s, %s, %s, %s, %s, to_timestamp(0) + %s * interval '1 microsecond', %s)
        """,
        rows,
    )


async def _kept_within_a_minute(
    cursor: AsyncCursor, site_no: int, reasons: list[str], until: int
) -> Counter[str]:
    """Refusals of each reason kept in the minute up to an instant (µs, as `received_at` is told)."""
    await cursor.execute(
        """
        SELECT reason, count(*) FROM rejected
         WHERE site_no = %s AND reason = ANY(%s)
           AND received_at > to_timestamp(0) + %s * interval '1 microsecond' - interval '1 minute'
         GROUP BY reason
        """,
        [site_no, reasons, until],
    )
    return Counter(dict(await cursor.fetchall()))


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """A refusal as it is stored."""

    rejected_no: int
    site: str
    topic: str
    payload: bytes
    element: int | None
    reason: str
    detail: str
    received_at: datetime
    replayed_at: datetime | None


async def list_rejected(
    connection: AsyncConnection, *, site: str | None = None, reason: str | None = None, limit: int = 100
) -> list[KeptRefusal]:
    """The newest refusals, newest first."""
    cursor = await connection.execute(
        """
        SELECT rejected_no, s.id, topic, payload, element, reason, detail, received_at, replayed_at
          FROM rejected JOIN site s USING (site_no)
         WHERE (%(site)s::text IS NULL OR s.id = %(site)s) AND (%(reason)s::text IS NULL OR reason = %(reason)s)
         ORDER BY rejected_no DESC LIMIT %(limit)s
        """,
        {"site": site, "reason": reason, "limit": limit},
    )
    return [KeptRefusal(*row) for row in await cursor.fetchall()]


async def replay_rejected(connection: AsyncConnection, numbers: Sequence[int], actor: Actor = CONSOLE) -> int:
    """Put refused messages into the inbox once more; how many were put there now.

    A message refused in several elements is replayed once. Elements that were stored
    the first time are recognised as duplicates. A payload that was cut cannot be replayed.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            """
            WITH chosen AS (
                UPDATE rejected SET replayed_at = now()
                 WHERE rejected_no = ANY(%s) AND length(payload) < %s
                RETURNING site_no, topic, payload, received_at
            )
            INSERT INTO inbox (site_no, kind, body, idempotency_key, author, priority)
            SELECT DISTINCT site_no, 'reading',
                   json_build_object('topic', topic, 'base64', replace(encode(payload, 'base64'), E'\\n', ''))::text,
                   %s || 'rejected-' || md5(topic || '/' || encode(payload, 'hex') || received_at
                                            || clock_timestamp()::date),
                   'rejected replay', 0
              FROM chosen
            ON CONFLICT (site_no, idempotency_key) DO NOTHING
            """,
            [list(numbers), KEPT_PAYLOAD_BYTES, OURS],
        )
        queued = cursor.rowcount
        if queued:
            change = Change("rejected.replayed", f"{queued} messages", after={"numbers": list(numbers)})
            await record(connection, actor, change)
    return queued
