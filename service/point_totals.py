"""What points come to over any span of whole hours: of their hours, by the expression that days and seals are made by.

So the total of a sealed period's span is the period's current figure to the last bit. Points are never added to each
other: a main meter and those behind it measure the same energy.
"""

from psycopg import sql
from pydantic import Field

from ingest.methods.figures import NoFigure
from ingest.model import Quality
from ingest.plant.plan import Plan
from ingest.store.arithmetic import FIGURES
from service.documents import Document, Instant, Page
from service.figures import QUALITY_NAMES, QualityName, finite, reason_names, share
from service.plans import SitePlan
from service.problems import invalid
from service.store import Connection, Row, row, rows
from service.times import format_instant, to_datetime


class PointTotal(Document):
    """One point over the span."""

    id: str
    site: str
    carrier: str | None
    from_: Instant = Field(alias="from")
    to: Instant
    amount: float | None = Field(description="In `amount_unit`; null of a sample, or with a reason")
    amount_count: int | None = Field(description="The exact amount in the point's resolution")
    amount_unit: str | None
    mean: float | None = Field(description="In `unit`; null of an amount")
    min: float | None
    max: float | None
    unit: str
    reason: str | None = Field(description="Why there are no figures: gap or no_data")
    quality: QualityName
    reasons: list[str]
    covered_share: float
    valid_share: float
    substituted_share: float


class PointTotalsPage(Page[PointTotal]):
    """The points of all sites."""


_TOTALS = sql.SQL(
    """
    SELECT p.id, n.* FROM point p
     CROSS JOIN LATERAL (
           SELECT {figures} FROM interval_hour i
            WHERE i.point_no = p.point_no AND i.start_at >= %(from)s AND i.start_at < %(to)s
           HAVING count(*) > 0) AS n
     WHERE p.site_no = %(site)s
    """
).format(figures=FIGURES)


async def of_site(connection: Connection, site: SitePlan, from_at: int, to_at: int) -> list[PointTotal]:
    """Every point of a site over [from_at, to_at) µs, in the plan's order.

    Raises:
        ProblemError: the span begins or ends within an hour of the site.
    """
    if from_at >= to_at:
        expected = f"an instant before `to`, which is {format_instant(to_at)}"
        raise invalid("Query parameter", "from", format_instant(from_at), expected)
    for name, at in (("from", from_at), ("to", to_at)):
        if not await is_hour(connection, site.plan, at):
            raise invalid("Query parameter", name, format_instant(at), f"a full hour in {site.plan.zone.key}")
    span = {"from": to_datetime(from_at), "to": to_datetime(to_at), "site": site.site_no}
    found = {values[0]: values[1:] for values in await rows(connection, _TOTALS, span)}
    return [
        _told(site.plan, place, found.get(point.id), from_at, to_at)
        for place, point in enumerate(site.plan.points)
    ]


async def is_hour(connection: Connection, plan: Plan, at: int) -> bool:
    """Whether an instant, µs, is on a full hour of the site's zone."""
    found = await row(connection, "SELECT date_trunc('hour', %s, %s)", [to_datetime(at), plan.zone.key])
    return found is not None and found[0] == at


_NOTHING: Row = (None,) * 5 + (0, 0, 0, None, 0)


def _told(plan: Plan, place: int, values: Row | None, from_at: int, to_at: int) -> PointTotal:
    point, span_us = plan.points[place], to_at - from_at
    amount, count, mean, least, largest, covered, valid, substituted, quality, reasons = values or _NOTHING
    if count is not None:
        amount = count * point.resolution
    value = mean if amount is None else amount
    _, reason = finite(value, NoFigure.GAP if not covered else NoFigure.NO_DATA if value is None else None)
    known = reason is None
    return PointTotal(
        id=point.id,
        site=plan.site,
        carrier=point.carrier,
        from_=from_at,
        to=to_at,
        amount=amount if known else None,
        amount_count=None if count is None else int(count),
        amount_unit=point.amount_unit,
        mean=mean if known else None,
        min=least if known else None,
        max=largest if known else None,
        unit=point.unit,
        reason=reason,
        quality=QUALITY_NAMES[Quality.BAD if quality is None else quality],
        reasons=reason_names(reasons or 0),
        covered_share=share(covered or 0, span_us),
        valid_share=share(valid or 0, span_us),
        substituted_share=share(substituted or 0, span_us),
    )
