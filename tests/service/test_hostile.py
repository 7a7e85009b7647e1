"""What a hostile or a careless client sends: each gets a plain answer and leaves no trace but that."""

import asyncio
import base64
import json
import logging
import secrets
import threading
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql

from ingest.errors import InputError
from ingest.model import HOUR
from service import live_uncertainty, routes_live, series, store
from service.app import create_app
from service.main import run
from service.windows import window_figure
from tests.service.conftest import ADMIN_KEY, Clock, SeededDatabase, admin_client, client_of, seeded_database
from tests.service.seeding import CLOSED, NOW, plant_only, text
from tests.service.serving import serving
from tests.service.test_live import BEARER
from tests.service.test_routes import problem_of

READINGS = "/v1/points/cement/kiln/power/readings"
SPAN = f"?from={text(CLOSED)}&to={text(NOW)}"


def forged(*key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "key",
    [
        (2**61, 0, 0, 0.0, 0),
        (CLOSED, 0, 2**61, 0.0, 0),
        (CLOSED, 0, -(2**61), 0.0, 0),
        (CLOSED, 0, 0, 0.0, 2**40),
        (CLOSED, 0, 0, 0.0, -(2**40)),
        (CLOSED, 2**63, 0, 0.0, 0),
        (CLOSED, True, 0, 0.0, 0),
        (CLOSED, 0, 0, 10, 0),
        (CLOSED, 0, 0, 0.0),
    ],
)
async def test_a_forged_cursor_is_refused(client: httpx.AsyncClient, key: tuple[Any, ...]) -> None:
    response = await client.get(f"{READINGS}{SPAN}&cursor={forged(*key)}")
    assert response.status_code == 422
    assert "expected the `next`" in problem_of(response).detail


async def test_a_cursor_holds_every_seq_a_reading_may_have(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{READINGS}{SPAN}&cursor={forged(CLOSED, 2**63 - 1, NOW, 'nan', 3)}")
    assert response.status_code == 200
    assert len(response.json()["items"]) == 19


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/kpis?site=cement&site=steel", "Query parameter 'site' is 'cement, steel': expected one value."),
        (f"{READINGS}?limit=1&limit=1", "Query parameter 'limit' is '1, 1': expected one value."),
        (
            "/v1/live?site=cement",
            "Query parameter 'site' is 'cement': expected no parameter at this address.",
        ),
        ("/v1/session?key=x", "Query parameter 'key' is 'x': expected no parameter at this address."),
    ],
)
async def test_a_parameter_that_would_be_ignored_is_refused(
    client: httpx.AsyncClient, path: str, sentence: str
) -> None:
    response = await client.get(path)
    assert (response.status_code, problem_of(response).detail) == (422, sentence)


async def test_sending_takes_no_query(client: httpx.AsyncClient) -> None:
    response = await client.post(f"{READINGS}?unit=kW", content=b"1", headers={"Idempotency-Key": "query"})
    assert response.status_code == 422
    problem_of(response)


@pytest.mark.parametrize("path", ["/v1/plant/", "/v1/kpis/", f"{READINGS}/", "//v1/plant"])
async def test_an_address_that_is_not_quite_one_is_a_problem_and_no_way_elsewhere(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(f"http://stackwatt.test{path}", headers={"Host": "evil.example"})
    assert response.status_code == 404
    assert "location" not in response.headers
    assert problem_of(response).detail == f"There is nothing at {path}."


@pytest.mark.parametrize(
    "path", ["/", "/page/page.js", "/healthz", "/readyz", "/v1/plant", "/v1/kpis/latest", READINGS]
)
async def test_head_tells_what_get_would(client: httpx.AsyncClient, path: str) -> None:
    full, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag", "content-security-policy"):
        assert head.headers.get(name) == full.headers.get(name)
    assert (await client.head("/v1/nothing")).status_code == 404


async def test_head_of_a_stream_ends(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        response = await client.head("/v1/live")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "TRACE", "BREW"])
async def test_a_wrong_method_is_told_every_right_one(client: httpx.AsyncClient, method: str) -> None:
    for path, allowed in (
        ("/v1/plant", "GET, HEAD"),
        ("/v1/session", "DELETE, GET, HEAD, POST"),
        (READINGS, "GET, HEAD, POST"),
    ):
        response = await client.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
        problem_of(response)


async def test_methods_nobody_knows_are_one_label_of_the_metrics(client: httpx.AsyncClient) -> None:
    for i in range(3):
        await client.request(f"BREW{i}", "/v1/plant")
    metrics = (await client.get("/metrics")).text
    assert "BREW" not in metrics
    assert 'requests_total{method="other",route="/v1/plant",status="405"} 3.0' in metrics


