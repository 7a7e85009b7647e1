"""Faults of instruments: each does what it says to the readings it names, and to no other."""

from fractions import Fraction

import pytest

from ingest.model import MINUTE, SECOND, Kind
from ingest.plant.plan import Plan
from simulator.cement import CementPlant
from simulator.faults import Chain, Disturbance, chain
from simulator.faults.readings import ClockSkew, Drift, Shown, Stuck
from simulator.faults.registers import Replaced, Reset, Rollover, count_of
from simulator.instruments import Instrument, instruments
from simulator.packets import Column, in_columns, in_turn

BEGIN = 1_795_161_600 * SECOND
N = 1440
NAMES = [
    "rollover", "reset", "replaced", "stuck", "drift", "wrong-unit", "spike", "clock-skew", "frozen-time",
]  # fmt: skip


@pytest.fixture(scope="module")
def columns(cement_plan: Plan) -> list[Column]:
    """Two hours of the line."""
    plant = CementPlant(instruments(cement_plan), seed=1)
    return plant.columns(plant.grid.first_at_or_after(BEGIN), N)


def _disturbed(faults: Chain, columns: list[Column], size: int) -> list[Column]:
    """The columns, given in pieces of `size` readings."""
    pieces = [
        faults.disturb([Column(c.instrument, c.at[i : i + size], c.values[i : i + size]) for c in columns])
        for i in range(0, N, size)
    ]
    return [
        Column(c.instrument, [at for p in pieces for at in p[k].at], [v for p in pieces for v in p[k].values])
        for k, c in enumerate(columns)
    ]


def _shown(columns: list[Column]) -> dict[tuple[str, int], tuple[int, float]]:
    """(point, place) → (time, value)."""
    return {
        (c.instrument.id, i): (at, value)
        for c in columns
        for i, (at, value) in enumerate(zip(c.at, c.values, strict=True))
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_share_of_nothing_changes_nothing(name: str, columns: list[Column]) -> None:
    assert _shown(chain([f"{name}=0"], 1).disturb(columns)) == _shown(columns)


@pytest.mark.parametrize("name", NAMES)
def test_it_repeats_with_its_seed_however_the_readings_come(name: str, columns: list[Column]) -> None:
    wanted = [f"{name}=0.01"]
    once = _shown(_disturbed(chain(wanted, 1), columns, 720))
    assert once == _shown(_disturbed(chain(wanted, 1), columns, 1))
    assert once != _shown(_disturbed(chain(wanted, 2), columns, 720))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("rollover", "reset", "replaced")])
def test_the_record_names_exactly_what_changed(name: str, columns: list[Column]) -> None:
    record: list[Disturbance] = []
    before = _shown(columns)
    after = _shown(chain([f"{name}=0.01"], 1, record.append).disturb(columns))
    changed = {(point, before[point, i][0]) for point, i in before if before[point, i] != after[point, i]}
    assert changed == {(one.point, one.at) for one in record}
    assert len(record) == len(changed) > 20
    shown_at = {(point, before[point, i][0]): after[point, i][0] for point, i in before}
    assert all(one.shown_at == shown_at[one.point, one.at] for one in record)
    assert all(one.fault == name and one.since <= one.at for one in record)


