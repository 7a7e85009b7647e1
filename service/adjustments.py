"""Adjustments: what became known of sealed periods, in the time in which it did.

Every total that was said after a period had been sealed is one, beside the total said
before it. Differences are made here and stored nowhere: whoever adds them to what was
frozen has what is current, of counts to the last digit.
"""

from collections.abc import Sequence

from pydantic import Field

from service import cursors
from service.documents import Document, Instant, Page, columns_of
from service.periods import NUMBER, SUBJECTS, TOTAL, Subject, TotalDocument, of, total, total_columns, unit_of
from service.plans import SitePlan
from service.store import Connection, Row, rows
from service.tabular import Table, instant_text
from service.times import to_datetime

_KEY = (cursors.INSTANT, NUMBER, range(len(SUBJECTS)), range(1, 2**31))
"""known_at, period, subject, number of the point, KPI or source: the order of a list."""


class AdjustmentDocument(Document):
    """What one batch made known of one point, KPI or source of a sealed period."""

    period: int
    period_from: Instant
    period_to: Instant
    site: str
    subject: Subject
    id: str
    unit: str | None
    before: float | None = Field(description="What was last said: frozen, or adjusted already")
    after: float | None
    difference: float | None = Field(
        description="Of amounts and masses, where nothing counts as 0; of a KPI or a mean null if either is null"
    )
    amount_count: int | None = Field(description="The exact difference of a counter or delta")
    a: float | None = Field(description="The difference of a KPI's first sum")
    b: float | None = Field(description="The difference of a KPI's second sum")
    quality: str = Field(description="Of `after`")
    cause: str
    batch_no: int
    known_at: Instant


class AdjustmentsPage(Page[AdjustmentDocument]):
    """Adjustments that became known in a span of time."""

    from_: Instant = Field(alias="from")
    to: Instant


def _of(place: int) -> str:
    subject = SUBJECTS[place]
    key = of(subject)
    return f"""
        SELECT t.known_at, t.seal_no, {place} AS subject, t.{key}_no AS number, o.id, s.site_no, s.from_at, s.to_at,
               {total_columns(subject, "t", "after_")}, {total_columns(subject, "b", "before_")}
          FROM period_{subject} t
          JOIN period_seal s ON s.seal_no = t.seal_no AND t.batch_no > s.batch_no
          JOIN {key} o ON o.{key}_no = t.{key}_no
          LEFT JOIN LATERAL (
               SELECT * FROM period_{subject} b
                WHERE b.seal_no = t.seal_no AND b.{key}_no = t.{key}_no AND b.batch_no < t.batch_no
                ORDER BY b.batch_no DESC LIMIT 1) b ON true
         WHERE s.site_no = ANY(%(sites)s) AND t.known_at >= %(from)s AND t.known_at < %(to)s
           AND (%(period)s::bigint IS NULL OR s.seal_no = %(period)s)
    """  # noqa: S608  fragments of this package


_QUERY = f"""
    SELECT * FROM ({" UNION ALL ".join(_of(place) for place in range(len(SUBJECTS)))}) a
     WHERE (known_at, seal_no, subject, number) > (%(known_at)s, %(seal)s::bigint, %(subject)s::int, %(number)s::int)
     ORDER BY known_at, seal_no, subject, number LIMIT %(limit)s
"""  # noqa: S608  fragments of this module


async def page(
    connection: Connection,
    sites: Sequence[SitePlan],
    from_at: int,
    to_at: int,
    period: int | None,
    limit: int,
    cursor: str | None,
) -> Table:
    """What became known in [from_at, to_at) µs of the sealed periods of some sites, or of one of them, in that order."""
    after = [from_at, 0, 0, 0] if cursor is None else cursors.decode(cursor, _KEY)
    found = await rows(
        connection,
        _QUERY,
        {
            "sites": [site.site_no for site in sites],
            "from": to_datetime(from_at),
            "to": to_datetime(to_at),
            "known_at": to_datetime(after[0]),
            "seal": after[1],
            "period": period,
            "subject": after[2],
            "number": after[3],
            "limit": limit + 1,
        },
    )
    following = cursors.encode(list(found[limit - 1][:4])) if len(found) > limit else None
    plans = {site.site_no: site for site in sites}
    told = [_told(plans[values[5]], values).model_dump(by_alias=True) for values in found[:limit]]
    head = {"from": instant_text(from_at), "to": instant_text(to_at)}
    return Table(columns_of(AdjustmentDocument), [list(one.values()) for one in told], following, head)


def _told(site: SitePlan, values: Row) -> AdjustmentDocument:
    _, period, place, _, name, _, begin, end, *totals = values
    subject, width = SUBJECTS[place], len(TOTAL)
    after = total(site.plan, subject, name, totals[:width], end - begin)
    last = totals[width:]
    before = None if last[-1] is None else total(site.plan, subject, name, last, end - begin)
    return AdjustmentDocument(
        period=period,
        period_from=begin,
        period_to=end,
        site=site.plan.site,
        subject=subject,
        id=name,
        unit=unit_of(site.plan, subject, name),
        before=None if before is None else before.value,
        after=after.value,
        difference=_difference(subject, before, after),
        amount_count=_of_counts(before, after),
        a=_less(after.a, None if before is None else before.a) if subject == "kpi" else None,
        b=_less(after.b, None if before is None else before.b) if subject == "kpi" else None,
        quality=after.quality,
        cause=after.cause,
        batch_no=after.batch_no,
        known_at=after.known_at,
    )


def _difference(subject: Subject, before: TotalDocument | None, after: TotalDocument) -> float | None:
    earlier = None if before is None else before.value
    adds_up = of(subject) == "source" or (
        subject == "point" and after.mean is None and (before is None or before.mean is None)
    )
    if not adds_up and (earlier is None or after.value is None):
        return None
    return _less(after.value, earlier)


def _of_counts(before: TotalDocument | None, after: TotalDocument) -> int | None:
    earlier = None if before is None else before.amount_count
    if after.amount_count is None and earlier is None:
        return None
    return (after.amount_count or 0) - (earlier or 0)


def _less(later: float | None, earlier: float | None) -> float:
    """A difference in which nothing counts as 0."""
    return (later or 0.0) - (earlier or 0.0)
