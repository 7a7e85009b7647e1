"""Every refusal of the wire contract, from a real broker to the row that is kept of it."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.broker import Broker
from ingest.store.rejected import KEPT_PAYLOAD_BYTES, KEPT_PER_REASON_AND_MINUTE
from ingest.wire import RejectReason
from ingest.wire.refusal import LISTED_PER_MESSAGE
from tests.ingest.wire.conftest import PLANT as WORKS
from tests.recovery.running import SECOND, ShiftedClock, count, publish, rows, running
from tests.recovery.stream import PLANT as MILL

pytestmark = pytest.mark.broker

NOW = 1_795_161_700 * SECOND
"""A little after the times in the table of messages."""
TS = NOW // 1000 - 5000
TABLE = Path(__file__).resolve().parents[1] / "ingest" / "wire" / "messages.bad.json"
POISON = 666.25
POWER, METER, OLD = "plant/works/line1/power", "plant/works/meter", "plant/works/line1/old"
LAB = "plant/works/line1/lab"
PLANT = (
    WORKS.replace(
        "  - {id: meter,",
        "  - {id: line1/old, kind: gauge, unit: kW, period: 1s, max_gap: 60s, until: 2026-01-01T00:00:00Z}\n"
        "  - {id: line1/lab, kind: sample, unit: GJ/t, basis: NCV, analysis: ncv, period: 1h}\n"
        "  - {id: meter,",
    )
    + "\nanalyses: [{id: ncv, name: Net calorific value, unit: GJ/t, basis: NCV}]\n"
)


@dataclass
class Case:
    topic: str
    payload: bytes
    refused: list[tuple[int | None, str]]
    details: list[str] = field(default_factory=list)
    stored: set[tuple[str, float]] = field(default_factory=set)
    """Point and value of the elements that are good."""


def table() -> list[Case]:
    """The messages that the decoder's own tests know."""
    cases = []
    for entry in json.loads(TABLE.read_text(encoding="utf-8")):
        raw = entry["raw"].encode() if "raw" in entry else json.dumps(entry["payload"]).encode()
        refused = [(element, reason) for element, reason, *_ in entry["refused"]]
        details = [detail for _, _, detail, *_ in entry["refused"]]
        stored = {(f"works/{row[0]}", row[2]) for row in entry.get("rows", [])}
        cases.append(Case(entry["topic"], raw, refused, details, stored))
    return cases


def further() -> list[Case]:
    """What is refused by size, by time, by the plan, and by the database."""
    columns = {"points": ["line1/power"], "ts": [TS] * 100_001, "value": [[0] * 100_001]}
    many = json.dumps(columns, separators=(",", ":")).replace(str(TS), "1")
    ahead, old = TS + 360_000, 946_684_799_999
    mixed = {"ts": [TS, ahead, old, TS + 1], "value": [1.5, 2.5, 3.5, 4.5]}
    return [
        Case(POWER, b'{"value": ' + b" " * (1 << 20) + b"1}", [(None, "too_large")]),
        Case("plant/works", many.encode(), [(None, "too_many")]),
        Case(POWER, single(1.0, ahead), [(None, "future")]),
        Case(POWER, single(1.0, old), [(None, "before_2000")]),
        Case(POWER, json.dumps(mixed).encode(), [(1, "future"), (2, "before_2000")], [],
             {("works/line1/power", 1.5), ("works/line1/power", 4.5)}),
        Case(OLD, single(1.0, TS), [(None, "retired")]),
        Case(LAB, single(28.0, TS), [(None, "analysed_point")]),
        Case(METER, b"1.25", [(None, "delta_without_time")]),
        Case(POWER, single(POISON, TS), [(None, "unstorable")]),
        Case(POWER, b'{"value": "\\ud800"}', [(None, "not_a_number")]),
        Case("plant/works/line1", b'{"ts": 1795161600000, "values": {"\\ud800\\u0000": 1}}', [(0, "unknown_point")]),
        Case("plant/works/\N{GREEK SMALL LETTER OMEGA}", b"\x00\xff", [(None, "unknown_point")]),
    ]  # fmt: skip


def single(value: float, ts: int) -> bytes:
    return json.dumps({"ts": ts, "value": value}).encode()


