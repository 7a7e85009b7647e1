"""Faults lose, double, delay, gather, spoil and shuffle messages; off, they do nothing."""

from collections import Counter
from dataclasses import replace

import pytest

from ingest.errors import InputError
from ingest.model import SECOND, Kind
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import decode
from simulator.faults import FAULTS, Chain, Disturbance, chain
from simulator.faults.messages import Burst, Garbage, Late, Missing, Reordered
from simulator.instruments import instruments
from simulator.packets import Column, Packet, single, total

MESSAGE_FAULTS = ["missing", "garbage", "duplicate", "burst", "late", "reordered"]
HARMLESS = ["duplicate", "burst", "late", "reordered"]
"""They lose no reading and change none."""


@pytest.fixture(scope="module")
def packets(cement_plan: Plan) -> list[Packet]:
    """Five hundred readings of each of two gauges in turn, a message and a second each."""
    gauges = [one for one in instruments(cement_plan) if one.kind is Kind.GAUGE][:2]
    begin = 1_795_161_600 * SECOND
    return [single("plant", gauges[i % 2], begin + i * SECOND, i + 0.5) for i in range(1000)]


def _through(faults: Chain, packets: list[Packet], size: int = 7) -> list[Packet]:
    out: list[Packet] = []
    for start in range(0, len(packets), size):
        out += faults.apply(packets[start : start + size])
    return out + faults.flush()


def _payloads(packets: list[Packet]) -> list[bytes]:
    return [packet.payload for packet in packets]


def test_no_fault_changes_nothing(packets: list[Packet]) -> None:
    assert _through(chain([], 1), packets) == packets


@pytest.mark.parametrize("name", MESSAGE_FAULTS)
def test_a_share_of_nothing_changes_nothing(name: str, packets: list[Packet]) -> None:
    assert _payloads(_through(chain([f"{name}=0"], 1), packets)) == _payloads(packets)


@pytest.mark.parametrize("name", MESSAGE_FAULTS)
def test_faults_repeat_with_their_seed(name: str, packets: list[Packet]) -> None:
    once, again, other = (_through(chain([f"{name}=0.02"], seed), packets) for seed in (1, 1, 2))
    assert once == again
    assert once != other


@pytest.mark.parametrize("name", MESSAGE_FAULTS)
def test_how_packets_are_gathered_does_not_matter(name: str, packets: list[Packet]) -> None:
    wanted = [f"{name}=0.1"]
    assert _through(chain(wanted, 1), packets, 7) == _through(chain(wanted, 1), packets, 100)


@pytest.mark.parametrize("name", MESSAGE_FAULTS)
def test_a_fault_strikes_the_same_messages_whatever_else_is_on(name: str, packets: list[Packet]) -> None:
    """An episode may be cut short by what another fault holds back, but none begins elsewhere."""
    struck: list[set[int]] = []
    for wanted in ([f"{name}=0.03"], [f"{name}=0.03", *(f"{one}=0.05" for one in HARMLESS if one != name)]):
        record: list[Disturbance] = []
        _through(chain(wanted, 5, record.append), packets)
        struck.append({one.since for one in record if one.fault == name})
    assert struck[0]
    assert struck[0] == struck[1]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_loses_nothing_brings_the_same_messages(name: str, packets: list[Packet]) -> None:
    record: list[Disturbance] = []
    out = _through(chain([f"{name}=0.1"], 1, record.append), packets)
    assert set(_payloads(out)) == set(_payloads(packets))
    assert total(out) == total(packets)
    assert record
    assert all(one.shown_at == one.at for one in record)


@pytest.mark.parametrize("make", [Missing, Garbage])
def test_what_is_lost_is_said(make: type[Missing] | type[Garbage], packets: list[Packet]) -> None:
    record: list[Disturbance] = []
    fault = make(0.1, 1, record.append)
    out = _through(Chain([fault]), packets)
    assert 50 < fault.swallowed.total() < 150
    assert total(out) + fault.swallowed == total(packets)
    times = {one.at for one in record}
    assert [p for p in packets if p.first_at not in times] == [replace(p, number=0) for p in out if p.content]
    assert all(one.shown_at is None for one in record)


