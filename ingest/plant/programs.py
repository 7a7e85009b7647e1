"""Computed points of a plant file to programs: kernel number, inputs, scales, constants.

Checks that a method gets what its equation demands: points that are measured, of
the right dimension and of exactly the right basis, and every constant once. Scales
bring a reading from its point's unit to the kernel's; the kernel knows no units.
"""

from collections.abc import Collection, Mapping

from ingest.errors import InputError
from ingest.methods.registry import GATED, LINEAR, METHODS, NO_KERNEL, RATIO, Method, MethodInput
from ingest.model import Reason
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Computed, Point
from ingest.plant.plan import PlanComputed
from ingest.plant.sentence import Place, absent
from ingest.units import require_basis

Scale = tuple[float, float]
"""Multiplier and offset."""


def compile_program(catalogue: Catalogue, place: Place, point: Point, computed: Computed) -> PlanComputed:
    """The program of one computed point, which stands at `place` in the file."""
    method = METHODS.get(computed.method)
    if method is None or method.number == NO_KERNEL:
        known = ", ".join(name for name, entry in METHODS.items() if entry.number != NO_KERNEL)
        raise catalogue.fault((*place, "method"), computed.method, f"one of {known}")
    named = ["value"] if method.id == GATED else list(computed.inputs)
    wanted = method.inputs or tuple(MethodInput(name, point.unit, tuple(point.basis)) for name in named)
    names = [entry.name for entry in wanted]
    _check_names(catalogue, (*place, "inputs"), computed.inputs, names, ())
    inputs = [_input(catalogue, (*place, "inputs", name), computed.inputs[name]) for name in names]
    scales: tuple[Scale, ...]
    if method.number == RATIO:
        scales = _ratio_scales(catalogue, place, point, computed)
    else:
        scales = tuple(_scale(catalogue, place, entry, computed) for entry in wanted)
    if method.unit is not None and point.unit != method.unit:
        where = (*place[:-1], "unit")
        raise catalogue.fault(where, point.unit, f"{method.unit!r}, in which {method.id} gives its result")
    gate, codes, reasons = _gate(catalogue, place, computed)
    return PlanComputed(
        point=catalogue.index[point.id],
        inputs=tuple(inputs),
        scales=scales,
        method=method.number,
        method_id=method.id,
        constants=_constants(catalogue, (*place, "constants"), computed, method),
        gate=gate,
        gate_codes=codes,
        gate_reasons=reasons,
    )


def _gate(
    catalogue: Catalogue, place: Place, computed: Computed
) -> tuple[int | None, tuple[int, ...], tuple[int, ...]]:
    """The state point of a gate, its codes and their reasons."""
    if computed.gate is None:
        if computed.method == GATED:
            raise absent(catalogue.file.origin, (*place, "gate"), "the states in which there is no value")
        return None, (), ()
    where, point = (*place, "gate"), catalogue.points.get(computed.gate.state)
    if point is None or point.kind != "state":
        raise catalogue.fault((*where, "state"), computed.gate.state, "the id of a state point of this file")
    found: dict[int, int] = {}
    for reason in (Reason.CALIBRATION, Reason.MAINTENANCE, Reason.FAULT):
        name = str(reason.name).lower()
        for i, state in enumerate(getattr(computed.gate, name) or ()):
            code = point.states.get(state) if isinstance(state, str) else state
            if code is None or code in found:
                expected = f"a state of {point.id} that stands once: {', '.join(point.states) or 'a code'}"
                raise catalogue.fault((*where, name, i), state, expected)
            found[code] = int(reason)
    return catalogue.index[point.id], tuple(found), tuple(found.values())


def _input(catalogue: Catalogue, place: Place, point_id: str) -> int:
    """Plan index of an input: a measured point whose readings are values of a signal."""
    point = catalogue.points.get(point_id)
    if point is None or point.computed is not None or point.kind not in {"gauge", "sample"}:
        raise catalogue.fault(place, point_id, "the id of a measured gauge or sample of this file")
    return catalogue.index[point_id]


def _scale(catalogue: Catalogue, place: Place, entry: MethodInput, computed: Computed) -> Scale:
    """From the input point's unit to what the kernel takes."""
    where = (*place, "inputs", entry.name)
    point = catalogue.points[computed.inputs[entry.name]]
    wanted = catalogue.measure(where, entry.unit, entry.basis)
    given = catalogue.measure(where, point.unit, point.basis)
    try:
        scale = given.affine(wanted)
        require_basis(given, wanted)
    except InputError as refusal:
        raise catalogue.refused(where, refusal) from None
    return scale


def _ratio_scales(
    catalogue: Catalogue, place: Place, point: Point, computed: Computed
) -> tuple[Scale, Scale]:
    """The numerator brought to result · denominator, the denominator as it is."""
    above, below = (catalogue.points[computed.inputs[name]] for name in ("numerator", "denominator"))
    where = (*place, "inputs", "numerator")
    result = catalogue.measure((*place[:-1], "unit"), point.unit, point.basis)
    given = catalogue.measure(where, above.unit)
    target = result * catalogue.measure((*place, "inputs", "denominator"), below.unit)
    try:
        return given.affine(target), (1.0, 0.0)
    except InputError as refusal:
        raise catalogue.refused(where, refusal) from None


def _constants(catalogue: Catalogue, place: Place, computed: Computed, method: Method) -> tuple[float, ...]:
    """Constants in the kernel's order; those the method leaves open come from the plant."""
    given = computed.constants
    if method.number == LINEAR and not method.constants:
        # A parent minus its children: coefficients, then the offset, which may be left out.
        _check_names(catalogue, place, given, list(computed.inputs), ("offset",))
        return (*(given[name] for name in computed.inputs), given.get("offset", 0.0))
    _check_names(catalogue, place, given, [c.name for c in method.constants if c.value is None], ())
    return tuple(given[c.name] if c.value is None else c.value for c in method.constants)


def _check_names(
    catalogue: Catalogue,
    place: Place,
    given: Mapping[str, object],
    wanted: Collection[str],
    allowed: Collection[str],
) -> None:
    for name in wanted:
        if name not in given:
            raise absent(catalogue.file.origin, (*place, name), f"one each of {', '.join(wanted)}")
    for name, value in given.items():
        if name not in wanted and name not in allowed:
            expected = f"only {', '.join((*wanted, *allowed)) or 'no names'}"
            raise catalogue.fault((*place, name), value, expected)
