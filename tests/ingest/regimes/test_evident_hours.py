"""Evidence holds although provisional hours are overwritten in place: as provisional intervals they are in no leaf."""

import psycopg
import pytest

from ingest.evidence.verifier.telling import told
from ingest.verify import Asked, verify
from tests.ingest.feeding import feed, open_site
from tests.ingest.regimes.plants import examine, plant, stretch, tell_test


@pytest.mark.parametrize("rule", ["mrr", "hj75", "part75"])
async def test_what_goes_on_in_place_is_no_tampering(dsn: str, rule: str) -> None:
    ingest = await open_site(dsn, plant(rule))
    await feed(ingest, stretch(0, 24, dead=range(10, 12)))
    for hour in range(24, 32):
        await feed(ingest, stretch(hour, hour + 1, dead=range(28, 31)))
    tell_test(dsn, 20, passed=False)
    await examine(ingest, dsn)
    await feed(ingest, stretch(32, 34))
    await ingest.close()
    found = await verify(dsn, Asked("mill"))
    assert [told(one, found.names) for one in found.tally.findings] == []
    assert found.rows["regime_hour"] > 0
    with psycopg.connect(dsn) as connection:
        kept = connection.execute("SELECT source_no, start_at, revision FROM regime_hour_history").fetchall()
    assert len(kept) == len(set(kept)), "what goes on in place leaves nothing behind: a revision is kept once"
