"""Numbered readings of a small plant, every one of them known: what was published can be told to the last bit.

Event time runs faster than the clock on the wall, from the evening before Berlin's summer time
begins. A stretch is a minute of it: the fast points once a second, the others as they are
declared, in one of the four forms of the wire. Every message has a number, which is the `seq` of
its readings. Some come late, some twice, some readings are missing, bad, uncertain or corrected,
registers roll over and are set back. What is made depends on the seed only, not on when it is sent.
"""

import heapq
import json
import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000
MINUTE = 60 * SECOND
BEGIN = 1_743_282_000 * SECOND
"""2025-03-29T21:00:00Z."""
TAIL = 60 * MINUTE
"""How far behind everything the last reading lies: it closes what is before it."""

PLANT = """\
site: mill
name: A mill under stress
time_zone: Europe/Berlin
clock: live
interval: 1min
lateness: 5s
units:
  - {id: line, name: Line, kind: line}
carriers: [{id: electricity, name: Electricity}]
products: [{id: flour, name: Flour}]
factors:
  - {id: grid, value: 0.4, unit: t/MWh, source: test, trust: unconfirmed}
points:
  - {id: line/energy, kind: counter, period: 1s, unit: kWh, carrier: electricity, max_gap: 3min, resolution: 0.001, modulus: 100, max_rate: 900}
  - {id: line/mass, kind: counter, period: 1s, unit: t, product: flour, max_gap: 30s, resolution: 0.001, fill: production, fill_by: line/batch}
  - {id: line/steam, kind: counter, period: 1s, unit: t, max_gap: 20s, resolution: 0.001, fill: production, fill_by: line/batch}
  - {id: line/power, kind: gauge, period: 1s, unit: kW, carrier: electricity, max_gap: 1min, sloped: true, limits: [0, 1000], compare: {with: line/energy, within: 5 %, least_share: 0.2}}
  - {id: line/heat, kind: gauge, period: 1s, unit: kW, max_gap: 2min, sloped: true}
  - {id: line/temperature, kind: sample, period: 1s, unit: °C, max_gap: 90s, sloped: true}
  - {id: line/setpoint, kind: gauge, period: 5s, unit: kW, max_gap: 4min, sloped: false, min_valid_share: 0.5}
  - {id: line/running, kind: state, period: 10s, max_gap: 5min, states: {stopped: 0, running: 1}}
  - {id: line/batch, kind: delta, unit: t, period: 1min, resolution: 0.001}
  - {id: line/sacks, kind: delta, unit: t, period: 150s, stamp: start, resolution: 0.001}
  - {id: line/sum, kind: gauge, unit: kW, max_gap: 90s, computed: {method: linear, inputs: {a: line/power, b: line/setpoint}, constants: {a: 1.0, b: 0.5}}}
sources:
  - {id: line/electricity, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [grid]}
kpis:
  - {id: line/intensity, kind: ratio, unit: kWh/t, numerator: [{point: line/energy}], denominator: [{point: line/mass}], windows: [5min, 24h]}
  - {id: line/packing, kind: ratio, unit: t/t, numerator: [{point: line/batch}], denominator: [{point: line/sacks}], windows: [1h]}
  - {id: line/co2, kind: rate, unit: t/h, numerator: [{source: line/electricity}], windows: [5min, 24h]}
  - {id: line/load, kind: rate, unit: kW, numerator: [{point: line/sum}], windows: [24h]}
  - {id: line/demand, kind: demand, unit: kW, numerator: [{point: line/energy}], block: 15min}
"""  # noqa: E501

COUNTERS = ("energy", "mass", "steam")
FAST = (*COUNTERS, "power", "heat", "temperature")
"""Once a second."""
POINTS = (*FAST, "setpoint", "running", "batch", "sacks")
NUMBER = {name: number for number, name in enumerate(POINTS)}
GOOD, UNCERTAIN, SUBSTITUTED, BAD = range(4)
WORDS = ("good", "uncertain", "substituted", "bad")
LATE, TWICE, CORRECTED, MISSING, DOUBTFUL, SET_BACK = 0.02, 0.01, 0.2, 0.02, 0.02, 0.004
"""Chances: of a message late or twice; of a minute with a correction; of a point and minute missing, of one with
readings that are not good; of a minute in which a register is set back."""

