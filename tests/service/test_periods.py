"""Sealed periods by HTTP: frozen beside current, adjustments when they became known, refusals in a sentence."""

import csv
import io
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection

from ingest.model import DAY, HOUR, MINUTE, SECOND
from ingest.site import SiteIngest
from ingest.store.seals import waiting
from service.adjustments import AdjustmentDocument
from service.documents import Page
from service.periods import PeriodDocument, PeriodFigures
from tests.ingest.feeding import START, a_day, feed, message, open_site
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import text
from tests.service.test_as_of import newest
from tests.service.test_routes import key_of, problem_of

SPAN = f"from={text(START)}&to={text(START + 2 * HOUR)}"
BODY = {"site": "mill", "kind": "shift", "from": text(START), "to": text(START + 2 * HOUR)}
SETPOINT = "line/setpoint"


async def ask(client: httpx.AsyncClient, key: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    return await client.post("/v1/periods", json={**BODY, **changes}, headers=headers)


async def take(ingest: SiteIngest, dsn: str) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        for asked in await waiting(connection, 1, 10, ingest.plan):
            await ingest.seal(asked)


@asynccontextmanager
async def sealed(dsn: str, clock: Clock) -> AsyncIterator[tuple[httpx.AsyncClient, SiteIngest]]:
    """A client at a mill of which two hours are sealed, and its ingest."""
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(2.2, step_s=20)))
    async with admin_client(dsn, clock) as client:
        assert (await ask(client)).status_code == 202
        await take(ingest, dsn)
        yield client, ingest
    await ingest.close()


async def figures(client: httpx.AsyncClient, basis: str = "") -> dict[tuple[str, str], dict[str, Any]]:
    body = (await client.get(f"/v1/periods/1{basis}")).json()
    PeriodFigures.model_validate(body)
    return {(figure["subject"], figure["id"]): figure for figure in body["figures"]}


async def told_elsewhere(client: httpx.AsyncClient) -> dict[tuple[str, str], float | None]:
    """What emissions, KPI series and hours say of the same span now."""
    found: dict[tuple[str, str], float | None] = {}
    for item in (await client.get(f"/v1/emissions?{SPAN}&group_by=source")).json()["items"]:
        found["source", item["id"]] = item["value"]
    for kpi in ("intensity", "co2", "load"):
        body = (await client.get(f"/v1/kpis/mill/line/{kpi}/series?{SPAN}&window=2h")).json()
        (found["kpi", body["id"]],) = body["columns"]["value"]
    for point in ("energy", "mass", "power", "setpoint", "batch", "doubled"):
        body = (await client.get(f"/v1/points/mill/line/{point}/intervals?{SPAN}&step=hour")).json()
        counts = [item["amount_count"] for item in body["items"]]
        first, second = (item["amount"] for item in body["items"])
        found["point", body["id"]] = first + second if None in counts else sum(counts) * body["resolution"]
    return found


async def test_frozen_and_current_are_what_the_rest_of_the_api_says(dsn: str, clock: Clock) -> None:
    async with sealed(dsn, clock) as (client, ingest):
        before = await told_elsewhere(client)
        seen = await figures(client)
        assert {key: figure["sealed"]["value"] for key, figure in seen.items()} == before
        assert all(figure["sealed"] == figure["current"] for figure in seen.values())
        await feed(
            ingest,
            [message(SETPOINT, START + 95 * SECOND, 77.7), message("line/batch", START + 61 * SECOND, 3.3)],
        )
        seen = await figures(client)
        assert {key: figure["sealed"]["value"] for key, figure in seen.items()} == before
        now = await told_elsewhere(client)
        assert {key: figure["current"]["value"] for key, figure in seen.items()} == now
        assert {key for key in now if now[key] != before[key]} == {
            ("point", "mill/line/setpoint"),
            ("point", "mill/line/doubled"),
            ("point", "mill/line/batch"),
            ("kpi", "mill/line/load"),
        }
        for basis, other in (("sealed", "current"), ("current", "sealed")):
            only = await figures(client, f"?basis={basis}")
            assert only == {key: {**figure, other: None} for key, figure in seen.items()}


