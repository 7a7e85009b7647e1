"""An ISA-95 job response (B2MML V7, as JSON) as statements of a MES.

A JobResponse tells what a work centre did of a job order: actual times, the equipment, material produced, scrapped and
consumed. The response, or each SegmentResponse (JobResponseData) in it that has times of its own or another equipment, on
an equipment on which orders run becomes a segment of the order; while it has no EndTime, a start, which the segment takes
back. MaterialActual of use Produced, Scrap and their like become production. A part takes from the whole what it does
not say: equipment, times, state. PublishedDate tells which of two tellings counts. B2MML is loose about one or many: a
member may be a value, a list of it, or an object with `value`.

What is not understood is named, by its place and why, never dropped: consumed material (a unit's meters tell it),
quantities without a unit, unknown members (but those of equipment and material beside the ones read). Whether what
was understood is true is `ingest.mes.statements`' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.wire.times import BAD_TIME, NO_TIME, instant_of

GOOD = frozenset({"produced", "material produced", "coproduct", "co-product", "by-product produced"})
SCRAP = frozenset({"scrap", "scrapped", "waste", "yield loss"})
RUNNING = frozenset({"running", "active", "started"})
DEEPEST = 8
"""Parts in parts."""
PARTS = ("SegmentResponse", "JobResponseData")
_TELLING = frozenset({"EquipmentActual", "MaterialActual", *PARTS})
_UNDERSTOOD = frozenset(
    {
        "ID",
        "JobOrderID",
        "StartTime",
        "ActualStartTime",
        "EndTime",
        "ActualEndTime",
        "JobState",
        "SegmentState",
    }
    | {"EquipmentActual", "MaterialActual", *PARTS}
)
_SAYS_NOTHING = frozenset({"Description", "PublishedDate", "WorkType", "ProcessSegmentID", "Version"})
"""Members that change no statement."""
UNITS = {"tne": "t", "kgm": "kg", "mtq": "m3", "ltr": "L", "ea": "1", "c62": "1", "pcs": "1", "h87": "1"}
"""UN/ECE Recommendation 20 codes of what is produced; others are taken as written."""


@dataclass(slots=True)
class Translated:
    """What a document came to."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    """As `ingest.mes.statements` reads them."""
    ignored: list[str] = field(default_factory=list)
    """A sentence for each part that no statement holds."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a part takes from what it is in."""

    order: str | None
    name: str
    unit: str | None = None
    begin: Any = None
    end: Any = None
    state: str | None = None
    seq: int = 0
    depth: int = 0


def translate(document: Any) -> Translated:
    """The statements of a `{"JobResponse": …}`, of a list of them under that name, or of a bare one."""
    found = Translated()
    told = document
    if isinstance(document, dict) and "JobResponse" in document:
        told = document["JobResponse"]
        found.ignored += [f"{name} is not understood." for name in sorted(document) if name != "JobResponse"]
    if told == []:
        found.ignored.append("There is no JobResponse in it.")
    for i, one in enumerate(told if isinstance(told, list) else [told]):
        place = f"JobResponse[{i}]" if isinstance(told, list) else "JobResponse"
        if not isinstance(one, dict):
            found.ignored.append(f"{place} is no object.")
            continue
        order = text(one.get("JobOrderID"))
        if order is None:
            found.ignored.append(f"{place} has no JobOrderID: nothing in it can be an order's.")
            continue
        _part(found, place, one, _Whole(order, text(one.get("ID")) or order, seq=_seq(one)))
    return found


def _part(found: Translated, place: str, part: Mapping[str, Any], whole: _Whole, *, ran: bool = True) -> None:
    """`ran`: whether it is a stretch of its own, unless the parts in it are."""
    found.ignored += [
        f"{place}.{name} is not understood."
        for name in sorted(part.keys() - _UNDERSTOOD - _SAYS_NOTHING)
        if part[name] not in (None, [], {})
    ]
    units = _units(found, place, part)
    if len(units) > 1:
        found.ignored.append(
            f"{place}.EquipmentActual names {len(units)} equipments: expected one of a part."
        )
    state = text(part.get("JobState")) or text(part.get("SegmentState")) or whole.state
    mine = replace(
        whole,
        unit=(units[0] if len(units) == 1 else None) if units else whole.unit,
        begin=_time(part, "Start", whole.begin),
        end=_time(part, "End", whole.end),
        state=None if state is None else state.lower(),
        depth=whole.depth + 1,
    )
    inner = [(f"{place}.{name}[{j}]", one) for name in PARTS for j, one in enumerate(_many(part.get(name)))]
    if ran and not any(_is_timed(one, mine.depth) for _, one in inner):
        _ran(found, place, mine)
    _materials(found, place, _many(part.get("MaterialActual")), mine)
    for j, (where, one) in enumerate(inner):
        if not isinstance(one, dict) or mine.depth >= DEEPEST:
            found.ignored.append(f"{where} is no object, or lies too deep.")
        elif not one.keys() & _TELLING and not _has_time(one):
            found.ignored.append(f"{where} has no time, equipment or material.")
        else:
            name = f"{whole.name}/{text(one.get('ID')) or j}"
            elsewhere = _units(Translated(), where, one) not in ([], [mine.unit])
            _part(found, where, one, replace(mine, name=name), ran=_has_time(one) or elsewhere)


