"""Declarations as the API tells them: what was declared, by whom, and what became of it.

A declaration is proposed by one key and decided by another; approved, it waits for
ingest, which stores it as readings. Of several at one instant the last in effect counts.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from service import proposal_pages
from service.documents import Document, Instant
from service.figures import QualityName
from service.plans import SitePlan
from service.proposal_pages import Pages, State
from service.proposals import Proposals
from service.store import Row

Kind = Literal["correction", "replacement", "withdrawal"]
DECLARATIONS = Proposals("declaration")


class DeclarationDocument(Document):
    """One declaration."""

    declaration: int = Field(description="Its number; of several at one instant the largest in effect counts")
    id: str = Field(description="The point")
    kind: Kind
    at: Instant = Field(description="The instant it speaks of")
    unit: str | None = Field(
        description="Of its values: the point's; null: the plan in force has no such point"
    )
    value: float | None = Field(description="Of a correction; null: that there is no usable value")
    quality: QualityName | None = Field(description="Of a correction")
    supplied: bool | None = Field(
        description="Of a correction: there was no reading of this instant, it is supplied by hand"
    )
    previous_value: float | None = Field(description="Of a correction: what counted when it was proposed")
    old_final: float | None = Field(description="Of a replacement: the old meter's last register")
    new_initial: float | None = Field(description="Of a replacement: the new meter's first register")
    forced: bool | None = Field(description="Of a replacement: it need not fit the readings beside it")
    withdraws: int | None = Field(description="The declaration that this one undoes")
    note: str = Field(description="Why")
    author: str = Field(description="Name of the key that proposed it")
    proposed_at: Instant
    state: State = Field(
        description="proposed; refused; approved: waits for ingest; in_effect; superseded: a later one of the"
        " same instant is in effect; withdrawn; failed"
    )
    decided_by: str | None = Field(description="Name of the key that approved or refused it")
    decided_at: Instant | None
    batch_no: int | None = Field(description="The commit in which it took effect")
    failure: str | None = Field(description="Why it could not take effect")


class AnsweredDeclaration(DeclarationDocument):
    """A declaration after what was asked of it."""

    repeated: bool = Field(description="The same had been asked before; nothing was changed")


IN_FORCE = proposal_pages.in_force(DECLARATIONS.word, "d")
"""Whether declaration `d` is approved and has not been withdrawn, taken up by ingest or not."""

_SUPERSEDED = f"""
    EXISTS (SELECT FROM declaration d
             WHERE d.point_no = c.point_no AND d.at = c.at AND d.declaration_no > c.declaration_no
               AND d.batch_no IS NOT NULL AND {IN_FORCE})
"""
_SELECT = f"""
    SELECT * FROM (
        SELECT c.declaration_no, c.site_no, p.id, c.kind, c.at, c.body, c.withdraws, c.note, c.author, c.proposed_at,
               {proposal_pages.state(DECLARATIONS.word, _SUPERSEDED)} AS state, c.decided_by, c.decided_at,
               c.batch_no, c.failure
          FROM declaration c JOIN point p USING (point_no)) told
"""  # noqa: S608  fragments of this package


def _document(values: Row, site: SitePlan) -> DeclarationDocument:
    number, _, point_id, kind, at, body, *rest = values
    withdraws, note, author, proposed_at, state, decided_by, decided_at, batch_no, failure = rest
    place = site.plan.index.get(point_id)
    return DeclarationDocument(
        declaration=number,
        id=point_id,
        kind=kind,
        at=at,
        unit=None if place is None else site.plan.points[place].unit,
        **_said(body),
        withdraws=withdraws,
        note=note,
        author=author,
        proposed_at=proposed_at,
        state=state,
        decided_by=decided_by,
        decided_at=decided_at,
        batch_no=batch_no,
        failure=failure,
    )


_MEMBERS = ("value", "quality", "supplied", "previous_value", "old_final", "new_initial", "forced")


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a declaration's body, null where its kind has none."""
    return {name: body.get(name) for name in _MEMBERS}


PAGES: Pages[DeclarationDocument] = Pages(
    DECLARATIONS, _SELECT, DeclarationDocument, AnsweredDeclaration, _document
)