async def test_adjustments_lead_from_frozen_to_current(dsn: str, clock: Clock) -> None:
    async with sealed(dsn, clock) as (client, ingest):
        batches = []
        for n in range(1, 5):
            late = [message("line/batch", START + n * 7 * MINUTE + SECOND, n / 8)]
            await feed(ingest, [*late, message(SETPOINT, START + n * 97 * SECOND, 50.0 + n)])
            batches.append(newest(dsn))
        clock.now = batches[-1][1] + SECOND
        body = (await client.get("/v1/adjustments")).json()
        items = [AdjustmentDocument.model_validate(item) for item in body["items"]]
        assert [item.known_at for item in items] == sorted(item.known_at for item in items)
        assert {item.batch_no for item in items} == {batch for batch, _ in batches}
        seen = await figures(client)
        for (subject, name), figure in seen.items():
            mine = [item for item in items if (item.subject, item.id) == (subject, name)]
            value = figure["sealed"]["value"]
            for item in mine:
                assert (item.before, item.unit, item.cause) == (value, figure["unit"], "late")
                value = item.after
            assert value == figure["current"]["value"]
            if (count := figure["sealed"]["amount_count"]) is not None:
                assert (
                    count + sum(item.amount_count or 0 for item in mine) == figure["current"]["amount_count"]
                )
        assert len([item for item in items if item.id == "mill/line/batch"]) == 4
        (period,) = (await client.get("/v1/periods?site=mill")).json()["items"]
        assert PeriodDocument.model_validate(period).adjustments == 4


async def again(client: httpx.AsyncClient, number: int, key: str = "", **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    return await client.post(f"/v1/periods/{number}/editions", json=body, headers=headers)


async def test_a_period_sealed_again_leaves_its_first_edition_as_it_was(dsn: str, clock: Clock) -> None:
    async with sealed(dsn, clock) as (client, ingest):
        frozen = await figures(client, "?basis=sealed")
        await feed(ingest, [message("line/batch", START + 61 * SECOND, 3.25)])
        between = await figures(client, "?basis=current")
        accepted = await again(client, 1, "once", reason="The scale was wrong.")
        assert (accepted.status_code, accepted.json()["period"]) == (202, None)
        await take(ingest, dsn)
        repeated = (await again(client, 1, "once", reason="The scale was wrong.")).json()
        assert (repeated["period"], repeated["repeated"]) == (2, True)
        refused = problem_of(await again(client, 1, reason="Again."))
        assert refused.detail == "Period 1 has been sealed again as period 2: expected the newest edition."
        await feed(ingest, [message("line/batch", START + 62 * SECOND, 0.5)])
        clock.now = newest(dsn)[1] + SECOND
        told = {n: (await client.get(f"/v1/periods/{n}")).json() for n in (1, 2)}
        assert [
            (told[n]["edition"], told[n]["reason"], told[n]["superseded_by"], told[n]["adjustments"])
            for n in (1, 2)
        ] == [(1, None, 2, 1), (2, "The scale was wrong.", None, 1)]
        assert told[2]["sealed_by"] == told[1]["sealed_by"] != ""
        assert told[2]["sealed_at"] > told[1]["sealed_at"] or told[2]["batch_no"] > told[1]["batch_no"]
        assert await figures(client, "?basis=sealed") == frozen
        of = {n: {(one["subject"], one["id"]): one for one in told[n]["figures"]} for n in (1, 2)}
        for key, figure in of[2].items():
            for name in ("value", "amount_count", "a", "b", "quality"):
                assert figure["sealed"][name] == between[key]["current"][name]
            assert figure["current"] == of[1][key]["current"]
        now = await told_elsewhere(client)
        assert {key: figure["current"]["value"] for key, figure in of[2].items()} == now
        items = (await client.get("/v1/adjustments")).json()["items"]
        batch = [item for item in items if item["id"] == "mill/line/batch"]
        assert [(item["period"], item["amount_count"]) for item in batch] == [(1, 3250), (2, 500)]


@pytest.mark.parametrize("reason", ["", " ", "x" * 1001, "a\nb", 7, None])
async def test_who_seals_again_says_why(client: httpx.AsyncClient, reason: Any) -> None:
    response = await again(client, 1, reason=reason)
    assert response.status_code == 422
    assert "reason" in problem_of(response).detail


async def test_only_what_is_sealed_is_sealed_again(shared: Any, client: httpx.AsyncClient) -> None:
    assert problem_of(await again(client, 7, reason="x")).detail == "There is no period 7."
    client.headers.update(await key_of(shared, ["read"]))
    assert problem_of(await again(client, 1, reason="x")).type.endswith(":wrong-scope")


async def test_adjustments_are_of_the_time_in_which_they_became_known(dsn: str, clock: Clock) -> None:
    async with sealed(dsn, clock) as (client, ingest):
        for n in range(1, 4):
            await feed(ingest, [message(SETPOINT, START + n * 97 * SECOND, 50.0 + n)])
        _, known_at = newest(dsn)
        clock.now = known_at + DAY
        path = f"/v1/adjustments?from={text(known_at)}&to={text(known_at + 1)}"
        last = (await client.get(path)).json()["items"]
        assert {item["known_at"] for item in last} == {text(known_at)}
        whole = (await client.get(f"/v1/adjustments?from={text(START)}")).json()["items"]
        paged: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (
                await client.get(
                    f"/v1/adjustments?from={text(START)}&limit=2{cursor and f'&cursor={cursor}'}"
                )
            ).json()
            Page[AdjustmentDocument].model_validate({name: page[name] for name in ("items", "next")})
            paged += page["items"]
            cursor = page["next"]
        assert paged == whole
        assert len(whole) == 3 * len(last)
        lines = (await client.get(f"/v1/adjustments?from={text(START)}&format=csv")).text
        assert len(list(csv.DictReader(io.StringIO(lines)))) == len(whole)


async def test_a_key_stands_for_one_seal(dsn: str, clock: Clock) -> None:
    async with sealed(dsn, clock) as (client, ingest):
        first = await ask(client, "same", to=text(START + HOUR))
        problem = problem_of(first)
        assert (first.status_code, problem.type.rpartition(":")[2]) == (409, "period-sealed")
        body = {"from": text(START - HOUR), "to": text(START)}
        accepted = (await ask(client, "other", **body)).json()
        assert (accepted["period"], accepted["repeated"]) == (None, False)
        await take(ingest, dsn)
        again = (await ask(client, "other", **body)).json()
        assert again == {**accepted, "period": 2, "repeated": True}
        assert problem_of(await ask(client, "other", **body, kind="day")).type.endswith(
            ":idempotency-key-reused"
        )


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"to": text(START)}, 422, "expected an instant before `to`"),
        ({"from": text(START + MINUTE)}, 422, "expected a full hour in Europe/Berlin."),
        ({"to": text(START + HOUR + SECOND)}, 422, "expected a full hour in Europe/Berlin."),
        ({"to": text(START + 3 * HOUR)}, 409, "but the data of mill have come to"),
        ({"site": "quarry"}, 404, "There is no site 'quarry'."),
        ({"from": 0}, 422, "expected an RFC 3339 time with offset"),
        ({"kind": ""}, 422, "Body 'kind'"),
        ({"note": "x"}, 422, "expected one of the members"),
    ],
)
async def test_what_cannot_be_sealed_is_refused_in_a_sentence(
    dsn: str, clock: Clock, changes: dict[str, Any], status: int, sentence: str
) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(2.1, step_s=30)))
    await ingest.close()
    async with admin_client(dsn, clock) as client:
        response = await ask(client, **changes)
        assert response.status_code == status, response.text
        assert sentence in problem_of(response).detail


