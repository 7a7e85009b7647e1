"""What is stated and signed of each hour of a site, as ingest has stored it.

Who keeps a statement and its signature somewhere else can hold everything before it against them, whatever becomes
of the database. The service signs nothing and has no key.
"""

from pydantic import Field

from ingest.evidence.verifier.chain import Hour
from ingest.evidence.verifier.hashes import statement
from ingest.model import HOUR
from service import cursors
from service.documents import Document, Instant, Page, columns_of
from service.store import Connection, rows
from service.tabular import Table, instant_text
from service.times import to_datetime


class EvidenceHourDocument(Document):
    """What is stated of the batches that became known in an hour."""

    from_: Instant = Field(alias="from", description="Begin of the hour, of UTC, in which they became known")
    to: Instant
    first_batch: int
    last_batch: int
    root: str = Field(description="Merkle root (RFC 9162, sha256) of the batches' leaves, hex")
    chain: str = Field(description="Head of the chain of all leaves up to last_batch, hex")
    notes: str = Field(description="Head of the chain of what ids and plan versions say, hex")
    statement: str = Field(description="The text that is signed, UTF-8")
    public_key: str | None = Field(description="Ed25519, hex; null: it is not signed")
    signature: str | None = Field(description="Of the statement, hex; null: it is not signed")


class EvidencePage(Page[EvidenceHourDocument]):
    """A page of the hours of a site."""

    site: str
    from_: Instant = Field(alias="from", description="Begin of the span asked for")
    to: Instant = Field(description="End of the span asked for, exclusive")


async def page(
    connection: Connection, site_no: int, site: str, from_at: int, to_at: int, limit: int, cursor: str | None
) -> Table:
    """The hours that begin in [from_at, to_at) (µs) and are over, oldest first."""
    after = from_at if cursor is None else cursors.decode(cursor, (cursors.INSTANT,))[0] + 1
    found = await rows(
        connection,
        """
        SELECT hour_at, first_batch, last_batch, root, chain, notes, public_key, signature FROM evidence_hour
         WHERE site_no = %s AND hour_at >= %s AND hour_at < %s ORDER BY hour_at LIMIT %s
        """,
        [site_no, to_datetime(max(after, from_at)), to_datetime(to_at), limit + 1],
    )
    following = None
    if len(found) > limit:
        del found[limit:]
        following = cursors.encode([found[-1][0]])
    head = {"site": site, "from": instant_text(from_at), "to": instant_text(to_at)}
    return Table(columns_of(EvidenceHourDocument), [_shown(site, *row) for row in found], following, head)


def _shown(
    site: str,
    hour_at: int,
    first_batch: int,
    last_batch: int,
    root: bytes,
    chain: bytes,
    notes: bytes,
    public_key: bytes | None,
    signature: bytes | None,
) -> tuple[object, ...]:
    stated = statement(Hour(hour_at, first_batch, last_batch, root, chain, notes).named(site)).decode()
    hashes = (root.hex(), chain.hex(), notes.hex())
    key, signed = (None if part is None else part.hex() for part in (public_key, signature))
    return (
        instant_text(hour_at), instant_text(hour_at + HOUR), first_batch, last_batch, *hashes, stated, key, signed
    )  # fmt: skip
