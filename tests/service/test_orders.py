"""Orders by HTTP: what is told there and by MQTT comes to one thing; what cannot be is refused by name."""

import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from ingest.plant import canonical, parse_plant
from ingest.store.registry import apply_plan, ensure_site
from service import keys
from service.app import create_app
from service.limits import Limits, Rate
from tests.ingest.fed import Fed
from tests.ingest.mes.telling import PLANT, at, event
from tests.service.conftest import ADMIN_KEY, client_of
from tests.service.test_routes import problem_of

HEADER = {"order": "A/1", "product": "meal", "batch": "B7", "planned": 100, "measure": "t", "ts": at(0)}
SPAN = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-22T00:00:00Z"}
JOB = {
    "JobResponse": {
        "ID": "JR-1",
        "JobOrderID": "C3",
        "JobState": "Completed",
        "StartTime": at(60),
        "EndTime": at(90),
        "EquipmentActual": [{"EquipmentID": "line2"}],
        "MaterialActual": [
            {
                "MaterialDefinitionID": "meal",
                "MaterialUse": "Produced",
                "Quantity": {"QuantityString": "40", "UnitOfMeasure": "TNE"},
            },
            {
                "MaterialDefinitionID": "grain",
                "MaterialUse": "Consumed",
                "Quantity": {"QuantityString": "44"},
            },
        ],
        "PersonnelActual": [{"PersonID": "7"}],
    }
}


class Works:
    """The plant, its ingest, and a client of its service."""

    def __init__(self, dsn: str, fed: Fed, client: httpx.AsyncClient) -> None:
        self.dsn, self.fed, self.client = dsn, fed, client

    async def tell(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key or secrets.token_hex(8)}
        return await self.client.post(path, json=body, headers=headers)

    async def took(self, path: str, body: Any) -> dict[str, Any]:
        """What is answered once ingest has taken it."""
        response = await self.tell(path, body)
        assert response.status_code == 202, response.text
        await self.fed.until_empty()
        found: dict[str, Any] = response.json()
        return found

    async def get(self, path: str, **asked: str) -> dict[str, Any]:
        response = await self.client.get(path, params=asked)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def told(self) -> list[list[dict[str, Any]]]:
        """All that is known, of what order of arrival leaves no trace in."""
        return [
            (await self.get(path, **SPAN))["items"] for path in ("/v1/orders", "/v1/production", "/v1/states")
        ]


@pytest.fixture
async def works(dsn: str) -> AsyncIterator[Works]:
    fed = Fed(dsn, PLANT)
    await fed.start()
    app = create_app(dsn, ADMIN_KEY, limits=Limits(requests=Rate(1e6, 10**6), failures=Rate(1e6, 10**6)))
    async with app.router.lifespan_context(app), client_of(app) as client:
        client.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        yield Works(dsn, fed, client)
    await fed.end()


STATEMENTS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/orders", HEADER),
    ("/v1/orders/start", event("start", "A/1", 0)),
    ("/v1/orders/pause", event("pause", "A/1", 10)),
    ("/v1/orders/resume", event("resume", "A/1", 20)),
    ("/v1/orders/stop", event("stop", "A/1", 30, good=99, scrap=1, measure="t")),
    ("/v1/orders/start", event("start", "B2", 30)),
    ("/v1/production", {"unit": "line2", "from": at(0), "to": at(5), "good": 2, "measure": "t", "id": "p-1"}),
    ("/v1/states", {"unit": "line1", "ts": at(10), "state": "idle"}),
    ("/v1/states", {"unit": "line1", "ts": at(20), "state": "run"}),
]
KIND = {"/v1/orders": "order", "/v1/production": "production", "/v1/states": "state"}


async def test_by_http_and_by_mqtt_in_any_order_it_is_the_same(works: Works) -> None:
    """What came by MQTT is put where the broker's messages go when they are imported: on the site's topics."""
    for path, body in STATEMENTS:
        told = {name: value for name, value in body.items() if name != "kind"}
        assert (await works.took(path, told))["statements"] == 1
    by_http = await works.told()
    orders, production, states = by_http
    first, second = orders
    assert (first["id"], first["product"], first["batch"], first["planned"]) == ("A/1", "meal", "B7", 100.0)
    assert [(one["unit"], one["from"], one["to"]) for one in first["segments"]] == [
        ("mill/line1", instant(0), instant(10)),
        ("mill/line1", instant(20), instant(30)),
    ]
    assert (first["running"], first["closed"], second["running"], second["closed"]) == (
        False,
        True,
        True,
        False,
    )
    assert [(one["order"], one["good"], one["scrap"]) for one in production] == [
        ("A/1", 99.0, 1.0),
        (None, 2.0, 0.0),
    ]
    assert [(one["state"], one["from"], one["to"]) for one in states] == [
        ("idle", instant(10), instant(20)),
        ("run", instant(20), None),
    ]

    with psycopg.connect(works.dsn) as connection:
        connection.execute("TRUNCATE mes_statement")
    assert await works.told() == [[], [], []]
    for number, (path, body) in enumerate(reversed(STATEMENTS)):
        message = {"kind": KIND.get(path, path.rpartition("/")[2]), **body}
        await works.fed.put("erp/orders" if number % 2 else "plant/mill/$mes", message)
        if number % 3 == 0:
            await works.fed.put("plant/mill/$mes", [message])  # once more
    await works.fed.until_empty()
    assert await works.told() == by_http


