"""How far what stands in a plant file is to be trusted, and how far it may be off."""

from typing import Annotated, Literal

from pydantic import Field

from ingest.plant.fields import Entry, Positive, Text

Trust = Literal["R", "RF", "P", "unconfirmed"]
"""R read in the rule itself, RF its formula read and the number computed, P a peer's, else unconfirmed."""


class Uncertainty(Entry):
    """How far something may be off: its relative standard uncertainty (k = 1)."""

    percent: Positive
    """Of the part that lasts: for a calibration epoch of an instrument, a version of a factor."""
    random_percent: Positive | None = None
    """Of the part that changes from hour to hour."""
    rho: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.0
    """Correlation of the random part from one hour to the next."""
    observations: Annotated[int, Field(strict=True, ge=2)] | None = None
    """How many it was found from (type A); default: it is known well."""
    source: Text
    trust: Trust


def one_uncertainty(uncertainty: Uncertainty | None, uncertainty_class: str | None) -> None:
    """Refuse both."""
    if uncertainty is not None and uncertainty_class is not None:
        raise ValueError("an uncertainty or an uncertainty_class, not both")
