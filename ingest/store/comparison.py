"""Verdicts on compared points, made and stored in the transaction that makes or changes an hour of either.

A verdict that says something else than before revises the intervals of the hour after it: they
are folded again from stored readings, by the function that closed them. So it does not matter
which of the two points closed first, or what came late. An hour is compared under the newer of
the versions in force at the two points at its end, which is the one in hand when the later of
them closes it; what is in doubt is folded under the version in force there. Which hours there are
to look at and what a verdict says is `ingest.pipeline.drift`'s.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from psycopg import AsyncCursor

from ingest.model import HOUR
from ingest.pipeline import causes, drift, late
from ingest.pipeline.batch import IntArray, Rows
from ingest.pipeline.drift import COMPARISON_ROW, Verdict
from ingest.store.drifted import drifted_hours, write_comparisons
from ingest.store.earlier import Earlier, Reached
from ingest.store.facts import Stamp, stage_intervals, write_frontiers
from ingest.store.following import FIRST_LATE_REVISION, Changed
from ingest.store.instants import MICROSECONDS
from ingest.store.neighbours import load_readings
from ingest.store.rollups import roll_up
from ingest.store.rows import as_signals, from_loaded, instants
from ingest.store.tables import INTERVAL
from ingest.store.versions import Edition
from kernels.rows import INTERVAL_ROW

NONE: IntArray = np.zeros((0, 2), np.int64)

Flips = dict[int, tuple[set[int], set[int]]]
"""Point number → hours that have drifted by what is said now, and hours that had by what was said before."""


class Comparer:
    """Compares the points of one site."""

    def __init__(self, earlier: Earlier, zone: str) -> None:
        """`earlier` gives the newest version, whose state learns which hours have drifted, and those before it."""
        self._earlier = earlier
        self._newest = earlier.newest
        self._zone = zone

    async def closed(self, cursor: AsyncCursor, spans: IntArray, stamp: Stamp) -> Changed:
        """Compare hours (comparison, begin, end) that both points have come past; what changes by it."""
        flips: Flips = {}
        await self._compare(cursor, self._newest, spans, stamp, flips)
        hours = [hour for come, gone in flips.values() for hour in come | gone]
        _learn(self._newest, flips)
        if not hours:
            return Changed.closed_late(NONE, Reached([self._newest]))
        reached = await self._earlier.reached(cursor, min(hours), max(hours) + 2 * HOUR)
        found = Changed.closed_late(NONE, reached)
        pairs = await self._revise(cursor, reached, found.causes, flips, stamp)
        return Changed(pairs, reached, found.causes)

    async def follow(self, cursor: AsyncCursor, changed: Changed, stamp: Stamp) -> Changed:
        """Changed intervals with what they change of compared hours; it has the most deliberate of the causes."""
        flips, extended = Flips(), list[IntArray]()
        for edition, cause in zip(changed.reached.editions, changed.causes, strict=True):
            spans = drift.hours_of(edition.state, edition.indices(changed.pairs))
            spans = spans[[_is_made_by(edition, changed.reached, k, end) for k, _, end in spans.tolist()]]
            await self._compare(cursor, edition, spans, stamp, flips)
            extended.append(_extended(edition, cause))
        if not any(come or gone for come, gone in flips.values()):
            return changed
        for edition in changed.reached.editions:
            _learn(edition, flips)
        pairs = await self._revise(cursor, changed.reached, extended, flips, stamp)
        both = np.unique(np.concatenate([changed.pairs, pairs]), axis=0)
        return Changed(both, changed.reached, extended)

    async def _compare(
        self, cursor: AsyncCursor, edition: Edition, spans: IntArray, stamp: Stamp, flips: Flips
    ) -> None:
        """Write the verdicts of spans, and note what they change."""
        if not spans.size:
            return
        if edition is self._newest:
            await self._store_frontiers(cursor, spans, stamp)
        before = await drifted_hours(cursor, edition.state, edition.numbers, spans)
        made = await _made(cursor, edition, spans)
        await _write(cursor, edition, spans, made, stamp)
        for k in np.unique(spans[:, 0]).tolist():
            point = edition.plan.comparisons[k].point
            mine = made[(made["point"] == point) & (made["verdict"] == Verdict.DRIFTED)]
            was, now = before.get(point, set()), set(mine["start_at"].tolist())
            come, gone = flips.setdefault(int(edition.numbers.points[point]), (set(), set()))
            come.update(now - was)
            gone.update(was - now)

    async def _store_frontiers(self, cursor: AsyncCursor, spans: IntArray, stamp: Stamp) -> None:
        """A verdict says that both have closed its hour, so what a silent one has closed is stored by then."""
        state, numbers = self._newest.state, self._newest.numbers
        pairs = [state.plan.comparisons[k] for k in np.unique(spans[:, 0]).tolist()]
        points = np.unique([(one.point, one.other) for one in pairs])
        closed_until = state.points["closed_until"]
        points = points[closed_until[points] > state.stored_until[points]]
        silent = np.ones(points.size, np.bool_)
        await write_frontiers(cursor, numbers.points[points], closed_until[points], silent, stamp)

    async def _revise(
        self, cursor: AsyncCursor, reached: Reached, cause: Sequence[IntArray], flips: Flips, stamp: Stamp
    ) -> IntArray:
        """Fold the hours after those that are another now again; (point number, start_at) of what differs."""
        await cursor.execute(INTERVAL.unstage)
        staged = 0
        for edition, why in zip(reached.editions, cause, strict=True):
            parts = [np.zeros(0, INTERVAL_ROW)]
            for point, begin, end in _doubtful(edition, reached, flips):
                parts.append(await _folded(cursor, edition, point, begin, end))
            rows, under = np.concatenate(parts), replace(stamp, plan_version=edition.plan.version)
            staged += rows.size
            await stage_intervals(
                cursor, rows, edition.numbers, under, revision=FIRST_LATE_REVISION, cause=why[rows["segment"]]
            )
        if not staged:
            return NONE
        merged = await cursor.execute(INTERVAL.revise)
        pairs = [(number, round(at.timestamp() * 1_000_000)) for number, at in await merged.fetchall()]
        await roll_up(cursor, self._zone)
        return np.array(pairs, np.int64).reshape(-1, 2)


def _is_made_by(edition: Edition, reached: Reached, k: int, end: int) -> bool:
    """Whether it is this version that compares the hour that ends at an edge."""
    if reached.forces is None:
        return True
    compared, last = edition.plan.comparisons[k], np.array([end - edition.plan.interval_us])
    numbers = edition.numbers.points[[compared.point, compared.other]].tolist()
    return max(int(reached.forces.at(number, last)[0]) for number in numbers) == edition.plan.version


def _extended(edition: Edition, cause: IntArray) -> IntArray:
    """The cause of each point, of what may be in doubt the most deliberate of the two compared and its own."""
    found = cause.copy()
    for compared in edition.plan.comparisons:
        for target in compared.doubts:
            some = np.array([found[target], cause[compared.point], cause[compared.other]])
            found[target] = causes.weightiest(some)
    return found


def _learn(edition: Edition, flips: Flips) -> None:
    """Let a version fold by what is said now, whichever has said it; a second time it changes nothing."""
    for compared in edition.plan.comparisons:
        come, gone = flips.get(int(edition.numbers.points[compared.point]), (set(), set()))
        edition.state.drifted[compared.point] -= gone
        edition.state.drifted[compared.point] |= come


def _doubtful(edition: Edition, reached: Reached, flips: Flips) -> Iterator[tuple[int, int, int]]:
    """(point, begin, end) of what a version has closed in the hours after some of the points it compares."""
    hours: dict[int, set[int]] = {}
    for compared in edition.plan.comparisons:
        for target in compared.doubts:
            come, gone = flips.get(int(edition.numbers.points[compared.point]), (set(), set()))
            hours.setdefault(target, set()).update(come | gone)
    for point, some in hours.items():
        for begin, end in _runs(some, int(edition.state.points["closed_until"][point])):
            span = reached.own(edition, late.Spans(np.array([point]), np.array([begin]), np.array([end])))
            yield from zip(span.point.tolist(), span.begin.tolist(), span.end.tolist(), strict=True)


def _runs(hours: set[int], until: int) -> Iterable[tuple[int, int]]:
    """Spans [begin, end) of the hours after some, as far as they are closed."""
    after = sorted(hour + HOUR for hour in hours if hour + HOUR < until)
    begin = 0
    for place, hour in enumerate(after):
        if place + 1 == len(after) or after[place + 1] > hour + HOUR:
            yield after[begin], min(hour + HOUR, until)
            begin = place + 1


async def _folded(cursor: AsyncCursor, edition: Edition, point: int, begin: int, end: int) -> Rows:
    """The intervals of a point over [begin, end), from stored readings."""
    state, plan = edition.state, edition.plan
    if point < plan.n_measured:
        span = late.Spans(np.array([point]), np.array([begin]), np.array([end]))
        loaded = await load_readings(cursor, state, edition.numbers, span.point, span.begin, span.end)
        return late.refold(state, as_signals(loaded, span.point), span)[0]
    inputs = np.unique(plan.computed[point - plan.n_measured].reads)
    edges = np.full(inputs.size, begin), np.full(inputs.size, end)
    loaded = await load_readings(cursor, state, edition.numbers, inputs, *edges)
    return late.recompute(state, from_loaded(loaded), point, begin, end)


async def _made(cursor: AsyncCursor, edition: Edition, spans: IntArray) -> Rows:
    """COMPARISON_ROW of the hours in the spans, from the closed intervals as they are stored by now."""
    plan, found = edition.plan, [np.zeros(0, COMPARISON_ROW)]
    stored = await _intervals(cursor, edition, spans)
    for k in np.unique(spans[:, 0]).tolist():
        mine = stored[stored["segment"] == 2 * k], stored[stored["segment"] == 2 * k + 1]
        found.append(drift.verdicts(plan, plan.comparisons[k], *mine))
    return np.concatenate(found)


async def _intervals(cursor: AsyncCursor, edition: Edition, spans: IntArray) -> Rows:
    """INTERVAL_ROW of both points where both have one; `segment` is twice the comparison, of the other one more."""
    compared = [edition.plan.comparisons[k] for k in spans[:, 0].tolist()]
    await cursor.execute(
        f"""
        SELECT t.k, {MICROSECONDS.format("own.start_at")},
               coalesce(own.amount, 'NaN'), coalesce(own.mean, 'NaN'), own.valid_us,
               coalesce(other.amount, 'NaN'), coalesce(other.mean, 'NaN'), other.valid_us
          FROM unnest(%s::int[], %s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[])
               AS t (k, own_no, other_no, begin_at, end_at)
          JOIN interval own ON own.point_no = t.own_no AND own.revision > 0
               AND own.start_at >= t.begin_at AND own.start_at < t.end_at
          JOIN interval other ON other.point_no = t.other_no AND other.revision > 0
               AND other.start_at = own.start_at AND other.start_at >= t.begin_at AND other.start_at < t.end_at
        """,  # noqa: S608  fragments of this package
        [
            spans[:, 0].tolist(),
            edition.numbers.points[[one.point for one in compared]].tolist(),
            edition.numbers.points[[one.other for one in compared]].tolist(),
            instants(spans[:, 1]),
            instants(spans[:, 2]),
        ],
    )
    found = await cursor.fetchall()
    rows = np.zeros(2 * len(found), INTERVAL_ROW)
    for place, side in ((2, 0), (5, 1)):
        mine = rows[side::2]
        mine["segment"] = [2 * row[0] + side for row in found]
        mine["start_at"] = [row[1] for row in found]
        for column, name in enumerate(("amount", "mean", "valid_us"), start=place):
            mine[name] = [row[column] for row in found]
    return rows


async def _write(cursor: AsyncCursor, edition: Edition, spans: IntArray, made: Rows, stamp: Stamp) -> None:
    """Put verdicts in the place of those that stand in the spans."""
    owner = [edition.plan.comparisons[k].point for k in spans[:, 0].tolist()]
    await cursor.execute(
        """
        DELETE FROM comparison c
         USING unnest(%s::int[], %s::timestamptz[], %s::timestamptz[]) AS span (point_no, begin_at, end_at)
         WHERE c.point_no = span.point_no AND c.start_at >= span.begin_at AND c.start_at < span.end_at
           AND (c.point_no, c.start_at) NOT IN (SELECT * FROM unnest(%s::int[], %s::timestamptz[]))
        """,
        [
            edition.numbers.points[owner].tolist(), instants(spans[:, 1]), instants(spans[:, 2]),
            edition.numbers.points[made["point"]].tolist(), instants(made["start_at"]),
        ],
    )  # fmt: skip
    version = np.full(made.size, edition.plan.version)
    await write_comparisons(cursor, edition.numbers.points[made["point"]], made, version, stamp)
