"""What the plant's hours to come cost and emit, and what it takes beside its units, as far as its plan and past tell.

Prices are those of the electricity tariff of the site's meter; the demand charge is that of the month in which the span
begins, above what the month has come to already; the grid's factor is that of the plan, or, where a point tells it hour by
hour, the mean of the same hour on past days (`forecast`). The other load is the mean of the hour of the day in the past
weeks: what the demand's meters counted less the units'. What is not known is NaN or None, with a sentence that says so.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ingest.errors import InputError
from ingest.methods.figures import KpiKind
from ingest.model import DAY, HOUR, MINUTE
from ingest.plant.plan import Plan, PlanKpi, PlanSource
from ingest.plant.plan_prices import PlanMeter
from ingest.units import conversion
from service import peaks
from service.as_of import Known
from service.local_time import begin_of, local
from service.plans import SitePlan
from service.schedules.forecast import HOURS, Forecast, seasonal
from service.schedules.learning import Floats
from service.schedules.past import meters_of
from service.schedules.scoring import Blocks
from service.store import Connection, rows
from service.times import to_datetime

BASE_DAYS, FACTOR_DAYS, ALIKE_DAYS = 14, 28, 7
NO_DEMAND_BLOCK_US = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Outlook:
    """The blocks of a span, and where their numbers come from."""

    blocks: Blocks
    base_error_kw: float
    factor_error: float
    tariff: str | None = None
    charge: str | None = None
    source: str | None = None
    """Of emissions, whose factor it is."""
    forecast: Forecast | None = None
    missing: dict[str, str] = field(default_factory=dict)
    """By criterion why it has no figures, or what they leave out."""


async def outlook(
    connection: Connection, site: SitePlan, span: tuple[int, int], now: int, known: Known
) -> Outlook:
    """Of a span to come, µs, that is widened to whole blocks."""
    plan, missing = site.plan, dict[str, str]()
    demand = next((one for one in plan.kpis if one.kind is KpiKind.DEMAND and one.block_us is not None), None)
    length = NO_DEMAND_BLOCK_US if demand is None or demand.block_us is None else demand.block_us
    phase = 0 if demand is None else demand.phase_us
    begin = (span[0] + phase) // length * length - phase
    starts = range(begin, span[1], length)
    meter = _site_meter(plan, starts[0])
    price = np.full(len(starts), np.nan)
    if meter is None:
        missing["cost"] = "no electricity tariff of the plant file holds for a meter of the site"
    else:
        price = np.array([_price(plan, meter, at) for at in starts])
    charge_per_kw, so_far_kw, charge = 0.0, 0.0, None
    base, base_error = np.zeros(HOURS), 0.0
    if demand is None:
        missing["peak_kw"] = "the plant file has no demand: the peak is that of the units alone"
    else:
        charge_per_kw, so_far_kw, charge = await _charge(connection, plan, demand, begin, now, known)
        base, base_error = await _base(connection, plan, demand, now)
        if np.isnan(base).any():
            missing["peak_kw"] = "what the plant takes beside its units is not known of every hour of the day"
            base, base_error = np.zeros(HOURS), 0.0
    source = _grid_source(plan)
    factor, spread, forecast = np.full(len(starts), np.nan), 0.0, None
    if source is None:
        missing["co2_kg"] = (
            "no source of the plant file tells what purchased electricity emits (scope 2, location-based)"
        )
    else:
        factor, forecast = await _factor(connection, plan, source, starts, now)
        if forecast is not None:
            spread = forecast.spread if math.isfinite(forecast.spread) else 0.0
        if np.isnan(factor).any():
            missing["co2_kg"] = f"the factor of {source.id} is not known of every hour of the span"
    hour = np.array([local(at, plan.zone).hour for at in starts])
    blocks = Blocks(begin, length, base[hour] * (length / HOUR), price, factor, charge_per_kw, so_far_kw)
    return Outlook(
        blocks,
        base_error,
        spread,
        None if meter is None else plan.prices.tariffs[meter.tariff].id,
        charge,
        None if source is None else source.id,
        forecast,
        missing,
    )


def _site_meter(plan: Plan, at: int) -> PlanMeter | None:
    """The meter by which the site buys electricity."""
    for one in plan.prices.meters:
        tariff = plan.prices.tariffs[one.tariff]
        is_bought = tariff.carrier == "electricity" and tariff.direction == "import"
        if is_bought and not one.submeter and one.from_at <= at < one.to_at:
            return one
    return None


def _price(plan: Plan, meter: PlanMeter, at: int) -> float:
    """Money per kWh in the block that begins at an instant; NaN where the tariff does not hold."""
    if not meter.from_at <= at < meter.to_at:
        return math.nan
    tariff = plan.prices.tariffs[meter.tariff]
    per_amount = meter.per_count[tariff.period_at(local(at, plan.zone))] / meter.amount_per_count
    return float(per_amount) / conversion(tariff.amount_unit, "kWh", ())[0]


async def _charge(
    connection: Connection, plan: Plan, demand: PlanKpi, begin: int, now: int, known: Known
) -> tuple[float, float, str | None]:
    """Money per kW of what is added to a month's peak, what that is already, and the charge's id."""
    month = begin_of(begin, plan.zone, "month")
    charge = plan.prices.charge(demand.id, month)
    found = await peaks.peak(connection, demand, month, max(month, now), known)
    peak = Fraction(0) if found.value is None else Fraction(found.value)
    kw = conversion(demand.unit, "kW", ())[0]
    if charge is None:
        return 0.0, float(peak) * kw, None
    earlier = await peaks.earlier_peak(connection, plan, demand, charge, month, known)
    if charge.on == "contracted":
        return float(charge.excess_per_unit) / kw, float(max(peak, charge.excess_above)) * kw, charge.id
    return float(charge.per_unit) / kw, float(max(peak, charge.ratchet_share * earlier)) * kw, charge.id


async def _base(connection: Connection, plan: Plan, demand: PlanKpi, now: int) -> tuple[Floats, float]:
    """By hour of the local day the mean kW beside the units, NaN where it is not known, and how its hours scatter."""
    kwh: dict[str, float] = {}
    for term in demand.a_terms:
        point = plan.points[term.point]
        try:
            own = conversion(point.amount_unit or "1", "kWh", ())[0]
        except InputError:
            return np.full(HOURS, np.nan), 0.0
        kwh[point.id] = kwh.get(point.id, 0.0) + own
    for unit in plan.mes.by_unit:
        for name, own in meters_of(plan, unit):
            kwh[name] = kwh.get(name, 0.0) - own
    found = await _hours(connection, sorted(kwh), "amount", now - BASE_DAYS * DAY, now)
    by_hour: list[list[float]] = [[] for _ in range(HOURS)]
    for at, values in found.items():
        if len(values) == len(kwh):
            by_hour[local(at, plan.zone).hour].append(
                sum(kwh[name] * value for name, value in values.items())
            )
    means = np.array([np.mean(some) if some else np.nan for some in by_hour])
    left = [value - mean for some, mean in zip(by_hour, means, strict=True) for value in some]
    return means, float(np.std(left)) if left else 0.0


def _grid_source(plan: Plan) -> PlanSource | None:
    """The source that tells what bought electricity emits: of scope 2, location-based before undeclared."""
    fit = [
        one
        for one in plan.sources
        if one.scope == 2 and one.basis != "market" and one.account == "gross" and one.supply in (None, "grid")
        and plan.points[one.point].carrier == "electricity" and plan.points[one.point].amount_unit is not None
    ]  # fmt: skip
    return min(fit, key=lambda one: one.basis is None, default=None)


async def _factor(
    connection: Connection, plan: Plan, source: PlanSource, starts: range, now: int
) -> tuple[Floats, Forecast | None]:
    """Kg CO2e per kWh in each block, and the forecast where a point tells it."""
    unit = plan.points[source.point].amount_unit or "1"
    scale = source.co2e_per_kg / conversion(unit, "kWh", ())[0]
    if source.factor_point is None:
        since = np.array([at for at, _ in source.steps], np.int64)
        value = np.array([np.nan, *(value for _, value in source.steps)])
        if not source.steps:
            return np.full(len(starts), source.kg_per_amount * scale), None
        return scale * value[np.searchsorted(since, np.array(starts), side="right")], None
    end = now // HOUR * HOUR
    name = plan.points[source.factor_point].id
    found = await _hours(connection, [name], "mean", end - FACTOR_DAYS * DAY, end)
    series = np.array(
        [found.get(at, {}).get(name, np.nan) for at in range(end - FACTOR_DAYS * DAY, end, HOUR)], np.float64
    )
    forecast = seasonal(series * source.kg_per_amount * scale, ALIKE_DAYS)
    place = (np.array(starts) - end) // HOUR % HOURS
    return forecast.by_hour[place], forecast


async def _hours(
    connection: Connection, names: list[str], column: str, from_at: int, to_at: int
) -> dict[int, dict[str, float]]:
    """A column of whole hours of points: by begin, µs, and id."""
    found = await rows(
        connection,
        f"""
        SELECT (extract(epoch FROM start_at) * 1000000)::bigint, id, {column}
          FROM interval_hour JOIN point USING (point_no)
         WHERE id = ANY(%(ids)s) AND start_at >= %(from)s AND start_at < %(to)s AND covered_us = 3600000000
           AND {column} IS NOT NULL
        """,  # noqa: S608  names of this module
        {"ids": names, "from": to_datetime(from_at), "to": to_datetime(to_at)},
    )
    hours: dict[int, dict[str, float]] = {}
    for at, name, value in found:
        hours.setdefault(at, {})[name] = value
    return hours
