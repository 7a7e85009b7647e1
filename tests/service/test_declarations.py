"""Declarations by HTTP: proposed by one, decided by another, and refused in one sentence where they contradict."""

import asyncio
import csv
import io
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.model import MINUTE, SECOND
from service import keys
from service.app import create_app
from tests.ingest.declaring import booked, declared_rows, take_declared
from tests.ingest.feeding import START, Clock, feed, message, open_site
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.seeding import text
from tests.service.test_routes import problem_of

SETPOINT = "/v1/points/mill/line/setpoint/corrections"
ENERGY = "/v1/points/mill/line/energy/replacements"
END = START + 20 * MINUTE
"""The service's clock; ten minutes of readings lie before."""


class People:
    """Who may declare at the mill, each over the same application."""

    def __init__(self, client: httpx.AsyncClient, dsn: str) -> None:
        self.client = client
        self.dsn = dsn
        self._keys: dict[str, str] = {}

    async def admit(self, name: str, *scopes: str, sites: list[str] | None = None) -> None:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            self._keys[name] = await keys.create(connection, name, scopes, sites)

    async def post(self, name: str, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self._keys[name]}",
            "Idempotency-Key": key or secrets.token_hex(8),
        }
        return await self.client.post(path, json=body, headers=headers)

    async def declared(self, path: str, body: Any) -> int:
        """The number of what anna declares."""
        response = await self.post("anna", path, body)
        assert response.status_code == 201, response.text
        return int(response.json()["declaration"])

    async def decided(self, number: int, what: str = "approve", name: str = "bert") -> dict[str, Any]:
        response = await self.post(name, f"/v1/declarations/{number}/{what}")
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def listed(self, **asked: str) -> list[dict[str, Any]]:
        response = await self.client.get("/v1/declarations", params=asked)
        assert response.status_code == 200
        items: list[dict[str, Any]] = response.json()["items"]
        return items

    async def told(self, number: int) -> dict[str, Any]:
        return next(item for item in await self.listed() if item["declaration"] == number)


@pytest.fixture
async def people(dsn: str) -> AsyncIterator[People]:
    """Ten minutes of the mill are stored: a setpoint of 5 kW and a register that rises by 0.125 kWh every 5 s."""
    ingest = await open_site(dsn)
    await feed(ingest, [message("line/setpoint", START + n * 10 * SECOND, 5.0) for n in range(61)])
    await feed(ingest, [message("line/energy", START + n * 5 * SECOND, n / 8) for n in range(121)])
    await ingest.close()
    clock = ServiceClock()
    clock.now = END
    async with admin_client(dsn, clock) as client:
        made = People(client, dsn)
        for name in ("anna", "bert"):
            await made.admit(name, "operate", "read")
        yield made


async def taken(dsn: str) -> None:
    """Let ingest take what was approved."""
    ingest = await open_site(dsn, clock=Clock(END))
    await take_declared(ingest, dsn)
    await ingest.close()


def correction(at: int = START + 130 * SECOND, value: Any = 11.0, **more: Any) -> dict[str, Any]:
    return {"measured_at": text(at), "value": value, "note": "read off the display", **more}


def replacement(**more: Any) -> dict[str, Any]:
    return {
        "at": text(START + 302_500_000), "old_final": 7.5, "new_initial": 0.0, "note": "new meter", **more
    }  # fmt: skip


async def test_a_correction_goes_from_proposal_to_effect(people: People, dsn: str) -> None:
    response = await people.post("anna", SETPOINT, correction(value=0.011, unit="MW", quality="uncertain"))
    assert response.status_code == 201
    proposed = response.json()
    number = proposed["declaration"]
    assert (proposed["value"], proposed["unit"], proposed["quality"]) == (11.0, "kW", "uncertain")
    assert (proposed["supplied"], proposed["previous_value"]) == (False, 5.0)
    assert (proposed["state"], proposed["author"], proposed["repeated"]) == ("proposed", "anna", False)
    approved = await people.decided(number)
    assert (approved["state"], approved["decided_by"], approved["decided_at"]) == (
        "approved",
        "bert",
        text(END),
    )
    assert approved["batch_no"] is None
    await taken(dsn)
    told = await people.told(number)
    [stored] = declared_rows(dsn)
    assert (told["state"], told["batch_no"]) == ("in_effect", stored[6])
    assert stored[2] == 11.0
    span = {"from": text(START + 130 * SECOND), "to": text(START + 131 * SECOND)}
    answer = await people.client.get(SETPOINT.replace("corrections", "readings"), params=span)
    measured, declared = answer.json()["items"]
    assert (measured["value"], measured["declaration"], measured["reasons"]) == (5.0, None, [])
    assert (declared["value"], declared["declaration"], declared["reasons"]) == (11.0, number, ["manual"])
    assert declared["seq"] is None


