"""Lines of costs against brute force: random tariffs and loads, in zones of odd offsets, over changes of the clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.methods.figures import NoFigure
from ingest.model import HOUR, MINUTE, SECOND
from ingest.plant import Plan, compile_plan, parse_plant
from service.cost_lines import GroupBy, Key, Ledger
from service.cost_rows import Bucket

QUARTER = 15 * MINUTE
CHANGES = {
    "Europe/Berlin": [(2026, 3, 28), (2026, 10, 24)],
    "America/St_Johns": [(2026, 3, 7), (2026, 10, 31)],
    "Australia/Lord_Howe": [(2026, 4, 4), (2026, 10, 3)],
    "Asia/Kathmandu": [(2026, 5, 31)],
}
"""Local days before clocks are changed, and one before a month ends."""
HEAD = """\
site: works
name: Works
time_zone: {zone}
interval: 15min
currency: EUR
carbon_price: {{value: 71.3, unit: EUR/t, source: test, trust: P}}
carriers: [{{id: electricity, name: Electricity}}]
factors: [{{id: grid, value: 0.4, unit: t/MWh, source: test, trust: P}}]
points: [{{id: main, kind: counter, unit: kWh, carrier: electricity, period: 5s, resolution: {resolution}}}]
sources: [{{id: bought, scope: 2, category: purchased, gas: co2, route: calculated, activity: main, factors: [grid]}}]
tariffs:
  - id: power
    carrier: electricity
    unit: EUR/{per}
    valid_from: 2026-01-01
    meters: [main]
    periods: [{periods}]
"""
Cuts = list[int]
"""Quarters of the day at which the price changes."""


@st.composite
def tariffs(draw: st.DrawFn) -> tuple[str, str, dict[str, tuple[Cuts, list[str]]], str, str]:
    """Zone, first day's index, per kind of day the cuts and prices, unit and resolution."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    first = str(draw(st.integers(0, len(CHANGES[zone]) - 1)))
    kinds = {}
    for kind in ("workdays", "weekends"):
        cuts = sorted({0, *draw(st.lists(st.integers(1, 95), max_size=4))})
        # Prices of up to six decimals, below 0 too, as a spot market has them.
        prices = [f"{draw(st.integers(-500_000, 3_000_000)) / 1e6!r}" for _ in cuts]
        kinds[kind] = (cuts, prices)
    return (
        zone,
        first,
        kinds,
        draw(st.sampled_from(["kWh", "MWh", "GJ"])),
        draw(st.sampled_from(["0.001", "0.25", "1"])),
    )


def compiled(zone: str, kinds: dict[str, tuple[Cuts, list[str]]], per: str, resolution: str) -> Plan:
    periods = []
    for kind, (cuts, prices) in kinds.items():
        for i, (begin, price) in enumerate(zip(cuts, prices, strict=True)):
            end = cuts[i + 1] if i + 1 < len(cuts) else 96
            hours = f"{begin // 4:02}:{begin % 4 * 15:02}-{end // 4:02}:{end % 4 * 15:02}"
            periods.append(f'{{name: {kind}{i}, value: {float(price):f}, hours: ["{hours}"], days: {kind}}}')
    text = HEAD.format(zone=zone, resolution=resolution, per=per, periods=", ".join(periods))
    return compile_plan(parse_plant(text, "works.yaml"), version=1)


def clock(at: int, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))


def price_of(at: int, zone: str, kinds: dict[str, tuple[Cuts, list[str]]]) -> Fraction:
    shown = clock(at, zone)
    cuts, prices = kinds["weekends" if shown.weekday() >= 5 else "workdays"]
    quarter = shown.hour * 4 + shown.minute // 15
    return Fraction(f"{float(prices[sum(cut <= quarter for cut in cuts) - 1]):f}")


def bucket(at: int, count: int, length: int) -> Bucket:
    return Bucket("works/main", at, 1, Decimal(count), length, length, 0, 0, 0, 1, 1, at)


PER_KWH = {"kWh": Fraction(1), "MWh": Fraction(1, 1000), "GJ": Fraction("0.0036")}


