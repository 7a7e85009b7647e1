"""What the subscriber says and does byte by byte, against a peer that follows a script."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ingest.mqtt.subscriber import Subscriber
from tests.ingest.mqtt.conversation import caught_up, collect, payloads, subscriber, until
from tests.ingest.mqtt.packets import packet, publish

CONNACK = b"\x20\x02\x00\x00"
SESSION_PRESENT = b"\x20\x02\x01\x00"


class Peer:
    """A broker's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> tuple[int, bytes]:
        """One packet of the client; pings are answered and not returned."""
        while True:
            first = (await self._reader.readexactly(1))[0]
            length = shift = 0
            while True:
                byte = (await self._reader.readexactly(1))[0]
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            body = await self._reader.readexactly(length)
            if first != 0xC0:
                return first, body
            self._writer.write(b"\xd0\x00")

    async def raw(self, count: int) -> bytes:
        return await self._reader.readexactly(count)

    async def greet(self, connack: bytes = CONNACK) -> None:
        first, body = await self.read()
        assert first == 0x10
        assert body[2:7] == b"MQTT\x04"
        assert body[7] & 0x02 == 0, "the session must be kept"
        self.say(connack)

    async def settle(self) -> None:
        """Take SUBSCRIBE and marker, and return the marker."""
        first, body = await self.read()
        assert first == 0x82
        count = len(body[2:].split(b"\x01")) - 1
        self.say(packet(0x90, body[:2] + b"\x01" * count))
        await self.return_marker()

    async def return_marker(self) -> None:
        first, body = await self.read()
        assert first == 0x32
        name_end = 2 + int.from_bytes(body[:2], "big")
        self.say(packet(0x40, body[name_end : name_end + 2]))
        self.say(publish(body[2:name_end], body[name_end + 2 :], 1))

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def hang_up(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def played(
    *scripts: Callable[[Peer], Awaitable[None]], **options: object
) -> AsyncIterator[tuple[Subscriber, list[asyncio.Future[None]]]]:
    """A subscriber connected to a peer that plays one script a connection, the last for ever."""
    loop = asyncio.get_running_loop()
    played_out: list[asyncio.Future[None]] = [loop.create_future() for _ in scripts]
    turn = iter(range(1_000_000))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = min(next(turn), len(scripts) - 1)
        try:
            await scripts[index](Peer(reader, writer))
            if not played_out[index].done():
                played_out[index].set_result(None)
        except (AssertionError, asyncio.IncompleteReadError) as error:
            if not played_out[index].done():
                played_out[index].set_exception(error)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with subscriber(f"mqtt://127.0.0.1:{port}", **options) as source:
            yield source, played_out
    finally:
        server.close()
        await server.wait_closed()
        for script in played_out:
            if script.done():
                script.exception()


async def leave(peer: Peer) -> None:
    """Wait for the client to say goodbye, and let it acknowledge until then."""
    while (said := await peer.read()) != (0xE0, b""):
        assert said[0] == 0x40


async def test_acknowledgements_leave_in_arrival_order_marker_included() -> None:
    count = 300

    async def script(peer: Peer) -> None:
        await peer.greet(SESSION_PRESENT)
        for packet_id in range(2, 2 + count):
            peer.say(publish("plant/s/a", b"1", packet_id))
        await peer.return_marker()
        peer.say(publish("plant/s/a", b"1", 60_000))
        expected = [*range(2, 2 + count), 1, 60_000]
        raw = await peer.raw(4 * len(expected))
        words = struct.unpack(f">{len(expected)}I", raw)
        assert [word & 0xFFFF for word in words] == expected
        assert {word >> 16 for word in words} == {0x4002}
        await leave(peer)

    known = ["plant/s/#", "stackwatt/s/marker"]
    async with played(script, subscribed=known) as (source, ended):
        deliveries = await collect(source, count + 1, most=17)
        assert source.caught_up
        source.acknowledge(deliveries[:100])
        source.acknowledge(deliveries[100:])
        await source.close()
        await ended[0]


async def test_a_stream_cut_into_single_bytes_is_understood() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.settle()
        for byte in publish("plant/s/a", b"12", 5) + publish("plant/s/a", b"13" * 100, 6):
            peer.say(bytes([byte]))
            await asyncio.sleep(0)
        await leave(peer)

    async with played(script) as (source, ended):
        deliveries = await caught_up(source)
        deliveries += await collect(source, 2 - len(deliveries))
        assert [delivery.payload for delivery in deliveries] == [b"12", b"13" * 100]
        await source.close(0.0)
        await ended[0]


async def test_qos_2_from_an_older_subscription_is_released_only_after_commit() -> None:
    said = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.settle()
        peer.say(publish("plant/s/a", b"2", 7, qos=2))
        assert await peer.read() == (0x40, b"\x00\x01")  # the marker's
        assert await peer.read() == (0x50, b"\x00\x07")
        assert said.is_set()
        peer.say(b"\x62\x02\x00\x07")
        assert await peer.read() == (0x70, b"\x00\x07")
        await leave(peer)

    async with played(script) as (source, ended):
        deliveries = await collect(source, 1)
        assert deliveries[0].qos == 2
        await asyncio.sleep(0.05)
        said.set()
        source.acknowledge(deliveries)
        await until(lambda: source.counters.bytes > 0, "PUBREL")
        await asyncio.sleep(0.05)
        await source.close()
        await ended[0]


GARBAGE = {
    "a length of five bytes": b"\x32\xff\xff\xff\xff\x7f",
    "QoS 3": b"\x36\x06\x00\x01a\x00\x01x",
    "a type that does not exist": b"\xf0\x00",
    "a SUBACK without content": b"\x90\x00",
    "a PINGRESP with content": b"\xd0\x01\x00",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_malformed_bytes_end_the_connection_and_the_next_one_works(garbage: bytes) -> None:
    async def broken(peer: Peer) -> None:
        await peer.greet()
        await peer.settle()
        peer.say(publish("plant/s/a", b"1", 5) + garbage)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await leave(peer)

    async def sound(peer: Peer) -> None:
        await peer.greet(SESSION_PRESENT)
        await peer.return_marker()
        peer.say(publish("plant/s/a", b"1", 9, dup=True))
        await leave(peer)

    async with played(broken, sound) as (source, ended):
        # Whether what came just before the garbage is handed out twice does not matter; it comes again.
        while source.counters.redelivered == 0:
            deliveries = await collect(source, 1)
        assert payloads(deliveries) == [1]
        assert source.counters.reconnects == 1
        await ended[0]
        await source.close(0.0)
        await ended[1]


async def test_a_peer_that_hangs_up_before_answering_is_tried_again_and_named() -> None:
    troubles: list[str] = []

    async def gone(peer: Peer) -> None:
        await peer.read()
        await peer.hang_up()

    async def refusing(peer: Peer) -> None:
        await until(lambda: "closed" in source.trouble, "the first failure to be named")
        troubles.append(source.trouble)
        await peer.greet(b"\x20\x02\x00\x05")

    async def welcoming(peer: Peer) -> None:
        await until(lambda: "uthor" in source.trouble, "the refusal to be named")
        troubles.append(source.trouble)
        await peer.greet()
        await peer.settle()
        await leave(peer)

    async with played(gone, refusing, welcoming) as (source, ended):
        await caught_up(source)
        assert source.trouble == ""
        assert source.counters.reconnects == 0
        await source.close(0.0)
        await ended[2]
    assert len(troubles) == 2


async def test_a_peer_that_ignores_our_goodbye_does_not_keep_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.mqtt.subscriber.LEAVE_S", 0.1)

    async def deaf(peer: Peer) -> None:
        await peer.greet()
        await peer.settle()
        await leave(peer)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await peer.raw(1)

    async with played(deaf) as (source, ended):
        await caught_up(source)
        await source.close(0.0)
        await ended[0]


async def test_a_fault_in_a_callback_of_ours_is_not_swallowed() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        first, body = await peer.read()
        assert first == 0x82
        peer.say(packet(0x90, body[:2] + b"\x01\x01"))
        await leave(peer)

    def fails(filters: tuple[str, ...]) -> None:
        raise RuntimeError(f"cannot store {len(filters)} filters")

    with pytest.raises(ExceptionGroup) as caught:
        async with played(script, on_subscribed=fails) as (source, _):
            await collect(source, 1)
    assert caught.group_contains(RuntimeError, match="cannot store 2 filters")
