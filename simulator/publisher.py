"""Packets to the broker at QoS 1, each until it is acknowledged.

A bounded number is in flight; `publish` waits for room, so a source cannot run
ahead of the broker. A packet leaves the window with its PUBACK only. After a
lost connection everything unacknowledged is sent again, oldest first, over a
new one: the broker may then hold a packet twice, never not at all.

`published` counts the distinct readings handed to a connection, `acknowledged`
those whose PUBACK has come; both by point. The only file here that knows
aiomqtt. It does not make readings, and it keeps nothing on disk.
"""

import asyncio
import logging
import math
import random
from collections import Counter, deque
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiomqtt

from ingest.errors import InputError
from simulator.packets import Packet

_log = logging.getLogger(__name__)

IN_FLIGHT = 64
"""Messages without PUBACK; at 64 a local broker is kept busy and a backfill message is a few kilobytes."""

_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    username: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """From `mqtt://[user[:password]@]host[:port]`; the error does not repeat a password."""
        parts = urlsplit(url)
        try:
            port = parts.port or 1883
        except ValueError:
            port = 0
        if parts.scheme != "mqtt" or not parts.hostname or not port:
            shown = f"{parts.scheme}://{parts.hostname or ''}"
            raise InputError(f"MQTT address {shown!r}: expected mqtt://[user:password@]host[:port]")
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port, user, password)


class Publisher:
    """A window of packets between a source and a broker; `run` serves it until cancelled."""

    def __init__(
        self, address: Address, client_id: str, draw: random.Random, in_flight: int = IN_FLIGHT
    ) -> None:
        self.published: Counter[str] = Counter()
        """Distinct readings sent, by point id."""
        self.acknowledged: Counter[str] = Counter()
        """Distinct readings acknowledged, by point id."""
        self.spans: dict[str, tuple[int, int]] = {}
        """Oldest and newest `measured_at` of the messages sent, µs, by point id."""
        self.connected = False
        self.connections = 0
        """How often a connection was made."""
        self._address = address
        self._client_id = client_id
        self._draw = draw
        self._in_flight = in_flight
        self._room = asyncio.Semaphore(in_flight)
        self._waiting: dict[int, Packet] = {}
        self._unsent: deque[int] = deque()
        self._accepted = 0
        self._sent_up_to = 0
        self._work = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    async def publish(self, packet: Packet) -> None:
        """Take a packet over; returns when there is room for it, not when it is acknowledged."""
        await self._room.acquire()
        self._accepted += 1
        self._waiting[self._accepted] = packet
        self._unsent.append(self._accepted)
        self._empty.clear()
        self._work.set()

    async def drained(self) -> None:
        """Wait until everything taken over is acknowledged."""
        await self._empty.wait()

    def give_up_unsent(self) -> None:
        """Forget what was taken over and never sent, the broker being away: it counts as not published."""
        for number in [number for number in self._waiting if number > self._sent_up_to]:
            self._forget(number)

    async def run(self) -> None:
        """Connect, send, and connect again for ever."""
        failures = 0
        while True:
            before = self.connections
            try:
                await self._one_connection()
            except aiomqtt.MqttError as error:
                _log.warning("broker %s:%d: %s", self._address.host, self._address.port, error)
            finally:
                self.connected = False
            failures = 0 if self.connections > before else failures + 1
            longest = min(_FIRST_DELAY_S * 2.0**failures, _LONGEST_DELAY_S)
            await asyncio.sleep(longest * self._draw.uniform(0.5, 1.0))

    async def _one_connection(self) -> None:
        client = aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._client_id,
            clean_session=True,
            max_inflight_messages=self._in_flight,
        )
        client.pending_calls_threshold = self._in_flight
        async with client:
            self.connected = True
            self.connections += 1
            self._unsent = deque(self._waiting)
            self._work.set()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_lost(client), name="connection")
                    await self._send(client, group)
            except* aiomqtt.MqttError as errors:
                raise aiomqtt.MqttError(str(errors.exceptions[0])) from errors

    async def _send(self, client: aiomqtt.Client, group: asyncio.TaskGroup) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._unsent:
                number = self._unsent.popleft()
                if number not in self._waiting:
                    continue
                if number > self._sent_up_to:
                    self._sent_up_to = number
                    self._note(self._waiting[number])
                group.create_task(self._deliver(client, number))

    def _note(self, packet: Packet) -> None:
        self.published.update(packet.readings)
        for point in packet.readings:
            first_at, last_at = self.spans.get(point, (packet.first_at, packet.last_at))
            self.spans[point] = min(first_at, packet.first_at), max(last_at, packet.last_at)

    async def _deliver(self, client: aiomqtt.Client, number: int) -> None:
        packet = self._waiting[number]
        await client.publish(packet.topic, packet.payload, qos=1, timeout=math.inf)
        self.acknowledged.update(packet.readings)
        self._forget(number)

    def _forget(self, number: int) -> None:
        del self._waiting[number]
        self._room.release()
        if not self._waiting:
            self._empty.set()


async def _lost(client: aiomqtt.Client) -> None:
    """Raise MqttError when the connection ends; nothing is subscribed, so nothing else comes."""
    async for _ in client.messages:
        pass
