"""What receiving one MQTT message costs, beside mosquitto_sub on the same broker and load.

    python -m tests.benchmarks.mqtt_receive [--messages N] [--rounds N] [--json]

Two loads, each of pre-encoded PUBLISH packets from a raw socket in a process of
its own: `backlog` drains a queue that was filled while nobody listened (the
receiver is what is measured), `live` receives while the load is sent (the
broker works for both and is the limit). Every message is collected and
acknowledged; nothing is decoded. Times are wall clock to the last message, from
CONNECT (mosquitto_sub: from the start of its process) or from the start of the
load; CPU is the receiver's own. The order of the two receivers alternates.
"""

import argparse
import asyncio
import json
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from deploy.account import open_state, unprivileged_account
from deploy.broker import Broker
from ingest.mqtt.subscriber import Subscriber

PAYLOAD = b'{"ts":1795161600000,"value":12345.678,"unit":"kW","seq":123}'
POINTS = 1000
UNACKNOWLEDGED = 20_000
FILTER = "plant/bench/#"
OURS, THEIRS = "stackwatt", "mosquitto_sub"


def publish(host: str, port: int, count: int) -> None:
    """Publish `count` messages as fast as the broker takes them; print our own CPU seconds."""
    packets = []
    for number in range(count):
        topic = b"plant/bench/line%d/point%03d" % (number % 7, number % POINTS)
        body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", number % 65_535 + 1) + PAYLOAD
        assert len(body) < 128
        packets.append(b"\x32" + bytes([len(body)]) + body)
    with socket.create_connection((host, port)) as connection:
        connection.sendall(b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04load")
        assert connection.recv(4) == b"\x20\x02\0\0"
        print("ready", flush=True)
        sys.stdin.readline()
        acknowledged, begun = 0, time.process_time()
        for start in range(0, count, 1000):
            connection.sendall(b"".join(packets[start : start + 1000]))
            while start + 1000 - acknowledged / 4 > UNACKNOWLEDGED:
                acknowledged += len(connection.recv(1 << 16))
        while acknowledged < 4 * count:
            acknowledged += len(connection.recv(1 << 16))
        connection.sendall(b"\xe0\0")
    print(time.process_time() - begun)


@contextmanager
def broker() -> Iterator[Broker]:
    home = Path(tempfile.mkdtemp(prefix="stackwatt-bench-"))
    account = unprivileged_account()
    open_state(home, account)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Broker(home, account, port=port)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(home)


class Load:
    """A process with `count` encoded messages, which waits to be told to send them."""

    def __init__(self, where: Broker, count: int) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.mqtt_receive", "--messages", str(count)]
        self._process = subprocess.Popen(
            [*command, "--load", where.host, str(where.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def start(self) -> float:
        """Send; the time it began."""
        assert self._process.stdin is not None
        begun = time.perf_counter()
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return begun

    def cpu_s(self) -> float:
        """Wait for the end."""
        out, _ = self._process.communicate()
        return float(out)


def receive_ours(where: Broker, count: int, load: Load | None) -> dict[str, float]:
    async def drain() -> dict[str, float]:
        begun, cpu = time.perf_counter(), time.process_time()
        source = Subscriber(
            where.url,
            site="bench",
            client_id=OURS,
            filters=[FILTER],
            subscribed=[FILTER, "stackwatt/bench/marker"],
            now=lambda: time.time_ns() // 1000,
        )
        seen = 0
        async with source:
            while load is not None and not source.caught_up:
                assert await source.collect(0.05, 10_000) == []
            if load is not None:
                begun, cpu = load.start(), time.process_time()
            while seen < count:
                deliveries = await source.collect(0.05, 10_000)
                seen += len(deliveries)
                source.acknowledge(deliveries)
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        return {"wall_s": wall, "cpu_s": cpu, "redelivered": source.counters.redelivered}

    return asyncio.run(drain())


def receive_theirs(where: Broker, count: int, load: Load | None) -> dict[str, float]:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    command = ["mosquitto_sub", "-h", where.host, "-p", str(where.port), "-i", THEIRS, "-c", "-q", "1"]
    with subprocess.Popen([*command, "-t", FILTER, "-C", str(count)], stdout=subprocess.DEVNULL) as process:
        if load is not None:
            time.sleep(0.2)
            begun = load.start()
        process.wait()
        wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {"wall_s": wall, "cpu_s": cpu}


RECEIVERS = {OURS: receive_ours, THEIRS: receive_theirs}


def one_round(where: Broker, count: int, names: list[str]) -> dict[str, dict[str, dict[str, float]]]:
    result: dict[str, dict[str, dict[str, float]]] = {"backlog": {}, "live": {}}
    filling = Load(where, count)
    filling.start()
    filling.cpu_s()
    for name in names:
        result["backlog"][name] = RECEIVERS[name](where, count, None)
    for name in names:
        load = Load(where, count)
        result["live"][name] = RECEIVERS[name](where, count, load)
        result["live"][name]["load_cpu_s"] = load.cpu_s()
        # The other one's session was offline and has queued the same messages: throw them away.
        for other in names:
            if other != name:
                RECEIVERS[other](where, count, None)
    return result


def run(count: int = 100_000, rounds: int = 3) -> dict[str, Any]:
    """Messages per second and CPU µs per message of both receivers, median of `rounds`."""
    results = []
    with broker() as where:
        for name in (OURS, THEIRS):  # sessions that queue from here on
            open_session(where, name)
        for number in range(rounds):
            names = [OURS, THEIRS] if number % 2 == 0 else [THEIRS, OURS]
            results.append(one_round(where, count, names))
    report: dict[str, Any] = {"messages": count, "rounds": rounds, "payload_bytes": len(PAYLOAD)}
    for kind in ("backlog", "live"):
        rates = {
            name: median(count / result[kind][name]["wall_s"] for result in results) for name in RECEIVERS
        }
        report[kind] = {
            name: {
                "messages_per_s": round(rates[name]),
                "cpu_us_per_message": round(
                    median(result[kind][name]["cpu_s"] for result in results) / count * 1e6, 2
                ),
            }
            for name in RECEIVERS
        }
        report[kind]["ratio"] = round(rates[OURS] / rates[THEIRS], 3)
    report["load_cpu_us_per_message"] = round(
        median(result["live"][OURS]["load_cpu_s"] for result in results) / count * 1e6, 2
    )
    return report


def open_session(where: Broker, client_id: str) -> None:
    """Subscribe and leave, so that the broker queues for `client_id`."""
    name = client_id.encode()
    with socket.create_connection((where.host, where.port)) as connection:
        body = b"\0\x04MQTT\x04\0\0\x3c" + struct.pack(">H", len(name)) + name
        connection.sendall(b"\x10" + bytes([len(body)]) + body)
        assert len(connection.recv(4)) == 4
        for topic in (FILTER.encode(), b"stackwatt/bench/marker"):
            body = b"\0\x01" + struct.pack(">H", len(topic)) + topic + b"\x01"
            connection.sendall(b"\x82" + bytes([len(body)]) + body)
            assert len(connection.recv(5)) == 5
        connection.sendall(b"\xe0\0")
        assert connection.recv(1) == b""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--load", nargs=2, metavar=("HOST", "PORT"), help="only publish")
    options = parser.parse_args()
    if options.load:
        publish(options.load[0], int(options.load[1]), options.messages)
        return
    if shutil.which("mosquitto_sub") is None:
        sys.exit("needs mosquitto_sub on PATH (Debian: apt install mosquitto-clients)")
    report = run(options.messages, options.rounds)
    if options.json:
        print(json.dumps(report))
        return
    for kind in ("backlog", "live"):
        for name in RECEIVERS:
            figures = report[kind][name]
            print(f"{kind:8} {name:14} {figures['messages_per_s']:8} messages/s "
                  f"{figures['cpu_us_per_message']:6} µs CPU a message")  # fmt: skip
        print(f"{kind:8} ratio {report[kind]['ratio']}")
    print(f"load     {report['load_cpu_us_per_message']} µs CPU a message")


if __name__ == "__main__":
    main()
