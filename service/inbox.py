"""Readings that come by HTTP, on their way to ingest.

A row of `inbox` is to ingest what a broker's message is: consumed once, in the
transaction that stores what it holds. The Idempotency-Key makes sending again
harmless. Nothing is judged here beyond the form of the body.
"""

from dataclasses import dataclass

import msgspec

from service.problems import ProblemError
from service.store import Connection, row


@dataclass(frozen=True, slots=True)
class Receipt:
    """A body that ingest will see."""

    inbox_no: int
    repeated: bool
    """The same key and body had been accepted before; nothing was added."""


def envelope(topic: str, payload: bytes) -> str:
    """What ingest finds in `inbox.body`: the topic, and the payload as it came, digit for digit."""
    return msgspec.json.encode({"topic": topic, "payload": msgspec.Raw(payload)}).decode()


async def accept(
    connection: Connection, site_no: int, kind: str, body: str, idempotency_key: str, author: str
) -> Receipt:
    """Put a body in; commits with the connection's transaction and wakes ingest then.

    Raises:
        ProblemError: the key stands for another body.
    """
    found = await row(
        connection,
        """
        INSERT INTO inbox (site_no, kind, body, idempotency_key, author)
        VALUES (%(site)s, %(kind)s, %(body)s, %(key)s, %(author)s)
        ON CONFLICT (site_no, idempotency_key) DO NOTHING
        RETURNING inbox_no
        """,
        {"site": site_no, "kind": kind, "body": body, "key": idempotency_key, "author": author},
    )
    if found is not None:
        await connection.execute("SELECT pg_notify('stackwatt_inbox', %s)", [str(site_no)])
        return Receipt(found[0], repeated=False)
    before = await row(
        connection,
        "SELECT inbox_no, kind = %s AND body = %s FROM inbox WHERE site_no = %s AND idempotency_key = %s",
        [kind, body, site_no, idempotency_key],
    )
    assert before is not None
    if not before[1]:
        raise ProblemError(
            "idempotency-key-reused",
            f"Idempotency-Key {idempotency_key!r} was used for another body: expected a new one.",
        )
    return Receipt(before[0], repeated=True)
