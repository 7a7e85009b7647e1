"""What is stored of evidence, and the commits it is of, read for who verifies or exports it."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from psycopg import AsyncCursor

from ingest.evidence.verifier.chain import Hour, Note
from ingest.evidence.verifier.hashes import NO_WATERMARK
from ingest.evidence.verifier.walk import Commit, Leaf, StoredHour
from ingest.store.instants import MICROSECONDS

LEAVES_AT_ONCE = 20_000
READINGS_AT_ONCE = 500_000
FIRST, LAST = -(2**63), 2**63 - 1
"""Before and after every batch."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Which batches there are; 0: none."""

    first_leaf: int
    """Also by what the hours say, so that leaves taken away at the beginning are missed."""
    last_leaf: int
    first_commit: int
    """The oldest commit row that is still there."""


_COMMIT = f"""
    batch_no, epoch, {MICROSECONDS.format("known_at")}, plan_version,
    coalesce({MICROSECONDS.format("watermark")}, {NO_WATERMARK}), readings
"""
_EXTENT = b"""
    SELECT coalesce(least((SELECT min(batch_no) FROM evidence_leaf WHERE site_no = %(site)s),
                          (SELECT min(first_batch) FROM evidence_hour WHERE site_no = %(site)s)), 0),
           (SELECT coalesce(max(batch_no), 0) FROM evidence_leaf WHERE site_no = %(site)s),
           (SELECT coalesce(min(batch_no), 0) FROM ingest_commit WHERE site_no = %(site)s)
"""
_LEAVES = f"""
    SELECT {_COMMIT}, leaf, locators FROM evidence_leaf
     WHERE site_no = %s AND batch_no BETWEEN %s AND %s ORDER BY batch_no LIMIT {LEAVES_AT_ONCE}
""".encode()  # noqa: S608  fragments of this module, as below
_COMMITS = f"""
    SELECT {_COMMIT} FROM ingest_commit WHERE site_no = %s AND batch_no BETWEEN %s AND %s
""".encode()  # noqa: S608
_HOURS = f"""
    SELECT {MICROSECONDS.format("hour_at")}, first_batch, last_batch, root, chain, notes, public_key, signature
      FROM evidence_hour WHERE site_no = %s AND last_batch BETWEEN %s AND %s ORDER BY hour_at
""".encode()  # noqa: S608
_NOTES = b"SELECT batch_no, kind, number, said FROM evidence_note WHERE site_no = %s ORDER BY batch_no, kind, number"
_SPAN = b"""
    SELECT min(batch_no), max(batch_no) FROM evidence_leaf
     WHERE site_no = %s AND known_at >= to_timestamp(0) + %s * interval '1 microsecond'
       AND known_at < to_timestamp(0) + %s * interval '1 microsecond'
"""
_NAMED_NOW = b"""
    SELECT 1, point_no, id FROM point WHERE site_no = %(site)s
     UNION ALL SELECT 2, kpi_no, id FROM kpi WHERE site_no = %(site)s
     UNION ALL SELECT 3, source_no, id FROM source WHERE site_no = %(site)s
     UNION ALL SELECT 4, v.version, plan_version_said(v) FROM plan_version v WHERE v.site_no = %(site)s
"""
_LET_GO = b"""
    SELECT EXISTS (SELECT FROM plan_version WHERE site_no = %s AND body #>> '{retention,commits_days}' IS NOT NULL)
"""


_KNOWN = f"""
    SELECT min({MICROSECONDS.format("known_at")}), max({MICROSECONDS.format("known_at")}) FROM evidence_leaf
     WHERE site_no = %s AND batch_no BETWEEN %s AND %s
""".encode()  # noqa: S608
_PLAN_TEXTS = b"SELECT version, plan_version_text(v) FROM plan_version v WHERE site_no = %s ORDER BY version"


async def extent(cursor: AsyncCursor, site_no: int) -> Extent:
    """Which batches of a site have leaves."""
    await cursor.execute(_EXTENT, {"site": site_no})
    row = await cursor.fetchone()
    assert row is not None
    return Extent(*row)


