"""Pieces of documents made anew from what is in force, beside those that are stored.

A document's pieces stay under the plan version under which it took effect. Documents are
gone through in parts, each computed in a thread: an analysis of a year may concern
thousands, and neither must the loop wait for them nor the transaction fall silent for so
long that the server ends it. Nothing is written here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import AsyncCursor

from ingest.methods.documented import Analyses, Piece, Quantity, pieces, weight
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan
from ingest.store.document_facts import (
    MICROS,
    analyses_in_force,
    plan_of,
    quantities_of,
    rows,
    source_numbers,
)

PART = 200
"""Documents that are gone through between two looks at the database."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A piece as it is stored."""

    from_at: int
    to_at: int
    kg_per_count: float | None
    analyses: list[int | None]
    defaulted: list[str]

    @property
    def key(self) -> tuple[Any, ...]:
        """What has to differ for it to be another."""
        return (self.from_at, self.to_at, self.kg_per_count, self.analyses, self.defaulted)


@dataclass(frozen=True, slots=True)
class _Stored:
    """Pieces of one source and document: (plan_version, from_at, to_at, kg_per_count, analyses, defaulted, revision)."""

    current: Sequence[tuple[Any, ...]]
    every: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is stored of a document for a source, and what comes out."""

    source_no: int
    document_no: int
    stored: _Stored
    made: Sequence[_Row]
    plan_version: int


@dataclass(frozen=True, slots=True)
class _Work:
    """A document to be made anew."""

    document_no: int
    plan: Plan
    numbers: Mapping[str, int]
    """Of the sources of that plan."""
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
        self._numbers: dict[int, dict[str, int]] = {}

    async def differences(self, documents: Sequence[int]) -> list[Difference]:
        """Of some documents of amounts those pieces that are not stored as they come out."""
        known = Analyses(await analyses_in_force(self._cursor, self._site_no)) if documents else None
        found: list[Difference] = []
        for first in range(0, len(documents), PART):
            part = documents[first : first + PART]
            stored = await _stored(self._cursor, part)
            quantities = await quantities_of(self._cursor, part)
            works = []
            for document_no in part:
                before = stored.get(document_no, {})
                under = await self._under({piece[0] for told in before.values() for piece in told.every})
                works.append(_Work(document_no, *under, before, quantities.get(document_no)))
            assert known is not None
            found += await asyncio.to_thread(_different, works, known)
        return found

    async def _under(self, versions: set[int]) -> tuple[Plan, dict[str, int]]:
        """The plan under which a document took effect, and the number of each of its sources."""
        version = min(versions, default=self._newest)
        if version not in self._plans:
            self._plans[version] = await plan_of(self._cursor, self._site_no, version)
        if version not in self._numbers:
            self._numbers[version] = await source_numbers(self._cursor, self._site_no, version)
        return self._plans[version], self._numbers[version]


def _different(works: Sequence[_Work], known: Analyses) -> list[Difference]:
    found = []
    for work in works:
        after: dict[int, list[_Row]] = {}
        if work.quantity is not None:
            quantity, subject = work.quantity
            for source in work.plan.documented:
                if source.activity == subject and source.id in work.numbers:
                    after[work.numbers[source.id]] = _made(work.plan, source, quantity, known)
        for source_no in sorted({*work.before, *after}):
            told, made = work.before.get(source_no, _Stored((), ())), after.get(source_no, [])
            if [row.key for row in made] != [tuple(row[1:6]) for row in told.current]:
                found.append(Difference(source_no, work.document_no, told, made, work.plan.version))
    return found


def _made(plan: Plan, source: PlanDocumented, quantity: Quantity, known: Analyses) -> list[_Row]:
    steps = [at for at, _ in source.steps]
    parts = pieces(quantity, source.analyses, known.near(quantity, source.analyses), plan.interval_us, steps)
    return [_row(plan, source, part, known) for part in parts]


async def _stored(cursor: AsyncCursor, documents: Sequence[int]) -> Mapping[int, Mapping[int, _Stored]]:
    """Per document and source its pieces."""
    found = await rows(
        cursor,
        f"""
        SELECT document_no, source_no, superseded_batch IS NULL, plan_version, {MICROS.format("from_at")},
               {MICROS.format("to_at")}, kg_per_count, analyses, defaulted, revision
          FROM document_piece WHERE document_no = ANY(%s) ORDER BY document_no, source_no, from_at
        """,  # noqa: S608  fragments of this package
        [list(documents)],
    )
    stored: dict[int, dict[int, _Stored]] = {}
    for (document_no, source_no), group in groupby(found, key=itemgetter(0, 1)):
        mine = list(group)
        stored.setdefault(document_no, {})[source_no] = _Stored(
            [row[3:] for row in mine if row[2]], [row[3:] for row in mine]
        )
    return stored


def _row(plan: Plan, source: PlanDocumented, part: Piece, known: Analyses) -> _Row:
    """What a piece weighs for a source; a declared default stands in for an analysis that is wanting."""
    defaults = {analysis.id: analysis.default for analysis in plan.analyses}
    values: dict[str, float | None] = {}
    defaulted = []
    for name, number in zip(source.analyses, part.analyses, strict=True):
        default = defaults[name]
        if number is not None:
            values[name] = known.value(number, name)
        elif default is not None:
            defaulted.append(default[0])
            values[name] = default[1]
        else:
            values[name] = None
    return _Row(
        part.from_at,
        part.to_at,
        weight(source.kg_per_count_at(part.from_at), values),
        list(part.analyses),
        defaulted,
    )
