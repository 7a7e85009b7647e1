"""Declarations as the API tells them: what was declared, by whom, and what became of it.

A declaration is proposed by one key and decided by another; approved, it waits for
ingest, which stores it as readings. Whether it still counts follows from the ones
after it, so a state is never stored.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from pydantic import Field

from service import cursors
from service.documents import Document, Instant, columns_of
from service.figures import QualityName
from service.plans import SitePlan
from service.store import Connection, Row, row, rows
from service.tabular import Table

Kind = Literal["correction", "replacement", "withdrawal"]
State = Literal["proposed", "refused", "approved", "in_effect", "superseded", "withdrawn", "failed"]
STATES: tuple[State, ...] = get_args(State)
NUMBER = range(1, 2**61)
"""What may be a declaration's number."""


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


IN_FORCE = """
    d.kind <> 'withdrawal' AND d.decision = 'approved' AND d.failure IS NULL
    AND NOT EXISTS (SELECT FROM declaration w
                     WHERE w.withdraws = d.declaration_no AND w.decision = 'approved' AND w.failure IS NULL)
"""
"""Whether declaration `d` is approved and has not been withdrawn, taken up by ingest or not."""

_STATE = f"""
    CASE WHEN c.decision IS NULL THEN 'proposed'
         WHEN c.decision = 'refused' THEN 'refused'
         WHEN c.failure IS NOT NULL THEN 'failed'
         WHEN c.batch_no IS NULL THEN 'approved'
         WHEN EXISTS (SELECT FROM declaration w WHERE w.withdraws = c.declaration_no AND w.batch_no IS NOT NULL)
         THEN 'withdrawn'
         WHEN EXISTS (SELECT FROM declaration d
                       WHERE d.point_no = c.point_no AND d.at = c.at AND d.declaration_no > c.declaration_no
                         AND d.batch_no IS NOT NULL AND {IN_FORCE})
         THEN 'superseded'
         ELSE 'in_effect' END
"""  # noqa: S608  fragments of this module

_SELECT = f"""
    SELECT * FROM (
        SELECT c.declaration_no, p.id, c.kind, c.at, c.site_no, c.body, c.withdraws, c.note, c.author, c.proposed_at,
               {_STATE} AS state, c.decided_by, c.decided_at, c.batch_no, c.failure
          FROM declaration c JOIN point p USING (point_no)) told
"""  # noqa: S608  fragments of this module


async def page(
    connection: Connection, sites: Sequence[SitePlan], state: State | None, limit: int, cursor: str | None
) -> Table:
    """Declarations of some sites, the newest first."""
    before = NUMBER.stop if cursor is None else cursors.decode(cursor, (NUMBER,))[0]
    found = await rows(
        connection,
        f"""
        {_SELECT}
         WHERE site_no = ANY(%s) AND declaration_no < %s AND (%s::text IS NULL OR state = %s)
         ORDER BY declaration_no DESC LIMIT %s
        """,
        [[site.site_no for site in sites], before, state, state, limit + 1],
    )
    plans = {site.site_no: site for site in sites}
    told = [_document(values, plans[values[4]]) for values in found[:limit]]
    following = cursors.encode([told[-1].declaration]) if len(found) > limit else None
    return Table(
        columns_of(DeclarationDocument),
        [list(document.model_dump(by_alias=True).values()) for document in told],
        following,
    )


async def one(
    connection: Connection, site: SitePlan, declaration_no: int, *, repeated: bool
) -> AnsweredDeclaration:
    """A declaration that is there, as the answer to what was asked of it."""
    found = await row(connection, f"{_SELECT} WHERE declaration_no = %s", [declaration_no])
    assert found is not None
    return AnsweredDeclaration(**_document(found, site).model_dump(), repeated=repeated)


def _document(values: Row, site: SitePlan) -> DeclarationDocument:
    number, point_id, kind, at, _, body, *rest = values
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
