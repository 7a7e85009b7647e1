"""Alerts by HTTP over a real ingest: what fires, what people do about it, and that a silence is heeded."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection

from ingest.model import HOUR, MINUTE, SECOND
from service import keys
from service.alerts import WholeAlert
from service.app import create_app
from tests.ingest.alerts.mill import Told
from tests.ingest.feeding import START
from tests.service.conftest import Clock, admin_client, client_of
from tests.service.seeding import text
from tests.service.test_routes import problem_of

EPISODE = f"mill.high.{START + 20 * SECOND}"


class Desk:
    """An operator's client beside a mill whose power has been too high."""

    def __init__(self, client: httpx.AsyncClient, mill: Told, clock: Clock) -> None:
        self.client = client
        self.mill = mill
        self.clock = clock

    async def post(self, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key or secrets.token_hex(8)}
        return await self.client.post(f"/v1/alerts{path}", json=body or {}, headers=headers)

    async def get(self, path: str = "", **asked: Any) -> Any:
        response = await self.client.get(f"/v1/alerts{path}", params=asked)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
async def desk(dsn: str) -> AsyncIterator[Desk]:
    mill, clock = Told(dsn), Clock()
    await mill.begin()
    for second in range(0, 90, 10):
        await mill.power(second, 700 if second < 20 else 820)
    clock.now = START + 90 * SECOND
    async with admin_client(dsn, clock) as client:
        yield Desk(client, mill, clock)
    await mill.ingest.close()


async def test_what_fires_is_listed_with_its_cause(desk: Desk) -> None:
    page = await desk.get(site="mill", state="firing", severity="warning")
    assert page["next"] is None
    [alert] = page["items"]
    assert (alert["episode"], alert["state"], alert["rule"]) == (EPISODE, "firing", "high")
    assert alert["cause"] == "mill/line/power is 820 kW, above its limit of 800 kW, for 1min."
    assert (alert["acknowledged_at"], alert["mute"]) == (None, None)
    assert (await desk.get(state="resolved"))["items"] == []
    assert (await desk.get(severity="critical"))["items"] == []
    assert (await desk.get(rule="load"))["items"] == []
    await desk.mill.power(100, 600)
    assert (await desk.get(state="firing"))["items"] == []
    assert [one["state"] for one in (await desk.get(since=text(START + 100 * SECOND)))["items"]] == [
        "resolved"
    ]
    assert (await desk.get(since=text(START + 101 * SECOND)))["items"] == []
    WholeAlert.model_validate(await desk.get(f"/{EPISODE}"))