async def test_a_start_on_a_unit_that_is_held_is_refused_by_name(works: Works) -> None:
    await works.took("/v1/orders/start", event("start", "A/1", 0))
    response = await works.tell("/v1/orders/start", event("start", "B2", 5))
    assert response.status_code == 409
    problem = problem_of(response)
    assert problem.type.endswith("order-conflict")
    assert problem.detail == (
        f"Order 'B2' cannot run on unit 'mill/line1': order 'A/1' has run there since {instant(0)}."
    )
    assert works.fed.waiting() == 0
    # earlier, but without an end: it would run into the other
    assert (await works.tell("/v1/orders/start", event("start", "B2", -5))).status_code == 409
    # on a unit that orders share
    assert (await works.tell("/v1/orders/start", event("start", "A/1", 0, unit="line2"))).status_code == 202
    await works.took("/v1/orders/start", event("start", "B2", 5, unit="line2"))
    # with its stop of before, at the µs at which the other ends, and told together with that
    held = [event("stop", "A/1", 30), event("start", "B2", 30)]
    await works.took("/v1/orders", {"order": "B2", "statements": held})
    await works.took("/v1/orders/stop", event("stop", "B2", 40))
    refused = await works.tell("/v1/orders/resume", [event("start", "C3", 20), event("resume", "C3", 35)])
    assert refused.status_code == 422  # a start has an address of its own
    refused = await works.tell("/v1/orders/start", event("start", "C3", 35))
    assert problem_of(refused).detail.endswith(
        f"order 'B2' has run there since {instant(30)}, until {instant(40)}."
    )
    await works.took("/v1/orders/start", event("start", "C3", 40))
    await works.took("/v1/orders/pause", event("pause", "C3", 50))
    await works.took("/v1/orders/start", event("start", "D4", 50))
    assert (await works.tell("/v1/orders/resume", event("resume", "C3", 55))).status_code == 409


async def test_sending_again_adds_nothing(works: Works) -> None:
    body, key = event("start", "A/1", 0), secrets.token_hex(8)
    first = (await works.tell("/v1/orders/start", body, key)).json()
    await works.fed.until_empty()
    again = (await works.tell("/v1/orders/start", body, key)).json()
    assert (first["repeated"], again["repeated"], again["inbox_no"]) == (False, True, first["inbox_no"])
    other = await works.tell("/v1/orders/start", event("start", "A/1", 1), key)
    assert problem_of(other).type.endswith("idempotency-key-reused")
    assert (await works.took("/v1/orders/start", body))["repeated"] is False  # a new key, the same fact
    assert len((await works.get("/v1/orders", **SPAN))["items"]) == 1
    with psycopg.connect(works.dsn) as connection:
        row = connection.execute("SELECT count(*) FROM mes_statement").fetchone()
    assert row == (1,)


WRONG: list[tuple[str, bytes, str]] = [
    ("/v1/orders/start", b"{", "it is not JSON"),
    ("/v1/orders/start", b"7", "a statement is 7; an object with a kind was expected."),
    (
        "/v1/orders/start",
        b'{"kind": "stop"}',
        "kind is 'stop'; start was expected, or none, at this address.",
    ),
    (
        "/v1/orders/start",
        json.dumps(event("start", "a", 0, unit="air")).encode(),
        "unit is 'air'; one on which",
    ),
    ("/v1/production", b'{"unit": "line1"}', "from is None; RFC 3339"),
    (
        "/v1/states",
        json.dumps({"unit": "line1", "ts": at(0), "state": "on"}).encode(),
        "state is 'on'; one of",
    ),
    ("/v1/orders", b"[]", "it is no JSON object with an order."),
    ("/v1/orders", b'{"order": "a", "statements": 5}', "statements is no list."),
    ("/v1/orders/job-response", b"{}", "JobResponse has no JobOrderID"),
]


async def test_what_is_wrong_is_one_sentence(works: Works) -> None:
    for path, body, sentence in WRONG:
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        response = await works.client.post(path, content=body, headers=headers)
        assert response.status_code == 422, path
        assert sentence in problem_of(response).detail
    assert works.fed.waiting() == 0


