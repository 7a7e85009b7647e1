"""Documents of a past span as another plan version weighs them, for restating and for its preview.

What the version makes no mass of, as it has no such source or no factor there, is left as
it was said. Counts are spread by the rule of `ingest.methods.documented`, so what is
restated of a document and what is not add up to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from psycopg import AsyncCursor

from ingest.methods.changes import Changes, months_of
from ingest.methods.documented import Quantity
from ingest.plant.plan import Plan
from ingest.store.document_facts import rows, source_numbers
from ingest.store.piece_versions import PieceRow, Under
from ingest.store.renewal import Difference, Renewal, Restating


@dataclass(slots=True)
class Redocumented:
    """What documents of a span come to."""

    differences: list[Difference] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Ids of the sources of which some is left as it was said."""


async def redocumented(
    cursor: AsyncCursor, site_no: int, plan: Plan, version: int, span: tuple[int, int], changes: Changes
) -> Redocumented:
    """Documents of `span` (µs) under a plan; their masses in it are counted in `changes`.

    `version` is that of which `plan` has its names; of other values of its factors too.
    """
    found = await rows(
        cursor,
        """
        SELECT document_no FROM document
         WHERE site_no = %s AND count IS NOT NULL AND batch_no IS NOT NULL
           AND from_at < to_timestamp(0) + %s * interval '1 microsecond'
           AND to_at > to_timestamp(0) + %s * interval '1 microsecond'
         ORDER BY document_no
        """,
        [site_no, span[1], span[0]],
    )
    if not found:
        return Redocumented()
    under = Under(plan, await source_numbers(cursor, site_no, version))
    renewal = Renewal(cursor, site_no, plan)
    renewed = await renewal.renewed([number for (number,) in found], Restating(under, span))
    names = dict(await rows(cursor, "SELECT source_no, id FROM source WHERE site_no = %s", [site_no]))
    names |= {number: one.id for one in plan.documented if (number := under.numbers.get(one.id)) is not None}
    for source_no, quantity, before, after in renewed.told:
        _count(changes, names[source_no], quantity, (before, after), span, plan.zone)
    return Redocumented(renewed.differences, sorted(names[number] for number in renewed.left))


def _count(
    changes: Changes,
    name: str,
    quantity: Quantity,
    told: tuple[Sequence[PieceRow], Sequence[PieceRow]],
    span: tuple[int, int],
    zone: ZoneInfo,
) -> None:
    """A document's masses before and after, in parts that lie in one month and one piece of either."""
    begin, end = max(span[0], quantity.from_at), min(span[1], quantity.to_at)
    edges = {at for side in told for row in side for at in (row.from_at, row.to_at)}
    edges |= set(months_of(begin, end, zone)[0])
    cuts = sorted({begin, end, *(at for at in edges if begin < at < end)})
    masses = [[_mass(side, quantity, first, last) for first, last in pairwise(cuts)] for side in told]
    changes.add(name, np.array(cuts[:-1], np.int64), np.array(masses[0]), np.array(masses[1]))


def _mass(rows_: Sequence[PieceRow], quantity: Quantity, begin: int, end: int) -> float:
    """Kg of a part within one piece; NaN where there is none, or its weight is not known."""
    kg_per_count = next((row.kg_per_count for row in rows_ if row.from_at <= begin < row.to_at), None)
    return np.nan if kg_per_count is None else quantity.between(begin, end) * kg_per_count
