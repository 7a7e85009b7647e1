"""Stages of production and what flows between them, as the plant file writes it.

A product is made by one stage and counted where it is made, where another stage takes it, and where it
leaves. Ids are relative to the site. What is counted nowhere is never guessed.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ingest.plant.fields import Entry, Instant, Number, Path, Positive, Segment, Text

Amount = Annotated[Number, Field(ge=0)]


class Opening(Entry):
    """What lay in stock at an instant, and what it carried: the books begin here."""

    at: Instant
    quantity: Amount
    """In the unit of the product's points."""
    co2e_t: Amount


class Output(Entry):
    """A product of a stage."""

    product: Segment
    point: Path
    """Counts what is made."""
    leaves: Path | None = None
    """Counts what leaves the plant."""
    weight: Positive | None = None
    """Of the stage's key: heating value or price per unit of the product, or a fixed part; of mass none."""
    opening: Opening | None = None
    """Default: what is in stock is not known, and so is no figure that draws on it."""


class Input(Entry):
    """A product of another stage that this one takes."""

    product: Segment
    point: Path


class BoughtInput(Entry):
    """Goods from outside the plant."""

    goods: Segment
    point: Path
    factor: Segment
    """CO2e per amount of the point, or `unknown`: then no figure that rests on it is told."""


class StageEntry(Entry):
    """A stage: units, what they make, and from what."""

    id: Segment
    name: Text | None = None
    units: Annotated[tuple[Path, ...], Field(min_length=1)]
    sources: tuple[Path, ...] | None = None
    """Its emission sources; default: those whose unit is one of its own or below it."""
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    inputs: tuple[Input, ...] = ()
    bought: tuple[BoughtInput, ...] = ()
    key: Literal["mass", "energy", "economic", "shares"] = "mass"
    """How its products share what it carries."""

    @model_validator(mode="after")
    def _weighed(self) -> Self:
        if any((one.weight is None) != (self.key == "mass") for one in self.outputs):
            raise ValueError("a weight of each output where, and only where, the key is not mass")
        for names in (
            [one.product for one in self.outputs],
            [one.product for one in self.inputs],
            [one.goods for one in self.bought],
        ):
            if len(names) > len(set(names)):
                raise ValueError("each output, input and bought goods once")
        return self
