"""What is too much: requests of a key, failures of an address, headers, bodies, and waiting for either."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import SECOND
from service import bodies, connections, limits
from service.app import create_app
from service.bodies import MOST_BYTES
from service.limits import Buckets, Limits, Rate
from tests.service.conftest import ADMIN_KEY, SeededDatabase, client_of
from tests.service.seeding import NOW
from tests.service.serving import serving
from tests.service.test_live import BEARER
from tests.service.test_routes import key_of, problem_of

READINGS = "/v1/points/cement/kiln/power/readings"
FEW = Limits(requests=Rate(2.0, 5), failures=Rate(1.0, 3))


class Ticks:
    """A monotonic clock that a test sets."""

    at = 0

    def __call__(self) -> int:
        return self.at


@asynccontextmanager
async def few(shared: SeededDatabase, ticks: Ticks) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(shared.dsn, ADMIN_KEY, now=lambda: NOW, ticks=ticks, limits=FEW)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


async def test_a_key_asks_so_often_and_no_more(shared: SeededDatabase) -> None:
    ticks = Ticks()
    async with few(shared, ticks) as client:
        statuses = [(await client.get("/v1/kpis", headers=BEARER)).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        refused = await client.get("/v1/kpis", headers=BEARER)
        assert (refused.headers["retry-after"], problem_of(refused).detail) == (
            "1", "The key asks more than 2 times a second; ask again in 1 s.",
        )  # fmt: skip
        for spelt in (f"bearer {ADMIN_KEY}", f"BEARER   {ADMIN_KEY}"):
            assert (await client.get("/v1/kpis", headers={"Authorization": spelt})).status_code == 429
        other = await key_of(shared, ["read"])
        assert (await client.get("/v1/kpis", headers=other)).status_code == 200
        for path in ("/", "/healthz", "/metrics"):
            assert (await client.get(path, headers=BEARER)).status_code == 200
        ticks.at += SECOND
        statuses = [(await client.get("/v1/kpis", headers=BEARER)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_a_session_is_one_whatever_is_sent_beside_it(shared: SeededDatabase) -> None:
    async with few(shared, Ticks()) as client:
        begun = await client.post("/v1/session", headers=BEARER)
        session = f"stackwatt_session={begun.cookies['stackwatt_session']}"
        client.cookies.clear()
        statuses = [
            (await client.get("/v1/kpis", headers={"Cookie": f"a={i}; {session}; b={i}"})).status_code
            for i in range(6)
        ]
    assert statuses == [200] * 5 + [429]


async def test_an_address_fails_so_often_and_then_learns_nothing_of_any_key(shared: SeededDatabase) -> None:
    ticks = Ticks()
    async with few(shared, ticks) as client:
        known = await key_of(shared, ["read"])
        assert (await client.get("/v1/kpis", headers=known)).status_code == 200
        statuses = [
            (await client.get("/v1/kpis", headers={"Authorization": f"Bearer guess {i}"})).status_code
            for i in range(4)
        ]
        assert statuses == [401, 401, 401, 429]
        # Who was let in before is not shut out by another at the same address; who was not is.
        assert (await client.get("/v1/kpis", headers=known)).status_code == 200
        fresh = await key_of(shared, ["read"])
        assert (await client.get("/v1/kpis", headers=fresh)).status_code == 429
        ticks.at += SECOND
        assert (await client.get("/v1/kpis", headers=fresh)).status_code == 200


@given(st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(0, 2)), max_size=60), st.integers(1, 5))
def test_no_span_of_time_sees_more_than_burst_and_rate(asked: list[tuple[int, int]], burst: int) -> None:
    ticks, taken = Ticks(), []
    buckets = Buckets(Rate(2.0, burst), ticks)
    for pause, who in asked:
        ticks.at += pause
        name = bytes([who])
        if buckets.wait_s(name) == 0:
            buckets.take(name)
            taken.append((ticks.at, who))
    for i, (begin, who) in enumerate(taken):
        mine = [at for at, other in taken[i:] if other == who]
        for n, at in enumerate(mine, 1):
            assert n <= burst + 2.0 * (at - begin) / SECOND + 1e-6


def test_buckets_are_forgotten_the_longest_unused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BUCKETS", 2)
    buckets = Buckets(Rate(1.0, 1), Ticks())
    for name in (b"a", b"b", b"c"):
        buckets.take(name)
    assert [buckets.wait_s(name) > 0 for name in (b"a", b"b", b"c")] == [False, True, True]


async def test_an_announced_body_is_refused_before_it_is_sent(client: httpx.AsyncClient) -> None:
    headers = {"Content-Length": str(MOST_BYTES + 1), "Idempotency-Key": "x"}
    for path in (READINGS, "/v1/session"):
        response = await client.post(path, headers=headers, content=b"")
        assert response.status_code == 413
        assert (
            problem_of(response).detail
            == f"The body has {MOST_BYTES + 1} bytes: expected at most {MOST_BYTES}."
        )


async def test_a_body_that_is_not_announced_is_read_no_further(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield bytes(1 << 16)

    response = await client.post(READINGS, headers={"Idempotency-Key": "x"}, content=endless())
    assert response.status_code == 413
    problem_of(response)


async def test_many_headers_are_too_many(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/kpis", headers=[(f"X-{i}", "x") for i in range(120)])
    assert response.status_code == 431
    assert problem_of(response).detail.endswith("expected at most 100.")


async def test_a_slow_body_is_given_up(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.2)
    head = (
        f"POST {READINGS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
        "Idempotency-Key: slow\r\nContent-Length: 100\r\n\r\n1.5"
    )
    answer = await said(app, head.encode())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body-too-slow" in answer


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost:"])
async def test_a_connection_that_asks_nothing_is_cut_off(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)
    assert await said(app, begun) == b""


async def test_a_head_that_comes_in_pieces_is_answered_and_the_next_one_waited_for(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 3.0)
    async with serving(app) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        for _ in range(2):
            for piece in (b"GET /healthz HT", b"TP/1.1\r\nHost: x\r\n", b"\r\n"):
                writer.write(piece)
                await asyncio.sleep(0.05)
            assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"}"), 20)
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        assert await asyncio.wait_for(reader.read(), 20) == b""  # begun, and no more of it came
        writer.close()


async def said(app: FastAPI, sent: bytes) -> bytes:
    """All that the server says to a client that goes on no further."""
    async with serving(app) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return answer