async def test_lists_answer_what_is_asked_and_an_order_its_id(works: Works) -> None:
    await works.took(
        "/v1/orders", {**HEADER, "statements": [event("start", "A/1", 0), event("stop", "A/1", 30)]}
    )
    before = (await works.get("/v1/orders", **SPAN))["as_of"]["mill"]["batch_no"]
    made = await works.took("/v1/orders/job-response", JOB)
    assert made["statements"] == 3  # with a start that was never told, taken back
    assert made["ignored"] == [
        "JobResponse.PersonnelActual is not understood.",
        "JobResponse.MaterialActual[1] has MaterialUse 'consumed', of which nothing is kept.",
    ]
    await works.took("/v1/orders/start", [event("start", "D4", 31), event("start", "", 31)])

    async def ids(**asked: str) -> list[str]:
        return [one["id"] for one in (await works.get("/v1/orders", **(SPAN | asked)))["items"]]

    assert await ids() == ["A/1", "D4", "C3"]
    assert await ids(unit="line2") == await ids(unit="mill/line2") == ["C3"]
    assert await ids(product="meal") == ["A/1"]
    assert await ids(batch="B7") == ["A/1"]
    assert await ids(running="true") == ["D4"]
    assert await ids(to=instant(31)) == ["A/1"]
    assert await ids(**{"from": instant(30)}) == ["D4", "C3"]
    assert await ids(as_of=str(before)) == ["A/1"]
    page = await works.get("/v1/orders", **SPAN, limit="2")
    assert [one["id"] for one in page["items"]] == ["A/1", "D4"]
    assert await ids(limit="2", cursor=page["next"]) == ["C3"]
    one = await works.get("/v1/orders/A/1")
    assert (one["id"], one["planned"], one["as_of"]["batch_no"] >= before) == ("A/1", 100.0, True)
    (made_of_c3,) = (await works.get("/v1/orders/C3"))["produced"]
    assert (made_of_c3["good"], made_of_c3["measure"], made_of_c3["product"]) == (40.0, "t", "meal")
    assert problem_of(await works.client.get("/v1/orders/none")).detail == "There is no order 'none'."
    assert (await works.client.get("/v1/orders/start")).headers["allow"] == "POST"
    assert (await works.client.get("/v1/orders/C3", params={"as_of": str(before)})).status_code == 404


async def test_a_span_shows_what_still_runs_on_one_unit_and_what_a_replaced_statement_leaves(
    works: Works,
) -> None:
    started = [event("start", "A/1", 0), event("start", "A/1", 1, unit="line2")]
    await works.took("/v1/orders/start", started)
    await works.took("/v1/orders/stop", event("stop", "A/1", 30))
    later = {"from": instant(100), "to": instant(150)}
    assert [one["id"] for one in (await works.get("/v1/orders", **later))["items"]] == ["A/1"]  # on line2
    await works.took("/v1/orders/stop", event("stop", "A/1", 20, id="x", unit="line2"))
    assert (await works.get("/v1/orders", **later))["items"] == []
    await works.took("/v1/orders/stop", event("stop", "A/1", 20, id="x", seq=1, unit="line2", withdrawn=True))
    (order,) = (await works.get("/v1/orders", **later))["items"]
    assert [(one["unit"], one["to"]) for one in order["segments"]] == [
        ("mill/line1", instant(30)),
        ("mill/line2", None),
    ]
    state = {"unit": "line1", "ts": at(5), "state": "run"}
    wrong = {"unit": "line1", "ts": at(50), "state": "off", "id": "s"}
    await works.took("/v1/states", [state, wrong, wrong | {"seq": 1, "withdrawn": True}])
    assert [one["state"] for one in (await works.get("/v1/states", **later))["items"]] == ["run"]


async def test_another_sites_key_sees_nothing_and_several_sites_want_a_name(works: Works) -> None:
    await works.took("/v1/orders/start", event("start", "A/1", 0))
    async with await psycopg.AsyncConnection.connect(works.dsn, autocommit=True) as connection:
        assert await ensure_site(connection, "other") == 2
        file = parse_plant(PLANT.replace("site: mill", "site: other"), "other.yaml")
        await apply_plan(connection, 2, *canonical(file), datetime(2000, 1, 1, tzinfo=UTC))
        key = await keys.create(connection, "other", ["read", "mes"], ["other"])
    response = await works.tell("/v1/orders/start", event("start", "B2", 40, unit="line2"))
    assert problem_of(response).detail == (
        "Query parameter 'site' is missing: expected the site that is told, for the key covers several."
    )
    works.client.headers["Authorization"] = f"Bearer {key}"
    assert await works.told() == [[], [], []]
    assert (await works.client.get("/v1/orders/A/1")).status_code == 404
    assert (await works.client.get("/v1/orders/A/1", params={"site": "mill"})).status_code == 403
    refused = await works.tell("/v1/orders/stop?site=mill", event("stop", "A/1", 5))
    assert problem_of(refused).type.endswith("wrong-site")
    accepted = (await works.tell("/v1/orders/start", event("start", "A/1", 0))).json()
    assert accepted["site"] == "other"  # where another site's orders hold nothing


def instant(minutes: float) -> str:
    return datetime.fromtimestamp(at(minutes) / 1000, UTC).isoformat().replace("+00:00", "Z")
