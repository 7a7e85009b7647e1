"""What an explanation of a figure is made of, and where kinds of figures say how theirs is found.

An explanation is a page of *rows*, the stored parts that the figure is the sum of, each with its
*inputs*, beside what is said once: the figure, its sums, how each level follows from the one below
(`arithmetic`), per plan version the terms with weights, steps and factors, gaps and how they were filled, who
superseded what, the batches with their evidence. Numbers are those that are stored: counts int64, floats in the shortest
text that reads back as the same float; so whoever has all pages can do the sums again, to the last bit, without us.
A kind of figure is one function (`Explain`) in a table of `service.explained`; the rest is shared.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from service import cursors
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant, Page
from service.figures import QualityName
from service.gap_pages import GapDocument
from service.inventory import FactorUsed, GroupBy
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError
from service.store import Connection

Number = int | float | None
Values = dict[str, Number]
Step = Literal["interval", "hour", "day"]

MOST_ROWS = 100_000
"""Stored rows one explanation may be made of: 69 days of minutes of one figure."""
_PLACE = range(MOST_ROWS + 1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The figure that is to be explained, instants in µs."""

    id: str
    from_at: int
    to_at: int
    group_by: GroupBy
    step: Step
    at: int | None
    """Begin of the row whose readings are wanted."""
    limit: int
    cursor: str | None


class FigureDocument(Document):
    """The figure, as the route that tells it does."""

    id: str
    unit: str | None
    from_: Instant = Field(alias="from")
    to: Instant
    value: float | None
    count: int | None = Field(description="Of a point's amount: int64 counts; value = count · resolution")
    reason: str | None = Field(description="Why there is no value")
    quality: QualityName
    reasons: list[str]
    valid_share: float
    substituted_share: float
    revision: int | None
    plan_version: int | None
    known_at: Instant | None


class WeightStep(Document):
    """A weight from an instant on."""

    since: Instant
    weight: float | None = Field(description="null: not known")


class TermDocument(Document):
    """How an input enters rows that a plan version made, in the order in which they are added."""

    plan_version: int
    row: str = Field(description="`of` of the rows it enters")
    side: Literal["a", "b", "mass_kg"] = Field(description="The sum it adds to")
    point: str | None = Field(description="Whose amount it weighs; null: documents tell it")
    factor_point: str | None = Field(description="Whose mean the amount is multiplied by first")
    weight: float | None = Field(description="Units of the sum per unit of the amount; null: see steps")
    steps: list[WeightStep] = Field(
        description="The weight in force at a row's begin; empty: it never changes"
    )
    unit: str | None = Field(description="Of the amount")
    factors: list[str] = Field(description="Ids of what the weight is made with; values in `factors`")


class PointUsed(Document):
    """A point that is an input, and where its stored parts are."""

    id: str
    kind: str
    unit: str
    amount_unit: str | None
    resolution: float = Field(description="Size of a count, in `unit`")
    computed: dict[str, Any] | None = Field(
        description="Its program by the plan in force; null: it is measured"
    )
    measured: list[str] = Field(description="The points whose readings it has")
    intervals: str = Field(description="Address of its intervals in the span")
    readings: list[str] = Field(description="Addresses of the readings of `measured`")


class PlanVersionUsed(Document):
    """A version of the plant file that made a row or an input."""

    version: int
    effective_at: Instant
    digest: str = Field(description="sha256 of its canonical body, hex")


class ChangeDocument(Document):
    """Rows of one owner that one batch superseded, of the span of this page."""

    of: str = Field(description="A point, KPI or source")
    from_: Instant = Field(alias="from", description="Begin of the first of them")
    to: Instant = Field(description="Begin of the last of them")
    rows: int
    batch_no: int = Field(description="That superseded them")
    cause: str | None = Field(description="Why, by the row it put there; null: it took them away")
    known_at: Instant | None


class BatchUsed(Document):
    """A batch that said a row or an input of this page, and what is stated of it."""

    batch_no: int
    known_at: Instant | None
    leaf: str | None = Field(description="sha256 of the batch, hex; null: there was no evidence then")
    hour: Instant | None = Field(
        description="Hour whose statement covers it, see /v1/evidence; null: none yet"
    )
    root: str | None


