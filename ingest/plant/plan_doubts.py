"""The part of a plan that says how far its instruments, factors and constants may be off, and of what sums."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.model import HOUR, NEVER

if TYPE_CHECKING:
    from ingest.plant.plan import PlanSource

Steps = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class PlanDoubt:
    """How far an instrument of a point, a factor or a constant may be off; standard uncertainties."""

    name: str
    """Names the systematic source it is: an instrument, a version of a factor, a constant."""
    systematic: float
    """Share of the value, or in the point's unit; NaN: nobody says."""
    is_relative: bool
    random: float = 0.0
    is_random_relative: bool = True
    rho: float = 0.0
    """Correlation of the random part from one step to the next."""
    step_us: int = HOUR
    """For how long a random error stays the same."""
    observations: float = math.inf
    """It was found from."""
    calibrated_at: int = NEVER
    """Since when it has been the same systematic source, µs."""
    due_at: int = -NEVER
    """From when on it counts twice, µs."""


@dataclass(frozen=True, slots=True)
class PlanDoubts:
    """What a plan knows of uncertainty."""

    points: Mapping[int, tuple[PlanDoubt, ...]]
    """Point index → its instruments; a point without one is left out."""
    factors: Mapping[str, PlanDoubt]
    """Those of one value."""
    series: Mapping[str, tuple[tuple[int, PlanDoubt], ...]]
    """Those that change with time: (instant in µs, the doubt of the value from it on), ascending."""
    constants: Mapping[tuple[int, str], PlanDoubt]
    """(computed point, name of a constant that the plant gives) → its own, relative."""
    activities: Mapping[str, tuple[PlanDoubt, ...]]
    """Documented activity → the instruments its amounts come from; relative, the random part per document."""
    analyses: Mapping[str, PlanDoubt]
    """Property that laboratories determine → how far they are off, and per document how far a sample is."""
    correlations: Mapping[frozenset[str], float]
    """Two names of doubts → correlation of their systematic errors; others are independent."""


@dataclass(frozen=True, slots=True)
class PlanTerm:
    """A summand of a figure before terms of one point are joined."""

    point: int
    weight: float
    """On the point's amount, in the unit of the figure's sum."""
    factors: tuple[str, ...]
    """What the weight is made with."""
    steps: Steps = ()
    """(instant in µs, the weight from it on; NaN: not known), in place of `weight`; empty: the same at all times."""
    factor_point: int | None = None
    """The sample point whose mean is a further factor."""


def source_term(source: "PlanSource", sign: float = 1.0) -> PlanTerm:
    """The mass of an emission source, in kg."""
    steps = tuple((at, sign * value) for at, value in source.steps)
    return PlanTerm(source.point, sign * source.kg_per_amount, source.factors, steps, source.factor_point)
