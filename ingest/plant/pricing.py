"""Tariffs, demand charges and the carbon price of a plant file to prices.

What makes a price false is refused here: an hour with no price or with two, hours that begin within an
interval, money of two currencies, a meter without exact counts, two tariffs of one meter at one time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import gcd
from typing import get_args
from zoneinfo import ZoneInfo

from ingest.errors import InputError
from ingest.methods.figures import KpiKind
from ingest.model import HOUR, MINUTE
from ingest.plant.blocks import clock_offsets
from ingest.plant.catalogue import Catalogue
from ingest.plant.fields import format_span
from ingest.plant.file import PlantFile
from ingest.plant.instruments import NOT_DUE, due_instant
from ingest.plant.plan_prices import (
    DAY_KINDS,
    DayKind,
    PlanCarbon,
    PlanCharge,
    PlanMeter,
    PlanPeriod,
    PlanPrices,
    PlanTariff,
)
from ingest.plant.points import DEFAULT_RESOLUTION
from ingest.plant.references import unit_paths
from ingest.plant.sentence import Place
from ingest.plant.series import decimal
from ingest.plant.tariffs import DemandCharge, Tariff, TariffPeriod
from ingest.plant.weights import carry
from ingest.units import Measure, measure, require_basis

_CURRENCIES: tuple[str, ...] = get_args(get_args(PlantFile.model_fields["currency"].annotation)[0])
_LEAP_YEAR = date(2028, 1, 1)
_DAY_MINUTES = 24 * 60


def compile_prices(catalogue: Catalogue) -> PlanPrices:
    """All prices of a file; PlantError, one sentence, for the first that is false."""
    file = catalogue.file
    money = _Money(catalogue)
    tariffs = [_tariff(catalogue, i, tariff, money) for i, tariff in enumerate(file.tariffs)]
    meters = [
        meter for i, tariff in enumerate(file.tariffs) for meter in _meters(catalogue, i, tariff, money)
    ]
    charges = [_charge(catalogue, i, charge, money) for i, charge in enumerate(file.demand_charges)]
    edges = [minute * MINUTE for one in tariffs for minute in _edges(one.periods)]
    return PlanPrices(
        carbon=_carbon(catalogue, money),
        tariffs=tuple(tariffs),
        meters=tuple(_in_turn(catalogue, meters)),
        charges=tuple(_charges_in_turn(catalogue, charges)),
        currency=money.currency,
        grain_us=gcd(HOUR, *edges, *clock_offsets(file.time_zone)),
    )


class _Money:
    """Prices of one currency: the file's, else that of the first price."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.currency: str | None = catalogue.file.currency

    def per(self, place: Place, unit: str, basis: Sequence[str] = ()) -> Measure:
        """What money is counted per: kWh of CNY/kWh."""
        head, _, tail = unit.partition("/")
        self._catalogue.measure(place, unit, basis)
        known = [name for name in _CURRENCIES if measure(name).same_dimension(measure(head))]
        if not known or not tail:
            raise self._catalogue.fault(place, unit, "money per amount such as CNY/kWh")
        self.currency = self.currency or known[0]
        if self.currency != known[0]:
            raise self._catalogue.fault(place, unit, f"money in {self.currency}, as the plant's")
        return measure(tail, tuple(basis))


def _tariff(catalogue: Catalogue, i: int, tariff: Tariff, money: _Money) -> PlanTariff:
    file, place = catalogue.file, ("tariffs", i, "periods")
    has_holidays = any(period.days == "holidays" for period in tariff.periods)
    made = PlanTariff(
        id=f"{file.site}/{tariff.id}",
        carrier=tariff.carrier,
        direction=tariff.direction,
        amount_unit=money.per(("tariffs", i, "unit"), tariff.unit, tariff.basis).text.strip(),
        periods=tuple(_period(period, has_holidays=has_holidays) for period in tariff.periods),
        holidays=frozenset(file.calendar.holidays),
        workdays=frozenset(file.calendar.workdays),
        source=tariff.source,
        trust=tariff.trust,
    )
    for minute in _edges(made.periods):
        if minute * MINUTE % file.interval:
            expected = f"hours that begin and end on an edge of intervals of {format_span(file.interval)}"
            raise catalogue.fault(place, [period.name for period in made.periods], expected)
    _check_cover(catalogue, place, made)
    return made