def kept(dsn: str) -> dict[tuple[str, bytes], list[tuple[Any, ...]]]:
    found = defaultdict(list)
    query = "SELECT topic, payload, element, reason, detail, received_at FROM rejected ORDER BY rejected_no"
    for topic, payload, *rest in rows(dsn, query):
        found[topic, bytes(payload)].append(tuple(rest))
    return found


async def test_every_refusal_is_kept_acknowledged_and_spares_its_neighbours(
    dsn: str, mosquitto: Broker
) -> None:
    cases = [*table(), *further()]
    retained = Case(POWER, b"17.5", [(None, "retained_without_time")])
    reasons = {reason for case in [*cases, retained] for _, reason in case.refused}
    assert reasons == set(RejectReason)
    with psycopg.connect(dsn) as connection:
        connection.execute(f"ALTER TABLE reading ADD CONSTRAINT no_poison CHECK (value <> {POISON})".encode())
    clock = ShiftedClock()
    clock.shift = NOW - clock.now()
    await publish(mosquitto, [(retained.topic, retained.payload)], retain=True)
    async with running(dsn, mosquitto, text=PLANT, clock=clock) as site:
        await publish(mosquitto, [(case.topic, case.payload) for case in cases])
        expected = sum(len(case.refused) for case in [*cases, retained])
        await site.until(lambda: count(dsn, "rejected") >= expected, "all refusals to be kept")
        await site.until(lambda: count(dsn, "site WHERE subscribed <> '{}'") == 1, "the session to be noted")
        await site.drained()
    found = kept(dsn)
    for case in [*cases, retained]:
        refusals = found.pop((case.topic, case.payload[:KEPT_PAYLOAD_BYTES]))
        assert [(element, reason) for element, reason, _, _ in refusals] == case.refused, case.payload[:99]
        for (_, _, detail, received_at), fragment in zip(refusals, case.details, strict=False):
            assert fragment in detail
            assert "\n" not in detail
            assert 0 <= received_at.timestamp() * SECOND - NOW < 120 * SECOND
    assert found == {}
    stored = rows(dsn, "SELECT DISTINCT id, value FROM reading JOIN point USING (point_no)")
    assert set(stored) == {row for case in cases for row in case.stored}
    async with running(dsn, mosquitto, text=PLANT, clock=clock) as site:
        assert site.metric("stackwatt_broker_received_total") == 0
    assert count(dsn, "rejected") == expected


async def test_refusals_are_bounded_per_reason_and_minute_and_counted_beyond(
    dsn: str, mosquitto: Broker
) -> None:
    clock = ShiftedClock()
    most = KEPT_PER_REASON_AND_MINUTE
    flood = [(f"plant/mill/nowhere/{n}", b"1") for n in range(most + 50)]
    async with running(dsn, mosquitto, text=MILL, clock=clock) as site:

        def counted(reason: RejectReason) -> int:
            total = rows(dsn, f"SELECT coalesce(sum(total), 0) FROM rejected_count WHERE reason = '{reason}'")
            return int(total[0][0])

        await publish(mosquitto, flood[:60])
        await site.until(lambda: counted(RejectReason.UNKNOWN_POINT) == 60, "the first to be counted")
        await publish(mosquitto, flood[60:])
        await site.until(lambda: counted(RejectReason.UNKNOWN_POINT) == len(flood), "all to be counted")
        assert count(dsn, "rejected") == most
        await publish(mosquitto, [("plant/mill/line/power", b"much")])
        await site.until(lambda: count(dsn, "rejected") == most + 1, "another reason to be kept")
        clock.shift = 61 * SECOND
        await publish(mosquitto, flood[:1])
        await site.until(lambda: count(dsn, "rejected") == most + 2, "the next minute's to be kept")
        series = json.dumps({"ts": [1] * 1000, "value": [1] * 1000}).encode()
        await publish(mosquitto, [("plant/mill/line/power", series)])
        await site.until(lambda: counted(RejectReason.BEFORE_2000) == 1000, "every element to be counted")
        await site.drained()
    kept_of_series = rows(dsn, "SELECT element FROM rejected WHERE reason = 'before_2000' ORDER BY element")
    assert [element for (element,) in kept_of_series] == [*range(LISTED_PER_MESSAGE + 1)]
