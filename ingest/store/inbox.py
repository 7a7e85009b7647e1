"""The inbox as a source: what entered by HTTP or by an import, in the order it came.

A row is consumed by the last transaction that stores something of it, so there is
nothing to acknowledge afterwards; a row handed out and not consumed is handed out
again by the next process, or after `rewind`. It arrived when it entered the inbox:
a reading without a time has the same time whenever it is taken.
"""

from collections.abc import Callable

import msgspec
from psycopg import AsyncConnection

from ingest.source import Delivery

OURS = "§"
"""What our own idempotency keys begin with; those of clients are printable ASCII, so none of theirs can be one."""


class Envelope(msgspec.Struct, omit_defaults=True):
    """The body of an inbox row of kind `reading`: what a broker would have delivered."""

    topic: str
    payload: msgspec.Raw = msgspec.Raw(b"")
    """Wire v1, as it came, digit for digit."""
    base64: bytes = b""
    """Instead of `payload`: what need not be JSON or even text, as a refused message."""

    @property
    def content(self) -> bytes:
        """The payload of the message."""
        return bytes(self.payload) or self.base64


def opened(inbox_no: int, body: str) -> Envelope:
    """The envelope of a row; a body that is none becomes the content of one, to be refused like any other."""
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
    except (msgspec.MsgspecError, RecursionError):  # the latter from brackets within brackets
        return Envelope(topic=f"inbox/{inbox_no}", base64=body.encode())
    envelope.topic = envelope.topic.replace("\0", "\N{REPLACEMENT CHARACTER}")  # no column holds NUL
    return envelope


class SealBody(msgspec.Struct, omit_defaults=True):
    """The body of an inbox row of kind `seal`: the period [from_us, to_us) to be frozen, and what it is called."""

    kind: str
    from_us: int
    to_us: int
    again: int = 0
    """The number of its newest edition, which this one is to follow; 0: it is not sealed yet."""
    reason: str = ""
    """Why it is sealed again."""


class Inbox:
    """Unconsumed inbox rows of one site; `priority` 0 before 1."""

    def __init__(self, site_no: int, now: Callable[[], int]) -> None:
        """`now` is our clock in µs: no row is taken to have come later."""
        self._site_no = site_no
        self._now = now
        self._handed_out: set[int] = set()

    def rewind(self) -> None:
        """Hand out again what was not consumed."""
        self._handed_out.clear()

    async def collect(self, connection: AsyncConnection, most: int) -> list[Delivery]:
        """Waiting rows, at most `most`; a body that is no envelope is handed out as it is, to be refused."""
        cursor = await connection.execute(
            """
            SELECT inbox_no, body, (extract(epoch FROM received_at) * 1000000)::bigint FROM inbox
             WHERE site_no = %s AND kind = 'reading' AND batch_no IS NULL AND NOT inbox_no = ANY(%s)
             ORDER BY priority, inbox_no LIMIT %s
            """,
            [self._site_no, list(self._handed_out), most],
        )
        deliveries = []
        now = self._now()
        for inbox_no, body, received_at in await cursor.fetchall():
            envelope = opened(inbox_no, body)
            self._handed_out.add(inbox_no)
            deliveries.append(
                Delivery(
                    topic=envelope.topic,
                    payload=envelope.content,
                    received_at=min(received_at, now),
                    token=inbox_no,
                )
            )
        return deliveries