class InputDocument(Document):
    """An input of a row, as it is stored."""

    point: str
    values: Values = Field(description="amount, amount_count (int64) and mean")
    quality: QualityName
    reasons: list[str]
    covered_us: int
    valid_us: int
    substituted_us: int
    revision: int
    cause: str | None
    plan_version: int
    batch_no: int


class RowDocument(Document):
    """A stored part of the figure."""

    of: str = Field(description="The KPI, source, point or document")
    from_: Instant = Field(alias="from")
    to: Instant
    values: Values = Field(description="What is summed, see `arithmetic`")
    group: Instant | None = Field(
        description="Begin of the hour of the site that it is in; of days and hours"
    )
    quality: QualityName
    reasons: list[str]
    covered_us: int
    revision: int
    cause: str | None
    plan_version: int
    batch_no: int
    inputs: list[InputDocument]


class ReadingUsed(Document):
    """A reading around the row that `at` names."""

    point: str
    measured_at: Instant
    received_at: Instant
    value: float | None
    quality: QualityName
    reasons: list[str]
    seq: int | None
    declaration: int | None
    batch_no: int
    counts: bool = Field(description="Whether it is the one of its time that counts")


class Explanation(Page[RowDocument]):
    """A figure, level by level."""

    kind: str
    figure: FigureDocument
    method: str = Field(
        description="As the route that tells the figure has it; of an amount the kind of point and the step"
    )
    arithmetic: list[str] = Field(
        description="How the figure follows from its sums, and each level from the one below, to the last bit"
    )
    sums: Values = Field(description="What the rows come to")
    parameters: Values = Field(description="Numbers that the arithmetic names, µs where they end in _us")
    terms: list[TermDocument]
    factors: list[FactorUsed] = Field(description="Of the versions in `terms`, as frozen in each")
    points: list[PointUsed]
    gaps: list[GapDocument] = Field(description="Of its inputs, that reach into the rows of this page")
    changes: list[ChangeDocument] = Field(
        description="What was said before of the rows and inputs of this page"
    )
    batches: list[BatchUsed]
    readings: list[ReadingUsed] = Field(description="Of the row that `at` names")
    plan_versions: list[PlanVersionUsed]
    kernels: str = Field(
        description="sha256 of the sources of the kernels installed; rows do not keep those that made them"
    )
    as_of: AsOfDocument
    rows: int = Field(description="How many there are, over all pages")


@dataclass(slots=True)
class Row:
    """A stored part before it is told."""

    of: str
    from_at: int
    to_at: int
    values: Values
    quality: int
    reasons: int
    covered_us: int
    revision: int
    cause: int | None
    plan_version: int
    batch_no: int
    points: tuple[str, ...] = ()
    """Whose intervals are its inputs."""
    group: int | None = None


@dataclass(slots=True)
class Found:
    """What a kind of figure says; the rest follows from it."""

    figure: FigureDocument
    method: str
    arithmetic: list[str]
    rows: list[Row]
    sums: Values = field(default_factory=dict)
    parameters: Values = field(default_factory=dict)
    terms: list[TermDocument] = field(default_factory=list)
    factors: list[FactorUsed] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    """Ids of the inputs, in the plan in force."""
    own: tuple[str, str] | None = None
    """The table and the key column of `Row.of`, whose history tells changes; None: it has none of its own."""


Explain = Callable[[Connection, PlanCache, SitePlan, Wanted, Known], Awaitable[Found]]
"""Find a figure's parts; refuses (ProblemError) what it cannot explain whole."""


def not_explained(sentence: str) -> ProblemError:
    """The problem of a figure that has no explanation."""
    return ProblemError("not-explained", sentence)


def check_size(count: int) -> None:
    """Refuse a figure of too many rows.

    Raises:
        ProblemError: with the number and the bound.
    """
    if count > MOST_ROWS:
        raise ProblemError(
            "too-much-asked",
            f"The figure is made of up to {count} stored rows: expected at most {MOST_ROWS}; ask for a shorter span.",
        )


def page_of(wanted: Wanted, rows: list[Row]) -> tuple[list[Row], str | None]:
    """The rows of the page asked for, and the cursor of the next."""
    begin = 0 if wanted.cursor is None else cursors.decode(wanted.cursor, (_PLACE,))[0]
    end = begin + wanted.limit
    return rows[begin:end], cursors.encode([end]) if end < len(rows) else None
