"""How much of the inbox goes between two live batches."""

import pytest

from ingest.aside import TURN_US, Allowance
from ingest.source import Delivery, batch_end

CHUNK = 10_000


def after(turns: int, us_a_byte: float, fixed_us: int = 0, chunk: int = 1) -> Allowance:
    """What is allowed after turns of whole chunks that cost so many µs a byte and so many each."""
    allowance = Allowance()
    for _ in range(turns):
        payload = max(allowance.payload // chunk, 1) * chunk
        allowance.took(payload, round(payload * us_a_byte) + fixed_us, full=True)
    return allowance


@pytest.mark.parametrize("us_a_byte", [0.2, 1.0, 2.0, 8.0])
def test_a_turn_comes_to_take_as_long_as_it_should(us_a_byte: float) -> None:
    assert after(40, us_a_byte).payload == pytest.approx(TURN_US / us_a_byte, rel=0.01)


def test_what_each_turn_costs_whatever_it_holds_is_counted() -> None:
    payload = after(80, 1.0, fixed_us=TURN_US // 2).payload
    assert payload + TURN_US // 2 == pytest.approx(TURN_US, rel=0.01)


@pytest.mark.parametrize("us_a_byte", [0.29, 0.7, 1.1, 1.6])
def test_as_many_whole_chunks_go_as_fit(us_a_byte: float) -> None:
    fixed_us = 10_000
    fit = int((TURN_US - fixed_us) / us_a_byte) // CHUNK
    assert after(80, us_a_byte, fixed_us, CHUNK).payload // CHUNK == fit


def test_it_stays_within_its_bounds() -> None:
    assert after(80, 1e-6).payload == Allowance.MOST
    assert after(80, 1e6).payload == Allowance.LEAST


def test_slower_turns_count_at_once_and_one_fast_turn_for_little() -> None:
    allowance = after(40, 1.0)
    allowance.took(allowance.payload, TURN_US // 4, full=True)
    assert allowance.payload < 1.25 * TURN_US
    slow = after(40, 1.0)
    slow.took(slow.payload, 4 * TURN_US, full=True)
    assert slow.payload < TURN_US / 2


def test_a_turn_with_little_to_do_says_nothing_unless_it_took_long() -> None:
    allowance = after(40, 1.0)
    before = allowance.payload
    allowance.took(before // 10, TURN_US // 2, full=False)
    assert allowance.payload == before
    allowance.took(before // 10, 2 * TURN_US, full=False)
    assert allowance.payload < before


@pytest.mark.parametrize(
    ("sizes", "end"), [([], 0), ([9], 1), ([2, 3], 2), ([2, 3, 1], 2), ([9, 1], 1), ([5, 0, 1], 2)]
)
def test_a_batch_ends_before_it_has_too_many_bytes_but_has_one_message(sizes: list[int], end: int) -> None:
    deliveries = [Delivery(topic="a", payload=b"x" * size, received_at=0) for size in sizes]
    assert batch_end(deliveries, 5) == end
