"""A notifier as a process: what it is told from outside, and its end on SIGTERM or SIGINT.

It waits for no database: until there is one it says so in its log and tries again. Several may
run on one database, on one machine or on several.
"""

import asyncio
import random
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ingest.settings import check_dsn
from service.store import Store
from service.webhooks.notifier import Bounds, Notifier
from service.webhooks.posting import trusted
from service.webhooks.schedule import Schedule
from service.webhooks.sending import Sender
from service.webhooks.targets import Network, Resolve

NAME = "stackwatt notifier"
"""What the database calls its connections."""
_LOOK_UPS = 32
"""Names looked up at once: a name server that hangs holds up its own names only."""


@dataclass(frozen=True, slots=True)
class NotifierSettings:
    """Settings of one notifier."""

    dsn: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    """Where the plant files' secrets are looked for."""
    private: Sequence[Network] = ()
    """Networks of one's own that may be delivered to."""
    public_url: str = ""
    """Where people find the service's page; empty: links stay relative."""
    ca_file: Path | None = None
    """Certificates of authorities of one's own."""
    schedule: Schedule = field(default_factory=Schedule)
    bounds: Bounds = field(default_factory=Bounds)


async def run(settings: NotifierSettings) -> int:
    """Deliver until told to stop; the exit code.

    Raises:
        InputError: the DSN or the file of certificates cannot be read.
    """
    check_dsn(settings.dsn)
    store = store_of(settings.dsn)
    threads = ThreadPoolExecutor(_LOOK_UPS, "look-up")
    notifier = Notifier(store, _sender(settings, threads), settings.bounds)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, notifier.stop)
    await store.open()
    try:
        await notifier.run()
    finally:
        await store.close()
        threads.shutdown(wait=False, cancel_futures=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


def store_of(dsn: str) -> Store:
    """The notifier's way to the database.

    What a claim or an outcome costs is the wait for the disk, and losing the newest in a crash of the
    database only sends again what was sent; deliveries themselves are made durably (`fan_out`).
    """
    return Store(dsn, readers=1, writers=4, name=NAME, options="-c synchronous_commit=off")


def _sender(settings: NotifierSettings, threads: ThreadPoolExecutor) -> Sender:
    return Sender(
        environment=settings.environment,
        private=settings.private,
        public_url=settings.public_url,
        context=trusted(settings.ca_file),
        resolve=resolver(threads),
        schedule=settings.schedule,
        now=lambda: time.time_ns() // 1000,
        dice=random.Random(),  # noqa: S311  jitter needs no secret
    )


def resolver(threads: ThreadPoolExecutor) -> Resolve:
    """The system's look-up of names, in threads of its own."""

    async def resolve(host: str, port: int) -> list[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]

    return resolve
