"""Units on which orders run and what serves them, as the plant file writes it.

Which meters are a unit's total is said, never guessed: a total that holds a meter twice would
give an order energy that nobody used. Ids are relative to the site.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ingest.plant.fields import Entry, Path, Segment, Share, Text, Topic


class OrderUnit(Entry):
    """A unit on which orders run."""

    unit: Path
    meters: tuple[Path, ...] = ()
    """Points whose amounts are the unit's total; no two of them may measure the same thing."""
    sources: tuple[Path, ...] | None = None
    """Its emission sources; default: those whose unit is this one or below it."""
    output: Path | None = None
    """The point that counts good product, where the MES tells no quantity."""
    overlap: Literal["refuse", "time", "planned"] = "refuse"
    """How orders share what they run at the same time: not at all, evenly by time, or by planned quantity."""


class SharedUtility(Entry):
    """What serves several units: compressed air, chilled water, light."""

    id: Segment
    name: Text | None = None
    meters: tuple[Path, ...] = ()
    sources: tuple[Path, ...] = ()
    to: Annotated[tuple[Path, ...], Field(min_length=1)]
    """The units it serves."""
    by: Literal["energy", "output", "time", "shares"]
    """Its key, interval by interval: the units' energy, their output, the time they work, or fixed shares."""
    shares: dict[Path, Share] = Field(default_factory=dict)
    """Of `shares`: one of each unit served; what they leave of 1 is nobody's."""

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if (self.by == "shares") != bool(self.shares):
            raise ValueError("shares where, and only where, it is shared by shares")
        if self.shares and (set(self.shares) != set(self.to) or sum(self.shares.values()) > 1):
            raise ValueError("shares of the units it serves, together at most 1")
        return self


class Mes(Entry):
    """The link to a MES."""

    topics: tuple[Topic, ...] = ()
    """MQTT topics on which it tells, beside `{prefix}/{site}/$mes`."""
    units: Annotated[tuple[OrderUnit, ...], Field(min_length=1)]
    shared: tuple[SharedUtility, ...] = ()
