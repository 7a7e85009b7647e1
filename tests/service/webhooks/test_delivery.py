"""Events become deliveries, once each, in order, again when they fail, and dead in the end."""

import asyncio
from dataclasses import replace

import psycopg
import pytest
from psycopg.types.json import Jsonb
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from ingest.model import DAY, HOUR, MINUTE, SECOND
from service.webhooks.notifier import Bounds, Notifier
from tests.service.webhooks.conftest import Bench, Clock, notifying
from tests.service.webhooks.receiving import (
    OLD_SECRET,
    SECRET,
    Received,
    Receiver,
    alert,
    apply_plant,
    receiving,
    status,
    tell,
    webhook,
)


async def test_an_event_is_posted_signed_and_only_once(bench: Bench, receiver: Receiver) -> None:
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1", stream="ep-1")
    await bench.round()
    await bench.round()
    [got] = receiver.got
    assert (got.path, got.id, got.headers["content-type"]) == ("/hook", "evt_1", "application/json")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert Verifier(SECRET).verify(got.body, dict(got.headers)) == got.json
    with pytest.raises(WebhookVerificationError):
        Verifier(OLD_SECRET).verify(got.body, dict(got.headers))
    assert got.json == {
        "id": "evt_1",
        "type": "alert.firing",
        "timestamp": "2026-11-30T08:15:00Z",
        "site": "mill",
        "stream": "ep-1",
        "sequence": 1,
        "data": {**alert(1), "link": "https://watt.example/?alert=ep-1"},
    }
    assert bench.sql("SELECT state, tries, attempts, claimed_by FROM delivery") == [("delivered", 0, 1, None)]
    assert bench.sql("SELECT attempt, status, error FROM delivery_attempt") == [(1, 204, None)]


async def test_events_wait_where_the_webhooks_cannot_be_read(bench: Bench, receiver: Receiver) -> None:
    """As while a release is installed that knows more of them: what is told meanwhile is not lost."""
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    apply_plant(bench.dsn, [webhook(receiver.url + "/other")], site="other")
    [[body]] = bench.sql("SELECT body -> 'webhooks' FROM plan_version WHERE site_no = %s", site)
    write = "UPDATE plan_version SET body = jsonb_set(body, '{webhooks}', %s) WHERE site_no = %s"
    bench.sql(write, Jsonb([{"id": "mes", "url": receiver.url, "pigeon": True}]), site)
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    await bench.round()
    assert receiver.got == []
    bench.sql(write, Jsonb(body), site)
    await bench.round()
    assert [got.id for got in receiver.got] == ["evt_1"]


async def test_while_a_secret_changes_both_sign(bench: Bench, receiver: Receiver) -> None:
    site = apply_plant(bench.dsn, [webhook(receiver.url, previous_secret_env="OLD_HOOK_SECRET")])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    await bench.round()
    [got] = receiver.got
    for secret in (SECRET, OLD_SECRET):
        Verifier(secret).verify(got.body, dict(got.headers))


async def test_what_is_historical_or_not_asked_for_is_not_delivered(bench: Bench, receiver: Receiver) -> None:
    entries = [
        webhook(receiver.url + "/all"),
        webhook(receiver.url + "/fired", id="fired", events=["alert.firing"]),
        webhook(receiver.url + "/kiln", id="kiln", units=["kiln"]),
        webhook(receiver.url + "/bad", id="bad", severity_at_least="critical"),
        webhook(receiver.url + "/periods", id="periods", events=["period.*"], severity_at_least="critical"),
    ]
    site = apply_plant(bench.dsn, entries)
    apply_plant(bench.dsn, [webhook(receiver.url + "/other")], site="other")
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "old", historical=True)
        tell(connection, site, "warning", data=alert(1, unit_path="mill/kiln/fan"))
        tell(
            connection,
            site,
            "critical",
            kind="alert.resolved",
            data=alert(1, severity="critical", unit_path="kilns"),
        )
        tell(connection, site, "sealed", kind="period.sealed", data={"period": 3})
    await bench.round()
    found: dict[str, set[str]] = {}
    for got in receiver.got:
        found.setdefault(got.path.removeprefix("/hook/"), set()).add(got.id)
    assert found == {
        "all": {"warning", "critical", "sealed"},
        "fired": {"warning"},
        "kiln": {"warning"},
        "bad": {"critical", "sealed"},
        "periods": {"sealed"},
    }


