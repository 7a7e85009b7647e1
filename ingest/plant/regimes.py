"""Regimes of a plant file to the plan: every point with the unit and basis its equation demands.

What a regime needs and is not there, and what would give a wrong figure (CO2 from O2 of a
kiln), is refused here by name.
"""

from datetime import UTC, datetime

from ingest.errors import InputError
from ingest.methods.method import CARBONATE_PROCESS
from ingest.methods.part75 import DILUENT_CAP
from ingest.methods.regimes import FROM_O2, INPUT_OF, REGIME_RULES, RegimeRule
from ingest.methods.registry import METHODS, Method, MethodInput
from ingest.methods.validity import QUARTER
from ingest.model import SECOND
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Source
from ingest.plant.regime import Regime
from ingest.plant.regime_plan import PlanComponent, PlanRegime
from ingest.plant.sentence import Place, absent
from ingest.units import amount_unit, measure, require_basis


def compile_regime(catalogue: Catalogue, place: Place, source: Source) -> PlanRegime | None:
    """The regime of a source that stands at `place`; None: it names none.

    Raises PlantError for the first fault.
    """
    if isinstance(source.activity, str):
        _refuse_for_carbonates(catalogue, (*place, "activity"), source, source.activity)
    regime = source.regime
    if regime is None:
        return None
    place = (*place, "regime")
    rule = REGIME_RULES[regime.rule]
    if regime.equation not in rule.equations:
        expected = f"one of {', '.join(rule.equations)}"
        raise catalogue.fault((*place, "equation"), regime.equation, expected)
    if source.gas != "co2":
        raise catalogue.fault((*place[:-1], "gas"), source.gas, f"co2, which {regime.equation} gives")
    method = METHODS[regime.equation]
    assert method.unit is not None
    offset = regime.offset_us
    if offset % catalogue.file.interval:
        raise catalogue.fault((*place, "utc_offset"), regime.utc_offset, "a multiple of the interval")
    if rule.validity == "us-hour" and catalogue.file.interval > QUARTER:
        raise catalogue.fault(
            (*place, "rule"), regime.rule, "an interval of at most 15min, by whose quarters it judges"
        )
    operating = None
    if regime.operating is not None:
        operating = _operating(catalogue, (*place, "operating"), regime)
    cap, cap_value = _cap(catalogue, place, regime)
    return PlanRegime(
        rule=regime.rule,
        equation=regime.equation,
        kg_per_rate=measure(amount_unit(method.unit)).affine(measure("kg"))[0],
        offset_us=offset,
        since=None if regime.since is None else _begin(regime),
        components=_components(catalogue, place, source, regime, rule, method),
        operating=operating,
        load=None
        if regime.load is None
        else _signal(catalogue, (*place, "load", "point"), regime.load.point),
        load_edges=() if regime.load is None else regime.load.bins,
        cap=cap,
        cap_value=cap_value,
        from_o2=None if regime.o2 is None else FROM_O2.get(regime.equation),
        f_factors=() if regime.f_factors is None else (regime.f_factors.fc, regime.f_factors.fd),
    )


def _begin(regime: Regime) -> int:
    assert regime.since is not None
    midnight = datetime(regime.since.year, regime.since.month, regime.since.day, tzinfo=UTC)
    return int(midnight.timestamp()) * SECOND - regime.offset_us


def _refuse_for_carbonates(
    catalogue: Catalogue, place: Place, source: Source, point_id: str, method: Method | None = None
) -> None:
    """CO2 of a kiln does not follow from O2 and fuel; without a method the one that computes the point."""
    computed = catalogue.points[point_id].computed if point_id in catalogue.points else None
    if method is None and computed is not None:
        method = METHODS.get(computed.method)
    if method is not None and CARBONATE_PROCESS in method.refused_for and source.carbonates:
        expected = f"no {method.id} where carbonates give off CO2, which does not follow from fuel"
        raise catalogue.fault(place, point_id, expected)


