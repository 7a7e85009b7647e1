# ruff: noqa: SLF001 - the one file that reaches into paho, so that no other has to
"""Paho's socket, read by us.

Paho keeps what it is good at: CONNECT, SUBSCRIBE, its own PUBLISH, pings, TLS
and the order of outgoing packets. Reading is ours from the first byte: large
pieces, PUBLISH packets to the subscriber, every other packet to paho's own
handler. After a read we look again 5 ms later instead of waking for every few
packets: at 25 000 messages/s that took 0.07 core where it had been 0.22.

Reading can pause while the connection lives on. Paho then still sends PINGREQ,
so the broker stays content, but the answer lies unread; paho would hang up
after one keepalive. So while paused, and whenever bytes of any kind came in,
its wait for the answer starts anew. A peer that died during a pause is found
out after it, by paho's next ping.

`NEEDED` is every private name of paho used here, and a test holds it against
the installed version.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket

from ingest.mqtt.framing import MalformedPacketError

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike  # paho defines it for type checkers only

NEEDED = (
    "_in_packet",
    "_loop_rc_handle",
    "_packet_handle",
    "_packet_queue",
    "_ping_t",
    "_sock_recv",
)
RECV_BYTES = 1 << 17
"""Bytes taken before the event loop has its turn again."""
GATHER_S = 0.005
"""How long to let bytes gather after some have come."""
HOLD_OPEN_S = 1.0
"""How often a paused connection's ping is forgiven; paho waits one keepalive, at least 2 s."""

_PUBACK, _DISCONNECT = 0x40, b"\xe0\x00"


class PahoSocket:
    """Reads and writes the socket of one paho client on the running loop.

    `receive` gets the bytes and returns the packets that are paho's (first
    byte, body); `lost` is told, in a few words, why a connection was ended here.
    """

    def __init__(
        self,
        client: Client,
        receive: Callable[[bytes], list[tuple[int, bytes]]],
        lost: Callable[[str], None],
    ) -> None:
        self._client = client
        self._receive = receive
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._fd = -1
        self._listening = False
        self._next: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._leaving = False
        self.paused = False
        self._opened_before = client.on_socket_open
        client.on_socket_open = self._opened

    @property
    def open(self) -> bool:
        """Whether there is a socket."""
        return self._client.socket() is not None

    def _opened(self, client: Client, userdata: object, sock: "SocketLike") -> None:
        """Paho has connected, in a worker thread: put our reader in the place of the one just asked for.

        Both calls reach the loop before the broker has anything to answer.
        """
        if self._opened_before is not None:
            self._opened_before(client, userdata, sock)
        self._fd = sock.fileno()
        self._loop.call_soon_threadsafe(self._listen)

    def _listen(self) -> None:
        """Have the loop tell us when there is something to read."""
        if self.open and not self.paused:
            self._loop.add_reader(self._fd, self._read)
            self._listening = True

    def _read(self) -> None:
        """Read what there is, up to `RECV_BYTES`, and see to it that reading goes on."""
        self._next = None
        room = RECV_BYTES
        while room > 0:
            if not self.open or self.paused:
                return
            try:
                data = self._client._sock_recv(RECV_BYTES)
            except BlockingIOError:  # with TLS too this alone means that nothing is left
                break
            except OSError as error:
                self.drop(str(error))
                return
            if not data:
                self.drop("the broker closed the connection")
                return
            room -= len(data)
            self._take(data)
        if room == RECV_BYTES:
            if not self._listening:
                self._listen()
        elif self.open and not self.paused:
            self._look_again(0.0 if room <= 0 else GATHER_S)

    def _look_again(self, after_s: float) -> None:
        """Read after a while, and until then let bytes gather unnoticed."""
        if self._listening:
            self._loop.remove_reader(self._fd)
            self._listening = False
        if self._next is None:
            self._next = self._loop.call_later(after_s, self._read)

    def _take(self, data: bytes) -> None:
        self._heard()
        if self._leaving:
            return
        try:
            for first, body in self._receive(data):
                self._to_paho(first, body)
        except (MalformedPacketError, MalformedPacket) as error:
            self.drop(f"the broker sent what is not MQTT 3.1.1: {error}")

    def _to_paho(self, first: int, body: bytes) -> None:
        """Have paho handle one whole packet as if it had read it itself."""
        if not self.open:
            return
        self._client._in_packet = {
            "command": first,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        code = self._client._packet_handle()
        if code > 0:
            if code != MQTTErrorCode.MQTT_ERR_CONN_REFUSED:  # of that aiomqtt knows the reason
                self._lost(f"the broker sent a packet of type {first >> 4} that paho does not accept")
            self._client._loop_rc_handle(code)

    def _heard(self) -> None:
        """The broker is alive: whatever ping is unanswered starts over."""
        self._client._ping_t = 0.0

    def send(self, packets: bytes) -> None:
        """Queue whole packets behind what paho has to send; they leave in one write."""
        if packets and self.open:
            self._client._packet_queue(_PUBACK, packets, 0, 1)

    def pause(self) -> None:
        """Stop reading and keep the connection."""
        if self.paused:
            return
        self.paused = True
        if self.open and self._listening:
            self._loop.remove_reader(self._fd)
        self._listening = False
        self._hold_open()

    def _hold_open(self) -> None:
        if self.paused and self.open:
            self._heard()
            self._timer = self._loop.call_later(HOLD_OPEN_S, self._hold_open)

    def resume(self) -> None:
        """Read again."""
        if not self.paused:
            return
        self.paused = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.open:
            self._look_again(0.0)

    def leave(self) -> None:
        """Say DISCONNECT after all that is queued, then read and discard until the broker hangs up.

        Paho would close at once; with unread bytes that is a reset, which may
        cost the broker the acknowledgements it has not read yet.
        """
        self._leaving = True
        self.send(_DISCONNECT)
        self.resume()

    def drop(self, reason: str) -> None:
        """End the connection now. Not from within one of paho's callbacks: it would wait for itself."""
        if self.open:
            self._lost(reason)
            self.close()

    def close(self) -> None:
        """End the connection, if there still is one, without a word."""
        if self.open:
            self._client._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
