"""A stretch of a plant at its worst: every kind of point, gaps, corrections, bad values, rollovers, resets.

What is sent depends on the seed only. Readings of one point at one time differ in
`seq`, so that the order of arrival may not matter; everything else may happen.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.source import Delivery
from tests.ingest.feeding import SECOND, START

MINUTE = 60 * SECOND

PLANT = """\
site: mill
name: A crooked mill
time_zone: Asia/Kolkata
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
  - {id: line/energy, kind: counter, period: 1min, unit: kWh, carrier: electricity, max_gap: 3min, resolution: 0.001, modulus: 1000, max_rate: 900, compare: {with: line/heat, within: 80 %, least_share: 0.3}}
  - {id: line/mass, kind: counter, period: 1min, unit: t, product: flour, max_gap: 2min, fill_at_most: 6min, resolution: 0.001, fill: same_hour}
  - {id: line/water, kind: counter, period: 1min, unit: m3, max_gap: 90s, resolution: 0.001, max_rate: 600, fill: production, fill_by: line/batch}
  - {id: line/gas, kind: counter, period: 1min, unit: m3, max_gap: 4min, resolution: 0.001, max_rate: 900, on_fall: reset, fill: production, fill_by: line/house}
  - {id: line/power, kind: gauge, period: 1min, unit: kW, carrier: electricity, max_gap: 2min, sloped: true, limits: [0, 1000], compare: {with: line/heat, within: 60 kW}}
  - {id: line/setpoint, kind: gauge, period: 1min, unit: kW, max_gap: 4min, sloped: false, min_valid_share: 0.5}
  - {id: line/temperature, kind: sample, period: 1min, unit: °C, max_gap: 3min, sloped: true}
  - {id: line/heat, kind: gauge, period: 1min, unit: kW, max_gap: 5min, sloped: true}
  - {id: line/running, kind: state, period: 1min, max_gap: 5min, states: {stopped: 0, running: 1}}
  - {id: line/batch, kind: delta, unit: t, period: 1min, resolution: 0.001, compare: {with: line/sacks, within: 150 %}}
  - {id: line/sacks, kind: delta, unit: t, period: 150s, stamp: start, resolution: 0.001}
  - {id: line/fan, kind: gauge, period: 1min, unit: kW, max_gap: 2min, sloped: false, max_rate: 100 kW/min, resolution: 0.1, stuck_after: 6min, stuck_except: [0, 0], compare: {with: line/house, within: 80 %, least_share: 0.1}}
  - {id: line/boiler, kind: gauge, period: 1min, unit: kW, max_gap: 3min, sloped: true, max_rate: 6000, resolution: 0.5, stuck_after: 4min}
  - {id: line/sum, kind: gauge, unit: kW, max_gap: 90s, computed: {method: linear, inputs: {a: line/power, b: line/setpoint}, constants: {a: 1.0, b: 0.5}}}
  - {id: line/warmth, kind: gauge, unit: kW, max_gap: 150s, computed: {method: linear, inputs: {a: line/heat, b: line/power}, constants: {a: 0.25, b: 0.125}}}
  - {id: line/clean, kind: gauge, unit: kW, max_gap: 150s, computed: {method: gated, inputs: {value: line/boiler}, gate: {state: line/running, maintenance: [stopped]}}}
  - {id: line/house, kind: gauge, unit: kW, max_gap: 2min, computed: {method: linear, inputs: {a: line/fan, b: line/boiler}, constants: {a: 1.0, b: 1.0}}}
sources:
  - {id: line/electricity, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [grid]}
kpis:
  - {id: line/intensity, kind: ratio, unit: kWh/t, numerator: [{point: line/energy}], denominator: [{point: line/mass}], windows: [5min, 24h]}
  - {id: line/packing, kind: ratio, unit: t/t, numerator: [{point: line/batch}], denominator: [{point: line/sacks}], windows: [1h]}
  - {id: line/co2, kind: rate, unit: t/h, numerator: [{source: line/electricity}], windows: [5min, 24h]}
  - {id: line/load, kind: rate, unit: kW, numerator: [{point: line/sum}, {point: line/warmth}], windows: [24h]}
  - {id: line/heating, kind: rate, unit: kW, numerator: [{point: line/house}, {point: line/fan}, {point: line/clean}], windows: [1h]}
  - {id: line/wetness, kind: ratio, unit: m3/t, numerator: [{point: line/water}], denominator: [{point: line/batch}], windows: [1h]}
  - {id: line/demand, kind: demand, unit: kW, numerator: [{point: line/energy}], block: 15min}
instruments:
  - {id: meter, points: [line/power, line/batch], kind: meter, accuracy_class: 0.5S, calibrated_on: 2025-11-21, due_on: 2026-11-21}
