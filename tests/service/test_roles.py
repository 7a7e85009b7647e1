"""All routes by scopes by sites: who may, and that a key of another site sees and changes nothing of this one.

The rows are those of `tests.service.roles`; what they are held against is the application's own list of routes.
"""

import re
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from psycopg import sql

from service import keys
from service.app import ROUTERS, create_app
from service.limits import Limits, Rate
from service.problems import parameters_of
from tests.service.conftest import ADMIN_KEY, SeededDatabase, seeded_database
from tests.service.roles import ANYONE, ROWS, SCOPES, Row
from tests.service.seeding import NOW, at
from tests.service.serving import serving
from tests.service.test_routes import problem_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = [f"{row.method} {row.route}" for row in ROWS]
OF_CEMENT = re.compile(r'cement/|"cement"|m\.weber')
"""What tells of the cement line; the ledger of factors knows cement as a material."""
LIVE = "/v1/live"
NO_LIMITS = Limits(requests=Rate(1e6, 10**6), failures=Rate(1e6, 10**6))
"""Here nearly everything that is asked is refused."""
MARK = "zq'\"; --"


class Plant:
    """Two sites, and keys of whatever one may be given."""

    def __init__(self, dsn: str, client: httpx.AsyncClient) -> None:
        self._dsn = dsn
        self._client = client
        self._keys: dict[tuple[str, str | None], str] = {}

    async def key(self, scope: str, site: str | None = None) -> str:
        """A key with one scope, for a site or for all; made once."""
        if (scope, site) not in self._keys:
            async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as connection:
                sites = None if site is None else [site]
                made = await keys.create(connection, f"{scope} of {site or 'all'}", [scope], sites)
            self._keys[scope, site] = made
        return self._keys[scope, site]

    async def answered(self, row: Row, key: str | None, ask: str | None = None) -> httpx.Response:
        """What the route says to a key; of a stream what it says first."""
        headers = {"Idempotency-Key": f"{MARK} {secrets.token_hex(8)}"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._client.cookies.clear()  # a session begun before is nobody's
        if row.ask == LIVE:
            return await self._begun(headers)
        if isinstance(row.body, bytes):
            headers["Content-Type"] = "text/csv"
            return await self._client.request(row.method, ask or row.ask, headers=headers, content=row.body)
        return await self._client.request(row.method, ask or row.ask, headers=headers, json=row.body)

    async def _begun(self, headers: dict[str, str]) -> httpx.Response:
        async with self._client.stream("GET", LIVE, headers=headers) as response:
            if response.status_code != 200:
                await response.aread()
                return response
            text = ""
            async for line in response.aiter_lines():
                text += f"{line}\n"
                if text.count("\ndata: ") == 2:
                    break
        assert "event: figures" in text
        return httpx.Response(200, text=text)

    def contents(self) -> dict[str, int]:
        """A sum over the rows of every table that a request may write to."""
        with psycopg.connect(self._dsn) as connection:
            found = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            sums = {}
            for (table,) in found:
                if re.match("reading|interval|kpi_value|emission|api_key", table):
                    continue  # facts: ingest's; keys: with their last use, and all else of them is in `audit`
                query = sql.SQL("SELECT coalesce(sum(hashtext(t::text)::bigint), 0) FROM {} t")
                sums[table] = int(connection.execute(query.format(sql.Identifier(table))).fetchone()[0])  # type: ignore[index]
        return sums


@pytest.fixture(scope="module")
def own(postgres_server: str, migrated_template: str) -> Iterator[SeededDatabase]:
    """Two sites; the cement line has one of everything that has a number or is listed."""
    with seeded_database(postgres_server, migrated_template) as made:
        with psycopg.connect(made.dsn) as connection:
            _fill(connection)
            _silence(connection)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(own: SeededDatabase) -> AsyncIterator[Plant]:
    async with (
        serving(create_app(own.dsn, ADMIN_KEY, now=lambda: NOW, limits=NO_LIMITS)) as address,
        httpx.AsyncClient(base_url=address, timeout=30) as client,
    ):
        yield Plant(own.dsn, client)


async def test_every_route_has_one_row() -> None:
    routes = [
        f"{method} {route.path}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert sorted(NAMES) == sorted(routes)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_a_route_opens_to_the_scopes_of_its_row(plant: Plant, row: Row) -> None:
    nobody = await plant.answered(row, None)
    if row.scopes == ANYONE:
        assert nobody.status_code in (200, 204)
        return
    assert nobody.status_code == 401
    problem_of(nobody)
    for scope in SCOPES:
        response = await plant.answered(row, await plant.key(scope))
        if scope in row.scopes:
            assert response.status_code not in (401, 403), response.text
        else:
            assert response.status_code == 403, (scope, response.text)
            assert f"has scope {scope}: expected " in problem_of(response).detail


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.scopes], ids=lambda row: f"{row.method} {row.route}"
)
async def test_a_key_of_another_site_sees_and_changes_nothing(plant: Plant, row: Row) -> None:
    for scope in sorted(row.scopes):
        key = await plant.key(scope, "steel")
        before = None if row.method == "GET" else plant.contents()
        response = await plant.answered(row, key)
        match row.foreign:
            case "refused":
                assert response.status_code == 403
                sentence = f"Key '{scope} of steel' does not cover site 'cement'."
                assert problem_of(response).detail == sentence  # which was asked for; nothing beside it
            case "hidden":
                assert response.status_code == 404
                there, nowhere = row.ghost
                nothing = await plant.answered(row, key, row.ask.replace(f"/{there}", f"/{nowhere}"))
                assert response.text == nothing.text.replace(nowhere, there)
            case "filtered":
                everything = await plant.answered(row, await plant.key(scope))
                assert OF_CEMENT.search(everything.text), "nothing of the cement line is here to be hidden"
            case "own":
                assert response.status_code == 200
        if row.foreign != "refused":
            assert not OF_CEMENT.search(response.text)
        if before is not None:
            assert plant.contents() == before


