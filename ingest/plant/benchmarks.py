"""Benchmarks of a plant file: values of a standard, of the state or of one's own, by date.

A value may be corrected for what the plant cannot help, by the terms the standard gives:
so much a point of a ratio, or a factor of altitude. Which is in force on a day, and the
band it puts a figure in, are `ingest.methods.bands`.
"""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from ingest.plant.factors import LookUp, unless_looked_up
from ingest.plant.fields import Bases, Date, Entry, Number, Path, Positive, Segment, Text
from ingest.plant.trust import Trust

STANDARD_PRESSURE_PA = 101_325.0


class Correction(Entry):
    """A term of a standard that moves its value for one plant.

    Either `per_point` times how far `actual` is from `reference` (at most `most`) is added, or
    the value is multiplied by `base` - `slope`·`pressure`/101325 Pa.
    """

    per_point: Number | None = None
    """In the benchmark's unit."""
    reference: Number | None = None
    actual: Number | None = None
    most: Positive | None = None
    base: Number | None = None
    slope: Number | None = None
    pressure: Positive | None = None
    """Mean barometric pressure of the plant, Pa."""
    source: Text
    trust: Trust

    @model_validator(mode="after")
    def _one(self) -> Self:
        added = (self.per_point, self.reference, self.actual)
        scaled = (self.base, self.slope, self.pressure)
        if not any(
            None not in mine and not any(one is not None for one in other)
            for mine, other in ((added, (*scaled,)), (scaled, (*added, self.most)))
        ):
            raise ValueError("either per_point, reference and actual, or base, slope and pressure")
        return self

    def applied(self, value: float) -> float:
        """The value after this term."""
        if self.per_point is not None and self.actual is not None and self.reference is not None:
            points = self.actual - self.reference
            if self.most is not None:
                points = max(-self.most, min(self.most, points))
            return value + self.per_point * points
        assert self.base is not None
        assert self.slope is not None
        assert self.pressure is not None
        return value * (self.base - self.slope * self.pressure / STANDARD_PRESSURE_PA)


class Benchmark(Entry):
    """A value of others or of a standard, beside a figure."""

    model_config = unless_looked_up("value", "unit", "source", "trust")

    id: Segment
    kpi: Path
    value: Number
    unit: Text
    basis: Bases = ()
    level: Literal["advanced", "baseline", "limit", "own_best"]
    """advanced is 标杆, baseline 基准; own_best stands beside and makes no band."""
    better: Literal["lower", "higher"] = "lower"
    source: Text
    trust: Trust
    valid_from: Date | None = None
    """Of one level and KPI the newest that has begun is in force."""
    valid_to: Date | None = None
    """First day on which it holds no more."""
    corrections: tuple[Correction, ...] = ()
    """Applied in their order."""
    look_up: LookUp | None = Field(None, alias="from")
    """The row of the ledger it is; value, unit, basis, source and trust are filled in from there."""

    @model_validator(mode="after")
    def _span(self) -> Self:
        if self.valid_from is not None and self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"a valid_to after {self.valid_from}, from which it holds")
        return self

    @property
    def corrected(self) -> float:
        """Its value for this plant, in its unit."""
        value = self.value
        for correction in self.corrections:
            value = correction.applied(value)
        return value

    def begins(self) -> date:
        """The day it holds from."""
        return self.valid_from or date.min
