"""What was known at an earlier batch: the answer given then, to the last bit, whatever has come since."""

import json
import random
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest

from ingest.model import DAY, MINUTE
from ingest.site import SiteIngest
from tests.ingest.crooked import PLANT, crooked, the_end
from tests.ingest.feeding import SECOND, START, a_day, feed, message, open_site
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import CLOSED, NOW, text

MINUTES = 150
SPAN = f"from={text(START - DAY)}&to={text(START + DAY)}"
POINTS = (
    "energy", "mass", "power", "setpoint", "temperature", "heat", "running", "batch", "sacks", "sum", "warmth",
)  # fmt: skip
INTERVALS = [
    f"/v1/points/mill/line/{point}/intervals?{SPAN}&limit=10000&step={step}"
    for point in POINTS
    for step in ("interval", "hour", "day")
]
CLOSED_ONLY = [
    *(
        f"/v1/kpis/mill/line/{kpi}/series?{SPAN}&window=1h&step=15min"
        for kpi in ("intensity", "packing", "demand")
    ),
    f"/v1/kpis/mill/line/co2/series?{SPAN}&window=24h&step=1h",
    f"/v1/kpis/mill/line/load/series?from={text(START)}&to={text(START + MINUTES * MINUTE)}&window=1min",
    *(f"/v1/emissions?{SPAN}&group_by={group}" for group in ("scope", "source")),
    *(f"/v1/points/mill/line/{point}/readings?{SPAN}&limit=10000" for point in ("energy", "running")),
    *(f"/v1/points/mill/line/{point}/ledger?{SPAN}&limit=10000" for point in ("energy", "mass", "gas")),
    *(
        f"/v1/points/mill/line/{point}/gaps?{SPAN}&limit=10000"
        for point in ("energy", "power", "batch", "sum")
    ),
    f"/v1/gaps?{SPAN}&limit=10000",
    "/v1/points/latest?limit=100",
]
LIVE_WINDOWS = "/v1/kpis/latest?site=mill"


def newest(dsn: str) -> tuple[int, int]:
    """The last batch and when it was known, µs."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            SELECT batch_no, (extract(epoch FROM known_at) * 1000000)::bigint FROM ingest_commit
             ORDER BY batch_no DESC LIMIT 1
            """
        ).fetchone()
    assert row is not None
    return row


async def content(client: httpx.AsyncClient, path: str) -> bytes:
    response = await client.get(path)
    assert response.status_code == 200, response.text
    return response.content


async def note(client: httpx.AsyncClient, batch: int) -> dict[str, bytes]:
    """Every answer as of the newest batch; it is that of now but for what is provisional."""
    noted = {}
    for path in (*INTERVALS, *CLOSED_ONLY):
        noted[path] = await content(client, f"{path}&as_of={batch}")
        plain = await client.get(path)
        if path in CLOSED_ONLY:
            assert plain.content == noted[path]
        else:
            check_closed_part(plain.json(), (await client.get(f"{path}&as_of={batch}")).json())
    noted[LIVE_WINDOWS] = await content(client, f"{LIVE_WINDOWS}&as_of={batch}")
    await check_windows(client, json.loads(noted[LIVE_WINDOWS]), batch)
    return noted


async def check_windows(client: httpx.AsyncClient, told: dict[str, Any], batch: int) -> None:
    """What was closed of the live windows is what the series says of the same span, and not beyond what was shown."""
    live = {(item["id"], item["window"]): item for item in (await client.get(LIVE_WINDOWS)).json()["items"]}
    assert told["sites"]["mill"]["batch_no"] == batch
    for item in told["items"]:
        shown = live[item["id"], item["window"]]
        if item["to"] is None:
            assert (item["value"], item["reason"]) == (None, "no_data")
            continue
        assert item["to"] <= shown["to"]
        if shown["to"] == item["to"]:
            assert {**item, "revision": 0, "known_at": None} == {**shown, "known_at": None}
        if item["reason"] == "stale" or item["method"] == "demand":
            continue
        series = f"/v1/kpis/{item['id']}/series?from={item['from']}&to={item['to']}&as_of={batch}"
        columns = (await client.get(f"{series}&window={item['window']}")).json()["columns"]
        for name in ("value", "reason", "quality", "valid_share", "revision", "known_at"):
            assert columns[name] == [item[name]], (item["id"], name)


def check_closed_part(plain: dict[str, Any], as_of: dict[str, Any]) -> None:
    told = [item for item in plain["items"] if item["revision"] != 0]
    closed = told[: len(as_of["items"])]
    assert {**plain, "items": closed} == as_of
    assert all(item["reason"] == "gap" for item in told[len(closed) :])