async def test_nothing_that_is_asked_becomes_sql(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that would end a literal goes into every parameter of every route; no query holds it."""
    queries = recorded(monkeypatch)
    key = await plant.key("admin")
    for row in ROWS:
        for asked in [row, *tampered(row)]:
            await plant.answered(asked, key)
    assert len(set(queries)) > 30
    assert [query for query in queries if MARK in query] == []


def tampered(row: Row) -> Iterator[Row]:
    """The row with MARK in place of each parameter of its query, of the last part of its address, of each member."""
    path, _, query = row.ask.partition("?")
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)):
        if route.path == row.route and row.method in (route.methods or ()) and row.ask != LIVE:
            for name in parameters_of(route):
                yield replace(row, ask=f"{path}?{query}&{name}={quote(MARK)}")
    if "{" in row.route and "/cement/" in path:
        head, tail = path.split("/cement/")
        yield replace(row, ask=f"{head}/cement/{quote(MARK)}/{tail}?{query}")
    for name in row.body if isinstance(row.body, dict) else ():
        yield replace(row, body={**row.body, name: MARK})


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query from now on, as its text goes to the server."""
    queries: list[str] = []
    for kind in (psycopg.AsyncCursor, psycopg.AsyncServerCursor):

        def execute(self: Any, query: Any, *given: Any, real: Any = kind.execute, **more: Any) -> Any:
            queries.append(query.as_string(self) if isinstance(query, sql.Composable) else str(query))
            return real(self, query, *given, **more)

        monkeypatch.setattr(kind, "execute", execute)
    return queries


def _silence(connection: psycopg.Connection[Any]) -> None:
    """People want to hear nothing of the cement line."""
    connection.execute(
        """
        INSERT INTO alert_silence (site_no, from_at, to_at, reason, author, made_at, inbox_no)
        SELECT site_no, %s, '2026-12-01', 'x', 'm.weber', %s, 0 FROM site WHERE id = 'cement'
        """,
        [at(NOW)] * 2,
    )


def _fill(connection: psycopg.Connection[Any]) -> None:
    """A key, a declaration, a document, an analyser's test, an adjustment and a change of the cement line."""
    connection.execute(
        "INSERT INTO api_key (name, digest, scopes) VALUES ('m.weber', 'a', ARRAY['operate@cement'])"
    )
    connection.execute(
        """
        INSERT INTO audit (who, via, what, site_no, subject)
        SELECT 'm.weber', 'api', 'period.sealed', site_no, 'x' FROM site WHERE id = 'cement'
        """
    )
    connection.execute(
        """
        INSERT INTO declaration (site_no, point_no, kind, at, body, note, author, proposed_at, idempotency_key, digest)
        SELECT site_no, point_no, 'correction', %(at)s, '{"value": 1.0, "quality": "good"}', 'x', 'm.weber', %(at)s,
               'a', 'a'
          FROM point WHERE id = 'cement/kiln/power'
        """,
        {"at": at(NOW)},
    )
    connection.execute(
        """
        INSERT INTO document (site_no, kind, number, subject, from_at, to_at, count, body, file_sha256, note, author,
                              proposed_at, idempotency_key, digest)
        SELECT site_no, 'invoice', 'RE-1', 'coal', '2026-11-01', '2026-11-02', 1,
               '{"quantity": 1.0, "unit": "t", "basis": []}', repeat('a', 64), '', 'm.weber', %s, 'a', 'a'
          FROM site WHERE id = 'cement'
        """,
        [at(NOW)],
    )
    connection.execute(
        """
        INSERT INTO analyser_test (site_no, instrument, kind, performed_at, readings, result, passed, note, author,
                                   inbox_no, known_at, batch_no)
        SELECT site_no, 'cement/stack-co2', 'daily_calibration', %(at)s, '{}', '{}', true, '', 'm.weber', 1, %(at)s, 800
          FROM site WHERE id = 'cement'
        """,
        {"at": at(NOW)},
    )
    connection.execute(
        """
        INSERT INTO period_point (seal_no, point_no, amount, amount_count, covered_us, valid_us, substituted_us, quality,
                                  reasons, cause, known_at, batch_no)
        SELECT seal_no, point_no, 209.0, 209000, covered_us, valid_us, 0, 0, 0, cause, known_at, 812 FROM period_point
        """
    )
