"""Tariffs of a plant file: one price for every hour, on every day; what is not is refused in one sentence."""

from datetime import datetime
from fractions import Fraction

import pytest

from ingest.errors import PlantError
from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan_prices import PlanPrices

HEAD = """\
site: mill
name: Mill
time_zone: Europe/Berlin
interval: 15min
currency: EUR
calendar: {holidays: [2026-12-25, 2026-12-26], workdays: [2026-12-19]}
carriers: [{id: electricity, name: Electricity}, {id: gas, name: Gas}]
units: [{id: line, name: Line, units: [{id: press, name: Press}]}]
points:
  - {id: main, kind: counter, unit: MWh, carrier: electricity, period: 5s, resolution: 0.001}
  - {id: fed, kind: counter, unit: kWh, carrier: electricity, period: 5s}
  - {id: line/press/energy, kind: delta, unit: kWh, carrier: electricity, period: 15min, resolution: 0.01}
  - {id: power, kind: gauge, unit: kW, carrier: electricity, period: 5s}
  - {id: gas, kind: counter, unit: Nm3, carrier: gas, period: 5s}
kpis: [{id: demand, kind: demand, unit: kW, numerator: [{point: main}], block: 15min}]
contracted_demand: {value: 0.5, unit: MW, kpi: demand}
"""
DAY = '{name: day, value: 0.3, hours: ["06:00-22:00"], days: workdays}'
NIGHT = '{name: night, value: 0.2, hours: ["00:00-06:00", "22:00-24:00"], days: workdays}'
REST = '{name: rest, value: 0.1, hours: ["00:00-24:00"], days: weekends}'


def tariff(
    *periods: str, more: str = "meters: [main]", name: str = "power", since: str = "2026-01-01"
) -> str:
    listed = ", ".join(periods)
    given = (
        f"id: {name}, carrier: electricity, unit: EUR/kWh, valid_from: {since}, {more}, periods: [{listed}]"
    )
    return f"  - {{{given}}}\n"


def prices(*tariffs: str, more: str = "") -> PlanPrices:
    listed = f"tariffs:\n{''.join(tariffs)}" if tariffs else ""
    return compile_plan(parse_plant(HEAD + listed + more, "mill.yaml")).prices


def refused(*tariffs: str, more: str = "") -> str:
    with pytest.raises(PlantError) as caught:
        prices(*tariffs, more=more)
    return str(caught.value).removeprefix("mill.yaml: ")


def test_the_price_of_an_hour() -> None:
    made = prices(tariff(DAY, NIGHT, REST))
    (found,) = made.tariffs

    def name(text: str) -> str:
        return found.periods[found.period_at(datetime.fromisoformat(text))].name

    assert [name(f"2026-11-30T{hour}") for hour in ("05:59", "06:00", "21:59", "22:00")] == [
        "night",
        "day",
        "day",
        "night",
    ]
    assert name("2026-12-05T12:00") == "rest"  # a Saturday
    assert name("2026-12-19T12:00") == "day"  # one that is worked
    assert name("2026-12-25T12:00") == "rest"  # a holiday, on a Friday
    (meter,) = made.meters
    assert meter.per_count == (Fraction(3, 10), Fraction(2, 10), Fraction(1, 10))  # a count is a kWh
    assert (meter.unit, meter.submeter, made.currency) == (None, False, "EUR")


def test_holidays_may_have_a_price_of_their_own_and_seasons_go_over_the_year() -> None:
    summer = '{name: summer, value: 0.4, hours: ["00:00-24:00"], days: workdays, season: ["06-01", "09-01"]}'
    winter = '{name: winter, value: 0.5, hours: ["00:00-24:00"], days: workdays, season: ["09-01", "06-01"]}'
    feast = '{name: feast, value: 0.05, hours: ["00:00-24:00"], days: holidays}'
    (found,) = prices(tariff(summer, winter, REST, feast)).tariffs
    days = ("2026-05-29", "2026-06-01", "2026-08-31", "2026-09-01", "2026-12-25", "2026-12-05", "2028-02-29")
    names = [found.periods[found.period_at(datetime.fromisoformat(day))].name for day in days]
    assert names == ["winter", "summer", "summer", "winter", "feast", "rest", "winter"]


def test_a_submeter_is_of_the_innermost_unit() -> None:
    made = prices(tariff(DAY, NIGHT, REST, more="meters: [main], submeters: [line/press/energy]"))
    main, press = made.meters
    assert (main.submeter, press.submeter, press.unit) == (False, True, "mill/line/press")
    assert press.per_count[0] == Fraction(3, 1000)


def test_of_one_meter_the_next_tariff_ends_the_one_before() -> None:
    old, new = prices(
        tariff(DAY, NIGHT, REST, name="old"), tariff(DAY, NIGHT, REST, name="new", since="2026-07-01")
    ).meters
    assert old.to_at == new.from_at


def test_the_grain_divides_every_edge() -> None:
    half = ['{name: a, value: 1, hours: ["00:00-06:30"]}', '{name: b, value: 2, hours: ["06:30-24:00"]}']
    assert prices(tariff(DAY, NIGHT, REST)).grain_us == 3600_000_000
    assert prices(tariff(*half)).grain_us == 1800_000_000


