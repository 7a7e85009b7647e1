"""Answers: JSON as it stands, tables also as CSV, and `304` where the client has it already.

A table is columns and rows of plain values; both forms come from the same rows,
so they cannot differ. Numbers are written in full (shortest text that reads back
as the same float). Which rows there are is the route's business.
"""

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel

from service.documents import columns_of
from service.times import format_instant

JSON = "application/json"
CSV = "text/csv"
Format = Literal["json", "csv"]

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
_FRESH = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}


@dataclass(slots=True)
class Table:
    """A page of rows of one shape."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    next: str | None = None
    """Cursor of the next page; None: this is the last."""
    head: Mapping[str, Any] = field(default_factory=dict)
    """What is said once beside `items`; CSV leaves it out."""


def table(request: Request, given: Table, wanted: Format | None, *, tagged: bool = False) -> Response:
    """The response of a table, as JSON `{items, next}` or as CSV; see `document` for `tagged`."""
    headers = dict(_FRESH)
    if given.next is not None:
        headers["Link"] = f'<{_next_address(request, given.next)}>; rel="next"'
    if chosen_format(request, wanted) == "csv":
        text = as_csv(given.columns, given.rows).encode()
        return _answered(request, text, headers, f"{CSV}; charset=utf-8", tagged=tagged)
    items = [dict(zip(given.columns, row, strict=True)) for row in given.rows]
    text = msgspec.json.encode({**given.head, "items": items, "next": given.next})
    return _answered(request, text, headers, JSON, tagged=tagged)


def document(request: Request, body: BaseModel, *, status: int = 200, tagged: bool = False) -> Response:
    """The response of one JSON document; `tagged` ones carry an ETag and may be answered by 304."""
    content = msgspec.json.encode(body.model_dump(by_alias=True))
    return _answered(request, content, dict(_FRESH), JSON, status=status, tagged=tagged)


def _answered(
    request: Request,
    content: bytes,
    headers: dict[str, str],
    media_type: str,
    *,
    status: int = 200,
    tagged: bool,
) -> Response:
    if tagged:
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers["ETag"] = tag
        if knows(request, tag):
            return Response(None, 304, headers)
    return Response(content, status, headers, media_type)


def knows(request: Request, tag: str) -> bool:
    """Whether the client has the answer of this tag already, perhaps from a proxy that weakened it."""
    known = [
        entry.strip().removeprefix("W/") for entry in request.headers.get("if-none-match", "").split(",")
    ]
    return tag in known or known == ["*"]


def chosen_format(request: Request, wanted: Format | None) -> Format:
    """What the client wants: by parameter, else by the Accept header, else JSON."""
    if wanted is not None:
        return wanted
    accepted = request.headers.get("accept", "")
    return "csv" if _weight(accepted, CSV) > _weight(accepted, JSON) else "json"


def _weight(accepted: str, media_type: str) -> float:
    """What an Accept header gives a media type: that of the most specific range that holds it, else 0."""
    weights = {}
    for entry in accepted.lower().split(","):
        media_range, *parameters = (part.strip() for part in entry.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        weights[media_range] = float(quality) if _QUALITY.fullmatch(quality) else 0.0
    for media_range in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """RFC 4180 with a header line; null is an empty field, lists and names with values are joined by spaces."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_field(value) for value in row] for row in rows)
    return out.getvalue()


def of_models(
    kind: type[BaseModel], models: Sequence[BaseModel], head: Mapping[str, Any] | None = None
) -> Table:
    """The table of documents of one kind."""
    return Table(
        columns_of(kind),
        [list(model.model_dump(by_alias=True).values()) for model in models],
        head=head or {},
    )


def instant_text(at: int | None) -> str | None:
    """An instant in a row."""
    return None if at is None else format_instant(at)


def _field(value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case list() | tuple():
            return " ".join(str(part) for part in value)
        case dict():
            return " ".join(f"{name}={part}" for name, part in value.items())
        case _:
            return value


def _next_address(request: Request, cursor: str) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"
