"""Stages of a plant file, checked and resolved for the plan.

What a chain carries is exact only in whole counts, so every point that counts a product is a counter or
delta of one unit and resolution. Emission sources of the measured route and of other accounts are another
story of the same gas, and belong to no stage.
"""

from collections.abc import Mapping
from datetime import UTC
from fractions import Fraction
from math import lcm
from zoneinfo import ZoneInfo

from ingest.footprint.chain import ChainError, Stage, in_order
from ingest.model import SECOND
from ingest.plant.catalogue import Catalogue
from ingest.plant.plan import PlanSource
from ingest.plant.points import DEFAULT_RESOLUTION
from ingest.plant.sentence import Place
from ingest.plant.stage_entries import BoughtInput, Opening, Output, StageEntry
from ingest.plant.stage_plan import PlanBought, PlanProduct, PlanStages
from ingest.plant.weights import account_of, carry, times
from ingest.units import measure

UNKNOWN = "unknown"
_KG_PER_T = 1000


def compile_stages(
    catalogue: Catalogue, sources: Mapping[str, PlanSource], units: frozenset[str]
) -> PlanStages:
    """Those of a plant file; PlantError for the first that does not fit."""
    entries = catalogue.file.stages
    if not entries:
        return PlanStages()
    for i, entry in enumerate(entries):
        for j, unit in enumerate(entry.units):
            if unit not in units:
                raise catalogue.fault(("stages", i, "units", j), unit, "the path of a unit of this file")
    products = {
        output.product: _product(catalogue, ("stages", i, "outputs", j), output)
        for i, entry in enumerate(entries)
        for j, output in enumerate(entry.outputs)
    }
    taken = {
        (entry.id, one.product): _counted(
            catalogue, ("stages", i, "inputs", j, "point"), one.point, products.get(one.product)
        )
        for i, entry in enumerate(entries)
        for j, one in enumerate(entry.inputs)
    }
    return PlanStages(
        stages=_chain(catalogue, entries),
        names={entry.id: entry.name or entry.id for entry in entries},
        sources=_owned(catalogue, entries, sources),
        uncarried=_uncarried(catalogue, entries, sources),
        products=products,
        taken=taken,
        bought=tuple(
            _bought(catalogue, ("stages", i, "bought", j), entry.id, one)
            for i, entry in enumerate(entries)
            for j, one in enumerate(entry.bought)
        ),
        opened_at=_opened_at(catalogue, entries),
    )


def _counted(catalogue: Catalogue, place: Place, named: str, like: PlanProduct | None) -> int:
    point = catalogue.points.get(named)
    if point is None or point.kind not in ("counter", "delta") or point.computed is not None:
        raise catalogue.fault(place, named, "the id of a counter or delta of this file")
    if like is not None and (point.unit, point.resolution or DEFAULT_RESOLUTION) != (
        like.unit,
        like.resolution,
    ):
        expected = f"a point in {like.unit} with a resolution of {like.resolution:g}, as {like.id} is made"
        raise catalogue.fault(place, named, expected)
    return catalogue.index[named]


def _product(catalogue: Catalogue, place: Place, output: Output) -> PlanProduct:
    if output.product not in {one.id for one in catalogue.file.products}:
        raise catalogue.fault((*place, "product"), output.product, "the id of a product of this file")
    made = _counted(catalogue, (*place, "point"), output.point, None)
    point = catalogue.points[output.point]
    resolution = point.resolution or DEFAULT_RESOLUTION
    opening = output.opening
    if opening is not None and opening.quantity == 0 and opening.co2e_t:
        raise catalogue.fault((*place, "opening", "co2e_t"), opening.co2e_t, "0 where nothing is in stock")
    product = PlanProduct(
        id=output.product,
        unit=point.unit,
        resolution=resolution,
        made=made,
        leaves=None,
        opening_count=None if opening is None else round(opening.quantity / resolution),
        opening_co2e_kg=0.0 if opening is None else opening.co2e_t * _KG_PER_T,
    )
    if output.leaves is None:
        return product
    leaves = _counted(catalogue, (*place, "leaves"), output.leaves, product)
    return PlanProduct(
        product.id,
        product.unit,
        resolution,
        made,
        leaves,
        product.opening_count,
        product.opening_co2e_kg,
    )


def _chain(catalogue: Catalogue, entries: tuple[StageEntry, ...]) -> tuple[Stage, ...]:
    stages = tuple(
        Stage(
            entry.id,
            _weights(catalogue, ("stages", i, "outputs"), entry),
            entry.key,
            tuple(one.product for one in entry.inputs),
            tuple(one.goods for one in entry.bought),
        )
        for i, entry in enumerate(entries)
    )
    try:
        in_order(stages)
    except ChainError as error:
        raise catalogue.fault(
            ("stages",), str(error), "a chain in which each product has one maker"
        ) from None
    return stages


