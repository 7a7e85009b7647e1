"""What people do about alerts, taken up: acknowledgements, comments and assignments become events, silences count.

The service has written them down and put a row of kind `alert` into the inbox; here it is consumed, in
a transaction of its own that announces what it says.
"""

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

from ingest.pipeline.episodes import instant
from ingest.pipeline.pipeline import SitePipeline
from ingest.store.alerts import is_live, silences, write_event
from ingest.store.facts import Stamp
from ingest.store.instants import MICROSECONDS
from ingest.store.writer import Writer

_WORDS = {"acknowledge": "acknowledged", "comment": "commented", "assign": "assigned"}


@dataclass(frozen=True, slots=True)
class ActsAsked:
    """Waiting inbox rows of kind `alert`."""

    inbox: list[int]


async def waiting(connection: AsyncConnection, site_no: int, most: int) -> ActsAsked:
    """Those that wait, oldest first."""
    cursor = await connection.execute(
        """
        SELECT inbox_no FROM inbox WHERE site_no = %s AND kind = 'alert' AND batch_no IS NULL
         ORDER BY inbox_no LIMIT %s
        """,
        [site_no, most],
    )
    return ActsAsked([row[0] for row in await cursor.fetchall()])


async def take_up(writer: Writer, plan_version: int, asked: ActsAsked, pipeline: SitePipeline) -> None:
    """Consume inbox rows; silences count from now on. Raises as `Writer.commit` does."""
    stamp = await writer.begin(plan_version)
    connection = await writer.connection()
    if stamp is not None:
        async with connection.transaction(), connection.cursor() as cursor:
            await writer.open(cursor, stamp, pipeline.state.watermark.at, 0)
            for act in await _acts(cursor, asked.inbox):
                await _tell(cursor, writer.site_no, act, stamp, historical=not is_live(pipeline.plan))
            await cursor.execute(
                "UPDATE inbox SET batch_no = %s WHERE inbox_no = ANY(%s)", [stamp.batch_no, asked.inbox]
            )
            await cursor.execute("SELECT pg_notify('stackwatt_event', %s)", [str(writer.site_no)])
            await writer.announce(cursor, stamp)
        writer.done()
    async with connection.cursor() as cursor:
        pipeline.alerts.silence(await silences(cursor, writer.site_no))


async def _acts(cursor: AsyncCursor, inbox: list[int]) -> list[dict[str, Any]]:
    await cursor.execute(
        f"""
        SELECT act_no, episode, kind, note, assignee, a.author, {MICROSECONDS.format("a.at")} AS at, e.data
          FROM alert_act a JOIN alert_episode e USING (episode)
         WHERE a.inbox_no = ANY(%s) ORDER BY act_no
        """.encode(),  # noqa: S608  a fragment of rows
        [inbox],
    )
    names = ("act_no", "episode", "kind", "note", "assignee", "author", "at", "data")
    return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]


async def _tell(
    cursor: AsyncCursor, site_no: int, act: dict[str, Any], stamp: Stamp, *, historical: bool
) -> None:
    word = _WORDS[act["kind"]]
    data = {
        **act["data"],
        "act": {
            "kind": act["kind"],
            "note": act["note"],
            "assignee": act["assignee"],
            "author": act["author"],
            "at": instant(act["at"]),
        },
    }
    part = f"{word}.{act['act_no']}"
    await write_event(
        cursor, site_no, act["episode"], word, act["at"], Jsonb(data), stamp, part=part, historical=historical
    )
