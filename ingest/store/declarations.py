"""What people declare, on its way to readings.

A declaration that a second person has approved waits in the inbox. It takes effect as
readings of its instant whose `seq` no device can have (`DECLARED_SEQ`), so the largest
declaration wins over the device and over every earlier one, and nothing stored is
overwritten. A withdrawal is a declaration too: it says again what counted before the
one it undoes. Who may declare what is the service's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import DECLARED_SEQ, Quality, Reason
from ingest.pipeline.batch import Readings
from ingest.store.facts import Stamp


@dataclass(frozen=True, slots=True)
class DeclaredReading:
    """A reading that somebody declares; its point and instant are the declaration's."""

    value: float
    """In the point's unit; NaN: none, it is bad."""
    quality: int
    reasons: int


NOTHING = DeclaredReading(float("nan"), int(Quality.BAD), int(Reason.MANUAL))
"""That there is no reading after all."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """An approved declaration that has not taken effect yet."""

    declaration_no: int
    inbox_no: int
    kind: str
    point_no: int
    at: int
    """The instant it speaks of, µs."""
    received_at: int
    """When it was approved, µs."""
    body: Mapping[str, Any]
    withdraws: int | None
    """The declaration that it undoes."""

    def readings(self, point: int, said: Sequence[DeclaredReading]) -> Readings:
        """What is declared as columns, for the point of a plan index; counts are the caller's."""
        n = len(said)
        return Readings(
            point=np.full(n, point, np.int64),
            measured_at=np.full(n, self.at, np.int64),
            received_at=np.full(n, self.received_at, np.int64),
            value=np.array([one.value for one in said], np.float64),
            count=np.zeros(n, np.int64),
            quality=np.array([one.quality for one in said], np.int64),
            reasons=np.array([one.reasons for one in said], np.int64),
            seq=first_seq(self.declaration_no) + np.arange(n),
        )


def first_seq(declaration_no: int) -> int:
    """`seq` of a declaration's first reading; the next is its second one's."""
    return DECLARED_SEQ + 2 * declaration_no


async def waiting(connection: AsyncConnection, site_no: int, now: int, most: int) -> list[Declaration]:
    """Approved declarations that have not taken effect, in the order of approval; `now` is our clock in µs."""
    cursor = await connection.execute(
        """
        SELECT d.declaration_no, i.inbox_no, d.kind, d.point_no, (extract(epoch FROM d.at) * 1000000)::bigint,
               least((extract(epoch FROM i.received_at) * 1000000)::bigint, %s), d.body, d.withdraws
          FROM inbox i JOIN declaration d ON d.inbox_no = i.inbox_no
         WHERE i.site_no = %s AND i.batch_no IS NULL AND i.kind = d.kind
         ORDER BY i.inbox_no LIMIT %s
        """,
        [now, site_no, most],
    )
    return [Declaration(*row) for row in await cursor.fetchall()]


async def said_by(connection: AsyncConnection, declaration: Declaration) -> list[DeclaredReading]:
    """The readings that a declaration comes to; those of a withdrawal are looked up in what is stored."""
    body, manual = declaration.body, int(Reason.MANUAL)
    match declaration.kind:
        case "correction":
            value = float("nan") if body["value"] is None else float(body["value"])
            return [DeclaredReading(value, int(Quality[body["quality"].upper()]), manual)]
        case "replacement":
            return [
                DeclaredReading(float(body["old_final"]), int(Quality.GOOD), manual),
                DeclaredReading(float(body["new_initial"]), int(Quality.GOOD), manual | int(Reason.REPLACED)),
            ]
        case _:
            assert declaration.withdraws is not None
            return await _before(connection, declaration, declaration.withdraws)


async def _before(
    connection: AsyncConnection, declaration: Declaration, withdrawn: int
) -> list[DeclaredReading]:
    """What counted at an instant before a declaration: the device's reading, or an earlier declaration.

    Earlier ones that have been withdrawn, and withdrawals, are passed over. Of a pair that
    a meter's replacement is, both readings count.
    """
    cursor = await connection.execute(
        """
        SELECT r.value, r.quality, r.reasons
          FROM reading r
         WHERE r.point_no = %(point)s AND r.measured_at = to_timestamp(0) + %(at)s * interval '1 microsecond'
           AND r.seq < %(seq)s
           AND NOT EXISTS (
               SELECT FROM declaration d
                WHERE d.point_no = r.point_no AND r.seq >= %(declared)s
                  AND d.declaration_no = (r.seq - %(declared)s) / 2
                  AND (d.kind = 'withdrawal' OR EXISTS (
                      SELECT FROM declaration w
                       WHERE w.withdraws = d.declaration_no AND w.decision = 'approved' AND w.failure IS NULL)))
         ORDER BY r.seq DESC, r.received_at DESC, r.value <> 'NaN' DESC, r.value DESC, r.quality DESC
         LIMIT 2
        """,
        {
            "point": declaration.point_no,
            "at": declaration.at,
            "seq": first_seq(withdrawn),
            "declared": DECLARED_SEQ,
        },
    )
    rows = await cursor.fetchall()
    if not rows:
        return [NOTHING]
    counted = rows[::-1] if rows[0][2] & Reason.REPLACED else rows[:1]
    kept = ~int(Reason.LATE)
    return [
        DeclaredReading(value, quality, reasons & kept | int(Reason.MANUAL))
        for value, quality, reasons in counted
    ]


async def book(
    cursor: AsyncCursor, stamp: Stamp, declaration: Declaration, failure: str | None = None
) -> None:
    """Note in a batch's transaction that a declaration took effect in it, or why it cannot."""
    await cursor.execute(
        "UPDATE inbox SET batch_no = %s WHERE inbox_no = %s", [stamp.batch_no, declaration.inbox_no]
    )
    await cursor.execute(
        "UPDATE declaration SET batch_no = %s, failure = %s WHERE declaration_no = %s",
        [None if failure else stamp.batch_no, failure, declaration.declaration_no],
    )