async def test_pages_go_on_where_they_ended(desk: Desk) -> None:
    for n in range(3):
        await desk.mill.power(200 + n * 200, 600)
        await desk.mill.power(210 + n * 200, 820)
        await desk.mill.power(280 + n * 200, 820)
    found, cursor = [], None
    while True:
        page = await desk.get(limit=3, **({} if cursor is None else {"cursor": cursor}))
        found += [one["fired_at"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == 4
    assert found == sorted(found, reverse=True)


async def test_acts_are_kept_once_and_become_events(desk: Desk) -> None:
    first = await desk.post(f"/{EPISODE}/ack", {"note": "On it"}, key="a")
    again = await desk.post(f"/{EPISODE}/ack", {"note": "On it"}, key="a")
    assert (first.status_code, first.json()["repeated"], again.json()["repeated"]) == (200, False, True)
    assert (await desk.post(f"/{EPISODE}/comment", {"note": "Belt slips"})).status_code == 200
    assert (await desk.post(f"/{EPISODE}/assign", {"assignee": "s.klein"})).status_code == 200
    alert = await desk.get(f"/{EPISODE}")
    assert [act["kind"] for act in alert["acts"]] == ["acknowledge", "comment", "assign"]
    assert (alert["acknowledged_by"], alert["assignee"], alert["state"]) == ("admin", "s.klein", "firing")
    reused = await desk.post(f"/{EPISODE}/comment", {"note": "Another"}, key="a")
    assert (reused.status_code, problem_of(reused).type) == (
        422,
        "urn:stackwatt:problem:idempotency-key-reused",
    )
    assert await desk.mill.heed() == 3
    assert await desk.mill.heed() == 0
    types = desk.mill.rows(
        "SELECT type, data->'act'->>'note' FROM event WHERE data ? 'act' ORDER BY event_no"
    )
    assert types == [
        ("alert.acknowledged", "On it"),
        ("alert.commented", "Belt slips"),
        ("alert.assigned", ""),
    ]


async def test_a_silence_is_heeded_until_it_ends(desk: Desk) -> None:
    asked = {"site": "mill", "unit": "mill/line", "to": text(START + HOUR), "reason": "Kiln stop"}
    made = await desk.post("/silences", asked, key="s")
    assert (made.status_code, made.json()["from"]) == (201, text(START + 90 * SECOND))
    assert (await desk.post("/silences", asked, key="s")).json()["repeated"]
    assert await desk.mill.heed() == 1
    await desk.mill.power(100, 600)
    await desk.mill.power(110, 820)
    await desk.mill.power(180, 820)
    newest = (await desk.get())["items"][0]
    assert (newest["state"], newest["mute"], newest["told_at"]) == ("firing", "silenced", None)
    # Of the one before people had been told: its end they are told, too.
    assert desk.mill.events() == [("alert.firing", "high", False), ("alert.resolved", "high", False)]
    number = made.json()["silence"]
    desk.clock.now = START + 200 * SECOND
    ended = await desk.client.delete(f"/v1/alerts/silences/{number}")
    assert (ended.status_code, ended.json()["ended_by"]) == (200, "admin")
    assert (await desk.client.delete(f"/v1/alerts/silences/{number}")).json()["repeated"]
    assert await desk.mill.heed() == 1
    await desk.mill.power(210, 820)
    assert desk.mill.events()[2:] == [("alert.firing", "high", False)]
    assert (await desk.get("/silences", over=True))["items"][0]["to"] == text(START + 200 * SECOND)


async def test_no_client_can_keep_a_silence_from_being_ended(desk: Desk) -> None:
    asked = {"site": "mill", "to": text(START + HOUR), "reason": "Kiln stop"}
    made = await desk.post("/silences", asked)
    number = made.json()["silence"]
    # Who has guessed the key that ending was handed to ingest under.
    occupied = await desk.post(f"/{EPISODE}/comment", {"note": "First"}, key=f"silence {number} is ended")
    assert occupied.status_code == 200
    assert await desk.mill.heed() == 2
    ended = await desk.client.delete(f"/v1/alerts/silences/{number}")
    assert (ended.status_code, ended.json()["ended_by"]) == (200, "admin"), ended.text
    assert await desk.mill.heed() == 1
    ours = desk.mill.rows("SELECT idempotency_key FROM inbox ORDER BY inbox_no DESC LIMIT 1")[0][0]
    theirs = await desk.client.post(
        f"/v1/alerts/{EPISODE}/ack", headers={"Idempotency-Key": ours.encode()}, json={}
    )
    assert theirs.status_code == 422


async def test_what_is_wrong_is_refused(desk: Desk, dsn: str) -> None:
    silence = {"site": "mill", "to": text(START + HOUR), "reason": "Stop"}
    for path, body, status in (
        ("/mill.none.1/ack", {}, 404),
        (f"/{EPISODE}/comment", {}, 422),
        (f"/{EPISODE}/comment", {"note": "\0"}, 422),
        (f"/{EPISODE}/assign", {"note": "x"}, 422),
        ("/silences", {**silence, "rule": "none"}, 422),
        ("/silences", {**silence, "unit": "mill/none"}, 422),
        ("/silences", {**silence, "to": text(START)}, 422),
        ("/silences", {**silence, "site": "none"}, 404),
    ):
        response = await desk.post(path, body)
        assert response.status_code == status, (path, response.text)
        problem_of(response)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        reader = await keys.create(connection, "reader", ["read"], None)
        other = await keys.create(connection, "other", ["read", "operate"], ["elsewhere"])
    app = create_app(dsn, None, now=desk.clock)
    async with app.router.lifespan_context(app), client_of(app) as client:
        for key, status in ((reader, 403), (other, 404)):
            headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
            assert (await client.post(f"/v1/alerts/{EPISODE}/ack", headers=headers)).status_code == status


async def test_how_good_the_alarms_are(desk: Desk) -> None:
    quality = await desk.get("/quality", to=text(START + 10 * MINUTE))
    assert (quality["episodes"], quality["unheard"]) == (1, 0)
    assert quality["per_10min"] == {"mean": 1 / 144, "peak": 1, "peak_at": text(START)}
    assert quality["top"] == [{"site": "mill", "rule": "high", "episodes": 1}]
    assert quality["chattering"] == quality["standing"] == []
    assert quality["time_to_acknowledge"]["unacknowledged"] == 1
    desk.clock.now = START + 140 * SECOND
    await desk.post(f"/{EPISODE}/ack")
    quality = await desk.get("/quality", **{"from": text(START - HOUR), "to": text(START + 25 * HOUR)})
    assert quality["time_to_acknowledge"] == {
        "acknowledged": 1, "unacknowledged": 0, "median_s": 60.0, "longest_s": 60.0,
    }  # fmt: skip
    assert [one["episode"] for one in quality["standing"]] == [EPISODE]


async def test_no_alarm_is_too_many_to_be_counted(desk: Desk, dsn: str) -> None:
    """One each second, of two rules in turn; of four the last is not told, of ten one is acknowledged after 7 s."""
    total, begin = 120_000, START + 10 * MINUTE
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute(
            """
            INSERT INTO alert_episode (episode, site_no, rule, severity, subject_kind, subject_id, window_us, pending_at,
                                       fired_at, told_at, mute, resolved_at, data, batch_no)
            SELECT 'mill.many.' || n, site_no, 'many' || n %% 2, 'warning', 'point', 'mill/line/power', 0, at, at,
                   CASE WHEN n %% 4 < 3 THEN at END, CASE WHEN n %% 4 = 3 THEN 'silenced' END,
                   at + interval '1 second', '{}', batch_no
              FROM alert_episode, generate_series(0, %(total)s - 1) n,
                   LATERAL (SELECT to_timestamp(%(begin)s + n) AS at) t
            """,
            {"total": total, "begin": begin // SECOND},
        )
        await connection.execute(
            """
            INSERT INTO alert_act (site_no, episode, kind, note, author, at, inbox_no)
            SELECT site_no, episode, 'acknowledge', '', 'a', fired_at + interval '7 seconds', -episode_no
              FROM alert_episode WHERE episode LIKE 'mill.many.%0'
            """
        )
    quality = await desk.get("/quality", **{"from": text(begin), "to": text(begin + total * SECOND)})
    told = total * 3 // 4
    assert (quality["episodes"], quality["unheard"]) == (told, total // 4)
    assert quality["per_10min"] == {"mean": 450.0, "peak": 450, "peak_at": text(begin)}
    assert quality["top"] == quality["chattering"]
    assert quality["top"] == [
        {"site": "mill", "rule": "many0", "episodes": total // 2},
        {"site": "mill", "rule": "many1", "episodes": total // 4},
    ]
    assert quality["time_to_acknowledge"] == {
        "acknowledged": total // 10, "unacknowledged": told - total // 10, "median_s": 7.0, "longest_s": 7.0,
    }  # fmt: skip
    assert len(quality["standing"]) == 1
