"""After every transaction each figure rests on stored readings only: what is lost later was in none."""

from ingest.model import MINUTE
from ingest.source import Delivery
from tests.ingest.definition import defined, stored
from tests.ingest.feeding import SECOND, START, message, open_site, readings


def register(second: float, kwh: float) -> Delivery:
    return message("line/energy", round(START + second * SECOND), kwh)


async def test_killed_after_any_batch_and_what_was_unacknowledged_never_comes_again(dsn: str) -> None:
    """As when the broker is killed too: a reading that moves a closed edge must not have closed the next one."""
    ingest = await open_site(dsn)
    for n in range(2, 70, 4):
        await ingest.take([register(n, n / 100)], caught_up=False)
    moving = register(61, 0.62)  # it moves the register at 60 s, the end of a closed interval
    await ingest.take([moving, register(130, 1.3)], caught_up=False)
    await ingest.close()
    plan, until = ingest.plan, START + 2 * MINUTE
    found, expected = stored(dsn, until), defined(dsn, plan, until)
    for table, rows in expected.items():
        assert found[table] == rows, table
    assert [row[3] for row in found["interval"]] == [587, 593]
    # Come again or not, it says nothing new.
    before = readings(dsn)
    ingest = await open_site(dsn)
    await ingest.take([moving], caught_up=False)
    await ingest.flush_late()
    await ingest.close()
    assert readings(dsn) == before
    assert stored(dsn, until) == found
