"""What people do about alerts: acknowledge, comment, assign, silence; written here, taken up by ingest.

An act and its inbox row are written in one transaction; the row knows the Idempotency-Key, so an act that
is sent again is known again. Ingest makes an event of an act, and heeds a silence, within a second.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import Field

from ingest.store.audit import Actor, Change, record
from ingest.store.inbox import OURS
from service import inbox
from service.access import Access
from service.claims import Asked, Note
from service.documents import Document, Instant, Page
from service.plans import SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection, Row, row, rows
from service.times import format_instant, to_datetime

NUMBER = range(1, 2**61)
_DONE = {"acknowledge": "acknowledged", "comment": "commented", "assign": "assigned"}


class ActAsked(Asked):
    """An acknowledgement."""

    note: Note | None = Field(None, description="What there is to say about it")


class CommentAsked(Asked):
    """A comment."""

    note: Note


class AssignAsked(Asked):
    """Whose it is from now on."""

    assignee: Note
    note: Note | None = None


class SilenceAsked(Asked):
    """For what people want to hear nothing."""

    site: str = Field(max_length=255)
    rule: str | None = Field(None, description="Id of a rule; with none of rule and unit: of the whole site")
    unit: str | None = Field(None, description="Full id of a unit; rules about it and what is below it")
    from_: Instant | None = Field(None, alias="from", description="Default: now")
    to: Instant
    reason: Note


class SilenceDocument(Document):
    """A silence."""

    silence: int = Field(description="Its number")
    site: str
    rule: str | None
    unit: str | None
    from_: Instant = Field(alias="from")
    to: Instant = Field(description="Exclusive; of one that was ended early when it was")
    reason: str
    author: str
    made_at: Instant
    ended_by: str | None = Field(description="Who ended it early")


class AnsweredSilence(SilenceDocument):
    """A silence after what was asked of it."""

    repeated: bool = Field(description="The same had been asked before; nothing was added")


SILENCE_EXAMPLE: dict[str, Any] = {
    "silence": 4,
    "site": "cement",
    "rule": None,
    "unit": "cement/kiln",
    "from": "2026-11-20T06:00:00Z",
    "to": "2026-11-20T14:00:00Z",
    "reason": "Kiln stop, planned",
    "author": "m.weber",
    "made_at": "2026-11-20T05:48:00Z",
    "ended_by": None,
}

_SILENCES = """
    SELECT silence_no, site_no, rule, unit_path, from_at, to_at, reason, author, made_at, ended_by FROM alert_silence
"""


async def act(
    connection: Connection,
    site_no: int,
    episode: str,
    said: dict[str, Any],
    access: Access,
    key: str,
    now: int,
) -> bool:
    """Write an act down, `said` being kind, note and assignee; whether it had been before.

    Raises:
        ProblemError: the key stands for another act.
    """
    body = msgspec.json.encode({"episode": episode, **said, "author": access.name}).decode()
    receipt = await inbox.accept(connection, site_no, "alert", body, key, access.name)
    if not receipt.repeated:
        await connection.execute(
            """
            INSERT INTO alert_act (site_no, episode, kind, note, assignee, author, at, inbox_no)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                site_no, episode, said["kind"], said["note"], said["assignee"], access.name, to_datetime(now),
                receipt.inbox_no,
            ],
        )  # fmt: skip
        after = {"kind": said["kind"], "note": said["note"], "assignee": said["assignee"]}
        change = Change(f"alert.{_DONE[said['kind']]}", f"alert {episode}", site_no, None, after)
        await record(connection, Actor(access.name, "api"), change)
    return receipt.repeated


