"""What a report of a sealed period tells instead: its frozen figures, what they come to now, and what was booked since.

Points, KPIs, sources and hours of regimes are frozen by the seal and stand in the blocks of energy, intensity,
inventory and regimes, each with `sealed` beside `current`.
"""

from service import adjustments, periods
from service.periods import PeriodDocument, Subject
from service.plans import SitePlan
from service.problems import ProblemError
from service.reports.current import Asked, told
from service.reports.document import Block, BlockId, address
from service.store import Connection, row
from service.times import to_datetime

MOST_ADJUSTMENTS = 10_000
_BLOCKS: dict[Subject, BlockId] = {
    "point": "energy", "kpi": "intensity", "source": "inventory", "regime": "regimes"
}  # fmt: skip


async def edition_of(
    connection: Connection, site: SitePlan, span: tuple[int, int], edition: int | None
) -> PeriodDocument:
    """The newest edition of a period [from, to) µs, or the one asked for.

    Raises:
        ProblemError: it was never sealed, or has no such edition.
    """
    found = await row(
        connection,
        """
        SELECT seal_no FROM period_seal
         WHERE site_no = %s AND from_at = %s AND to_at = %s AND (%s::int IS NULL OR edition = %s)
         ORDER BY edition DESC LIMIT 1
        """,
        [site.site_no, to_datetime(span[0]), to_datetime(span[1]), edition, edition],
    )
    period = None if found is None else await periods.one(connection, found[0])
    if period is None:
        what = "is not sealed" if edition is None else f"has no edition {edition}"
        raise ProblemError("no-edition", f"The period {what}: seal it first, or ask for basis=current.")
    return period


async def blocks(asked: Asked, period: PeriodDocument) -> list[Block]:
    """The figures of an edition, and its adjustments."""
    found = await periods.figures(asked.connection, asked.site.plan, period, None)
    made = [
        Block(
            id=name,
            basis="sealed",
            href=f"/v1/periods/{period.period}",
            reason=None,
            head={},
            items=[told(one) for one in found if one.subject == subject],
        )
        for subject, name in _BLOCKS.items()
    ]
    return [*made, await _adjustments(asked, period)]


async def _adjustments(asked: Asked, period: PeriodDocument) -> Block:
    until = asked.now + 1
    page = await adjustments.page(
        asked.connection, [asked.site], period.known_at, until, period.period, MOST_ADJUSTMENTS, None
    )
    items = [dict(zip(page.columns, values, strict=True)) for values in page.rows]
    return Block(
        id="adjustments",
        basis="sealed",
        href=address(
            "/v1/adjustments",
            site=period.site,
            from_=period.known_at,
            to=until,
            period=str(period.period),
            limit=str(MOST_ADJUSTMENTS),
        ),
        reason=None if page.next is None else f"There are more than {MOST_ADJUSTMENTS}.",
        head={},
        items=items,
    )