def test_garbage_is_refused_by_ingest_to_the_last_message(packets: list[Packet], cement_plan: Plan) -> None:
    fault = Garbage(0.3, 1)
    out = _through(Chain([fault]), packets)
    decoded = decode([Delivery(p.topic, p.payload, p.last_at) for p in out], cement_plan)
    spoilt = {number for number, packet in enumerate(out) if not packet.content}
    assert len(out) == len(packets)
    assert len(spoilt) > 200
    assert {item.message for item in decoded.rejections} == spoilt
    assert spoilt.isdisjoint(decoded.message.tolist())


def test_duplicates_bring_no_new_reading(packets: list[Packet]) -> None:
    out = _through(chain(["duplicate=0.2"], 1), packets)
    assert set(Counter(_payloads(out)).values()) == {1, 2}
    assert sum(total(out).values()) == len(packets)


def test_late_packets_come_after_their_delay(packets: list[Packet]) -> None:
    out = _through(Chain([Late(0.1, 1, delay_us=30 * SECOND)]), packets)
    newest, delays = 0, []
    for packet in out:
        newest = max(newest, packet.last_at)
        delays.append(newest - packet.last_at)
    late = [delay for delay in delays if delay]
    assert 50 < len(late) < 150
    assert {round(delay / SECOND) for delay in late if delay >= 29 * SECOND} <= {29, 30}


def test_reordered_packets_are_overtaken_by_a_few(packets: list[Packet]) -> None:
    record: list[Disturbance] = []
    out = _through(Chain([Reordered(0.2, 1, record.append, reach=8)]), packets)
    place_of = {packet.first_at: place for place, packet in enumerate(out)}
    overtaken = {one.at for one in record}
    assert 100 < len(overtaken) < 300
    for place, packet in enumerate(packets):
        ahead = sum(p.first_at > packet.first_at for p in out[: place_of[packet.first_at]])
        assert (ahead > 0) == (packet.first_at in overtaken) or place > 980
        assert ahead <= 8 + 8  # who is overtaken too comes no earlier for it


def test_a_device_that_was_cut_off_says_it_all_in_order_when_it_is_back(packets: list[Packet]) -> None:
    out = _through(Chain([Burst(0.003, 2, span_us=20 * SECOND)]), packets)
    assert out != packets
    for topic in {packet.topic for packet in packets}:
        assert [p.payload for p in out if p.topic == topic] == [
            p.payload for p in packets if p.topic == topic
        ]
    newest, longest = 0, 0
    for packet in out:
        newest = max(newest, packet.last_at)
        longest = max(longest, newest - packet.last_at)
    assert 15 * SECOND <= longest <= 20 * SECOND


def test_faults_act_in_the_order_of_a_device_and_its_network(packets: list[Packet]) -> None:
    held = chain(["duplicate=1", "late=1"], 3)
    assert held.apply(packets[:3]) == []
    first = _payloads(packets[:3])
    assert _payloads(held.flush()) == [first[0], first[0], first[1], first[1], first[2], first[2]]


@pytest.mark.parametrize("text", ["late=", "late=2", "late=-0.1", "late=nan", "broken=0.1", "broken", "=0.1"])
def test_a_wrong_fault_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"expected all or .*missing.* share from 0 to 1"):
        chain([text], 1)


def test_all_means_every_fault_with_its_usual_share() -> None:
    every = {type(kind.make(0.1, 1, lambda _: None)).__name__ for kind in FAULTS.values()}
    assert len(every) == len(FAULTS) == 15


def test_a_fault_is_of_readings_or_of_messages() -> None:
    for name, kind in FAULTS.items():
        fault = kind.make(0.1, 1, lambda _: None)
        assert hasattr(fault, "disturb") != hasattr(fault, "apply"), name
        assert hasattr(fault, "apply") == (name in MESSAGE_FAULTS)


def test_a_message_knows_what_it_holds(packets: list[Packet]) -> None:
    (column,) = packets[0].content
    assert isinstance(column, Column)
    assert (column.at, column.values) == ((packets[0].first_at,), (0.5,))
