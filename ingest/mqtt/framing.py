"""MQTT 3.1.1 packets cut out of received bytes.

The broker's side of a connection is one byte stream. `PacketScanner.feed` takes
it in whatever pieces the socket gives, makes a `Delivery` of every PUBLISH and
returns all other packets as they are, for paho. One pass, no call per message:
paho spends 25 µs on a PUBLISH, this loop about one.

A payload above the limit is never held whole: what exceeds the limit by one
byte is read and forgotten, and the shortened message goes on to the decoder,
which refuses it by its length like any other.

No sockets, no clock, no acknowledgements, no MQTT 5.
"""

from collections.abc import Callable

import msgspec

from ingest.errors import StackwattError
from ingest.mqtt.counters import Counters
from ingest.source import Delivery

PUBLISH = 0x30
PUBLISH_QOS1 = 0x32
"""First byte of a PUBLISH at QoS 1, not retained, sent for the first time: nearly all of them."""
PUBACK_WORD = 0x4002_0000
"""A PUBACK as one big-endian word; the packet id goes into the low 16 bits."""
PUBREC_WORD = 0x5002_0000

LONGEST_OTHER = 1 << 18
"""Bytes: no packet a broker sends besides PUBLISH is longer than a SUBACK to 2^18 filters."""
LONGEST_NAME_PART = 2 + 0xFFFF + 2
"""Bytes of a PUBLISH between fixed header and payload, at most: length, topic, packet id."""
CACHED_TOPICS = 1 << 18
CACHED_TOPIC_BYTES = 256
"""Topics up to this long are decoded once; the two bound the cache to some 100 MB at worst."""


class MalformedPacketError(StackwattError):
    """The bytes are not MQTT 3.1.1; nothing after them can be trusted."""


class Received(msgspec.Struct):
    """What one piece of the stream completed."""

    deliveries: list[Delivery]
    """In the order they were sent."""
    apart: list[tuple[int, Delivery]]
    """Messages set apart by their topic, each with the number of `deliveries` before it."""
    others: list[tuple[int, bytes]]
    """Packets other than PUBLISH: first byte, and what follows the length."""