def _components(
    catalogue: Catalogue, place: Place, source: Source, regime: Regime, rule: RegimeRule, method: Method
) -> tuple[PlanComponent, ...]:
    wanted = {entry.name: entry for entry in method.inputs}
    if regime.o2 is not None:
        if regime.equation not in FROM_O2:
            raise catalogue.fault((*place, "o2"), regime.o2, f"a concentration for {regime.equation}")
        from_o2 = METHODS[FROM_O2[regime.equation]]
        _refuse_for_carbonates(catalogue, (*place, "o2"), source, regime.o2, from_o2)
        del wanted["co2"]
        wanted |= {entry.name: entry for entry in from_o2.inputs}
    found = []
    for name, entry_name in INPUT_OF.items():
        point, entry = getattr(regime, name), wanted.get(entry_name)
        where = (*place, name)
        if entry is None and point is not None:
            raise catalogue.fault(where, point, f"none, for {regime.equation} takes none")
        if entry is None:
            continue
        if point is None:
            raise absent(catalogue.file.origin, where, f"the point that {regime.equation} takes")
        _refuse_for_carbonates(catalogue, where, source, point)
        found.append(
            PlanComponent(
                name,
                _signal(catalogue, where, point),
                _scale(catalogue, where, point, entry),
                _potential(catalogue, place, regime, rule, name),
                tuple(
                    f"{catalogue.file.site}/{one.id}"
                    for one in catalogue.file.instruments
                    if point in one.points
                ),
            )
        )
    return tuple(found)


def _signal(catalogue: Catalogue, place: Place, point_id: str) -> int:
    point = catalogue.points.get(point_id)
    if point is None or point.kind not in {"gauge", "sample"}:
        raise catalogue.fault(place, point_id, "the id of a gauge or sample of this file")
    return catalogue.index[point_id]


def _scale(catalogue: Catalogue, place: Place, point_id: str, entry: MethodInput) -> tuple[float, float]:
    point = catalogue.points[point_id]
    wanted = catalogue.measure(place, entry.unit, entry.basis)
    given = catalogue.measure(place, point.unit, point.basis)
    try:
        scale = given.affine(wanted)
        require_basis(given, wanted)
    except InputError as refusal:
        raise catalogue.refused(place, refusal) from None
    return scale


def _potential(
    catalogue: Catalogue, place: Place, regime: Regime, rule: RegimeRule, name: str
) -> float | None:
    found: float | None = None
    for side, names in (("maximum_potential", rule.maximum), ("minimum_potential", rule.minimum)):
        value: float | None = getattr(getattr(regime, side), name)
        if value is None and name in names:
            expected = f"the value that {regime.rule} puts where nothing else may stand"
            raise absent(catalogue.file.origin, (*place, side, name), expected)
        if value is not None and name not in names:
            raise catalogue.fault((*place, side, name), value, f"none, for {regime.rule} uses none")
        found = found if value is None else value
    return found


def _state(catalogue: Catalogue, place: Place, point_id: str) -> int:
    point = catalogue.points.get(point_id)
    if point is None or point.kind != "state":
        raise catalogue.fault(place, point_id, "the id of a state point of this file")
    return catalogue.index[point_id]


def _operating(catalogue: Catalogue, place: Place, regime: Regime) -> int:
    assert regime.operating is not None
    index = _state(catalogue, (*place, "state"), regime.operating.state)
    states = catalogue.points[regime.operating.state].states
    not_zero = {name for name, code in states.items() if code != 0}
    if set(regime.operating.running) != not_zero:
        expected = (
            f"every state of {regime.operating.state} that is not 0: {', '.join(sorted(not_zero)) or 'none'}"
        )
        raise catalogue.fault((*place, "running"), list(regime.operating.running), expected)
    return index


def _cap(catalogue: Catalogue, place: Place, regime: Regime) -> tuple[int | None, float]:
    if regime.diluent_cap is None:
        return None, 0.0
    kind = f"{regime.diluent_cap.of}_{'co2' if regime.o2 is None else 'o2'}"
    values = {one.name: one.value for one in DILUENT_CAP}
    value = values[kind]
    assert value is not None
    return _state(catalogue, (*place, "diluent_cap", "state"), regime.diluent_cap.state), value
