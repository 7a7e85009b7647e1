"""Every error is one problem document (RFC 9457), one clear sentence in `detail`.

`type` is a URN that clients may branch on; `detail` is for people and may change. What
else can go wrong in a request becomes one of these in `service.failures`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from ingest.errors import StackwattError
from service.store import BusyError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
"""What a client waits before it asks again while the database is away."""

TITLES = {
    "idempotency-key-missing": (400, "The Idempotency-Key header is missing"),
    "no-key": (401, "A key is needed"),
    "wrong-scope": (403, "The key lacks the scope"),
    "second-person-needed": (403, "A second person has to decide"),
    "wrong-site": (403, "The key does not cover the site"),
    "no-such-route": (404, "There is nothing at this address"),
    "unknown-site": (404, "There is no such site"),
    "unknown-point": (404, "There is no such point"),
    "unknown-kpi": (404, "There is no such KPI"),
    "unknown-reconciliation": (404, "There is no such reconciliation"),
    "unknown-source": (404, "There is no such source with a regime"),
    "unknown-instrument": (404, "There is no such instrument"),
    "unknown-period": (404, "There is no such period"),
    "no-shifts": (404, "The plant has no shifts"),
    "no-edition": (404, "The period has no such edition"),
    "unknown-declaration": (404, "There is no such declaration"),
    "unknown-order": (404, "There is no such order"),
    "unknown-product": (404, "There is no such product"),
    "unknown-key": (404, "There is no such key"),
    "unknown-document": (404, "There is no such document"),
    "unknown-webhook": (404, "There is no such webhook"),
    "unknown-delivery": (404, "There is no such delivery"),
    "unknown-episode": (404, "There is no such alert"),
    "unknown-silence": (404, "There is no such silence"),
    "method-not-allowed": (405, "The address does not take this method"),
    "body-too-slow": (408, "The body came too slowly"),
    "declaration-conflict": (409, "What was declared or decided before is against it"),
    "document-conflict": (409, "Other documents are against it"),
    "webhook-conflict": (409, "The webhook is not delivered to"),
    "delivery-conflict": (409, "The delivery is waiting anyway"),
    "order-conflict": (409, "Another order holds the unit"),
    "key-conflict": (409, "Another key is against it"),
    "period-open": (409, "The period is not closed"),
    "period-sealed": (409, "The period is sealed"),
    "body-too-large": (413, "The body is too large"),
    "wrong-media-type": (415, "The body has the wrong media type"),
    "invalid-parameter": (422, "A parameter is wrong"),
    "invalid-body": (422, "The body is wrong"),
    "implausible-declaration": (422, "What is declared does not fit what was measured"),
    "not-explained": (422, "There is no explanation of it"),
    "too-much-asked": (422, "The answer would be too large"),
    "idempotency-key-reused": (422, "The Idempotency-Key was used for another body"),
    "too-many-requests": (429, "Too much is asked"),
    "too-many-headers": (431, "The request has too many headers"),
    "internal": (500, "The service failed"),
    "database-away": (503, "The database cannot be reached"),
    "database-slow": (503, "The database is too slow"),
    "too-busy": (503, "Too many ask at once"),
    "no-schema": (503, "The database has no schema yet"),
    "too-many-streams": (503, "Too many live streams are open"),
}
"""Every problem there is: its name in `type`, its status, its title."""


class ProblemDocument(BaseModel):
    """A problem as RFC 9457 has it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="URN of the kind of problem", examples=["urn:stackwatt:problem:unknown-point"]
    )
    title: str = Field(description="The kind of problem in words")
    status: int = Field(description="The HTTP status, again")
    detail: str = Field(description="One sentence: what is wrong, where, which value, what was expected")


