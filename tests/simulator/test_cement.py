"""The cement site shows what the plant file declares, and always the same."""

import dataclasses
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest

from ingest.errors import InputError
from ingest.model import DAY, HOUR, MINUTE, Kind
from ingest.plant.plan import Plan
from simulator.cement import CementPlant
from simulator.instruments import Instrument, instruments
from simulator.series import EPOCH
from simulator.truth import Truth

NOON = EPOCH + 690 * DAY + 12 * HOUR


def _named(plant: CementPlant, name: str) -> Instrument:
    return next(instrument for instrument in plant.instruments if instrument.name == name)


def test_every_measured_point_of_the_shipped_plant_is_published(
    cement: CementPlant, cement_plan: Plan
) -> None:
    first = cement.grid.first_at_or_after(NOON)
    columns = cement.columns(first, cement.grid.ticks(MINUTE))
    assert [column.instrument.id for column in columns] == [
        point.id for point in cement_plan.points[: cement_plan.n_measured]
    ]
    for column in columns:
        period = column.instrument.period_us
        assert list(column.at) == list(range(NOON, NOON + MINUTE, period))


def test_values_are_within_the_declared_limits(cement: CementPlant, cement_plan: Plan) -> None:
    first = cement.grid.first_at_or_after(NOON)
    for index, column in enumerate(cement.columns(first, cement.grid.per_day)):
        assert min(column.values) >= cement_plan.params["low"][index]
        assert max(column.values) <= cement_plan.params["high"][index]


def test_same_seed_same_plant_other_seed_other_plant(cement: CementPlant, cement_plan: Plan) -> None:
    first, n = cement.grid.first_at_or_after(NOON), 1000
    again = CementPlant(instruments(cement_plan), seed=1)
    other = CementPlant(instruments(cement_plan), seed=2)
    expected = [column.values for column in cement.columns(first, n)]
    assert [column.values for column in again.columns(first, n)] == expected
    assert [column.values for column in other.columns(first, n)] != expected


def test_a_later_start_publishes_the_same_numbers(cement: CementPlant, cement_plan: Plan) -> None:
    first = cement.grid.first_at_or_after(NOON)
    fresh = CementPlant(instruments(cement_plan), seed=1)
    whole = [column.values[600:] for column in cement.columns(first, 1200)]
    assert [column.values for column in fresh.columns(first + 600, 600)] == whole


def test_counters_come_back_exactly_and_never_fall(cement: CementPlant) -> None:
    first, n = cement.grid.first_at_or_after(NOON), cement.grid.per_day
    counters = [instrument for instrument in cement.instruments if instrument.kind is Kind.COUNTER]
    assert len(counters) == 8
    for instrument in counters:
        registers = cement.registers(instrument, first, n)
        assert (np.diff(registers) >= 0).all()
        resolution = Decimal(instrument.resolution.numerator) / instrument.resolution.denominator
        for value, count in list(
            zip(cement.values(instrument, first, n).tolist(), registers.tolist(), strict=True)
        )[::97]:
            assert int((Decimal(value) / resolution).to_integral_value(ROUND_HALF_UP)) == count
            assert Decimal(repr(value)) == count * resolution


def test_a_register_rolls_over_at_its_modulus_and_the_truth_goes_on(cement_plan: Plan) -> None:
    measured = [
        dataclasses.replace(instrument, modulus=1000) if instrument.name == "kiln/clinker" else instrument
        for instrument in instruments(cement_plan)
    ]
    plant = CementPlant(measured, seed=1)
    clinker = _named(plant, "kiln/clinker")
    first = plant.grid.first_at_or_after(NOON)
    steps = np.diff(plant.registers(clinker, first, 720))
    assert (steps < 0).sum() > 100
    assert plant.registers(clinker, first, 720).max() < 1000
    truth = Truth(plant).over(NOON, NOON + 719 * plant.grid.period_us)[clinker.id]
    assert (steps % 1000).sum() == truth


def test_points_with_longer_periods_are_sampled_at_their_own_times(cement_plan: Plan) -> None:
    measured = [
        dataclasses.replace(instrument, period_us=MINUTE)
        if instrument.name == "kiln/stack/o2"
        else instrument
        for instrument in instruments(cement_plan)
    ]
    plant = CementPlant(measured, seed=1)
    columns = {c.instrument.name: c for c in plant.columns(plant.grid.first_at_or_after(NOON) + 1, 24)}
    assert list(columns["kiln/stack/o2"].at) == [NOON + MINUTE, NOON + 2 * MINUTE]
    assert len(columns["kiln/stack/co2"].at) == 24


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "kiln/sulphur"}, "the simulated cement line has no such counter"),
        ({"unit": "MWh"}, "it is a counter in 'MWh', expected a counter in 'kWh'"),
        ({"kind": Kind.GAUGE}, "it is a gauge in 'kWh', expected a counter in 'kWh'"),
    ],
)
def test_a_plant_file_the_line_cannot_serve_is_refused(
    cement_plan: Plan, change: dict[str, str | Kind], sentence: str
) -> None:
    wrong = dataclasses.replace(instruments(cement_plan)[0], **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=sentence):
        CementPlant([wrong], seed=1)


def test_figures_are_in_the_mission_bands_hour_by_hour(cement: CementPlant) -> None:
    midnight = EPOCH + 690 * DAY
    edges = list(range(midnight, midnight + DAY + 1, HOUR))
    truth = Truth(cement)
    clinker, energy, coal, meal = (
        [Fraction(amount) / 1000 for amount in truth.amounts(f"cement/{name}", edges)]
        for name in ("kiln/clinker", "substation/energy", "kiln/coal", "kiln/raw-meal")
    )
    for t, kwh, coal_t, meal_t in zip(clinker, energy, coal, meal, strict=True):
        kgce = coal_t * Fraction("23.20") / Fraction("29.3076") * 1000 / t
        co2 = coal_t * Fraction("0.605") * Fraction("0.99") * Fraction(44, 12) + Fraction("0.48") * t
        co2 += meal_t * Fraction("0.001") * Fraction(44, 12)
        assert 48 <= kwh / t <= 61
        assert 94 <= kgce <= 109
        assert 100 <= kgce + Fraction("0.1229") * kwh / t <= 117
        assert 741 <= co2 * 1000 / t <= 782
        assert 757 <= (co2 * 1000 + Fraction("0.34") * kwh) / t <= 803


def test_a_whole_day_is_the_preset(cement: CementPlant) -> None:
    midnight = EPOCH + 690 * DAY
    day = Truth(cement).over(midnight, midnight + DAY)
    assert day["cement/substation/energy"] == 275_000_000
    clinker, coal = Fraction(day["cement/kiln/clinker"]) / 1000, Fraction(day["cement/kiln/coal"]) / 1000
    assert float(clinker) == pytest.approx(5000, rel=1e-4)  # 35 minutes later than the rest
    assert float(coal * Fraction("23.20") / Fraction("29.3076")) == pytest.approx(520, rel=1e-5)
    assert day["cement/kiln/state"] == 24
