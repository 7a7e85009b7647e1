"""Words for what a MES tells, and for what its statements come to over time.

A *statement* is one immutable fact under the MES's own id: an order was started on a unit at
an instant, so much was made, a machine changed its state. Statements come late, twice and in any order; of one
`(kind, id)` the one with the largest `seq` counts (none lowest), of equal ones that whose digest is larger. What
they come to, a `Book`, is a function of the set of them. It judges nothing by when we heard
of it: `as_of` is a smaller set.

Instants are µs UTC, spans `[start, end)`, units are full ids.
"""

from dataclasses import dataclass
from typing import Literal

MachineState = Literal["run", "idle", "ramp", "changeover", "off"]
"""`run`: makes product; `idle`: on, makes none; `ramp`: heats up, starts, runs down; `changeover`: between
two products; `off`: switched off."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which one order ran on one unit, without its pauses."""

    order: str
    unit: str
    start_at: int
    end_at: int | None
    """None: as far as has been told it still runs."""


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A stretch in which a unit was in a state, as the MES told."""

    unit: str
    state: MachineState
    start_at: int
    end_at: int | None
    """None: until something else is told."""


@dataclass(frozen=True, slots=True)
class Produced:
    """A count of production: of an order, or of a unit at large (`order` None)."""

    id: str
    unit: str
    order: str | None
    product: str | None
    start_at: int
    end_at: int
    good: float
    scrap: float
    measure: str
    """Unit of both quantities, of mass, volume or `1` (pieces), as told."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order or batch: what its statements come to."""

    id: str
    product: str | None
    batch: str | None
    planned: float | None
    measure: str | None
    """Unit of `planned`."""
    segments: tuple[Segment, ...]
    """Sorted by start, then unit; those of one unit do not overlap."""
    produced: tuple[Produced, ...]
    """Sorted by start, then id."""
    closed: bool
    """The MES said that it is finished: nothing more is expected of it."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Statements that cannot both be true, as a stop before its start; what they claim is in no segment."""

    order: str
    unit: str
    at: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Book:
    """All that is known of a site's orders which touch a span."""

    orders: tuple[Order, ...]
    """Sorted by id. Segments of different orders may overlap on a unit: how they share is said by the plant file."""
    states: tuple[StateSpan, ...]
    """Sorted by unit, then start; those of one unit do not overlap."""
    produced: tuple[Produced, ...]
    """Of no order. Sorted by start, then id."""
    contradictions: tuple[Contradiction, ...]


def of_id(book: Book, order: str) -> Order | None:
    """An order of a book; None: nothing that counts was told of it."""
    return next((one for one in book.orders if one.id == order), None)
