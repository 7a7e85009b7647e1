"""Faults lose, double, delay and shuffle; off, they do nothing."""

from collections import Counter

import pytest

from ingest.errors import InputError
from ingest.model import SECOND
from simulator.faults import FAULTS, Chain, Duplicate, Fault, Late, Missing, Reordered, chain
from simulator.packets import Packet, total

PACKETS = [Packet("plant/a", b"%d" % i, i * SECOND, i * SECOND, {"a": 1}) for i in range(1000)]


def _through(fault: Fault | Chain, size: int = 7) -> list[Packet]:
    out: list[Packet] = []
    for start in range(0, len(PACKETS), size):
        out += fault.apply(PACKETS[start : start + size])
    return out + fault.flush()


def _payloads(packets: list[Packet]) -> Counter[bytes]:
    return Counter(packet.payload for packet in packets)


def test_no_fault_changes_nothing() -> None:
    assert _through(chain([], 1)) == PACKETS


@pytest.mark.parametrize("name", FAULTS)
def test_a_share_of_nothing_changes_nothing(name: str) -> None:
    assert _through(FAULTS[name](0.0, 1)) == PACKETS


@pytest.mark.parametrize("name", FAULTS)
def test_faults_repeat_with_their_seed(name: str) -> None:
    once, again, other = (_through(FAULTS[name](0.3, seed)) for seed in (1, 1, 2))
    assert once == again
    assert once != other


@pytest.mark.parametrize("name", FAULTS)
def test_how_packets_are_gathered_does_not_matter(name: str) -> None:
    assert _through(FAULTS[name](0.3, 1), size=7) == _through(FAULTS[name](0.3, 1), size=100)


def test_missing_says_what_it_swallowed() -> None:
    fault = Missing(0.1, 1)
    out = _through(fault)
    assert 50 < fault.swallowed["a"] < 150
    assert total(out)["a"] + fault.swallowed["a"] == len(PACKETS)
    assert [packet for packet in PACKETS if packet in out] == out


def test_duplicates_bring_no_new_reading() -> None:
    out = _through(Duplicate(0.2, 1))
    assert set(_payloads(out).values()) == {1, 2}
    assert set(_payloads(out)) == set(_payloads(PACKETS))
    assert total(out)["a"] == len(PACKETS)


def test_late_packets_come_after_their_delay_and_none_is_lost() -> None:
    out = _through(Late(0.1, 1, delay_us=30 * SECOND))
    assert _payloads(out) == _payloads(PACKETS)
    newest, delays = 0, []
    for packet in out:
        newest = max(newest, packet.last_at)
        delays.append(newest - packet.last_at)
    late = [delay for delay in delays if delay]
    assert 50 < len(late) < 150
    assert {round(delay / SECOND) for delay in late if delay >= 29 * SECOND} <= {29, 30}


def test_reordered_packets_move_a_little_and_none_is_lost() -> None:
    out = _through(Reordered(0.2, 1, reach=8))
    assert _payloads(out) == _payloads(PACKETS)
    assert out != PACKETS
    # A packet leaves early by at most the reach; one put back may wait for the next exchange.
    assert all(int(packet.payload) - place <= 8 for place, packet in enumerate(out))


def test_faults_are_chained_in_the_order_given() -> None:
    out = _through(chain(["duplicate=1", "missing=0.5"], 3))
    assert 900 < len(out) < 1100
    held = chain(["late=1", "duplicate=1"], 3)
    assert held.apply(PACKETS[:3]) == []
    assert [packet.payload for packet in held.flush()] == [b"0", b"0", b"1", b"1", b"2", b"2"]


@pytest.mark.parametrize("text", ["late", "late=", "late=2", "late=-0.1", "late=nan", "broken=0.1", "=0.1"])
def test_a_wrong_fault_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"expected missing.* and a share from 0 to 1"):
        chain([text], 1)
