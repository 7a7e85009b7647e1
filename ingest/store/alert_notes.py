"""Notes on episodes: what they rest on was said anew. No episode is judged again for that.

Whatever transaction revises intervals asks here, in itself; one note a batch and episode. An episode rests on its
subject from one window before it was pending until it was over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import AsyncCursor
from psycopg.types.json import Jsonb

from ingest.model import NEVER, Cause
from ingest.pipeline.batch import IntArray
from ingest.pipeline.causes import weightiest
from ingest.pipeline.episodes import instant
from ingest.plant.plan import Plan
from ingest.store.alerts import is_live
from ingest.store.facts import Stamp
from ingest.store.following import Changed
from ingest.store.footprints import mark_changed
from ingest.store.instants import MICROSECONDS
from ingest.store.seals import Touched
from ingest.store.versions import Edition

_FAR = -NEVER


@dataclass(frozen=True, slots=True)
class _Episode:
    episode: str
    data: dict[str, Any]
    from_at: int
    to_at: int
    was_told: bool


async def note(
    cursor: AsyncCursor, site_no: int, edition: Edition, changed: Sequence[Changed], stamp: Stamp
) -> None:
    """Note on the episodes that rest on changed intervals that they have changed."""
    if not any(one.pairs.size for one in changed):
        return
    starts = np.concatenate([one.pairs[:, 1] for one in changed])
    if edition.plan.mes.units:
        causes = np.concatenate([one.touched().points[:, 2] for one in changed])
        await _mark(cursor, site_no, starts, causes)
    episodes = await _episodes(cursor, site_no, int(starts.min()), int(starts.max()))
    if episodes:
        touched = Touched.join([one.touched() for one in changed])
        await _note(cursor, site_no, edition, episodes, touched, stamp)


async def note_touched(
    cursor: AsyncCursor, site_no: int, edition: Edition, touched: Touched, stamp: Stamp
) -> None:
    """The same of what a restatement has said anew."""
    starts = np.concatenate([rows[:, 1] for rows in (touched.points, touched.kpis, touched.sources)])
    if starts.size:
        if edition.plan.mes.units:
            await _mark(cursor, site_no, starts, np.array([Cause.RESTATEMENT]))
        episodes = await _episodes(cursor, site_no, int(starts.min()), int(starts.max()))
        await _note(cursor, site_no, edition, episodes, touched, stamp)


async def _mark(cursor: AsyncCursor, site_no: int, starts: IntArray, causes: IntArray) -> None:
    cause = Cause(weightiest(causes)).name.lower() if causes.size else "recomputed"
    await mark_changed(cursor, site_no, int(starts.min()), int(starts.max()), cause)


async def _note(
    cursor: AsyncCursor,
    site_no: int,
    edition: Edition,
    episodes: Sequence[_Episode],
    touched: Touched,
    stamp: Stamp,
) -> None:
    rows = _by_id(edition, touched)
    told = False
    for episode in episodes:
        found = np.concatenate(
            [
                np.zeros((0, 3), np.int64),
                *(rows[key] for key in _rests_on(edition.plan, episode.data) if key in rows),
            ]
        )
        mine = found[(found[:, 1] >= episode.from_at) & (found[:, 1] < episode.to_at)]
        if mine.size:
            await _write(cursor, site_no, episode, mine, edition.plan, stamp)
            told = True
    if told:
        await cursor.execute("SELECT pg_notify('stackwatt_event', %s)", [str(site_no)])


async def _episodes(cursor: AsyncCursor, site_no: int, first: int, last: int) -> list[_Episode]:
    """Episodes that may rest on intervals that begin in [first, last]."""
    await cursor.execute(
        f"""
        SELECT episode, data, {MICROSECONDS.format("pending_at")} - window_us,
               coalesce({MICROSECONDS.format("resolved_at")}, {_FAR}), told_at IS NOT NULL
          FROM alert_episode
         WHERE site_no = %s
           AND pending_at - window_us * interval '1 microsecond' <= to_timestamp(0) + %s * interval '1 microsecond'
           AND (resolved_at IS NULL OR resolved_at > to_timestamp(0) + %s * interval '1 microsecond')
        """.encode(),  # noqa: S608  fragments of rows
        [site_no, last, first],
    )
    return [_Episode(*row) for row in await cursor.fetchall()]


def _by_id(edition: Edition, touched: Touched) -> dict[tuple[str, str], IntArray]:
    """What was touched, by (point, kpi or source; full id)."""
    plan, numbers = edition.plan, edition.numbers
    found: dict[tuple[str, str], IntArray] = {}
    for word, names, column, rows in (
        ("point", [one.id for one in plan.points], numbers.points, touched.points),
        ("kpi", [one.id for one in plan.kpis], numbers.kpis, touched.kpis),
        ("source", [one.id for one in plan.sources], numbers.sources, touched.sources),
    ):
        ids = dict(zip(column.tolist(), names, strict=True))
        for number in np.unique(rows[:, 0]).tolist():
            if number in ids:
                found[word, ids[number]] = rows[rows[:, 0] == number]
    return found


def _rests_on(plan: Plan, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the subject of an episode is made of."""
    kind, name = data["subject"]["kind"], data["subject"]["id"]
    match kind:
        case "kpi" | "demand":
            return [("kpi", name)]
        case "emission":
            return [("source", name)]
        case "benchmark":
            return [("kpi", one.kpi) for one in plan.benchmarks if one.id == name]
        case "residual":
            entries = [one for one in plan.reconciliations if one.id == name]
            return [("source", source.id) for entry in entries for source in entry.sources]
        case _:
            return [("point", name), ("kpi", name)]


async def _write(
    cursor: AsyncCursor, site_no: int, episode: _Episode, rows: IntArray, plan: Plan, stamp: Stamp
) -> None:
    first, last = int(rows[:, 1].min()), int(rows[:, 1].max())
    cause = Cause(weightiest(rows[:, 2])).name.lower()
    said = {
        "intervals": len(np.unique(rows[:, 1])),
        "from": instant(first),
        "to": instant(last + plan.interval_us),
        "cause": cause,
    }
    await cursor.execute(
        """
        INSERT INTO event (site_no, id, type, stream, occurred_at, batch_no, historical, data)
        VALUES (%s, %s, 'alert.noted', %s, to_timestamp(0) + %s * interval '1 microsecond', %s, %s, %s)
        ON CONFLICT (id) DO NOTHING
        """,
        [
            site_no, f"{episode.episode}.noted.{stamp.batch_no}", episode.episode, stamp.known_at, stamp.batch_no,
            not (episode.was_told and is_live(plan)), Jsonb({**episode.data, "note": said}),
        ],
    )  # fmt: skip
    await cursor.execute("UPDATE alert_episode SET noted = noted + 1 WHERE episode = %s", [episode.episode])
