"""Pieces of documents made anew from what is in force, beside those that are stored.

A document's pieces stay under the plan versions that weighed it (`ingest.store.piece_versions`). Documents
are gone through in parts, each computed in a thread: an analysis of a year may concern
thousands, and neither must the loop wait for them nor the transaction fall silent for so
long that the server ends it. Nothing is written here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import AsyncCursor

from ingest.methods.documented import Analyses, Quantity
from ingest.plant.plan import Plan
from ingest.store.document_facts import (
    MICROS,
    analyses_in_force,
    plan_of,
    quantities_of,
    rows,
    source_numbers,
)
from ingest.store.piece_versions import PieceRow, Under, reigns_of, restated, weighed

PART = 200
"""Documents that are gone through between two looks at the database."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """Pieces of one source and document."""

    current: Sequence[PieceRow] = ()
    last: Sequence[PieceRow] = ()
    """Those, or of a document that is not in force those that were said last."""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """What is stored of a document for a source, and what comes out."""

    source_no: int
    document_no: int
    current: Sequence[PieceRow]
    revision: int
    """The highest so far."""
    made: Sequence[PieceRow]


@dataclass(frozen=True, slots=True)
class Restating:
    """A version and the span, µs, that is to be told under it."""

    under: Under
    span: tuple[int, int]


@dataclass(slots=True)
class Renewed:
    """What some documents come to."""

    differences: list[Difference] = field(default_factory=list)
    """Of those that are not stored as they come out."""
    told: list[tuple[int, Quantity, Sequence[PieceRow], Sequence[PieceRow]]] = field(default_factory=list)
    """Of a restatement per source and document: the pieces as they are, and as they would be."""
    left: set[int] = field(default_factory=set)
    """Numbers of sources of which some is left as it was said."""


@dataclass(frozen=True, slots=True)
class _Work:
    """A document to be made anew."""

    document_no: int
    took: int
    """The version under which it took effect."""
    versions: Mapping[int, Under]
    before: Mapping[int, _Stored]
    quantity: tuple[Quantity, str] | None
    """Its amount and activity; None: it is not in force."""


class Renewal:
    """Makes the pieces of documents anew from what is in force."""

    def __init__(self, cursor: AsyncCursor, site_no: int, plan: Plan) -> None:
        """`plan` is the one in force."""
        self._cursor = cursor
        self._site_no = site_no
        self._plans = {plan.version: plan}
        self._newest = plan.version
        self._under: dict[int, Under] = {}

    async def differences(self, documents: Sequence[int]) -> list[Difference]:
        """Of some documents of amounts those pieces that are not stored as they come out."""
        return (await self.renewed(documents)).differences

    async def renewed(self, documents: Sequence[int], restating: Restating | None = None) -> Renewed:
        """What some documents of amounts come to; if asked, a span of them under another version."""
        known = Analyses(await analyses_in_force(self._cursor, self._site_no)) if documents else None
        found = Renewed()
        for first in range(0, len(documents), PART):
            part = documents[first : first + PART]
            stored = await _stored(self._cursor, part)
            quantities = await quantities_of(self._cursor, part)
            works = []
            for document_no in part:
                every, before = stored.get(document_no, ((), {}))
                took = min(every, default=self._newest)
                versions = {one: await self._version(one) for one in {took, *every}}
                works.append(_Work(document_no, took, versions, before, quantities.get(document_no)))
            assert known is not None
            await asyncio.to_thread(_renew, works, known, restating, found)
        return found

    async def _version(self, version: int) -> Under:
        """A plan, and the number of each of its sources."""
        if version not in self._under:
            if version not in self._plans:
                self._plans[version] = await plan_of(self._cursor, self._site_no, version)
            numbers = await source_numbers(self._cursor, self._site_no, version)
            self._under[version] = Under(self._plans[version], numbers)
        return self._under[version]


def _renew(works: Sequence[_Work], known: Analyses, restating: Restating | None, found: Renewed) -> None:
    for work in works:
        after = {} if work.quantity is None else _made(work, work.quantity, known, restating, found)
        for source_no in sorted({*work.before, *after}):
            told, made = work.before.get(source_no, _Stored()), after.get(source_no, [])
            if [row.key for row in made] != [row.key for row in told.current]:
                found.differences.append(
                    Difference(source_no, work.document_no, told.current, told.revision, made)
                )


def _made(
    work: _Work,
    told: tuple[Quantity, str],
    known: Analyses,
    restating: Restating | None,
    found: Renewed,
) -> dict[int, list[PieceRow]]:
    """The pieces of a document in force, by the number of a source."""
    quantity, activity = told
    whole = quantity.from_at, quantity.to_at
    took = work.versions[work.took]
    reigns = {source_no: [(*whole, took)] for source_no in took.sources(activity)}
    for source_no, stored in work.before.items():
        if stored.last:
            reigns[source_no] = reigns_of(stored.last, work.versions)
    made = {
        source_no: weighed(quantity, activity, source_no, mine, known) for source_no, mine in reigns.items()
    }
    if restating is None:
        return made
    for source_no in sorted({*made, *restating.under.sources(activity)}):
        before, mine = made.get(source_no, []), reigns.get(source_no, [])
        would = weighed(quantity, activity, source_no, [(*whole, restating.under)], known)
        outcome = restated(before, mine, would, restating.under, restating.span)
        made[source_no] = weighed(quantity, activity, source_no, outcome.reigns, known)
        found.told.append((source_no, quantity, before, made[source_no]))
        if outcome.left:
            found.left.add(source_no)
    return made


async def _stored(
    cursor: AsyncCursor, documents: Sequence[int]
) -> Mapping[int, tuple[set[int], Mapping[int, _Stored]]]:
    """Per document the versions it was ever weighed under, and per source its pieces."""
    found = await rows(
        cursor,
        f"""
        SELECT document_no, source_no, superseded_batch, revision, {MICROS.format("from_at")},
               {MICROS.format("to_at")}, kg_per_count, analyses, defaulted, plan_version
          FROM document_piece WHERE document_no = ANY(%s) ORDER BY document_no, source_no, from_at
        """,  # noqa: S608  fragments of this package
        [list(documents)],
    )
    stored: dict[int, tuple[set[int], dict[int, _Stored]]] = {}
    for (document_no, source_no), group in groupby(found, key=itemgetter(0, 1)):
        mine = list(group)
        versions, of_sources = stored.setdefault(document_no, (set(), {}))
        versions |= {row[-1] for row in mine}
        of_sources[source_no] = _of_source(mine)
    return stored


def _of_source(found: Sequence[Any]) -> _Stored:
    """From all rows of one source and document, in order of time."""
    superseded = [row[2] for row in found]
    is_current = None in superseded
    newest = None if is_current else max(superseded)
    last = [PieceRow(*row[4:]) for row in found if row[2] == newest]
    return _Stored(last if is_current else (), last, max(row[3] for row in found))