class ProblemError(StackwattError):
    """A request that cannot be answered as asked."""

    def __init__(
        self, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        """`name` is a key of TITLES; `members` are added to the document."""
        super().__init__(detail)
        self.name = name
        self.headers = dict(headers or {})
        self.members = members


def invalid(where: str, name: str, value: Any, expected: str) -> ProblemError:
    """The problem of one wrong parameter."""
    detail = f"{where} {name!r} is {shown(value)}: expected {expected}."
    return ProblemError(
        "invalid-parameter",
        detail,
        errors=[{"parameter": name, "value": shown(value), "expected": expected}],
    )


def respond(problem: ProblemError) -> Response:
    """The response of a problem."""
    status, title = TITLES[problem.name]
    document = {"type": f"urn:stackwatt:problem:{problem.name}", "title": title, "status": status}
    document |= {"detail": str(problem), **problem.members}
    return Response(
        msgspec.json.encode(document), status, {**problem.headers, "Cache-Control": "no-store"}, MEDIA_TYPE
    )


_TOGETHER = {
    "no-key": ("no-key", "too-many-requests", "too-many-headers"),
    "body-too-large": ("body-too-large", "body-too-slow"),
    "database-away": ("database-away", "database-slow", "too-busy"),
}
"""Problems that come wherever the first of them does."""


def documented(*names: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these problems, each with an example."""
    found: dict[int | str, dict[str, Any]] = {}
    for name in (each for given in names for each in _TOGETHER.get(given, (given,))):
        status, title = TITLES[name]
        entry = found.setdefault(
            status, {"description": title, "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": {}}}}
        )
        if title not in entry["description"]:
            entry["description"] += f"; {title[0].lower()}{title[1:]}"
        example = {
            "type": f"urn:stackwatt:problem:{name}",
            "title": title,
            "status": status,
            "detail": f"{title}.",
        }
        entry["content"][MEDIA_TYPE]["examples"][name] = {"value": example}
    return found


def of_database(error: Exception) -> ProblemError:
    """The problem of an answer the database did not give; the same request may succeed later."""
    match error:
        case psycopg.errors.QueryCanceled():
            name, what = "database-slow", "The database took too long over this answer"
        case BusyError():
            name, what = "too-busy", "Too many ask at once, every connection to the database is at work"
        case psycopg.errors.IdleInTransactionSessionTimeout():
            name, what = "too-busy", "Too many ask at once, this answer was not worked out in time"
        case psycopg.errors.UndefinedTable():
            name, what = "no-schema", "The database has no schema yet, ingest makes it when it starts"
        case _:
            name, what = "database-away", "The database cannot be reached"
    detail = f"{what}; ask again in {RETRY_AFTER_S} s."
    return ProblemError(name, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def nothing_here(request: Request) -> ProblemError:
    """The problem of an address that is none."""
    return ProblemError("no-such-route", f"There is nothing at {request.url.path}.")


_SCHEMA = {"$ref": "#/components/schemas/ProblemDocument"}


def expected_of(fault: Mapping[str, Any]) -> str:
    """What pydantic expected of a wrong value, in the words of the other sentences."""
    bounds = fault.get("ctx", {})
    match fault["type"]:
        case "int_parsing" | "int_from_float":
            return "a whole number"
        case "greater_than_equal":
            return f"a number of at least {bounds['ge']}"
        case "less_than_equal":
            return f"a number of at most {bounds['le']}"
        case "string_too_long":
            return f"at most {bounds['max_length']} characters"
        case "string_too_short":
            return f"at least {bounds['min_length']} characters"
        case _:
            expected = str(fault["msg"])
            for prefix in ("Value error, ", "Input should be ", "expected "):
                expected = expected.removeprefix(prefix)
            return expected


def parameters_of(route: APIRoute) -> list[str]:
    """The query parameters of a route, by the names a client uses."""
    names: list[str] = []
    for field in route.dependant.query_params:
        model = field.field_info.annotation
        fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        names += [info.alias or name for name, info in fields.items()]
    return names


def shown(value: Any) -> str:
    """A value as a sentence names it, cut where it is long."""
    if value is None:
        return "missing"
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 80 else text[:77] + "...")
