"""How far stored readings of registers reach: what has to be loaded to fold one over a span.

That depends on values (see `kernels.fold_counter`), so readings next to an instant are
looked at, a few first and more of those points of which few do not tell.
"""

from collections.abc import Callable

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER
from ingest.pipeline.batch import IntArray, Readings
from ingest.pipeline.signals import Signals
from ingest.pipeline.state import SiteState
from ingest.store.instants import MICROSECONDS
from ingest.store.registry import Numbers
from ingest.store.rows import ORDER, as_readings, as_signals, instants, usable
from kernels.reach import UNTOLD, anchors, seconds, turns_from, turns_until

FIRST_LOOK = 8
"""Readings of each point that are looked at first."""
LOOK_FURTHER = 8
"""How many times as many are, of those of which they do not tell."""

Tell = Callable[[Signals, IntArray, IntArray, IntArray], None]
"""(stretches, rows of the points asked for, whether a stretch is whole, out)."""


class Registers:
    """Stored registers of a site."""

    def __init__(self, cursor: AsyncCursor, state: SiteState, numbers: Numbers) -> None:
        """Inside the caller's transaction."""
        self._cursor = cursor
        self._state = state
        self._numbers = numbers

    async def anchors(self, point: IntArray, at: IntArray) -> IntArray:
        """Per point (plan index) the last anchor at or before an instant, NEVER if there is none."""

        def tell(given: Signals, asked: IntArray, whole: IntArray, out: IntArray) -> None:
            params = self._state.params[point[asked]]
            anchors(given.offsets, given.at, given.count, given.quality, given.reasons, params, whole, out)

        return await self._told(point, at, tell, after=False)

    async def seconds(self, point: IntArray, at: IntArray) -> IntArray:
        """Per point its second usable reading at or after an instant, NEVER if there is none."""

        def tell(given: Signals, _: IntArray, whole: IntArray, out: IntArray) -> None:
            seconds(given.offsets, given.at, given.count, given.quality, whole, out)

        return await self._told(point, at, tell, after=True)

    async def turns(self, point: IntArray, first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
        """From and up to which reading steps may change with new readings of [first, last]; NEVER: there is none."""

        def tell_from(given: Signals, asked: IntArray, whole: IntArray, out: IntArray) -> None:
            params = self._state.params[point[asked]]
            turns_from(
                given.offsets, given.at, given.count, given.quality, given.reasons, params, first[asked], whole, out
            )  # fmt: skip

        def tell_until(given: Signals, asked: IntArray, whole: IntArray, out: IntArray) -> None:
            params = self._state.params[point[asked]]
            turns_until(
                given.offsets, given.at, given.count, given.quality, given.reasons, params, whole, out
            )

        since = await self._told(point, first - 1, tell_from, after=False)
        return since, await self._told(point, last + 1, tell_until, after=True)

    async def _told(self, point: IntArray, at: IntArray, tell: Tell, *, after: bool) -> IntArray:
        """What `tell` says of the stretches that end, or begin, at instants."""
        out = np.full(point.size, NEVER, np.int64)
        asked, look = np.flatnonzero(at != NEVER), FIRST_LOOK
        while asked.size:
            readings = await self._nearest(point[asked], at[asked], look, after=after)
            given = as_signals(readings, point[asked])
            whole = (np.diff(given.offsets) < look).astype(np.int64)
            told = np.zeros(asked.size, np.int64)
            tell(given, asked, whole, told)
            out[asked] = told
            asked, look = asked[told == UNTOLD], look * LOOK_FURTHER
        return out

    async def _nearest(self, point: IntArray, at: IntArray, look: int, *, after: bool) -> Readings:
        """So many usable readings of each point next to an instant, of one time the winner first."""
        side, way = (">=", "ASC") if after else ("<=", "DESC")
        backwards = ", ".join(f"{part} DESC" for part in ORDER.format("r").split(", "))
        await self._cursor.execute(
            f"""
            SELECT t.place - 1, {MICROSECONDS.format("n.measured_at")}, {MICROSECONDS.format("n.received_at")},
                   n.value, n.quality, n.reasons, n.seq
              FROM unnest(%s::int[], %s::timestamptz[]) WITH ORDINALITY AS t (point_no, at, place)
             CROSS JOIN LATERAL (
                   SELECT * FROM reading r
                    WHERE r.point_no = t.point_no AND r.measured_at {side} t.at AND {usable("r")}
                    ORDER BY r.measured_at {way}, {backwards} LIMIT %s) n
             ORDER BY t.place, n.measured_at, {ORDER.format("n")}
            """,  # noqa: S608  fragments of this package
            [self._numbers.points[point].tolist(), instants(at), look],
        )
        return as_readings(self._state, point, await self._cursor.fetchall())
