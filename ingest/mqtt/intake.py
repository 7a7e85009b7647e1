"""The way in, from received bytes to `collect` and back to acknowledgements.

Holds what outlives a connection: the backlog, the receipts and the counters.
Connections come and go through `attach` and `detach`. Deliveries that waited
when one was lost are still handed out; the broker sends them again, and telling
copies apart is the pipeline's work.

It starts no connection and publishes nothing; the marker it waits for is named
by `expect`.
"""

import asyncio
from collections.abc import Callable, Sequence

from ingest.mqtt.backlog import Backlog, Limits, Receipts
from ingest.mqtt.counters import Counters
from ingest.mqtt.framing import PacketScanner
from ingest.mqtt.paho_socket import PahoSocket
from ingest.source import Delivery


class Intake:
    """What one subscriber has received, whatever the connection.

    `now` gives µs since the epoch. Messages on `marker_topic` and on topics
    that begin with `$` are acknowledged and never handed out.
    """

    def __init__(self, marker_topic: str, limits: Limits, now: Callable[[], int]) -> None:
        self.counters = Counters()
        self.caught_up = False
        """Whether the expected marker and all before it have been handed out."""
        self.marker_seen = False
        """Whether the expected marker has arrived; before it, messages may be waiting here."""
        self._marker_topic = marker_topic
        self._marker = b""
        self._now = now
        self._scanner = PacketScanner(self._is_apart, limits.payload, self.counters)
        self._backlog = Backlog(limits)
        self._receipts = Receipts()
        self._idle = asyncio.Event()
        self._idle.set()
        self._socket: PahoSocket | None = None
        self._stopped = False
        self._waiter: asyncio.Future[None] | None = None
        self._wake_at = 1

    @property
    def paused(self) -> bool:
        """Whether reading has stopped for want of room (or for good)."""
        return self._socket is not None and self._socket.paused

    def attach(self, socket: PahoSocket) -> None:
        """A new connection begins: packet ids start over."""
        self._socket = socket
        self._receipts.connection += 1
        self._scanner.restart(self._receipts.connection)

    def detach(self) -> None:
        """The connection is gone, and with it the meaning of its packet ids and of its marker."""
        self._socket = None
        self._receipts.connection += 1
        self.expect(b"")

    def expect(self, marker: bytes) -> None:
        """`marker` is about to be published; caught up again once it has come back (never, if empty)."""
        self._marker = marker
        self.caught_up = self.marker_seen = False

    def receive(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take what one read gave; the packets that are paho's (first byte, body).

        Raises:
            MalformedPacketError: see `PacketScanner.feed`.
        """
        received = self._scanner.feed(data, self._now())
        if received.deliveries or received.apart:
            backlog = self._backlog
            backlog.add(received, len(data), asyncio.get_running_loop().time())
            self.counters.waiting = backlog.messages
            for _, message in received.apart:
                self.marker_seen |= self._is_marker(message)
            if backlog.messages >= self._wake_at:
                self.wake()
        if self._socket is not None and not self._socket.paused and (self._stopped or self._backlog.over):
            self.counters.paused += not self._stopped
            self._socket.pause()
        return received.others

    async def collect(self, max_wait_s: float, max_messages: int) -> list[Delivery]:
        """See `Source`; the second wait counts from the arrival of the oldest message."""
        await asyncio.sleep(0)  # a caller that always finds messages must still let the socket be read
        backlog = self._backlog
        if not backlog.messages:
            await self._wait(1, max_wait_s)
        if 0 < backlog.messages < max_messages:
            age_s = asyncio.get_running_loop().time() - backlog.since
            await self._wait(max_messages, max_wait_s - age_s)
        return self._take(max_messages)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """See `Source`; acknowledgements of one call leave in one write."""
        self._send(self._receipts.acknowledge(deliveries))
        if not self._receipts.outstanding:
            self._idle.set()

    def stop(self) -> None:
        """Read no more. What waits is still handed out, without waiting for more."""
        self._stopped = True
        if self._socket is not None:
            self._socket.pause()
        self.wake()

    def wake(self) -> None:
        """End the wait of `collect`."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def settled(self) -> None:
        """Wait until all that was handed out is acknowledged."""
        await self._idle.wait()

    async def _wait(self, messages: int, timeout_s: float) -> None:
        """Until `messages` are waiting, but not beyond `timeout_s`."""
        if self._stopped or timeout_s <= 0:
            return
        self._wake_at = messages
        self._waiter = asyncio.get_running_loop().create_future()
        timer = asyncio.get_running_loop().call_later(timeout_s, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _take(self, most: int) -> list[Delivery]:
        deliveries, apart = self._backlog.take(most)
        self.counters.waiting = self._backlog.messages
        self._send(self._receipts.hand_out(len(deliveries), apart))
        for _, message in apart:
            self.caught_up |= self._is_marker(message)
        if self._receipts.outstanding:
            self._idle.clear()
        if self.paused and not self._stopped and self._backlog.low and self._socket is not None:
            self._socket.resume()
        return deliveries

    def _send(self, packets: bytes) -> None:
        if self._socket is not None:
            self._socket.send(packets)

    def _is_apart(self, topic: str) -> bool:
        return topic == self._marker_topic or topic.startswith("$")

    def _is_marker(self, message: Delivery) -> bool:
        return bool(self._marker) and message.topic == self._marker_topic and message.payload == self._marker
