"""What people see of webhooks and may ask of them, over HTTP."""

import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest

from ingest.model import SECOND
from service import keys
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.test_routes import problem_of
from tests.service.webhooks.conftest import Bench, Clock
from tests.service.webhooks.receiving import Receiver, apply_plant, status, tell, webhook

URL = "/v1/webhooks/mill/mes"


@pytest.fixture
async def client(bench: Bench, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin key, on the notifier's clock."""
    of_service = ServiceClock()
    of_service.now = clock.now
    async with admin_client(bench.dsn, of_service) as made:
        yield made


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(8)}


async def ask(client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> Any:
    response = await client.post(URL + path, headers=headers or new_key())
    assert response.status_code == 202, response.text
    return response.json()


async def told(client: httpx.AsyncClient, path: str = "") -> Any:
    response = await client.get(path or "/v1/webhooks")
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_webhook_is_told_without_what_is_secret(
    bench: Bench, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    apply_plant(
        bench.dsn, [webhook(f"{receiver.url}/T0P/s3cr3t?token=t0k3n", events=["alert.*"], units=["kiln"])]
    )
    response = await client.get("/v1/webhooks?site=mill")
    assert response.json() == {
        "items": [
            {
                "id": "mill/mes",
                "site": "mill",
                "target": f"http://127.0.0.1:{receiver.port}",
                "events": ["alert.*"],
                "units": ["kiln"],
                "severity_at_least": "info",
                "body": "native",
                "timeout": "15s",
                "state": "active",
                "disabled_at": None,
                "sequence": 0,
                "waiting": 0,
                "waiting_since": None,
                "error": None,
                "dead": 0,
                "delivered_at": None,
            }
        ],
        "next": None,
    }
    assert (await told(client, f"{URL}/deliveries"))["items"] == []
    assert (await client.get("/v1/webhooks?format=csv")).text.startswith("id,site,target,")


async def test_a_test_is_delivered_once_and_to_this_webhook_alone(
    bench: Bench, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    entries = [webhook(receiver.url, events=["period.sealed"]), webhook(f"{receiver.url}/other", id="other")]
    apply_plant(bench.dsn, entries)
    key = new_key()
    first, second = [await ask(client, "/test", key) for _ in range(2)]
    assert first == {"id": "mill/mes", "act": "test", "sequence": 1, "deliveries": 1, "repeated": False}
    assert second == {**first, "repeated": True}
    await bench.round()
    [got] = receiver.got
    assert got.path == "/hook"
    assert (got.json["type"], got.json["sequence"]) == ("webhook.test", 1)
    assert got.json["data"] == {"webhook": "mill/mes", "asked_by": "admin"}
    [item] = (await told(client, f"{URL}/deliveries"))["items"]
    assert (item["event_id"], item["state"], item["status"], item["attempts"]) == (
        got.id,
        "delivered",
        204,
        1,
    )
    delivery = await told(client, f"{URL}/deliveries/1")
    assert delivery == {**item, "log": delivery["log"]}
    assert [(one["attempt"], one["status"], one["error"]) for one in delivery["log"]] == [(1, 204, None)]


async def test_dead_deliveries_are_listed_and_replayed_in_order_under_their_ids(
    bench: Bench, client: httpx.AsyncClient, clock: Clock, receiver: Receiver
) -> None:
    receiver.answer = lambda _: status(500, body="broken")
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        for number in range(3):
            tell(connection, site, f"evt_{number}", stream="a")
    for _ in range(30):
        await bench.round()
        clock.now += 26 * 3600 * SECOND
    [one] = (await told(client))["items"]
    assert (one["waiting"], one["dead"], one["sequence"]) == (0, 3, 3)
    page = await told(client, f"{URL}/deliveries?state=dead&limit=2")
    assert [item["sequence"] for item in page["items"]] == [3, 2]
    rest = await told(client, f"{URL}/deliveries?state=dead&limit=2&cursor={page['next']}")
    assert [item["sequence"] for item in rest["items"]] == [1]
    log = (await told(client, f"{URL}/deliveries/1"))["log"]
    assert [(entry["attempt"], entry["error"], entry["answer"]) for entry in log] == [
        (number, "It answered 500.", "broken") for number in range(1, 11)
    ]

    receiver.answer = lambda _: status(200)
    receiver.got.clear()
    key = new_key()
    assert (await ask(client, "/deliveries/2/replay", key))["sequence"] == 2
    await bench.round()
    assert receiver.ids == ["evt_1"]
    assert (await ask(client, "/deliveries/2/replay", key))["repeated"]
    assert (await ask(client, "/replay"))["deliveries"] == 2
    await bench.round()
    assert receiver.ids == ["evt_1", "evt_0", "evt_2"]
    assert (await ask(client, "/replay"))["deliveries"] == 0
    assert {item["state"] for item in (await told(client, f"{URL}/deliveries"))["items"]} == {"delivered"}
    assert (await told(client, f"{URL}/deliveries/1"))["attempts"] == 11


async def test_a_disabled_webhook_is_enabled_and_gets_what_waited(
    bench: Bench, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.answer = lambda _: status(410)
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1", stream="a")
    await bench.round()
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_2", stream="a")
    await bench.round()
    [one] = (await told(client))["items"]
    assert (one["state"], one["waiting"]) == ("disabled", 2)
    assert one["error"] == "It answered 410: it wants no more, so the webhook is disabled."
    response = await client.post(f"{URL}/test", headers=new_key())
    assert response.status_code == 409
    assert problem_of(response).detail == "Webhook 'mill/mes' is disabled: expected one that is active."
    receiver.answer = lambda _: status(204)
    assert (await ask(client, "/enable"))["deliveries"] == 2
    await bench.round()
    assert receiver.ids == ["evt_1", "evt_1", "evt_2"]
    assert (await told(client))["items"][0]["state"] == "active"


async def test_a_removed_webhook_is_told_and_asked_nothing(
    bench: Bench, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.answer = lambda _: status(500)
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    await bench.round()
    apply_plant(bench.dsn, [], version=2)
    [one] = (await told(client))["items"]
    assert (one["state"], one["target"], one["waiting"]) == ("removed", None, 1)
    response = await client.post(f"{URL}/test", headers=new_key())
    assert (response.status_code, problem_of(response).type) == (
        409,
        "urn:stackwatt:problem:webhook-conflict",
    )
    assert len((await told(client, f"{URL}/deliveries"))["items"]) == 1


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("mill/no-such/test", 404, "There is no webhook 'mill/no-such'."),
        ("mars/mes/test", 404, "There is no webhook 'mars/mes'."),
        ("mill/mes/deliveries/7/replay", 404, "There is no delivery 7 of 'mill/mes'."),
        (
            "mill/mes/deliveries/1/replay",
            409,
            "Delivery 1 of 'mill/mes' is waiting to be sent: expected one that is dead or delivered.",
        ),
        (
            "mill/mes/deliveries/0/replay",
            422,
            "Path parameter 'sequence' is '0': expected a number of at least 1.",
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_a_sentence(
    bench: Bench, client: httpx.AsyncClient, receiver: Receiver, path: str, code: int, sentence: str
) -> None:
    apply_plant(bench.dsn, [webhook(receiver.url)])
    await ask(client, "/test")
    response = await client.post(f"/v1/webhooks/{path}", headers=new_key())
    assert (response.status_code, problem_of(response).detail) == (code, sentence)
    if "deliveries/7" in path:
        assert (await client.get(f"{URL}/deliveries/7")).status_code == 404


async def test_a_key_stands_for_one_act(bench: Bench, client: httpx.AsyncClient, receiver: Receiver) -> None:
    apply_plant(bench.dsn, [webhook(receiver.url)])
    key = new_key()
    await ask(client, "/test", key)
    for path in ("/replay", "/enable", "/deliveries/1/replay"):
        response = await client.post(URL + path, headers=key)
        assert problem_of(response).type == "urn:stackwatt:problem:idempotency-key-reused"
    assert problem_of(await client.post(f"{URL}/test")).type.endswith("idempotency-key-missing")


async def test_acts_need_scope_operate_and_the_site(
    bench: Bench, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    apply_plant(bench.dsn, [webhook(receiver.url)])
    async with await psycopg.AsyncConnection.connect(bench.dsn, autocommit=True) as connection:
        made = {
            name: await keys.create(connection, name, scopes, sites)
            for name, scopes, sites in (
                ("reader", ["read"], None),
                ("mes", ["mes"], None),
                ("elsewhere", ["read", "operate"], ["other"]),
                ("operator", ["operate"], ["mill"]),
            )
        }
    found = {}
    for name, key in made.items():
        headers = {"Authorization": f"Bearer {key}"}
        acts = {
            (await client.post(URL + path, headers={**headers, **new_key()})).status_code
            for path in ("/test", "/replay", "/enable")
        }
        seen = (await client.get(f"{URL}/deliveries", headers=headers)).status_code
        found[name] = (acts, seen)
    assert found == {
        "reader": ({403}, 200),
        "mes": ({403}, 403),
        "elsewhere": ({403}, 403),
        "operator": ({202}, 403),
    }


async def test_metrics_tell_outcomes_backlog_and_age(
    bench: Bench, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.answer = lambda got: status(500 if got.id == "bad" else 200)
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "good")
        tell(connection, site, "bad")
    await bench.round()
    bench.sql("UPDATE delivery SET made_at = made_at - interval '90 s'")
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "later")
    text = (await client.get("/metrics")).text
    labels = 'site="mill",webhook="mes"'
    for line in (
        f'stackwatt_webhook_attempts_total{{outcome="delivered",{labels}}} 1.0',
        f'stackwatt_webhook_attempts_total{{outcome="failed",{labels}}} 1.0',
        f"stackwatt_webhook_dead_total{{{labels}}} 0.0",
        f"stackwatt_webhook_backlog{{{labels}}} 1.0",
        f"stackwatt_webhook_oldest_age_seconds{{{labels}}} 90.0",
        "stackwatt_webhook_events_waiting 1.0",
        "stackwatt_webhook_notifiers 1.0",
    ):
        assert line in text


def test_the_api_process_loads_no_http_client() -> None:
    code = "import sys, service.main; print([name for name in ('httpx', 'httpcore') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
