"""Where alert rules stand, and their episodes and events: read at a start, written with a batch.

An event is written in the transaction that made it true (`event` is the outbox). People are told of an
episode's end if they were told of its beginning; of one that was history only history is kept.
"""

from typing import Any

import numpy as np
from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

from ingest.model import NEVER
from ingest.pipeline.alerted import Alerted, Kept, Told
from ingest.pipeline.alerts import AlertBoard, Silence
from ingest.pipeline.batch import EMISSION_ROW, Batch
from ingest.pipeline.episodes import ended, episode_id
from ingest.pipeline.state import SiteState
from ingest.plant.fields import parse_span
from ingest.plant.plan import Plan
from ingest.store.facts import Stamp
from ingest.store.instants import MICROSECONDS
from ingest.store.paired import stored_intervals
from ingest.store.registry import Numbers
from ingest.store.stored import EMISSIONS
from kernels.rows import INTERVAL_ROW
from kernels.rule_rows import (
    AUDIBLE,
    DAMPENED,
    FIRED,
    FIRING,
    HISTORICAL,
    PARENT,
    RESOLVED,
    RULE_STATE,
    SILENCED,
    TOLD,
)

_INSTANTS = ("pending_at", "fired_at", "held_from", "seen_at", "born_at")
_STATE = """
    INSERT INTO alert_state
    VALUES (%(site_no)s, %(rule)s, %(watches)s, %(state)s, %(told)s::int::boolean, %(pending_at)s, %(fired_at)s,
            %(held_from)s, %(held_us)s, %(seen_at)s, %(born_at)s, %(excess)s, %(tolds)s, %(past_at)s, %(past_value)s,
            %(batch_no)s)
    ON CONFLICT (site_no, rule) DO UPDATE
       SET (watches, state, told, pending_us, fired_us, held_from, held_us, seen_us, born_us, excess, told_at, past_at,
            past_value, batch_no)
         = (excluded.watches, excluded.state, excluded.told, excluded.pending_us, excluded.fired_us,
            excluded.held_from, excluded.held_us, excluded.seen_us, excluded.born_us, excluded.excess,
            excluded.told_at, excluded.past_at, excluded.past_value, excluded.batch_no)
"""
MUTES = {HISTORICAL: "historical", SILENCED: "silenced", PARENT: "parent", DAMPENED: "dampened"}


async def restore(
    connection: AsyncConnection, site_no: int, state: SiteState, numbers: Numbers, board: AlertBoard
) -> None:
    """Go on where rules stood after the last committed batch."""
    async with connection.cursor() as cursor:
        kept = await _kept(cursor, site_no)
        for rule in board.restore(kept):
            board.orphans.append((rule, await _end_of(cursor, state, rule, kept[rule])))
        if not board.alerts.rules:
            return
        board.silence(await silences(cursor, site_no))
        board.recall(await _closed(cursor, state, numbers))


async def _kept(cursor: AsyncCursor, site_no: int) -> dict[str, Kept]:
    await cursor.execute(
        """
        SELECT rule, watches, state, told::int, pending_us, fired_us, held_from, held_us, seen_us, born_us, excess,
               told_at, past_at, past_value
          FROM alert_state WHERE site_no = %s
        """,
        [site_no],
    )
    found = {}
    for rule, watches, *values, told_at, past_at, past_value in await cursor.fetchall():
        row = np.zeros(1, RULE_STATE)
        for name, value in zip(RULE_STATE.names or (), values, strict=True):
            row[name] = NEVER if value is None else value
        found[rule] = Kept(watches, row, told_at, past_at, past_value)
    return found


async def _end_of(cursor: AsyncCursor, state: SiteState, rule: str, kept: Kept) -> Told | None:
    """The end of the episode of a rule that is no more; None: none is under way."""
    if kept.state["state"][0] != FIRING:
        return None
    episode = episode_id(state.plan.site, rule, int(kept.state["pending_at"][0]))
    await cursor.execute("SELECT data FROM alert_episode WHERE episode = %s", [episode])
    row = await cursor.fetchone()
    return None if row is None else ended(state.plan, episode, row[0], state.watermark.at)


