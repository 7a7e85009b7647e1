"""Sealing of periods, and what becomes known of them afterwards.

A seal is asked for through the inbox and made in a transaction of its own: from then
on the figures of the period are frozen. Whatever transaction changes an interval inside
a sealed period, a late one, a restatement or the closing of a point never heard of
before, books in the same transaction what the period comes to now. A sealed period may be
sealed again: its next edition has totals of its own, and from then on only they are gone
on from; what was said of the one before stays. Nothing here asks who may seal; that is the
service's business.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import NEVER, Cause
from ingest.pipeline.batch import IntArray
from ingest.pipeline.causes import weightiest
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan
from ingest.store import documents
from ingest.store.facts import Stamp
from ingest.store.inbox import SealBody
from ingest.store.regime_totals import write_regimes
from ingest.store.registry import Numbers
from ingest.store.rejected import Refusal, store_rejections
from ingest.store.totals import Keys, Seal, Varying, varying, write_kpis, write_points, write_sources
from ingest.store.writer import Writer


@dataclass(frozen=True, slots=True)
class SealAsked:
    """A waiting inbox row of kind `seal` or `document`."""

    inbox_no: int
    kind: str
    body: str
    author: str
    received_at: int


@dataclass(frozen=True, slots=True)
class Touched:
    """Of which intervals something was said anew: int64[n, 3], (number in the store, start_at, cause)."""

    points: IntArray
    kpis: IntArray
    sources: IntArray

    @staticmethod
    def join(parts: "Sequence[Touched]") -> "Touched":
        """All of them; there is at least one."""
        columns = ([getattr(part, name) for part in parts] for name in ("points", "kpis", "sources"))
        return Touched(*(np.concatenate(column) for column in columns))


async def waiting(connection: AsyncConnection, site_no: int, most: int, plan: Plan) -> list[SealAsked]:
    """Seals asked for and documents approved, in the order in which they were; none that has to wait for a version.

    A document waits while only a version after `plan` knows its subject: it holds up nothing behind it.
    """
    cursor = await connection.execute(
        """
        SELECT inbox_no, kind, body, author, (extract(epoch FROM received_at) * 1000000)::bigint FROM inbox i
         WHERE site_no = %(site)s AND kind IN ('seal', 'document') AND batch_no IS NULL
           AND NOT (kind = 'document' AND EXISTS (
                SELECT FROM document d JOIN plan_version v ON v.site_no = d.site_no AND v.version > %(version)s
                 WHERE d.inbox_no = i.inbox_no AND d.subject <> ALL(%(known)s::text[])
                   AND jsonb_path_exists(v.body, '$.*[*] ? (@.id == $subject)', jsonb_build_object('subject', d.subject))))
         ORDER BY inbox_no LIMIT %(most)s
        """,
        {
            "site": site_no,
            "most": most,
            "version": plan.version,
            "known": sorted(documents.subjects(plan)),
        },
    )
    return [SealAsked(*row) for row in await cursor.fetchall()]


async def sealed_periods(connection: AsyncConnection, site_no: int) -> list[Seal]:
    """The sealed periods of a site, each in its newest edition."""
    cursor = await connection.execute(
        """
        SELECT DISTINCT ON (from_at) seal_no, (extract(epoch FROM from_at) * 1000000)::bigint,
               (extract(epoch FROM to_at) * 1000000)::bigint
          FROM period_seal WHERE site_no = %s ORDER BY from_at, edition DESC
        """,
        [site_no],
    )
    return [Seal(*row) for row in await cursor.fetchall()]


async def book(
    cursor: AsyncCursor, stamp: Stamp, sealed: Iterable[Seal], touched: Touched, activities: Varying
) -> None:
    """Say what sealed periods come to now, inside the transaction that changed them."""
    for seal in sealed:
        if points := _keys(seal, touched.points):
            await write_points(cursor, seal, stamp, points)
        if kpis := _keys(seal, touched.kpis):
            await write_kpis(cursor, seal, stamp, kpis)
        if sources := _keys(seal, touched.sources):
            await write_sources(cursor, seal, stamp, sources, activities)


async def book_documents(
    cursor: AsyncCursor, seal: Seal, stamp: Stamp, changed: Iterable[documents.Changed], cause: Cause
) -> None:
    """Say what a sealed period comes to now that documents say something else."""
    inside = {one.source_no for one in changed if one.from_at < seal.to_at and seal.from_at < one.to_at}
    await write_sources(cursor, seal, stamp, [(number, int(cause)) for number in sorted(inside)], {})


def _keys(seal: Seal, rows: IntArray) -> Keys:
    rows = rows[(rows[:, 1] >= seal.from_at) & (rows[:, 1] < seal.to_at)]
    return [(number, weightiest(rows[rows[:, 0] == number, 2])) for number in np.unique(rows[:, 0]).tolist()]


def touched_by(plan: Plan, numbers: Numbers, changed: IntArray, cause: IntArray) -> Touched:
    """What follows from changed intervals (point, start_at), under the causes of the plan's points."""
    rows = np.column_stack([changed, cause[changed[:, 0]]])

    def reading(points: list[tuple[int, ...]], number: IntArray) -> IntArray:
        parts = [np.zeros((0, 3), np.int64)]
        for place, wanted in enumerate(points):
            mine = rows[np.isin(rows[:, 0], np.array(wanted))]
            mine[:, 0] = number[place]
            parts.append(mine)
        return np.concatenate(parts)

    of_points = rows.copy()
    of_points[:, 0] = numbers.points[rows[:, 0]]
    return Touched(
        of_points,
        reading([kpi.points for kpi in plan.kpis], numbers.kpis),
        reading([source.points for source in plan.sources], numbers.sources),
    )


