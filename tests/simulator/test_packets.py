"""Every form says the same readings."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec

from ingest.model import DAY, HOUR, MINUTE
from simulator.cement import CementPlant
from simulator.packets import Column, Packet, in_columns, in_turn, instant_text, total
from simulator.series import EPOCH

NOON = EPOCH + 690 * DAY + 12 * HOUR
STATES = {"stopped": 0.0, "running": 1.0, "measuring": 1.0}


def _stamp(ts: Any) -> int:
    if isinstance(ts, str):
        return round(datetime.fromisoformat(ts).timestamp() * 1_000_000)
    return int(ts * 1000)


def _read(packet: Packet) -> list[tuple[str, int, float]]:
    """The readings of a message, by the wire contract."""
    body = msgspec.json.decode(packet.payload)
    topic = packet.topic.removeprefix("plant/")
    if "points" in body:
        return [
            (f"{topic}/{name}", _stamp(ts), value)
            for name, row in zip(body["points"], body["value"], strict=True)
            for ts, value in zip(body["ts"], row, strict=True)
            if value is not None
        ]
    if "values" in body:
        return [(f"{topic}/{name}", _stamp(body["ts"]), value) for name, value in body["values"].items()]
    if isinstance(body["ts"], list):
        return [(topic, _stamp(ts), v) for ts, v in zip(body["ts"], body["value"], strict=True)]
    return [(topic, _stamp(body["ts"]), STATES.get(body["value"], body["value"]))]


def _readings(packets: Iterable[Packet]) -> list[tuple[str, int, float]]:
    return sorted(reading for packet in packets for reading in _read(packet))


def _expected(columns: list[Column]) -> list[tuple[str, int, float]]:
    return sorted(
        (column.instrument.id, at, value)
        for column in columns
        for at, value in zip(column.at, column.values, strict=True)
    )


def test_columns_and_devices_say_the_same(cement: CementPlant) -> None:
    first, n = cement.grid.first_at_or_after(NOON), 12
    columns = cement.columns(first, n)
    live = [p for tick in range(first, first + n) for p in in_turn("plant", cement.columns(tick, 1))]
    backfill = list(in_columns("plant/cement", columns, rows=5))
    assert _readings(backfill) == _expected(columns) == _readings(live)
    assert total(backfill) == total(live) == Counter({c.instrument.id: n for c in columns})


def test_backfill_goes_forward_in_time_in_bounded_messages(cement: CementPlant) -> None:
    columns = cement.columns(cement.grid.first_at_or_after(NOON), 130)
    packets = list(in_columns("plant/cement", columns, rows=60))
    assert [len(msgspec.json.decode(p.payload)["ts"]) for p in packets] == [60, 60, 10]
    assert all(a.last_at < b.first_at for a, b in pairwise(packets))
    assert {p.topic for p in packets} == {"plant/cement"}


def test_points_with_other_periods_leave_nulls(cement: CementPlant) -> None:
    a, b = cement.instruments[:2]
    fast = Column(a, [NOON, NOON + MINUTE, NOON + 2 * MINUTE], [1.0, 2.0, 3.0])
    slow = Column(b, [NOON + 2 * MINUTE], [7.0])
    (packet,) = in_columns("plant/cement", [slow, fast], rows=60)
    assert msgspec.json.decode(packet.payload)["value"] == [[None, None, 7.0], [1.0, 2.0, 3.0]]
    assert packet.readings == {a.id: 3, b.id: 1}
    assert (packet.first_at, packet.last_at) == (NOON, NOON + 2 * MINUTE)


def test_devices_use_every_form_with_a_time(cement: CementPlant) -> None:
    packets = list(in_turn("plant", cement.columns(cement.grid.first_at_or_after(NOON), 1)))
    bodies = {packet.topic: msgspec.json.decode(packet.payload) for packet in packets}
    assert bodies["plant/cement/kiln/energy"]["unit"] == "kWh"
    assert bodies["plant/cement/kiln/energy"]["ts"] == instant_text(NOON)
    assert bodies["plant/cement/kiln/stack/state"]["value"] == "measuring"
    assert bodies["plant/cement/substation/power"]["ts"] == [NOON // 1000]
    assert set(bodies["plant/cement/kiln"]["values"]) == {"power", "coal-feed", "clinker-flow"}
    assert len(bodies["plant/cement/kiln/stack"]["values"]) == 7
    assert not any("seq" in body for body in bodies.values())


def test_instants_are_rfc_3339_in_utc() -> None:
    assert instant_text(0) == "1970-01-01T00:00:00Z"
    assert instant_text(1_795_161_600_250_000) == "2026-11-20T08:00:00.250000Z"
