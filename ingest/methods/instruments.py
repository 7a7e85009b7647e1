"""What instruments may be off by: a table of classes, as data beside this module.

Each row gives the parts of a systematic error, which lasts for a calibration epoch, a
sample or a version, and a random one, which changes from hour to hour; how a limit, a
certificate or a laboratory's reproducibility becomes a standard uncertainty is decided
here (type B of JCGM 100:2008, 4.3). That an overdue instrument counts twice is the
business of who knows its dates (`ingest.uncertainty`). All rows are of trust unconfirmed.
"""

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

TRUST = "unconfirmed"
"""Of every row: its value was not read in the standard it is of."""

Of = Literal["reading", "absolute"]
Distribution = Literal["rectangular", "normal", "lognormal"]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Entry):
    """One part of a systematic error, given in one of four ways."""

    limit: _Amount | None = None
    basis: Literal["verification", "in_service", "certificate"] | None = None
    """Of a limit."""
    expanded: _Amount | None = None
    k: Annotated[float, Field(gt=0)] | None = None
    reproducibility: _Amount | None = None
    u: _Amount | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.limit, self.expanded, self.reproducibility, self.u]
        if sum(one is not None for one in given) != 1:
            raise ValueError("one of limit, expanded, reproducibility and u")
        if (self.limit is None) != (self.basis is None) or (self.expanded is None) != (self.k is None):
            raise ValueError("a basis with a limit, a k with an expanded uncertainty")
        return self

    def standard(self, in_service: float) -> float:
        """Its standard uncertainty; a limit of verification is first multiplied by `in_service`."""
        if self.limit is not None:
            return self.limit * (in_service if self.basis == "verification" else 1.0) / math.sqrt(3.0)
        if self.expanded is not None and self.k is not None:
            return self.expanded / self.k
        if self.reproducibility is not None:
            return self.reproducibility / (2.0 * math.sqrt(2.0))
        assert self.u is not None
        return self.u


class RandomPart(_Entry):
    """What changes with every hour or sample."""

    u: _Amount
    of: Of
    unit: str
    per: Literal["hour", "sample"]
    rho: Annotated[float, Field(ge=0, lt=1)]
    """Correlation of one hour's with the next's."""


class InstrumentClass(_Entry):
    """A row of the table."""

    id: str
    kind: str
    accuracy_class: str | None = None
    of: Of
    unit: str
    """% of a reading, or the unit of an absolute error."""
    in_service: Annotated[float, Field(ge=1)] = 1.0
    """The permissible error in service by that of verification."""
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    random: RandomPart | None = None
    distribution: Distribution | None = None
    source: str

    @model_validator(mode="after")
    def _percent(self) -> Self:
        if any(one.of == "reading" and one.unit != "%" for one in (self, self.random) if one is not None):
            raise ValueError("the unit % of what is of the reading")
        return self

    @property
    def systematic(self) -> float:
        """Standard uncertainty of its systematic error, in `unit`."""
        return math.hypot(*(part.standard(self.in_service) for part in self.parts))

    @property
    def shape(self) -> Distribution:
        """How its systematic error is distributed."""
        if self.distribution is not None:
            return self.distribution
        only_limit = len(self.parts) == 1 and self.parts[0].limit is not None
        return "rectangular" if only_limit else "normal"


def read_classes(text: str) -> Mapping[str, InstrumentClass]:
    """Id → row of a table's text.

    Raises:
        ValueError: it is no such table, or an id stands twice.
    """
    rows = TypeAdapter(list[InstrumentClass]).validate_python(yaml.safe_load(text))
    found = {row.id: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("an id of the instrument table stands twice")
    return found


@cache
def instrument_classes() -> Mapping[str, InstrumentClass]:
    """Id → row of the table shipped."""
    return read_classes((files(__package__) / "instruments.yaml").read_text(encoding="utf-8"))
