"""The leaf of each batch, written in its transaction (ingest.evidence says what it is for).

`EvidenceBook` belongs to the writer of a site: it takes the readings that are written, reads back at the end of the
transaction what triggers say was written besides, and goes on from its own memory of the chain, never from
what the database holds meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import AsyncConnection, AsyncCursor

from ingest.evidence.rows import READING, Hashed
from ingest.evidence.signing import Signer
from ingest.evidence.verifier.chain import Chain, Hour, Note
from ingest.evidence.verifier.hashes import NO_WATERMARK, genesis, leaf_hash, statement
from ingest.evidence.verifier.layout import TABLES
from ingest.store.covered import BY_NAME, said_in
from ingest.store.instants import MICROSECONDS

_US = "to_timestamp(0) + %s * interval '1 microsecond'"
NOTE = TABLES[26]
RETURNED = ", ".join(
    [
        "point_no",
        MICROSECONDS.format("measured_at"),
        "reasons",
        "seq",
        MICROSECONDS.format("received_at"),
        "value",
        "quality",
    ]
)
"""What an INSERT of readings returns for `EvidenceBook.stored`."""


class EvidenceBook:
    """Leaves, hours and notes of one site."""

    def __init__(self, site_no: int, signer: Signer | None) -> None:
        """Without a signer hours are stated and not signed; who signs later signs them too, through the chain."""
        self._site_no = site_no
        self._signer = signer
        self._site = ""
        self._chain: Chain | None = None
        self._pending: Chain | None = None
        self._readings: dict[str, npt.ArrayLike] | None = None
        self._note_due = True

    async def load(self, connection: AsyncConnection, batch_no: int) -> None:
        """Go on from what is stored; `batch_no` is the last batch committed."""
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT id FROM site WHERE site_no = %s", [self._site_no])
            row = await cursor.fetchone()
            assert row is not None
            self._site = row[0]
            self._chain = await stored_chain(cursor, self._site_no)
        self._chain = self._chain or Chain(genesis(self._site, batch_no + 1), batch_no)
        self._pending, self._note_due = None, True

    def begin(self) -> None:
        """A transaction begins; one before it that failed left nothing."""
        self._readings = None

    def readings(self, columns: Mapping[str, Any]) -> None:
        """Readings that are written in it, at least one, as columns of the table."""
        before = self._readings
        names = READING.columns
        self._readings = {
            name: columns[name] if before is None else np.concatenate([before[name], columns[name]])
            for name in names
        }

    def stored(self, rows: Sequence[Sequence[Any]]) -> None:
        """Readings that the database has stored in it, as `RETURNED` says."""
        names = ("point_no", "measured_at", "reasons", "seq", "received_at", "value", "quality")
        if rows:
            self.readings(
                {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
            )

    def committed(self) -> None:
        """The transaction has committed."""
        if self._pending is not None:
            self._chain, self._pending, self._note_due = self._pending, None, False

    async def write(self, cursor: AsyncCursor, batch_no: int, channel: str) -> None:
        """Write the leaf of the batch under way, all else of which is written, and tell listeners that it is there.

        They hear it after COMMIT.
        """
        assert self._chain is not None
        chain = self._chain
        await cursor.execute(_COMMIT, [channel, f"{self._site_no}:{batch_no}", self._site_no, batch_no])
        row = await cursor.fetchone()
        assert row is not None
        *commit, said, _ = row
        known_at = commit[2]
        if (hour := chain.over(known_at)) is not None:
            await self._state(cursor, hour)
        found = [] if self._readings is None else [Hashed.of_readings(self._readings)]
        tables = [BY_NAME[name] for name in said.split(",") if name]
        if self._note_due:
            notes = await self._notes(cursor, batch_no)
            for note in notes:
                chain = chain.with_note(note, batch_no)
            tables += [NOTE] if notes else []
        tables += [
            BY_NAME[f"{one.name} superseded"] for one in tables if one.name in ("gap_fill", "document_piece")
        ]
        for table in tables:
            words = await said_in(cursor, table, self._site_no, batch_no)
            found += [Hashed.of(table, words)] if len(words) else []
        found.sort(key=lambda one: one.table)
        leaf = leaf_hash(commit, [(one.table, one.count, one.sha256) for one in found])
        locators = b"".join(one.locator for one in found)
        await cursor.execute(_LEAF, [self._site_no, *_stored(commit), leaf, locators])
        self._pending = chain.after(batch_no, known_at, leaf)

    async def _state(self, cursor: AsyncCursor, hour: Hour) -> None:
        said = statement(hour.named(self._site))
        key = None if self._signer is None else self._signer.public_key
        signature = None if self._signer is None else self._signer.sign(said)
        await cursor.execute(
            _HOUR,
            [
                self._site_no, hour.hour_at, hour.first_batch, hour.last_batch, hour.root, hour.chain, hour.notes, key,
                signature,
            ],
        )  # fmt: skip

    async def _notes(self, cursor: AsyncCursor, batch_no: int) -> list[Note]:
        """Note what has come or changed of names and plan versions."""
        await cursor.execute(_NOTES, {"site": self._site_no, "batch": batch_no})
        return sorted((Note(*row) for row in await cursor.fetchall()), key=lambda one: (one.kind, one.number))


async def stored_chain(cursor: AsyncCursor, site_no: int, before: int | None = None) -> Chain | None:
    """The chain as it is stored, or as it was before a batch; None: it has not begun."""
    last = 2**63 - 1 if before is None else before - 1
    await cursor.execute(_LAST_HOUR, [site_no, last])
    row = await cursor.fetchone()
    if row is not None:
        chain = Chain(bytes(row[1]), row[0])
    else:
        await cursor.execute(_FIRST, [site_no])
        site, first = await cursor.fetchone() or ("", None)
        if first is None or first > last:
            return None
        chain = Chain(genesis(site, first), first - 1)
    await cursor.execute(_LEAVES, [site_no, chain.batch_no, last])
    for batch_no, known_at, leaf in await cursor.fetchall():
        chain = chain.after(batch_no, known_at, bytes(leaf))
    await cursor.execute(_NOTED, [site_no, last])
    for kind, number, said, batch_no in await cursor.fetchall():
        chain = chain.with_note(Note(kind, number, said), batch_no)
    return chain


def _stored(commit: Sequence[int]) -> list[int | None]:
    return [None if value == NO_WATERMARK else value for value in commit]


_COMMIT = f"""
    SELECT batch_no, epoch, {MICROSECONDS.format("known_at")}, plan_version,
           coalesce({MICROSECONDS.format("watermark")}, {NO_WATERMARK}), readings,
           coalesce(current_setting('stackwatt.said', true), ''), pg_notify(%s, %s)
      FROM ingest_commit WHERE site_no = %s AND batch_no = %s
