"""The part of a plan that says who makes what from what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.footprint.chain import Stage


@dataclass(frozen=True, slots=True)
class PlanProduct:
    """A product of a stage; indices are points of the plan."""

    id: str
    unit: str
    """Of its points; they all count alike."""
    resolution: float
    """Size of one count, in `unit`."""
    made: int
    leaves: int | None
    opening_count: int | None
    """In stock at the instant the books begin; None: not known."""
    opening_co2e_kg: float


@dataclass(frozen=True, slots=True)
class PlanBought:
    """Goods from outside."""

    stage: str
    goods: str
    point: int
    kg_per_count: float | None
    """kg CO2e; None: not known."""
    factor: str | None


@dataclass(frozen=True, slots=True)
class PlanStages:
    """The chain of a plant; no stages: it has none."""

    stages: tuple[Stage, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    """Full id of a metered source → its stage; of the calculated route and the gross account only."""
    uncarried: Mapping[str, str] = field(default_factory=dict)
    """Full id of a source at a stage's units that only a stack or documents tell → the stage: no figure without it."""
    products: Mapping[str, PlanProduct] = field(default_factory=dict)
    taken: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(stage, product) → the point that counts what it takes."""
    bought: tuple[PlanBought, ...] = ()
    opened_at: int | None = None
    """Midnight at the site, µs, at which the books begin; None: no stock is known."""

    @property
    def points(self) -> tuple[int, ...]:
        """All points it counts by, ascending."""
        made = [point for one in self.products.values() for point in (one.made, one.leaves)]
        every = {*made, *self.taken.values(), *(one.point for one in self.bought)}
        return tuple(sorted(point for point in every if point is not None))
