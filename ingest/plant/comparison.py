"""What points are compared with, from what a plant file says of it.

A figure of an hour is an amount, and of samples a mean; so a gauge in kW stands beside a
counter in kWh, but no sample beside either. What is made of it is in `ingest.pipeline.drift`.
"""

from collections.abc import Sequence

from ingest.errors import InputError
from ingest.model import HOUR
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Compare, Point
from ingest.plant.fields import split_tolerance
from ingest.plant.file import PlantFile
from ingest.plant.plan import PlanComparison, PlanComputed
from ingest.plant.sentence import Place, fault
from ingest.units import Measure, require_basis

PERCENT = "%"


def check_compare(file: PlantFile, point: Point, place: Place) -> None:
    """Raise PlantError where a point cannot be compared, or not with what it names."""
    declared = point.compare
    if declared is None:
        return
    other = next((one for one in file.points if one.id == declared.with_), None)
    if point.computed is not None or point.kind == "state":
        role = "state" if point.kind == "state" else "computed"
        raise fault(file.origin, place, declared.with_, f"no such key for a {role} point")
    if other is None or other.id == point.id:
        raise fault(file.origin, (*place, "with"), declared.with_, "the id of another point of this file")
    if (other.kind == "sample") != (point.kind == "sample"):
        expected = (
            "a sample, as the point is" if point.kind == "sample" else "a point that adds up to amounts"
        )
        raise fault(file.origin, (*place, "with"), declared.with_, expected)


def compile_comparisons(catalogue: Catalogue, programs: Sequence[PlanComputed]) -> tuple[PlanComparison, ...]:
    """The comparisons of a plan, in the order of its points.

    Raises PlantError where units or basis of two points, or that of a tolerance, do not fit.
    """
    found = []
    for number, position in enumerate(catalogue.order):
        point = catalogue.file.points[position]
        if point.compare is not None:
            place = ("points", position, "compare")
            readers = [program.point for program in programs if number in program.reads]
            found.append(_comparison(catalogue, place, point, point.compare, (number, *readers)))
    return tuple(found)


def _comparison(
    catalogue: Catalogue, place: Place, point: Point, declared: Compare, doubts: tuple[int, ...]
) -> PlanComparison:
    own, other = _figure(catalogue, point.id), _figure(catalogue, declared.with_)
    size, unit = split_tolerance(declared.within)
    limit = 0.0
    try:
        require_basis(other, own)
        scale = other.affine(own)
    except InputError as refusal:
        raise catalogue.refused((*place, "with"), refusal) from None
    if unit != PERCENT:
        where = (*place, "within")
        wanted = catalogue.measure(where, point.unit, point.basis)
        try:
            # A difference has no zero: that of °C and K is left out.
            limit = size * catalogue.measure(where, unit, point.basis).affine(wanted)[0]
        except InputError as refusal:
            raise catalogue.refused(where, refusal) from None
    return PlanComparison(
        point=catalogue.index[point.id],
        other=catalogue.index[declared.with_],
        scale=scale,
        share=size / 100 if unit == PERCENT else None,
        limit=limit,
        least_us=declared.least_share * HOUR,
        doubts=doubts,
    )


def _figure(catalogue: Catalogue, point_id: str) -> Measure:
    """What a point's figure of an hour is in: its amount, of a sample its mean."""
    amount = catalogue.amount(point_id)
    if amount is not None:
        return amount
    point = catalogue.points[point_id]
    return catalogue.measure((), point.unit, point.basis)
