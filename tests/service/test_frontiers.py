"""What the service takes for closed is what ingest holds for closed, also while everything is silent."""

import psycopg
import pytest

from ingest.model import HOUR, MINUTE, NEVER, SECOND
from ingest.site import SiteIngest
from service import as_of
from service.frontiers import closed_until
from service.latest import read_commits
from service.plans import PlanCache
from service.store import Store
from tests.ingest.crooked import PLANT, crooked
from tests.ingest.feeding import START, Clock, feed, message, open_site
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.seeding import text


def held_frontiers(ingest: SiteIngest) -> dict[str, int]:
    """The frontiers in memory, by point id."""
    state = ingest._committer._state
    assert state is not None
    frontiers = state.pipeline.state.points["closed_until"]
    return {
        point.id: int(until)
        for point, until in zip(ingest.plan.points, frontiers, strict=True)
        if until != NEVER
    }


async def told_frontiers(dsn: str, ingest: SiteIngest, batch_no: int | None = None) -> dict[str, int]:
    """The same, as the service tells them: now, or as of a batch."""
    store = Store(dsn, readers=1)
    await store.open()
    async with store.snapshot() as connection:
        [site] = await PlanCache().all(connection)
        newest = (await read_commits(connection, [site.site_no]))[site.site_no]
        asked = None if batch_no is None else str(batch_no)
        known = await as_of.resolve(connection, site, asked, newest, START + 48 * HOUR)
        found = await closed_until(connection, ingest.plan, range(len(ingest.plan.points)), known)
    await store.close()
    return {ingest.plan.points[i].id: until for i, until in found.items()}


async def silence(ingest: SiteIngest, clock: Clock, minutes: float) -> None:
    """Time passes at a caught-up source that says nothing."""
    for _ in range(max(1, int(minutes))):
        await ingest.take([], caught_up=True)
        clock.elapsed += int(minutes * MINUTE / max(1, int(minutes)))
    while True:
        await ingest.take([], caught_up=True)
        if not ingest.more:
            return


@pytest.mark.parametrize("seed", range(4))
async def test_frontiers_told_and_held_are_one_through_a_silence(dsn: str, seed: int) -> None:
    clock = Clock()
    ingest = await open_site(dsn, PLANT, clock)
    await feed(ingest, crooked(seed, 30, 20))
    assert await told_frontiers(dsn, ingest) == held_frontiers(ingest)
    lagging, then = 0, dict[int, dict[str, int]]()
    for minutes in (1, 2, 3, 20, 50):
        await silence(ingest, clock, minutes)
        held = held_frontiers(ingest)
        assert await told_frontiers(dsn, ingest) == held
        then[ingest._committer._writer.batch_no] = held
        with psycopg.connect(dsn) as connection:
            stored: dict[str, int] = dict(
                connection.execute(
                    "SELECT id, (extract(epoch FROM closed_until) * 1000000)::bigint"
                    " FROM point_state JOIN point USING (point_no)"
                ).fetchall()
            )
        lagging += sum(stored[name] < until for name, until in held.items())
    assert lagging > 20, "the stored frontiers alone would have said the same"
    for batch_no, held in then.items():
        assert await told_frontiers(dsn, ingest, batch_no) == held
    await ingest.close()


async def test_a_silent_site_shows_its_gap_at_once(dsn: str) -> None:
    """The live window says gap; the intervals must not pretend that there is nothing to miss."""
    clock = Clock()
    ingest = await open_site(dsn, clock=clock)
    await feed(ingest, [message("line/power", START + i * 5 * SECOND, 100.0) for i in range(61)])
    await silence(ingest, clock, 12)
    await ingest.close()
    end = START + HOUR
    async with admin_client(dsn, ServiceClock()) as client:
        path = f"/v1/points/mill/line/power/intervals?from={text(START)}&to={text(end)}"
        items = (await client.get(path)).json()["items"]
    reasons = [item["reason"] for item in items]
    assert reasons[:5] == [None] * 5
    assert len(reasons) > 15
    assert set(reasons[5:]) == {"gap"}
