"""Asking for a period to be sealed, or to be sealed again.

What is refused here is refused in one sentence and leaves nothing; what is accepted
waits in the inbox. Ingest, which makes the seal, judges once more: between here and
there another seal may have come.
"""

from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ingest.store.audit import Actor, Change, record
from ingest.store.inbox import SealBody
from service import inbox, latest
from service.as_of import Known
from service.documents import Document, Instant
from service.frontiers import closed_until
from service.inbox import Receipt
from service.periods import PeriodDocument
from service.plans import SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection, row
from service.times import INSTANT_EXPECTED, format_instant, to_datetime


def _text(given: Any) -> Any:
    if not isinstance(given, str):
        raise ValueError(f"expected {INSTANT_EXPECTED}")  # noqa: TRY004  pydantic tells a ValueError
    return given


class SealAsked(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    site: str = Field(max_length=100)
    kind: str = Field(min_length=1, max_length=40, pattern="^[ -~]+$", description="month, quarter, year, …")
    from_: Annotated[Instant, BeforeValidator(_text)] = Field(
        alias="from", description="On a full hour of the site"
    )
    to: Annotated[Instant, BeforeValidator(_text)] = Field(
        description="End, exclusive; on a full hour of the site"
    )


class SealAgainAsked(BaseModel):
    """The body of a request for the next edition of a period."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
        description="Why, in a sentence",
    )


class AcceptedSeal(Document):
    """A seal that ingest will make."""

    site: str
    kind: str
    from_: Instant = Field(alias="from")
    to: Instant
    inbox_no: int
    period: int | None = Field(description="Its number; null: ingest has not made it yet")
    repeated: bool = Field(description="The same key and body had been accepted before; nothing was added")


async def accept(
    connection: Connection, site: SitePlan, asked: SealAsked, key: str, author: str
) -> AcceptedSeal:
    """Hand a seal to ingest; commits with the connection's transaction.

    Raises:
        ProblemError: the period is not closed, overlaps a sealed one, or begins or ends within an hour.
    """
    body = SealBody(asked.kind, asked.from_, asked.to)
    if await _is_new(connection, site, key):
        await _check(connection, site, asked)
    return await _accepted(connection, site, body, key, author)


async def accept_again(
    connection: Connection, site: SitePlan, period: PeriodDocument, reason: str, key: str, author: str
) -> AcceptedSeal:
    """Hand the next edition of a sealed period to ingest; as `accept`.

    Raises:
        ProblemError: the edition is not the newest, or a point is open in the period again.
    """
    body = SealBody(period.kind, period.from_, period.to, period.period, reason)
    if await _is_new(connection, site, key):
        if period.superseded_by is not None:
            raise ProblemError(
                "period-sealed",
                f"Period {period.period} has been sealed again as period {period.superseded_by}:"
                " expected the newest edition.",
            )
        await _check_closed(connection, site, period.to)
    return await _accepted(connection, site, body, key, author)


async def _accepted(
    connection: Connection, site: SitePlan, body: SealBody, key: str, author: str
) -> AcceptedSeal:
    text = msgspec.json.encode(body).decode()
    receipt = await inbox.accept(connection, site.site_no, "seal", text, key, author)
    if not receipt.repeated:
        what = "period.sealed_again" if body.again else "period.sealed"
        subject = f"{body.kind} from {format_instant(body.from_us)} to {format_instant(body.to_us)}"
        after = msgspec.to_builtins(body) | {"inbox_no": receipt.inbox_no}
        change = Change(what, subject, site.site_no, after=after)
        await record(connection, Actor(author, "api"), change)
    return AcceptedSeal(
        site=site.plan.site,
        kind=body.kind,
        from_=body.from_us,
        to=body.to_us,
        inbox_no=receipt.inbox_no,
        period=await _made(connection, receipt),
        repeated=receipt.repeated,
    )


async def _is_new(connection: Connection, site: SitePlan, key: str) -> bool:
    query = "SELECT 1 FROM inbox WHERE site_no = %s AND idempotency_key = %s"
    return await row(connection, query, [site.site_no, key]) is None


async def _made(connection: Connection, receipt: Receipt) -> int | None:
    found = await row(connection, "SELECT seal_no FROM period_seal WHERE inbox_no = %s", [receipt.inbox_no])
    return None if found is None else int(found[0])


async def _check(connection: Connection, site: SitePlan, asked: SealAsked) -> None:
    if asked.from_ >= asked.to:
        raise invalid(
            "Body", "from", format_instant(asked.from_), f"an instant before `to`, {format_instant(asked.to)}"
        )
    for name, at in (("from", asked.from_), ("to", asked.to)):
        found = await row(
            connection, "SELECT date_trunc('hour', %s, %s)", [to_datetime(at), site.plan.zone.key]
        )
        if found is None or found[0] != at:
            raise invalid("Body", name, format_instant(at), f"a full hour in {site.plan.zone.key}")
    other = await row(
        connection,
        """
        SELECT seal_no, from_at, to_at FROM period_seal
         WHERE site_no = %s AND from_at < %s AND to_at > %s ORDER BY from_at LIMIT 1
        """,
        [site.site_no, to_datetime(asked.to), to_datetime(asked.from_)],
    )
    if other is not None:
        raise ProblemError(
            "period-sealed",
            f"The period overlaps sealed period {other[0]}, {format_instant(other[1])} to {format_instant(other[2])}:"
            " expected one that does not.",
        )
    await _check_closed(connection, site, asked.to)


async def _check_closed(connection: Connection, site: SitePlan, to_at: int) -> None:
    plan = site.plan
    commit = (await latest.read_commits(connection, [site.site_no])).get(site.site_no)
    watermark = None if commit is None else commit.watermark
    if commit is None or watermark is None or watermark < to_at:
        reached = "not begun" if watermark is None else f"come to {format_instant(watermark)}"
        raise ProblemError(
            "period-open",
            f"The period ends at {format_instant(to_at)}, but the data of {plan.site} have {reached}:"
            " expected one that has ended.",
        )
    known = Known(commit.batch_no, commit.known_at, watermark, past=False)
    closed = await closed_until(connection, plan, range(len(plan.points)), known)
    behind = [(until, point) for point, until in closed.items() if until < to_at]
    if behind:
        until, point = min(behind)
        raise ProblemError(
            "period-open",
            f"The period ends at {format_instant(to_at)}, but point {plan.points[point].id} is closed up to"
            f" {format_instant(until)} only: expected one that is wholly closed.",
        )
