"""`stackwatt evidence export`: what became known of a site in a period, as one file that a third party can check."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from psycopg import AsyncConnection, IsolationLevel

from ingest.errors import InputError
from ingest.evidence.verifier.chain import Chain
from ingest.evidence.verifier.hashes import genesis
from ingest.spans import site_of
from ingest.store import leaves
from ingest.store.bundle import Period, write_bundle
from ingest.store.evidence import stored_chain
from ingest.verify import Asked, hours_of


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    site: str
    first_batch: int
    last_batch: int
    rows: int


async def export(dsn: str, asked: Asked, output: Path) -> Exported:
    """Write a bundle of what became known in the whole hours that a span touches, in one snapshot.

    Raises:
        InputError: there is no such site or span, nothing became known in it, or the file cannot be written.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        async with connection.transaction(), connection.cursor() as cursor:
            site_no, site = await site_of(connection, asked.site)
            begin, end = hours_of(asked.from_at, asked.to_at)
            batches = await leaves.batches_of(cursor, site_no, begin, end)
            if batches is None:
                raise InputError(
                    f"site {site} has no evidence from this span; expected one in which it was fed"
                )
            first, last = batches
            known = await leaves.extent(cursor, site_no)
            begin, end = await leaves.known_between(cursor, site_no, first, last)
            period = Period(site_no, site, begin, end, first, last, known.first_leaf)
            chain = await stored_chain(cursor, site_no, before=first)
            chain = chain or Chain(genesis(site, first), first - 1)
            try:
                with zipfile.ZipFile(output, "x", zipfile.ZIP_DEFLATED) as bundle:
                    rows = await write_bundle(cursor, period, chain, bundle)
            except OSError as error:
                raise InputError(
                    f"{output}: {error.strerror}; expected a new file in a folder of yours"
                ) from error
    return Exported(site, first, last, rows)