"""  # noqa: E501

COUNTERS = {"line/energy": 1_000_000, "line/mass": 0, "line/water": 0, "line/gas": 0}
"""Modulus in counts."""
GAUGES = ("line/power", "line/setpoint", "line/temperature", "line/heat")
RULED = ("line/fan", "line/boiler")
"""Gauges that may not change too fast nor stand still for too long."""
DELTAS = {"line/batch": MINUTE, "line/sacks": 150 * SECOND}


@dataclass(frozen=True, slots=True)
class Said:
    """One reading and when it leaves."""

    point: str
    at: int
    sent_at: int
    value: Any
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether it says nothing but time and value."""
        return not self.more and self.value is not None and self.sent_at >= self.at


def crooked(seed: int, minutes: int, period_s: int) -> list[Delivery]:
    """Messages of all points over a stretch, in order of sending."""
    dice = random.Random(seed)
    said: list[Said] = []
    for point in (*COUNTERS, *GAUGES, "line/running", *DELTAS, *RULED):
        values = _values(point, dice)
        for reading in _readings(point, values, minutes, period_s, dice):
            said.append(reading)
            said += _corrections(reading, values, dice)
            if point in COUNTERS and isinstance(reading.value, float) and dice.random() < 0.01:
                said += _replacement(reading, dice)
    said.sort(key=lambda reading: reading.sent_at)
    return list(_messages(said, dice))


def the_end(minutes: int) -> Delivery:
    """A reading so long after the stretch that everything in it closes."""
    at = START + (minutes + 60) * MINUTE
    return _single(Said("line/running", at, at, 1))


def end_of(minutes: int) -> int:
    """The edge up to which everything is closed by `the_end`, µs."""
    return START + (minutes + 59) * MINUTE


def _still_or_not(dice: random.Random) -> Iterator[float]:
    """A signal that wanders, stands still for a while, within its last digit or at 0, and jumps."""
    value = 100.0
    while True:
        if dice.random() < 0.1:
            value = dice.choice((0.0, value, value))
            for _ in range(dice.randrange(2, 20)):
                yield round(value + dice.choice((0.0, 0.0, 0.1)) * (value > 0), 1)
        value = round(abs(value + dice.uniform(-150, 150)), 1)
        yield value


def _registers(modulus: int, dice: random.Random) -> Iterator[float]:
    """A register that rolls over, starts again, jumps, and shows now and then what it is not: once, or every other time."""
    count = 900_000
    while True:
        count += dice.randrange(2000) if dice.random() < 0.9 else 0
        if modulus and count >= modulus:
            count -= modulus
        fault = dice.random()
        if fault < 0.01:
            count = dice.randrange(50)
        elif fault < 0.02:
            count += 150_000
        elif fault < 0.05:
            for _ in range(dice.choice((1, 1, 1, 2, 9))):
                yield dice.choice((0, 3000, count + 200_000, max(0, count - 5000))) / 1000
                count += dice.randrange(2000)
                yield count / 1000
        yield count / 1000


def _values(point: str, dice: random.Random) -> Iterator[Any]:
    if point in RULED:
        yield from _still_or_not(dice)
    if point in COUNTERS:
        yield from _registers(COUNTERS[point], dice)
    while True:
        if point in DELTAS:
            yield dice.randrange(5000) / 1000
        elif point == "line/running":
            yield dice.choice((0, 1, 1, "running", "stopped", True, False))
        else:
            yield dice.choice((dice.uniform(0, 900), dice.uniform(0, 900), 100.1, 0.0))


