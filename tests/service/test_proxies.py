"""Whom the service believes: proxies by their address, browsers by a header that no foreign page can send."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from ingest.errors import InputError
from service.app import create_app
from service.proxies import Proxies, proxies_of
from tests.service.conftest import ADMIN_KEY, SeededDatabase
from tests.service.seeding import NOW, text
from tests.service.test_live import BEARER
from tests.service.test_routes import key_of, problem_of

PROXY, ELSEWHERE = "10.0.0.5", "10.0.0.6"
PROXIES = proxies_of("10.0.0.5, 10.9.0.0/16, fd00::/8", "X-Remote-User", "*=read; anna=read, operate@cement")
CORRECTION = {"measured_at": text(NOW - 3_600_000_000), "value": 1.0, "note": "Transposed digits"}
CORRECTIONS = "/v1/points/cement/kiln/power/corrections"


@asynccontextmanager
async def behind(
    shared: SeededDatabase, peer: str, proxies: Proxies = PROXIES
) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose connection comes from `peer`."""
    app = create_app(shared.dsn, ADMIN_KEY, now=lambda: NOW, proxies=proxies)
    async with app.router.lifespan_context(app), client_at(app, peer) as client:
        yield client


def client_at(app: FastAPI, peer: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://stackwatt.test")


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        (PROXY, 200),
        ("10.9.3.4", 200),
        ("fd00::7", 200),
        ("::ffff:10.0.0.5", 200),
        (ELSEWHERE, 401),
        ("127.0.0.1", 401),
        ("", 401),
    ],
)
async def test_a_user_is_who_a_trusted_proxy_names(shared: SeededDatabase, peer: str, status: int) -> None:
    async with behind(shared, peer) as client:
        response = await client.get("/v1/session", headers={"X-Remote-User": "bert"})
        assert response.status_code == status
        if status == 200:
            assert response.json() == {"name": "bert", "scopes": ["read"], "sites": None, "ends_at": None}


async def test_without_the_setting_nobody_is_named(shared: SeededDatabase) -> None:
    for proxies in (Proxies(), proxies_of(PROXY, None, "*=admin")):
        async with behind(shared, PROXY, proxies) as client:
            assert (await client.get("/v1/session", headers={"X-Remote-User": "bert"})).status_code == 401


async def test_a_forged_address_makes_no_proxy(shared: SeededDatabase) -> None:
    forged = {"X-Remote-User": "anna", "X-Forwarded-For": PROXY, "X-Forwarded-Proto": "https"}
    async with behind(shared, ELSEWHERE) as client:
        response = await client.get("/v1/session", headers=forged)
        assert response.status_code == 401
        assert "strict-transport-security" not in response.headers
    async with behind(shared, PROXY) as client:
        twice = [("X-Remote-User", "anna"), ("X-Remote-User", "bert")]
        assert (await client.get("/v1/session", headers=twice)).status_code == 401


async def test_a_named_user_has_the_scopes_that_are_mapped(shared: SeededDatabase) -> None:
    async with behind(shared, PROXY) as client:
        for user, expected in (("anna", 201), ("bert", 403)):
            headers = {"X-Remote-User": user, "Stackwatt-Page": "1", "Idempotency-Key": secrets.token_hex(8)}
            response = await client.post(CORRECTIONS, json=CORRECTION, headers=headers)
            assert response.status_code == expected, response.text
        steel = (await client.get("/v1/points?site=steel&limit=1", headers={"X-Remote-User": "anna"})).json()
        path = f"/v1/points/{steel['items'][0]['id']}/corrections"
        headers = {"X-Remote-User": "anna", "Stackwatt-Page": "1", "Idempotency-Key": secrets.token_hex(8)}
        assert problem_of(await client.post(path, json=CORRECTION, headers=headers)).type.endswith(
            "wrong-site"
        )
        for user in ("", "x" * 101, "a\x07b"):
            assert (await client.get("/v1/session", headers={"X-Remote-User": user})).status_code == 401


async def test_failures_are_counted_where_they_come_from(shared: SeededDatabase) -> None:
    async with behind(shared, PROXY) as client:
        for _ in range(40):
            guess = {"Authorization": "Bearer guess", "X-Forwarded-For": "203.0.113.9, 10.9.0.1"}
            last = await client.get("/v1/kpis", headers=guess)
        assert last.status_code == 429
        other = {"Authorization": "Bearer guess", "X-Forwarded-For": "203.0.113.9, 203.0.113.10"}
        assert (await client.get("/v1/kpis", headers=other)).status_code == 401


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("10.0.0.300", None, None), "trusted proxy is '10.0.0.300': expected an address"),
        ((None, "X-User", None), "without trusted proxies"),
        ((PROXY, "X-User", "*=everything"), "scopes of users are '\\*=everything'"),
        ((PROXY, "X-User", "read"), "scopes of users are 'read'"),
    ],
)
def test_settings_that_say_nothing_are_one_sentence(
    settings: tuple[str | None, str | None, str | None], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        proxies_of(*settings)


async def test_a_session_changes_something_only_from_our_own_page(shared: SeededDatabase) -> None:
    key = await key_of(shared, ["operate", "read", "admin"])
    async with behind(shared, ELSEWHERE) as client:
        begun = await client.post("/v1/session", headers=key)
        cookie = begun.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie
        for headers, status in (
            ({}, 401),
            ({"Origin": "http://stackwatt.test"}, 401),
            ({"Stackwatt-Page": "1", "Origin": "http://evil.test"}, 401),
            ({"Stackwatt-Page": "1", "Origin": "null"}, 401),
            ({"Stackwatt-Page": "1"}, 201),
            ({"Stackwatt-Page": "1", "Origin": "http://stackwatt.test"}, 201),
        ):
            sent = {**headers, "Idempotency-Key": secrets.token_hex(8)}
            body = {**CORRECTION, "note": sent["Idempotency-Key"]}
            response = await client.post(CORRECTIONS, json=body, headers=sent)
            assert response.status_code == status, response.text
        sent = {"Stackwatt-Page": "1", "Idempotency-Key": secrets.token_hex(8)}
        refused = await client.post("/v1/keys", json={"name": "y", "scopes": ["read"]}, headers=sent)
        assert refused.status_code == 401
        options = {"Origin": "http://evil.test", "Access-Control-Request-Headers": "stackwatt-page"}
        preflight = await client.options(CORRECTIONS, headers=options)
        assert preflight.status_code == 405
        assert not [name for name in preflight.headers if name.startswith("access-control")]


async def test_over_tls_the_cookie_is_secure_and_the_browser_told_to_stay(shared: SeededDatabase) -> None:
    for peer, strict in (("127.0.0.1", True), (PROXY, True), (ELSEWHERE, False)):
        async with behind(shared, peer) as client:
            begun = await client.post("/v1/session", headers={**BEARER, "X-Forwarded-Proto": "https"})
            assert ("secure" in begun.headers["set-cookie"].lower()) is strict
            assert ("strict-transport-security" in begun.headers) is strict
            assert begun.headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in begun.headers["content-security-policy"]
