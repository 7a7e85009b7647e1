"""Whose the energy and emissions of a unit were over a span: rows by owner that add up to the unit's total with ==."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pydantic import Field

from ingest.allocation.lines import Line, Part, lines
from ingest.allocation.stretches import Owner
from ingest.mes.model import Book
from ingest.model import DAY, Quality
from ingest.plant.mes_plan import PlanOrderUnit
from ingest.plant.plan import Plan
from service.documents import Document, Instant
from service.figures import QUALITY_NAMES, QualityName
from service.footprints import allocated
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError, invalid
from service.reports.spans import shifts_within
from service.store import Connection

AllocationGroup = Literal["owner", "order", "batch", "product", "shift"]
MOST_US = 62 * DAY


class AllocationDocument(Document):
    """What one group has of one meter or source, or the unit's total of it."""

    from_: Instant = Field(alias="from")
    to: Instant
    group: str = Field(
        description="Of group_by; idle, ramp, changeover, off, or unallocated with why; total: all of it"
    )
    id: str = Field(description="Full id of the point or source")
    kind: Literal["energy", "emission"]
    shared: str | None = Field(
        description="The utility it belongs to, of which this is what the unit is given"
    )
    unit: str
    value: float
    exact: str = Field(
        description="The same as an exact fraction: those of the groups add up to that of total"
    )
    time_s: float = Field(description="How much time of the unit is the group's")
    valid_share: float
    quality: QualityName


@dataclass(frozen=True, slots=True)
class Asked:
    """Of what, instants in µs on edges of intervals."""

    unit: str
    span: tuple[int, int]
    group_by: AllocationGroup


def checked(plan: Plan, unit: str, span: tuple[int, int], group_by: AllocationGroup) -> Asked:
    """What is asked for, on the plan's intervals.

    Raises:
        ProblemError: no orders run on the unit, or the span is too long.
    """
    for full in (unit, f"{plan.site}/{unit}"):
        if full in plan.mes.by_unit:
            break
    else:
        known = " or ".join(plan.mes.by_unit) or "none, for the plant file has no mes"
        raise invalid("Query parameter", "unit", unit, f"a unit on which orders run: {known}")
    step = plan.interval_us
    begin, end = span[0] // step * step, -(-span[1] // step) * step
    if end - begin > MOST_US:
        raise ProblemError("too-much-asked", "An allocation is of at most 62 days: ask for a shorter span.")
    return Asked(full, (begin, end), group_by)


async def rows_of(
    connection: Connection, plans: PlanCache, site: SitePlan, asked: Asked, batch_no: int | None
) -> list[AllocationDocument]:
    """The rows of each line, the unit's total behind those of its groups."""

    def unit_of(plan: Plan) -> list[PlanOrderUnit]:
        return [plan.mes.by_unit[asked.unit]] if asked.unit in plan.mes.by_unit else []

    whole = await allocated(connection, plans, site, unit_of, asked.span, batch_no)
    plan, units = whole.plan, whole.units
    spans = [("", asked.span)]
    if asked.group_by == "shift":
        step = plan.interval_us
        spans = [
            # an interval over the change of shifts is the later one's, so none is cut
            (name, (begin // step * step, end // step * step))
            for name, (begin, end) in shifts_within(asked.span, plan.file.calendar, plan.zone)
            if begin // step < end // step
        ]
    found = []
    for name, span in spans:
        of_span = lines(plan, units, whole.book, span, whole.stored.within(span)) if name else whole.lines
        for line in of_span:
            found += _rows(plan, asked.unit, whole.book, line, span, asked.group_by, name)
    return found


def _rows(
    plan: Plan,
    unit: str,
    book: Book,
    line: Line,
    span: tuple[int, int],
    group_by: AllocationGroup,
    name: str,
) -> list[AllocationDocument]:
    # a utility's part without a unit is of no unit; of a unit's own line it is a remainder
    parts = [part for part in line.parts if part.unit == unit or (line.shared is None and not part.unit)]
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(name or _group(part.owner, book, group_by), []).append(part)
    made = [_row(plan, line, span, group, members) for group, members in sorted(groups.items())]
    return made if name else [*made, _row(plan, line, span, "total", parts)]


def _group(owner: Owner, book: Book, group_by: AllocationGroup) -> str:
    if owner.kind == "unallocated":
        return f"unallocated: {owner.detail}"
    if owner.kind != "order" or group_by == "owner":
        return owner.kind
    if group_by == "order":
        return f"order: {owner.order}"
    order = next(one for one in book.orders if one.id == owner.order)
    told = order.batch if group_by == "batch" else order.product
    return f"{group_by}: {told}" if told is not None else f"no {group_by}"


def _row(
    plan: Plan, line: Line, span: tuple[int, int], group: str, parts: Sequence[Part]
) -> AllocationDocument:
    exact = sum((part.amount for part in parts), Fraction(0))
    time_us = sum(part.portion.span_us for part in parts)
    valid_us = sum(part.portion.valid_us for part in parts)
    point = None if line.is_source else plan.points[plan.index[line.id]]
    return AllocationDocument(
        from_=span[0],
        to=span[1],
        group=group,
        id=line.id,
        kind="energy" if point is not None else "emission",
        shared=line.shared,
        unit="kg" if point is None else point.amount_unit or "1",
        value=float(exact),
        exact=str(exact),
        time_s=time_us / 1e6,
        valid_share=valid_us / time_us if time_us else 0.0,
        quality=QUALITY_NAMES[max((part.portion.quality for part in parts), default=int(Quality.GOOD))],
    )
