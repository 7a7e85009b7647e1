"""Any cut of the stream gives the same packets; nothing else in it goes unnoticed."""

import contextlib
import tracemalloc
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mqtt.counters import Counters
from ingest.mqtt.framing import LONGEST_NAME_PART, MalformedPacketError, PacketScanner
from ingest.source import Delivery
from tests.ingest.mqtt.packets import packet, publish

LIMIT = 300
MARKER = "stackwatt/s/marker"
PUBACK, PUBREC = 0x4002_0000, 0x5002_0000


def scanner(limit: int = LIMIT, connection: int = 1) -> PacketScanner:
    made = PacketScanner(lambda topic: topic == MARKER or topic.startswith("$"), limit, Counters())
    made.restart(connection)
    return made


Scanned = tuple[list[Delivery], list[tuple[int, Delivery]], list[tuple[int, bytes]]]


def scan(target: PacketScanner, pieces: Iterable[bytes]) -> Scanned:
    deliveries: list[Delivery] = []
    apart: list[tuple[int, Delivery]] = []
    others: list[tuple[int, bytes]] = []
    for piece in pieces:
        received = target.feed(piece, 7)
        apart += [(len(deliveries) + before, message) for before, message in received.apart]
        deliveries += received.deliveries
        others += received.others
    return deliveries, apart, others


def pieces_of(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]


topics = st.one_of(
    st.sampled_from(["plant/s/a", "plant/s/line/Öfen", MARKER, "$SYS/broker/uptime", "p"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40),
)
payloads = st.one_of(st.binary(max_size=LIMIT + 40), st.integers(100, 20_000).map(bytes))
publishes = st.tuples(
    st.just("publish"),
    topics,
    payloads,
    st.integers(0, 2),
    st.integers(1, 65535),
    st.booleans(),
    st.booleans(),
)
others = st.tuples(
    st.just("other"), st.sampled_from([0x20, 0x40, 0x62, 0x90, 0xB0, 0xD0]), st.binary(max_size=300)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(publishes, others), max_size=12), st.data())
def test_any_cut_gives_the_packets_that_were_sent(
    sent: list[tuple[object, ...]], data: st.DataObject
) -> None:
    stream = bytearray()
    deliveries: list[Delivery] = []
    apart: list[tuple[int, Delivery]] = []
    rest: list[tuple[int, bytes]] = []
    for item in sent:
        match item:
            case ("publish", str(topic), bytes(payload), int(qos), int(packet_id), bool(retain), bool(dup)):
                stream += publish(topic, payload, packet_id, qos=qos, retain=retain, dup=dup)
                token = (0, 1 << 32 | PUBACK | packet_id, 1 << 32 | PUBREC | packet_id)[qos]
                message = Delivery(topic, payload[: LIMIT + 1], 7, qos, retain, token)
                if topic == MARKER or topic.startswith("$"):
                    apart.append((len(deliveries), message))
                else:
                    deliveries.append(message)
            case ("other", int(first), bytes(body)):
                stream += packet(first, body)
                rest.append((first, body))
            case _:
                raise AssertionError(item)
    cuts = data.draw(st.lists(st.integers(0, max(len(stream), 1)), max_size=20))
    assert scan(scanner(), pieces_of(bytes(stream), cuts)) == (deliveries, apart, rest)


def test_one_byte_at_a_time_through_every_width_of_the_length() -> None:
    sizes = [0, 100, 127, 128, 16_383 - 7, 16_384, 70_000, 2_097_152]
    stream = b"".join(publish("a/b", bytes(size), index + 1) for index, size in enumerate(sizes))
    target = scanner(limit=1 << 22)
    deliveries, _, _ = scan(target, pieces_of(stream, range(20_000)))
    assert [len(delivery.payload) for delivery in deliveries] == sizes
    assert [delivery.token & 0xFFFF for delivery in deliveries] == list(range(1, len(sizes) + 1))


