"""The publisher against a real broker: nothing is lost, whatever the broker does."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from deploy.broker import Broker
from ingest.errors import InputError
from simulator.packets import Packet
from simulator.publisher import Address, Publisher

pytestmark = pytest.mark.broker

PACKETS = [Packet("plant/s/a", b"%d" % i, i, i, {"s/a": 1, "s/b": 2}) for i in range(600)]


@asynccontextmanager
async def _serving(broker: Broker, in_flight: int = 20) -> AsyncIterator[Publisher]:
    publisher = Publisher(Address.parse(broker.url), "test-publisher", random.Random(1), in_flight)
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        await asyncio.wait([task])


def _subscriber(broker: Broker) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, identifier="test-reader", clean_session=False)


async def _subscribe(broker: Broker) -> None:
    """A session that the broker keeps while nobody is connected to it."""
    async with _subscriber(broker) as client:
        await client.subscribe("plant/#", qos=1)


async def _received(broker: Broker, distinct: int) -> list[bytes]:
    """Payloads in the order of arrival, until that many different ones are there."""
    payloads: list[bytes] = []
    async with asyncio.timeout(30), _subscriber(broker) as client:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            payloads.append(message.payload)
            if len(set(payloads)) == distinct:
                break
    return payloads


async def test_everything_arrives_once_and_in_order(mosquitto: Broker) -> None:
    await _subscribe(mosquitto)
    async with _serving(mosquitto) as publisher:
        for packet in PACKETS:
            await publisher.publish(packet)
        await asyncio.wait_for(publisher.drained(), 30)
        assert publisher.published == publisher.acknowledged == {"s/a": 600, "s/b": 1200}
        assert publisher.spans == {"s/a": (0, 599), "s/b": (0, 599)}
    assert await _received(mosquitto, 600) == [packet.payload for packet in PACKETS]


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_a_broker_that_goes_away_costs_nothing(mosquitto: Broker, how: str) -> None:
    """Killed, it may lose what it had acknowledged, so there only our own account is looked at."""
    await _subscribe(mosquitto)
    async with _serving(mosquitto) as publisher:
        for packet in PACKETS[:200]:
            await publisher.publish(packet)
        await asyncio.to_thread(mosquitto.stop if how == "stopped" else mosquitto.kill)
        rest = asyncio.create_task(_publish(publisher, PACKETS[200:]))
        await asyncio.to_thread(mosquitto.start)
        await asyncio.wait_for(rest, 30)
        await asyncio.wait_for(publisher.drained(), 30)
        assert publisher.published == publisher.acknowledged == {"s/a": 600, "s/b": 1200}
        assert publisher.connections >= 2
    if how == "stopped":
        received = await _received(mosquitto, 600)
        assert set(received) == {packet.payload for packet in PACKETS}
        # Sent again are at most those in flight.
        assert len(received) <= 600 + 2 * 20


async def test_a_broker_that_is_away_fills_the_window_and_no_more(mosquitto: Broker) -> None:
    await asyncio.to_thread(mosquitto.stop)
    async with _serving(mosquitto, in_flight=5) as publisher:
        for packet in PACKETS[:5]:
            await publisher.publish(packet)
        waiting = asyncio.create_task(publisher.publish(PACKETS[5]))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert not publisher.published
        await asyncio.to_thread(mosquitto.start)
        await asyncio.wait_for(waiting, 30)
        await asyncio.wait_for(publisher.drained(), 30)
        assert publisher.published == publisher.acknowledged == {"s/a": 6, "s/b": 12}


async def test_what_was_never_sent_can_be_given_up(mosquitto: Broker) -> None:
    await asyncio.to_thread(mosquitto.stop)
    async with _serving(mosquitto, in_flight=5) as publisher:
        for packet in PACKETS[:3]:
            await publisher.publish(packet)
        publisher.give_up_unsent()
        await asyncio.wait_for(publisher.drained(), 30)
        assert not publisher.published
        assert not publisher.acknowledged


async def _publish(publisher: Publisher, packets: list[Packet]) -> None:
    for packet in packets:
        await publisher.publish(packet)


def test_addresses() -> None:
    assert Address.parse("mqtt://broker") == Address("broker", 1883, None, None)
    assert Address.parse("mqtt://a%40b:c%2Fd@[::1]:1884") == Address("::1", 1884, "a@b", "c/d")


@pytest.mark.parametrize("url", ["broker", "http://broker", "mqtt://", "mqtt://x:secret@broker:70000"])
def test_a_wrong_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InputError, match=r"expected mqtt://\[user:password@\]host") as refused:
        Address.parse(url)
    assert "secret" not in str(refused.value)