async def test_a_missing_reading_is_said_to_be_supplied(people: People) -> None:
    number = await people.declared(SETPOINT, correction(START + 131 * SECOND))
    told = await people.told(number)
    assert (told["supplied"], told["previous_value"]) == (True, None)


async def test_no_value_is_bad(people: People) -> None:
    number = await people.declared(SETPOINT, correction(value=None))
    assert (await people.told(number))["quality"] == "bad"
    response = await people.post("anna", SETPOINT, correction(value=None, quality="good"))
    assert problem_of(response).detail == "Body 'quality' is 'good': expected bad, where there is no value."


async def test_a_replacement_goes_from_proposal_to_effect(people: People, dsn: str) -> None:
    number = await people.declared(ENERGY, replacement(old_final=0.0085, new_initial=0.0075, unit="MWh"))
    await people.decided(number)
    await taken(dsn)
    assert [row[2] for row in declared_rows(dsn)] == [8.5, 7.5]
    told = await people.told(number)
    assert (told["old_final"], told["new_initial"], told["state"]) == (8.5, 7.5, "in_effect")


async def test_the_ledger_names_who_declared_a_replacement(people: People, dsn: str) -> None:
    number = await people.declared(ENERGY, replacement(old_final=8.5, new_initial=7.5))
    await people.decided(number)
    await taken(dsn)
    span = {"from": text(START), "to": text(END)}
    body = (await people.client.get(ENERGY.replace("replacements", "ledger"), params=span)).json()
    [step] = body["items"]
    assert (step["class"], step["reason"], step["quality"]) == ("replaced", "replaced", "good")
    assert step["at"] == step["previous_at"] == text(START + 302_500_000)
    assert (step["increment_count"], step["correction_count"]) == (0, -1000)
    assert (step["declaration"], step["author"]) == (number, "anna")
    assert body["summary"]["corrections_count"] == -1000
    assert body["summary"]["conserved"] is True


async def test_its_author_may_not_approve_but_take_it_back(people: People, dsn: str) -> None:
    number = await people.declared(SETPOINT, correction())
    response = await people.post("anna", f"/v1/declarations/{number}/approve")
    assert response.status_code == 403
    assert problem_of(response).detail == (
        f"Declaration {number} was proposed by key 'anna' itself: expected the key of a second person to approve it."
    )
    assert (await people.decided(number, "refuse", "anna"))["state"] == "refused"
    response = await people.post("bert", f"/v1/declarations/{number}/approve")
    assert response.status_code == 409
    assert problem_of(response).detail == (
        f"Declaration {number} is refused by key 'anna': expected one that is not decided yet."
    )
    assert booked(dsn) == []


async def test_the_admin_key_is_a_person_too(people: People) -> None:
    response = await people.client.post(SETPOINT, json=correction(), headers={"Idempotency-Key": "a"})
    number = response.json()["declaration"]
    response = await people.client.post(
        f"/v1/declarations/{number}/approve", headers={"Idempotency-Key": "b"}
    )
    assert response.status_code == 403


async def test_asking_again_changes_nothing(people: People, dsn: str) -> None:
    first, second = [(await people.post("anna", SETPOINT, correction(), "once")).json() for _ in range(2)]
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert first["declaration"] == second["declaration"]
    assert len(await people.listed()) == 1
    for what in ("anna", "bert"):
        body = correction(value=12.0 if what == "anna" else 11.0)
        response = await people.post(what, SETPOINT, body, "once")
        assert response.status_code == 422
        assert problem_of(response).type.endswith("idempotency-key-reused")
    path = f"/v1/declarations/{first['declaration']}/approve"
    approvals = [(await people.post("bert", path, None, "twice")).json() for _ in range(2)]
    assert [answer["repeated"] for answer in approvals] == [False, True]
    assert len(booked(dsn)) == 1
    other = await people.declared(SETPOINT, correction(START))
    response = await people.post("bert", f"/v1/declarations/{other}/approve", None, "twice")
    assert problem_of(response).type.endswith("idempotency-key-reused")
    assert (await people.told(other))["state"] == "proposed"


async def test_approvals_at_once_are_one(people: People, dsn: str) -> None:
    await people.admit("carl", "operate")
    number = await people.declared(SETPOINT, correction())
    path = f"/v1/declarations/{number}/approve"
    answers = await asyncio.gather(*(people.post(name, path) for name in ("bert", "carl") * 3))
    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    assert len(booked(dsn)) == 1


