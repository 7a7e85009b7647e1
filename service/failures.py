"""Whatever goes wrong in a request, as a problem.

ProblemError            what a route raises; becomes the response as it is
RequestValidationError  → 422 invalid-parameter: parameter, value, expected
HTTPException           → 404 no-such-route, 405 method-not-allowed
psycopg.OperationalError, PoolTimeout → 503 database-away with Retry-After
psycopg.errors.QueryCanceled          → 503 database-slow
BusyError               → 503 too-busy: the database is there, but all its connections are at work
psycopg.errors.IdleInTransactionSessionTimeout → 503 too-busy: all threads are at work
psycopg.errors.UndefinedTable         → 503 no-schema: ingest has not migrated yet
anything else           → 500 internal; the log has the rest, the client does not
"""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from service.problems import (
    TITLES,
    ProblemDocument,
    ProblemError,
    expected_of,
    invalid,
    nothing_here,
    of_database,
    parameters_of,
    respond,
)
from service.store import AWAY

log = logging.getLogger("stackwatt.service")


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""

    async def on_problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return respond(error)

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return respond(_of_validation(request, error))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == TITLES["method-not-allowed"][0]:
            detail = f"Address {request.url.path} does not take {request.method}."
            return respond(ProblemError("method-not-allowed", detail, headers={"Allow": _allowed(request)}))
        return respond(nothing_here(request))

    async def on_database(_: Request, error: Exception) -> Response:
        log.warning("the database did not answer: %s", error)
        return respond(of_database(error))

    async def on_anything(_: Request, error: Exception) -> Response:
        log.error("a request failed", exc_info=error)
        return respond(ProblemError("internal", "The service failed; its log says why."))

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    for away in AWAY:
        app.add_exception_handler(away, on_database)
    _describe(app)
    app.add_exception_handler(Exception, on_anything)


def _describe(app: FastAPI) -> None:
    """Add the problem document to the OpenAPI description, where routes refer to it."""
    without = app.openapi

    def openapi() -> dict[str, Any]:
        described = without()
        described["components"]["schemas"]["ProblemDocument"] = ProblemDocument.model_json_schema()
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


_PLACES = {"query": "Query parameter", "path": "Path parameter", "header": "Header", "cookie": "Cookie"}


def _of_validation(request: Request, error: RequestValidationError) -> ProblemError:
    """The first wrong parameter as a sentence; the others follow in `errors`."""
    problems = [_of_fault(request, fault) for fault in error.errors()]
    errors = [entry for problem in problems for entry in problem.members["errors"]]
    return ProblemError("invalid-parameter", str(problems[0]), errors=errors)


def _of_fault(request: Request, fault: Mapping[str, Any]) -> ProblemError:
    place, *rest = fault["loc"]
    name = ".".join(str(part) for part in rest) or "body"
    where = _PLACES.get(place, "Body")
    match fault["type"]:
        case "missing":
            return invalid(where, name, None, "a value, for it is required")
        case "extra_forbidden":
            return invalid(
                where,
                name,
                fault["input"],
                f"one of the parameters {', '.join(parameters_of(request.scope['route']))}",
            )
        case _:
            return invalid(where, name, fault["input"], expected_of(fault))


def _allowed(request: Request) -> str:
    """Every method the address takes; the framework names those of the first route only."""
    asked = {name: request.scope[name] for name in ("type", "path", "root_path", "headers", "query_string")}
    taken = {
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        for route in request.app.routes
        if route.matches({**asked, "method": method})[0] is Match.FULL
    }
    return ", ".join(sorted(taken | {"HEAD"} if "GET" in taken else taken))
