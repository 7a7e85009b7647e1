"""`stackwatt verify`: whether what is stored of a site is what ingest wrote (ingest.evidence says what that covers).

Reads only, in one snapshot, so ingest may go on meanwhile.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection, AsyncCursor, IsolationLevel

from ingest.errors import InputError
from ingest.evidence.verifier.chain import Chain
from ingest.evidence.verifier.hashes import genesis
from ingest.evidence.verifier.walk import Tally, Walk
from ingest.model import HOUR
from ingest.spans import instant_of, site_of
from ingest.store import leaves
from ingest.store.evidence import stored_chain
from ingest.store.leaves import FIRST, LAST
from ingest.store.verification import held


@dataclass(frozen=True, slots=True)
class Asked:
    """What to verify; by when it became known, in whole hours of UTC."""

    site: str | None
    """None: the only one."""
    from_at: str | None = None
    """RFC 3339 with offset; None: from where evidence begins."""
    to_at: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it."""

    site: str
    first_batch: int
    """0: there is no evidence in the span."""
    last_batch: int
    before: int
    """Batches of before evidence began; of them nothing can be said."""
    bare: int
    """Batches of a span in which none has any evidence; 0 where one has."""
    tally: Tally
    rows: Counter[str]
    """Rows that were read, by table."""
    names: Mapping[tuple[int, int], str]
    """(kind, number) → id, as far as findings need it."""


async def verify(dsn: str, asked: Asked) -> Verified:
    """Verify a site, or what became known of it in a span.

    Raises:
        InputError: there is no such site or span.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        async with connection.transaction(), connection.cursor() as cursor:
            site_no, site = await site_of(connection, asked.site)
            span = None
            if asked.from_at is not None or asked.to_at is not None:
                span = hours_of(asked.from_at, asked.to_at)
            return await verified(cursor, site_no, site, span)


def hours_of(from_at: str | None, to_at: str | None) -> tuple[int, int]:
    """The whole hours that a span touches, [begin, end) in µs."""
    begin = 0 if from_at is None else instant_of(from_at, "from")
    end = 2**61 if to_at is None else instant_of(to_at, "to")
    if begin >= end:
        raise InputError(f"--to is {to_at!r}; expected an instant after --from")
    return begin - begin % HOUR, end + -end % HOUR


async def verified(
    cursor: AsyncCursor, site_no: int, site: str, span: tuple[int, int] | None = None
) -> Verified:
    """Verify within the caller's transaction."""
    known = await leaves.extent(cursor, site_no)
    batches: tuple[int, int] | None = (known.first_leaf, known.last_leaf) if known.last_leaf else None
    if span is not None and batches is not None:
        batches = await leaves.batches_of(cursor, site_no, *span)
    names = await leaves.named_now(cursor, site_no)
    first, last = batches or (0, 0)
    walk = Walk(
        site,
        await stored_chain(cursor, site_no, before=first) or Chain(genesis(site, first), first - 1),
        await leaves.hours(cursor, site_no, first, LAST if last == known.last_leaf else last),
        await leaves.notes_by_batch(cursor, site_no),
        known.first_commit if await leaves.lets_commits_go(cursor, site_no) else 0,
    )
    walk.names(names)
    rows: Counter[str] = Counter()
    if batches is not None:
        await _walked(cursor, site_no, walk, batches, known, rows)
    before = known.first_leaf - 1 if known.last_leaf else 0
    bare = await leaves.known_in(cursor, site_no, span) if batches is None else 0
    return Verified(site, first, last, before, bare, walk.tally, rows, names)


async def _walked(
    cursor: AsyncCursor,
    site_no: int,
    walk: Walk,
    batches: tuple[int, int],
    known: leaves.Extent,
    rows: Counter[str],
) -> None:
    first, last = batches
    begin = FIRST if first == 1 else first
    async for found in leaves.leaves(cursor, site_no, first, last):
        end = found[-1].commit[0]
        walk.span(found, await held(cursor, site_no, begin, LAST if end == known.last_leaf else end, rows))
        begin = end + 1
    walk.end(await leaves.known_after(cursor, site_no, last))