def _seq(response: Mapping[str, Any]) -> int:
    """When it was published, µs: of two tellings the later one counts; 0: it does not say."""
    at = instant_of(plain(response.get("PublishedDate")))
    return 0 if at in (NO_TIME, BAD_TIME) else max(0, at)


def _has_time(part: Mapping[str, Any]) -> bool:
    return _time(part, "Start", None) is not None or _time(part, "End", None) is not None


def _is_timed(part: Any, depth: int) -> bool:
    """Whether a part, or one in it, says when it ran."""
    if not isinstance(part, dict) or depth >= DEEPEST:
        return False
    return _has_time(part) or any(
        _is_timed(one, depth + 1) for name in PARTS for one in _many(part.get(name))
    )


def _ran(found: Translated, place: str, part: _Whole) -> None:
    """A segment, which takes the start told while it ran back; or that start."""
    name = f"{part.name}@{part.unit}"
    said = {"id": name, "order": part.order, "unit": part.unit}
    running = part.state is None or part.state in RUNNING
    if part.unit is None:
        found.ignored.append(f"{place} names no one equipment: no segment comes of it.")
    elif part.begin is None:
        found.ignored.append(f"{place} has no StartTime: no segment comes of it.")
    elif part.end is not None:
        start = {"kind": "start", **said, "ts": part.begin, "withdrawn": True, "seq": part.seq + 1}
        found.statements += [
            {"kind": "segment", **said, "from": part.begin, "to": part.end, "seq": part.seq + 1},
            start,
        ]
    elif running:
        found.statements.append({"kind": "start", **said, "ts": part.begin, "seq": part.seq})
    else:
        found.ignored.append(f"{place} is {part.state!r} and has no EndTime: no segment comes of it.")


def _materials(found: Translated, place: str, told: list[Any], part: _Whole) -> None:
    for j, one in enumerate(told):
        where = f"{place}.MaterialActual[{j}]"
        why = "is no object" if not isinstance(one, dict) else _material(found, one, part, f"{part.name}/{j}")
        if why is not None:
            found.ignored.append(f"{where} {why}.")


def _material(found: Translated, one: Mapping[str, Any], part: _Whole, name: str) -> str | None:
    """Add the production of a material; else why there is none."""
    use = (text(one.get("MaterialUse")) or text(one.get("MaterialActualUse")) or "").lower()
    if use not in GOOD and use not in SCRAP:
        return f"has MaterialUse {use or 'missing'!r}, of which nothing is kept"
    if part.unit is None:
        return "is of no equipment"
    if part.begin is None or part.end is None:
        return "has no StartTime and EndTime around it"
    amounts = [_amount(each) for each in _many(one.get("Quantity"))]
    if len(amounts) != 1 or amounts[0] is None:
        return "has no one Quantity with a number as QuantityString and a UnitOfMeasure"
    amount, measure = amounts[0]
    product = text(one.get("MaterialDefinitionID"))
    found.statements.append(
        {
            "kind": "production", "id": f"{name}@{part.unit}", "seq": part.seq, "order": part.order, "unit": part.unit,
            "from": part.begin, "to": part.end, "good": amount if use in GOOD else 0,
            "scrap": amount if use in SCRAP else 0, "measure": measure,
        }
        | ({} if product is None else {"product": product})
    )  # fmt: skip
    return None


def _amount(quantity: Any) -> tuple[float, str] | None:
    if not isinstance(quantity, dict):
        return None
    number, measure = quantity.get("QuantityString"), text(quantity.get("UnitOfMeasure"))
    try:
        value = float(plain(number))
    except (TypeError, ValueError):
        return None
    return None if measure is None else (value, UNITS.get(measure.lower(), measure))


def _units(found: Translated, place: str, part: Mapping[str, Any]) -> list[str]:
    units = list[str]()
    for j, one in enumerate(_many(part.get("EquipmentActual"))):
        unit = text(one.get("EquipmentID")) if isinstance(one, dict) else text(one)
        if unit is None:
            found.ignored.append(f"{place}.EquipmentActual[{j}] has no EquipmentID.")
        elif unit not in units:
            units.append(unit)
    return units


def _time(part: Mapping[str, Any], name: str, inherited: Any) -> Any:
    for member in (f"Actual{name}Time", f"{name}Time"):
        if plain(part.get(member)) is not None:
            return plain(part[member])
    return inherited


def _many(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def plain(given: Any) -> Any:
    """A value, out of the object or list of one that B2MML may put it in."""
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    return given.get("value") if isinstance(given, dict) else given


def text(given: Any) -> str | None:
    """A text as it is, anything else as if it were not there."""
    found = plain(given)
    return found if isinstance(found, str) and found else None
