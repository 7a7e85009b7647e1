"""What statements come to: orders with their segments, quantities and states.

A pure function of the set of statements. Of one kind and id one counts (`winners`). Events of an order on a
unit, by time, open and close its segments; at one instant an end comes before a begin. What cannot be true is a
contradiction and in no segment. Who shares a unit with whom is the allocation's business.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ingest.mes.model import Book, Contradiction, Order, Produced, Segment, StateSpan
from ingest.mes.statements import Statement

_ENDS_FIRST = {"pause": 0, "stop": 1, "start": 2, "resume": 3}
_MAY = {"start": ("stopped",), "resume": ("paused",), "pause": ("running",), "stop": ("running", "paused")}
"""In which state of an order each event can come."""


def reduce(statements: Iterable[Statement]) -> Book:
    """All that the statements come to."""
    by_order = defaultdict[str, list[Statement]](list)
    states, at_large = list[Statement](), list[Produced]()
    for one in winners(statements):
        if one.kind == "state":
            states.append(one)
        elif one.order is not None:
            by_order[one.order].append(one)
        else:
            at_large.append(_produced(one, one.from_at))
    contradictions = list[Contradiction]()
    orders = tuple(_order(name, by_order[name], contradictions) for name in sorted(by_order))
    return Book(
        orders=orders,
        states=_states(states),
        produced=tuple(sorted(at_large, key=_begun)),
        contradictions=tuple(sorted(contradictions, key=lambda one: (one.at, one.order, one.unit))),
    )


def winners(statements: Iterable[Statement]) -> list[Statement]:
    """Of each kind and id the statement that counts, unless it was withdrawn."""
    return [one for one in counting(statements) if not one.body.get("withdrawn")]


def counting(statements: Iterable[Statement]) -> list[Statement]:
    """Of each kind and id the statement that counts, also if it takes back what was said."""
    best = dict[tuple[str, str], tuple[tuple[int, str], Statement]]()
    for one in statements:
        rank = (one.seq, one.digest)
        before = best.get((one.kind, one.id))
        if before is None or before[0] < rank:
            best[one.kind, one.id] = (rank, one)
    return [one for _, one in best.values()]


def _order(name: str, told: Sequence[Statement], contradictions: list[Contradiction]) -> Order:
    header = dict[str, Any]()
    for one in sorted((one for one in told if one.kind == "order"), key=lambda one: (one.seq, one.content)):
        header |= {**one.body, "closed": header.get("closed", False) or one.body.get("closed", False)}
    events = defaultdict[str, list[Statement]](list)
    spans = defaultdict[str, list[tuple[int, int | None]]](list)
    for one in told:
        if one.kind == "event" and one.unit is not None:
            events[one.unit].append(one)
        elif one.kind == "segment" and one.unit is not None:
            spans[one.unit].append((one.from_at, one.to_at))
    stopped, starts, produced = True, list[Statement](), list[Produced]()
    for unit in sorted(events):
        ordered = sorted(events[unit], key=lambda one: (one.from_at, _ENDS_FIRST[one.body["event"]], one.id))
        found, ended = _ran(name, unit, ordered, contradictions)
        spans[unit] += found
        stopped = stopped and ended
        starts += [one for one in ordered if one.body["event"] == "start"]
        begun = min((begin for begin, _ in found), default=None)
        produced += [
            _produced(one, one.from_at if begun is None else min(begun, one.from_at))
            for one in ordered
            if "good" in one.body
        ]
    segments = [
        Segment(name, unit, begin, end) for unit in sorted(spans) for begin, end in _united(spans[unit])
    ]
    said = [header, *(one.body for one in sorted(starts, key=lambda one: (one.from_at, one.id)))]
    produced += [_produced(one, one.from_at) for one in told if one.kind == "production"]
    planned = next((body for body in said if "planned" in body), {})
    return Order(
        id=name,
        product=next((body["product"] for body in said if "product" in body), None),
        batch=next((body["batch"] for body in said if "batch" in body), None),
        planned=planned.get("planned"),
        measure=planned.get("measure"),
        segments=tuple(sorted(segments, key=lambda one: (one.start_at, one.unit))),
        produced=tuple(sorted(produced, key=_begun)),
        closed=bool(header.get("closed")) or (bool(segments) and stopped),
    )


def _ran(
    order: str, unit: str, ordered: Sequence[Statement], contradictions: list[Contradiction]
) -> tuple[list[tuple[int, int | None]], bool]:
    """The spans of events by time, and whether the last of them was a stop."""
    spans = list[tuple[int, int | None]]()
    begun: int | None = None
    state = "stopped"
    for one in ordered:
        event = one.body["event"]
        if state not in _MAY[event]:
            sentence = f"{event} of order {order} on {unit} comes while it is {state}"
            contradictions.append(Contradiction(order, unit, one.from_at, sentence))
            continue
        if event in ("start", "resume"):
            begun, state = one.from_at, "running"
            continue
        if begun is not None and one.from_at > begun:
            spans.append((begun, one.from_at))
        begun, state = None, "paused" if event == "pause" else "stopped"
    if begun is not None:
        spans.append((begun, None))
    return spans, state == "stopped"


def _united(spans: Sequence[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Spans as disjoint ones, by time; those that touch stay apart."""
    found = list[tuple[int, int | None]]()
    for begin, end in sorted(spans, key=lambda span: (span[0], span[1] is None, span[1] or 0)):
        if found and (found[-1][1] is None or begin < found[-1][1]):
            last = found[-1][1]
            found[-1] = (found[-1][0], None if last is None or end is None else max(last, end))
        else:
            found.append((begin, end))
    return found


def _states(told: Sequence[Statement]) -> tuple[StateSpan, ...]:
    """Each state lasts to the next of its unit; of one instant the statement that sorts last counts."""
    by_unit = defaultdict[str, dict[int, Statement]](dict)
    for one in sorted(told, key=lambda one: (one.unit or "", one.from_at, one.seq, one.content, one.id)):
        by_unit[one.unit or ""][one.from_at] = one
    spans = list[StateSpan]()
    for unit, at in sorted(by_unit.items()):
        begins = sorted(at)
        for begin, end in zip(begins, [*begins[1:], None], strict=True):
            spans.append(StateSpan(unit, at[begin].body["state"], begin, end))
    return tuple(spans)


def _produced(one: Statement, start_at: int) -> Produced:
    return Produced(
        id=one.id,
        unit=one.unit or "",
        order=one.order,
        product=one.body.get("product"),
        start_at=start_at,
        end_at=one.to_at,
        good=one.body["good"],
        scrap=one.body["scrap"],
        measure=one.body["measure"],
    )


def _begun(one: Produced) -> tuple[int, str]:
    return one.start_at, one.id