def _period(period: TariffPeriod, *, has_holidays: bool) -> PlanPeriod:
    days = set(DAY_KINDS) if period.days == "all" else {period.days}
    if period.days == "weekends" and not has_holidays:
        days.add("holidays")
    spans = [hours.split("-") for hours in period.hours]
    return PlanPeriod(
        name=period.name,
        days=frozenset(days),
        season=period.season,
        minutes=tuple((_minute(begin), _minute(end)) for begin, end in spans),
    )


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def _edges(periods: Iterable[PlanPeriod]) -> list[int]:
    """The minutes of the day at which a price may change."""
    return sorted({0, *(edge % _DAY_MINUTES for one in periods for span in one.minutes for edge in span)})


def _check_cover(catalogue: Catalogue, place: Place, tariff: PlanTariff) -> None:
    """Every minute of every kind of day of every season has one price; days of one season are all alike."""
    first_of: dict[tuple[bool, ...], str] = {}
    for n in range(366):
        day = f"{_LEAP_YEAR + timedelta(days=n):%m-%d}"
        first_of.setdefault(tuple(period.in_season(day) for period in tariff.periods), day)
    for day in first_of.values():
        for kind in DAY_KINDS:
            minute = _not_once(tariff.periods, day, kind)
            if minute is not None:
                when = f"{minute // 60:02}:{minute % 60:02} on {kind} from {day}"
                found = [tariff.periods[number].name for number in tariff.matching(day, kind, minute)]
                names = [period.name for period in tariff.periods]
                expected = f"one price for every hour, not {' and '.join(found) or 'none'} at {when}"
                raise catalogue.fault(place, names, expected)


def _not_once(periods: Sequence[PlanPeriod], day: str, kind: DayKind) -> int | None:
    """The first minute of a kind of day that does not have one price; None: every minute has."""
    changes: dict[int, int] = {0: 0}
    for period in periods:
        if kind in period.days and period.in_season(day):
            for begin, end in period.minutes:
                changes[begin] = changes.get(begin, 0) + 1
                changes[end] = changes.get(end, 0) - 1
    prices = 0
    for minute in sorted(changes):
        prices += changes[minute]
        if minute < _DAY_MINUTES and prices != 1:
            return minute
    return None


def _meters(catalogue: Catalogue, i: int, tariff: Tariff, money: _Money) -> Iterable[PlanMeter]:
    file = catalogue.file
    per = money.per(("tariffs", i, "unit"), tariff.unit, tariff.basis)
    zone = ZoneInfo(file.time_zone)
    seen: set[str] = set()
    for key, ids in (("meters", tariff.meters), ("submeters", tariff.submeters)):
        for j, point_id in enumerate(ids):
            place = ("tariffs", i, key, j)
            point = catalogue.points.get(point_id)
            if point is None:
                raise catalogue.fault(place, point_id, "the id of a point of this file")
            if point.kind not in ("counter", "delta") or point.carrier != tariff.carrier:
                expected = f"a counter or delta of carrier {tariff.carrier}, whose amounts are exact"
                raise catalogue.fault(place, point_id, expected)
            if point_id in seen:
                raise catalogue.fault(place, point_id, "a point that stands once in its tariff")
            seen.add(point_id)
            given = catalogue.amount(point_id)
            assert given is not None
            try:
                require_basis(given, per)
            except InputError as refusal:
                raise catalogue.refused(place, refusal) from None
            count = decimal(point.resolution or DEFAULT_RESOLUTION) * carry(catalogue, place, given, per)
            yield PlanMeter(
                point=catalogue.index[point_id],
                unit=_unit_of(file, point_id),
                submeter=key == "submeters",
                tariff=i,
                from_at=due_instant(tariff.valid_from, zone),
                to_at=NOT_DUE if tariff.valid_to is None else due_instant(tariff.valid_to, zone),
                amount_per_count=count,
                per_count=tuple(count * decimal(period.value) for period in tariff.periods),
            )


def _unit_of(file: PlantFile, point_id: str) -> str | None:
    """The innermost unit whose path a point's id begins with."""
    inside = [path for path in unit_paths(file) if point_id.startswith(f"{path}/")]
    return f"{file.site}/{max(inside, key=len)}" if inside else None


