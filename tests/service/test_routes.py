"""What every route has in common: keys, problems, OpenAPI, its example."""

import re
import secrets
import subprocess
import sys
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from service import keys
from service.app import ROUTERS, create_app
from service.problems import MEDIA_TYPE, TITLES, ProblemDocument
from tests.service import roles
from tests.service.conftest import ADMIN_KEY, SeededDatabase, client_of

READ, OF_SITE = roles.reading(), roles.of_site()
SEND = "/v1/points/cement/kiln/power/readings"
OPEN = {"/", "/page/{name}", "/healthz", "/readyz", "/metrics"}


async def key_of(
    shared: SeededDatabase, scopes: list[str], sites: list[str] | None = None, name: str | None = None
) -> dict[str, str]:
    """The header of a new key."""
    async with await psycopg.AsyncConnection.connect(shared.dsn, autocommit=True) as connection:
        key = await keys.create(connection, name or secrets.token_hex(4), scopes, sites)
    return {"Authorization": f"Bearer {key}"}


def problem_of(response: httpx.Response) -> ProblemDocument:
    """The problem of an error, which every error must be."""
    assert response.headers["content-type"] == MEDIA_TYPE
    problem = ProblemDocument.model_validate(response.json())
    assert problem.status == response.status_code
    name = problem.type.removeprefix("urn:stackwatt:problem:")
    assert (problem.status, problem.title) == TITLES[name]
    assert re.fullmatch(r"[A-Z'].*[.]", problem.detail, re.DOTALL), problem.detail
    return problem


