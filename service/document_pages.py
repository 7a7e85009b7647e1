"""Documents as the API tells them: what they say, by whom, and what has become of them."""

from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import Field

from service import cursors
from service.declarations import State
from service.documents import Document, Instant, columns_of
from service.plans import SitePlan
from service.store import Connection, Row, row, rows
from service.tabular import Table

Kind = Literal["invoice", "weighbridge", "stock_change", "analysis", "other", "withdrawal"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NUMBER = range(1, 2**61)
"""What may be a document's number in the store."""


class DocumentFact(Document):
    """One document."""

    document: int = Field(description="Its number here; `number` is its own")
    site: str
    kind: Kind
    number: str = Field(description="Its own")
    activity: str | None = Field(description="What it tells amounts of")
    analysis: str | None = Field(description="The property it determines")
    from_: Instant | None = Field(alias="from", description="Null: of a lot, whenever that is used")
    to: Instant | None
    lot: str | None
    quantity: float | None = Field(description="In `unit`, as it is kept: whole counts of the activity")
    value: float | None = Field(description="Of an analysis, in `unit`")
    unit: str | None = Field(
        description="The plant file's; null: the plan in force knows the subject no more"
    )
    file_sha256: str
    supersedes: int | None
    withdraws: int | None
    note: str
    author: str = Field(description="Name of the key that proposed it")
    proposed_at: Instant
    state: State = Field(
        description="proposed; refused; approved: waits for ingest; in_effect; superseded; withdrawn; failed"
    )
    checker: str | None = Field(description="Name of the key that approved or refused it")
    decided_at: Instant | None
    batch_no: int | None = Field(description="The commit in which it took effect")
    failure: str | None = Field(description="Why it could not take effect")


class AnsweredDocument(DocumentFact):
    """A document after what was asked of it."""

    repeated: bool = Field(description="The same had been asked before; nothing was changed")


_LIVE = "{0}.decision = 'approved' AND {0}.failure IS NULL"
IN_FORCE = f"""
    d.kind <> 'withdrawal' AND {_LIVE.format("d")}
    AND NOT EXISTS (SELECT FROM document w WHERE w.withdraws = d.document_no AND {_LIVE.format("w")})
    AND NOT EXISTS (SELECT FROM document s WHERE s.supersedes = d.document_no AND {_LIVE.format("s")}
                    AND NOT EXISTS (SELECT FROM document w
                                     WHERE w.withdraws = s.document_no AND {_LIVE.format("w")}))
"""  # noqa: S608  fragments of this module
"""Whether document `d` is approved, and neither withdrawn nor superseded, taken up by ingest or not."""

_STATE = """
    CASE WHEN c.decision IS NULL THEN 'proposed'
         WHEN c.decision = 'refused' THEN 'refused'
         WHEN c.failure IS NOT NULL THEN 'failed'
         WHEN c.batch_no IS NULL THEN 'approved'
         WHEN EXISTS (SELECT FROM document w WHERE w.withdraws = c.document_no AND w.batch_no IS NOT NULL)
         THEN 'withdrawn'
         WHEN EXISTS (SELECT FROM document s
                       WHERE s.supersedes = c.document_no AND s.batch_no IS NOT NULL
                         AND NOT EXISTS (SELECT FROM document w
                                          WHERE w.withdraws = s.document_no AND w.batch_no IS NOT NULL))
         THEN 'superseded'
         ELSE 'in_effect' END
"""
_SELECT = f"""
    SELECT * FROM (
        SELECT c.document_no, c.site_no, c.kind, c.number, c.subject, c.from_at, c.to_at, c.lot, c.count, c.value,
               c.file_sha256, c.supersedes, c.withdraws, c.note, c.author, c.proposed_at, {_STATE} AS state,
               c.decided_by, c.decided_at, c.batch_no, c.failure
          FROM document c) told
"""  # noqa: S608  fragments of this module


async def page(
    connection: Connection,
    sites: Sequence[SitePlan],
    state: State | None,
    kind: Kind | None,
    subject: str | None,
    limit: int,
    cursor: str | None,
) -> Table:
    """Documents of some sites, the newest first."""
    before = NUMBER.stop if cursor is None else cursors.decode(cursor, (NUMBER,))[0]
    found = await rows(
        connection,
        f"""
        {_SELECT}
         WHERE site_no = ANY(%(sites)s) AND document_no < %(before)s
           AND (%(state)s::text IS NULL OR state = %(state)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
           AND (%(subject)s::text IS NULL OR subject = %(subject)s)
         ORDER BY document_no DESC LIMIT %(limit)s
        """,
        {
            "sites": [site.site_no for site in sites],
            "before": before,
            "state": state,
            "kind": kind,
            "subject": subject,
            "limit": limit + 1,
        },
    )
    plans = {site.site_no: site for site in sites}
    told = [_told(values, plans[values[1]]) for values in found[:limit]]
    following = cursors.encode([told[-1].document]) if len(found) > limit else None
    return Table(
        columns_of(DocumentFact),
        [list(document.model_dump(by_alias=True).values()) for document in told],
        following,
    )


async def one(
    connection: Connection, site: SitePlan, document_no: int, *, repeated: bool
) -> AnsweredDocument:
    """A document that is there, as the answer to what was asked of it."""
    found = await row(connection, f"{_SELECT} WHERE document_no = %s", [document_no])
    assert found is not None
    return AnsweredDocument(**_told(found, site).model_dump(), repeated=repeated)


def _told(values: Row, site: SitePlan) -> DocumentFact:
    number, _, kind, own, subject, from_at, to_at, lot, count, value, *rest = values
    sha, supersedes, withdraws, note, author, proposed_at, state, checker, decided_at, batch_no, failure = (
        rest
    )
    activity = next((one for one in site.plan.activities if one.id == subject), None)
    analysis = next((one for one in site.plan.analyses if one.id == subject), None)
    analysed = value is not None or (kind == "withdrawal" and activity is None)
    known = analysis if analysed else activity
    return DocumentFact(
        document=number,
        site=site.plan.site,
        kind=kind,
        number=own,
        activity=None if analysed else subject,
        analysis=subject if analysed else None,
        from_=from_at,
        to=to_at,
        lot=lot,
        quantity=None if count is None or activity is None else count * activity.resolution,
        value=value,
        unit=None if known is None else known.unit,
        file_sha256=sha,
        supersedes=supersedes,
        withdraws=withdraws,
        note=note,
        author=author,
        proposed_at=proposed_at,
        state=state,
        checker=checker,
        decided_at=decided_at,
        batch_no=batch_no,
        failure=failure,
    )
