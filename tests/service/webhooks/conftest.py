"""A notifier driven by hand, with a clock that a test sets."""

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest

from service.store import Store
from service.webhooks.claiming import enrol
from service.webhooks.notifier import Bounds, Notifier
from service.webhooks.posting import trusted
from service.webhooks.process import store_of
from service.webhooks.schedule import Schedule
from service.webhooks.sending import Sender
from service.webhooks.targets import parse_networks
from tests.service.webhooks.receiving import ENVIRONMENT, Receiver, receiving


@dataclass(slots=True)
class Clock:
    """The notifier's clock; begins at the real time, for signatures are only good for minutes."""

    now: int

    def __call__(self) -> int:
        return self.now


async def loopback(host: str, port: int) -> list[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


@dataclass(slots=True)
class Bench:
    """A notifier, its clock, and its database."""

    dsn: str
    clock: Clock
    sender: Sender
    notifier: Notifier
    store: Store = field(repr=False)

    async def round(self) -> None:
        """Until nothing is due any more and nothing is being sent."""
        while True:
            await self.notifier.round()
            if not self.notifier.sending:
                return
            await self.notifier.settled()

    def sql(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement; the rows it gives."""
        with psycopg.connect(self.dsn) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def notifying(dsn: str, clock: Clock, **changes: Any) -> AsyncIterator[Bench]:
    """A notifier with a session of its own, as `run` would hold it."""
    sender = Sender(
        environment=ENVIRONMENT,
        private=parse_networks(["127.0.0.0/8"]),
        public_url="https://watt.example",
        context=trusted(None),
        resolve=loopback,
        schedule=Schedule(jitter=0.0),
        now=clock,
        dice=random.Random(1),
    )
    sender = replace(sender, **changes)
    store = store_of(dsn)
    await store.open()
    async with await store.listener() as session:
        notifier = Notifier(store, sender, Bounds(poll_s=0.0))
        notifier.number = await enrol(session)
        yield Bench(dsn, clock, sender, notifier, store)
        for task in notifier._sending:
            task.cancel()
    await store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time_ns() // 1000)


@pytest.fixture
async def bench(dsn: str, clock: Clock) -> AsyncIterator[Bench]:
    """A notifier over a fresh database."""
    async with notifying(dsn, clock) as made:
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that answers 204."""
    async with receiving() as made:
        yield made
