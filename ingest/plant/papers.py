"""What documents tell of, compiled: activities, analyses, and the sources that rest on them."""

from dataclasses import dataclass
from fractions import Fraction
from math import isnan, nan
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlanActivity:
    """A quantity of which documents tell; its id and those of analyses are relative to the site."""

    id: str
    name: str
    unit: str
    basis: tuple[str, ...]
    resolution: float
    """Size of one count, in `unit`."""


@dataclass(frozen=True, slots=True)
class PlanAnalysis:
    """A property that a laboratory determines."""

    id: str
    name: str
    unit: str
    basis: tuple[str, ...]
    default: tuple[str, float] | None
    """The factor that stands in where there is none, and its value in `unit`."""


@dataclass(frozen=True, slots=True)
class PlanDocumented:
    """A source whose activity documents tell: mass = counts · kg_per_count · Π analyses in force."""

    id: str
    name: str
    unit: str | None
    scope: int
    category: str
    account: str
    gas: str
    method: str
    activity: str
    kg_per_count: Fraction
    """kg of `gas` per count of the activity, with every analysis of value 1; exact."""
    analyses: tuple[str, ...]
    factors: tuple[str, ...]
    """All that it names, analyses among them."""
    formerly: tuple[str, ...]
    steps: tuple[tuple[int, float], ...] = ()
    """(instant in µs, kg per count from it on; NaN: not known), as of a metered source with series."""
    basis: Literal["location", "market"] | None = None
    supply: Literal["grid", "green", "own", "export"] | None = None

    def kg_per_count_at(self, at: int) -> Fraction | None:
        """What a count weighs at an instant, µs; None: a factor is not known then."""
        if not self.steps:
            return self.kg_per_count
        value = next((value for since, value in reversed(self.steps) if since <= at), nan)
        return None if isnan(value) else Fraction(value)
