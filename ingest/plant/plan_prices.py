"""Prices of a plan: what a count of a meter, a month's demand and a kilogram of CO2e cost.

Money is a fraction of what is written, in the plant's currency; nothing is rounded, so what hours
cost adds up to what their month costs. Hours are those of the clock on the wall: an hour that summer time
brings twice has its price twice, one that it takes away none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

DayKind = Literal["workdays", "weekends", "holidays"]
DAY_KINDS: tuple[DayKind, ...] = ("workdays", "weekends", "holidays")

SATURDAY = 5
"""Of `date.weekday`."""


@dataclass(frozen=True, slots=True)
class PlanPeriod:
    """When one price of a tariff holds."""

    name: str
    days: frozenset[DayKind]
    season: tuple[str, str] | None
    """First month and day, and the first that is no more in it; None: all year."""
    minutes: tuple[tuple[int, int], ...]
    """Of the day, [from, to)."""

    def holds(self, month_day: str, kind: DayKind, minute: int) -> bool:
        """Whether it is the price of a minute of a day such as `07-01`."""
        return (
            kind in self.days
            and self.in_season(month_day)
            and any(begin <= minute < end for begin, end in self.minutes)
        )

    def in_season(self, month_day: str) -> bool:
        """Whether a day such as `07-01` is in its season."""
        if self.season is None:
            return True
        first, end = self.season
        if first < end:
            return first <= month_day < end
        return month_day >= first or month_day < end


@dataclass(frozen=True, slots=True)
class PlanTariff:
    """The prices of a carrier, one for every hour."""

    id: str
    """Full id."""
    carrier: str
    direction: Literal["import", "export"]
    amount_unit: str
    """What its prices are per."""
    periods: tuple[PlanPeriod, ...]
    holidays: frozenset[date]
    workdays: frozenset[date]
    """Saturdays and Sundays that are worked."""
    source: str | None
    trust: str

    def period_at(self, local: datetime) -> int:
        """The number of the period that holds at a time of the clock on the wall."""
        return next(self.matching(local.strftime("%m-%d"), self._kind(local.date()), minute_of(local)))

    def matching(self, month_day: str, kind: DayKind, minute: int) -> Iterator[int]:
        """The numbers of the periods that hold; of a checked tariff just one."""
        for number, period in enumerate(self.periods):
            if period.holds(month_day, kind, minute):
                yield number

    def _kind(self, day: date) -> DayKind:
        if day in self.holidays:
            return "holidays"
        return "weekends" if day.weekday() >= SATURDAY and day not in self.workdays else "workdays"


@dataclass(frozen=True, slots=True)
class PlanMeter:
    """One meter under one tariff."""

    point: int
    """Plan index of a counter or delta."""
    unit: str | None
    """Full id of the unit it measures; None: the site."""
    submeter: bool
    """Whether it tells of a part of what the tariff's meters bill."""
    tariff: int
    """Its place in `PlanPrices.tariffs`."""
    from_at: int
    to_at: int
    """The span in which the tariff holds for it, µs."""
    amount_per_count: Fraction
    """In the unit of the tariff's amounts."""
    per_count: tuple[Fraction, ...]
    """Money per count, by period."""


@dataclass(frozen=True, slots=True)
class PlanCharge:
    """What a month's demand costs."""

    id: str
    kpi: str
    """Full id of the KPI of kind demand."""
    per_unit: Fraction
    """Money per month and unit of the KPI."""
    on: Literal["actual", "contracted"]
    contract: Fraction | None
    """Contracted demand in the unit of the KPI."""
    ratchet_share: Fraction
    ratchet_months: int
    """The least billed is this share of the highest demand of so many months before; 0: none."""
    excess_per_unit: Fraction
    excess_above: Fraction
    """Of demand above this, in the unit of the KPI; only if contracted."""
    from_at: int
    to_at: int
    source: str
    trust: str

    def billed(self, peak: Fraction, earlier: Fraction) -> Fraction:
        """The demand that the price is of, in the unit of the KPI.

        Args:
            peak: highest block of the month.
            earlier: highest block of the `ratchet_months` before it; 0 where nothing is known of them.
        """
        if self.on == "contracted":
            assert self.contract is not None
            return self.contract
        return max(peak, self.ratchet_share * earlier, Fraction(0))

    def money(self, peak: Fraction, earlier: Fraction) -> Fraction:
        """What a month costs; see `billed`."""
        excess = max(Fraction(0), peak - self.excess_above) if self.on == "contracted" else Fraction(0)
        return self.billed(peak, earlier) * self.per_unit + excess * self.excess_per_unit


@dataclass(frozen=True, slots=True)
class PlanCarbon:
    """The price of CO2e."""

    per_kg: Fraction
    source: str
    trust: str


@dataclass(frozen=True, slots=True)
class PlanPrices:
    """All prices of a plan."""

    currency: str | None
    """None: nothing is priced."""
    tariffs: tuple[PlanTariff, ...]
    meters: tuple[PlanMeter, ...]
    charges: tuple[PlanCharge, ...]
    carbon: PlanCarbon | None
    grain_us: int
    """Within so much time, counted from the epoch, no price changes: a divisor of the hour, on the intervals' edges."""

    def charge(self, kpi: str, at: int) -> PlanCharge | None:
        """The charge of a KPI at an instant, µs; None: it costs nothing."""
        return next((one for one in self.charges if one.kpi == kpi and one.from_at <= at < one.to_at), None)


def minute_of(local: datetime) -> int:
    """Minutes since midnight by the clock on the wall."""
    return local.hour * 60 + local.minute
