"""One sentence per fault of a plant file: which file, where, what it says, what was expected.

    cement.yaml: points[3].period is '5 sec'; expected a duration such as 5s, 15min, 1h or 1d

Both faults found by pydantic and faults found by the checks after it go through
here. Of several faults the first is told; a fault told is a fault that can be put right.
"""

from collections.abc import Sequence
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ingest.errors import PlantError
from ingest.plant.fields import Expected

Place = Sequence[str | int]
"""Keys and list positions from the top of the file."""


def fault(origin: str, place: Place, value: Any, expected: str) -> PlantError:
    """The error for a value that is there but wrong."""
    return PlantError(f"{origin}: {spell(place)} is {_short(value)}; expected {expected}")


def absent(origin: str, place: Place, expected: str) -> PlantError:
    """The error for a value that is not there."""
    return PlantError(f"{origin}: {spell(place)} is missing; expected {expected}")


def spell(place: Place) -> str:
    """`points[3].unit`; the file itself is `the file`."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{_key(step)}"
    return text.removeprefix(".") or "the file"


def _key(key: str) -> str:
    """A key as it was written, unless that would spoil the sentence."""
    return key if key.isprintable() and len(key) <= 60 else _short(key)


def from_validation(
    origin: str, error: ValidationError, model: type[BaseModel], within: Place = ()
) -> PlantError:
    """The first of pydantic's errors as one sentence; `within` is the place of what was checked."""
    first = error.errors(include_url=False)[0]
    place = [step for step in first["loc"] if step != "[key]"]
    owner, field = _declaration(model, place)
    place = [*within, *place]
    match first["type"]:
        case "extra_forbidden":
            known = ", ".join(_declared(owner)) if owner else "nothing"
            return PlantError(f"{origin}: {spell(place)} is not a known key; expected one of {known}")
        case "missing":
            wanted = _wanted(field) if field else "a value"
            return absent(origin, place, wanted)
        case "value_error":
            return fault(origin, place, first["input"], str(first["ctx"]["error"]))
        case "tuple_type":
            return fault(origin, place, first["input"], "a list")
        case "model_type" | "dict_type" | "model_attributes_type":
            return fault(origin, place, first["input"], "keys and values")
        case _:
            text = first["msg"].removeprefix("Input should be ").replace("a valid ", "a ")
            return fault(origin, place, first["input"], text[:1].lower() + text[1:])


def _declaration(model: type[BaseModel], place: Place) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model that owns the last key of `place`, and the key's field where it is declared."""
    owner: type[BaseModel] | None = model
    holder: type[BaseModel] | None = None
    field: FieldInfo | None = None
    for step in place:
        if isinstance(step, int) or owner is None:
            continue
        holder, field = owner, _declared(owner).get(step)
        owner = _inner(field.annotation) if field else None
    return holder, field


def _declared(owner: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the keys that a file has for them."""
    return {field.alias or name: field for name, field in owner.model_fields.items()}


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model inside `list[…]`, `… | None` or plain."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_inner(part) for part in get_args(annotation))
    return next((part for part in found if part), None)


def _wanted(field: FieldInfo) -> str:
    for mark in field.metadata:
        if isinstance(mark, Expected):
            return mark.text
    annotation = field.annotation
    if get_origin(annotation) in {Union, UnionType}:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return " or ".join(repr(choice) for choice in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(repr(member.value) for member in annotation)
    return "a list" if get_origin(annotation) is tuple else "a value"


def _short(value: Any) -> str:
    """A value as the reader knows it; an entry by its id."""
    if isinstance(value, BaseModel):
        value = value.model_dump(include={"id"})
    if isinstance(value, dict) and "id" in value:
        value = value["id"]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
