"""How a plant file names the regime of a measured source.

Points are named as everywhere; what they must be is checked when the file is
compiled (`regimes`).
"""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ingest.model import HOUR, MINUTE
from ingest.plant.fields import Date, Entry, Number, Path, Positive, Segment, Text

_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)")


def _offset(given: object) -> object:
    if not isinstance(given, str) or not _OFFSET.fullmatch(given):
        raise ValueError("an offset such as '+08:00', the regime's standard time")
    return given


Offset = Annotated[str, BeforeValidator(_offset)]


class Operating(Entry):
    """When the unit runs."""

    state: Path
    running: tuple[Segment, ...] = Field(min_length=1)
    """Names of the states in which it runs: all but the one that is 0, since intervals hold the time not 0."""


class Load(Entry):
    """The unit's load, by which flow is substituted."""

    point: Path
    bins: tuple[Number, ...] = Field(min_length=1)
    """Edges between the bins, ascending, in the point's unit."""

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if list(self.bins) != sorted(set(self.bins)):
            raise ValueError("bins that ascend")
        return self


class DiluentCap(Entry):
    """The diluent cap of Part 75, in hours that the operator flags."""

    state: Path
    """An hour in which it is not 0 is flagged."""
    of: Literal["boiler", "turbine"]


class FFactors(Entry):
    """The fuel's F factors, for a concentration from O2."""

    fc: Positive
    """scf CO2/mmBtu."""
    fd: Positive
    """dscf/mmBtu."""
    source: Text


class Potential(Entry):
    """Potential values, each in its point's unit."""

    concentration: Number | None = None
    flow: Number | None = None
    moisture: Number | None = None
    o2: Number | None = None


class Regime(Entry):
    """By which rule the hours of a measured source are made, an account beside its ∫ C·Q."""

    rule: Literal["part75", "hj75", "mrr", "part98"]
    equation: Text
    """Id of the method that gives the rate from hourly values."""
    concentration: Path | None = None
    o2: Path | None = None
    """Instead of a concentration: CO2 from O2, of units that burn fuel only."""
    f_factors: FFactors | None = None
    flow: Path
    moisture: Path | None = None
    operating: Operating | None = None
    """Default: it always runs."""
    load: Load | None = None
    utc_offset: Offset
    """The regime's hours: standard time all year, no daylight saving."""
    since: Date | None = None
    """First day, in that time; default: when all its points are heard."""
    diluent_cap: DiluentCap | None = None
    maximum_potential: Potential = Potential()
    minimum_potential: Potential = Potential()

    @model_validator(mode="after")
    def _one_gas(self) -> Self:
        if (self.concentration is None) == (self.o2 is None):
            raise ValueError("either concentration or o2")
        if (self.o2 is None) != (self.f_factors is None):
            raise ValueError("f_factors with o2, and only then")
        if self.diluent_cap is not None and self.rule != "part75":
            raise ValueError(f"no diluent_cap with rule {self.rule}")
        return self

    @property
    def offset_us(self) -> int:
        """The regime's time less UTC."""
        match = _OFFSET.fullmatch(self.utc_offset)
        assert match is not None
        us = int(match[2]) * HOUR + int(match[3]) * MINUTE
        return -us if match[1] == "-" else us