async def test_a_withdrawal_is_declared_and_approved_alike(people: People, dsn: str) -> None:
    number = await people.declared(SETPOINT, correction())
    response = await people.post("anna", f"/v1/declarations/{number}/withdraw", {"note": "was right"})
    assert problem_of(response).detail == (
        f"Declaration {number} does not count: expected the one that counts at its instant."
    )
    await people.decided(number)
    await taken(dsn)
    undone = await people.declared(f"/v1/declarations/{number}/withdraw", {"note": "was right"})
    told = await people.told(undone)
    assert (told["kind"], told["withdraws"], told["id"], told["at"]) == (
        "withdrawal", number, "mill/line/setpoint", text(START + 130 * SECOND),
    )  # fmt: skip
    assert (await people.told(number))["state"] == "in_effect"
    await people.decided(undone)
    await taken(dsn)
    assert (await people.told(number))["state"] == "withdrawn"
    assert [row[2] for row in declared_rows(dsn)] == [11.0, 5.0]
    response = await people.post("anna", f"/v1/declarations/{number}/withdraw", {"note": "again"})
    assert response.status_code == 409


async def test_of_one_instant_the_later_number_counts(people: People, dsn: str) -> None:
    first = await people.declared(SETPOINT, correction(value=7.0))
    second = await people.declared(SETPOINT, correction(value=9.0))
    await people.decided(second)
    response = await people.post("bert", f"/v1/declarations/{first}/approve")
    assert problem_of(response).detail == (
        f"Declaration {second} of the same instant came after it and is approved: expected a new one."
    )
    third = await people.declared(SETPOINT, correction(value=10.0))
    await people.decided(third)
    await taken(dsn)
    assert (await people.told(second))["state"] == "superseded"
    assert (await people.told(third))["state"] == "in_effect"


async def test_a_correction_does_not_undo_a_replacement_unawares(people: People) -> None:
    number = await people.declared(ENERGY, replacement())
    await people.decided(number)
    path = ENERGY.replace("replacements", "corrections")
    response = await people.post("anna", path, correction(START + 302_500_000, 7.5))
    assert problem_of(response).detail == (
        f"Declaration {number} of the same instant is a replacement: expected it to be withdrawn first."
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            {"old_final": 7.25},
            (
                "The register of mill/line/energy read 7.5 kWh at 2026-11-20T08:05:00Z, but the old meter's last is declared"
                " as 7.25 kWh: expected at least that, or 'force'."
            ),
        ),
        (
            {"new_initial": 8.0},
            (
                "The register of mill/line/energy read 7.625 kWh at 2026-11-20T08:05:05Z, but the new meter's first is"
                " declared as 8.0 kWh: expected at most that, or 'force'."
            ),
        ),
    ],
)
async def test_registers_that_do_not_follow_have_to_be_forced(
    people: People, more: dict[str, float], sentence: str
) -> None:
    response = await people.post("anna", ENERGY, replacement(**more))
    assert response.status_code == 422
    assert problem_of(response).detail == sentence
    number = await people.declared(ENERGY, replacement(**more, force=True))
    assert (await people.decided(number))["forced"] is True


async def test_what_came_in_between_is_seen_at_the_approval(people: People, dsn: str) -> None:
    number = await people.declared(ENERGY, replacement())
    between = await people.declared(
        ENERGY.replace("replacements", "corrections"), correction(START + 300 * SECOND, 9.0)
    )
    await people.decided(between)
    await taken(dsn)
    response = await people.post("bert", f"/v1/declarations/{number}/approve")
    assert response.status_code == 422
    assert "read 9.0 kWh at 2026-11-20T08:05:00Z" in problem_of(response).detail


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        (SETPOINT, {}, "Body 'measured_at' is missing: expected a value, for it is required."),
        (SETPOINT, [], "The body is refused: it is no JSON object."),
        (SETPOINT, correction(note=" "), "Body 'note' is ' ': expected 1 to 500 characters that say why."),
        (SETPOINT, correction(note="n" * 501), "expected 1 to 500 characters that say why."),
        (SETPOINT, correction(note="a\0b"), "Body 'note' is "),
        (SETPOINT, correction(seq=5), "expected one of the members measured_at, value, unit, quality, note."),
        (SETPOINT, correction(END + SECOND), "expected an instant that is past, it is 2026-11-20T08:20:00Z."),
        (SETPOINT, correction(946_684_799 * SECOND), "expected an instant since 2000."),
        (SETPOINT, correction(value="much"), "value of mill/line/setpoint is 'much'; a number was expected."),
        (SETPOINT, correction(value=True), "a number was expected."),
        (SETPOINT, correction(value=10**400), "a finite number was expected."),
        (SETPOINT, correction(unit="t"), "The body is refused: mill/line/setpoint: "),
        (SETPOINT, correction(quality="splendid"), "expected 'good', 'uncertain', 'substituted' or 'bad'."),
        (SETPOINT.replace("setpoint", "power"), correction(value=1000.5), "0.0 to 1000.0 kW, the limits of the point."),
        (SETPOINT.replace("setpoint", "doubled"), correction(), "a measured point, for a computed one has no readings."),
        (SETPOINT.replace("setpoint", "nothing"), correction(), "There is no point 'mill/line/nothing'."),
        (ENERGY.replace("energy", "power"), replacement(), "expected a counter, for other points have no register."),
        (ENERGY, replacement(old_final=None), "Body 'old_final' is missing: expected "),
        (ENERGY, replacement(new_initial=1e20), "expected fewer than 2^62 counts of 0.001 kWh."),
        ("/v1/declarations/999/approve", None, "There is no declaration 999."),
        ("/v1/declarations/0/approve", None, "Path parameter 'number' is '0': expected a number of at least 1."),
        ("/v1/declarations/1/approve", {"note": "yes"}, "Body 'note' is 'yes': expected one of the members none."),
    ],
)  # fmt: skip
async def test_what_cannot_be_declared_gets_one_clear_sentence(
    people: People, path: str, body: Any, sentence: str
) -> None:
    response = await people.post("anna", path, body)
    assert response.status_code in (404, 422)
    assert sentence in problem_of(response).detail
    assert await people.listed() == []


