"""The live stream and sessions, over a real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from service import auth, keys, routes_live
from service.app import create_app
from tests.service.conftest import ADMIN_KEY, Clock, SeededDatabase, seeded_database
from tests.service.seeding import HORIZON, at, text
from tests.service.serving import serving

BEARER = {"Authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture
async def own(postgres_server: str, migrated_template: str) -> AsyncIterator[SeededDatabase]:
    """Facts a test may change."""
    with seeded_database(postgres_server, migrated_template) as made:
        yield made


@pytest.fixture
async def server(own: SeededDatabase, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server; the streams of an in-process transport would end before they begin."""
    async with (
        serving(create_app(own.dsn, ADMIN_KEY, now=clock)) as address,
        httpx.AsyncClient(base_url=address, timeout=30) as client,
    ):
        yield client


@asynccontextmanager
async def stream(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """The events of a stream."""
    async with client.stream("GET", "/v1/live", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield events(response)


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def figures_until(found: AsyncIterator[tuple[str, Any]], key: tuple[str, str]) -> dict[str, Any]:
    """The first figure of (KPI, window) that comes."""
    async with asyncio.timeout(20):
        async for name, data in found:
            for item in data["items"] if name == "figures" else ():
                if (item["id"], item["window"]) == key:
                    return dict(item)
    raise AssertionError("the stream ended")


def commit(database: SeededDatabase, value: float) -> None:
    """What ingest does: a figure and a notice, in one transaction."""
    with psycopg.connect(database.dsn) as connection:
        connection.execute(
            """
            UPDATE kpi_latest SET value = %s, to_at = %s WHERE window_us = 3600000000
               AND kpi_no = (SELECT kpi_no FROM kpi WHERE id = 'cement/power')
            """,
            [value, at(HORIZON + 1)],
        )
        connection.execute("SELECT pg_notify('stackwatt', '1:813')")


async def test_a_stream_begins_with_everything_and_goes_on_with_what_changes(
    server: httpx.AsyncClient, own: SeededDatabase
) -> None:
    latest = (await server.get("/v1/kpis/latest", headers=BEARER)).json()
    async with stream(server, BEARER) as found:
        seen: dict[tuple[str, str], Any] = {}
        async for name, data in found:
            if name == "figures":
                seen |= {(item["id"], item["window"]): item for item in data["items"]}
            if len(seen) == len(latest["items"]):
                break
        assert list(seen.values()) == latest["items"]
        commit(own, 123.456)
        async for name, data in found:
            if name == "figures":
                [item] = data["items"]
                assert (item["id"], item["window"], item["value"]) == ("cement/power", "1h", 123.456)
                assert item["to"] == text(HORIZON + 1)
                break


async def test_a_status_tells_the_servers_time_and_the_last_commits(server: httpx.AsyncClient) -> None:
    async with stream(server, BEARER) as found:
        async for name, data in found:
            if name == "status":
                assert data["now"] == "2026-11-20T08:00:10Z"
                assert data["database"] is True
                assert data["sites"]["cement"]["batch_no"] == 812
                return


async def test_a_figure_grows_stale_on_the_stream_without_any_commit(
    server: httpx.AsyncClient, clock: Clock
) -> None:
    async with stream(server, BEARER) as found:
        assert (await figures_until(found, ("cement/power", "1h")))["value"] is not None
        clock.now += 400_000_000
        figure = await figures_until(found, ("cement/power", "1h"))
        assert (figure["value"], figure["reason"]) == (None, "stale")


async def test_a_stream_holds_only_the_sites_of_its_key(
    server: httpx.AsyncClient, own: SeededDatabase
) -> None:
    async with await psycopg.AsyncConnection.connect(own.dsn, autocommit=True) as connection:
        key = await keys.create(connection, "steel only", ["read"], ["steel"])
    async with stream(server, {"Authorization": f"Bearer {key}"}) as found:
        names: set[str] = set()
        async for name, data in found:
            if name == "status":
                assert list(data["sites"]) == ["steel"]
            else:
                assert {item["id"].partition("/")[0] for item in data["items"]} == {"steel"}
            names.add(name)
            if len(names) == 2:
                return


async def test_a_stream_ends_when_its_key_is_revoked(
    server: httpx.AsyncClient, own: SeededDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_live, "RECHECK_S", 0.0)
    async with await psycopg.AsyncConnection.connect(own.dsn, autocommit=True) as connection:
        key = await keys.create(connection, "leaver", ["read"], None)
        async with asyncio.timeout(20), stream(server, {"Authorization": f"Bearer {key}"}) as found:
            await anext(found)
            await keys.revoke(connection, "leaver")
            async for _ in found:
                pass


async def test_no_more_streams_than_the_service_can_feed(
    server: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_live, "MOST_STREAMS", 1)
    async with stream(server, BEARER) as found:
        await anext(found)
        response = await server.get("/v1/live", headers=BEARER)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert "stackwatt_service_live_streams 1.0" in (await server.get("/metrics")).text


async def test_a_session_opens_get_routes_and_nothing_else(server: httpx.AsyncClient) -> None:
    response = await server.post("/v1/session", headers=BEARER)
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert ADMIN_KEY not in cookie
    assert (await server.get("/v1/session")).json()["name"] == "admin"
    async with stream(server, {}) as found:
        assert (await anext(found))[0] in ("status", "figures")
    sent = await server.post(
        "/v1/points/cement/kiln/power/readings", content=b"1", headers={"Idempotency-Key": "by cookie"}
    )
    assert sent.status_code == 401
    assert (await server.post("/v1/session")).status_code == 401
    assert (await server.delete("/v1/session")).status_code == 204
    assert (await server.get("/v1/session")).status_code == 401


async def test_a_session_ends_in_time_and_cannot_be_altered(server: httpx.AsyncClient, clock: Clock) -> None:
    cookie = (await server.post("/v1/session", headers=BEARER)).cookies[auth.COOKIE]
    number, expiry, signature = cookie.split(".")
    server.cookies.clear()
    for forged in (
        f"1.{expiry}.{signature}",
        f"{number}.{int(expiry) + 1}.{signature}",
        f"{number}.{expiry}.{signature[:-1]}x",
        f"{number}.{expiry}.",
        "0",
        "\u0660.\u0660.x",
    ):
        response = await server.get("/v1/session", headers=[(b"Cookie", f"{auth.COOKIE}={forged}".encode())])
        assert response.status_code == 401, forged
    good = {"Cookie": f"{auth.COOKIE}={cookie}"}
    clock.now += auth.SESSION_US - 11_000_000
    assert (await server.get("/v1/session", headers=good)).status_code == 200
    clock.now += 11_000_000
    assert (await server.get("/v1/session", headers=good)).status_code == 401


async def test_a_session_ends_with_its_key(server: httpx.AsyncClient, own: SeededDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(own.dsn, autocommit=True) as connection:
        key = await keys.create(connection, "visitor", ["read"], ["cement"])
        begun = await server.post("/v1/session", headers={"Authorization": f"Bearer {key}"})
        assert begun.json()["sites"] == ["cement"]
        assert (await server.get("/v1/kpis?site=cement")).status_code == 200
        assert (await server.get("/v1/kpis?site=steel")).status_code == 403
        await keys.revoke(connection, "visitor")
        assert (await server.get("/v1/kpis?site=cement")).status_code == 401


def test_sessions_outlive_a_restart_as_long_as_the_admin_key_is_the_same() -> None:
    assert auth.session_secret("a") == auth.session_secret("a") != auth.session_secret("b")
    assert auth.session_secret(None) != auth.session_secret(None)
