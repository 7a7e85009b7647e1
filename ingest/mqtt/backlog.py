"""Messages received and not yet handed out, and what of them is acknowledged.

`Backlog` is a queue of whole pieces, one per `recv`: taking is list extension,
and weight is kept per piece. It says when to stop reading (over a limit) and
when to go on (below half of both), so that reading does not flutter.

`Receipts` turns commits into acknowledgement bytes, in arrival order. A packet
id means something only on the connection that brought it, so a token carries
that connection's number and an old one is dropped without a word: the broker
sends the message again. Messages set apart (markers, `$` topics) are nobody's
to commit; theirs go out when everything handed out before them is done.

Both are pure: no socket, no clock, no waiting.
"""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.mqtt.framing import Received
from ingest.source import Delivery

_LOW_WORD = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a subscriber holds in memory before it stops reading."""

    messages: int = 50_000
    """Messages waiting; a small one takes some 300 bytes. At least 1."""
    bytes: int = 64 << 20
    """Bytes of received packets waiting. At least 1."""
    payload: int = 1 << 20
    """Bytes of one payload; a longer one is delivered cut to this plus one byte."""


@dataclass(slots=True)
class _Piece:
    deliveries: list[Delivery]
    weight: int
    """Bytes as received; given back when the last delivery is taken."""
    at: float
    """When it came, in seconds of the event loop's clock."""
    then: Delivery | None
    """A message set apart that came after the deliveries."""


class Backlog:
    """A bounded queue that is told, and does not itself refuse."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pieces: deque[_Piece] = deque()
        self.messages = 0
        self.bytes = 0

    @property
    def over(self) -> bool:
        """Whether reading must stop."""
        return self.messages >= self._limits.messages or self.bytes >= self._limits.bytes

    @property
    def low(self) -> bool:
        """Whether reading may go on."""
        return 2 * self.messages < self._limits.messages and 2 * self.bytes < self._limits.bytes

    @property
    def since(self) -> float:
        """When the oldest waiting piece came, in seconds of the event loop's clock."""
        return self._pieces[0].at

    def add(self, received: Received, weight: int, at: float) -> None:
        """Queue what one read of `weight` bytes completed."""
        start, deliveries = 0, received.deliveries
        for before, message in received.apart:
            self._pieces.append(_Piece(deliveries[start:before], 0, at, message))
            start = before
        rest = deliveries[start:] if start else deliveries
        self._pieces.append(_Piece(rest, weight, at, None))
        self.messages += len(deliveries)
        self.bytes += weight

    def take(self, most: int) -> tuple[list[Delivery], list[tuple[int, Delivery]]]:
        """At most `most` deliveries, and the messages set apart among them with their place."""
        out: list[Delivery] = []
        apart: list[tuple[int, Delivery]] = []
        while self._pieces:
            piece, room = self._pieces[0], most - len(out)
            if len(piece.deliveries) > room:
                out += piece.deliveries[:room]
                del piece.deliveries[:room]
                break
            self._pieces.popleft()
            self.bytes -= piece.weight
            out += piece.deliveries
            if piece.then is not None:
                apart.append((len(out), piece.then))
        self.messages -= len(out)
        return out, apart


class Receipts:
    """Who is owed an acknowledgement, on which connection."""

    def __init__(self) -> None:
        self.connection = 0
        """The number of the connection whose packet ids are valid now."""
        self._handed = 0
        self._done = 0
        self._owed: deque[tuple[int, int]] = deque()

    @property
    def outstanding(self) -> int:
        """Deliveries handed out and not acknowledged."""
        return self._handed - self._done

    def hand_out(self, count: int, apart: Sequence[tuple[int, Delivery]]) -> bytes:
        """`count` deliveries are out, `apart` lay among them; the acknowledgements due at once."""
        self._owed.extend((self._handed + place, message.token) for place, message in apart)
        self._handed += count
        return self.acknowledge(())

    def acknowledge(self, deliveries: Sequence[Delivery]) -> bytes:
        """The acknowledgement packets for `deliveries` and what was set apart before or among them."""
        valid = self.connection
        words: list[int] = []
        start = 0
        while self._owed and self._owed[0][0] <= self._done + len(deliveries):
            place, token = self._owed.popleft()
            stop = place - self._done
            words += [d.token & _LOW_WORD for d in deliveries[start:stop] if d.token >> 32 == valid]
            if token >> 32 == valid:
                words.append(token & _LOW_WORD)
            start = stop
        rest = deliveries[start:] if start else deliveries
        words += [d.token & _LOW_WORD for d in rest if d.token >> 32 == valid]
        self._done += len(deliveries)
        return struct.pack(f">{len(words)}I", *words)