def test_counters_tell_kinds_of_messages_apart() -> None:
    target = scanner()
    counters = target._counters
    stream = (
        publish("a", b"1")
        + publish("a", b"2", dup=True)
        + publish("a", b"3", qos=0)
        + publish("a", bytes(LIMIT + 2))
        + publish(MARKER, b"m")
    )
    target.feed(stream, 0)
    assert (counters.received, counters.redelivered, counters.qos0) == (4, 1, 1)
    assert (counters.oversized, counters.ignored, counters.bytes) == (1, 1, len(stream))


@pytest.mark.parametrize("step", [1000, 65_536, 300_000])
def test_a_payload_far_above_the_limit_is_cut_and_what_follows_is_whole(step: int) -> None:
    body = bytes(range(256)) * 4000
    stream = publish("a/b", body, 9) + publish("a/b", b"after", 10)
    deliveries, _, _ = scan(scanner(), pieces_of(stream, range(0, len(stream), step)))
    assert [delivery.payload for delivery in deliveries] == [body[: LIMIT + 1], b"after"]
    assert [delivery.token & 0xFFFF for delivery in deliveries] == [9, 10]


@pytest.mark.parametrize("extra", [-2, -1, 0, 1, 2])
def test_no_byte_is_lost_where_cutting_begins(extra: int) -> None:
    most = LONGEST_NAME_PART + LIMIT + 1
    stream = publish("a", bytes(most - 5 + extra), 1) + publish("a", b"after", 2)
    for cut in range(most - 3, most + 9):
        deliveries, _, _ = scan(scanner(), [stream[:cut], stream[cut:]])
        assert [len(delivery.payload) for delivery in deliveries] == [LIMIT + 1, 5], cut


def test_a_payload_above_the_limit_is_never_held_whole() -> None:
    target = scanner()
    piece = bytes(1 << 16)
    head = publish("a", bytes(1 << 24), 1)[: 1 << 10]
    tracemalloc.start()
    try:
        before_end = scan(target, [head, *[piece] * 255])[0]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    (delivery,) = before_end + scan(target, [piece])[0]
    assert before_end == []
    assert delivery.payload == bytes(LIMIT + 1)


def test_a_topic_that_is_not_utf8_or_holds_nul_is_text_that_names_no_point() -> None:
    stream = publish(b"plant/\xff", b"1", 1) + publish(b"plant/\0", b"2", 2)
    deliveries, _, _ = scan(scanner(), [stream])
    assert [delivery.topic for delivery in deliveries] == ["plant/\ufffd", "plant/\ufffd"]
    assert [delivery.token & 0xFFFF for delivery in deliveries] == [1, 2]


def test_a_new_connection_forgets_half_a_packet_and_marks_its_tokens() -> None:
    target = scanner()
    long = publish("a", bytes(200_000), 1)
    for half in (publish("a", b"x" * 50, 1)[:20], long[:100_000]):
        target.feed(half, 0)
        target.restart(2)
        (delivery,) = target.feed(publish("a", b"new", 5), 0).deliveries
        assert (delivery.payload, delivery.token) == (b"new", 2 << 32 | PUBACK | 5)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"\x32\xff\xff\xff\xff\x01", "more than 4 bytes"),
        (b"\x36\x06\x00\x01a\x00\x01x", "QoS 3"),
        (b"\x32\x05\x00\x01a\x00\x00", "packet id 0"),
        (b"\x32\x05\x00\x09a\x00\x01", "ends inside its own topic"),
        (b"\x32\x05\x00\x09a\x00\x01" + bytes(20), "names a topic of 9"),
        (b"\x32\x04\x00\x00\x00\x01", "names a topic of 0"),
        (b"\x32\x00", "ends inside its own topic"),
        (b"\x32\x01\x00", "ends inside its own topic"),
        (b"\x32\x01\x00" + bytes(30), "names a topic"),
        (b"\x30\x02\x00\x01", "names a topic of 1"),
        (b"\x90\xff\xff\xff\x7f", "type 9 claims"),
    ],
)
def test_what_is_not_mqtt_is_said(stream: bytes, expected: str) -> None:
    with pytest.raises(MalformedPacketError, match=expected):
        scan(scanner(), [stream])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_no_bytes_raise_anything_else(pieces: list[bytes]) -> None:
    with contextlib.suppress(MalformedPacketError):
        scan(scanner(), pieces)