def test_hours_over_midnight_are_two() -> None:
    over = '{name: night, value: 0.2, hours: ["22:00-06:00"], days: workdays}'
    assert refused(tariff(DAY, over, REST)).endswith(
        "expected hours that end on their day, as 22:00-24:00 and 00:00-06:00"
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            tariff(DAY, REST),
            (
                "tariffs[0].periods is ['day', 'rest']; expected one price for every hour, not none at 00:00 on"
                " workdays from 01-01"
            ),
        ),
        (
            tariff(
                DAY, NIGHT, REST, '{name: peak, value: 1, hours: ["12:00-13:00"], season: ["07-01", "08-01"]}'
            ),
            (
                "tariffs[0].periods is ['day', 'night', 'rest', 'peak']; expected one price for every hour, not day and"
                " peak at 12:00 on workdays from 07-01"
            ),
        ),
        (
            tariff(DAY, NIGHT),
            (
                "tariffs[0].periods is ['day', 'night']; expected one price for every hour, not none at 00:00 on"
                " weekends from 01-01"
            ),
        ),
        (
            tariff(
                '{name: a, value: 1, hours: ["00:00-06:10"]}', '{name: b, value: 2, hours: ["06:10-24:00"]}'
            ),
            "tariffs[0].periods is ['a', 'b']; expected hours that begin and end on an edge of intervals of 15min",
        ),
        (
            tariff(DAY, NIGHT, REST).replace("EUR/kWh", "CNY/kWh"),
            "tariffs[0].unit is 'CNY/kWh'; expected money in EUR, as the plant's",
        ),
        (
            tariff(DAY, NIGHT, REST).replace("EUR/kWh", "t/kWh"),
            "tariffs[0].unit is 't/kWh'; expected money per amount such as CNY/kWh",
        ),
        (
            tariff(DAY, NIGHT, REST).replace("EUR/kWh", "EUR/t"),
            "tariffs[0].meters[0]: unit 'MWh' is of another dimension; expected one that converts to 't'",
        ),
        (
            tariff(DAY, NIGHT, REST, more="meters: [power]"),
            (
                "tariffs[0].meters[0] is 'power'; expected a counter or delta of carrier electricity, whose amounts are"
                " exact"
            ),
        ),
        (
            tariff(DAY, NIGHT, REST, more="meters: [gas]"),
            "tariffs[0].meters[0] is 'gas'; expected a counter or delta of carrier electricity, whose amounts are exact",
        ),
        (
            tariff(DAY, NIGHT, REST, more="meters: [main], submeters: [main]"),
            "tariffs[0].submeters[0] is 'main'; expected a point that stands once in its tariff",
        ),
        (
            tariff(DAY, NIGHT, REST, name="a") + tariff(DAY, NIGHT, REST, name="b"),
            "tariffs[0].valid_from is '2026-01-01'; expected another day than b of the same meter",
        ),
        (
            tariff(DAY, NIGHT, REST, name="a", more="meters: [main], valid_to: 2027-01-01")
            + tariff(DAY, NIGHT, REST, name="b", since="2026-07-01"),
            "tariffs[0].valid_to is '2027-01-01'; expected a day by which no other tariff of the same meter has begun",
        ),
        (
            tariff(DAY, NIGHT, REST, name="a")
            + tariff(
                DAY, NIGHT, REST, name="b", since="2026-07-01", more="meters: [main], direction: export"
            ),
            "tariffs[0].direction is 'import'; expected the direction of b, which has a meter of it",
        ),
    ],
)
def test_what_is_refused(given: str, sentence: str) -> None:
    assert refused(given) == sentence


CHARGE = (
    "demand_charges: [{{id: d, kpi: {kpi}, value: 12.5, unit: EUR/kW, valid_from: 2026-01-01, source: x,"
    " trust: P{more}}}]\n"
)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            CHARGE.format(kpi="main", more=""),
            "demand_charges[0].kpi is 'main'; expected the id of a KPI of kind demand of this file",
        ),
        (
            CHARGE.format(kpi="demand", more=", unit: EUR/kWh").replace("unit: EUR/kW, ", ""),
            "demand_charges[0].unit: unit 'kW' is of another dimension; expected one that converts to 'kWh'",
        ),
        (
            "carbon_price: {value: 60, unit: EUR/m3, source: x, trust: P}\n",
            "carbon_price.unit: unit 'kg' is of another dimension; expected one that converts to 'm3'",
        ),
    ],
)
def test_what_is_refused_of_other_prices(more: str, sentence: str) -> None:
    assert refused(more=more) == sentence


def test_a_month_of_demand() -> None:
    (actual,) = prices(more=CHARGE.format(kpi="demand", more=", ratchet: {share: 0.8, months: 11}")).charges
    assert actual.money(Fraction(400), Fraction(0)) == 5000
    assert actual.money(Fraction(400), Fraction(600)) == 480 * Fraction(25, 2)
    agreed = ", on: contracted, excess: {value: 25, above: 1.05}"
    (contracted,) = prices(more=CHARGE.format(kpi="demand", more=agreed)).charges
    assert contracted.money(Fraction(400), Fraction(0)) == 500 * Fraction(25, 2)
    assert contracted.money(Fraction(535), Fraction(0)) == 500 * Fraction(25, 2) + 10 * 25


def test_the_carbon_price_is_of_a_kilogram() -> None:
    carbon = prices(more="carbon_price: {value: 71.3, unit: EUR/t, source: x, trust: P}\n").carbon
    assert carbon is not None
    assert carbon.per_kg == Fraction("0.0713")
