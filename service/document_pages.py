"""Documents as the API tells them: what they say, by whom, and what has become of them."""

from typing import Literal

from pydantic import Field

from service import proposal_pages
from service.documents import Document, Instant
from service.plans import SitePlan
from service.proposal_pages import Pages, State, live
from service.proposals import Proposals
from service.store import Row

Kind = Literal["invoice", "weighbridge", "stock_change", "analysis", "other", "withdrawal"]
DOCUMENTS = Proposals("document")


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


IN_FORCE = f"""
    {proposal_pages.in_force(DOCUMENTS.word, "d")}
    AND NOT EXISTS (SELECT FROM document s WHERE s.supersedes = d.document_no AND {live("s")}
                    AND NOT EXISTS (SELECT FROM document w
                                     WHERE w.withdraws = s.document_no AND {live("w")}))
"""  # noqa: S608  fragments of this package
"""Whether document `d` is approved, and neither withdrawn nor superseded, taken up by ingest or not."""

_SUPERSEDED = """
    EXISTS (SELECT FROM document s
             WHERE s.supersedes = c.document_no AND s.batch_no IS NOT NULL
               AND NOT EXISTS (SELECT FROM document w
                                WHERE w.withdraws = s.document_no AND w.batch_no IS NOT NULL))
"""
_SELECT = f"""
    SELECT * FROM (
        SELECT c.document_no, c.site_no, c.kind, c.number, c.subject, c.from_at, c.to_at, c.lot, c.count, c.value,
               c.file_sha256, c.supersedes, c.withdraws, c.note, c.author, c.proposed_at,
               {proposal_pages.state(DOCUMENTS.word, _SUPERSEDED)} AS state, c.decided_by, c.decided_at,
               c.batch_no, c.failure
          FROM document c) told
"""  # noqa: S608  fragments of this package


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


PAGES: Pages[DocumentFact] = Pages(DOCUMENTS, _SELECT, DocumentFact, AnsweredDocument, _told)
