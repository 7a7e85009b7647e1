"""A deterministic stream of numbered messages for a small plant: every kind of point, every form of the wire."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.source import Delivery
from tests.ingest import feeding
from tests.ingest.feeding import SECOND

PLANT = feeding.PLANT.replace(
    "sources:\n",
    """\
  - {id: line/temperature, kind: sample, unit: "°C", period: 10s, max_gap: 1min, sloped: true}
  - {id: line/running, kind: state, states: {stopped: 0, running: 1}, period: 6s, max_gap: 5min}
sources:
""",
    1,
)

BEGIN = 1_714_554_000 * SECOND
"""2024-05-01T09:00:00Z: far enough back to be nobody's future."""
END = 1_714_600_800 * SECOND
"""The end of that day in the plant's zone; what is compared lies before it."""
LAST = END + 3600 * SECOND
"""When every point reports once more, so that all before END is closed."""

Row = tuple[str, int, float, int]
"""Point, µs, value, seq."""


@dataclass
class Message:
    """One message and the readings it holds."""

    topic: str
    payload: bytes
    rows: list[Row] = field(default_factory=list)

    def delivery(self) -> Delivery:
        """As a source would hand it out, received a little after the newest reading."""
        return Delivery(self.topic, self.payload, max(at for _, at, _, _ in self.rows) + SECOND)


class Stream:
    """Makes messages; every one has a number of its own."""

    def __init__(self) -> None:
        self._seq = 0

    def single(self, point: str, at: int, value: float) -> Message:
        body = {"ts": at // 1000, "value": value, "seq": self._next()}
        return self._message(point, body, [(point, at, value)])

    def unit(self, at: int, values: dict[str, float]) -> Message:
        body = {"ts": at // 1000, "values": values, "seq": self._next()}
        return self._message("line", body, [(f"line/{name}", at, value) for name, value in values.items()])

    def columns(self, points: list[str], ats: list[int], values: list[list[float]]) -> Message:
        body = {"points": points, "ts": [at // 1000 for at in ats], "value": values, "seq": self._next()}
        rows = [
            (point, at, value)
            for point, column in zip(points, values, strict=True)
            for at, value in zip(ats, column, strict=True)
        ]
        return self._message("", body, rows)

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _message(self, name: str, body: dict[str, Any], rows: list[tuple[str, int, float]]) -> Message:
        topic = f"plant/mill/{name}".rstrip("/")
        return Message(
            topic, json.dumps(body).encode(), [(f"mill/{p}", at, v, self._seq) for p, at, v in rows]
        )


def stream(minutes: int) -> list[Message]:
    """Messages over so many minutes of event time, in order of time, then the last round."""
    return [*_minutes(Stream(), minutes)]


LAST_ROUND = 8
"""Messages of the last round."""


def delayed(messages: list[Message], dice: random.Random) -> list[Message]:
    """The same with some messages so far behind that they touch closed time; the last round stays last."""
    flow, last = messages[:-LAST_ROUND], messages[-LAST_ROUND:]
    places = [place + (dice.uniform(0, 300) if dice.random() < 0.05 else 0) for place in range(len(flow))]
    return [flow[place] for place in sorted(range(len(flow)), key=places.__getitem__)] + last


def _minutes(make: Stream, minutes: int) -> Iterator[Message]:
    energy = mass = 0.0
    held: list[tuple[int, float, float]] = []
    for i in range(minutes * 30):
        at = BEGIN + i * 2 * SECOND
        power = 100 + 50 * ((i * 7919) % 101) / 101
        energy = round(energy + power * 2 / 3600, 3)
        mass = round(mass + 0.001 * ((i * 104_729) % 13), 3)
        yield make.single("line/energy", at, energy)
        yield make.single("line/power", at, power)
        held.append((at, mass, 20 + (i * 31) % 17 / 4))
        if len(held) == 5:
            points, ats = ["line/mass", "line/temperature"], [at for at, _, _ in held]
            yield make.columns(points, ats, [[m for _, m, _ in held], [t for _, _, t in held]])
            held.clear()
        if i % 3 == 0:
            yield make.unit(at + SECOND, {"setpoint": 10.0 + i % 7, "running": float(i % 50 > 5)})
        if i % 30 == 0:
            yield make.single("line/batch", at, 0.125 + i / 1000)
    for at in (LAST, LAST + 600 * SECOND):
        energy, mass = energy + 10, mass + 10
        ats = [at, at + 30 * SECOND]
        yield make.columns(["line/energy", "line/mass"], ats, [[energy, energy + 1], [mass, mass + 1]])
        yield make.columns(["line/power", "line/temperature"], ats, [[100.0, 110.0], [20.0, 21.0]])
        for second in ats:
            yield make.unit(second, {"setpoint": 1.0, "running": 1.0, "batch": 0.5})
