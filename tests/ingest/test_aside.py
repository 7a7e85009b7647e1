"""How much of the inbox goes between two live batches."""

import pytest

from ingest.aside import TURN_US, Allowance


def after(turns: int, us_a_byte: float, fixed_us: int = 0) -> Allowance:
    """What is allowed after turns that took all they were allowed, at so many µs a byte and so many a turn."""
    allowance = Allowance()
    for _ in range(turns):
        allowance.took(allowance.payload, round(allowance.payload * us_a_byte) + fixed_us)
    return allowance


@pytest.mark.parametrize("us_a_byte", [0.2, 1.0, 2.0, 8.0])
def test_a_turn_comes_to_take_as_long_as_it_should(us_a_byte: float) -> None:
    assert after(20, us_a_byte).payload == pytest.approx(TURN_US / us_a_byte, rel=0.01)


def test_what_each_turn_costs_whatever_it_holds_is_counted() -> None:
    payload = after(40, 1.0, fixed_us=TURN_US // 2).payload
    assert payload + TURN_US // 2 == pytest.approx(TURN_US, rel=0.01)


def test_it_stays_within_its_bounds() -> None:
    assert after(50, 1e-6).payload == Allowance.MOST
    assert after(50, 1e6).payload == Allowance.LEAST


def test_a_turn_with_little_to_do_allows_no_more() -> None:
    allowance = after(20, 1.0)
    before = allowance.payload
    allowance.took(before // 10, before // 100)
    assert allowance.payload == before


def test_a_turn_with_little_to_do_that_took_long_allows_less() -> None:
    allowance = after(20, 1.0)
    before = allowance.payload
    allowance.took(before // 10, 2 * TURN_US)
    assert allowance.payload < before