async def test_a_period_with_an_open_point_is_refused_by_its_name(dsn: str, clock: Clock) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, [one for one in a_day(1.001, step_s=20) if "line/energy" in one.topic])
    await feed(ingest, [message(SETPOINT, START + HOUR + 10 * SECOND, 1.0)])
    async with admin_client(dsn, clock) as client:
        problem = problem_of(await ask(client, to=text(START + HOUR)))
        assert problem.detail.startswith(
            "The period ends at 2026-11-20T09:00:00Z, but point mill/line/energy is closed"
        )
    await ingest.close()


async def test_who_may_seal_and_who_may_see(shared: Any, anonymous: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "x", **await key_of(shared, ["read"])}
    refused = await anonymous.post("/v1/periods", json=BODY, headers=headers)
    assert problem_of(refused).type.endswith(":wrong-scope")
    items = (await anonymous.get("/v1/periods", headers=headers)).json()["items"]
    assert [(item["period"], item["site"], item["adjustments"]) for item in items] == [(1, "cement", 0)]
    missing = await anonymous.get("/v1/periods/7", headers=headers)
    assert problem_of(missing).detail == "There is no period 7."


async def test_a_period_is_seen_only_by_keys_of_its_site(dsn: str, clock: Clock) -> None:
    async with sealed(dsn, clock) as (client, _):
        other = await key_of(type("Shared", (), {"dsn": dsn})(), ["read"], ["quarry"])
        assert problem_of(await client.get("/v1/periods/1", headers=other)).type.endswith(":unknown-period")
        tag = (await client.get("/v1/periods/1")).headers["etag"]
        assert (await client.get("/v1/periods/1", headers={"If-None-Match": tag})).status_code == 304
