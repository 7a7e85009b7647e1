"""What the subscriber tests do again and again: publish, wait, collect."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from paho.mqtt import publish as paho_publish

from deploy.broker import Broker
from ingest.mqtt.patience import Patience
from ingest.mqtt.subscriber import Subscriber
from ingest.source import Delivery, Source

IMPLEMENTED: type[Source] = Subscriber
"""Says to the type checker what the subscriber promises the pipeline."""

PATIENCE_S = 20.0
"""How long a test waits for what must happen before it fails."""


def now() -> int:
    return time.time_ns() // 1000


def subscriber(url: str, *filters: str, **options: Any) -> Subscriber:
    options.setdefault("patience", Patience(first_s=0.05, longest_s=0.2))
    return Subscriber(url, site="s", filters=filters or ("plant/s/#",), now=now, **options)


async def publish(
    broker: Broker, messages: Iterable[tuple[str, bytes]], *, qos: int = 1, retain: bool = False
) -> None:
    """Publish in order and wait until the broker has acknowledged all."""
    batch: Any = [(topic, payload, qos, retain) for topic, payload in messages]
    await asyncio.to_thread(paho_publish.multiple, batch, broker.host, broker.port)


async def numbered(broker: Broker, first: int, stop: int) -> None:
    await publish(broker, [("plant/s/a", str(number).encode()) for number in range(first, stop)])


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain for {what}"
        await asyncio.sleep(0.01)


async def collect(source: Subscriber, count: int, most: int = 10_000) -> list[Delivery]:
    """Exactly `count` deliveries, or fail."""
    out: list[Delivery] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(out) < count:
        assert time.monotonic() < deadline, f"{len(out)} of {count} messages came in {PATIENCE_S} s"
        out += await source.collect(0.05, min(most, count - len(out)))
    return out


async def caught_up(source: Subscriber) -> list[Delivery]:
    """Everything that comes until the source says it is caught up."""
    out: list[Delivery] = []
    deadline = time.monotonic() + PATIENCE_S
    while not source.caught_up:
        assert time.monotonic() < deadline, f"not caught up in {PATIENCE_S} s: {source.trouble}"
        out += await source.collect(0.02, 10_000)
    return out


def payloads(deliveries: Iterable[Delivery]) -> list[int]:
    return [int(delivery.payload) for delivery in deliveries]


async def open_session(broker: Broker, *filters: str, **options: Any) -> None:
    """Have the broker queue for our session from here on."""
    async with subscriber(broker.url, *filters, **options) as source:
        source.acknowledge(await caught_up(source))