Reading = tuple[str, int, float | None, int]
"""Point, µs, value, quality."""

ROW = np.dtype([("point", "i2"), ("at", "i8"), ("value", "f8"), ("quality", "i1"), ("seq", "i8")])
"""A reading as it has to be stored; a value that is none is NaN."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `number` is the `seq` of its readings."""

    number: int
    topic: str
    payload: bytes
    readings: int


class Known:
    """Every reading that was made."""

    def __init__(self) -> None:
        self._point, self._at, self._seq = array("h"), array("q"), array("q")
        self._value, self._quality = array("d"), array("b")

    def __len__(self) -> int:
        return len(self._seq)

    def add(self, number: int, readings: list[Reading]) -> None:
        """The readings of message `number`."""
        for name, at, value, quality in readings:
            self._point.append(NUMBER[name])
            self._at.append(at)
            self._value.append(float("nan") if value is None else value)
            self._quality.append(quality)
            self._seq.append(number)

    def rows(self) -> NDArray[np.void]:
        """All of them, as ROW."""
        rows = np.empty(len(self), ROW)
        rows["point"], rows["at"] = np.array(self._point), np.array(self._at)
        rows["value"], rows["quality"] = np.array(self._value), np.array(self._quality)
        rows["seq"] = np.array(self._seq)
        return rows


