"""What energy, demand and carbon cost, as a plant file says it.

A tariff prices the amounts of meters by season, kind of day and hour of the clock on the wall;
a demand charge prices the highest block of a month. Prices are the decimals that are written.
Whether every hour has exactly one price is checked by `pricing`; what things cost is reckoned
when it is asked for, from stored amounts and the version of the file that they name.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ingest.plant.fields import (
    Bases,
    Date,
    Entry,
    Hours,
    MonthDay,
    Number,
    Path,
    Positive,
    Segment,
    Share,
    Text,
)
from ingest.plant.trust import Trust

Days = Literal["all", "workdays", "weekends", "holidays"]


class CarbonPrice(Entry):
    """What a tonne of CO2e costs; its money stands beside that of energy, never in it."""

    value: Number
    unit: Text
    source: Text
    trust: Trust


class TariffPeriod(Entry):
    """The price in certain hours."""

    name: Segment
    value: Number
    hours: tuple[Hours, ...] = Field(min_length=1, max_length=48)
    days: Days = "all"
    """Holidays are those of the calendar; in a tariff without a period for them they are weekends."""
    season: Annotated[tuple[MonthDay, MonthDay], Field()] | None = None
    """First day, and first day on which it holds no more; may go over the year's end. Default: all year."""

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if any(begin >= end for begin, _, end in (hours.partition("-") for hours in self.hours)):
            raise ValueError("hours that end on their day, as 22:00-24:00 and 00:00-06:00")
        if self.season is not None and self.season[0] == self.season[1]:
            raise ValueError("a season that ends on another day than it begins")
        return self


class Tariff(Entry):
    """What a carrier costs, by hour of the day in the plant's zone."""

    id: Segment
    carrier: Segment
    unit: Text
    """Money per amount: CNY/kWh."""
    basis: Bases = ()
    """What the amount's unit leaves open: GCV of gas priced by its heat."""
    valid_from: Date
    valid_to: Date | None = None
    """First day on which it holds no more; default: where the next one of the same meter begins."""
    direction: Literal["import", "export"] = "import"
    """What is exported is credited, as a line of its own."""
    meters: tuple[Path, ...] = ()
    """The counters or deltas by which it is billed. Without one it prices nothing."""
    submeters: tuple[Path, ...] = ()
    """Counters or deltas by which its cost is told of units; the meters' rest is unallocated."""
    periods: tuple[TariffPeriod, ...] = Field(min_length=1, max_length=100)
    source: Text | None = None
    trust: Trust = "unconfirmed"

    @model_validator(mode="after")
    def _span(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"a valid_to after {self.valid_from}, from which it holds")
        if self.submeters and not self.meters:
            raise ValueError("meters, whose cost the submeters share")
        return self


class ContractedDemand(Entry):
    """The demand agreed with the supplier."""

    value: Positive
    unit: Text
    kpi: Path
    caution: Share = 0.2
    """How far the load may fall in the rest of a block, and an exceedance that is announced still come."""


class Ratchet(Entry):
    """The least that is billed: a share of the highest demand of months before."""

    share: Share
    months: Annotated[int, Field(strict=True, ge=1, le=36)]


class Excess(Entry):
    """What demand above the contract costs."""

    value: Positive
    """In the unit of the charge."""
    above: Positive = 1.0
    """From which multiple of the contract on."""


class DemandCharge(Entry):
    """What a month's demand costs: the highest block of the month, or what was contracted."""

    id: Segment
    kpi: Path
    value: Positive
    unit: Text
    """Money per power, for one month: CNY/kW."""
    on: Literal["actual", "contracted"] = "actual"
    ratchet: Ratchet | None = None
    """Of the actual demand."""
    excess: Excess | None = None
    """Of the contracted demand."""
    valid_from: Date
    valid_to: Date | None = None
    """First day on which it holds no more. A month is billed by what holds on its first day."""
    source: Text
    trust: Trust

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"a valid_to after {self.valid_from}, from which it holds")
        if self.on == "contracted" and self.ratchet is not None:
            raise ValueError("no ratchet on contracted demand, which is billed in any case")
        if self.on == "actual" and self.excess is not None:
            raise ValueError("no excess on actual demand, which is billed in full")
        return self
