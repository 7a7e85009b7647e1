"""A plant file's entries by id, with their units read: what the compiler looks things up in.

References have been checked before; units have not, so reading one can fail with
the place where it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.errors import InputError, PlantError
from ingest.plant.entries import Point, Source
from ingest.plant.factors import Factor
from ingest.plant.file import PlantFile
from ingest.plant.sentence import Place, fault, spell
from ingest.units import Measure, amount_unit, measure


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Entries of one plant file by id, relative to the site."""

    file: PlantFile
    order: tuple[int, ...]
    """Plan index → position in the file: measured points first."""
    n_measured: int
    index: Mapping[str, int]
    """Point id → plan index."""
    points: Mapping[str, Point]
    factors: Mapping[str, Factor]
    sources: Mapping[str, Source]

    @classmethod
    def of(cls, file: PlantFile) -> "Catalogue":
        """Order the points and collect the ids."""
        measured = [i for i, point in enumerate(file.points) if point.computed is None]
        computed = [i for i, point in enumerate(file.points) if point.computed is not None]
        order = (*measured, *computed)
        return cls(
            file=file,
            order=order,
            n_measured=len(measured),
            index={file.points[position].id: number for number, position in enumerate(order)},
            points={point.id: point for point in file.points},
            factors={factor.id: factor for factor in file.factors},
            sources={source.id: source for source in file.sources},
        )

    def measure(self, place: Place, unit: str, basis: Sequence[str] = ()) -> Measure:
        """Read a unit that stands at `place`; PlantError where it is none."""
        try:
            return measure(unit, tuple(basis))
        except InputError as refusal:
            raise self.refused(place, refusal) from None

    def amount(self, point_id: str) -> Measure | None:
        """What a point's intervals add up in; None for samples."""
        point = self.points[point_id]
        if point.kind == "sample":
            return None
        return measure(amount_text(point), tuple(point.basis))

    def refused(self, place: Place, refusal: InputError) -> PlantError:
        """A refusal of the units as a fault of the file."""
        return PlantError(f"{self.file.origin}: {spell(place)}: {refusal}")

    def fault(self, place: Place, value: object, expected: str) -> PlantError:
        """A fault of the file."""
        return fault(self.file.origin, place, value, expected)


def amount_text(point: Point) -> str:
    """The unit of a point's amounts: kWh of a gauge in kW, h of a state."""
    if point.kind == "state":
        return "h"
    return amount_unit(point.unit) if point.kind == "gauge" else point.unit
