"""Evidence as it is made: every covered table, over restarts, from where it begins, and against who has no key."""

from collections import Counter

import psycopg
import pytest
from psycopg import AsyncConnection

from ingest.errors import InputError
from ingest.evidence.signing import Signer
from ingest.evidence.verifier.chain import Chain
from ingest.evidence.verifier.hashes import genesis, leaf_hash
from ingest.evidence.verifier.layout import TABLES
from ingest.evidence.verifier.telling import told
from ingest.evidence_export import export
from ingest.model import MINUTE
from ingest.store import leaves
from ingest.store.verification import held
from ingest.verify import Asked, Verified, verify
from tests.ingest.evidence.world import built, signer
from tests.ingest.feeding import PLANT, START, Clock, feed, message, open_site

KEEPS = PLANT + "retention: {commits_days: 30}\n"


async def fed(dsn: str, clock: Clock, hours: int, by: Signer | None = None, plant: str = PLANT) -> None:
    """Some hours of one point, ten batches an hour; the clock goes with it."""
    ingest = await open_site(dsn, plant, clock, by)
    for _ in range(10 * hours):
        await feed(ingest, [message("line/setpoint", clock.at, float(clock.at % 977))])
        clock.at += 6 * MINUTE
    await ingest.close()


def said(outcome: Verified) -> list[str]:
    return [told(one, outcome.names) for one in outcome.tally.findings]


async def test_every_covered_table_has_evidence(dsn: str) -> None:
    await built(dsn, signer())
    rows = set[str]()
    for site in ("mill", "kiln"):
        found = await verify(dsn, Asked(site))
        assert said(found) == []
        assert (found.first_batch, found.before) == (1, 0)
        assert found.tally.leaves == found.last_batch
        assert (found.tally.signed_hours >= 1, found.tally.unsigned_hours) == (True, 0)
        rows |= {name for name, count in found.rows.items() if count}
    assert rows == {table.name for table in TABLES.values()}


async def test_a_restart_goes_on_with_the_chain_and_another_key(dsn: str) -> None:
    clock = Clock(START + 30 * MINUTE)
    await fed(dsn, clock, 1)
    await fed(dsn, clock, 2, signer())
    await fed(dsn, clock, 1, signer(bytes([7]) * 32))
    found = await verify(dsn, Asked("mill"))
    assert said(found) == []
    assert (found.tally.signed_hours, found.tally.unsigned_hours) == (3, 1), (
        "the first was over before there was a key"
    )
    assert len(found.tally.keys) == 2


