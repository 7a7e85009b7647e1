"""What people ask of a webhook: a test, a replay, to be delivered to again.

Each act is written down under its Idempotency-Key, so that asking again does nothing again, and
says who asked. It leaves deliveries that wait; sending them is the notifier's business.
"""

import secrets
from dataclasses import dataclass
from typing import Literal

from psycopg.types.json import Jsonb
from pydantic import Field

from ingest.store.audit import Actor, Change, record
from service.documents import Document
from service.plans import SitePlan
from service.problems import ProblemError
from service.store import Connection, row
from service.times import to_datetime
from service.webhook_pages import number_of, unknown
from service.webhooks.bodies import TEST
from service.webhooks.endpoints import number_of as numbered
from service.webhooks.fan_out import take_sequence

Act = Literal["test", "replay", "replay_dead", "enable"]
_DONE: dict[Act, str] = {
    "test": "tested", "replay": "replayed", "replay_dead": "dead_replayed", "enable": "enabled",
}  # fmt: skip


class ActDocument(Document):
    """What was asked, and what comes of it."""

    id: str = Field(description="The webhook")
    act: Act
    sequence: int | None = Field(description="The delivery that waits because of it; null: not a single one")
    deliveries: int = Field(description="How many deliveries wait because of it")
    repeated: bool = Field(description="The same had been asked under this key before; nothing was done")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what, and when."""

    site: SitePlan
    name: str
    """Of the webhook, within the site."""
    act: Act
    sequence: int | None
    """The delivery it is about."""
    key: str
    author: str
    now: int
    """µs."""

    @property
    def id(self) -> str:
        """The webhook's full id."""
        return f"{self.site.plan.site}/{self.name}"


async def done(connection: Connection, asked: Asked) -> ActDocument:
    """Do what is asked, or find that it was done; commits with the connection's transaction.

    Raises:
        ProblemError: there is no such webhook or delivery, the delivery waits anyway, the webhook is not
            delivered to, or the key stands for something else.
    """
    if asked.name not in {webhook.id for webhook in asked.site.plan.file.webhooks}:
        if await number_of(connection, asked.site, asked.name) is None:
            raise unknown(asked.site, asked.name)
        raise _conflict(asked, "is not in the plant file any more")
    webhook_no = await numbered(connection, asked.site.site_no, asked.name)
    locked = await row(
        connection, "SELECT disabled_at FROM webhook WHERE webhook_no = %s FOR UPDATE", [webhook_no]
    )
    before = await _before(connection, webhook_no, asked)
    if before is not None:
        return before
    if asked.act != "enable" and locked is not None and locked[0] is not None:
        raise _conflict(asked, "is disabled")
    sequence, count = await _act(connection, webhook_no, asked)
    await connection.execute(
        """
        INSERT INTO webhook_act (webhook_no, idempotency_key, act, sequence, deliveries, author, asked_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [webhook_no, asked.key, asked.act, sequence, count, asked.author, to_datetime(asked.now)],
    )
    after = {"sequence": sequence, "deliveries": count}
    change = Change(f"webhook.{_DONE[asked.act]}", f"webhook {asked.id}", asked.site.site_no, None, after)
    await record(connection, Actor(asked.author, "api"), change)
    await connection.execute("SELECT pg_notify('stackwatt_delivery', '')")
    return ActDocument(id=asked.id, act=asked.act, sequence=sequence, deliveries=count, repeated=False)


async def _before(connection: Connection, webhook_no: int, asked: Asked) -> ActDocument | None:
    found = await row(
        connection,
        "SELECT act, sequence, deliveries FROM webhook_act WHERE webhook_no = %s AND idempotency_key = %s",
        [webhook_no, asked.key],
    )
    if found is None:
        return None
    act, sequence, count = found
    if act != asked.act or (act == "replay" and sequence != asked.sequence):
        raise ProblemError(
            "idempotency-key-reused",
            f"Idempotency-Key {asked.key!r} was used for another act: expected a new one.",
        )
    return ActDocument(id=asked.id, act=act, sequence=sequence, deliveries=count, repeated=True)


async def _act(connection: Connection, webhook_no: int, asked: Asked) -> tuple[int | None, int]:
    """Do it under the lock of the webhook; (the one delivery it is about, how many wait because of it)."""
    now = to_datetime(asked.now)
    match asked.act:
        case "test":
            return await _test(connection, webhook_no, asked), 1
        case "replay":
            await _replay(connection, webhook_no, asked)
            return asked.sequence, 1
        case "replay_dead":
            cursor = await connection.execute(_AGAIN + " AND state = 'dead'", [now, webhook_no])
            return None, cursor.rowcount
        case "enable":
            await connection.execute(
                "UPDATE webhook SET disabled_at = NULL WHERE webhook_no = %s", [webhook_no]
            )
            # What waits is tried at once, whatever it had been waiting for.
            cursor = await connection.execute(_AGAIN + " AND state = 'waiting'", [now, webhook_no])
            return None, cursor.rowcount


_AGAIN = """
    UPDATE delivery SET state = 'waiting', tries = 0, ended_at = NULL, due_at = %s WHERE webhook_no = %s
"""


async def _test(connection: Connection, webhook_no: int, asked: Asked) -> int:
    sequence = await take_sequence(connection, webhook_no, 1)
    event_id = f"test_{secrets.token_hex(12)}"
    now = to_datetime(asked.now)
    await connection.execute(
        """
        INSERT INTO delivery (webhook_no, sequence, event_id, type, stream, occurred_at, data, made_at, due_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            webhook_no, sequence, event_id, TEST, event_id, now,
            Jsonb({"webhook": asked.id, "asked_by": asked.author}), now, now,
        ],
    )  # fmt: skip
    return sequence


async def _replay(connection: Connection, webhook_no: int, asked: Asked) -> None:
    found = await row(
        connection,
        "SELECT state FROM delivery WHERE webhook_no = %s AND sequence = %s FOR UPDATE",
        [webhook_no, asked.sequence],
    )
    if found is None:
        raise no_delivery(asked.id, asked.sequence)
    if found[0] == "waiting":
        raise ProblemError(
            "delivery-conflict",
            f"Delivery {asked.sequence} of {asked.id!r} is waiting to be sent: expected one that is dead or delivered.",
        )
    await connection.execute(
        _AGAIN + " AND sequence = %s", [to_datetime(asked.now), webhook_no, asked.sequence]
    )


def no_delivery(webhook_id: str, sequence: int | None) -> ProblemError:
    """The problem of a delivery that is not there."""
    return ProblemError("unknown-delivery", f"There is no delivery {sequence} of {webhook_id!r}.")


def _conflict(asked: Asked, what: str) -> ProblemError:
    return ProblemError("webhook-conflict", f"Webhook {asked.id!r} {what}: expected one that is active.")
