"""What every measured point read last.

The reading that counts at the newest instant of each point, good or bad, straight
from `reading`; a point without any is told too. Computed points have no readings:
what they come to is in their intervals.
"""

import math
from collections.abc import Mapping, Sequence

from pydantic import Field

from ingest.methods.figures import NoFigure
from ingest.model import Kind, Quality
from ingest.plant.plan import Plan, PlanPoint
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant, Page
from service.figures import QUALITY_NAMES, QualityName, data_age_s, reason_names
from service.frontiers import beyond
from service.store import Connection, Row, rows
from service.tabular import instant_text


class CurrentReading(Document):
    """The newest reading of one point."""

    id: str
    unit: str
    value: float | None
    state: str | None = Field(description="Name of a state point's value; null: it has none")
    reason: str | None = Field(description="Why value is null: no_data, there is none or it carried none")
    quality: QualityName
    reasons: list[str]
    measured_at: Instant | None
    received_at: Instant | None
    data_age_s: float | None = Field(
        description="Now, or the time of the batch, minus measured_at; null at a replay site"
    )


class CurrentPage(Page[CurrentReading]):
    """The newest readings of some points."""

    as_of: dict[str, AsOfDocument] = Field(description="By site id")


async def newest(
    connection: Connection, points: Sequence[tuple[Plan, PlanPoint]], known: Mapping[str, Known], now: int
) -> list[tuple[object, ...]]:
    """A row of `CurrentReading`'s fields per point, as is `known` of its site; `now` is µs of UTC."""
    found = await rows(
        connection,
        """
        SELECT r.measured_at, r.received_at, r.value, r.quality, r.reasons
          FROM unnest(%(ids)s::text[], %(batches)s::bigint[], %(beyond)s::timestamptz[])
               WITH ORDINALITY AS asked (id, batch_no, beyond, place)
          LEFT JOIN point p ON p.id = asked.id
          LEFT JOIN LATERAL (
               SELECT measured_at, received_at, value, quality, reasons
                 FROM reading
                WHERE point_no = p.point_no AND measured_at <= asked.beyond
                  AND (asked.batch_no IS NULL OR batch_no <= asked.batch_no)
                ORDER BY measured_at DESC, seq DESC, received_at DESC, value DESC, quality DESC
                LIMIT 1
               ) r ON true
         ORDER BY asked.place
        """,
        {
            "ids": [point.id for _, point in points],
            "batches": [known[plan.site].batch_no if known[plan.site].past else None for plan, _ in points],
            "beyond": [str(beyond(plan, known[plan.site])) for plan, _ in points],
        },
    )
    return [
        _shown(plan, point, values, known[plan.site].at(now))
        for (plan, point), values in zip(points, found, strict=True)
    ]


def _shown(plan: Plan, point: PlanPoint, values: Row, now: int) -> tuple[object, ...]:
    measured_at, received_at, given, quality, reasons = values
    value = None if given is None or math.isnan(given) else given
    state = None
    if point.kind is Kind.STATE and value is not None:
        state = next((name for name, code in point.states.items() if code == value), None)
    return (
        point.id,
        point.unit,
        value,
        state,
        NoFigure.NO_DATA.value if value is None else None,
        QUALITY_NAMES[Quality.BAD if quality is None else quality],
        reason_names(reasons or 0),
        instant_text(measured_at),
        instant_text(received_at),
        None if measured_at is None else data_age_s(plan, measured_at, now),
    )