class SealBook:
    """The sealed periods of one site under one plan."""

    def __init__(self, writer: Writer, state: SiteState, numbers: Numbers, zone: str) -> None:
        """`state` gives frontiers and plan; it is read, not changed."""
        self._writer = writer
        self._state = state
        self._numbers = numbers
        self._zone = zone
        self._sealed: list[Seal] = []
        self._rules = {
            int(numbers.sources[place]): source.regime.rule
            for place, source in enumerate(state.plan.sources)
            if source.regime is not None
        }

    async def load(self) -> None:
        """Learn which periods are sealed."""
        self._sealed = await sealed_periods(await self._writer.connection(), self._writer.site_no)

    def touches(self, starts: IntArray) -> bool:
        """Whether one of the instants may lie in a sealed period."""
        return bool(self._sealed) and bool(starts.size) and int(starts.min()) < self._sealed[-1].to_at

    async def book(
        self, cursor: AsyncCursor, stamp: Stamp, changed: IntArray, cause: IntArray | None = None
    ) -> None:
        """Book what follows from changed intervals (point, start_at); without causes they were closed late."""
        if self.touches(changed[:, 1]):
            if cause is None:
                cause = np.full(len(self._state.plan.points), int(Cause.LATE), np.int64)
            await self.book_touched(
                cursor, stamp, touched_by(self._state.plan, self._numbers, changed, cause)
            )

    async def book_touched(self, cursor: AsyncCursor, stamp: Stamp, touched: Touched) -> None:
        """Book what has been touched under whatever version of the plan."""
        await book(cursor, stamp, self._sealed, touched, varying(self._state.plan, self._numbers))

    async def book_hours(self, cursor: AsyncCursor, stamp: Stamp, changed: IntArray) -> None:
        """Book what follows from changed hours of regimes: int64[n, 3], (source in the store, start_at, cause)."""
        if self.touches(changed[:, 1]):
            for seal in self._sealed:
                if keys := _keys(seal, changed):
                    await write_regimes(cursor, seal, stamp, keys, self._rules)

    async def seal(self, asked: SealAsked, plan_version: int) -> None:
        """Freeze a period in a transaction of its own, or keep among the refused why it cannot be.

        Or let a document take effect, and book what sealed periods come to with it.

        Raises as `Writer.commit` does.
        """
        stamp = await self._writer.begin(plan_version)
        if stamp is not None:
            connection = await self._writer.connection()
            async with connection.transaction(), connection.cursor() as cursor:
                await self._writer.open(cursor, stamp, self._state.watermark.at, 0)
                take = self._take_document if asked.kind == "document" else self._seal
                await take(cursor, stamp, asked)
                await cursor.execute(
                    "UPDATE inbox SET batch_no = %s WHERE inbox_no = %s", [stamp.batch_no, asked.inbox_no]
                )
                await self._writer.announce(cursor, stamp)
            self._writer.done()
        await self.load()

    async def _take_document(self, cursor: AsyncCursor, stamp: Stamp, asked: SealAsked) -> None:
        plan, site_no = self._state.plan, self._writer.site_no
        changed = await documents.take(cursor, stamp, site_no, asked.inbox_no, plan)
        for seal in self._sealed:
            await book_documents(cursor, seal, stamp, changed, Cause.DECLARATION)

    async def _seal(self, cursor: AsyncCursor, stamp: Stamp, asked: SealAsked) -> None:
        try:
            body = msgspec.json.decode(asked.body, type=SealBody)
            why = await self._refusal(cursor, body)
        except msgspec.MsgspecError as error:
            body, why = SealBody("", 0, 0), f"The body is no seal: {error}."
        if why is not None:
            topic, content = f"inbox/{asked.inbox_no}", asked.body.encode()
            refusal = Refusal(topic, content, None, "seal", why, asked.received_at)
            await store_rejections(cursor, self._writer.site_no, stamp.batch_no, [refusal])
            return
        seal = Seal(await self._insert(cursor, stamp, asked, body), body.from_us, body.to_us)
        await write_points(cursor, seal, stamp, await self._all(cursor, "point"))
        await write_kpis(cursor, seal, stamp, await self._all(cursor, "kpi"))
        activities = varying(self._state.plan, self._numbers)
        sources = await self._all(cursor, "source")
        await write_sources(cursor, seal, stamp, sources, activities)
        await write_regimes(cursor, seal, stamp, sources, self._rules)

    async def _all(self, cursor: AsyncCursor, table: str) -> Keys:
        await cursor.execute(
            f"SELECT {table}_no FROM {table} WHERE site_no = %s ORDER BY 1".encode(),  # noqa: S608  fixed names
            [self._writer.site_no],
        )
        return [(number, int(Cause.CLOSING)) for (number,) in await cursor.fetchall()]

    async def _insert(self, cursor: AsyncCursor, stamp: Stamp, asked: SealAsked, body: SealBody) -> int:
        await cursor.execute(
            """
            INSERT INTO period_seal (site_no, kind, from_at, to_at, sealed_by, sealed_at, inbox_no, known_at, batch_no,
                                     edition, reason)
            VALUES (%s, %s, to_timestamp(0) + %s * interval '1 microsecond',
                    to_timestamp(0) + %s * interval '1 microsecond', %s,
                    to_timestamp(0) + %s * interval '1 microsecond', %s,
                    to_timestamp(0) + %s * interval '1 microsecond', %s,
                    coalesce((SELECT edition + 1 FROM period_seal WHERE seal_no = %s), 1), %s)
            RETURNING seal_no
            """,
            [
                self._writer.site_no, body.kind, body.from_us, body.to_us, asked.author, asked.received_at,
                asked.inbox_no, stamp.known_at, stamp.batch_no, body.again, body.reason or None,
            ],
        )  # fmt: skip
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])

    async def _refusal(self, cursor: AsyncCursor, body: SealBody) -> str | None:
        """Why a period cannot be sealed; None: it can."""
        if body.from_us >= body.to_us:
            return "The period is empty: expected `from` before `to`."
        if body.again and Seal(body.again, body.from_us, body.to_us) not in self._sealed:
            return f"Period {body.again} is not what is to be sealed again: expected its newest edition."
        for seal in self._sealed:
            if seal.seal_no != body.again and seal.from_at < body.to_us and body.from_us < seal.to_at:
                return f"The period overlaps sealed period {seal.seal_no}: expected one that does not."
        await cursor.execute(
            """
            SELECT bool_and(at = date_trunc('hour', at, %s))
              FROM unnest(%s::bigint[]) AS given (us),
                   LATERAL (SELECT to_timestamp(0) + us * interval '1 microsecond') AS instant (at)
            """,
            [self._zone, [body.from_us, body.to_us]],
        )
        if await cursor.fetchone() != (True,):
            return (
                "The period does not begin and end with an hour of the site's zone: expected one that does."
            )
        closed_until = self._state.points["closed_until"]
        if self._state.watermark.at < body.to_us:
            return "The period has not ended: expected one that lies wholly before the site's watermark."
        open_points = np.flatnonzero((closed_until != NEVER) & (closed_until < body.to_us))
        if open_points.size:
            point = self._state.plan.points[int(open_points[0])].id
            return f"Point {point} has open intervals in the period: expected all of it to be closed."
        return None
