"""The rows of the factor ledger, read once and checked as they are read.

A row is one coefficient: what it is (kind, subject), where it holds (geography,
equipment, data year, edition, validity), its value with unit, basis and reference
state, where it was read and how sure that is. Some say that there is no value, or a
range: that is an answer too, and never a number. Editions differ, so nothing here is a
default: every look-up names what it wants.
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ingest.errors import InputError
from ingest.units import measure

Trust = Literal["R", "P", "unconfirmed"]
Basis = Literal["dry", "wet", "0C", "15C", "20C", "GCV", "NCV", "calorific", "equal_value"]
KEYS = ("kind", "subject", "geography", "equipment", "edition", "data_year", "gwp")
"""What tells rows apart, besides their validity."""


@dataclass(frozen=True, slots=True)
class Value:
    """A number, a range (the plant gives its own number), or none."""

    number: float | None
    low: float | None = None
    high: float | None = None


def _value(text: object) -> Value:
    assert isinstance(text, str)
    if not text:
        return Value(None)
    low, dots, high = text.partition("..")
    try:
        numbers = [float(low), float(high)] if dots else [float(low)]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)) or (dots and numbers[0] >= numbers[1]):
        raise ValueError("a number, a range such as 0.1..0.3, or nothing")
    return Value(None, *numbers) if dots else Value(numbers[0])


def _words(text: object) -> object:
    return tuple(text.split()) if isinstance(text, str) else text


def _or_none(text: object) -> object:
    return text or None


Maybe = BeforeValidator(_or_none)


class FactorRow(BaseModel):
    """One coefficient with its source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    """What the value is of: ncv, oxidation, grid, gwp100, …"""
    subject: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    """Of which fuel, gas, material or method."""
    geography: str
    """CN, a region of it (CN-east), US, EU, world."""
    equipment: Annotated[str | None, Maybe]
    """None: whatever burns or makes it."""
    edition: Annotated[str | None, Maybe]
    data_year: Annotated[int | None, Maybe]
    """The year whose data it is made of."""
    published: Annotated[date | None, Maybe]
    value: Annotated[Value, BeforeValidator(_value)]
    unit: str
    basis: Annotated[tuple[Basis, ...], BeforeValidator(_words)]
    """What the unit leaves open."""
    reference: Annotated[str | None, Maybe]
    """What else the value is per or at: a person and year, the carbon."""
    gwp: Annotated[Literal["SAR", "AR4", "AR5", "AR6"] | None, Maybe]
    valid_from: Annotated[date | None, Maybe]
    valid_to: Annotated[date | None, Maybe]
    """First day on which it holds no more."""
    source: Annotated[str, Field(min_length=1)]
    trust: Trust
    note: Annotated[str | None, Maybe]

    @model_validator(mode="after")
    def _readable(self) -> "FactorRow":
        try:
            measure(self.unit, self.basis)
        except InputError as refusal:
            raise ValueError(str(refusal)) from None
        if self.value.number is None and self.note is None:
            raise ValueError("a value, or a note that says why there is none")
        return self

    @property
    def key(self) -> tuple[object, ...]:
        """What no other row has."""
        return (*(getattr(self, name) for name in KEYS), self.valid_from)

    def holds_at(self, at: date | None) -> bool:
        """Whether it is valid on a day; any day if none is asked."""
        if at is None:
            return True
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_to is None or at < self.valid_to
        )

    @property
    def where(self) -> str:
        """`geography CN, edition cn-24-sector`: what tells it from others of its kind and subject."""
        return ", ".join(
            f"{name.replace('_', ' ')} {value}"
            for name in KEYS[2:]
            if (value := getattr(self, name)) is not None
        )

    def __str__(self) -> str:
        """`ncv of coke (geography CN, edition cn-24-sector)`."""
        return f"{self.kind} of {self.subject} ({self.where})"


@cache
def ledger() -> tuple[FactorRow, ...]:
    """All rows that are shipped.

    Raises InputError, one sentence, for the first row that is wrong or stands twice.
    """
    tables = sorted(
        (
            entry
            for entry in files("ingest.factors").joinpath("tables").iterdir()
            if entry.name.endswith(".csv")
        ),
        key=lambda entry: entry.name,
    )
    return read((table.name, table.read_text(encoding="utf-8")) for table in tables)


def read(tables: Iterable[tuple[str, str]]) -> tuple[FactorRow, ...]:
    """Rows of tables (name, CSV text); raises as `ledger`."""
    rows: list[FactorRow] = []
    seen: dict[tuple[object, ...], str] = {}
    for name, text in tables:
        lines = csv.DictReader(StringIO(text), restval="")
        for number, line in enumerate(lines, start=2):
            where = f"{name}, line {number}"
            try:
                row = FactorRow.model_validate(line)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                place = ".".join(map(str, first["loc"])) or "the row"
                raise InputError(
                    f"{where}: {place} is {first['input']!r}; {_lowered(first['msg'])}"
                ) from None
            if row.key in seen:
                raise InputError(f"{where}: {row} stands twice; first in {seen[row.key]}")
            seen[row.key] = where
            rows.append(row)
    return tuple(rows)


def _lowered(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def required(row: FactorRow) -> float:
    """The value of a row.

    Raises InputError, one sentence, where it says that there is none, or a range.
    """
    found = row.value
    if found.number is not None:
        return found.number
    said = "no value" if found.low is None else f"{found.low} to {found.high} {row.unit}"
    raise InputError(f"the ledger's {row} has {said}: {row.note}; expected a value of the plant's own")
