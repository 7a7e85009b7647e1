"""Where messages come from, seen from the pipeline.

A source hands out deliveries in order and is told, in the same order, when
what they hold has been committed. MQTT, the inbox and replayed rejections
are sources; the pipeline knows none of them by name, so a distributed log
could be one too. A source does not decode.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

PAYLOAD_PER_BATCH = 512 * 1024
"""A batch has not more bytes (some 10 000 readings in batch forms), unless one message has."""


class Delivery(msgspec.Struct, gc=False):
    """One message as it arrived."""

    topic: str
    payload: bytes
    received_at: int
    """µs since the epoch, by the clock of this process."""
    qos: int = 1
    retain: bool = False
    token: int = 0
    """The source's own handle for `acknowledge` (an MQTT packet id, an inbox row)."""


class Source(Protocol):
    """A stream of deliveries that redelivers what was not acknowledged."""

    @property
    def connected(self) -> bool:
        """Whether the far side can be reached now."""

    @property
    def caught_up(self) -> bool:
        """Whether everything queued before the last (re)connection has been handed out."""

    async def collect(self, max_wait_s: float, max_messages: int) -> list[Delivery]:
        """Wait for the first delivery at most `max_wait_s`, then gather for as long again."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """The deliveries, in the order handed out, are committed."""


def batch_end(deliveries: Sequence[Delivery], most_bytes: int) -> int:
    """How many of the deliveries make a batch of so much payload at most; one in any case."""
    size = 0
    for place, delivery in enumerate(deliveries):
        size += len(delivery.payload)
        if size > most_bytes and place > 0:
            return place
    return len(deliveries)
