"""The plant file's `mes`, checked and resolved for the plan: every meter and source is somebody's once."""

from ingest.plant.activities import Documented
from ingest.plant.catalogue import Catalogue
from ingest.plant.mes_entries import OrderUnit, SharedUtility
from ingest.plant.mes_plan import OWN_TOPIC, PlanMes, PlanOrderUnit, PlanShared
from ingest.plant.sentence import Place

_COUNTED = {"counter", "delta", "gauge"}


def compile_mes(catalogue: Catalogue, units: frozenset[str]) -> PlanMes:
    """Of a plant file; PlantError for what does not fit together.

    `units`: the paths of the file's units.
    """
    mes, file = catalogue.file.mes, catalogue.file
    if mes is None:
        return PlanMes()
    for i, topic in enumerate(mes.topics):
        if topic in mes.topics[:i] or any(topic in point.topics for point in file.points):
            raise catalogue.fault(("mes", "topics", i), topic, "a topic that belongs to nothing else")
    taken: dict[str, str] = {}
    made = []
    for i, unit in enumerate(mes.units):
        place = ("mes", "units", i)
        if unit.unit not in units or unit.unit in [other.unit for other in mes.units[:i]]:
            raise catalogue.fault((*place, "unit"), unit.unit, "the id of a unit of this file, once")
        made.append(_unit(catalogue, place, unit, taken))
    orders = [unit.unit for unit in mes.units]
    shared = tuple(
        _shared(catalogue, ("mes", "shared", i), one, orders, taken) for i, one in enumerate(mes.shared)
    )
    for i, one in enumerate(mes.shared):
        if one.id in [other.id for other in mes.shared[:i]]:
            raise catalogue.fault(("mes", "shared", i, "id"), one.id, "an id that stands once")
    own = f"{file.topic_prefix}/{file.site}/{OWN_TOPIC}"
    return PlanMes((own, *mes.topics), tuple(made), shared, {unit.id: unit for unit in made})


def _unit(catalogue: Catalogue, place: Place, unit: OrderUnit, taken: dict[str, str]) -> PlanOrderUnit:
    file = catalogue.file
    sources = unit.sources
    if sources is None:
        sources = _within(catalogue, unit.unit)
    documented = {one.id for one in file.sources if isinstance(one.activity, Documented)}
    _take(
        catalogue, (*place, "sources"), sources, {one.id for one in file.sources}, "source", unit.unit, taken
    )
    output = None
    if unit.output is not None:
        output = _point(catalogue, (*place, "output"), unit.output, _COUNTED, "counter, delta or gauge")
    return PlanOrderUnit(
        id=f"{file.site}/{unit.unit}",
        meters=_meters(catalogue, place, unit.meters, unit.unit, taken),
        sources=tuple(f"{file.site}/{one}" for one in sources if one not in documented),
        documented=tuple(f"{file.site}/{one}" for one in sources if one in documented),
        output=output,
        overlap=unit.overlap,
    )


def _within(catalogue: Catalogue, unit: str) -> tuple[str, ...]:
    """The sources of a unit that no entry names, nor a unit with orders of its own within it holds."""
    mes = catalogue.file.mes
    assert mes is not None
    named = {name for one in mes.units for name in one.sources or ()}
    named |= {name for other in mes.shared for name in other.sources}
    inner = [one.unit for one in mes.units if one.unit.startswith(f"{unit}/")]
    return tuple(
        one.id
        for one in catalogue.file.sources
        if one.unit is not None
        and one.id not in named
        and f"{one.unit}/".startswith(f"{unit}/")
        and not any(f"{one.unit}/".startswith(f"{other}/") for other in inner)
    )


def _shared(
    catalogue: Catalogue, place: Place, one: SharedUtility, orders: list[str], taken: dict[str, str]
) -> PlanShared:
    file = catalogue.file
    for j, unit in enumerate(one.to):
        if unit not in orders or unit in one.to[:j]:
            raise catalogue.fault((*place, "to", j), unit, "a unit of mes.units, once")
        served = next(other for other in file.mes.units if other.unit == unit) if file.mes else None
        if one.by == "output" and served is not None and served.output is None:
            raise catalogue.fault(
                (*place, "to", j), unit, "a unit with an output, for it is shared by output"
            )
    metered = {source.id for source in file.sources if not isinstance(source.activity, Documented)}
    _take(catalogue, (*place, "sources"), one.sources, metered, "source with a meter", one.id, taken)
    return PlanShared(
        id=one.id,
        name=one.name or one.id,
        meters=_meters(catalogue, place, one.meters, one.id, taken),
        sources=tuple(f"{file.site}/{name}" for name in one.sources),
        to=tuple(f"{file.site}/{unit}" for unit in one.to),
        by=one.by,
        shares=tuple(one.shares[unit] for unit in one.to) if one.shares else (),
    )


def _meters(
    catalogue: Catalogue, place: Place, meters: tuple[str, ...], owner: str, taken: dict[str, str]
) -> tuple[int, ...]:
    _take(catalogue, (*place, "meters"), meters, set(catalogue.points), "point", owner, taken)
    what = "counter, delta or gauge with a carrier"
    found = tuple(
        _point(catalogue, (*place, "meters", j), name, _COUNTED, what) for j, name in enumerate(meters)
    )
    for j, name in enumerate(meters):
        if catalogue.points[name].carrier is None:
            raise catalogue.fault((*place, "meters", j), name, f"the id of a {what} of this file")
    return found


def _take(
    catalogue: Catalogue,
    place: Place,
    names: tuple[str, ...],
    known: set[str],
    what: str,
    owner: str,
    taken: dict[str, str],
) -> None:
    for j, name in enumerate(names):
        if name not in known:
            raise catalogue.fault((*place, j), name, f"the id of a {what} of this file")
        key = f"{place[-1]} {name}"
        if key in taken:
            raise catalogue.fault((*place, j), name, f"what is not already of {taken[key]}")
        taken[key] = owner


def _point(catalogue: Catalogue, place: Place, name: str, kinds: set[str], what: str) -> int:
    point = catalogue.points.get(name)
    if point is None or point.kind not in kinds:
        raise catalogue.fault(place, name, f"the id of a {what} of this file")
    return int(catalogue.index[name])
