"""Keys from being made to being revoked, by HTTP; and what the audit log keeps of it."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import DAY, HOUR
from service.access import Access
from service.app import create_app, utc_now
from service.keys import SCOPES, reach
from service.times import parse_instant
from tests.service.conftest import ADMIN_KEY, Clock, SeededDatabase, client_of, seeded_database
from tests.service.seeding import NOW, text
from tests.service.test_routes import problem_of

CORRECTION = {"measured_at": text(NOW - HOUR), "value": 1.0, "note": "Transposed digits"}


@pytest.fixture(scope="module")
def own(postgres_server: str, migrated_template: str) -> Iterator[SeededDatabase]:
    with seeded_database(postgres_server, migrated_template) as made:
        yield made


@pytest.fixture
async def app(own: SeededDatabase, clock: Clock) -> AsyncIterator[FastAPI]:
    made = create_app(own.dsn, ADMIN_KEY, now=clock)
    async with made.router.lifespan_context(made):
        yield made


class Office:
    """Whoever gives out keys, over one application."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(
        self, path: str, body: Any = None, *, by: str = ADMIN_KEY, key: str | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}", "Idempotency-Key": key or secrets.token_hex(8)}
        return await self.client.post(path, json=body, headers=headers)

    async def get(self, path: str, *, by: str = ADMIN_KEY) -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {by}"})

    async def made(self, name: str, *scopes: str, **more: Any) -> dict[str, Any]:
        response = await self.post("/v1/keys", {"name": name, "scopes": scopes, **more})
        assert response.status_code == 201, response.text
        told: dict[str, Any] = response.json()
        return told

    async def status(self, key: str, path: str = "/v1/kpis") -> int:
        return (await self.get(path, by=key)).status_code

    async def lines(self, query: str = "") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.get(f"/v1/audit{query}")).json()["items"]
        return items


@pytest.fixture
async def office(app: FastAPI) -> AsyncIterator[Office]:
    async with client_of(app) as client:
        yield Office(client)


async def test_a_key_is_told_once(office: Office) -> None:
    body = {"name": "historian", "scopes": ["read"]}
    first = (await office.post("/v1/keys", body, key="once")).json()
    again = (await office.post("/v1/keys", body, key="once")).json()
    assert (first["repeated"], again["repeated"], again["key"]) == (False, True, None)
    assert {**first, "key": None, "repeated": True} == again
    assert await office.status(first["key"]) == 200
    other = await office.post("/v1/keys", {**body, "name": "other"}, key="once")
    assert problem_of(other).type.endswith(":idempotency-key-reused")
    taken = await office.post("/v1/keys", body)
    assert (taken.status_code, problem_of(taken).detail) == (
        409, "Key name 'historian' is taken: expected a name no key has had.",
    )  # fmt: skip
    listed = (await office.get("/v1/keys")).text
    assert "historian" in listed
    assert first["key"] not in listed


async def test_a_key_ends_when_it_was_said_to(office: Office, clock: Clock) -> None:
    made = await office.made("guest", "read", expires_at=text(NOW + HOUR))
    assert await office.status(made["key"]) == 200
    session = await office.post("/v1/session", by=made["key"])
    cookie = {"Cookie": f"stackwatt_session={session.cookies['stackwatt_session']}"}
    office.client.cookies.clear()
    assert (await office.client.get("/v1/kpis", headers=cookie)).status_code == 200
    clock.now += HOUR
    assert await office.status(made["key"]) == 401
    assert (await office.client.get("/v1/kpis", headers=cookie)).status_code == 401
    [told] = [
        one for one in (await office.get("/v1/keys?state=expired")).json()["items"] if one["name"] == "guest"
    ]
    assert told["key_no"] == made["key_no"]
    refused = await office.post(f"/v1/keys/{made['key_no']}/successor")
    assert (refused.status_code, problem_of(refused).detail) == (
        409, f"Key {made['key_no']} is expired: expected one in use.",
    )  # fmt: skip
    late = await office.post("/v1/keys", {"name": "late", "scopes": ["read"], "expires_at": text(NOW)})
    assert problem_of(late).detail.endswith("expected an instant to come.")


