"""A source's regime as the plan has it: points by index, scales to the equation's units, constants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanComponent:
    """A quantity of the regime's equation."""

    name: str
    """`ingest.methods.regimes.COMPONENTS`."""
    point: int
    scale: tuple[float, float]
    """(multiplier, offset) from the point's unit to the equation's."""
    potential: float | None
    """Maximum (of O2 and moisture minimum) potential value, in the point's unit."""
    instruments: tuple[str, ...]
    """Full ids of the instruments that measure it, whose tests count."""


@dataclass(frozen=True, slots=True)
class PlanRegime:
    """How a source's hours are made."""

    rule: str
    """Key of `ingest.methods.regimes.REGIME_RULES`."""
    equation: str
    """Id of the method that gives the rate."""
    kg_per_rate: float
    """kg in an hour at a rate of 1."""
    offset_us: int
    """The regime's own time less UTC, all year."""
    since: int | None
    """Begin of the first hour, µs; None: with the data."""
    components: tuple[PlanComponent, ...]
    operating: int | None
    """The state point that is not 0 while the unit runs; None: it always runs."""
    load: int | None
    load_edges: tuple[float, ...]
    """Upper edges of the load bins but the last, in the load point's unit."""
    cap: int | None
    """The state point that flags hours of the diluent cap."""
    cap_value: float
    from_o2: str | None
    """Id of the method that gives the concentration from O2; None: it is measured."""
    f_factors: tuple[float, ...]
    """Fc and Fd."""

    @property
    def points(self) -> tuple[int, ...]:
        """All points it reads, each once."""
        others = (self.operating, self.load, self.cap)
        read = [one.point for one in self.components] + [point for point in others if point is not None]
        return tuple(dict.fromkeys(read))
