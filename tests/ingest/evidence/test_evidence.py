"""Evidence as it is made: every covered table, every batch, and what else has to hold."""

import time

from ingest.evidence.verifier.layout import TABLES
from ingest.evidence.verifier.telling import told
from ingest.verify import Asked, verify
from tests.ingest.evidence.world import built, signer


async def test_what_is_stored_is_what_was_written(dsn: str) -> None:
    await built(dsn, signer())
    rows = set[str]()
    for site in ("mill", "kiln"):
        t = time.perf_counter()
        found = await verify(dsn, Asked(site))
        print(time.perf_counter() - t, found.tally, found.rows)
        assert [told(one, found.names) for one in found.tally.findings] == []
        assert found.first_batch == 1
        assert found.tally.leaves == found.last_batch
        assert found.tally.signed_hours >= 1
        assert found.tally.unsigned_hours == 0
        assert found.tally.open_batches >= 1
        rows |= {name for name, count in found.rows.items() if count}
    assert rows == {table.name for table in TABLES.values()}
