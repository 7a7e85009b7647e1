"""Readings by HTTP: into the inbox once, or refused at once."""

import json
import secrets
from typing import Any

import httpx
import psycopg
import pytest

from tests.service.conftest import SeededDatabase
from tests.service.test_routes import problem_of

POWER = "/v1/points/cement/kiln/power/readings"


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(8)}


def row_of(shared: SeededDatabase, inbox_no: int) -> tuple[Any, ...]:
    with psycopg.connect(shared.dsn) as connection:
        row = connection.execute(
            "SELECT s.id, kind, body, author, priority, batch_no FROM inbox JOIN site s USING (site_no)"
            " WHERE inbox_no = %s",
            [inbox_no],
        ).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("body", "readings"),
    [
        (b'{"ts": "2026-11-20T08:00:00.250Z", "value": 12.3, "unit": "MW", "seq": 17}', 1),
        (b"12.300000000000000001", 1),
        (b'{"ts": [1795161600000, 1795161605000], "value": [1.0, 2.0], "quality": ["good", "bad"]}', 2),
        (b'{"value": null}', 0),
    ],
)
async def test_every_form_of_a_points_topic_is_taken_as_it_came(
    client: httpx.AsyncClient, shared: SeededDatabase, body: bytes, readings: int
) -> None:
    response = await client.post(POWER, content=body, headers=new_key())
    assert response.status_code == 202
    accepted = response.json()
    assert (accepted["readings"], accepted["refused"], accepted["repeated"]) == (readings, [], False)
    site, kind, stored, author, priority, batch_no = row_of(shared, accepted["inbox_no"])
    assert (site, kind, author, priority, batch_no) == ("cement", "reading", "admin", 0, None)
    assert stored == '{"topic":"plant/cement/kiln/power","payload":' + body.decode() + "}"


async def test_sending_again_adds_nothing(client: httpx.AsyncClient) -> None:
    headers = new_key()
    first, second = [(await client.post(POWER, content=b"1.5", headers=headers)).json() for _ in range(2)]
    assert first["inbox_no"] == second["inbox_no"]
    assert (first["repeated"], second["repeated"]) == (False, True)


async def test_a_key_stands_for_one_body(client: httpx.AsyncClient) -> None:
    headers = new_key()
    await client.post(POWER, content=b"1.5", headers=headers)
    response = await client.post(POWER, content=b"1.6", headers=headers)
    assert response.status_code == 422
    assert problem_of(response).type.endswith("idempotency-key-reused")


async def test_ingest_is_woken(client: httpx.AsyncClient, shared: SeededDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(shared.dsn, autocommit=True) as listener:
        await listener.execute("LISTEN stackwatt_inbox")
        await client.post(POWER, content=b"1.5", headers=new_key())
        async for notice in listener.notifies(timeout=10, stop_after=1):
            assert notice.payload == "1"
            return
    pytest.fail("no notice came")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"NaN", "is NaN; a finite number"),
        (b"true", "True"),
        (b'{"ts": 1795161600000, "value": 1, "unit": "t/h"}', "unit"),
        (b'{"valeu": 1}', '"value"'),
        (b"12,3", "JSON"),
        (b'{"ts": [1795161600000, 1795161605000], "value": [1.0, NaN]}', "not JSON"),
        (b'{"value": 1, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "UTF-8 JSON was expected"),
        (b'{"ts": [1795161600000], "value": [true]}', "True"),
    ],
)
async def test_a_body_that_holds_no_reading_is_refused_at_once(
    client: httpx.AsyncClient, body: bytes, sentence: str
) -> None:
    response = await client.post(POWER, content=body, headers=new_key())
    assert response.status_code == 422
    problem = problem_of(response)
    assert problem.type.endswith("invalid-body")
    assert sentence.lower() in problem.detail.lower()


async def test_a_faulty_element_is_named_and_its_neighbours_are_taken(client: httpx.AsyncClient) -> None:
    body = {"ts": [1795161600000, 1795161605000], "value": [1.0, "two"]}
    response = await client.post(POWER, content=json.dumps(body), headers=new_key())
    assert response.status_code == 202
    accepted = response.json()
    assert accepted["readings"] == 1
    [refused] = accepted["refused"]
    assert refused["element"] == 1


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({}, b"1", 400),
        ({"Idempotency-Key": "x" * 201}, b"1", 422),
        ({"Idempotency-Key": "a", "Content-Type": "text/plain"}, b"1", 415),
        ({"Idempotency-Key": "b"}, b"1" * ((1 << 20) + 1), 413),
        ({"Idempotency-Key": "c"}, b"", 422),
    ],
)
async def test_what_surrounds_the_body_is_checked(
    client: httpx.AsyncClient, headers: dict[str, str], content: bytes, status: int
) -> None:
    response = await client.post(POWER, content=content, headers=headers)
    assert response.status_code == status
    problem_of(response)


async def test_a_computed_point_takes_no_readings(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/points/cement/kiln/stack/co2-flow/readings", content=b"1", headers=new_key()
    )
    assert response.status_code == 422
    problem_of(response)