async def test_a_failed_delivery_comes_again_on_the_steps_and_is_dead_after_the_last(
    bench: Bench, clock: Clock, receiver: Receiver
) -> None:
    receiver.answer = lambda _: status(500, body="out of\0order" + "x" * 1000)
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    steps = [
        5 * SECOND,
        5 * MINUTE,
        30 * MINUTE,
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
        14 * HOUR,
        20 * HOUR,
        24 * HOUR,
    ]
    for tries, step in enumerate(steps, 1):
        await bench.round()
        assert len(receiver.got) == tries
        clock.now += step - 1
        await bench.round()
        assert len(receiver.got) == tries, "before its time"
        clock.now += 1
    await bench.round()
    assert bench.sql("SELECT state, tries, attempts FROM delivery") == [("dead", 10, 10)]
    assert bench.sql("SELECT delivered, failed, dead FROM webhook") == [(0, 10, 1)]
    clock.now += 30 * DAY
    await bench.round()
    assert receiver.ids == ["evt_1"] * 10
    assert len({got.body for got in receiver.got}) == 1, "a delivery says the same each time"
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) == 10
    [(said, length)] = bench.sql("SELECT DISTINCT error, length(answer) FROM delivery_attempt")
    assert (said, length) == ("It answered 500.", 500)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Retry-After: 60", 60 * SECOND),
        ("Retry-After: 1", 5 * SECOND),
        ("Retry-After: 999999999", DAY),
        ("Retry-After: soon", 5 * SECOND),
    ],
)
async def test_a_receiver_may_ask_for_more_time(
    bench: Bench, clock: Clock, receiver: Receiver, header: str, wait: int
) -> None:
    receiver.answer = lambda _: status(503, header)
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    await bench.round()
    clock.now += wait - 1
    await bench.round()
    assert len(receiver.got) == 1
    clock.now += 1
    await bench.round()
    assert len(receiver.got) == 2


async def test_a_stream_keeps_its_order_and_holds_up_no_other(
    bench: Bench, clock: Clock, receiver: Receiver
) -> None:
    def answer(got: Received) -> bytes:
        return status(500 if got.id == "a1" and len(receiver.ids) < 4 else 200)

    receiver.answer = answer
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        for name in ("a1", "b1", "a2", "b2", "a3"):
            tell(connection, site, name, stream=name[0])
    await bench.round()
    assert sorted(receiver.ids[:2]) == ["a1", "b1"]
    assert receiver.ids[2:] == ["b2"]
    clock.now += 5 * SECOND
    await bench.round()
    assert receiver.ids[3:] == ["a1", "a2", "a3"]


async def test_after_a_dead_one_the_stream_goes_on(bench: Bench, clock: Clock, receiver: Receiver) -> None:
    receiver.answer = lambda got: status(500 if got.id == "a1" else 200)
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "a1", stream="a")
        tell(connection, site, "a2", stream="a")
    for _ in range(10):
        await bench.round()
        clock.now += DAY
    assert receiver.ids == ["a1"] * 10 + ["a2"]


async def test_410_disables_the_endpoint_and_loses_nothing(
    bench: Bench, clock: Clock, receiver: Receiver
) -> None:
    receiver.answer = lambda _: status(410)
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "a1", stream="a")
        tell(connection, site, "a2", stream="a")
    for _ in range(3):
        await bench.round()
        clock.now += DAY
    assert receiver.ids == ["a1"]
    assert bench.sql("SELECT state FROM delivery") == [("waiting",), ("waiting",)]
    [(disabled_at,)] = bench.sql("SELECT disabled_at FROM webhook")
    assert disabled_at is not None