async def in_batches(ingest: SiteIngest, seed: int) -> Any:
    """Feed a crooked stream a tenth of which comes late; control comes back after each late transaction."""
    dice = random.Random(seed)
    messages = crooked(seed, MINUTES, 60)
    late = dice.sample(messages, len(messages) // 10)
    messages = [one for one in messages if one not in late]
    cuts = [0, *sorted(dice.sample(range(len(messages) // 5, len(messages)), 4)), len(messages)]
    for begin, end in pairwise(cuts):
        await feed(ingest, messages[begin:end], batch=70)
        await feed(ingest, [late.pop() for _ in range(min(len(late), 25))], batch=25)
        yield
    await feed(ingest, [*late, the_end(MINUTES)])


@pytest.mark.parametrize("seed", [3, 4])
async def test_an_earlier_answer_can_be_had_again(dsn: str, clock: Clock, seed: int) -> None:
    ingest = await open_site(dsn, PLANT)
    noted = {}
    async with admin_client(dsn, clock) as client:
        async for _ in in_batches(ingest, seed):
            batch, clock.now = newest(dsn)
            noted[batch, clock.now] = await note(client, batch)
        await ingest.close()
        clock.now = NOW + DAY
        assert len(noted) == 5
        for (batch, known_at), answers in noted.items():
            for path, before in answers.items():
                assert await content(client, f"{path}&as_of={batch}") == before, path
            instant = f"as_of={text(known_at)}"
            for path in (INTERVALS[0], *CLOSED_ONLY):
                assert await content(client, f"{path}&{instant}") == answers[path]
        for path in (*INTERVALS, CLOSED_ONLY[0], *CLOSED_ONLY[-9:], LIVE_WINDOWS):
            told = {answers[path] for answers in noted.values()}
            assert len(told) > 1, f"{path} has never changed"
        for answers in noted.values():
            assert any(item["value"] is not None for item in json.loads(answers[LIVE_WINDOWS])["items"])
    with psycopg.connect(dsn) as connection:
        struck = connection.execute("SELECT count(*) FROM ledger_history").fetchone()
    assert struck is not None
    assert struck[0] > 0


async def test_before_the_first_batch_there_is_nothing(dsn: str, clock: Clock) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.2)))
    await ingest.close()
    async with admin_client(dsn, clock) as client:
        for moment in ("0", text(START - SECOND)):
            for path in ("/v1/points/mill/line/power/intervals?", "/v1/points/mill/line/power/readings?"):
                body = (await client.get(f"{path}{SPAN}&as_of={moment}")).json()
                assert (body["items"], body["as_of"]) == ([], {"batch_no": 0, "known_at": None})
            series = (await client.get(f"/v1/kpis/mill/line/load/series?{SPAN}&as_of={moment}")).json()
            assert series["columns"]["value"] == []
            emitted = (await client.get(f"/v1/emissions?{SPAN}&as_of={moment}")).json()
            assert [item["value"] for item in emitted["items"]] == [None]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("900", "Query parameter 'as_of' is '900': expected at most {last}, the newest batch of mill."),
        (
            "soon",
            "an RFC 3339 time with offset between 1970 and 2200, such as 2026-11-20T08:00:00Z, or the number",
        ),
        ("-1", "or the number of a batch."),
        (text(NOW + 1), f"expected a time that has come, at most {text(NOW)}."),
        ("9" * 19, "or the number of a batch."),
    ],
)
async def test_what_cannot_be_known_is_refused_in_a_sentence(
    dsn: str, clock: Clock, asked: str, expected: str
) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.02)))
    await ingest.close()
    last, _ = newest(dsn)
    async with admin_client(dsn, clock) as client:
        for path in ("points/mill/line/power/intervals", "kpis/mill/line/load/series", "emissions"):
            response = await client.get(f"/v1/{path}", params={"as_of": asked})
            assert response.status_code == 422
            assert expected.format(last=last) in response.json()["detail"]


async def test_commits_that_are_not_kept_are_known_by_number_only(dsn: str, clock: Clock) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.2)), batch=20)
    await ingest.close()
    path = f"/v1/points/mill/line/power/intervals?{SPAN}"
    async with admin_client(dsn, clock) as client:
        before = (await client.get(f"{path}&as_of=15")).json()
        with psycopg.connect(dsn) as connection:
            connection.execute("DELETE FROM ingest_commit WHERE batch_no < 20")
        after = (await client.get(f"{path}&as_of=15")).json()
        assert before["items"]
        assert after == {**before, "as_of": {"batch_no": 15, "known_at": None}}
        refused = (await client.get(f"{path}&as_of={before['as_of']['known_at']}")).json()
    assert "expected the number of a batch, for commits before batch 20 are not kept." in refused["detail"]


async def test_every_instant_is_the_last_batch_known_by_then(dsn: str, clock: Clock) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.1)), batch=5)
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        commits = connection.execute(
            "SELECT batch_no, (extract(epoch FROM known_at) * 1000000)::bigint FROM ingest_commit ORDER BY 1"
        ).fetchall()
    path = f"/v1/points/mill/line/power/readings?{SPAN}&limit=1"
    async with admin_client(dsn, clock) as client:
        for batch, known_at in commits[::7] + commits[-1:]:
            for at, expected in ((known_at, batch), (known_at - 1, batch - 1)):
                body = (await client.get(f"{path}&as_of={text(at)}")).json()
                assert body["as_of"]["batch_no"] == expected


async def test_an_answer_of_a_batch_is_known_by_its_tag(dsn: str, clock: Clock) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.2)))
    batch, _ = newest(dsn)
    path = f"/v1/points/mill/line/setpoint/intervals?{SPAN}&as_of={batch}"
    async with admin_client(dsn, clock) as client:
        tag = (await client.get(path)).headers["etag"]
        await feed(ingest, [message("line/setpoint", START + 33 * SECOND, 90.0)])
        assert (await client.get(path, headers={"If-None-Match": tag})).status_code == 304
        later = await client.get(
            f"{path.rpartition('=')[0]}={newest(dsn)[0]}", headers={"If-None-Match": tag}
        )
        assert later.status_code == 200
    await ingest.close()


async def test_one_batch_number_is_not_of_several_sites(client: httpx.AsyncClient) -> None:
    span = f"from={text(CLOSED - MINUTE)}&to={text(CLOSED)}"
    refused = await client.get(f"/v1/emissions?{span}&as_of=5")
    assert refused.status_code == 422
    assert "expected a time, or one `site`" in refused.json()["detail"]
    one = (await client.get(f"/v1/emissions?{span}&as_of=5&site=cement")).json()
    assert one["as_of"] == {"cement": {"batch_no": 5, "known_at": None}}
    both = (await client.get(f"/v1/emissions?{span}")).json()
    assert {site: entry["batch_no"] for site, entry in both["as_of"].items()} == {"cement": 812, "steel": 40}