async def test_a_failure_is_counted_and_carries_the_policy(dsn: str, clock: Clock) -> None:
    plant_only(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute("ALTER TABLE kpi_latest RENAME COLUMN to_at TO until")
    async with admin_client(dsn, clock) as client:
        response = await client.get("/v1/kpis/latest")
        assert response.status_code == 500
        assert problem_of(response).detail == "The service failed; its log says why."
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert 'route="/v1/kpis/latest",status="500"} 1.0' in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "json"),
        ("text/*", "csv"),
        ("TEXT/CSV", "csv"),
        ("text/csv; header=present", "csv"),
        ("text/csv, application/json", "json"),
        ("text/csv;q=0.9, application/json;q=0.1", "csv"),
        ("text/csv;q=0.5, */*", "json"),
        ("text/csv, */*;q=0.1", "csv"),
        ("text/csv;q=0, */*", "json"),
        ("text/csv;q=0", "json"),
        ("application/json;q=0, text/csv;q=0.1", "csv"),
        ("application/xml", "json"),
        ("garbage;;;q=NaN,,;", "json"),
        ("", "json"),
    ],
)
async def test_accept_is_weighed(client: httpx.AsyncClient, accept: str, given: str) -> None:
    response = await client.get("/v1/kpis/latest", headers={"Accept": accept})
    assert response.status_code == 200
    assert given in response.headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/v1/kpis"])
async def test_a_tag_is_known_among_others_and_when_a_proxy_weakened_it(
    client: httpx.AsyncClient, path: str
) -> None:
    tag = (await client.get(path)).headers["etag"]
    for known, status in (
        (f'"x", {tag}', 304),
        (f"W/{tag}", 304),
        ("*", 304),
        ('"x"', 200),
        (tag[:-2] + '"', 200),
    ):
        assert (await client.get(path, headers={"If-None-Match": known})).status_code == status


async def test_a_refusal_of_the_body_names_things_as_they_are_called(client: httpx.AsyncClient) -> None:
    body = b'{"value": 1, "unit": "parsec"}'
    response = await client.post(READINGS, content=body, headers={"Idempotency-Key": secrets.token_hex(4)})
    assert "cement/kiln/power: unit 'parsec'" in problem_of(response).detail


async def test_a_coded_body_is_refused_as_such(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(4), "Content-Encoding": "gzip"}
    response = await client.post(READINGS, content=b"1.5", headers=headers)
    assert response.status_code == 415
    assert "'gzip'" in problem_of(response).detail


