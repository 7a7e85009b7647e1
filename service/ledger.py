"""The ledger of a counter: every step of its register that was not simply use.

Steps are told as ingest has booked them, with what they make of their intervals and
who declared them; the books of the span are `service.books`'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ingest.model import Quality, StepClass
from ingest.plant.plan import Plan, PlanPoint
from service import books, cursors, past, winners
from service.as_of import AsOfDocument, Known
from service.books import SummaryDocument
from service.documents import Document, Instant, Page, columns_of
from service.figures import QUALITY_NAMES, QualityName
from service.store import Connection, row, rows
from service.tabular import Table, instant_text
from service.times import FIRST_INSTANT, to_datetime
from service.winners import Register

ClassName = Literal["rollover", "reset", "replaced", "glitch", "implausible", "too_long"]

_CONSEQUENCE: dict[StepClass, tuple[Quality, str]] = {
    StepClass.ROLLOVER: (Quality.GOOD, "rollover"),
    StepClass.RESET: (Quality.UNCERTAIN, "reset"),
    StepClass.REPLACED: (Quality.GOOD, "replaced"),
    StepClass.GLITCH: (Quality.UNCERTAIN, "glitch"),
    StepClass.IMPLAUSIBLE: (Quality.BAD, "rate"),
    StepClass.TOO_LONG: (Quality.BAD, "gap"),
}
"""What a step alone makes of the intervals it runs through: quality, reason."""

_KEY = (cursors.INSTANT, cursors.INSTANT, range(len(StepClass)))
"""at, previous_at, class: the order in which a register went through its steps."""


class StepDocument(Document):
    """One step that was not normal."""

    at: Instant = Field(description="Of the reading after the step; of a glitch its own")
    previous_at: Instant = Field(
        description="Of the reading kept before; of a replaced meter the same as `at`"
    )
    class_: ClassName = Field(alias="class")
    increment: float = Field(description="What was booked as used, in the point's unit")
    increment_count: int = Field(description="The same, exactly, in counts of `resolution`")
    correction: float = Field(description="What the register did beside that")
    correction_count: int
    quality: QualityName = Field(description="What it makes of its intervals, if nothing makes them worse")
    reason: str = Field(description="The reason that its intervals carry")
    declaration: int | None = Field(
        description="The declaration that the reading after it is of; null: measured"
    )
    author: str | None = Field(description="Who declared it")
    batch_no: int = Field(description="The commit that booked it")
    known_at: Instant | None = Field(description="When that was; null: let go")


class LedgerPage(Page[StepDocument]):
    """A page of a counter's ledger."""

    id: str
    unit: str
    resolution: float
    from_: Instant = Field(alias="from", description="Begin of the span asked for")
    to: Instant = Field(description="End of the span asked for, exclusive")
    as_of: AsOfDocument
    summary: SummaryDocument = Field(description="Of the whole span, on every page")


@dataclass(frozen=True, slots=True)
class Step:
    """A booked step, counts of the point's resolution."""

    at: int
    previous_at: int
    step_class: StepClass
    increment: int
    correction: int
    batch_no: int
    known_at: int | None


async def page(
    connection: Connection,
    plan: Plan,
    point: PlanPoint,
    span: tuple[int, int],
    limit: int,
    cursor: str | None,
    known: Known,
) -> Table:
    """Steps with from <= at < to (µs, the `span`) that were `known`, and the books of that span."""
    from_at, to_at = span
    found = await row(connection, "SELECT point_no FROM point WHERE id = %s", [point.id])
    point_no = -1 if found is None else int(found[0])
    after = [from_at, FIRST_INSTANT, 0] if cursor is None else cursors.decode(cursor, _KEY)
    steps = await _steps(connection, point_no, after, to_at, limit + 1, known)
    following = None
    if len(steps) > limit:
        del steps[limit:]
        following = cursors.encode([steps[-1].at, steps[-1].previous_at, int(steps[-1].step_class)])
    registers = await winners.registers(connection, point_no, {step.at for step in steps}, known)
    authors = await _authors(connection, registers)
    summary = await books.summary(connection, plan, point, point_no, span, known)
    head = {
        "id": point.id,
        "unit": point.unit,
        "resolution": point.resolution,
        "from": instant_text(from_at),
        "to": instant_text(to_at),
        "as_of": known.document.model_dump(),
        "summary": summary.model_dump(by_alias=True),
    }
    told = [_shown(point, step, registers.get(step.at), authors) for step in steps]
    return Table(columns_of(StepDocument), told, following, head)


async def _steps(
    connection: Connection, point_no: int, after: Sequence[int], to_at: int, most: int, known: Known
) -> list[Step]:
    """Booked steps after a key (at, previous_at, class) and before an instant, in order."""
    at, previous_at, step_class = after
    found = await rows(
        connection,
        f"""
        SELECT at, previous_at, class::int, increment, correction, l.batch_no, known_at
          FROM {past.STEPS} l JOIN point p USING (point_no)
          LEFT JOIN ingest_commit c ON c.site_no = p.site_no AND c.batch_no = l.batch_no
         WHERE point_no = %(point)s AND at >= %(after)s AND at < %(to)s
           AND (at, previous_at, class::int)
             > (%(after)s::timestamptz, %(previous)s::timestamptz, %(class)s::int)
         ORDER BY at, previous_at, class LIMIT %(most)s
        """,  # noqa: S608  fragments of our own
        {
            "point": point_no,
            "after": to_datetime(at),
            "previous": to_datetime(previous_at),
            "class": step_class,
            "to": to_datetime(to_at),
            "most": most,
            **past.asked(known),
        },
    )
    return [
        Step(at, previous_at, StepClass(number), increment, correction, batch_no, known_at)
        for at, previous_at, number, increment, correction, batch_no, known_at in found
    ]


async def _authors(connection: Connection, registers: dict[int, Register]) -> dict[int, str]:
    numbers = {
        number for register in registers.values() if (number := register.new.declaration_no) is not None
    }
    found = await rows(
        connection,
        "SELECT declaration_no, author FROM declaration WHERE declaration_no = ANY(%s)",
        [sorted(numbers)],
    )
    return {number: author for number, author in found}  # noqa: C416  tuples of unknown length


def _shown(
    point: PlanPoint, step: Step, register: Register | None, authors: dict[int, str]
) -> tuple[object, ...]:
    quality, reason = _CONSEQUENCE[step.step_class]
    declaration = None if register is None else register.new.declaration_no
    return (
        instant_text(step.at),
        instant_text(step.previous_at),
        step.step_class.name.lower(),
        step.increment * point.resolution,
        step.increment,
        step.correction * point.resolution,
        step.correction,
        QUALITY_NAMES[quality],
        reason,
        declaration,
        None if declaration is None else authors.get(declaration),
        step.batch_no,
        instant_text(step.known_at),
    )
