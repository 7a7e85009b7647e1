"""The books of a counter over a span: they have to balance, in integers.

Every step that was not normal is booked with an increment and a correction; between
two of them the register only rose. So from the registers beside the booked steps
follow Σ increments and Σ corrections, and their sum is the last register less the
first. Only what is closed is in the books, for an open step may not be booked yet.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from pydantic import Field

from ingest.model import StepClass
from ingest.plant.plan import Plan, PlanPoint
from service import past, winners
from service.as_of import Known
from service.documents import Document, Instant
from service.store import Connection, row, rows
from service.times import to_datetime
from service.winners import Register

MOST_STEPS = 10_000
"""A register that flaps all the time is not summed up."""

Booked = tuple[int, int, int, int]
"""previous_at, at, increment, correction of a step; counts of the point's resolution."""


class SummaryDocument(Document):
    """A span's books."""

    first_at: Instant | None = Field(description="Of the first register in the span")
    last_at: Instant | None = Field(description="Of the last one that is closed")
    first: float | None
    first_count: int | None
    last: float | None
    last_count: int | None
    difference: float | None = Field(description="last - first")
    difference_count: int | None
    increments: float | None = Field(description="Σ of all increments, those of normal steps too")
    increments_count: int | None
    corrections: float | None
    corrections_count: int | None
    conserved: bool | None = Field(
        description="Whether increments + corrections == difference, in counts, and the register fell nowhere else"
    )
    reason: str | None = Field(
        description="Why there are no books: no_data: there are no two registers; too_many_steps"
    )


def count_of(value: float, resolution: float) -> int:
    """A finite value in counts of a resolution, half away from zero; as ingest counts (`kernels.exact.to_counts`).

    A resolution that is 1/n of its unit is taken as exactly that.
    """
    per_unit = round(1 / resolution)
    exact = per_unit >= 1 and 1 / per_unit == resolution
    quotient = Fraction(value) * per_unit if exact else Fraction(value / resolution)
    whole = int(abs(quotient) + Fraction(1, 2))
    return -whole if quotient < 0 else whole


def totals(
    registers: Mapping[int, tuple[int, int]], first_at: int, last_at: int, steps: Sequence[Booked]
) -> tuple[int, int, bool]:
    """Σ increments, Σ corrections and whether they balance, in counts.

    Args:
        registers: (coming, going) at `first_at`, `last_at` and beside every step; they differ
            where a meter was replaced.
        first_at: of the first register of the span.
        last_at: of the last one.
        steps: in the order in which the register went through them.
    """
    here = registers[first_at][0]
    increments = corrections = 0
    rose = True
    for previous_at, at, increment, correction in steps:
        replaced = previous_at == at
        begin, end = registers[previous_at][0 if replaced else 1], registers[at][1 if replaced else 0]
        rose &= begin >= here
        increments += begin - here + increment
        corrections += correction
        here = end
    last = registers[last_at][1]
    rose &= last >= here
    increments += last - here
    return increments, corrections, rose and increments + corrections == last - registers[first_at][0]


async def summary(
    connection: Connection, plan: Plan, point: PlanPoint, point_no: int, span: tuple[int, int], known: Known
) -> SummaryDocument:
    """The books of a counter over the closed part of [from, to), µs, as it is `known`."""
    ends = await _ends(connection, plan, point, point_no, span, known)
    if ends is None:
        return _none("no_data")
    first_at, last_at = ends
    steps = await _booked(connection, point_no, first_at, last_at, known)
    if len(steps) > MOST_STEPS:
        return _none("too_many_steps")
    instants = {first_at, last_at, *(at for step in steps for at in step[:2])}
    read = await winners.registers(connection, point_no, instants, known)
    if first_at == last_at and read[first_at].old is read[first_at].new:
        return _none("no_data")
    counts = {at: _counts(register, point) for at, register in read.items()}
    if instants - counts.keys():  # a reading beside a booked step is no more
        return _none("no_data")
    increments, corrections, conserved = totals(counts, first_at, last_at, steps)
    first, last = counts[first_at][0], counts[last_at][1]
    size = point.resolution
    return SummaryDocument(
        first_at=first_at,
        last_at=last_at,
        first=first * size,
        first_count=first,
        last=last * size,
        last_count=last,
        difference=(last - first) * size,
        difference_count=last - first,
        increments=increments * size,
        increments_count=increments,
        corrections=corrections * size,
        corrections_count=corrections,
        conserved=conserved,
        reason=None,
    )


async def _booked(
    connection: Connection, point_no: int, first_at: int, last_at: int, known: Known
) -> list[Booked]:
    """The booked steps between two instants, glitches left out; one more than may be, if there are."""
    found = await rows(
        connection,
        f"""
        SELECT previous_at, at, increment, correction FROM {past.STEPS} booked
         WHERE point_no = %(point)s AND previous_at >= %(first)s AND at <= %(last)s AND class <> %(glitch)s
         ORDER BY at, previous_at LIMIT %(most)s
        """,  # noqa: S608  fragments of our own
        {
            "point": point_no,
            "first": to_datetime(first_at),
            "last": to_datetime(last_at),
            "glitch": int(StepClass.GLITCH),
            "most": MOST_STEPS + 1,
            **past.asked(known),
        },
    )
    return [(values[0], values[1], values[2], values[3]) for values in found]


async def _ends(
    connection: Connection, plan: Plan, point: PlanPoint, point_no: int, span: tuple[int, int], known: Known
) -> tuple[int, int] | None:
    """The first and the last instant of a span at which the register is closed and was kept."""
    closed_until = await _closed_until(connection, plan, point, point_no, known)
    if closed_until is None:
        return None
    until = min(span[1], closed_until + 1)
    first = await winners.kept_from(connection, point_no, span[0], known)
    last = await winners.kept_before(connection, point_no, until, known)
    if first is None or last is None or first > last:
        return None
    return first, last


async def _closed_until(
    connection: Connection, plan: Plan, point: PlanPoint, point_no: int, known: Known
) -> int | None:
    if known.past:
        return (await past.frontiers(connection, plan, [point.id], known)).get(point.id)
    closed = await row(connection, "SELECT closed_until FROM point_state WHERE point_no = %s", [point_no])
    return None if closed is None else int(closed[0])


def _counts(register: Register, point: PlanPoint) -> tuple[int, int]:
    return count_of(register.old.value, point.resolution), count_of(register.new.value, point.resolution)


def _none(reason: str) -> SummaryDocument:
    """There are no books."""
    return SummaryDocument(**{**dict.fromkeys(SummaryDocument.model_fields), "reason": reason})