@pytest.mark.parametrize("path", READ)
async def test_without_a_key_nothing_is_told(anonymous: httpx.AsyncClient, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic abc"},
        {"Cookie": "stackwatt_session=0.9.x"},
    ):
        response = await anonymous.get(path, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        problem_of(response)


@pytest.mark.parametrize("path", READ)
async def test_a_key_that_only_sends_sees_nothing(
    anonymous: httpx.AsyncClient, shared: SeededDatabase, path: str
) -> None:
    response = await anonymous.get(path, headers=await key_of(shared, ["mes", "operate"]))
    assert response.status_code == 403
    assert problem_of(response).detail.endswith("has scope mes, operate: expected read.")


@pytest.mark.parametrize("path", OF_SITE)
async def test_a_key_of_another_site_is_refused_whether_the_thing_exists_or_not(
    anonymous: httpx.AsyncClient, shared: SeededDatabase, path: str
) -> None:
    headers = await key_of(shared, ["read"], ["steel"])
    response = await anonymous.get(path, headers=headers)
    assert response.status_code == 403
    assert problem_of(response).detail.endswith("does not cover site 'cement'.")


async def test_lists_hold_only_the_sites_of_the_key(
    anonymous: httpx.AsyncClient, shared: SeededDatabase
) -> None:
    headers = await key_of(shared, ["read"], ["steel"])
    for path in (
        "/v1/plant",
        "/v1/points",
        "/v1/points/latest",
        "/v1/kpis",
        "/v1/kpis/latest",
        "/v1/emissions",
        "/v1/instruments",
    ):
        items = (await anonymous.get(path, headers=headers)).json()["items"]
        assert items
        assert {item["id"].partition("/")[0] for item in items} == {"steel"}


async def test_sending_needs_the_right_key(anonymous: httpx.AsyncClient, shared: SeededDatabase) -> None:
    statuses = {}
    for name, scopes, sites in (
        ("reader", ["read"], None),
        ("other site", ["mes"], ["steel"]),
        ("mes", ["mes"], ["cement"]),
        ("operator", ["operate"], None),
    ):
        headers = {**await key_of(shared, scopes, sites), "Idempotency-Key": secrets.token_hex(8)}
        response = await anonymous.post(SEND, headers=headers, content=b"1.5")
        statuses[name] = response.status_code
    assert statuses == {"reader": 403, "other site": 403, "mes": 202, "operator": 202}
    assert (await anonymous.post(SEND, headers={"Idempotency-Key": "x"}, content=b"1.5")).status_code == 401


async def test_a_revoked_key_is_no_key(anonymous: httpx.AsyncClient, shared: SeededDatabase) -> None:
    headers = await key_of(shared, ["read"], name="leaver")
    assert (await anonymous.get("/v1/kpis", headers=headers)).status_code == 200
    async with await psycopg.AsyncConnection.connect(shared.dsn, autocommit=True) as connection:
        await keys.revoke(connection, "leaver")
    assert (await anonymous.get("/v1/kpis", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/v1/nothing", 404, "There is nothing at /v1/nothing."),
        ("/v1/points/cement/kiln/nothing/readings", 404, "There is no point 'cement/kiln/nothing'."),
        ("/v1/kpis/cement/nothing/series", 404, "There is no KPI 'cement/nothing'."),
        ("/v1/kpis?site=mars", 404, "There is no site 'mars'."),
        (
            "/v1/kpis?as_of=812",
            422,
            "Query parameter 'as_of' is '812': expected one of the parameters site.",
        ),
        (
            "/v1/kpis/latest?as_of=812",
            422,
            "Query parameter 'as_of' is '812': expected a time, or one `site`, for each counts its own batches.",
        ),
        (
            "/v1/points/cement/kiln/power/readings?from=2026-11-20",
            422,
            (
                "Query parameter 'from' is '2026-11-20': expected an RFC 3339 time with offset between 1970 and 2200,"
                " such as 2026-11-20T08:00:00Z."
            ),
        ),
        (
            "/v1/points/cement/kiln/power/readings?limit=0",
            422,
            "Query parameter 'limit' is '0': expected a number of at least 1.",
        ),
        (
            "/v1/points/cement/kiln/power/readings?limit=many",
            422,
            "Query parameter 'limit' is 'many': expected a whole number.",
        ),
        (
            "/v1/points/cement/kiln/power/intervals?step=week",
            422,
            "Query parameter 'step' is 'week': expected 'interval', 'hour' or 'day'.",
        ),
        (
            "/v1/points/cement/kiln/power/readings?cursor=bm9uc2Vuc2U",
            422,
            "Query parameter 'cursor' is 'bm9uc2Vuc2U': expected the `next` of an answer to the same request.",
        ),
        (
            "/v1/kpis/cement/power/series?from=2026-11-20T09:00:00Z&to=2026-11-20T08:00:00Z",
            422,
            (
                "Query parameter 'from' is '2026-11-20T09:00:00Z': expected an instant before `to`, which is"
                " 2026-11-20T08:00:00Z."
            ),
        ),
        (
            "/v1/kpis/cement/power/series?window=90s",
            422,
            "Query parameter 'window' is '90s': expected a multiple of 1min.",
        ),
        (
            "/v1/kpis/cement/power/series?window=fortnight",
            422,
            "Query parameter 'window' is 'fortnight': expected a span such as 90s, 15min, 24h or 7d, at most 3660d.",
        ),
        (
            "/v1/kpis/cement/demand/series?window=5min",
            422,
            "Query parameter 'window' is '5min': expected a multiple of 15min.",
        ),
        (
            "/v1/kpis/cement/power/series?from=2020-01-01T00:00:00Z&step=1min&window=1min",
            422,
            (
                "The series would be made of 3622080 windows: expected at most 5000; ask for a shorter span or a longer"
                " step."
            ),
        ),
        (
            "/v1/emissions?from=2020-01-01T00:00:00Z",
            422,
            (
                "The emissions would be summed from 18351872 intervals: expected at most 400000; ask for a shorter span"
                " or one site."
            ),
        ),
    ],
)
async def test_a_wrong_request_gets_one_clear_sentence(
    client: httpx.AsyncClient, path: str, status: int, sentence: str
) -> None:
    response = await client.get(path)
    assert (response.status_code, problem_of(response).detail) == (status, sentence)


async def test_a_wrong_method_is_a_problem_and_says_what_is_taken(client: httpx.AsyncClient) -> None:
    response = await client.put("/v1/plant")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    problem_of(response)


def test_every_api_route_is_described_with_an_example_of_its_own_shape() -> None:
    for route in api_routes():
        if (
            not route.include_in_schema
            or route.path in ("/metrics", "/v1/live")
            or route.methods == {"DELETE"}
        ):
            continue
        answers = [entry for entry in route.responses.values() if "model" in entry]
        assert answers, route.path
        for entry in answers:
            entry["model"].model_validate(entry["content"]["application/json"]["example"])


def test_every_scope_is_described(app: FastAPI) -> None:
    description = app.openapi()["info"]["description"]
    assert all(f"`{scope}`" in description for scope in keys.SCOPES)


def test_the_idempotency_key_is_described_as_required(app: FastAPI) -> None:
    [path] = [
        path for path, methods in app.openapi()["paths"].items() if "readings" in path and "post" in methods
    ]
    declared = app.openapi()["paths"][path]["post"]["parameters"]
    [header] = [parameter for parameter in declared if parameter["in"] == "header"]
    assert (header["name"], header["required"]) == ("Idempotency-Key", True)
    assert [parameter["name"] for parameter in declared if parameter["in"] == "path"] == ["point_id"]


def test_every_problem_of_a_route_is_described(app: FastAPI) -> None:
    document = app.openapi()
    assert "ProblemDocument" in document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            described = operation["responses"]
            errors = {status for status in described if int(status) >= 400}
            if path in OPEN or method == "delete":
                continue
            assert {"401", "503"} <= errors, path
            for status in errors:
                assert list(described[status]["content"]) == [MEDIA_TYPE]


async def test_answers_are_of_the_described_shape(client: httpx.AsyncClient) -> None:
    for path in READ:
        if path == "/v1/live":
            continue
        route = next(
            found
            for found in api_routes()
            if found.methods == {"GET"} and found.path_regex.fullmatch(path.partition("?")[0])
        )
        model: Any = route.responses[200]["model"]
        response = await client.get(path)
        assert response.status_code == 200
        model.model_validate(response.json())


async def test_headers_keep_foreign_pages_and_scripts_out(client: httpx.AsyncClient) -> None:
    for path in ("/", "/v1/plant", "/v1/nothing"):
        headers = (await client.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_an_etag_spares_the_answer(client: httpx.AsyncClient) -> None:
    for path in ("/", "/v1/plant", "/v1/points", "/v1/points?format=csv", "/v1/kpis"):
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    other = await client.get("/v1/kpis?site=steel", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


async def test_metrics_count_routes_not_addresses(client: httpx.AsyncClient) -> None:
    await client.get("/v1/points/cement/kiln/power/readings")
    await client.get("/v1/points/cement/kiln/clinker/readings")
    await client.get("/nowhere/at/all")
    text = (await client.get("/metrics")).text
    assert re.search(
        r'requests_total\{method="GET",route="/v1/points/\{[^"]*\}/readings",status="200"\} 2.0', text
    )
    assert 'route="none",status="404"' in text
    assert "kiln" not in text
    assert 'stackwatt_service_ingest_commit_age_seconds{site="cement"} 1.0' in text
    assert "stackwatt_service_database_up 1.0" in text


async def test_readiness_tells_how_long_ago_ingest_committed(anonymous: httpx.AsyncClient) -> None:
    body = (await anonymous.get("/readyz")).json()
    assert body["status"] == "ready"
    assert [(site["id"], site["commit_age_s"]) for site in body["sites"]] == [("cement", 1.0), ("steel", 3.0)]


async def test_before_ingest_has_migrated_the_service_says_so(empty_dsn: str) -> None:
    app = create_app(empty_dsn, ADMIN_KEY)
    async with app.router.lifespan_context(app), client_of(app) as client:
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert problem_of(response).type.endswith("no-schema")


def test_the_service_loads_neither_numba_nor_a_kernel() -> None:
    code = (
        "import sys, service.main; "
        "print([name for name in sys.modules if name.partition('.')[0] in ('numba', 'llvmlite', 'kernels')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def api_routes() -> list[APIRoute]:
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    assert len(found) > 15
    return found
