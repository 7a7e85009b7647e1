"""Deliveries from an MQTT broker, acknowledged only when committed.

One persistent session under a stable client id. What was not acknowledged the
broker sends again after any crash, ours or the network's, so nothing is written
down here. Messages wait in a bounded backlog; when it is full reading stops and
the broker keeps the rest, within its own limits.

After every connection a unique *marker* is published to a topic this session
subscribes to. A broker's queue is in order per session, so when the marker has
come back and all before it is handed out, the source is caught up.

A lost connection is made again, after growing and jittered pauses, for ever: a
broker that is away is a state (`connected`, `trouble`), not an error. MQTT 3.1.1
only; no decoding, no `$share`, no publishing but the marker.
"""

import asyncio
import logging
import math
import random
import ssl
import uuid
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Any, Self

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.mqtt.address import BrokerAddress
from ingest.mqtt.backlog import Limits
from ingest.mqtt.counters import Counters
from ingest.mqtt.intake import Intake
from ingest.mqtt.paho_socket import PahoSocket
from ingest.mqtt.patience import Patience, at_most
from ingest.mqtt.subscriptions import Subscriptions
from ingest.mqtt.tls import in_words
from ingest.source import Delivery

log = logging.getLogger(__name__)

CONNECT_S = 5.0
"""Longest wait for TCP, for TLS and for CONNACK, each."""
LEAVE_S = 2.0
"""Longest wait for the broker to hang up after our DISCONNECT."""

_RANDOM = random.SystemRandom()


class _Client(aiomqtt.Client):
    """aiomqtt's client, opened where it hides paho."""

    session_present = False
    """Whether CONNACK said that the broker still has our session."""

    def paho(self) -> PahoClient:
        """Paho's client, which from now on notes the session flag that aiomqtt drops."""
        tell_aiomqtt = self._on_connect

        def on_connect(
            client: PahoClient,
            data: Any,
            flags: ConnectFlags,
            code: ReasonCode,
            properties: Properties | None,
        ) -> None:
            self.session_present = flags.session_present
            tell_aiomqtt(client, data, flags, code, properties)

        self._client.on_connect = on_connect
        self._client.connect_timeout = CONNECT_S
        return self._client

    def lost(self, reason: str) -> None:
        """End the wait for CONNACK on a connection that is gone; aiomqtt would sit it out."""
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError(reason))

    def forget(self) -> None:
        """Look at how the connection ended, so that asyncio does not report it as overlooked."""
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()


