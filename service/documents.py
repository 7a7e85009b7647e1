"""What documents of the API have in common: field names, instants, spans, tables.

Models describe answers in OpenAPI and build the small ones. Large tables are
written from rows directly (`service.tabular`); a test reads them back with the
models here, so description and answer cannot part.
"""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from service.times import format_instant, format_span, parse_instant, parse_span


def _instant(given: Any) -> Any:
    return parse_instant(given) if isinstance(given, str) else given


def _span(given: Any) -> Any:
    return parse_span(given) if isinstance(given, str) else given


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-20T08:00:00Z"]}),
]
"""µs of UTC inside, RFC 3339 with Z outside, µs only where there are any."""
Span = Annotated[
    int,
    BeforeValidator(_span),
    PlainSerializer(format_span, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["15min", "24h"]}),
]
"""µs inside, a number with s, min or h outside."""


class Document(BaseModel):
    """Base of what goes out: built by field name, written by alias, nothing beside the declared."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


T = TypeVar("T")


def columns_of(model: type[BaseModel]) -> tuple[str, ...]:
    """The names of a model's fields as they are written."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


class Page(Document, Generic[T]):
    """A list, or a page of one."""

    items: list[T]
    next: str | None
    """Cursor of the next page; null: this is the last."""


def answer(
    model: Any, example: Any, *, csv: bool = False, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """The `responses` entry of an answer with its example; `csv`: it is tabular and may be CSV too."""
    content: dict[str, Any] = {"application/json": {"example": example}}
    if csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {status: {"model": model, "description": "As asked", "content": content}}
