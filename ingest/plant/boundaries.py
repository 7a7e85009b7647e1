"""A balance over a fence, and the units it is attributed to.

What enters and leaves a works with its carbon is one account of what it emits; what its
units burn of the gas it makes is another of the same carbon. The second is shown as attribution of the first and
never added to it: what the units do not explain is unallocated.
"""

from typing import Annotated

from pydantic import Field

from ingest.plant.fields import Entry, Path, Segment, Text


class Boundary(Entry):
    """Sources whose masses add up to what crosses a fence, and those that tell where it is emitted."""

    id: Segment
    name: Text
    sources: Annotated[tuple[Path, ...], Field(min_length=1)]
    """The balance: all of one gas and calculated; what leaves in products counts negative."""
    attributed: tuple[Path, ...] = ()
    """By unit, measured or calculated; in account attributed, so in no total."""