class Subscriber:
    """An `ingest.source.Source` fed by one broker for one site.

    Use as an async context manager: it connects in the background and leaves with
    DISCONNECT. One task at a time may `collect`.

    Args:
        url: `mqtt://` or `mqtts://`; see `BrokerAddress`.
        site: Names the marker topic `stackwatt/{site}/marker` and the session.
        filters: Topic filters to be subscribed to, at QoS 1.
        now: µs since the epoch, asked once per read.
        client_id: Stable identity of the session; `stackwatt-{site}` unless given.
        subscribed: What `on_subscribed` was last told for this broker and client id.
            A session that is still there is then asked only for what is new, so
            retained messages do not come twice, and freed of what is not wanted.
        on_subscribed: Told, in the event loop, all filters the session now holds.
        limits: Bounds of memory.
        patience: Pauses between attempts.
        keepalive_s: Seconds, at least 2.
        tls: Context for `mqtts`; the system's authorities unless given.
    """

    def __init__(
        self,
        url: str,
        *,
        site: str,
        filters: Sequence[str],
        now: Callable[[], int],
        client_id: str | None = None,
        subscribed: Collection[str] = (),
        on_subscribed: Callable[[tuple[str, ...]], None] | None = None,
        limits: Limits | None = None,
        patience: Patience | None = None,
        keepalive_s: int = 30,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = BrokerAddress.parse(url)
        self._client_id = client_id or f"stackwatt-{site}"
        self._marker_topic = f"stackwatt/{site}/marker"
        self._subscriptions = Subscriptions(self._marker_topic, subscribed, on_subscribed)
        self._subscriptions.want(filters)
        self._patience = patience or Patience()
        self._keepalive_s = max(2, keepalive_s)
        self._tls = tls
        self._intake = Intake(self._marker_topic, limits or Limits(), now)
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._attempt = 0
        self._connected = False
        self._connected_before = False
        self._reason = ""
        self.trouble = "not connected yet"
        """Why `connected` is false, in a few words; empty while it is true."""

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and the connection stands."""
        return self._connected

    @property
    def caught_up(self) -> bool:
        """Whether everything queued before the last (re)connection has been handed out."""
        return self._connected and self._intake.caught_up

    @property
    def counters(self) -> Counters:
        """What has come in so far."""
        return self._intake.counters

    @property
    def refused(self) -> tuple[str, ...]:
        """Filters the broker does not let us subscribe to."""
        return self._subscriptions.refused

    async def collect(self, max_wait_s: float, max_messages: int) -> list[Delivery]:
        """Wait for the first delivery at most `max_wait_s`, then gather until it is that old.

        Returns at once when `max_messages` are waiting, and with what there is after `stop`.
        """
        if self._task is not None and self._task.done():
            self._task.result()  # a fault of ours ended the connecting: do not go quiet about it
        return await self._intake.collect(max_wait_s, max_messages)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """The deliveries, in the order handed out, are committed; those of a lost connection are let be."""
        self._intake.acknowledge(deliveries)

    def want(self, filters: Sequence[str]) -> None:
        """The plan has changed: from now on be subscribed to exactly these."""
        self._subscriptions.want(filters)

    def stop(self) -> None:
        """Read no more; `collect` still hands out what waits, and acknowledgements still leave."""
        self._intake.stop()

    async def close(self, patience_s: float = 5.0) -> None:
        """Stop, wait at most `patience_s` for acknowledgement of what is out, then disconnect."""
        self.stop()
        if self._task is None:
            return
        if self._connected:
            await at_most(patience_s, self._intake.settled())
        self._closing.set()
        await asyncio.wait({self._task})

    async def __aenter__(self) -> Self:
        """Begin to connect."""
        if self._address.tls and self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        self._task = asyncio.create_task(self._run(), name=f"mqtt {self._client_id}")
        self._task.add_done_callback(lambda _: self._intake.wake())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close at once: whoever leaves the block has acknowledged what it will."""
        await self.close(0.0)

    async def _run(self) -> None:
        """Connect, and again, until closed."""
        while not self._closing.is_set():
            self._reason = ""
            try:
                await self._session()
            except* aiomqtt.MqttError as errors:
                self.trouble = self._reason or in_words(errors.exceptions[0])
            if self._closing.is_set():
                return
            pause_s = self._patience.before(self._attempt, _RANDOM.random())
            level = logging.WARNING if self._attempt == 0 else logging.DEBUG
            log.log(level, "broker %s: %s; next attempt in %.1f s", self._address, self.trouble, pause_s)
            self._attempt += 1
            await at_most(pause_s, self._closing.wait())

    async def _session(self) -> None:
        """One connection, from CONNECT to its end; the end is always an error."""
        client = self._client()

        def lost(reason: str) -> None:
            self._reason = reason
            client.lost(reason)

        loop, since = asyncio.get_running_loop(), math.inf
        socket = PahoSocket(client.paho(), self._intake.receive, lost)
        self._intake.attach(socket)
        try:
            async with client, asyncio.TaskGroup() as group:
                self._connected, self.trouble, since = True, "", loop.time()
                self.counters.reconnects += self._connected_before
                self._connected_before = True
                log.info("broker %s: connected, session %s", self._address, client.session_present)
                group.create_task(self._settle(client))
                group.create_task(self._leave_when_closing(socket))
                # PUBLISH goes round paho, so this never yields; it raises when the connection ends.
                await anext(client.messages)
        finally:
            self._connected = False
            if loop.time() - since >= self._patience.steady_s:
                self._attempt = 0
            self._intake.detach()
            socket.close()
            client.forget()

    def _client(self) -> _Client:
        tls = self._tls if self._address.tls else None
        return _Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._client_id,
            clean_session=False,
            keepalive=self._keepalive_s,
            timeout=CONNECT_S,
            tls_context=tls,
            tls_insecure=True if tls is not None and not tls.check_hostname else None,
        )

    async def _settle(self, client: _Client) -> None:
        """Subscribe where needed, publish the marker, and see that it comes back."""
        if not client.session_present:
            self._subscriptions.forget()
        self._subscriptions.doubt()
        await self._subscriptions.agree(client)
        await self._mark(client)
        while True:
            before = self.counters.received
            await at_most(self._patience.marker_s, self._subscriptions.changed.wait())
            heard = self._intake.marker_seen or self._intake.paused or self.counters.received > before
            if not (heard or self._subscriptions.changed.is_set()):
                log.warning(
                    "broker %s: no marker on %s (may we publish there?); subscribing again",
                    self._address,
                    self._marker_topic,
                )
                self._subscriptions.forget()
                await self._subscriptions.agree(client)
                await self._mark(client)
            await self._subscriptions.agree(client)

    async def _mark(self, client: _Client) -> None:
        marker = uuid.uuid4().hex.encode()
        self._intake.expect(marker)
        await client.publish(self._marker_topic, marker, qos=1, timeout=math.inf)

    async def _leave_when_closing(self, socket: PahoSocket) -> None:
        await self._closing.wait()
        socket.leave()
        await asyncio.sleep(LEAVE_S)
        socket.drop("closed here; the broker did not answer DISCONNECT by hanging up")