async def test_a_redirect_is_not_followed(bench: Bench, receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        receiver.answer = lambda _: status(307, f"Location: {elsewhere.url}")
        site = apply_plant(bench.dsn, [webhook(receiver.url)])
        with psycopg.connect(bench.dsn) as connection:
            tell(connection, site, "evt_1")
        await bench.round()
        assert (len(receiver.got), elsewhere.got) == (1, [])
    assert bench.sql("SELECT status, error FROM delivery_attempt") == [
        (307, "It answered 307: redirects are not followed.")
    ]


async def test_what_goes_wrong_is_said_and_tried_again(bench: Bench, receiver: Receiver) -> None:
    entries = [
        webhook(receiver.url, id="unset", secret_env="NO_SUCH_SECRET"),
        webhook("http://127.0.0.1:1025/", id="closed"),
        webhook(receiver.url, id="silent"),
        webhook("https://localhost:8443/", id="tls"),
    ]
    receiver.answer = lambda _: None
    site = apply_plant(bench.dsn, entries)
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    await bench.round()
    found = dict(
        bench.sql(
            "SELECT w.id, a.error FROM delivery_attempt a"
            " JOIN delivery USING (delivery_no) JOIN webhook w USING (webhook_no)"
        )
    )
    assert found == {
        "unset": "The secret in environment variable NO_SUCH_SECRET is not set.",
        "closed": "No connection.",
        "silent": "The connection ended before an answer, or the answer is no HTTP.",
        "tls": "No connection.",
    }
    assert bench.sql("SELECT DISTINCT state, tries FROM delivery") == [("waiting", 1)]


async def test_no_answer_ends_at_the_timeout_and_an_endless_one_counts(
    bench: Bench, receiver: Receiver
) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nslow"
    receiver.answer = lambda got: endless if got.path == "/hook/endless" else b""
    receiver.hang = True
    entries = [webhook(receiver.url, timeout="1s"), webhook(f"{receiver.url}/endless", id="endless")]
    site = apply_plant(bench.dsn, entries)
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    async with asyncio.timeout(20):
        await bench.round()
    assert bench.sql("SELECT status, error, answer FROM delivery_attempt ORDER BY status") == [
        (200, None, "slow"),
        (None, "No answer within 1 s.", None),
    ]


async def test_an_answer_with_endless_headers_is_none(bench: Bench, receiver: Receiver) -> None:
    receiver.answer = lambda _: b"HTTP/1.1 200 OK\r\nX-Much: " + b"a" * 2**20
    receiver.hang = True
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    async with asyncio.timeout(10):
        await bench.round()
    assert bench.sql("SELECT error FROM delivery_attempt") == [
        ("The connection ended before an answer, or the answer is no HTTP.",)
    ]


async def test_two_notifiers_send_each_event_once(dsn: str, clock: Clock, receiver: Receiver) -> None:
    site = apply_plant(dsn, [webhook(receiver.url)])
    async with notifying(dsn, clock) as one, notifying(dsn, clock) as two:
        with psycopg.connect(dsn) as connection:
            for number in range(60):
                tell(connection, site, f"evt_{number}", stream=f"ep-{number % 7}")
        await asyncio.gather(one.round(), two.round())
        await asyncio.gather(one.round(), two.round())
    assert sorted(receiver.ids) == sorted(f"evt_{number}" for number in range(60))
    for stream in range(7):
        numbers = [int(one[4:]) for one in receiver.ids if int(one[4:]) % 7 == stream]
        assert numbers == sorted(numbers)


async def test_what_a_notifier_had_claimed_is_free_when_its_session_ends(
    dsn: str, clock: Clock, receiver: Receiver
) -> None:
    site = apply_plant(dsn, [webhook(receiver.url)])
    receiver.hang, receiver.answer = True, lambda _: b""
    async with notifying(dsn, clock) as one:
        with psycopg.connect(dsn) as connection:
            tell(connection, site, "evt_1")
        await one.notifier.round()
        await receiver.until(1)
        async with notifying(dsn, clock) as two:
            await two.round()
            assert len(receiver.got) == 1, "claimed by one that lives"
    receiver.hang = False
    receiver.answer = lambda _: status(200)
    async with notifying(dsn, clock) as two:
        async with asyncio.timeout(20):
            while len(receiver.got) == 1:  # the server may take a moment to end the session
                await two.round()
    assert receiver.ids == ["evt_1", "evt_1"]


async def test_who_has_lost_a_claim_notes_the_attempt_and_decides_nothing(
    bench: Bench, clock: Clock, receiver: Receiver
) -> None:
    receiver.hang, receiver.answer = True, lambda _: b""
    site = apply_plant(bench.dsn, [webhook(receiver.url, timeout="1s")])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1")
    await bench.notifier.round()
    await receiver.until(1)
    bench.sql("UPDATE delivery SET claimed_by = -1")
    await bench.notifier.settled()
    assert bench.sql("SELECT state, tries, attempts, claimed_by FROM delivery") == [("waiting", 0, 1, -1)]
    assert bench.sql("SELECT error FROM delivery_attempt") == [("No answer within 1 s.",)]
    receiver.hang, receiver.answer = False, lambda _: status(200)
    await bench.round()  # nobody of that number lives
    assert bench.sql("SELECT state, attempts FROM delivery") == [("delivered", 2)]


async def test_a_claim_that_hangs_is_free_when_its_time_is_over(bench: Bench, receiver: Receiver) -> None:
    site = apply_plant(bench.dsn, [webhook(receiver.url)])
    with psycopg.connect(bench.dsn) as connection:
        tell(connection, site, "evt_1", stream="a")
        tell(connection, site, "evt_2", stream="a")
    bench.notifier._sender = replace(bench.sender, private=())
    await bench.round()
    bench.notifier._sender = bench.sender
    due = "state = 'waiting', tries = 0, due_at = now() - interval '1 h'"
    bench.sql(f"UPDATE delivery SET {due}")
    claim = "UPDATE delivery SET claimed_by = %s, claimed_until = clock_timestamp() + %s * interval '1 s' WHERE sequence = 1"
    bench.sql(claim, bench.notifier.number, 60)
    await bench.round()
    assert receiver.ids == [], "the first is somebody's, the second behind it"
    bench.sql(claim, bench.notifier.number, -1)
    await bench.round()
    assert receiver.ids == ["evt_1", "evt_2"]


async def test_the_loop_is_woken_and_ends_when_told(dsn: str, clock: Clock, receiver: Receiver) -> None:
    site = apply_plant(dsn, [webhook(receiver.url)])
    async with notifying(dsn, clock) as bench:
        notifier = Notifier(bench.store, bench.sender, Bounds(poll_s=60.0))
        running = asyncio.create_task(notifier.run())
        for number in range(3):
            with psycopg.connect(dsn) as connection:
                tell(connection, site, f"evt_{number}", stream="a")
            await receiver.until(number + 1)
        # Another address from the next event on.
        apply_plant(dsn, [webhook(f"{receiver.url}/new")], version=2)
        with psycopg.connect(dsn) as connection:
            tell(connection, site, "evt_3", stream="a")
        await receiver.until(4)
        notifier.stop()
        async with asyncio.timeout(30):
            await running
    assert receiver.ids == ["evt_0", "evt_1", "evt_2", "evt_3"]
    assert [got.path for got in receiver.got][2:] == ["/hook", "/hook/new"]