def _readings(
    point: str, values: Iterator[Any], minutes: int, period_s: int, dice: random.Random
) -> Iterator[Said]:
    step = DELTAS.get(point, period_s * SECOND)
    skew = dice.choice((0, 0, dice.randrange(step // 1000) * 1000))
    at = START + dice.randrange(max(1, minutes // 8)) * MINUTE + skew
    trouble = ""
    lasts = dice.randrange(4)
    while at < START + minutes * MINUTE:
        if lasts <= 0:
            trouble = dice.choice(("", "", "", "", "", "", "bad", "null", "substituted", "uncertain"))
            lasts = dice.randrange(1, 25) if not trouble else dice.randrange(1, 5)
        lasts -= 1
        fate = dice.random()
        if fate < 0.004:
            at += dice.randrange(2, 30) * MINUTE
        elif fate > 0.98:
            next(values)
        else:
            yield _said(point, at, next(values), trouble, dice)
        jitter = 0 if point in DELTAS and dice.random() < 0.9 else dice.choice((0, 0, 1, 999, 7000, -7000))
        at += max(step + jitter * 1000, SECOND)


def _said(point: str, at: int, value: Any, trouble: str, dice: random.Random) -> Said:
    sent_at = at + dice.choice((100_000, 100_000, 900_000, 1_500_000))
    more: dict[str, Any] = {}
    fate = dice.random()
    if trouble == "null":
        value, more = None, {"quality": dice.choice(("bad", "uncertain")), "reason": "comm"}
    elif trouble:
        more = {"quality": trouble, "reason": dice.choice(("calibration", "maintenance", "manual"))}
    elif fate < 0.01:
        sent_at = at - 10 * SECOND
    elif fate < 0.03:
        sent_at = at + dice.randrange(1, 40) * MINUTE
    elif fate < 0.04:
        more = {"seq": 0}
    elif fate < 0.05 and point in GAUGES:
        value = 5000.0 if point == "line/power" else value
    return Said(point, at, sent_at, value, more)


def _corrections(first: Said, values: Iterator[Any], dice: random.Random) -> Iterator[Said]:
    if dice.random() > 0.05:
        return
    for seq in range(1, dice.randrange(2, 4)):
        sent_at = first.sent_at + dice.choice((1, 20, 70, 600, 3000)) * SECOND
        more: dict[str, Any] = {"seq": seq}
        value = next(values) if first.point not in COUNTERS else first.value
        fate = dice.random()
        if fate < 0.4:
            more |= {"quality": "bad", "reason": "fault"}
        elif fate < 0.5:
            value, more["quality"] = None, "bad"
        elif fate < 0.6:
            more["quality"] = "substituted"
        elif first.point in COUNTERS and value is not None and dice.random() < 0.3:
            value = max(0.0, round(value - 0.005, 3))
        if value is None and "quality" not in more:
            more["quality"] = "bad"
        yield Said(first.point, first.at, sent_at, value, more)


def _replacement(reading: Said, dice: random.Random) -> Iterator[Said]:
    """A meter said to have been replaced at the time of a reading or after it: two readings, hours later maybe."""
    at = reading.at + dice.choice((0, 0, 17, 60)) * SECOND
    old = max(0.0, round(reading.value + dice.choice((0, 0, 1.5, -3)), 3))
    sent_at = at + dice.choice((2, 90, 900, 9000)) * SECOND
    new = dice.choice((0.0, 5.0, old + 900))
    yield Said(reading.point, at, sent_at, old, {"seq": 1000})
    yield Said(
        reading.point, at, sent_at + dice.choice((0, 300)) * SECOND, new, {"seq": 1001, "reason": "replaced"}
    )


def _messages(said: list[Said], dice: random.Random) -> Iterator[Delivery]:
    waiting = list(said)
    while waiting:
        first = waiting.pop(0)
        form = dice.random()
        near = [one for one in waiting[:12] if one.plain]
        if not first.plain or form < 0.5:
            yield _single(first)
        elif form < 0.7:
            group = [first, *(one for one in near if one.point == first.point)]
            _take(waiting, group[1:])
            yield _series(group)
        elif form < 0.9:
            group = [first, *near[:8]]
            _take(waiting, group[1:])
            yield _columns(group)
        else:
            group = [first, *(one for one in near if one.at == first.at and one.point != first.point)]
            group = list({one.point: one for one in group}.values())
            _take(waiting, [one for one in group if one is not first])
            yield _unit(group)


def _take(waiting: list[Said], group: list[Said]) -> None:
    for one in group:
        waiting.remove(one)


def _delivery(topic: str, body: Any, group: list[Said]) -> Delivery:
    sent_at = max(one.sent_at for one in group)
    return Delivery(topic=topic, payload=json.dumps(body).encode(), received_at=sent_at)


def _single(one: Said) -> Delivery:
    body = {"ts": one.at / 1000, "value": one.value, **one.more}
    return _delivery(f"plant/mill/{one.point}", body, [one])


def _series(group: list[Said]) -> Delivery:
    body = {"ts": [one.at / 1000 for one in group], "value": [one.value for one in group]}
    return _delivery(f"plant/mill/{group[0].point}", body, group)


def _columns(group: list[Said]) -> Delivery:
    times = sorted({one.at for one in group})
    shown = {(one.point, one.at): one.value for one in group}
    points = list(dict.fromkeys(one.point for one in group))
    values = [[shown.get((point, at)) for at in times] for point in points]
    body = {"points": points, "ts": [at / 1000 for at in times], "value": values}
    return _delivery("plant/mill", body, group)


def _unit(group: list[Said]) -> Delivery:
    values = {one.point.removeprefix("line/"): one.value for one in group}
    return _delivery("plant/mill/line", {"ts": group[0].at / 1000, "values": values}, group)
