"""The audit log: the one door through which every change leaves its line.

A line is written on the connection, and in the transaction, of what it tells; so it
stands if and only if the change does. The table is only ever added to (a trigger).
What is measured is no change of anybody's: readings have their own evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

Via = Literal["api", "console", "ingest"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something."""

    name: str
    """Of a key, or user@host."""
    via: Via


CONSOLE = Actor("console", "console")
"""Somebody at a console who is not told apart."""
INGEST = Actor("ingest", "ingest")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was changed."""

    what: str
    """`key.created`, `plan.applied`, …: a word for the thing and one for what became of it."""
    subject: str
    site_no: int | None = None
    """None: it is of no one site."""
    before: Mapping[str, Any] | None = None
    """As JSON; None: there was nothing."""
    after: Mapping[str, Any] | None = None


async def record(connection: AsyncConnection[Any] | AsyncCursor[Any], actor: Actor, change: Change) -> None:
    """Write the line of a change; call it in the change's own transaction."""
    await connection.execute(
        """
        INSERT INTO audit (who, via, what, site_no, subject, before, after) VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            actor.name,
            actor.via,
            change.what,
            change.site_no,
            change.subject,
            None if change.before is None else Jsonb(dict(change.before)),
            None if change.after is None else Jsonb(dict(change.after)),
        ],
    )
