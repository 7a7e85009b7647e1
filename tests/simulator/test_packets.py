"""Every form says the same readings."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from ingest.model import DAY, HOUR, MINUTE, NO_SEQ, Quality
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import decode
from simulator.cement import CementPlant
from simulator.packets import Column, Packet, in_columns, in_turn, instant_text, total
from simulator.series import EPOCH

NOON = EPOCH + 690 * DAY + 12 * HOUR


def _readings(packets: Iterable[Packet], plan: Plan) -> list[tuple[str, int, float]]:
    """What ingest reads out of the messages."""
    deliveries = [Delivery(packet.topic, packet.payload, received_at=NOON) for packet in packets]
    decoded = decode(deliveries, plan)
    assert not decoded.rejections
    assert not decoded.unknown_keys
    assert set(decoded.quality.tolist()) == {Quality.GOOD}
    assert set(decoded.seq.tolist()) == {NO_SEQ}
    ids = [plan.points[point].id for point in decoded.point.tolist()]
    return sorted(zip(ids, decoded.measured_at.tolist(), decoded.value.tolist(), strict=True))


def _expected(columns: list[Column]) -> list[tuple[str, int, float]]:
    return sorted(
        (column.instrument.id, at, value)
        for column in columns
        for at, value in zip(column.at, column.values, strict=True)
    )


def test_ingest_reads_the_same_from_columns_and_from_devices(cement: CementPlant, cement_plan: Plan) -> None:
    first, n = cement.grid.first_at_or_after(NOON), 12
    columns = cement.columns(first, n)
    live = [p for tick in range(first, first + n) for p in in_turn("plant", cement.columns(tick, 1))]
    backfill = list(in_columns("plant/cement", columns, rows=5))
    assert _readings(backfill, cement_plan) == _expected(columns) == _readings(live, cement_plan)
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
