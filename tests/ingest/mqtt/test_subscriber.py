"""The subscriber against a real Mosquitto: nothing lost, nothing early, nothing unbounded."""

import asyncio
import subprocess
import sys

import pytest

from deploy.broker import Broker
from ingest.mqtt.backlog import Limits
from ingest.mqtt.paho_socket import RECV_BYTES
from ingest.mqtt.patience import Patience
from tests.ingest.mqtt.conversation import (
    caught_up,
    collect,
    numbered,
    open_session,
    payloads,
    publish,
    subscriber,
    until,
)
from tests.ingest.mqtt.packets import DISCONNECT, connect

pytestmark = pytest.mark.broker

CRASHING_INGEST = """
import asyncio, sys
from ingest.mqtt.subscriber import Subscriber

async def main():
    async with Subscriber(sys.argv[1], site="s", filters=["plant/s/#"], now=lambda: 0) as source:
        deliveries = []
        while len(deliveries) < 20:
            deliveries += await source.collect(0.1, 100)
        source.acknowledge(deliveries[:5])
        await asyncio.sleep(0.3)
        print("acknowledged 5", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_after_a_crash_what_was_not_acknowledged_comes_again(mosquitto: Broker) -> None:
    await open_session(mosquitto)
    await numbered(mosquitto, 0, 20)
    crashing = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRASHING_INGEST, mosquitto.url, stdout=subprocess.PIPE
    )
    assert crashing.stdout is not None
    assert await crashing.stdout.readline() == b"acknowledged 5\n"
    crashing.kill()
    await crashing.wait()
    async with subscriber(mosquitto.url) as source:
        deliveries = await caught_up(source)
        assert payloads(deliveries) == list(range(5, 20))
        assert source.counters.redelivered == 15
        source.acknowledge(deliveries)
    async with subscriber(mosquitto.url) as source:
        assert await caught_up(source) == []


async def test_reading_stops_when_full_and_nothing_is_lost(mosquitto: Broker) -> None:
    await open_session(mosquitto)
    count, size = 3000, 2000
    await publish(mosquitto, [("plant/s/a", str(n).encode().rjust(size)) for n in range(count)])
    limits = Limits(messages=400, bytes=10_000_000)
    async with subscriber(mosquitto.url, limits=limits) as source:
        backlog = source._intake._backlog
        await until(lambda: source._intake.paused, "reading to stop")
        seen: list[int] = []
        most = 0
        while len(seen) < count:
            if len(seen) in {1000, 2000}:
                await until(lambda: source._intake.paused, "reading to stop again")
            most = max(most, backlog.messages)
            deliveries = await collect(source, 100)
            source.acknowledge(deliveries)
            seen += payloads(deliveries)
        assert seen == list(range(count))
        assert most <= limits.messages + RECV_BYTES // size
        assert source.counters.paused >= 2
        assert source.counters.reconnects == 0


async def test_reading_stops_for_bytes_too(mosquitto: Broker) -> None:
    await open_session(mosquitto)
    await publish(mosquitto, [("plant/s/a", bytes(50_000))] * 60)
    limits = Limits(bytes=500_000)
    async with subscriber(mosquitto.url, limits=limits) as source:
        await until(lambda: source._intake.paused, "reading to stop")
        assert limits.bytes <= source._intake._backlog.bytes <= limits.bytes + RECV_BYTES
        source.acknowledge(await collect(source, 60, most=5))


async def test_a_pause_longer_than_keepalive_keeps_the_connection(mosquitto: Broker) -> None:
    async with subscriber(mosquitto.url, keepalive_s=2, limits=Limits(messages=1)) as source:
        await caught_up(source)
        await numbered(mosquitto, 0, 3)
        await until(lambda: source._intake.paused, "reading to stop")
        # The broker hangs up after 1.5 keepalives without a ping, paho after one to two without an answer.
        await asyncio.sleep(6.5)
        assert source._intake.paused
        assert source.connected
        deliveries = await collect(source, 3)
        source.acknowledge(deliveries)
        assert payloads(deliveries) == [0, 1, 2]
        await numbered(mosquitto, 3, 4)
        assert payloads(await collect(source, 1)) == [3]
        assert source.counters.reconnects == 0


async def test_a_broker_that_restarts_keeps_the_session_and_is_not_subscribed_again(
    mosquitto: Broker,
) -> None:
    held: list[tuple[str, ...]] = []
    await publish(mosquitto, [("plant/s/retained", b"1")], retain=True)
    async with subscriber(mosquitto.url, on_subscribed=held.append) as source:
        (retained,) = await caught_up(source)
        assert retained.retain
        source.acknowledge([retained])
        await until(lambda: source._intake._receipts.outstanding == 0, "the acknowledgement")
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not source.connected, "the end of the connection")
        assert not source.caught_up
        assert source.trouble
        await asyncio.to_thread(mosquitto.start)
        await numbered(mosquitto, 7, 8)
        live = await collect(source, 1)
        live += await caught_up(source)
        assert [(d.payload, d.retain) for d in live] == [(b"7", False)]
        assert source.counters.reconnects == 1
        source.acknowledge(live)
    assert held == [("plant/s/#", "stackwatt/s/marker")]

    async with subscriber(mosquitto.url, subscribed=held[0], on_subscribed=held.append) as source:
        assert await caught_up(source) == []
    assert len(held) == 1
    async with subscriber(mosquitto.url) as source:  # knows nothing of the session, so it asks
        assert [delivery.retain for delivery in await caught_up(source)] == [True]


async def test_a_broker_killed_before_it_saved_new_filters_is_asked_for_them_again(mosquitto: Broker) -> None:
    held: list[tuple[str, ...]] = []
    async with subscriber(mosquitto.url, "plant/s/a", on_subscribed=held.append) as source:
        await caught_up(source)
        await asyncio.to_thread(mosquitto.stop)  # saves the session with the first filter
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: source.counters.reconnects == 1, "the session")
        await caught_up(source)
        saved = (mosquitto.folder / "mosquitto.db").read_bytes()
        source.want(["plant/s/a", "plant/s/b"])
        await until(lambda: len(held) == 2, "the new filter")
        await asyncio.to_thread(mosquitto.kill)
        (mosquitto.folder / "mosquitto.db").write_bytes(saved)  # also where a save came between
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: source.counters.reconnects == 2, "the session as it was saved")
        await caught_up(source)
        await publish(mosquitto, [("plant/s/a", b"1"), ("plant/s/b", b"2")])
        assert [delivery.topic for delivery in await collect(source, 2)] == ["plant/s/a", "plant/s/b"]


async def test_a_broker_that_lost_the_session_is_subscribed_again(mosquitto: Broker) -> None:
    async with subscriber(mosquitto.url) as source:
        await caught_up(source)
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not source.connected, "the end of the connection")
        (mosquitto.folder / "mosquitto.db").unlink()
        await asyncio.to_thread(mosquitto.start)
        await caught_up(source)
        await numbered(mosquitto, 0, 1)
        assert payloads(await collect(source, 1)) == [0]


async def test_a_session_that_holds_less_than_remembered_is_found_out_by_the_marker(
    mosquitto: Broker,
) -> None:
    reader, writer = await asyncio.open_connection(mosquitto.host, mosquitto.port)
    writer.write(connect("stackwatt-s"))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    writer.write(DISCONNECT)
    assert await reader.read() == b""
    writer.close()
    believed = ("plant/s/#", "stackwatt/s/marker")
    patience = Patience(first_s=0.05, longest_s=0.2, marker_s=0.3)
    async with subscriber(mosquitto.url, subscribed=believed, patience=patience) as source:
        await caught_up(source)
        await numbered(mosquitto, 0, 1)
        assert payloads(await collect(source, 1)) == [0]


async def test_a_connection_that_stood_is_no_failure_when_the_next_is_made(mosquitto: Broker) -> None:
    """Cut again and again, each time after a while: the pauses must not add up to half a minute."""
    patience = Patience(first_s=0.02, longest_s=60.0, steady_s=0.1)
    async with subscriber(mosquitto.url, patience=patience) as source:
        for _ in range(12):
            await caught_up(source)
            await asyncio.sleep(0.15)
            assert source._intake._socket is not None
            source._intake._socket.drop("cut by the test")
            await until(lambda: not source.connected, "the cut to be noticed")
        await caught_up(source)
        assert source._attempt <= 1


async def test_what_was_queued_comes_before_caught_up(mosquitto: Broker) -> None:
    await open_session(mosquitto)
    await numbered(mosquitto, 0, 50)
    async with subscriber(mosquitto.url) as source:
        await until(lambda: source._intake.marker_seen, "the marker to arrive")
        for start in range(0, 50, 10):
            assert not source.caught_up, "messages from before the connection still wait"
            assert payloads(await source.collect(0.05, 10)) == list(range(start, start + 10))
        assert await source.collect(0.05, 10) == []
        assert source.caught_up


async def test_collect_gathers_for_the_given_time_and_returns_at_once_when_enough_wait(
    mosquitto: Broker,
) -> None:
    async with subscriber(mosquitto.url) as source:
        await caught_up(source)
        assert await source.collect(0.0, 10) == []
        waiting = asyncio.create_task(source.collect(60.0, 30))
        await numbered(mosquitto, 0, 30)
        assert payloads(await waiting) == list(range(30))
        await numbered(mosquitto, 30, 50)
        await until(lambda: source._intake._backlog.messages == 20, "20 messages to wait")
        assert payloads(await source.collect(60.0, 15)) == list(range(30, 45))
        # Fewer than asked for: what waits is handed out when the first is old enough.
        assert payloads(await source.collect(0.01, 30)) == list(range(45, 50))
        waiting = asyncio.create_task(source.collect(60.0, 30))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await numbered(mosquitto, 50, 51)
        assert payloads(await source.collect(0.5, 30)) == [50]


async def test_acknowledgements_of_a_lost_connection_are_dropped(mosquitto: Broker) -> None:
    async with subscriber(mosquitto.url) as source:
        await caught_up(source)
        await numbered(mosquitto, 0, 10)
        old = await collect(source, 10)
        assert source._intake._socket is not None
        source._intake._socket.drop("cut by the test")
        again = await collect(source, 10)
        assert payloads(again) == payloads(old)
        source.acknowledge(old)  # same packet ids, other connection
        source.acknowledge(again[:4])
        await source.close(0.0)
    async with subscriber(mosquitto.url) as source:
        assert payloads(await caught_up(source)) == list(range(4, 10))


async def test_closing_lets_what_is_out_be_acknowledged_and_leaves_the_rest_to_the_broker(
    mosquitto: Broker,
) -> None:
    async with subscriber(mosquitto.url) as source:
        await caught_up(source)
        await numbered(mosquitto, 0, 10)
        out = await collect(source, 6)
        source.stop()
        out += await source.collect(60.0, 2)  # what waits is still to be had, without waiting for more
        closing = asyncio.create_task(source.close(60.0))
        await asyncio.sleep(0.05)
        states = [(closing.done(), source.connected)]
        source.acknowledge(out)
        await closing
        states.append((closing.done(), source.connected))
        assert states == [(False, True), (True, False)]
    async with subscriber(mosquitto.url) as source:
        assert payloads(await caught_up(source)) == [8, 9]


async def test_goodbye_with_much_unread_loses_no_acknowledgement(mosquitto: Broker) -> None:
    await open_session(mosquitto)
    await publish(mosquitto, [("plant/s/a", str(n).encode().rjust(2000)) for n in range(2000)])
    async with subscriber(mosquitto.url, limits=Limits(messages=10)) as source:
        await until(lambda: source._intake.paused, "reading to stop")
        source.stop()
        out = await source.collect(0.0, 10_000)
        source.acknowledge(out)
    assert 10 <= len(out) < 2000
    async with subscriber(mosquitto.url) as source:
        assert payloads(await caught_up(source)) == list(range(len(out), 2000))


async def test_payloads_up_to_the_limit_come_whole_and_longer_ones_cut(mosquitto: Broker) -> None:
    limit = 1 << 20
    sizes = [limit, limit + 1, 2 * limit, 0, 10]
    bodies = [bytes([number]) * size for number, size in enumerate(sizes)]
    await open_session(mosquitto)
    await publish(mosquitto, [("plant/s/big", body) for body in bodies])
    async with subscriber(mosquitto.url) as source:
        deliveries = await caught_up(source)
        assert [delivery.payload for delivery in deliveries] == [body[: limit + 1] for body in bodies]
        assert source.counters.oversized == 2
        source.acknowledge(deliveries)
    async with subscriber(mosquitto.url) as source:
        assert await caught_up(source) == []


async def test_qos_0_is_delivered_and_counted_apart(mosquitto: Broker) -> None:
    async with subscriber(mosquitto.url) as source:
        await caught_up(source)
        await publish(mosquitto, [("plant/s/a", b"0")], qos=0)
        await publish(mosquitto, [("plant/s/a", b"2")], qos=2)
        deliveries = await collect(source, 2)
        assert [(d.payload, d.qos) for d in deliveries] == [(b"0", 0), (b"2", 1)]
        assert (source.counters.received, source.counters.qos0) == (2, 1)
        source.acknowledge(deliveries)


async def test_filters_hold_wildcards_and_may_change(mosquitto: Broker) -> None:
    held: list[tuple[str, ...]] = []
    topics = ["plant/s/a", "plant/s/x/power", "plant/s/y/power", "plant/s/y/energy", "meters/1"]
    async with subscriber(mosquitto.url, "plant/s/+/power", "meters/#", on_subscribed=held.append) as source:
        await caught_up(source)
        await publish(mosquitto, [(topic, b"1") for topic in topics])
        deliveries = await collect(source, 3)
        assert [d.topic for d in deliveries] == ["plant/s/x/power", "plant/s/y/power", "meters/1"]
        source.want(["plant/s/+/power", "plant/s/a"])
        await until(lambda: len(held) == 2, "the new filters")
        await publish(mosquitto, [(topic, b"2") for topic in topics])
        deliveries = await collect(source, 3)
        assert [d.topic for d in deliveries] == ["plant/s/a", "plant/s/x/power", "plant/s/y/power"]
    assert held[1] == ("plant/s/+/power", "plant/s/a", "stackwatt/s/marker")


async def test_topics_beginning_with_dollar_are_never_delivered(mosquitto: Broker) -> None:
    async with subscriber(mosquitto.url, "$SYS/broker/version", "plant/s/#") as source:
        assert await caught_up(source) == []
        await until(lambda: source.counters.ignored >= 2, "the retained version and the marker")
        assert source.counters.received == 0


async def test_a_broker_that_is_away_is_waited_for(mosquitto: Broker) -> None:
    await asyncio.to_thread(mosquitto.stop)
    async with subscriber(mosquitto.url) as source:
        await until(lambda: "refused" in source.trouble, "the trouble to be named")
        assert await source.collect(0.01, 10) == []
        states = [(source.connected, source.caught_up)]
        await asyncio.to_thread(mosquitto.start)
        await caught_up(source)
        states.append((source.connected, source.caught_up))
        assert states == [(False, False), (True, True)]
        assert source.trouble == ""
        assert source.counters.reconnects == 0
