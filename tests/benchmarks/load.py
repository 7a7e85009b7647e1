"""The generator: a process that sends encoded packets on a raw socket, and says what that cost it.

    python -m tests.benchmarks.load HOST PORT    (a JSON order on standard input)

It prints `ready` when all packets are encoded and the broker has accepted it,
waits for a line, sends, and prints one JSON object when the broker has
acknowledged the last packet. Without a rate it sends as fast as the broker takes
them, with at most `unacknowledged` on the way; with a rate it keeps to it in
steps of 5 ms and says how far behind it fell.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from deploy.process import ROOT
from tests.benchmarks.traffic import Traffic, packets

STEP_S = 0.005
UNACKNOWLEDGED_BYTES = 4_000_000
"""What may be on the way to the broker, so that its queue and not the socket is what is measured."""


class Order(msgspec.Struct):
    """What to send, and how fast."""

    traffic: Traffic
    rate: float | None = None
    """Messages a second."""


class Sent(msgspec.Struct):
    """What sending took."""

    cpu_s: float
    wall_s: float
    """From the first byte to the last acknowledgement."""
    behind_s: float
    """Furthest behind the rate."""


class Connection:
    """An MQTT connection that publishes; four bytes come back for each message."""

    def __init__(self, host: str, port: int, client_id: str) -> None:
        name = client_id.encode()
        body = b"\0\x04MQTT\x04\x02\0\0" + len(name).to_bytes(2, "big") + name
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(b"\x10" + bytes([len(body)]) + body)
        assert self.socket.recv(4) == b"\x20\x02\0\0"
        self._returned = 0

    @property
    def acknowledged(self) -> int:
        """Messages acknowledged so far."""
        return self._returned // 4

    def hear(self) -> None:
        """Wait for acknowledgements."""
        received = self.socket.recv(1 << 16)
        assert received, "the broker hung up"
        self._returned += len(received)

    def leave(self) -> None:
        """Disconnect."""
        self.socket.sendall(b"\xe0\0")
        self.socket.close()


def send(connection: Connection, encoded: list[bytes], rate: float | None) -> float:
    """Send all packets and wait for the last acknowledgement; how far behind the rate we fell, s."""
    mean_bytes = sum(map(len, encoded)) / len(encoded)
    most = max(200, min(20_000, int(UNACKNOWLEDGED_BYTES / mean_bytes)))
    step = max(1, min(1000, most // 4) if rate is None else int(rate * STEP_S))
    begun, behind_s = time.perf_counter(), 0.0
    for start in range(0, len(encoded), step):
        if rate is not None:
            wait_s = begun + start / rate - time.perf_counter()
            behind_s = max(behind_s, -wait_s)
            if wait_s > 0:
                time.sleep(wait_s)
        connection.socket.sendall(b"".join(encoded[start : start + step]))
        while start + step - connection.acknowledged > most:
            connection.hear()
    while connection.acknowledged < len(encoded):
        connection.hear()
    return behind_s


class Load:
    """A generator process with its packets ready."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def await_ready(self) -> None:
        """Wait until everything is encoded."""
        assert self._out.readline() == b"ready\n", "the generator has ended"

    def start(self) -> float:
        """Send; the time it began (`perf_counter`)."""
        begun = time.perf_counter()
        self._in.write(b"\n")
        self._in.flush()
        return begun

    def result(self) -> Sent:
        """Wait for the last acknowledgement."""
        return msgspec.json.decode(self._out.readline(), type=Sent)


@contextmanager
def loaded(host: str, port: int, traffic: Traffic, rate: float | None = None) -> Iterator[Load]:
    """A generator that is ready to send; killed if it has not ended by the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.load", host, str(port)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(Order(traffic, rate)) + b"\n")
        process.stdin.flush()
        load = Load(process)
        load.await_ready()
        yield load
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    host, port = sys.argv[1], int(sys.argv[2])
    order = msgspec.json.decode(sys.stdin.readline().encode(), type=Order)
    encoded = packets(order.traffic)
    connection = Connection(host, port, "load")
    print("ready", flush=True)
    sys.stdin.readline()
    cpu, begun = time.process_time(), time.perf_counter()
    behind_s = send(connection, encoded, order.rate)
    sent = Sent(time.process_time() - cpu, time.perf_counter() - begun, behind_s)
    connection.leave()
    print(msgspec.json.encode(sent).decode(), flush=True)


if __name__ == "__main__":
    main()