async def test_both_work_until_the_overlap_is_over(office: Office, clock: Clock) -> None:
    clock.now = utc_now()  # by the database's clock a key is made
    old = await office.made("scada", "operate", "read", expires_at=text(clock.now + 10 * DAY))
    clock.now += DAY
    path = f"/v1/keys/{old['key_no']}/successor"
    new = (await office.post(path, {"overlap": "2h"}, key="rotate")).json()
    assert (new["name"], new["scopes"], new["succeeds"]) == ("scada", ["operate", "read"], old["key_no"])
    lasted = parse_instant(new["expires_at"]) - clock.now
    assert lasted == parse_instant(old["expires_at"]) - parse_instant(old["created_at"])
    assert (await office.post(path, {"overlap": "2h"}, key="rotate")).json() == {
        **new,
        "key": None,
        "repeated": True,
    }
    assert [await office.status(one["key"]) for one in (old, new)] == [200, 200]
    twice = await office.post(path)
    assert problem_of(twice).detail == "Key 'scada' has a successor: expected the newest of its name."
    clock.now += 2 * HOUR
    assert [await office.status(one["key"]) for one in (old, new)] == [401, 200]


async def test_a_successor_is_the_same_person(office: Office) -> None:
    """Who proposes with a key may not approve with the next one."""
    old = await office.made("anna", "operate")
    new = (await office.post(f"/v1/keys/{old['key_no']}/successor")).json()
    proposed = await office.post("/v1/points/cement/kiln/power/corrections", CORRECTION, by=old["key"])
    number = proposed.json()["declaration"]
    refused = await office.post(f"/v1/declarations/{number}/approve", by=new["key"])
    assert problem_of(refused).type.endswith(":second-person-needed")


async def test_a_revoked_key_is_worthless_at_once_and_its_successor_goes_on(office: Office) -> None:
    old = await office.made("leaver", "read")
    new = (await office.post(f"/v1/keys/{old['key_no']}/successor")).json()
    ended = (await office.post(f"/v1/keys/{old['key_no']}/revoke")).json()
    assert (ended["state"], ended["repeated"], ended["succeeded_by"]) == ("revoked", False, new["key_no"])
    assert [await office.status(one["key"]) for one in (old, new)] == [401, 200]
    assert (await office.post(f"/v1/keys/{old['key_no']}/revoke")).json()["repeated"] is True
    assert (await office.post("/v1/keys/999999/revoke")).status_code == 404


async def test_a_scope_may_be_for_one_site(office: Office) -> None:
    key = (await office.made("shift lead", "read", "operate@cement"))["key"]
    assert {item["id"] for item in (await office.get("/v1/plant", by=key)).json()["items"]} == {
        "cement",
        "steel",
    }
    there = await office.post("/v1/points/cement/kiln/power/corrections", CORRECTION, by=key)
    assert there.status_code == 201
    [point] = [p["id"] for p in (await office.get("/v1/points?site=steel&limit=1")).json()["items"]]
    elsewhere = await office.post(f"/v1/points/{point}/corrections", CORRECTION, by=key)
    assert problem_of(elsewhere).detail == "Key 'shift lead' does not cover site 'steel'."
    assert (await office.get("/v1/session", by=key)).json()["scopes"] == ["operate@cement", "read"]
    wrong = await office.post("/v1/keys", {"name": "wrong", "scopes": ["operate@"]})
    assert wrong.status_code == 422


async def test_an_administrator_of_one_site_gives_no_more_than_that(office: Office) -> None:
    key = (await office.made("plant office", "admin@cement"))["key"]
    for asked in ({"scopes": ["read"]}, {"scopes": ["read"], "sites": ["steel"]}, {"scopes": ["read@steel"]}):
        refused = await office.post("/v1/keys", {"name": "more", **asked}, by=key)
        assert problem_of(refused).type.endswith(":wrong-site")
    made = await office.post("/v1/keys", {"name": "here", "scopes": ["admin"], "sites": ["cement"]}, by=key)
    assert made.status_code == 201
    names = {one["name"] for one in (await office.get("/v1/keys", by=key)).json()["items"]}
    assert {"here", "plant office"} <= names
    assert "historian" not in names
    assert {line["site"] for line in (await office.get("/v1/audit", by=key)).json()["items"]} <= {"cement"}


SCOPE_SETS = st.sets(st.sampled_from([*SCOPES, "read@a", "operate@a", "operate@b", "admin@b"]), min_size=1)
SITE_SETS = st.none() | st.sets(st.sampled_from("abc"), min_size=1)


@given(SCOPE_SETS, SITE_SETS, st.sampled_from(SCOPES), st.sampled_from("abc"))
def test_narrowing_is_asking_scope_by_scope(
    scopes: set[str], sites: set[str] | None, wanted: str, site: str
) -> None:
    access = Access(1, "x", frozenset(scopes), None if sites is None else frozenset(sites))
    given_there = {wanted, "admin", f"{wanted}@{site}", f"admin@{site}"} & scopes
    expected = bool(given_there) and (sites is None or site in sites)
    assert (access.may(wanted) and access.narrowed(wanted).covers(site)) == expected
    reached = reach(sorted(scopes), None if sites is None else sorted(sites))
    assert not expected or reached is None or site in reached