async def test_what_cannot_be_a_key_asks_no_database(free_port: int, clock: Clock) -> None:
    app = create_app(f"host=127.0.0.1 port={free_port} dbname=x", ADMIN_KEY, now=clock)
    async with app.router.lifespan_context(app), client_of(app) as client:
        statuses = [
            (await client.get("/v1/kpis", headers={"Authorization": f"Bearer {key}"})).status_code
            for key in ("guess", "sw_" + "x" * 43)
        ]
    assert statuses == [401, 503]


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_failure(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    head = (
        f"POST {READINGS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
        "Idempotency-Key: left\r\nContent-Length: 100\r\n\r\n1.5"
    )
    async with serving(app) as address:
        _, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(head.encode())
        await writer.drain()
        async with httpx.AsyncClient(base_url=address) as client:
            await client.get("/readyz")
            writer.transport.abort()
            async with asyncio.timeout(10):
                while 'method="POST"' not in (await client.get("/metrics")).text:  # noqa: ASYNC110  it is another's
                    await asyncio.sleep(0.02)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_burst_of_streams_opens_no_more_than_there_may_be(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_live, "MOST_STREAMS", 3)
    statuses: list[int] = []

    async def look(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/v1/live") as response:
            statuses.append(response.status_code)
            async for _ in response.aiter_raw():
                pass

    async with (
        serving(app) as address,
        httpx.AsyncClient(base_url=address, timeout=30, headers=BEARER) as client,
    ):
        looking = [asyncio.create_task(look(client)) for _ in range(12)]
        async with asyncio.timeout(20):
            while len(statuses) < 12:  # noqa: ASYNC110  a server's answers
                await asyncio.sleep(0.02)
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
    assert sorted(statuses) == [200] * 3 + [503] * 9


async def test_who_asks_much_keeps_nobody_from_the_database(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = threading.Event()

    def slow(*given: Any) -> Any:
        ready.wait(20)
        return window_figure(*given)

    monkeypatch.setattr(series, "window_figure", slow)
    monkeypatch.setattr(live_uncertainty, "KEPT_US", -1)  # whatever was asked before
    path = f"/v1/kpis/cement/power/series?from={text(CLOSED - 60_000_000)}&to={text(CLOSED)}&window=1min"
    asking = [asyncio.create_task(client.get(path)) for _ in range(12)]
    try:
        await asyncio.sleep(0.5)
        assert (await client.get("/v1/kpis/latest")).status_code == 200
    finally:
        ready.set()
    assert {(await task).status_code for task in asking} == {200}


async def test_an_answer_that_waits_too_long_for_a_thread_is_asked_for_again(
    shared: SeededDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "IDLE_TIMEOUT_MS", 100)

    def slow(*_: Any) -> dict[Any, Any]:
        time.sleep(1)
        return {}

    monkeypatch.setattr(live_uncertainty, "_shares", slow)
    async with admin_client(shared.dsn, clock) as client:
        response = await client.get("/v1/kpis/latest")
        assert (response.status_code, problem_of(response).type.rpartition(":")[2]) == (503, "too-busy")
        assert int(response.headers["retry-after"]) > 0


async def test_a_connection_string_that_cannot_be_read_is_one_sentence_without_it(free_port: int) -> None:
    for dsn in ("postgresql://u:secret@[::1/x", "secret", "hots=x password=secret"):
        with pytest.raises(InputError, match="expected") as refused:
            await run(dsn, "127.0.0.1", free_port, None)
        assert "secret" not in str(refused.value)


async def test_while_every_connection_is_at_work_that_is_said_and_the_database_is_not_called_away(
    app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ACQUIRE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.3)
    async with AsyncExitStack() as asking:
        for _ in range(8):
            await asking.enter_async_context(app.state.service.store.snapshot())
        response = await client.get("/v1/plant")
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert problem_of(response).type.endswith("too-busy")
        assert (await client.get("/readyz")).status_code == 200
        assert "stackwatt_service_database_up 1.0" in (await client.get("/metrics")).text
    assert (await client.get("/v1/plant")).status_code == 200


async def test_who_finds_every_connection_at_work_waits_for_one(
    app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ACQUIRE_TIMEOUT_S", 0.1)
    async with AsyncExitStack() as asking:
        for _ in range(8):
            await asking.enter_async_context(app.state.service.store.snapshot())
        waiting = asyncio.create_task(client.get("/v1/plant"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
    assert (await waiting).status_code == 200


@pytest.mark.parametrize("value", ["1e308", "Infinity", "-Infinity"])
async def test_what_no_float_holds_is_null_with_a_reason(
    postgres_server: str, migrated_template: str, clock: Clock, value: str
) -> None:
    """A meter without limits that tells 1e308 spoils its own figures, not the service."""
    with seeded_database(postgres_server, migrated_template) as own, psycopg.connect(own.dsn) as connection:
        for table, columns in (
            ("kpi_value", ("a",)),
            ("emission", ("mass_kg",)),
            ("interval", ("amount", "max")),
        ):
            for column in columns:
                connection.execute(
                    sql.SQL("UPDATE {} SET {} = {}::float8").format(
                        sql.Identifier(table), sql.Identifier(column), sql.Literal(value)
                    )
                )
        connection.execute("UPDATE kpi_latest SET value = 'Infinity'")
        connection.execute("UPDATE interval SET amount_count = NULL")
        connection.commit()
        async with admin_client(own.dsn, clock) as client:
            for kpi in ("power", "load-factor", "power-factor", "electricity-intensity"):
                path = (
                    f"/v1/kpis/cement/{kpi}/series?from={text(CLOSED - 3 * HOUR)}&to={text(CLOSED)}&window=3h"
                )
                columns = (await client.get(path)).json()["columns"]
                assert (columns["value"], columns["reason"]) == ([None], ["no_data"])
            for path in (
                "/v1/kpis/latest",
                f"/v1/emissions?from={text(CLOSED - HOUR)}&to={text(CLOSED)}&site=cement",
            ):
                items = (await client.get(path)).json()["items"]
                assert {(item["value"], item["reason"]) for item in items} == {(None, "no_data")}
            path = f"/v1/points/cement/kiln/clinker/intervals?from={text(CLOSED - HOUR)}&to={text(CLOSED)}"
            items = (await client.get(path)).json()["items"]
            expected = (1e308, None) if value == "1e308" else (None, "no_data")
            assert {(item["amount"], item["reason"]) for item in items} == {expected}
