"""What is stored of some batches, as the walk along their leaves wants it."""

from collections import Counter
from dataclasses import dataclass

from psycopg import AsyncCursor

from ingest.evidence.rows import Hashed, Words
from ingest.evidence.verifier.layout import TABLES
from ingest.evidence.verifier.walk import Commit, Held
from ingest.store import leaves
from ingest.store.covered import between


@dataclass(frozen=True, slots=True)
class _Stored:
    """The rows of one batch."""

    hashed: list[Hashed]
    words: dict[int, Words]

    def rows(self) -> dict[int, list[bytes]]:
        """Their canonical bytes, by table."""
        return {number: [row.tobytes() for row in words] for number, words in self.words.items()}

    def held(self, commit: Commit | None) -> Held:
        """As the walk wants them."""
        hashed = [(one.table, one.count, one.sha256) for one in self.hashed]
        return Held(commit, hashed, b"".join(one.locator for one in self.hashed), self.rows)


async def held(
    cursor: AsyncCursor, site_no: int, first: int, last: int, counted: Counter[str]
) -> dict[int, Held]:
    """What is stored of the batches from first to last; rows are counted by table."""
    commits = await leaves.commits(cursor, site_no, first, last)
    found: dict[int, _Stored] = {batch_no: _Stored([], {}) for batch_no in commits}
    for number, table in TABLES.items():
        rows = await between(cursor, table, site_no, first, last)
        counted[table.name] += rows.batch_no.size
        for batch_no, words in rows.batches():
            stored = found.setdefault(batch_no, _Stored([], {}))
            stored.hashed.append(Hashed.of(table, words))
            stored.words[number] = words
    return {batch_no: stored.held(commits.get(batch_no)) for batch_no, stored in found.items()}