async def _closed(cursor: AsyncCursor, state: SiteState, numbers: Numbers) -> Batch:
    """What rules look back at: the last interval of points, emissions as far as the longest window."""
    plan = state.plan
    points = {one.place for one in plan.alerts.subjects if one.observed == "interval"}
    intervals = [np.zeros(0, INTERVAL_ROW)]
    for point in points:
        until = int(state.points["closed_until"][point])
        if until != NEVER:
            intervals.append(await stored_intervals(cursor, numbers, point, until - plan.interval_us, until))
    emissions = [np.zeros(0, EMISSION_ROW)]
    for source, back_us in _sources(state).items():
        until = int(state.points["closed_until"][list(plan.sources[source].points)].min())
        if until == NEVER:
            continue
        stored = await EMISSIONS.fetch(cursor, int(numbers.sources[source]), until - back_us, until)
        rows = np.zeros(stored.size, EMISSION_ROW)
        for name in EMISSION_ROW.names or ():
            rows[name] = source if name == "source" else stored[name]
        emissions.append(rows)
    return Batch(
        watermark=state.watermark.at, intervals=np.concatenate(intervals), emissions=np.concatenate(emissions)
    )


def _sources(state: SiteState) -> dict[int, int]:
    """Sources that rules look back at, and how far, µs."""
    plan = state.plan
    places = {source.id: number for number, source in enumerate(plan.sources)}
    found: dict[int, int] = {}
    for one in plan.alerts.subjects:
        window_us = one.window_us or 0
        if one.observed == "emission":
            found[one.place] = max(found.get(one.place, 0), window_us)
        elif one.observed == "residual":
            entry = plan.reconciliations[one.place]
            longest = max(abs(lag) for _, lag in entry.calculated) + window_us
            for source in (entry.measured, *entry.additions, *(source for source, _ in entry.calculated)):
                number = places[source.id]
                found[number] = max(found.get(number, 0), longest + 2 * plan.interval_us)
    return found


async def silences(cursor: AsyncCursor, site_no: int) -> list[Silence]:
    """The silences that were not over a day before the last commit."""
    await cursor.execute(
        f"""
        SELECT silence_no, rule, unit_path, {MICROSECONDS.format("from_at")}, {MICROSECONDS.format("to_at")}
          FROM alert_silence WHERE site_no = %s
           AND to_at > coalesce((SELECT known_at - interval '1 day' FROM ingest_commit WHERE site_no = %s
                                  ORDER BY batch_no DESC LIMIT 1), '-infinity')
         ORDER BY silence_no
        """.encode(),  # noqa: S608  a fragment of rows
        [site_no, site_no],
    )
    return [Silence(*row) for row in await cursor.fetchall()]


async def write_alerted(
    cursor: AsyncCursor, site_no: int, board: AlertBoard, alerted: Alerted | None, stamp: Stamp
) -> None:
    """Write what an evaluation came to, in the transaction of its batch."""
    if alerted is None or alerted.empty:
        return
    if alerted.gone:
        await cursor.execute(
            "DELETE FROM alert_state WHERE site_no = %s AND rule = ANY(%s)", [site_no, alerted.gone]
        )
    rows = [_state_row(site_no, rule, kept, stamp) for rule, kept in board.kept(alerted).items()]
    if rows:
        await cursor.executemany(_STATE, rows)
    for told in alerted.told:
        await _write_told(cursor, site_no, told, stamp, live=is_live(board.plan))
    if alerted.told:
        await cursor.execute("SELECT pg_notify('stackwatt_event', %s)", [str(site_no)])


def _state_row(site_no: int, rule: str, kept: Kept, stamp: Stamp) -> dict[str, Any]:
    values = {name: kept.state[name][0].item() for name in RULE_STATE.names or ()}
    return {
        **values,
        **{name: None if values[name] == NEVER else values[name] for name in _INSTANTS},
        "site_no": site_no,
        "rule": rule,
        "watches": kept.watches,
        "tolds": kept.told_at,
        "past_at": kept.past_at,
        "past_value": kept.past_value,
        "batch_no": stamp.batch_no,
    }


