"""Proposals as the API tells them: their states, pages of them, and one as an answer.

Whether a proposal counts follows from those after it, so a state is never stored: it is
read from the decision, from what ingest made of it, and from what withdraws it. What
else may supersede one is its table's business, as is what it says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from service import cursors
from service.documents import Document, columns_of
from service.plans import SitePlan
from service.proposals import Proposals
from service.store import Connection, Row, row, rows
from service.tabular import Table

State = Literal["proposed", "refused", "approved", "in_effect", "superseded", "withdrawn", "failed"]
NUMBER = range(1, 2**61)
"""What may be a proposal's number in the store."""

D = TypeVar("D", bound=Document)


def live(alias: str) -> str:
    """SQL: whether a row is approved and can take effect, taken up by ingest or not."""
    return f"{alias}.decision = 'approved' AND {alias}.failure IS NULL"


def in_force(table: str, alias: str) -> str:
    """SQL: whether a row is approved and has not been withdrawn, taken up by ingest or not."""
    return f"""
        {alias}.kind <> 'withdrawal' AND {live(alias)}
        AND NOT EXISTS (SELECT FROM {table} w WHERE w.withdraws = {alias}.{table}_no AND {live("w")})
    """


def state(table: str, superseded: str) -> str:
    """SQL: the state of row `c`; `superseded` tells whether one after it took its place."""
    return f"""
        CASE WHEN c.decision IS NULL THEN 'proposed'
             WHEN c.decision = 'refused' THEN 'refused'
             WHEN c.failure IS NOT NULL THEN 'failed'
             WHEN c.batch_no IS NULL THEN 'approved'
             WHEN EXISTS (SELECT FROM {table} w WHERE w.withdraws = c.{table}_no AND w.batch_no IS NOT NULL)
             THEN 'withdrawn'
             WHEN {superseded} THEN 'superseded'
             ELSE 'in_effect' END
    """


@dataclass(frozen=True, slots=True)
class Pages(Generic[D]):
    """How the proposals of one table are told."""

    of: Proposals
    select: str
    """SQL: rows that begin with number and site_no, and can be asked for `state`."""
    model: type[D]
    answered: type[D]
    """`model`, and whether the same had been asked before."""
    told: Callable[[Row, SitePlan], D]

    async def page(
        self,
        connection: Connection,
        sites: Sequence[SitePlan],
        asked: Mapping[str, str | None],
        limit: int,
        cursor: str | None,
    ) -> Table:
        """Those of some sites, the newest first; `asked`: columns of `select` and what they have to be."""
        before = NUMBER.stop if cursor is None else cursors.decode(cursor, (NUMBER,))[0]
        only = [f"(%({name})s::text IS NULL OR {name} = %({name})s)" for name in asked]
        found = await rows(
            connection,
            f"""
            {self.select}
             WHERE {" AND ".join(["site_no = ANY(%(sites)s)", f"{self.of.word}_no < %(before)s", *only])}
             ORDER BY {self.of.word}_no DESC LIMIT %(limit)s
            """,
            {**asked, "sites": [site.site_no for site in sites], "before": before, "limit": limit + 1},
        )
        plans = {site.site_no: site for site in sites}
        items = [self.told(values, plans[values[1]]) for values in found[:limit]]
        return Table(
            columns_of(self.model),
            [list(item.model_dump(by_alias=True).values()) for item in items],
            cursors.encode([found[limit - 1][0]]) if len(found) > limit else None,
        )

    async def one(self, connection: Connection, site: SitePlan, number: int, *, repeated: bool) -> D:
        """One that is there, as the answer to what was asked of it."""
        found = await row(connection, f"{self.select} WHERE {self.of.word}_no = %s", [number])
        assert found is not None
        return self.answered.model_validate({**self.told(found, site).model_dump(), "repeated": repeated})