def _in_turn(catalogue: Catalogue, meters: list[PlanMeter]) -> Iterable[PlanMeter]:
    """Every meter under one tariff at a time: each holds until its end, or until the next begins."""
    tariffs = catalogue.file.tariffs
    for meter in meters:
        mine = tariffs[meter.tariff]
        later = [one for one in meters if one.point == meter.point and one is not meter]
        for one in later:
            if tariffs[one.tariff].direction != mine.direction:
                expected = f"the direction of {tariffs[one.tariff].id}, which has a meter of it"
                raise catalogue.fault(("tariffs", meter.tariff, "direction"), mine.direction, expected)
            if one.from_at == meter.from_at:
                expected = f"another day than {tariffs[one.tariff].id} of the same meter"
                raise catalogue.fault(("tariffs", meter.tariff, "valid_from"), str(mine.valid_from), expected)
        begins = min((one.from_at for one in later if one.from_at > meter.from_at), default=NOT_DUE)
        if mine.valid_to is not None and meter.to_at > begins:
            expected = "a day by which no other tariff of the same meter has begun"
            raise catalogue.fault(("tariffs", meter.tariff, "valid_to"), str(mine.valid_to), expected)
        yield replace(meter, to_at=min(meter.to_at, begins))


def _charge(catalogue: Catalogue, i: int, charge: DemandCharge, money: _Money) -> PlanCharge:
    file, place = catalogue.file, ("demand_charges", i)
    kpi = next((one for one in file.kpis if one.id == charge.kpi and one.kind is KpiKind.DEMAND), None)
    if kpi is None:
        raise catalogue.fault((*place, "kpi"), charge.kpi, "the id of a KPI of kind demand of this file")
    contract = file.contracted_demand
    if contract is not None and contract.kpi != charge.kpi:
        contract = None
    if charge.on == "contracted" and contract is None:
        raise catalogue.fault((*place, "on"), charge.on, f"actual, for {charge.kpi} has no contracted_demand")
    unit = catalogue.measure(("kpis", file.kpis.index(kpi), "unit"), kpi.unit, kpi.basis)
    ratio = carry(catalogue, (*place, "unit"), unit, money.per((*place, "unit"), charge.unit))
    agreed = None
    if contract is not None:
        where = ("contracted_demand", "unit")
        agreed = decimal(contract.value) * carry(
            catalogue, where, catalogue.measure(where, contract.unit), unit
        )
    excess, zone = charge.excess, ZoneInfo(file.time_zone)
    return PlanCharge(
        id=f"{file.site}/{charge.id}",
        kpi=f"{file.site}/{charge.kpi}",
        per_unit=decimal(charge.value) * ratio,
        on=charge.on,
        contract=agreed,
        ratchet_share=Fraction(0) if charge.ratchet is None else decimal(charge.ratchet.share),
        ratchet_months=0 if charge.ratchet is None else charge.ratchet.months,
        excess_per_unit=Fraction(0) if excess is None else decimal(excess.value) * ratio,
        excess_above=Fraction(0) if excess is None or agreed is None else decimal(excess.above) * agreed,
        from_at=due_instant(charge.valid_from, zone),
        to_at=NOT_DUE if charge.valid_to is None else due_instant(charge.valid_to, zone),
        source=charge.source,
        trust=charge.trust,
    )


def _charges_in_turn(catalogue: Catalogue, charges: list[PlanCharge]) -> Iterable[PlanCharge]:
    """Every KPI under one charge at a time."""
    for i, charge in enumerate(charges):
        others = [one for one in charges if one.kpi == charge.kpi and one is not charge]
        if any(one.from_at == charge.from_at for one in others):
            given = str(catalogue.file.demand_charges[i].valid_from)
            expected = "another day than that of the other charge of the same KPI"
            raise catalogue.fault(("demand_charges", i, "valid_from"), given, expected)
        begins = min((one.from_at for one in others if one.from_at > charge.from_at), default=NOT_DUE)
        yield replace(charge, to_at=min(charge.to_at, begins))


def _carbon(catalogue: Catalogue, money: _Money) -> PlanCarbon | None:
    price, place = catalogue.file.carbon_price, ("carbon_price", "unit")
    if price is None:
        return None
    per = money.per(place, price.unit)
    return PlanCarbon(
        decimal(price.value) * carry(catalogue, place, measure("kg"), per), price.source, price.trust
    )