class Traffic:
    """The messages of one run, in the order of sending."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"traffic {seed}")
        self._at = BEGIN
        self._number = 0
        self._register = {"energy": 0, "mass": 0, "steam": 50_000}
        self._missing_until = dict.fromkeys(FAST, BEGIN)
        self._late: list[tuple[int, int, Message]] = []
        self.known = Known()
        self.over = False
        """Set it to have the stream end: what is late comes, then the last reading."""

    @property
    def until(self) -> int:
        """The edge before which everything is closed after the last message, µs."""
        return self._at + TAIL - MINUTE

    def messages(self) -> Iterator[Message]:
        """All messages until `over`."""
        dice = self._dice
        while not self.over:
            for message in self._stretch():
                fate = dice.random()
                if fate < LATE:
                    due_at = self._at + dice.randrange(10, 1800) * SECOND
                    heapq.heappush(self._late, (due_at, message.number, message))
                else:
                    yield message
                    if fate > 1 - TWICE:
                        yield message
            self._at += MINUTE
            while self._late and self._late[0][0] <= self._at:
                yield heapq.heappop(self._late)[2]
        for _, _, message in sorted(self._late):
            yield message
        yield self._single("running", self._at + TAIL, 1.0, GOOD)

    def _stretch(self) -> Iterator[Message]:
        dice = self._dice
        readings = {name: self._fast(name) for name in FAST}
        form = dice.choices((self._columns, self._series, self._units, self._singles), (10, 6, 3, 1))[0]
        yield from form(readings)
        yield from self._slow()
        if dice.random() < CORRECTED:
            name = dice.choice(FAST)
            if readings[name]:
                self._correct(dice.choice(readings[name]))

    def _fast(self, name: str) -> list[Reading]:
        """The readings of a fast point in this minute; few of them are not plain."""
        dice, begin = self._dice, self._at
        if dice.random() < MISSING:
            self._missing_until[name] = begin + dice.randrange(5, 600) * SECOND
        doubtful = dice.randrange(60) if dice.random() < DOUBTFUL else 60
        readings: list[Reading] = []
        if name in COUNTERS and dice.random() < SET_BACK:
            self._register[name] = dice.randrange(50)
        for second in range(60):
            at = begin + second * SECOND
            value: float | None = self._value(name)
            quality = GOOD
            if doubtful <= second < doubtful + 5:
                quality = dice.choice((UNCERTAIN, SUBSTITUTED, BAD))
                value = None if quality == BAD and second % 2 else value
            elif name == "power" and dice.random() < 0.0005:
                value, quality = 5000.0, BAD  # beyond its limits
            if at >= self._missing_until[name]:
                readings.append((name, at, value, quality))
        return readings

    def _value(self, name: str) -> float:
        dice = self._dice
        if name in COUNTERS:
            self._register[name] += dice.randrange(80)
            if name == "energy":
                self._register[name] %= 100_000
            return self._register[name] / 1000
        return dice.choice((100.1, 0.0, dice.random() * 900))

    def _slow(self) -> Iterator[Message]:
        dice, at = self._dice, self._at
        ats = [at + second * SECOND for second in range(0, 60, 5)]
        yield self._one_series("setpoint", [("setpoint", one, dice.random() * 50, GOOD) for one in ats])
        for one in ats[::2]:
            yield self._single("running", one, float(dice.randrange(2)), GOOD)
        yield self._single("batch", at, dice.randrange(5000) / 1000, GOOD)
        if at // MINUTE % 5 == 0:
            for one in (at, at + 150 * SECOND):
                yield self._single("sacks", one, dice.randrange(5000) / 1000, GOOD)

    def _correct(self, reading: Reading) -> None:
        """Say something else of a reading, later."""
        name, at, value, _ = reading
        dice = self._dice
        if name in COUNTERS or dice.random() < 0.3:
            message = self._single(name, at, value, BAD)
        else:
            message = self._single(name, at, dice.random() * 900, GOOD)
        heapq.heappush(self._late, (self._at + dice.randrange(60, 1800) * SECOND, message.number, message))

    def _columns(self, readings: dict[str, list[Reading]]) -> Iterator[Message]:
        seconds = self._dice.choice((10, 20, 60))
        for begin in range(self._at, self._at + MINUTE, seconds * SECOND):
            end = begin + seconds * SECOND
            part = {name: [r for r in readings[name] if begin <= r[1] < end] for name in readings}
            ats = sorted({at for column in part.values() for _, at, _, quality in column if quality == GOOD})
            plain = [r for column in part.values() for r in column if r[3] == GOOD]
            if plain:
                shown = {(name, at): value for name, at, value, _ in plain}
                values = [[shown.get((name, at)) for at in ats] for name in part]
                points = [f"line/{name}" for name in part]
                yield self._message("", {"points": points, "ts": _ms(ats), "value": values}, plain)
            yield from self._others(part)

    def _series(self, readings: dict[str, list[Reading]]) -> Iterator[Message]:
        for name, column in readings.items():
            if column:
                yield self._one_series(name, column)

    def _one_series(self, name: str, column: list[Reading]) -> Message:
        body: dict[str, Any] = {"ts": _ms([r[1] for r in column]), "value": [r[2] for r in column]}
        if any(r[3] != GOOD for r in column):
            body["quality"] = [WORDS[r[3] if r[2] != 5000.0 else GOOD] for r in column]
        return self._message(f"line/{name}", body, column)

    def _units(self, readings: dict[str, list[Reading]]) -> Iterator[Message]:
        for at in range(self._at, self._at + MINUTE, SECOND):
            plain = [r for column in readings.values() for r in column if r[1] == at and r[3] == GOOD]
            if plain:
                body = {"ts": at // 1000, "values": {name: value for name, _, value, _ in plain}}
                yield self._message("line", body, plain)
        yield from self._others(readings)

    def _singles(self, readings: dict[str, list[Reading]]) -> Iterator[Message]:
        every = [reading for column in readings.values() for reading in column]
        for reading in sorted(every, key=_measured_at):
            yield self._single(*reading)

    def _others(self, readings: dict[str, list[Reading]]) -> Iterator[Message]:
        """What is not good, which the forms of many points cannot say."""
        for column in readings.values():
            for reading in column:
                if reading[3] != GOOD:
                    yield self._single(*reading)

    def _single(self, name: str, at: int, value: float | None, quality: int) -> Message:
        body: dict[str, Any] = {"ts": at // 1000, "value": value}
        if quality != GOOD and value != 5000.0:
            body["quality"] = WORDS[quality]
        return self._message(f"line/{name}", body, [(name, at, value, quality)])

    def _message(self, name: str, body: dict[str, Any], readings: list[Reading]) -> Message:
        self._number += 1
        self.known.add(self._number, readings)
        payload = json.dumps({**body, "seq": self._number}, separators=(",", ":")).encode()
        return Message(self._number, f"plant/mill/{name}".rstrip("/"), payload, len(readings))


def _measured_at(reading: Reading) -> int:
    return reading[1]


def _ms(ats: list[int]) -> list[int]:
    return [at // 1000 for at in ats]
