"""Documents that ingest takes up, and what they come to for each source.

An approved document waits in the inbox as a declaration does. Taken up, it changes the
pieces (`document_piece`) of what it speaks of: its own, those of the document it
supersedes or withdraws, and, of an analysis, those of every amount that it may be
in force for. Pieces are made anew by `ingest.methods.documented` from the documents in
force and written only where they differ; the old ones say by which batch they were
superseded. A document's pieces stay under the plan version under which it took effect.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import AsyncConnection, AsyncCursor

from ingest.methods.documented import Analysed, Piece, pieces, weight
from ingest.model import Cause
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
from ingest.store.facts import Stamp


@dataclass(frozen=True, slots=True)
class _Document:
    """What a decided document says."""

    document_no: int
    kind: str
    subject: str
    supersedes: int | None
    withdraws: int | None


@dataclass(frozen=True, slots=True)
class Changed:
    """A source of which something was said anew within [from_at, to_at), µs."""

    source_no: int
    from_at: int
    to_at: int


async def early(connection: AsyncConnection, inbox_no: int, plan: Plan) -> bool:
    """Whether the document of an inbox row speaks of what only a version yet to be taken knows: it has to wait."""
    cursor = await connection.execute(
        """
        SELECT d.subject FROM document d JOIN plan_version v USING (site_no)
         WHERE d.inbox_no = %s AND v.version > %s
           AND jsonb_path_exists(v.body, '$.*[*] ? (@.id == $subject)', jsonb_build_object('subject', d.subject))
         LIMIT 1
        """,
        [inbox_no, plan.version],
    )
    row = await cursor.fetchone()
    return row is not None and row[0] not in _subjects(plan)


def _subjects(plan: Plan) -> set[str]:
    return {*(activity.id for activity in plan.activities), *(analysis.id for analysis in plan.analyses)}


async def take(cursor: AsyncCursor, stamp: Stamp, site_no: int, inbox_no: int, plan: Plan) -> list[Changed]:
    """Let the document of an inbox row take effect within its batch; what changed by it.

    Of a subject that the plan does not know nothing is taken; the document says why.
    """
    found = await rows(
        cursor,
        "SELECT document_no, kind, subject, supersedes, withdraws FROM document WHERE inbox_no = %s",
        [inbox_no],
    )
    if not found:
        return []
    document = _Document(*found[0])
    if document.kind != "withdrawal" and document.subject not in _subjects(plan):
        failure = f"the plan of site {plan.site} has no activity or analysis {document.subject}."
        await cursor.execute(
            "UPDATE document SET failure = %s WHERE document_no = %s", [failure, document.document_no]
        )
        return []
    await cursor.execute(
        "UPDATE document SET batch_no = %s WHERE document_no = %s", [stamp.batch_no, document.document_no]
    )
    changed = []
    concerned = await _concerned(cursor, site_no, document)
    for one in await _Renewal(cursor, site_no, plan).differences(concerned):
        await _replace(cursor, stamp, one)
        spans = [(row.from_at, row.to_at) for row in one.made] + [row[1:3] for row in one.stored.current]
        changed.append(Changed(one.source_no, min(a for a, _ in spans), max(b for _, b in spans)))
    return changed


async def replayed(
    connection: AsyncConnection, site_no: int, plan: Plan, from_at: int, to_at: int
) -> tuple[int, int]:
    """How many documents of amounts touch [from_at, to_at) µs, and how many sources of them come out otherwise."""
    async with connection.cursor() as cursor:
        found = await rows(
            cursor,
            """
            SELECT document_no FROM document
             WHERE site_no = %s AND count IS NOT NULL AND batch_no IS NOT NULL
               AND from_at < to_timestamp(0) + %s * interval '1 microsecond'
               AND to_at > to_timestamp(0) + %s * interval '1 microsecond'
            """,
            [site_no, to_at, from_at],
        )
        documents = [document_no for (document_no,) in found]
        return len(documents), len(await _Renewal(cursor, site_no, plan).differences(documents))


async def _concerned(cursor: AsyncCursor, site_no: int, document: _Document) -> list[int]:
    """The documents of amounts whose pieces may change."""
    own = [no for no in (document.document_no, document.supersedes, document.withdraws) if no is not None]
    own += [no for (no,) in await rows(
        cursor, "SELECT supersedes FROM document WHERE document_no = %s AND supersedes IS NOT NULL",
        [document.withdraws],
    )]  # fmt: skip
    found = await rows(
        cursor,
        """
        SELECT q.document_no FROM document q
         WHERE q.site_no = %(site)s AND q.count IS NOT NULL AND q.batch_no IS NOT NULL
           AND (q.document_no = ANY(%(own)s) OR EXISTS (
                SELECT FROM document a
                 WHERE a.document_no = ANY(%(own)s) AND a.kind = 'analysis'
                   AND (a.lot IS NULL OR a.lot = q.lot)
                   AND (a.from_at IS NULL OR (a.from_at < q.to_at AND q.from_at < a.to_at))))
         ORDER BY q.document_no
        """,
        {"site": site_no, "own": own},
    )
    return [no for (no,) in found]


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
class _Difference:
    """What is stored of a document for a source, and what comes out."""

    source_no: int
    document_no: int
    stored: _Stored
    made: Sequence[_Row]
    plan_version: int


class _Renewal:
    """Makes the pieces of documents anew from what is in force."""

    def __init__(self, cursor: AsyncCursor, site_no: int, plan: Plan) -> None:
        """`plan` is the one in force."""
        self._cursor = cursor
        self._site_no = site_no
        self._plans = {plan.version: plan}
        self._newest = plan.version
        self._numbers: dict[int, dict[str, int]] = {}

    async def differences(self, documents: Sequence[int]) -> list[_Difference]:
        """Of some documents of amounts those pieces that are not stored as they come out."""
        stored = await _stored(self._cursor, documents)
        quantities = await quantities_of(self._cursor, documents)
        known = await analyses_in_force(self._cursor, self._site_no)
        found = []
        for document_no in documents:
            before = stored.get(document_no, {})
            plan, numbers = await self._under({piece[0] for told in before.values() for piece in told.every})
            after: dict[int, list[_Row]] = {}
            if document_no in quantities:
                quantity, subject = quantities[document_no]
                for source in plan.documented:
                    if source.activity == subject and source.id in numbers:
                        steps = [at for at, _ in source.steps]
                        parts = pieces(quantity, source.analyses, known, plan.interval_us, steps)
                        after[numbers[source.id]] = [_row(plan, source, part, known) for part in parts]
            for source_no in sorted({*before, *after}):
                told, made = before.get(source_no, _Stored((), ())), after.get(source_no, [])
                if [row.key for row in made] != [tuple(row[1:6]) for row in told.current]:
                    found.append(_Difference(source_no, document_no, told, made, plan.version))
        return found

    async def _under(self, versions: set[int]) -> tuple[Plan, dict[str, int]]:
        """The plan under which a document took effect, and the number of each of its sources."""
        version = min(versions, default=self._newest)
        if version not in self._plans:
            self._plans[version] = await plan_of(self._cursor, self._site_no, version)
        if version not in self._numbers:
            self._numbers[version] = await source_numbers(self._cursor, self._site_no, version)
        return self._plans[version], self._numbers[version]


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


def _row(plan: Plan, source: PlanDocumented, part: Piece, known: Iterable[Analysed]) -> _Row:
    """What a piece weighs for a source; a declared default stands in for an analysis that is wanting."""
    by_number = {(one.document_no, one.analysis): one.value for one in known}
    defaults = {analysis.id: analysis.default for analysis in plan.analyses}
    values: dict[str, float | None] = {}
    defaulted = []
    for name, number in zip(source.analyses, part.analyses, strict=True):
        default = defaults[name]
        if number is not None:
            values[name] = by_number[number, name]
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


async def _replace(cursor: AsyncCursor, stamp: Stamp, one: _Difference) -> None:
    await cursor.execute(
        """
        UPDATE document_piece SET superseded_batch = %s
         WHERE source_no = %s AND document_no = %s AND superseded_batch IS NULL
        """,
        [stamp.batch_no, one.source_no, one.document_no],
    )
    revision = max((row[6] for row in one.stored.every), default=0) + 1
    await cursor.executemany(
        """
        INSERT INTO document_piece (source_no, document_no, from_at, to_at, kg_per_count, analyses, defaulted,
                                    revision, cause, plan_version, known_at, batch_no)
        VALUES (%s, %s, to_timestamp(0) + %s * interval '1 microsecond',
                to_timestamp(0) + %s * interval '1 microsecond', %s, %s::bigint[], %s::text[], %s, %s, %s,
                to_timestamp(0) + %s * interval '1 microsecond', %s)
        """,
        [
            (
                one.source_no, one.document_no, *row.key, revision, int(Cause.DECLARATION), one.plan_version,
                stamp.known_at, stamp.batch_no,
            )
            for row in one.made
        ],
    )  # fmt: skip
