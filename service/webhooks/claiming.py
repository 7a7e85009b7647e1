"""Who sends which delivery, and what came of it.

A delivery is claimed in one short transaction, sent outside of any, and settled in another.
A claim names its notifier, which holds an advisory lock on its number for as long as its
session lives; when that is gone (killed, cut off), or the claim is older than any attempt may
take, the delivery is free again. So it may be sent twice and is never forgotten; who has
lost a claim notes its attempt and decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ingest.model import SECOND
from service.store import Connection, row, rows
from service.times import to_datetime
from service.webhooks.bodies import Message

NOTIFIER_LOCK = 0x5741_5450
"""First key of a notifier's advisory lock; the second is its number."""
LEASE_MARGIN_S = 30
"""What a claim outlives the longest attempt by."""

Verdict = Literal["delivered", "again", "dead", "gone"]
"""Of an attempt; gone: it failed, and the endpoint wants no more."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery to be sent."""

    delivery_no: int
    webhook_no: int
    tries: int
    """Failed attempts since it began to wait."""
    message: Message


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending, as it is written down."""

    begun_at: int
    """µs."""
    duration_ms: int
    status: int | None
    error: str | None
    answer: str | None


async def enrol(connection: Connection) -> int:
    """A number for the notifier of this session, under its lock for as long as the session lives."""
    found = await row(connection, "SELECT nextval('notifier_no')")
    assert found is not None
    number = int(found[0])
    await connection.execute("SELECT pg_advisory_lock(%s, %s)", [NOTIFIER_LOCK, number])
    return number


async def release(connection: Connection) -> int:
    """Free what notifiers that are gone, or hang, had claimed; how many deliveries."""
    cursor = await connection.execute(
        """
        UPDATE delivery SET claimed_by = NULL, claimed_until = NULL
         WHERE delivery_no IN (
               SELECT delivery_no FROM delivery d
                WHERE d.claimed_by IS NOT NULL
                  AND (d.claimed_until < clock_timestamp() OR NOT EXISTS (
                      SELECT FROM pg_locks l
                       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                         AND l.classid = %(lock)s AND l.objid::bigint = d.claimed_by))
                  FOR UPDATE SKIP LOCKED)
        """,
        {"lock": NOTIFIER_LOCK},
    )
    return cursor.rowcount


async def claim(
    connection: Connection, notifier_no: int, room: Mapping[int, int], most: int, now: int, lease_s: float
) -> list[Claimed]:
    """Take what is due, the first of its stream, and claimed by nobody.

    Args:
        connection: in a transaction of its own.
        notifier_no: who takes it.
        room: webhook_no → how many more it may be sent at once.
        most: how many there may be in all.
        now: µs of UTC.
        lease_s: how long an attempt takes at most.
    """
    found = await rows(
        connection,
        """
        WITH free AS MATERIALIZED (
            SELECT due.delivery_no
              FROM unnest(%(webhooks)s::int[], %(room)s::int[]) AS asked(webhook_no, room)
              JOIN webhook w ON w.webhook_no = asked.webhook_no AND w.disabled_at IS NULL
             CROSS JOIN LATERAL (
                   SELECT d.delivery_no, d.due_at FROM delivery d
                    WHERE d.webhook_no = asked.webhook_no AND d.state = 'waiting'
                      AND d.claimed_by IS NULL AND d.due_at <= %(now)s
                      AND NOT EXISTS (
                          SELECT FROM delivery e
                           WHERE e.webhook_no = d.webhook_no AND e.stream = d.stream
                             AND e.state = 'waiting' AND e.sequence < d.sequence)
                    ORDER BY d.due_at, d.sequence LIMIT asked.room
                      FOR UPDATE OF d SKIP LOCKED
                   ) due
             ORDER BY due.due_at LIMIT %(most)s
        )
        UPDATE delivery d
           SET claimed_by = %(by)s, claimed_until = clock_timestamp() + %(lease)s * interval '1 s'
          FROM free WHERE d.delivery_no = free.delivery_no
        RETURNING d.delivery_no, d.webhook_no, d.tries, d.event_id, d.type, d.stream, d.occurred_at,
                  d.sequence, coalesce(d.data, (SELECT data FROM event e WHERE e.event_no = d.event_no))
        """,
        {
            "webhooks": list(room),
            "room": list(room.values()),
            "most": most,
            "now": to_datetime(now),
            "by": notifier_no,
            "lease": lease_s + LEASE_MARGIN_S,
        },
    )
    return [Claimed(number, webhook_no, tries, Message(*rest)) for number, webhook_no, tries, *rest in found]


async def settle(
    connection: Connection,
    claimed: Claimed,
    notifier_no: int,
    attempt: Attempt,
    verdict: Verdict,
    due_at: int | None,
) -> bool:
    """Write down an attempt and what follows; False: the claim was lost, so nothing follows.

    Args:
        connection: in a transaction of its own.
        claimed: what was sent.
        notifier_no: who claimed it.
        attempt: what happened.
        verdict: of it.
        due_at: µs; when it is tried again, where the verdict is again or gone.
    """
    ended_at = to_datetime(attempt.begun_at + attempt.duration_ms * SECOND // 1000)
    ended = verdict in ("delivered", "dead")
    found = await rows(
        connection,
        _SETTLE,
        {
            "webhook": claimed.webhook_no,
            "delivery": claimed.delivery_no,
            "by": notifier_no,
            "well": int(verdict == "delivered"),
            "state": verdict if ended else "waiting",
            "due": None if due_at is None else to_datetime(due_at),
            "ended": ended_at if ended else None,
            "begun": to_datetime(attempt.begun_at),
            "duration": attempt.duration_ms,
            "status": attempt.status,
            "error": attempt.error,
            "answer": attempt.answer,
        },
    )
    mine = bool(found[0][0])
    if mine and verdict in ("dead", "gone"):
        await connection.execute(
            "UPDATE webhook SET dead = dead + %s, disabled_at = coalesce(disabled_at, %s) WHERE webhook_no = %s",
            [int(verdict == "dead"), ended_at if verdict == "gone" else None, claimed.webhook_no],
        )
    return mine


# One statement, for most of what a delivery costs is asking the database. The webhook's row is locked first,
# as everybody does who locks both: `before` reads what its update returns.
_SETTLE = """
    WITH counted AS (
        UPDATE webhook SET delivered = delivered + %(well)s::int, failed = failed + 1 - %(well)s::int
         WHERE webhook_no = %(webhook)s RETURNING webhook_no
    ), before AS MATERIALIZED (
        SELECT d.delivery_no, d.claimed_by IS NOT DISTINCT FROM %(by)s AS mine
          FROM delivery d JOIN counted USING (webhook_no) WHERE d.delivery_no = %(delivery)s FOR UPDATE OF d
    ), settled AS (
        UPDATE delivery d
           SET attempts = attempts + 1,
               claimed_by = CASE WHEN mine THEN NULL ELSE claimed_by END,
               claimed_until = CASE WHEN mine THEN NULL ELSE claimed_until END,
               state = CASE WHEN mine THEN %(state)s::text ELSE state END,
               tries = CASE WHEN mine THEN tries + 1 - %(well)s::int ELSE tries END,
               due_at = CASE WHEN mine THEN coalesce(%(due)s::timestamptz, due_at) ELSE due_at END,
               ended_at = CASE WHEN mine THEN %(ended)s::timestamptz ELSE ended_at END
          FROM before WHERE d.delivery_no = before.delivery_no
        RETURNING d.delivery_no, d.attempts, before.mine
    ), noted AS (
        INSERT INTO delivery_attempt (delivery_no, attempt, begun_at, duration_ms, status, error, answer)
        SELECT delivery_no, attempts, %(begun)s, %(duration)s, %(status)s::smallint, %(error)s::text, %(answer)s::text
          FROM settled
    )
    SELECT mine FROM settled
"""