async def silence(
    connection: Connection, site: SitePlan, asked: SilenceAsked, access: Access, key: str, now: int
) -> AnsweredSilence:
    """Write a silence down.

    Raises:
        ProblemError: it names what the plan has not, it is over, or the key stands for another one.
    """
    _check(site, asked, now)
    said = {**asked.model_dump(by_alias=True), "author": access.name}
    body = msgspec.json.encode(said).decode()
    receipt = await inbox.accept(connection, site.site_no, "alert", body, key, access.name)
    if not receipt.repeated:
        await connection.execute(
            """
            INSERT INTO alert_silence (site_no, rule, unit_path, from_at, to_at, reason, author, made_at, inbox_no)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                site.site_no, asked.rule, asked.unit, to_datetime(now if asked.from_ is None else asked.from_),
                to_datetime(asked.to), asked.reason, access.name, to_datetime(now), receipt.inbox_no,
            ],
        )  # fmt: skip
    found = await row(connection, f"{_SILENCES} WHERE inbox_no = %s", [receipt.inbox_no])
    if found is None:  # the key stands for an act on an episode
        raise ProblemError(
            "idempotency-key-reused",
            f"Idempotency-Key {key!r} was used for another body: expected a new one.",
        )
    if not receipt.repeated:
        after = SilenceDocument(**_told(found, [site])).model_dump(mode="json", by_alias=True)
        change = Change("silence.made", f"silence {found[0]}", site.site_no, None, after)
        await record(connection, Actor(access.name, "api"), change)
    return AnsweredSilence(**_told(found, [site]), repeated=receipt.repeated)


def _check(site: SitePlan, asked: SilenceAsked, now: int) -> None:
    rules = {rule.id for rule in site.plan.alerts.rules}
    if asked.rule is not None and asked.rule not in rules:
        raise invalid("Body", "rule", asked.rule, "the id of a rule of the plan in force")
    if asked.unit is not None and asked.unit not in {unit.id for unit in site.plan.units}:
        raise invalid("Body", "unit", asked.unit, "the full id of a unit of the plan in force")
    begin = now if asked.from_ is None else asked.from_
    if asked.to <= max(begin, now):
        expected = f"an instant after {format_instant(max(begin, now))}"
        raise invalid("Body", "to", format_instant(asked.to), expected)


async def end(
    connection: Connection, sites: Sequence[SitePlan], number: int, access: Access, now: int
) -> AnsweredSilence:
    """End a silence now; one that is over stays as it was.

    Raises:
        ProblemError: for this key there is none of this number.
    """
    found = await row(
        connection,
        f"{_SILENCES} WHERE silence_no = %s AND site_no = ANY(%s) FOR UPDATE",
        [number, [site.site_no for site in sites]],
    )
    if found is None:
        raise ProblemError("unknown-silence", f"There is no silence {number}.")
    over = found[5] <= now or found[9] is not None
    if not over:
        await connection.execute(
            "UPDATE alert_silence SET to_at = greatest(from_at, %s), ended_by = %s WHERE silence_no = %s",
            [to_datetime(now), access.name, number],
        )
        body = msgspec.json.encode({"silence": number, "ended_by": access.name}).decode()
        await inbox.accept(
            connection, found[1], "alert", body, f"{OURS}silence {number} is ended", access.name
        )
        change = Change(
            "silence.ended",
            f"silence {number}",
            found[1],
            {"to": format_instant(found[5])},
            {"to": format_instant(max(found[4], now))},
        )
        await record(connection, Actor(access.name, "api"), change)
    ended = await row(connection, f"{_SILENCES} WHERE silence_no = %s", [number])
    assert ended is not None
    return AnsweredSilence(**_told(ended, sites), repeated=over)


async def silences(
    connection: Connection, sites: Sequence[SitePlan], *, over: bool, limit: int, before: int, now: int
) -> Page[SilenceDocument]:
    """Silences of some sites, the newest first; `over`: those that are over, too. `next` is for the caller to encode."""
    found = await rows(
        connection,
        f"""
        {_SILENCES} WHERE site_no = ANY(%s) AND silence_no < %s AND (%s OR to_at > %s)
         ORDER BY silence_no DESC LIMIT %s
        """,
        [[site.site_no for site in sites], before, over, to_datetime(now), limit + 1],
    )
    items = [SilenceDocument(**_told(values, sites)) for values in found[:limit]]
    return Page(items=items, next=str(found[limit - 1][0]) if len(found) > limit else None)


def _told(found: Row, sites: Sequence[SitePlan]) -> dict[str, Any]:
    number, site_no, rule, unit, from_at, to_at, reason, author, made_at, ended_by = found
    site = next(one for one in sites if one.site_no == site_no)
    return {
        "silence": number, "site": site.plan.site, "rule": rule, "unit": unit, "from": from_at, "to": to_at,
        "reason": reason, "author": author, "made_at": made_at, "ended_by": ended_by,
    }  # fmt: skip