async def test_who_may_declare_and_decide(people: People) -> None:
    await people.admit("mes", "mes", "read")
    await people.admit("elsewhere", "operate", sites=["steel"])
    number = await people.declared(SETPOINT, correction())
    for name, path, body, status in (
        ("mes", SETPOINT, correction(), 403),
        ("mes", f"/v1/declarations/{number}/approve", None, 403),
        ("elsewhere", SETPOINT, correction(), 403),
        # What is not covered is not there: not even a number is told apart.
        ("elsewhere", f"/v1/declarations/{number}/approve", None, 404),
    ):
        response = await people.post(name, path, body)
        assert response.status_code == status, (name, path)
        problem_of(response)
    response = await people.client.post(SETPOINT, json=correction())
    assert (response.status_code, problem_of(response).type[-7:]) == (400, "missing")


async def test_the_list_is_paged_and_may_be_csv(people: People) -> None:
    numbers = [await people.declared(SETPOINT, correction(START + n * 10 * SECOND)) for n in range(5)]
    await people.decided(numbers[2])
    assert [item["declaration"] for item in await people.listed(state="proposed")] == [
        numbers[n] for n in (4, 3, 1, 0)
    ]
    assert await people.listed(state="failed") == []
    first = (await people.client.get("/v1/declarations?limit=3")).json()
    rest = (await people.client.get(f"/v1/declarations?limit=3&cursor={first['next']}")).json()
    assert [item["declaration"] for item in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None
    rows = list(csv.DictReader(io.StringIO((await people.client.get("/v1/declarations?format=csv")).text)))
    assert list(rows[0]) == list(first["items"][0])
    assert rows[0]["note"] == "read off the display"


ODD = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=True), st.integers(), st.text(max_size=20), st.just("\0"),
    st.sampled_from(["2026-11-20T08:00:00Z", "0001-01-01T00:00:00Z", "good", "bad", "kW", "MWh", "1e400", 1e308, -1e308]),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["corrections", "replacements"]),
    point=st.sampled_from(["energy", "power", "batch"]),
    body=st.dictionaries(
        st.sampled_from(
            [
                "measured_at",
                "at",
                "value",
                "old_final",
                "new_initial",
                "unit",
                "quality",
                "note",
                "force",
                "x",
            ]
        ),
        ODD,
    ),
    whole=st.booleans(),
)
@example(path="corrections", point="energy", body={"measured_at": -6.213559680000001e16}, whole=True)
async def test_no_body_makes_the_service_fail(
    people: People, path: str, point: str, body: dict[str, Any], whole: bool
) -> None:
    given = {**(correction() if path == "corrections" else replacement()), **body} if whole else body
    headers = {"Idempotency-Key": secrets.token_hex(8), "Content-Type": "application/json"}
    response = await people.client.post(
        f"/v1/points/mill/line/{point}/{path}", content=json.dumps(given), headers=headers
    )
    assert response.status_code in (201, 409, 422), (given, response.text)
    if response.status_code != 201:
        problem_of(response)


async def test_a_surrogate_alone_is_no_text(people: People) -> None:
    headers = {"Idempotency-Key": "surrogate"}
    body = json.dumps(correction()).replace("display", "\\ud800")
    response = await people.client.post(SETPOINT, content=body, headers=headers)
    assert response.status_code == 422
    problem_of(response)


STORING_NOTHING = ("/v1/session", "/v1/schedules/score")


def test_every_post_route_describes_its_idempotency_key() -> None:
    described = create_app("", None).openapi()["paths"]
    for path, methods in described.items():
        if "post" not in methods or path in STORING_NOTHING:
            continue
        headers = [each for each in methods["post"]["parameters"] if each["in"] == "header"]
        assert [(each["name"], each["required"]) for each in headers] == [("Idempotency-Key", True)], path
