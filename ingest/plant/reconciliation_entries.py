"""Which accounts of a plant are held against each other, as the plant file writes it.

Whether what is named fits together is checked where it is compiled (`reconciliations`).
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ingest.plant.fields import Entry, Path, Positive, Segment, Span, Text


class Account(Entry):
    """A calculated source that goes up the stack."""

    source: Path
    lag: Span = 0
    """How much later than at the stack it is registered: a weigher behind the cooler."""


class FlueGas(Entry):
    """What the composition of the dry gas is held against."""

    co2: Path
    o2: Path
    rq: Positive
    """CO2 formed by O2 used of the fuel, by volume: 0.89 of a coal."""
    fuel: Annotated[tuple[Path, ...], Field(min_length=1)]
    """Which of the calculated sources burn (raw-meal carbon too); the others are carbonates."""
    product: Path | None = None
    """The point whose amount the fuel is for."""
    fuel_kg_per_product: Positive | None = None
    """kg of the fuel's CO2 for one unit of product: the baseline of r4."""
    baseline_percent: Positive | None = None
    """Standard uncertainty of that."""

    @model_validator(mode="after")
    def _baseline(self) -> Self:
        given = [self.product, self.fuel_kg_per_product, self.baseline_percent]
        if any(one is None for one in given) and any(one is not None for one in given):
            raise ValueError("product, fuel_kg_per_product and baseline_percent, or none of them")
        return self


class Reconciliation(Entry):
    """A measured source against the calculated ones of the same gas and boundary."""

    id: Segment
    name: Text | None = None
    measured: Path
    calculated: Annotated[tuple[Account, ...], Field(min_length=1)]
    additions: tuple[Path, ...] = ()
    """Sources of the same process that leave by another way (a mill's vent): added to the measured one."""
    methods: tuple[Path, ...] = ()
    """Sources of another method for the same boundary: their difference is shown, never tested."""
    gas: FlueGas | None = None