def is_live(plan: Plan) -> bool:
    """Whether what happens at a site happens now; a replay's time is long past, so its events are stored, not delivered."""
    return plan.clock == "live"


async def _write_told(cursor: AsyncCursor, site_no: int, told: Told, stamp: Stamp, *, live: bool) -> None:
    data = Jsonb(told.data)
    if told.what == FIRED:
        await _write_episode(cursor, site_no, told, stamp)
        if told.mute in (AUDIBLE, HISTORICAL):
            await write_event(
                cursor,
                site_no,
                told.episode,
                "firing",
                told.at,
                data,
                stamp,
                historical=told.mute == HISTORICAL or not live,
            )
        return
    column = "told_at" if told.what == TOLD else "resolved_at"
    await cursor.execute(
        f"""
        UPDATE alert_episode SET {column} = to_timestamp(0) + %s * interval '1 microsecond', data = %s, batch_no = %s
         WHERE episode = %s RETURNING told_at IS NOT NULL, mute = 'historical'
        """.encode(),  # noqa: S608  a word of this module
        [told.at, data, stamp.batch_no, told.episode],
    )
    row = await cursor.fetchone()
    was_told, historical = row or (False, False)
    if told.what == TOLD:
        await write_event(
            cursor, site_no, told.episode, "firing", told.at, data, stamp, part="told", historical=not live
        )
    elif told.what == RESOLVED and (was_told or historical):
        await write_event(
            cursor,
            site_no,
            told.episode,
            "resolved",
            told.at,
            data,
            stamp,
            historical=not was_told or not live,
        )


async def _write_episode(cursor: AsyncCursor, site_no: int, told: Told, stamp: Stamp) -> None:
    data = told.data
    await cursor.execute(
        """
        INSERT INTO alert_episode (episode, site_no, rule, severity, subject_kind, subject_id, unit_path, window_us,
                                   pending_at, fired_at, told_at, mute, data, batch_no)
        VALUES (%(episode)s, %(site_no)s, %(rule)s, %(severity)s, %(kind)s, %(id)s, %(unit_path)s, %(window_us)s,
                to_timestamp(0) + %(pending_at)s * interval '1 microsecond',
                to_timestamp(0) + %(fired_at)s * interval '1 microsecond',
                to_timestamp(0) + %(told_at)s * interval '1 microsecond', %(mute)s, %(data)s, %(batch_no)s)
        ON CONFLICT DO NOTHING
        """,
        {
            "episode": told.episode,
            "site_no": site_no,
            "rule": told.rule,
            "severity": data["severity"],
            "kind": data["subject"]["kind"],
            "id": data["subject"]["id"],
            "unit_path": data["unit_path"],
            "window_us": parse_span(data["subject"]["window"]) if data["subject"]["window"] else 0,
            "pending_at": told.pending_at,
            "fired_at": told.fired_at,
            "told_at": told.at if told.mute == AUDIBLE else None,
            "mute": MUTES.get(told.mute),
            "data": Jsonb(data),
            "batch_no": stamp.batch_no,
        },
    )


async def write_event(
    cursor: AsyncCursor,
    site_no: int,
    episode: str,
    word: str,
    at: int,
    data: Jsonb,
    stamp: Stamp,
    *,
    part: str | None = None,
    historical: bool = False,
) -> None:
    """Put an event of an episode into the outbox; `part` tells it from others of its type."""
    await cursor.execute(
        """
        INSERT INTO event (site_no, id, type, stream, occurred_at, batch_no, historical, data)
        VALUES (%s, %s, %s, %s, to_timestamp(0) + %s * interval '1 microsecond', %s, %s, %s)
        ON CONFLICT (id) DO NOTHING
        """,
        [
            site_no, f"{episode}.{part or word}", f"alert.{word}", episode, at, stamp.batch_no, historical, data,
        ],
    )  # fmt: skip
