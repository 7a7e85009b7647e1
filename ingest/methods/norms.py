"""Energy norms of products, as data with clause and table: three levels and what corrects them.

A peer's transcription of the standards; a norm judges a plant and enters no figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Norm:
    """Levels 1 to 3, and how they move with a property of the product or its material."""

    id: str
    unit: str
    levels: tuple[float, float, float]
    per_point: tuple[float, float, float]
    """Added per point that the property is away from `reference` (see `sign`)."""
    reference: float
    property_unit: str
    sign: int
    """1: more above the reference; -1: more below it, nothing above."""
    most_points: float
    source: str
    trust: str

    def at(self, value: float) -> tuple[float, float, float]:
        """The levels for a value of the property."""
        points = self.sign * (value - self.reference)
        if self.sign < 0:
            points = max(points, 0.0)
        points = min(points, self.most_points)
        first, second, third = (
            level + step * points for level, step in zip(self.levels, self.per_point, strict=True)
        )
        return first, second, third


NORMS: Mapping[str, Norm] = {
    norm.id: norm
    for norm in (
        Norm("cement", "kgce/t", (80, 87, 94), (1.10, 1.15, 1.20), 75.0, "% clinker", 1, float("inf"),
             "GB 16780-2021 clauses 4.1, 5.4", "P"),
        Norm("blast_furnace", "kgce/t", (361, 370, 415), (3.61, 3.61, 3.61), 62.0, "% Fe", -1, 5.0,
             "GB 21256-2025 clause 4.3", "P"),
    )
}  # fmt: skip
"""Id → norm."""
