"""Factors of a plant file: a value, a row of the ledger, or values that change with time.

A factor `from` the ledger is looked up when the file is read; what was found stands in
the plan version from then on. A series is for what changes by year or hour: each
interval takes the value in force at its start, and where there is none (before the
first step, or a step without a value) the source has no mass, never 0.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from ingest.errors import InputError, PlantError
from ingest.factors import FactorRow, Key, find, required
from ingest.plant.fields import Bases, Date, Entry, Expected, Number, Segment, Text, Whole, parse_day
from ingest.plant.sentence import Place, fault, from_validation, spell
from ingest.plant.trust import Trust, Uncertainty, one_uncertainty


class LookUp(Entry):
    """A key of the ledger: enough of it to name one row."""

    kind: Text
    """What the value is of: ncv, oxidation, grid, …"""
    subject: Text
    """Of which fuel, gas, material or method."""
    geography: Text | None = None
    equipment: Text | None = None
    edition: Text | None = None
    data_year: Whole | None = None
    gwp: Literal["SAR", "AR4", "AR5", "AR6"] | None = None
    at: Date | None = None
    """A day on which the row is valid."""

    def key(self) -> Key:
        """What the ledger is asked."""
        return Key(**{name: getattr(self, name) for name in type(self).model_fields})


Since = Annotated[
    date | datetime,
    PlainValidator(parse_day),
    PlainSerializer(lambda since: since.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2024-01-01", "2024-01-01T09:00:00+08:00"]}),
    Expected("a date such as 2024-01-01, or an instant with its offset"),
]
"""A day's beginning in the plant's zone, or an instant."""


def unless_looked_up(*names: str) -> ConfigDict:
    """For editors: keys that an entry needs unless it is `from` the ledger, which fills them in."""

    def loosen(schema: dict[str, Any]) -> None:
        schema["required"] = [name for name in schema["required"] if name not in names]
        schema["anyOf"] = [{"required": ["from"]}, {"required": list(names)}]

    return ConfigDict(json_schema_extra=loosen)


class FactorStep(Entry):
    """What a factor is from an instant on."""

    model_config = unless_looked_up("source", "trust")

    since: Since
    value: Number | None = None
    """None: not known, so there is no mass from here on."""
    source: Text
    trust: Trust
    data_year: Whole | None = None
    published: Text | None = None
    edition: Text | None = None
    look_up: LookUp | None = Field(None, alias="from")


class Factor(Entry):
    """A coefficient with its source; a change of it is a new plan version."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: schema.update(required=["id"])  # a look-up fills the unit in
    )

    id: Segment
    name: Text | None = None
    value: Number | None = None
    unit: Text
    basis: Bases = ()
    source: Text | None = None
    """Where the value was read."""
    trust: Trust | None = None
    uncertainty: Uncertainty | None = None
    uncertainty_class: Text | None = None
    """A row of the instrument table; `exact` of a convention such as 44/12."""
    kind: Literal["co2_average", "co2_residual", "fossil", "footprint"] | None = None
    """Of a grid factor; a life-cycle footprint is no Scope 2 factor."""
    region: Text | None = None
    data_year: Whole | None = None
    published: Text | None = None
    edition: Text | None = None
    look_up: LookUp | None = Field(None, alias="from")
    """The row of the ledger it is; the rest is filled in from there."""
    series: tuple[FactorStep, ...] = ()
    """Its values by time, in place of one."""

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        one_uncertainty(self.uncertainty, self.uncertainty_class)
        if self.series:
            if self.value is not None or self.source is not None or self.trust is not None:
                raise ValueError("no value, source or trust beside a series, whose steps have them")
        elif self.value is None or self.source is None or self.trust is None:
            raise ValueError("a value with its source and trust, a key of the ledger under from, or a series")
        return self

    @property
    def number(self) -> float:
        """Its one value; a series has none."""
        assert self.value is not None
        return self.value


_FILLED = ("value", "unit", "basis", "source", "trust", "kind", "region", "data_year", "published", "edition")
_LIFE_CYCLE = {("grid", "footprint"), ("generation_life_cycle", None)}


def looked_up(body: Any, origin: str) -> Any:
    """A plant file as it is written, with what its keys of the ledger lead to beside them.

    Raises PlantError, one sentence, for a key that leads to no one value, or a value beside a key.
    """
    if not isinstance(body, Mapping):
        return body
    filled = dict(body)
    for key, fill in (("factors", _factor), ("benchmarks", _benchmark)):
        if isinstance(body.get(key), list):
            filled[key] = [
                fill(entry, origin, (key, i)) if isinstance(entry, Mapping) else entry
                for i, entry in enumerate(body[key])
            ]
    return filled


def _benchmark(mark: Mapping[str, Any], origin: str, place: Place) -> Mapping[str, Any]:
    names = ("value", "unit", "basis", "source", "trust")
    if mark.get("from") is None:
        return mark
    found = _filled(mark, origin, place, names)
    return {**mark, **{name: found[name] for name in names}}


def _factor(factor: Mapping[str, Any], origin: str, place: Place) -> Mapping[str, Any]:
    if factor.get("from") is not None:
        return {**factor, **_filled(factor, origin, place, _FILLED)}
    if not isinstance(factor.get("series"), list):
        return factor
    steps, filled = [], dict(factor)
    for i, step in enumerate(factor["series"]):
        where = (*place, "series", i)
        if not isinstance(step, Mapping) or step.get("from") is None:
            steps.append(step)
            continue
        found = _filled(
            step, origin, where, ("value", "source", "trust", "data_year", "published", "edition")
        )
        for name in ("unit", "basis", "kind", "region"):
            given = filled.setdefault(name, found[name])
            if given != found[name]:
                said = found[name]
                raise fault(origin, (*where, "from"), f"of {name} {said}", f"a row whose {name} is {given}")
        steps.append({**step, **{name: found[name] for name in found if name in FactorStep.model_fields}})
    return {**filled, "series": steps}


def _filled(entry: Mapping[str, Any], origin: str, place: Place, filled: tuple[str, ...]) -> dict[str, Any]:
    """What the row that an entry's key names says of the entry; a stored body says the same beside it."""
    try:
        key = LookUp.model_validate(entry["from"])
    except ValidationError as error:
        raise from_validation(origin, error, LookUp, (*place, "from")) from None
    try:
        row = find(key.key())
        value = required(row)
    except InputError as refusal:
        raise PlantError(f"{origin}: {spell((*place, 'from'))}: {refusal}") from None
    found = _as_entry(row, value)
    for name in filled:
        if name in entry and entry[name] != found[name]:
            raise fault(origin, (*place, name), entry[name], "nothing beside from, which fills it in")
    return found


def _as_entry(row: FactorRow, value: float) -> dict[str, Any]:
    life_cycle = (row.kind, row.subject) in _LIFE_CYCLE or (row.kind, None) in _LIFE_CYCLE
    said = "; ".join(text for text in (row.source, row.reference, row.note) if text)
    return {
        "value": value,
        "unit": row.unit,
        "basis": list(row.basis),
        "source": said,
        "trust": row.trust,
        "kind": "footprint" if life_cycle else row.subject if row.kind == "grid" else None,
        "region": row.geography,
        "data_year": row.data_year,
        "published": None if row.published is None else row.published.isoformat(),
        "edition": row.edition,
    }
