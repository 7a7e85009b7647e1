"""The connection to the database cut around COMMIT: each transaction happens exactly once all the same."""

import asyncio
import random
from typing import Any

import psycopg
import pytest

from ingest.errors import StaleEpochError
from ingest.main import _plans
from ingest.plant import canonical, parse_plant
from ingest.site import Clocks, SiteIngest
from ingest.source import Delivery
from ingest.store.facts import write_latest
from tests.ingest.feeding import PLANT, START, a_day, feed, figures, message, open_site, readings
from tests.recovery.proxy import Cut, proxied

TIMES = {Cut.BEFORE: 10, Cut.AFTER: 10, Cut.HELD: 4, Cut.DEAF: 4, Cut.PASS: 10}


def stretch(seed: int) -> list[Delivery]:
    """A stretch out of order far enough for late readings, with refusals in it, closed by a last round."""
    dice = random.Random(seed)
    messages = list(a_day(0.3))
    messages[100:100] = [message("line/nowhere", START, 1.0), message("line/power", START, "much")]
    mixed = [one for _, one in sorted(enumerate(messages), key=lambda pair: pair[0] + dice.uniform(0, 200))]
    return [*mixed, *messages[-3:]]


def refused(dsn: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT topic, payload, element, reason, detail FROM rejected ORDER BY topic"
        )
        counts = connection.execute("SELECT reason, total FROM rejected_count ORDER BY reason")
        return rows.fetchall(), counts.fetchall()


def windows(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT id, window_us, from_at, to_at, a, b, value, reason, covered_us, valid_us, substituted_us,
                   quality, reasons FROM kpi_latest JOIN kpi USING (kpi_no) ORDER BY id, window_us
            """
        ).fetchall()


async def fed(ingest: SiteIngest, messages: list[Delivery], batch: int = 50) -> int:
    """Feed, and have the windows told once more after the last late reading."""
    acknowledged = await feed(ingest, messages, batch)
    await ingest.take([], caught_up=False)
    return acknowledged


def assert_same(left_dsn: str, right_dsn: str) -> None:
    assert readings(left_dsn) == readings(right_dsn)
    assert refused(left_dsn) == refused(right_dsn)
    left, right = figures(left_dsn), figures(right_dsn)
    for table, rows in left.items():
        assert rows == right[table], table
    assert windows(left_dsn) == windows(right_dsn)


async def test_cut_around_commit_loses_and_doubles_nothing(
    dsn: str, other_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.patient.LONGEST_PAUSE_S", 0.05)
    messages = stretch(seed=1)
    straight = await open_site(dsn)
    assert await fed(straight, messages, batch=20) == len(messages)
    await straight.close()
    script = [cut for cut, times in TIMES.items() for _ in range(times)]
    random.Random(1).shuffle(script)
    async with proxied(other_dsn) as proxy:
        ingest = await open_site(proxy.dsn)
        proxy.plan(script)
        assert await fed(ingest, messages, batch=20) == len(messages)
        await ingest.close()
        assert {cut: proxy.cuts[cut] for cut in TIMES if cut is not Cut.PASS} == {
            cut: times for cut, times in TIMES.items() if cut is not Cut.PASS
        }
    assert_same(dsn, other_dsn)


async def test_all_connections_lost_at_once_again_and_again(dsn: str, other_dsn: str) -> None:
    messages = stretch(seed=3)
    straight = await open_site(dsn)
    await fed(straight, messages)
    await straight.close()
    async with proxied(other_dsn) as proxy:
        ingest = await open_site(proxy.dsn)
        for begin in range(0, len(messages), 100):
            proxy.cut_all()
            assert await fed(ingest, messages[begin : begin + 100]) == len(messages[begin : begin + 100])
        await ingest.close()
    assert_same(dsn, other_dsn)


async def test_writer_that_lost_the_site_to_another_writes_nothing_more(dsn: str) -> None:
    messages = list(a_day(0.1))
    async with proxied(dsn) as proxy:
        first = await open_site(proxy.dsn)
        await fed(first, messages[:50])
        proxy.cut_all()
        second = await open_site(dsn)
        await fed(second, messages[50:100])
        await second.close()
        with pytest.raises(StaleEpochError, match="written by another ingest"):
            await first.take(messages[100:150], caught_up=False)
        await first.close()
    assert len(readings(dsn)) == 100


async def test_new_writer_waits_for_the_last_transaction_of_the_one_before(dsn: str, other_dsn: str) -> None:
    messages = stretch(seed=4)
    straight = await open_site(dsn)
    await fed(straight, messages)
    await straight.close()
    async with proxied(other_dsn) as proxy:
        first = await open_site(proxy.dsn)
        await fed(first, messages[:150])
        proxy.held_s = 1.0
        proxy.plan([Cut.HELD])
        killed = asyncio.create_task(first.take(messages[150:200], caught_up=False))
        await proxy.cut_made.wait()
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        proxy.cut_all()
        second = await open_site(other_dsn)  # the transaction of the first is still to commit
        await fed(second, messages[100:])
        await second.close()
        await first.close()
    assert_same(dsn, other_dsn)


async def test_new_writer_does_not_wait_for_ever_for_a_transaction_that_nobody_will_end(
    dsn: str, other_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before is gone, but something between it and the server holds its connection open."""
    monkeypatch.setattr("ingest.store.session.ABANDONED_S", 1)
    messages = stretch(seed=5)
    straight = await open_site(dsn)
    await fed(straight, messages)
    await straight.close()
    async with proxied(other_dsn) as proxy:
        first = await open_site(proxy.dsn)
        await fed(first, messages[:150])
        proxy.plan([Cut.DEAF])
        killed = asyncio.create_task(first.take(messages[150:200], caught_up=False))
        await proxy.cut_made.wait()
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        proxy.cut_all()
        second = await asyncio.wait_for(open_site(other_dsn), 30)
        await fed(second, messages[100:])
        await second.close()
        await first.close()
    assert_same(dsn, other_dsn)


async def test_plan_that_was_being_applied_when_the_connection_fell_silent_is_applied_again(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the site's row; whoever starts next needs it."""
    monkeypatch.setattr("ingest.store.session.ABANDONED_S", 1)
    digest, body = canonical(parse_plant(PLANT, "mill.yaml"))
    clocks = Clocks(lambda: START, lambda: START)
    async with proxied(dsn) as proxy:
        proxy.plan([Cut.DEAF])
        with pytest.raises(psycopg.OperationalError):
            await _plans(proxy.dsn, [(digest, body)], clocks)
        ((site_no, plan),) = await asyncio.wait_for(_plans(dsn, [(digest, body)], clocks), 20)
    assert (site_no, plan.site, plan.version) == (1, "mill", 1)


async def test_transaction_that_the_server_has_given_up_is_written_again(
    dsn: str, other_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a pause of the whole process, in the middle of a batch."""
    messages = stretch(seed=6)
    straight = await open_site(dsn)
    await fed(straight, messages)
    await straight.close()
    monkeypatch.setattr("ingest.store.session.ABANDONED_S", 1)
    pauses = [1.5]

    async def slowly(*arguments: Any) -> None:
        if pauses:
            await asyncio.sleep(pauses.pop())
        await write_latest(*arguments)

    monkeypatch.setattr("ingest.store.writer.write_latest", slowly)
    ingest = await open_site(other_dsn)
    await fed(ingest, messages)
    await ingest.close()
    assert pauses == []
    assert_same(dsn, other_dsn)
