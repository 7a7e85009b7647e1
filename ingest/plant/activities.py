"""What a plant knows from papers: activities that documents tell, and properties that laboratories do.

An activity is told by invoices, weighbridge tickets and changes of stock instead of a
meter; an analysis stands for a factor of the sources that name it. Documents themselves
are facts, not part of the plant file.
"""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ValidationError, model_validator

from ingest.plant.fields import Bases, Entry, Expected, Positive, Segment, Text, parse_path
from ingest.plant.trust import Uncertainty, one_uncertainty


class Activity(Entry):
    """A quantity of which documents tell amounts over spans of time."""

    id: Segment
    name: Text
    unit: Text
    """In which its amounts are kept; a document's own unit is converted."""
    basis: Bases = ()
    carrier: Segment | None = None
    product: Segment | None = None
    resolution: Positive = 1e-6
    """Size of one count, in its unit: amounts are whole counts, so that what is spread over time adds up."""


class Analysis(Entry):
    """A property that a laboratory determines, valid for a span of time or a lot; a factor of sources."""

    id: Segment
    name: Text
    unit: Text
    basis: Bases = ()
    default: Segment | None = None
    """The factor that stands in where no approved analysis covers; without one there is no mass then."""
    uncertainty: Uncertainty | None = None
    """`percent` of the laboratory, which lasts, `random_percent` of every sample."""
    uncertainty_class: Text | None = None
    """A row of the instrument table, as ncv-laboratory."""

    @model_validator(mode="after")
    def _judged(self) -> Self:
        one_uncertainty(self.uncertainty, self.uncertainty_class)
        return self


class Documented(Entry):
    """The activity of a source that documents tell."""

    document: Segment


def _activity(value: Any) -> Any:
    if isinstance(value, Documented):
        return value
    if isinstance(value, str):
        return parse_path(value)
    try:
        return Documented.model_validate(value)
    except ValidationError:
        raise ValueError("the id of a point, or {document: the id of an activity}") from None


SourceActivity = Annotated[
    str | Documented,
    BeforeValidator(_activity),
    Expected("an id such as kiln/energy"),
]
"""A point's id, or an activity of which documents tell."""
