"""The load of the benchmarks: PUBLISH packets, encoded before anything is measured.

Every point is read once a period of event time; what it reads follows from a
seed. `Shape` says how readings lie in messages:

    single    {"ts", "value"} on the point's topic
    series    {"ts": [..], "value": [..]} on the point's topic, 100 readings of it
    columns   {"points": [..], "ts": [..], "value": [[..], ..]} on the site's topic, 10 points times 10 readings
"""

import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import msgspec
import numpy as np

from tests.benchmarks.plants import kind_of, point_id

Shape = Literal["single", "series", "columns"]
SERIES = 100
"""Readings of one point in a message of shape series."""
COLUMN_POINTS = 10
COLUMN_READINGS = 10
PER_MESSAGE: dict[Shape, int] = {"single": 1, "series": SERIES, "columns": COLUMN_POINTS * COLUMN_READINGS}


@dataclass(frozen=True, slots=True)
class Traffic:
    """A stretch of event time of one plant, as messages."""

    site: str
    points: int
    messages: int
    begin_ms: int
    """Event time of the first readings, ms."""
    shape: Shape = "single"
    period_ms: int = 1000
    prefix: str = "plant"
    seed: int = 1
    skip: int = 0
    """Readings of each point that came before: registers go on."""

    @property
    def readings(self) -> int:
        """How many readings the messages hold."""
        return self.messages * PER_MESSAGE[self.shape]

    @property
    def end_ms(self) -> int:
        """Event time just after the last readings."""
        return self.begin_ms + -(-self.readings // self.points) * self.period_ms

    def as_json(self) -> bytes:
        """For the command line of another process."""
        return msgspec.json.encode(asdict(self))


def messages(traffic: Traffic) -> Iterator[tuple[str, bytes]]:
    """Topic and payload of each message."""
    site = f"{traffic.prefix}/{traffic.site}"
    signal = Signal(traffic.seed)
    if traffic.shape == "columns":
        yield from _columns(traffic, site, signal)
        return
    length = PER_MESSAGE[traffic.shape]
    topics = [f"{site}/{point_id(number)}" for number in range(traffic.points)]
    for message in range(traffic.messages):
        round_, number = divmod(message, traffic.points)
        first = round_ * length
        stamps = [traffic.begin_ms + (first + i) * traffic.period_ms for i in range(length)]
        values = signal.read(number, traffic.skip + first, length)
        body: Any = {"ts": stamps, "value": values}
        if traffic.shape == "single":
            body = {"ts": stamps[0], "value": values[0]}
        yield topics[number], msgspec.json.encode(body)


def _columns(traffic: Traffic, site: str, signal: "Signal") -> Iterator[tuple[str, bytes]]:
    groups = -(-traffic.points // COLUMN_POINTS)
    for message in range(traffic.messages):
        round_, group = divmod(message, groups)
        first = round_ * COLUMN_READINGS
        numbers = [(group * COLUMN_POINTS + i) % traffic.points for i in range(COLUMN_POINTS)]
        steps = range(first, first + COLUMN_READINGS)
        body = {
            "points": [point_id(number) for number in numbers],
            "ts": [traffic.begin_ms + step * traffic.period_ms for step in steps],
            "value": [signal.read(number, traffic.skip + first, COLUMN_READINGS) for number in numbers],
        }
        yield site, msgspec.json.encode(body)


class Signal:
    """What points read: registers that only grow, gauges that wander, states that change now and then."""

    _NOISE = 4096

    def __init__(self, seed: int) -> None:
        self._noise = np.random.default_rng(seed).random(self._NOISE)
        self._grown = np.concatenate([np.zeros(1), np.cumsum(self._noise)])

    def read(self, number: int, first: int, count: int) -> list[float]:
        """`count` readings of point `number` from the `first`th on."""
        step = np.arange(first, first + count)
        match kind_of(number):
            case "counter":
                turns, rest = np.divmod(step, self._NOISE)
                grown = turns * self._grown[-1] + self._grown[rest]
                found = np.round(1000.0 * number + 3.0 * grown, 3)
            case "state":
                found = np.where(self._noise[(number + step // 60) % self._NOISE] > 0.1, 1.0, 0.0)
            case _:
                found = np.round(5000.0 + 1000.0 * self._noise[(number * 17 + step) % self._NOISE], 2)
        read: list[float] = found.tolist()
        return read


def packets(traffic: Traffic) -> list[bytes]:
    """QoS 1 PUBLISH packets of all messages."""
    return [
        publish(topic, payload, number % 65_535 + 1)
        for number, (topic, payload) in enumerate(messages(traffic))
    ]


def publish(topic: str, payload: bytes, packet_id: int) -> bytes:
    """One QoS 1 PUBLISH packet."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + struct.pack(">H", packet_id) + payload
    return b"\x32" + _length(len(body)) + body


def _length(size: int) -> bytes:
    digits = bytearray()
    while True:
        size, low = divmod(size, 128)
        digits.append(low | (0x80 if size else 0))
        if not size:
            return bytes(digits)