@pytest.mark.parametrize("name", NAMES)
def test_it_strikes_at_the_same_times_whatever_else_is_on(name: str, columns: list[Column]) -> None:
    begun = []
    for wanted in ([f"{name}=0.01"], [f"{name}=0.01", *(f"{one}=0.005" for one in NAMES if one != name)]):
        record: list[Disturbance] = []
        chain(wanted, 3, record.append).disturb(columns)
        begun.append({(one.point, one.since) for one in record if one.fault == name})
    assert begun[0]
    # What stands at 0 cannot be multiplied, and another fault may have put it there.
    missed = begun[0] ^ begun[1]
    assert len(missed) <= (0 if name in ("clock-skew", "frozen-time", "replaced") else len(begun[0]) // 3)


def test_states_have_no_values_to_spoil(columns: list[Column]) -> None:
    wanted = [f"{name}=0.05" for name in NAMES if name not in ("clock-skew", "frozen-time")]
    for column, shown in zip(columns, chain(wanted, 1).disturb(columns), strict=True):
        if column.instrument.kind is Kind.STATE:
            assert (shown.at, shown.values) == (list(column.at), list(column.values))


def _gauge(columns: list[Column]) -> Column:
    return next(c for c in columns if c.instrument.name == "kiln/power")


def _register(columns: list[Column]) -> Column:
    return next(c for c in columns if c.instrument.name == "kiln/energy")


def _pass(fault: Reset | Replaced | Rollover | Stuck | Drift | ClockSkew, column: Column) -> list[Shown]:
    readings = [Shown(at, at, value) for at, value in zip(column.at, column.values, strict=True)]
    fault.disturb(column.instrument, readings)
    return readings


def test_a_stuck_instrument_shows_one_value_for_its_span(columns: list[Column]) -> None:
    record: list[Disturbance] = []
    readings = _pass(Stuck(0.005, 1, record.append, span_us=MINUTE), _gauge(columns))
    shown = {one.at: one.value for one in readings}
    assert record
    for one in record:
        assert shown[one.at] == shown[one.since]
        assert one.at - one.since < MINUTE


def test_drift_grows_from_nothing(columns: list[Column]) -> None:
    record: list[Disturbance] = []
    column = _gauge(columns)
    readings = _pass(Drift(0.002, 1, record.append, span_us=30 * MINUTE, per_hour=0.2), column)
    truth = dict(zip(column.at, column.values, strict=True))
    shown = {one.at: one.value for one in readings}
    longest = max(record, key=lambda one: one.at - one.since)
    assert longest.at - longest.since >= 20 * MINUTE
    factor = shown[longest.at] / truth[longest.at]
    assert factor == pytest.approx(1 + 0.2 * (longest.at - longest.since) / (60 * MINUTE))


def _counts(instrument: Instrument, values: list[float]) -> list[int]:
    return [count_of(instrument, value) for value in values]


def test_a_reset_register_has_lost_what_its_record_says(columns: list[Column]) -> None:
    record: list[Disturbance] = []
    column = _register(columns)
    given = _counts(column.instrument, list(column.values))
    shown = _counts(column.instrument, [one.value for one in _pass(Reset(0.004, 1, record.append), column)])
    at = {one.at: one.numbers[0] for one in record}
    assert len(record) >= 3
    for i in range(1, N):
        step, expected = shown[i] - shown[i - 1], given[i] - given[i - 1]
        if column.at[i] in at:
            assert shown[i] == expected - at[column.at[i]] >= 0
        else:
            assert step == expected


def test_a_new_meter_that_starts_again_shows_what_it_has_counted_since(columns: list[Column]) -> None:
    """What the old one showed has no part in it."""
    record: list[Disturbance] = []
    column = _register(columns)
    given = _counts(column.instrument, list(column.values))
    readings = _pass(Replaced(0.004, 1, record.append), column)
    exchanged = {one.at for one in record}
    assert exchanged
    readings = [Shown(at, at, value) for at, value in zip(column.at, column.values, strict=True)]
    for fault in (Reset(0.004, 1, record.append), Replaced(0.004, 1, record.append)):
        fault.disturb(column.instrument, readings)
    resets = {one.at: one.numbers[0] for one in record if one.fault == "reset"}
    shown = _counts(column.instrument, [one.value for one in readings])
    late = [i for i in range(1, N) if column.at[i] in resets and min(exchanged) < column.at[i]]
    assert late
    for i in late:
        if column.at[i] not in exchanged:
            assert shown[i] == given[i] - given[i - 1] - resets[column.at[i]]


def test_a_declared_replacement_closes_the_books(columns: list[Column]) -> None:
    record: list[Disturbance] = []
    column = _register(columns)
    given = _counts(column.instrument, list(column.values))
    readings = _pass(Replaced(0.004, 1, record.append), column)
    shown = _counts(column.instrument, [one.value for one in readings])
    at = {one.at: one.numbers for one in record}
    assert len(record) >= 3
    total = 0
    for i in range(1, N):
        if column.at[i] in at:
            final, initial = at[column.at[i]]
            assert shown[i] == initial
            total += final - shown[i - 1]
        else:
            total += shown[i] - shown[i - 1]
    assert total == given[-1] - given[0]


def test_a_register_that_rolls_over_counts_on_modulo_its_modulus(columns: list[Column]) -> None:
    record: list[Disturbance] = []
    column = _register(columns)
    modulus = column.instrument.modulus
    given = _counts(column.instrument, list(column.values))
    shown = _counts(column.instrument, [one.value for one in _pass(Rollover(0.01, 1, record.append), column)])
    assert len(record) == 1
    assert all(
        (b - a) % modulus == (d - c) % modulus
        for a, b, c, d in zip(shown, shown[1:], given, given[1:], strict=False)
    )
    falls = [i for i in range(1, N) if shown[i] < shown[i - 1]]
    assert [column.at[i] for i in falls] == [record[0].at]


def test_values_of_registers_stay_those_of_whole_counts(columns: list[Column]) -> None:
    column = _register(columns)
    for value in _pass(Reset(0.004, 1), column):
        count = count_of(column.instrument, value.value)
        assert value.value == float(count * column.instrument.resolution)
        assert abs(Fraction(value.value) / column.instrument.resolution - count) < Fraction(1, 1000)


def test_faulty_clocks_still_make_messages(columns: list[Column], cement_plan: Plan) -> None:
    """A unit whose points say different times speaks in more messages."""
    faults = chain(["clock-skew=0.05", "frozen-time=0.05"], 1)
    sent = 0
    for i in range(100):
        now = faults.disturb([Column(c.instrument, c.at[i : i + 1], c.values[i : i + 1]) for c in columns])
        packets = list(in_turn(cement_plan.topic_prefix, now))
        sent += sum(sum(packet.readings.values()) for packet in packets)
        assert all(packet.first_at == packet.last_at for packet in packets)
    assert sent == 100 * len(columns)
    backfill = list(in_columns("plant/cement", faults.disturb(columns), 60))
    assert sum(sum(packet.readings.values()) for packet in backfill) <= N * len(columns)