async def test_last_use_is_noted_without_a_write_for_each_request(
    office: Office, app: FastAPI, own: SeededDatabase, clock: Clock
) -> None:
    made = await office.made("meter", "read")

    async def used() -> str | None:
        [told] = [one for one in (await office.get("/v1/keys")).json()["items"] if one["name"] == "meter"]
        return told["last_used_at"]  # type: ignore[no-any-return]

    await asyncio.gather(*(office.status(made["key"]) for _ in range(10)))
    assert await used() is None
    await app.state.service.key_use.write()
    assert await used() == text(NOW)
    clock.now -= HOUR
    await office.status(made["key"])
    await app.state.service.key_use.write()
    assert await used() == text(NOW)


async def test_every_change_has_its_line(office: Office) -> None:
    made = await office.made("auditee", "read", sites=["cement"])
    number = made["key_no"]
    await office.post(f"/v1/keys/{number}/successor", {"overlap": "1h"})
    await office.post(f"/v1/keys/{number}/revoke")
    await office.post(f"/v1/keys/{number}/revoke")
    lines = [line for line in await office.lines("?what=key") if line["subject"].endswith("auditee")]
    assert [line["what"] for line in lines] == ["key.revoked", "key.expiring", "key.rotated", "key.created"]
    revoked, expiring, rotated, created = lines
    assert (created["who"], created["via"], created["before"]) == ("admin", "api", None)
    assert created["after"]["scopes"] == ["read"]
    assert rotated["after"]["succeeds"] == number
    assert (expiring["before"]["expires_at"], expiring["after"]["expires_at"]) == (None, text(NOW + HOUR))
    assert (revoked["before"]["revoked_at"], revoked["after"]["revoked_at"] is None) == (None, False)
    assert made["key"] not in json.dumps(lines)


async def test_what_is_proposed_decided_and_sealed_has_its_line(office: Office) -> None:
    proposed = (await office.post("/v1/points/cement/kiln/power/corrections", CORRECTION, key="c")).json()
    await office.post("/v1/points/cement/kiln/power/corrections", CORRECTION, key="c")
    number = proposed["declaration"]
    checker = (await office.made("checker", "operate"))["key"]
    await office.post(f"/v1/declarations/{number}/refuse", by=checker)
    await office.post("/v1/periods/1/editions", {"reason": "Recalibrated"})
    lines = await office.lines("?site=cement")
    mine = [line for line in lines if line["subject"] == f"declaration {number}"]
    assert [(line["what"], line["who"]) for line in mine] == [
        ("declaration.refused", "checker"), ("declaration.proposed", "admin"),
    ]  # fmt: skip
    assert (mine[0]["before"], mine[0]["after"]) == ({"state": "proposed"}, {"state": "refused"})
    assert mine[1]["after"]["note"] == CORRECTION["note"]
    assert lines[0]["what"] == "period.sealed_again"
    assert lines[0]["after"]["reason"] == "Recalibrated"
    assert {line["what"] for line in await office.lines("?what=period")} == {"period.sealed_again"}
    assert {line["who"] for line in await office.lines("?who=checker")} == {"checker"}


async def test_the_log_comes_in_pages_by_time_and_as_csv(office: Office) -> None:
    for i in range(3):
        await office.made(f"paged {i}", "read")
    every, cursor = [], ""
    while True:
        page = (await office.get(f"/v1/audit?limit=2{cursor}")).json()
        every += [line["audit_no"] for line in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert every == sorted(set(every), reverse=True) == [line["audit_no"] for line in await office.lines()]
    assert await office.lines("?to=2000-01-01T00:00:00Z") == []
    assert len(await office.lines("?from=2000-01-01T00:00:00Z")) == len(every)
    csv = await office.get("/v1/audit?format=csv&what=key.created&limit=1")
    head, line = csv.text.splitlines()
    assert head == "audit_no,at,who,via,what,site,subject,before,after"
    assert '""scopes"":[""read""]' in line


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_log_is_only_ever_added_to(own: SeededDatabase, statement: str) -> None:
    with (
        psycopg.connect(own.dsn) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="only ever added to"),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize("name", ["admin", " Admin", "console", "INGEST", "import", "rejected  replay"])
async def test_no_key_is_named_like_stackwatt_itself(office: Office, name: str) -> None:
    refused = await office.post("/v1/keys", {"name": name, "scopes": ["read"]})
    assert refused.status_code == 409  # as a name that is taken
    assert problem_of(refused).detail == (
        f"Key name {name!r} stands for stackwatt itself: expected that of a person or system."
    )
