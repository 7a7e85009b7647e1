"""The query parameters routes share: parsed once, refused in one sentence.

Unknown parameters are refused too: an `as_of` or a misspelt `form` that were
ignored would give a wrong answer without a word.
"""

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from ingest.model import DAY
from ingest.plant.plan import Plan
from service.documents import Instant
from service.problems import invalid, parameters_of
from service.tabular import Format
from service.times import format_instant


class Parameters(BaseModel):
    """Base of a route's query parameters."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class OfSite(Parameters):
    """A list that may be narrowed to one site."""

    site: str | None = Field(None, max_length=100, description="Only this site")


class Tabular(Parameters):
    """An answer that may be CSV."""

    format: Format | None = Field(None, description="json or csv; default: what Accept says, else json")


class SpanOf(Parameters):
    """A half-open span [from, to) of time."""

    from_: Instant | None = Field(
        None,
        alias="from",
        description="First instant, RFC 3339; default: 24 h before `to`",
        examples=["2026-11-20T07:00:00Z"],
    )
    to: Instant | None = Field(
        None,
        description="End, exclusive; default: now, at a replay site the end of its data",
        examples=["2026-11-20T08:00:00Z"],
    )


class Paged(Parameters):
    """A list that comes in pages."""

    limit: int = Field(1000, ge=1, le=10_000, description="Most items in the answer")
    cursor: str | None = Field(None, max_length=400, description="`next` of the page before")


def check_question(request: Request) -> None:
    """Refuse what the framework would pass over: a parameter given twice, and any where none is taken.

    Raises:
        ProblemError: with the parameter.
    """
    names = parameters_of(request.scope["route"])
    for name in request.query_params:
        values = request.query_params.getlist(name)
        if not names:
            raise invalid("Query parameter", name, ", ".join(values), "no parameter at this address")
        if len(values) > 1 and name in names:
            raise invalid("Query parameter", name, ", ".join(values), "one value")


def resolved(asked: SpanOf, plan: Plan, now: int, watermark: int | None) -> tuple[int, int]:
    """(from, to) in µs with the defaults of a site filled in; `watermark` is how far its data go.

    Raises:
        ProblemError: the span is empty.
    """
    newest = now
    if plan.clock == "replay" and watermark is not None and (asked.from_ is None or asked.from_ <= watermark):
        newest = watermark + 1
    to_at = newest if asked.to is None else asked.to
    from_at = to_at - DAY if asked.from_ is None else asked.from_
    if from_at >= to_at:
        expected = f"an instant before `to`, which is {format_instant(to_at)}"
        raise invalid("Query parameter", "from", format_instant(from_at), expected)
    return max(0, from_at), to_at