""".encode()  # noqa: S608  fragments of this package, as below
_LEAF = f"""
    INSERT INTO evidence_leaf (site_no, batch_no, epoch, known_at, plan_version, watermark, readings, leaf, locators)
    VALUES (%s, %s, %s, {_US}, %s, {_US}, %s, %b, %b)
""".encode()  # noqa: S608
_HOUR = f"""
    INSERT INTO evidence_hour (site_no, hour_at, first_batch, last_batch, root, chain, notes, public_key, signature)
    VALUES (%s, {_US}, %s, %s, %b, %b, %b, %b, %b)
""".encode()  # noqa: S608
_NOTES = b"""
    INSERT INTO evidence_note (site_no, kind, number, said, batch_no)
    SELECT %(site)s, kind, number, said, %(batch)s
      FROM (SELECT 1 AS kind, point_no AS number, id AS said FROM point WHERE site_no = %(site)s
             UNION ALL SELECT 2, kpi_no, id FROM kpi WHERE site_no = %(site)s
             UNION ALL SELECT 3, source_no, id FROM source WHERE site_no = %(site)s
             UNION ALL SELECT 4, v.version, plan_version_said(v) FROM plan_version v WHERE v.site_no = %(site)s) now
     WHERE said IS DISTINCT FROM (SELECT n.said FROM evidence_note n
                                   WHERE n.site_no = %(site)s AND n.kind = now.kind AND n.number = now.number
                                   ORDER BY n.batch_no DESC LIMIT 1)
    RETURNING kind, number, said
"""
_LAST_HOUR = b"""
    SELECT last_batch, chain FROM evidence_hour WHERE site_no = %s AND last_batch <= %s ORDER BY hour_at DESC LIMIT 1
"""
_FIRST = b"""
    SELECT s.id, min(l.batch_no) FROM site s JOIN evidence_leaf l USING (site_no) WHERE s.site_no = %s GROUP BY s.id
"""
_LEAVES = f"""
    SELECT batch_no, {MICROSECONDS.format("known_at")}, leaf FROM evidence_leaf
     WHERE site_no = %s AND batch_no > %s AND batch_no <= %s ORDER BY batch_no
""".encode()  # noqa: S608
_NOTED = b"""
    SELECT kind, number, said, batch_no FROM evidence_note WHERE site_no = %s AND batch_no <= %s
     ORDER BY batch_no, kind, number
"""
