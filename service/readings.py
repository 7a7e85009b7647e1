"""Readings of a point as they were stored, page by page.

All of them, also bad ones, declared ones, and those a later reading of the same
instant corrected; which of two counts is the intervals' business.
"""

import math

from pydantic import Field

from ingest.model import DECLARED_SEQ, Quality
from ingest.plant.plan import PlanPoint
from service import cursors
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant, Page, columns_of
from service.figures import QUALITY_NAMES, QualityName, reason_names
from service.store import Connection, rows
from service.tabular import Table, instant_text
from service.times import to_datetime
from service.winners import declaration_of

_KEY = (cursors.INSTANT, range(-1, 2**63), cursors.INSTANT, float, range(len(Quality)))
"""measured_at, seq, received_at, value, quality: the order in which readings count."""


class ReadingDocument(Document):
    """One reading."""

    measured_at: Instant
    received_at: Instant
    value: float | None = Field(description="In the point's unit; null: the reading carried none")
    quality: QualityName
    reasons: list[str]
    seq: int | None = Field(description="The device's own; null: none given, or it is of a declaration")
    declaration: int | None = Field(description="The declaration that it is of; null: measured")
    batch_no: int = Field(description="The commit that stored it")


class ReadingsPage(Page[ReadingDocument]):
    """A page of readings of one point."""

    id: str
    unit: str
    from_: Instant = Field(alias="from", description="Begin of the span asked for")
    to: Instant = Field(description="End of the span asked for, exclusive")
    as_of: AsOfDocument


async def page(
    connection: Connection,
    point: PlanPoint,
    from_at: int,
    to_at: int,
    limit: int,
    cursor: str | None,
    known: Known,
) -> Table:
    """Readings with from_at <= measured_at < to_at (µs) that were `known`, in the order in which they count."""
    after = None if cursor is None else cursors.decode(cursor, _KEY)
    found = await rows(
        connection,
        """
        SELECT measured_at, received_at, value, quality, reasons, seq, batch_no
          FROM reading
         WHERE point_no = (SELECT point_no FROM point WHERE id = %(point)s)
           AND measured_at >= %(from)s AND measured_at < %(to)s AND (NOT %(past)s OR batch_no <= %(batch)s)
           AND (measured_at, seq, received_at, value, quality::int)
             > (%(from)s, %(seq)s::bigint, %(received)s::timestamptz, %(value)s::float8, %(quality)s::int)
         ORDER BY measured_at, seq, received_at, value, quality
         LIMIT %(limit)s
        """,
        {
            "point": point.id,
            "to": to_datetime(to_at),
            "limit": limit + 1,
            "past": known.past,
            "batch": known.batch_no,
            **_after(from_at, after),
        },
    )
    more = len(found) > limit
    last = found[limit - 1] if more else None
    key = None if last is None else cursors.encode([last[0], last[5], last[1], last[2], last[3]])
    head = {
        "id": point.id,
        "unit": point.unit,
        "from": instant_text(from_at),
        "to": instant_text(to_at),
        "as_of": known.document.model_dump(),
    }
    return Table(columns_of(ReadingDocument), [_shown(*values) for values in found[:limit]], key, head)


def _after(from_at: int, after: list[int | float] | None) -> dict[str, object]:
    """The parameters that begin after a key, or at the beginning of the span."""
    if after is None:  # below every reading of the first instant
        after = [from_at, -(2**62), 0, -math.inf, -1]
    at, seq, received_at, value, quality = after
    return {
        "from": to_datetime(int(at)),
        "seq": int(seq),
        "received": to_datetime(int(received_at)),
        "value": value,
        "quality": int(quality),
    }


def _shown(
    measured_at: int, received_at: int, value: float, quality: int, reasons: int, seq: int, batch_no: int
) -> tuple[object, ...]:
    return (
        instant_text(measured_at),
        instant_text(received_at),
        None if math.isnan(value) else value,
        QUALITY_NAMES[quality],
        reason_names(reasons),
        seq if 0 <= seq < DECLARED_SEQ else None,
        declaration_of(seq),
        batch_no,
    )
