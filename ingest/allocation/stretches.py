"""To whom the time of a unit belongs.

A span is cut where segments and states of the unit begin and end. A stretch is its order's; where several run at once theirs
by the unit's key, or nobody's; without an order it is what the machine's state says. A pure function of
book and span; it knows no amounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from ingest.mes.model import Book, Order, StateSpan
from ingest.plant.mes_plan import PlanOrderUnit

OwnerKind = Literal["order", "run", "idle", "ramp", "changeover", "off", "unallocated"]


class Owner(NamedTuple):
    """Whose a part of an amount is."""

    kind: OwnerKind
    order: str = ""
    """Of kind order."""
    detail: str = ""
    """Of an order the state it ran in, of nobody why: no_order, overlap, no_key, gap, remainder."""


NOBODY = Owner("unallocated", detail="no_order")
OVERLAP = Owner("unallocated", detail="overlap")
NO_KEY = Owner("unallocated", detail="no_key")
REMAINDER = Owner("unallocated", detail="remainder")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time of a unit, [start_at, end_at) µs, and whose it is."""

    start_at: int
    end_at: int
    owners: tuple[tuple[Owner, float], ...]
    """With their weights, at least one above 0; by order id."""


def stretches(unit: PlanOrderUnit, book: Book, span: tuple[int, int]) -> list[Stretch]:
    """The whole of a span, µs, by owners."""
    begin, end = span
    running = [
        (max(one.start_at, begin), min(end if one.end_at is None else one.end_at, end), order)
        for order in book.orders
        for one in order.segments
        if one.unit == unit.id
    ]
    states = [one for one in book.states if one.unit == unit.id]
    changes: list[tuple[int, int, int]] = []
    for number, (start, stop, _) in enumerate(running):
        if start < stop:
            changes += [(start, 1, number), (stop, 0, number)]
    edges = sorted({begin, end, *(at for at, _, _ in changes), *_edges(states, begin, end)})
    changes.sort()
    found: list[Stretch] = []
    active: set[int] = set()
    at_change = at_state = 0
    for start, stop in pairwise(edges):
        while at_change < len(changes) and changes[at_change][0] <= start:
            _, opens, number = changes[at_change]
            (active.add if opens else active.discard)(number)
            at_change += 1
        while (
            at_state < len(states) and states[at_state].end_at is not None and _end(states[at_state]) <= start
        ):
            at_state += 1
        state = ""
        if at_state < len(states) and states[at_state].start_at <= start:
            state = states[at_state].state
        owners = _owners(unit, [running[number][2] for number in active], state)
        if found and found[-1].owners == owners:
            found[-1] = Stretch(found[-1].start_at, stop, owners)
        else:
            found.append(Stretch(start, stop, owners))
    return found


def _owners(unit: PlanOrderUnit, orders: Sequence[Order], state: str) -> tuple[tuple[Owner, float], ...]:
    if not orders:
        kind = Owner(state) if state in ("idle", "ramp", "changeover", "off") else NOBODY  # type: ignore[arg-type]
        return ((kind, 1.0),)
    if len(orders) == 1:
        return ((Owner("order", orders[0].id, state), 1.0),)
    if unit.overlap == "refuse":
        return ((OVERLAP, 1.0),)
    ranked = sorted(orders, key=lambda order: order.id)
    if unit.overlap == "time":
        return tuple((Owner("order", order.id, state), 1.0) for order in ranked)
    planned = [order.planned for order in ranked]
    if (
        any(one is None for one in planned)
        or len({order.measure for order in ranked}) > 1
        or not any(planned)
    ):
        return ((NO_KEY, 1.0),)
    return tuple((Owner("order", order.id, state), order.planned or 0.0) for order in ranked)


def _edges(states: Sequence[StateSpan], begin: int, end: int) -> list[int]:
    found = [one.start_at for one in states] + [_end(one) for one in states if one.end_at is not None]
    return [at for at in found if begin < at < end]


def _end(state: StateSpan) -> int:
    assert state.end_at is not None
    return state.end_at