async def test_a_span_is_verified_by_itself(dsn: str) -> None:
    clock = Clock()
    await fed(dsn, clock, 4, signer())
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE reading SET value = value + 1 WHERE batch_no = 25")
    second = await verify(dsn, Asked("mill", "2026-11-20T09:00:00Z", "2026-11-20T09:30:00Z"))
    assert (said(second), second.tally.signed_hours, second.tally.open_batches) == ([], 1, 0)
    third = await verify(dsn, Asked("mill", "2026-11-20T10:30:00Z", None))
    assert said(third) == ["reading mill/line/setpoint 2026-11-20T10:24:00Z: altered (batch 25)"]
    none = await verify(dsn, Asked("mill", "2027-01-01T00:00:00Z", None))
    assert (none.last_batch, said(none)) == (0, [])
    with pytest.raises(InputError, match="--from is 'soon'"):
        await verify(dsn, Asked("mill", "soon", None))
    with pytest.raises(InputError, match="expected an instant after --from"):
        await verify(dsn, Asked("mill", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"))


async def test_a_database_of_before_has_evidence_from_now_on(dsn: str) -> None:
    clock = Clock()
    await fed(dsn, clock, 1)
    with psycopg.connect(dsn) as connection:
        for table in ("evidence_leaf", "evidence_hour", "evidence_note"):
            connection.execute(f"DELETE FROM {table}".encode())
    empty = await verify(dsn, Asked("mill"))
    assert (empty.last_batch, said(empty)) == (0, [])
    await fed(dsn, clock, 1)
    found = await verify(dsn, Asked("mill"))
    assert said(found) == []
    assert (found.before, found.first_batch) == (
        found.first_batch - 1,
        found.last_batch - found.tally.leaves + 1,
    )
    assert found.before >= 10


async def test_commit_rows_may_go_only_if_the_plant_file_says_so(dsn: str, other_dsn: str) -> None:
    for where, plant in ((dsn, KEEPS), (other_dsn, PLANT)):
        await fed(where, Clock(), 1, plant=plant)
        with psycopg.connect(where) as connection:
            connection.execute("DELETE FROM ingest_commit WHERE batch_no < 4")
    kept = await verify(dsn, Asked("mill"))
    assert (said(kept), kept.tally.let_go) == ([], 3)
    gone = await verify(other_dsn, Asked("mill"))
    assert said(gone) == [f"ingest_commit batch_no={n}: removed" for n in (1, 2, 3)]


async def test_what_names_and_plans_say_is_held_fast(dsn: str) -> None:
    await fed(dsn, Clock(), 1)
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE point SET id = 'mill/line/other' WHERE id = 'mill/line/power'")
        connection.execute("UPDATE plan_version SET body = jsonb_set(body, '{factors,0,value}', '0.3')")
    assert sorted(said(await verify(dsn, Asked("mill")))) == [
        "plan_version version=1: altered",
        "point mill/line/other: altered",
    ]


async def test_who_makes_the_leaf_anew_is_found_by_the_hour(dsn: str) -> None:
    """And who makes the hour anew, by its signature."""
    await fed(dsn, Clock(), 3, signer())
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE reading SET value = value + 1 WHERE batch_no = 5")
    await _forge(dsn, hours=False)
    assert said(await verify(dsn, Asked("mill"))) == ["evidence_hour 2026-11-20T08:00:00Z: altered"]
    await _forge(dsn, hours=True)
    found = said(await verify(dsn, Asked("mill")))
    assert found == [f"evidence_hour 2026-11-20T{hour:02d}:00:00Z: altered" for hour in (8, 9)]


async def _forge(dsn: str, *, hours: bool) -> None:
    """Make leaves, and hours, anew from what is stored, as who has the database can."""
    async with (
        await AsyncConnection.connect(dsn, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        notes = await leaves.notes_by_batch(cursor, 1)
        found = await held(cursor, 1, leaves.FIRST, leaves.LAST, Counter())
        chain = Chain(genesis("mill", 1), 0)
        for batch_no, one in sorted(found.items()):
            assert one.commit is not None
            leaf = leaf_hash(one.commit, one.hashed)
            if hours and (hour := chain.over(one.commit[2])) is not None:
                await cursor.execute(
                    "UPDATE evidence_hour SET root = %s, chain = %s WHERE last_batch = %s",
                    [hour.root, hour.chain, hour.last_batch],
                )
            for note in notes.get(batch_no, ()):
                chain = chain.with_note(note, batch_no)
            chain = chain.after(batch_no, one.commit[2], leaf)
            await cursor.execute(
                "UPDATE evidence_leaf SET leaf = %s, locators = %s WHERE batch_no = %s",
                [leaf, one.locators, batch_no],
            )


async def test_what_cannot_be_exported_is_a_sentence(
    dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await fed(dsn, Clock(), 1)
    output = tmp_path_factory.mktemp("out") / "bundle.zip"
    with pytest.raises(InputError, match="has no evidence from this span"):
        await export(dsn, Asked("mill", "2030-01-01T00:00:00Z", None), output)
    output.write_bytes(b"")
    with pytest.raises(InputError, match="expected a new file"):
        await export(dsn, Asked("mill"), output)


async def test_leaves_taken_away_at_the_beginning_are_missed(dsn: str) -> None:
    clock = Clock()
    await fed(dsn, clock, 3, signer())
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM evidence_leaf WHERE batch_no <= 10")
        connection.execute("UPDATE reading SET value = value + 1 WHERE batch_no = 3")
    found = await verify(dsn, Asked("mill"))
    assert found.before == 0, "an hour states that there was evidence"
    assert "removed" in " ".join(said(found))


async def test_hours_whose_batches_were_cut_off_are_told(dsn: str) -> None:
    clock = Clock()
    await fed(dsn, clock, 3, signer())
    with psycopg.connect(dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("evidence_leaf", "ingest_commit", "reading", "interval", "evidence_note"):
            connection.execute(f"DELETE FROM {table} WHERE batch_no > 7".encode())
    assert any("inserted" in one for one in said(await verify(dsn, Asked("mill"))))


async def test_a_restart_does_not_make_an_altered_plan_version_right(dsn: str) -> None:
    clock = Clock()
    await fed(dsn, clock, 1, signer())
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE plan_version SET applied_at = applied_at - interval '1 day'")
    await fed(dsn, clock, 1, signer())
    assert said(await verify(dsn, Asked("mill"))) == ["plan_version version=1: altered"]
