"""Readings as MQTT messages, in every form of wire contract v1 that carries a time.

A packet is one message ready to be sent, with the readings it brings for the
first time counted per point. The same reading becomes the same value, quality
and time whatever the form, and never carries a `seq`: a plant that is simulated
twice over the same hours sends duplicates, not corrections.

Readings of one time leave in one message or directly after each other. A
receiver closes its intervals by the newest time it has seen, so a message that
ran ahead of its neighbours would make them late.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

import msgspec

from ingest.model import Kind
from simulator.instruments import Instrument

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Column:
    """The readings of one point in the order they were made, which is that of time while clocks are right."""

    instrument: Instrument
    at: Sequence[int]
    """µs."""
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Packet:
    """One message and what it is worth."""

    topic: str
    payload: bytes
    first_at: int
    last_at: int
    """µs; the oldest and the newest `measured_at` in it."""
    readings: Mapping[str, int]
    """Readings by point id that no earlier packet has brought."""
    content: Sequence[Column] = ()
    """What is in it, for whoever disturbs it."""
    number: int = 0
    """Its place among the packets of its topic, for the same."""


def instant_text(at: int) -> str:
    """RFC 3339 in UTC with Z."""
    return (_UNIX + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def in_columns(site_topic: str, columns: Sequence[Column], rows: int) -> Iterator[Packet]:
    """All readings in the `columns` form, at most `rows` times a message; null where a point has none."""
    times = list(dict.fromkeys(t for column in columns for t in column.at))
    if any(len(column.at) != len(times) for column in columns):
        times.sort()
    shown = [dict(zip(column.at, column.values, strict=True)) for column in columns]
    names = [column.instrument.name for column in columns]
    for start in range(0, len(times), rows):
        some = times[start : start + rows]
        values = [[of.get(t) for t in some] for of in shown]
        body = {"points": names, "ts": [_milliseconds(t) for t in some], "value": values}
        counts = {
            column.instrument.id: len(row) - row.count(None)
            for column, row in zip(columns, values, strict=True)
        }
        content = tuple(_between(column, set(some)) for column in columns)
        yield Packet(site_topic, msgspec.json.encode(body), min(some), max(some), counts, content)


def in_turn(prefix: str, columns: Sequence[Column]) -> Iterator[Packet]:
    """One time's readings as the devices of a plant would send them, each in its own way.

    Counters as single readings with their unit, states by name, a unit's other
    points of one time together, a point alone as a series of one.
    """
    rates = [column for column in columns if column.instrument.kind not in (Kind.COUNTER, Kind.STATE)]
    for column in columns:
        if column not in rates:
            yield single(prefix, column.instrument, column.at[0], column.values[0])
    for _, together in groupby(rates, key=lambda column: (_parent(column.instrument), column.at[0])):
        group = list(together)
        yield unit(prefix, group) if len(group) > 1 else series(prefix, group[0])


def single(prefix: str, instrument: Instrument, at: int, value: float) -> Packet:
    """One reading, to its point, with everything the form may say but a `seq`."""
    body: dict[str, str | float] = {"ts": instant_text(at), "value": value, "quality": "good"}
    if instrument.kind is not Kind.STATE:
        body["unit"] = instrument.unit
    elif int(value) in instrument.state_names:
        body["value"] = instrument.state_names[int(value)]
    content = (Column(instrument, (at,), (value,)),)
    return Packet(f"{prefix}/{instrument.id}", msgspec.json.encode(body), at, at, {instrument.id: 1}, content)


def series(prefix: str, column: Column) -> Packet:
    """The `series` form, to the point."""
    instrument, quality = column.instrument, ["good"] * len(column.at)
    body = {"ts": [_milliseconds(t) for t in column.at], "value": column.values, "quality": quality}
    readings = {instrument.id: len(column.at)}
    topic = f"{prefix}/{instrument.id}"
    return Packet(topic, msgspec.json.encode(body), min(column.at), max(column.at), readings, (column,))


def unit(prefix: str, group: Sequence[Column]) -> Packet:
    """The points of one unit at one time, to the unit."""
    parent, at = _parent(group[0].instrument), group[0].at[0]
    assert all(_parent(column.instrument) == parent and column.at[0] == at for column in group)
    values = {column.instrument.id.removeprefix(f"{parent}/"): column.values[0] for column in group}
    body = {"ts": _milliseconds(at), "values": values}
    readings = {column.instrument.id: 1 for column in group}
    return Packet(f"{prefix}/{parent}", msgspec.json.encode(body), at, at, readings, tuple(group))


def total(packets: Iterable[Packet]) -> Counter[str]:
    """Distinct readings by point."""
    readings: Counter[str] = Counter()
    for packet in packets:
        readings.update(packet.readings)
    return readings


def _between(column: Column, times: set[int]) -> Column:
    kept = [(at, value) for at, value in zip(column.at, column.values, strict=True) if at in times]
    return Column(column.instrument, [at for at, _ in kept], [value for _, value in kept])


def _parent(instrument: Instrument) -> str:
    return instrument.id.rpartition("/")[0]


def _milliseconds(at: int) -> int | float:
    whole, rest = divmod(at, 1000)
    return whole if rest == 0 else at / 1000
