"""Order survives queueing; acknowledgements leave in arrival order, on their own connection only."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt.backlog import Backlog, Limits, Receipts
from ingest.mqtt.framing import PUBACK_WORD, Received
from ingest.source import Delivery


def delivery(packet_id: int, connection: int = 1, topic: str = "plant/s/a") -> Delivery:
    return Delivery(topic, b"1", 0, 1, False, connection << 32 | PUBACK_WORD | packet_id)


def packet_ids(packets: bytes) -> list[int]:
    words = struct.unpack(f">{len(packets) // 4}I", packets)
    assert all(word & 0xFFFF_0000 == PUBACK_WORD for word in words)
    return [word & 0xFFFF for word in words]


# A piece is a run of messages: True is delivered, False is set apart.
runs = st.lists(st.lists(st.booleans(), max_size=8), max_size=10)


@given(runs, st.lists(st.integers(1, 9), min_size=1, max_size=60), st.data())
def test_whatever_the_pieces_and_the_takes_order_and_acknowledgements_are_those_of_arrival(
    pieces: list[list[bool]], sizes: list[int], data: st.DataObject
) -> None:
    backlog, receipts = Backlog(Limits()), Receipts()
    receipts.connection = 1
    arrived: list[int] = []
    for piece in pieces:
        received = Received([], [], [])
        for delivered in piece:
            arrived.append(len(arrived) + 1)
            message = delivery(len(arrived))
            if delivered:
                received.deliveries.append(message)
            else:
                received.apart.append((len(received.deliveries), message))
        backlog.add(received, 10, 0.0)
    acknowledged: list[int] = []
    out: list[Delivery] = []
    while backlog.messages or out:
        taken, apart = backlog.take(sizes[len(acknowledged) % len(sizes)])
        acknowledged += packet_ids(receipts.hand_out(len(taken), apart))
        out += taken
        part = data.draw(st.integers(0 if backlog.messages else 1, len(out))) if out else 0
        acknowledged += packet_ids(receipts.acknowledge(out[:part]))
        del out[:part]
    taken, apart = backlog.take(0)
    acknowledged += packet_ids(receipts.hand_out(len(taken), apart))
    assert acknowledged == arrived
    assert (backlog.messages, backlog.bytes, receipts.outstanding) == (0, 0, 0)


def test_a_message_set_apart_waits_for_those_before_it() -> None:
    receipts = Receipts()
    receipts.connection = 1
    marker = delivery(3)
    assert receipts.hand_out(2, [(2, marker)]) == b""
    assert packet_ids(receipts.acknowledge([delivery(1)])) == [1]
    assert packet_ids(receipts.acknowledge([delivery(2)])) == [2, 3]


def test_packet_ids_of_a_connection_that_is_gone_are_dropped() -> None:
    receipts = Receipts()
    receipts.connection = 1
    receipts.hand_out(2, [(1, delivery(9))])
    receipts.connection = 2
    receipts.hand_out(1, [])
    assert packet_ids(receipts.acknowledge([delivery(1), delivery(2), delivery(1, connection=2)])) == [1]
    assert receipts.outstanding == 0


def test_qos_0_is_never_acknowledged() -> None:
    receipts = Receipts()
    receipts.connection = 1
    receipts.hand_out(2, [])
    assert packet_ids(receipts.acknowledge([Delivery("a", b"", 0, 0), delivery(4)])) == [4]


def test_reading_stops_at_either_limit_and_goes_on_below_half_of_both() -> None:
    backlog = Backlog(Limits(messages=10, bytes=1000))
    seen = []
    for add, weight, take in [(4, 999, 0), (1, 1, 0), (0, 0, 3), (0, 0, 1), (9, 1, 0), (0, 0, 5), (0, 0, 1)]:
        if add:
            backlog.add(Received([delivery(n + 1) for n in range(add)], [], []), weight, 0.0)
        backlog.take(take)
        seen.append((backlog.messages, backlog.bytes, backlog.over, backlog.low))
    assert seen == [
        (4, 999, False, False),
        (5, 1000, True, False),
        (2, 1000, True, False),  # the bytes of a piece are given back with its last message
        (1, 1, False, True),
        (10, 2, True, False),
        (5, 1, False, False),
        (4, 1, False, True),
    ]