class PacketScanner:
    """Turns the bytes of one connection after another into deliveries.

    `set_apart` names topics that are not deliveries (asked once per topic and
    for each message of those it names). `max_payload` is in bytes.
    """

    def __init__(self, set_apart: Callable[[str], bool], max_payload: int, counters: Counters) -> None:
        self._set_apart = set_apart
        self._max_payload = max_payload
        self._counters = counters
        self._topics: dict[bytes, str] = {}
        self._connection = 0
        self._held = bytearray()
        self._needed = 0
        self._skip = 0
        self._cut: tuple[int, bytes] | None = None

    def restart(self, connection: int) -> None:
        """A new connection: forget half a packet; tokens now carry the number `connection`."""
        self._connection = connection
        self._held.clear()
        self._needed = self._skip = 0
        self._cut = None

    def feed(self, data: bytes, received_at: int) -> Received:
        """The packets that `data`, received at `received_at` (µs), completes.

        Raises:
            MalformedPacketError: the stream is not MQTT 3.1.1; drop the connection.
        """
        into = Received([], [], [])
        self._counters.bytes += len(data)
        if self._cut is not None:
            if len(data) < self._skip:
                self._skip -= len(data)
                return into
            data = self._end_of_cut(data, received_at, into)
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return into
            data = bytes(self._held)
            self._held.clear()
        try:
            rest = self._scan(data, received_at, into)
        except IndexError:
            raise MalformedPacketError("a PUBLISH ends inside its own topic") from None
        if rest < len(data):
            self._keep(data, rest)
        self._counters.received += len(into.deliveries)
        return into

    def _scan(self, data: bytes, received_at: int, into: Received) -> int:
        """Take whole packets from the front of `data`; the index of the first that is not whole."""
        topics, append, limit = self._topics, into.deliveries.append, self._max_payload
        puback = self._connection << 32 | PUBACK_WORD
        pos, end = 0, len(data)
        while end - pos >= 2:
            first, length, at = data[pos], data[pos + 1], pos + 2
            if length > 127:
                if end - pos > 2 and data[pos + 2] < 128:  # 128 bytes to 16 KiB: worth its own line
                    at, length = pos + 3, length & 127 | data[pos + 2] << 7
                else:
                    at, length = _length(data, pos)
                if at == 0:
                    break
            stop = at + length
            if stop > end:
                break
            if first == PUBLISH_QOS1:
                name_end = at + 2 + (data[at] << 8 | data[at + 1])
                token = puback | data[name_end] << 8 | data[name_end + 1]
                payload_at = name_end + 2
                topic = topics.get(data[at + 2 : name_end])
                if topic is not None and payload_at <= stop <= payload_at + limit and token != puback:
                    append(Delivery(topic, data[payload_at:stop], received_at, 1, False, token))
                else:
                    self._publish(first, data[at:stop], received_at, into)
            elif first & 0xF0 == PUBLISH:
                self._publish(first, data[at:stop], received_at, into)
            else:
                into.others.append((first, data[at:stop]))
            pos = stop
        return pos

    def _publish(self, first: int, body: bytes, received_at: int, into: Received) -> None:
        """Any PUBLISH, checked in full; `body` is what follows the length (or its beginning, if cut)."""
        qos = first >> 1 & 3
        name_end = 2 + int.from_bytes(body[:2], "big")
        payload_at = name_end + 2 if qos else name_end
        if qos == 3:
            raise MalformedPacketError("a PUBLISH has QoS 3, expected 0 to 2")
        if payload_at > len(body) or name_end < 2 + 1:
            raise MalformedPacketError(f"a PUBLISH of {len(body)} bytes names a topic of {name_end - 2}")
        token = 0
        if qos:
            packet_id = int.from_bytes(body[name_end:payload_at], "big")
            if packet_id == 0:
                raise MalformedPacketError("a PUBLISH has packet id 0, expected 1 to 65535")
            token = self._connection << 32 | (PUBACK_WORD if qos == 1 else PUBREC_WORD) | packet_id
        topic = self._topic(body[2:name_end])
        payload = body[payload_at : payload_at + self._max_payload + 1]
        delivery = Delivery(topic, payload, received_at, qos, bool(first & 1), token)
        if self._set_apart(topic):
            into.apart.append((len(into.deliveries), delivery))
            self._counters.ignored += 1
            return
        into.deliveries.append(delivery)
        self._counters.qos0 += qos == 0
        self._counters.redelivered += first >> 3 & 1
        self._counters.oversized += len(payload) > self._max_payload

    def _topic(self, name: bytes) -> str:
        """The topic as text, kept for the next message unless it is to be set apart.

        A topic that is not UTF-8 is no reason to hang up: the broker would send
        it again for ever. As text it names no point, so it is refused and acknowledged.
        """
        topic = self._topics.get(name)
        if topic is None:
            topic = name.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
            if len(name) <= CACHED_TOPIC_BYTES and not self._set_apart(topic):
                if len(self._topics) >= CACHED_TOPICS:
                    self._topics.clear()
                self._topics[name] = topic
        return topic

    def _keep(self, data: bytes, pos: int) -> None:
        """Hold the unfinished packet at `pos` and say how many bytes of it make the next scan worth it."""
        at, length = _length(data, pos)
        first, have = data[pos], len(data) - pos
        if at == 0:
            self._needed = have + 1
        elif first & 0xF0 != PUBLISH:
            if length > LONGEST_OTHER:
                raise MalformedPacketError(f"a packet of type {first >> 4} claims {length} bytes")
            self._needed = at - pos + length
        elif (most := LONGEST_NAME_PART + self._max_payload + 1) < length:
            self._needed = at - pos + most
            if have >= self._needed:
                self._cut = first, data[at : at + most]
                self._skip = at + length - len(data)
                return
        else:
            self._needed = at - pos + length
        self._held += data[pos:]

    def _end_of_cut(self, data: bytes, received_at: int, into: Received) -> bytes:
        """The last byte of an oversized message is here: deliver its beginning, return what follows."""
        if self._cut is not None:
            first, body = self._cut
            self._publish(first, body, received_at, into)
        rest, self._cut, self._skip = data[self._skip :], None, 0
        return rest


def _length(data: bytes, pos: int) -> tuple[int, int]:
    """Where the packet at `pos` continues after its length, and that length; (0, 0) if it is cut short."""
    length = 0
    for index in range(4):
        at = pos + 1 + index
        if at >= len(data):
            return 0, 0
        byte = data[at]
        length |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return at + 1, length
    raise MalformedPacketError("a packet's length takes more than 4 bytes")