def _weights(catalogue: Catalogue, place: Place, entry: StageEntry) -> dict[str, int]:
    """Whole numbers in the ratio of what one count of each product weighs in the key."""
    first = catalogue.points[entry.outputs[0].point].unit
    given = {}
    for j, output in enumerate(entry.outputs):
        point = catalogue.points[output.point]
        if entry.key == "mass" and point.unit != first:
            raise catalogue.fault((*place, j, "point"), output.point, f"a point in {first}, to share by mass")
        count = Fraction(str(point.resolution or DEFAULT_RESOLUTION))
        weight = Fraction(str(output.weight or 1))
        given[output.product] = weight if entry.key == "shares" else weight * count
    whole = lcm(*(one.denominator for one in given.values()))
    return {product: int(one * whole) for product, one in given.items()}


def _owned(
    catalogue: Catalogue, entries: tuple[StageEntry, ...], sources: Mapping[str, PlanSource]
) -> dict[str, str]:
    owned: dict[str, str] = {}
    site = catalogue.file.site
    for i, entry in enumerate(entries):
        place: Place = ("stages", i, "units" if entry.sources is None else "sources")
        below = tuple(f"{site}/{unit}/" for unit in entry.units)
        named = [
            one.id
            for one in sources.values()
            if entry.sources is None and _counts(one) and one.unit and f"{one.unit}/".startswith(below)
        ]
        for j, source_id in enumerate(entry.sources or ()):
            source = sources.get(source_id) or sources.get(f"{site}/{source_id}")
            if source is None or not _counts(source):
                expected = "the id of a metered source of this file, calculated and gross"
                raise catalogue.fault(("stages", i, "sources", j), source_id, expected)
            named.append(source.id)
        for full_id in named:
            if full_id in owned:
                expected = f"sources that are of no other stage: {owned[full_id]} has {full_id}"
                raise catalogue.fault(place, ", ".join(getattr(entry, str(place[-1]))), expected)
            owned[full_id] = entry.id
    return owned


def _uncarried(
    catalogue: Catalogue, entries: tuple[StageEntry, ...], sources: Mapping[str, PlanSource]
) -> dict[str, str]:
    """What is emitted at a stage's units by no metered calculation; a stage that names its sources has no such."""
    found: dict[str, str] = {}
    site = catalogue.file.site
    for entry in entries:
        if entry.sources is not None:
            continue
        below = tuple(f"{unit}/" for unit in entry.units)
        there = [one for one in catalogue.file.sources if one.unit and f"{one.unit}/".startswith(below)]
        carried = {one.gas for one in there if one.id in sources and _counts(sources[one.id])}
        for one in there:
            if one.id not in sources:
                aside = account_of(catalogue, one) != "gross"
            else:
                source = sources[one.id]
                aside = source.route != "measured" or source.account != "gross" or one.gas in carried
            if not aside:
                found[f"{site}/{one.id}"] = entry.id
    return found


def _counts(source: PlanSource) -> bool:
    """Whether a source is part of the one account that stages carry."""
    return (
        source.route == "calculated" and source.account == "gross" and source.supply not in ("own", "export")
    )


def _bought(catalogue: Catalogue, place: Place, stage: str, entry: BoughtInput) -> PlanBought:
    point = _counted(catalogue, (*place, "point"), entry.point, None)
    if entry.factor == UNKNOWN:
        return PlanBought(stage, entry.goods, point, None, None)
    factor = catalogue.factors.get(entry.factor)
    if factor is None or factor.value is None:
        expected = "unknown, or the id of a factor of this file that has one value"
        raise catalogue.fault((*place, "factor"), entry.factor, expected)
    amount = catalogue.amount(entry.point)
    assert amount is not None  # counters and deltas have amounts
    number, unit = times(catalogue, place, Fraction(1), amount, (entry.factor,))
    kg = number * carry(catalogue, (*place, "factor"), unit, measure("kg"))
    count = Fraction(str(catalogue.points[entry.point].resolution or DEFAULT_RESOLUTION))
    return PlanBought(stage, entry.goods, point, float(kg * count), entry.factor)


def _opened_at(catalogue: Catalogue, entries: tuple[StageEntry, ...]) -> int | None:
    """The one instant of all openings; PlantError where there are two, or it is no midnight."""
    zone, found = ZoneInfo(catalogue.file.time_zone), None
    for i, entry in enumerate(entries):
        for j, output in enumerate(entry.outputs):
            opening = output.opening
            if opening is None:
                continue
            place: Place = ("stages", i, "outputs", j, "opening", "at")
            at = _micros(opening)
            shown = opening.at.astimezone(zone)
            if (shown.hour, shown.minute, shown.second, shown.microsecond) != (0, 0, 0, 0):
                raise catalogue.fault(place, opening.at.isoformat(), f"a midnight in {zone.key}")
            if found not in (None, at):
                raise catalogue.fault(place, opening.at.isoformat(), "the instant of the other openings")
            found = at
    return found


def _micros(opening: Opening) -> int:
    return int(opening.at.astimezone(UTC).timestamp()) * SECOND