async def known_in(cursor: AsyncCursor, site_no: int, span: tuple[int, int] | None) -> int:
    """How many batches of a site became known in [from, to) µs, or at all, with a leaf or without."""
    from_at, to_at = span or (0, 2**61)
    await cursor.execute(
        f"""
        SELECT count(*) FROM ingest_commit
         WHERE site_no = %s AND {MICROSECONDS.format("known_at")} BETWEEN %s AND %s
        """.encode(),  # noqa: S608  a fragment of rows
        [site_no, from_at, to_at - 1],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def batches_of(cursor: AsyncCursor, site_no: int, from_at: int, to_at: int) -> tuple[int, int] | None:
    """The first and last batch that became known in [from_at, to_at) µs; None: there is none with a leaf."""
    await cursor.execute(_SPAN, [site_no, from_at, to_at])
    row = await cursor.fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


async def leaves(cursor: AsyncCursor, site_no: int, first: int, last: int) -> AsyncIterator[list[Leaf]]:
    """The leaves of batches from first to last, so many at once that their rows can be held in memory."""
    while first <= last:
        await cursor.execute(_LEAVES, [site_no, first, last])
        found: list[Leaf] = []
        readings = 0
        for row in await cursor.fetchall():
            readings += row[5]
            if found and readings > READINGS_AT_ONCE:
                break
            *commit, leaf, locators = row
            found.append(Leaf(tuple(commit), bytes(leaf), bytes(locators)))
        if not found:
            return
        first = found[-1].commit[0] + 1
        yield found


async def known_after(cursor: AsyncCursor, site_no: int, batch_no: int) -> int | None:
    """When the batch after one became known, µs; None: there is none yet."""
    async for found in leaves(cursor, site_no, batch_no + 1, batch_no + 1):
        return found[0].commit[2]
    return None


async def commits(cursor: AsyncCursor, site_no: int, first: int, last: int) -> dict[int, Commit]:
    """Commit rows by batch."""
    await cursor.execute(_COMMITS, [site_no, first, last])
    return {row[0]: row for row in await cursor.fetchall()}


async def hours(cursor: AsyncCursor, site_no: int, first: int, last: int) -> list[StoredHour]:
    """The hours whose last batch is one from first to last."""
    await cursor.execute(_HOURS, [site_no, first, last])
    found = []
    for hour_at, first_batch, last_batch, *hashes in await cursor.fetchall():
        root, chain, notes, key, signature = (None if one is None else bytes(one) for one in hashes)
        assert root is not None
        assert chain is not None
        assert notes is not None
        found.append(StoredHour(Hour(hour_at, first_batch, last_batch, root, chain, notes), key, signature))
    return found


async def notes_by_batch(cursor: AsyncCursor, site_no: int) -> dict[int, list[Note]]:
    """All notes, by the batch that made them, in order."""
    await cursor.execute(_NOTES, [site_no])
    found: dict[int, list[Note]] = defaultdict(list)
    for batch_no, *note in await cursor.fetchall():
        found[batch_no].append(Note(*note))
    return found


async def named_now(cursor: AsyncCursor, site_no: int) -> dict[tuple[int, int], str]:
    """(kind, number) → what a note would say of it now."""
    await cursor.execute(_NAMED_NOW, {"site": site_no})
    return {(kind, number): said for kind, number, said in await cursor.fetchall()}


async def lets_commits_go(cursor: AsyncCursor, site_no: int) -> bool:
    """Whether a plan version says that old commit rows are deleted."""
    await cursor.execute(_LET_GO, [site_no])
    return await cursor.fetchone() == (True,)


async def known_between(cursor: AsyncCursor, site_no: int, first: int, last: int) -> tuple[int, int]:
    """When the batches from first to last became known, µs; the second is that of the last, and 1."""
    await cursor.execute(_KNOWN, [site_no, first, last])
    row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1] + 1


async def plan_texts(cursor: AsyncCursor, site_no: int) -> list[tuple[int, str]]:
    """The plan versions, each as the text of which its note is the hash."""
    await cursor.execute(_PLAN_TEXTS, [site_no])
    return list(await cursor.fetchall())