@settings(max_examples=30, deadline=None)
@given(tariffs(), st.lists(st.integers(-10, 10**9), min_size=1, max_size=40), st.integers(1, 7))
def test_against_brute_force(
    tariff: tuple[str, str, dict[str, tuple[Cuts, list[str]]], str, str], loads: list[int], missing: int
) -> None:
    zone, first, kinds, per, resolution = tariff
    plan = compiled(zone, kinds, per, resolution)
    begin = datetime(*CHANGES[zone][int(first)], tzinfo=ZoneInfo(zone))
    from_at, to_at = (round((begin + timedelta(days=n)).timestamp()) * SECOND for n in (0, 3))
    grain = plan.prices.grain_us
    assert QUARTER <= grain <= HOUR
    counts = {
        at: loads[i % len(loads)] for i, at in enumerate(range(from_at, to_at, grain)) if i % 7 != missing
    }
    found = {
        unit: lines(plan, unit, (from_at, to_at), counts)
        for unit in ("hour", "day", "month", "carrier", "period")
    }
    each = Fraction(resolution) * PER_KWH[per]
    total = sum((count * each * price_of(at, zone, kinds) for at, count in counts.items()), Fraction(0))
    for of_unit in found.values():
        assert sum(of_unit.values(), Fraction(0)) == total
    for at, count in counts.items():
        shown = clock(at, zone)
        hour = shown.replace(minute=0).isoformat()
        assert hour in found["hour"]
        if grain == HOUR:
            assert found["hour"][hour] == count * each * price_of(at, zone, kinds)
    for day, money in found["day"].items():
        mine = {at: count for at, count in counts.items() if clock(at, zone).date().isoformat() == day}
        assert money == sum(
            (count * each * price_of(at, zone, kinds) for at, count in mine.items()), Fraction(0)
        )


def lines(
    plan: Plan, group_by: GroupBy, span: tuple[int, int], counts: dict[int, int]
) -> dict[str, Fraction]:
    grain = plan.prices.grain_us
    ledger = Ledger(plan, {1: plan}, group_by, span, grain)
    ledger.put_meters([bucket(at, count, grain) for at, count in counts.items()])
    assert {key.component for key in ledger.tallies} == {"energy"}
    known = {
        key.group: tally
        for key, tally in ledger.tallies.items()
        if any(one.is_usable for one in tally.told.values())
    }
    expected_us = sum(one.expected_us for tally in ledger.tallies.values() for one in tally.told.values())
    assert expected_us == span[1] - span[0]
    covered_us = sum(one.covered_us for tally in ledger.tallies.values() for one in tally.told.values())
    assert covered_us == len(counts) * grain
    return {group: tally.money for group, tally in known.items()}


def test_a_count_without_a_price_makes_its_line_none() -> None:
    plan = compiled("Asia/Kathmandu", {"workdays": ([0], ["0.5"]), "weekends": ([0], ["0.5"])}, "kWh", "1")
    since = round(datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Kathmandu")).timestamp()) * SECOND
    grain = plan.prices.grain_us
    ledger = Ledger(plan, {1: plan}, "day", (since - 24 * HOUR, since + 24 * HOUR), grain)
    ledger.put_meters([bucket(at, 10, grain) for at in range(since - 24 * HOUR, since + 24 * HOUR, grain)])
    before, on = (ledger.tallies[Key(day, "energy")] for day in ("2025-12-31", "2026-01-01"))
    assert (before.reason(0.0), on.reason(0.0)) == (NoFigure.NO_PRICE, None)
    assert on.money == 10 * (24 * HOUR // grain) * Fraction("0.5")


@pytest.mark.parametrize("lacks", [False, True])
def test_activity_without_a_mass_makes_its_line_none(lacks: bool) -> None:
    plan = compiled("Asia/Kathmandu", {"workdays": ([0], ["0.5"]), "weekends": ([0], ["0.5"])}, "kWh", "1")
    grain = plan.prices.grain_us
    begin = round(datetime(2026, 6, 1, tzinfo=ZoneInfo("Asia/Kathmandu")).timestamp()) * SECOND
    ledger = Ledger(plan, {1: plan}, "hour", (begin, begin + 2 * HOUR), grain)
    masses = [
        Bucket("works/bought", at, 1, Decimal("12.5"), grain, grain, 0, 0, 0, 1, 1, at)
        for at in range(begin, begin + 2 * HOUR, grain)
    ]
    ledger.put_sources(masses, {"works/bought": {begin} if lacks else set()})
    first, second = (ledger.tallies[key] for key in sorted(ledger.tallies, key=lambda key: key.group))
    assert first.reason(0.0) is (NoFigure.NO_FACTOR if lacks else None)
    assert second.reason(0.0) is None
    assert second.money == 4 * Fraction("12.5") * Fraction("0.0713") * HOUR / (4 * grain)
