"""What comparing a point with another has come to, hour by hour, as ingest has stored it.

A verdict stands beside the sums it was made of, so whoever reads it can make it again. With
what and how closely the point is compared now is told once; a verdict names the plan version
under which it was made, which may have said something else.
"""

from typing import Literal

from pydantic import Field

from ingest.model import HOUR
from ingest.plant.plan import Plan, PlanPoint
from service import cursors
from service.documents import Document, Instant, Page, columns_of
from service.store import Connection, rows
from service.tabular import Table, instant_text
from service.times import to_datetime

VerdictName = Literal["within", "drifted"]
_VERDICTS: tuple[VerdictName | None, ...] = ("within", "drifted", None)
"""By the number that is stored; the last: too little in common."""


class ComparisonDocument(Document):
    """Two points side by side in one hour."""

    from_: Instant = Field(alias="from", description="Begin of the hour, of UTC")
    to: Instant
    own: float = Field(description="What the point says of the time in common, in `unit`")
    other: float = Field(description="What the other says of it, in the same unit")
    difference: float = Field(description="`own` less `other`")
    common_share: float = Field(
        description="Share of the hour whose intervals both have whole, valid and not substituted"
    )
    verdict: VerdictName | None = Field(
        description="drifted: the intervals of the hour after it are uncertain, reason drift; null: none"
    )
    reason: Literal["too_little_in_common"] | None = Field(description="Why there is no verdict")
    plan_version: int = Field(description="The version under which they were compared")
    batch_no: int = Field(description="The commit that said so")
    known_at: Instant | None = Field(description="When that was; null: let go")


class ComparisonPage(Page[ComparisonDocument]):
    """A page of a point's comparison."""

    id: str
    unit: str = Field(description="Of amounts; of a sample that of its means")
    with_: str | None = Field(alias="with", description="The point it is compared with now; null: none")
    within: str | None = Field(description="How far apart they may be, as the plant file says now")
    least_share: float | None = Field(description="How much of an hour they must have in common now")
    from_: Instant = Field(alias="from", description="Begin of the span asked for")
    to: Instant = Field(description="End of the span asked for, exclusive")


async def page(
    connection: Connection,
    plan: Plan,
    point: PlanPoint,
    from_at: int,
    to_at: int,
    limit: int,
    cursor: str | None,
) -> Table:
    """The hours that begin in [from_at, to_at) (µs) and have an interval in common, oldest first."""
    after = from_at if cursor is None else cursors.decode(cursor, (cursors.INSTANT,))[0] + 1
    found = await rows(
        connection,
        """
        SELECT start_at, own, other, common_us, verdict::int, v.plan_version, v.batch_no, known_at
          FROM comparison v JOIN point p USING (point_no)
          LEFT JOIN ingest_commit c ON c.site_no = p.site_no AND c.batch_no = v.batch_no
         WHERE p.id = %s AND start_at >= %s AND start_at < %s ORDER BY start_at LIMIT %s
        """,
        [point.id, to_datetime(max(after, from_at)), to_datetime(to_at), limit + 1],
    )
    following = None
    if len(found) > limit:
        del found[limit:]
        following = cursors.encode([found[-1][0]])
    declared = next(one.compare for one in plan.file.points if f"{plan.site}/{one.id}" == point.id)
    head = {
        "id": point.id,
        "unit": point.unit if point.amount_unit is None else point.amount_unit,
        "with": None if declared is None else f"{plan.site}/{declared.with_}",
        "within": None if declared is None else declared.within,
        "least_share": None if declared is None else declared.least_share,
        "from": instant_text(from_at),
        "to": instant_text(to_at),
    }
    return Table(columns_of(ComparisonDocument), [_shown(*row) for row in found], following, head)


def _shown(
    hour: int,
    own: float,
    other: float,
    common_us: int,
    verdict: int,
    plan_version: int,
    batch_no: int,
    known_at: int | None,
) -> tuple[object, ...]:
    name = _VERDICTS[verdict]
    return (
        instant_text(hour), instant_text(hour + HOUR), own, other, own - other, common_us / HOUR, name,
        "too_little_in_common" if name is None else None, plan_version, batch_no, instant_text(known_at),
    )  # fmt: skip
