"""A period of a site as one bundle that checks itself (ingest.evidence.verifier.bundle says what is in it)."""

import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from psycopg import AsyncCursor

from ingest.evidence import verifier
from ingest.evidence.verifier.bundle import ABOUT, HOURS, LEAVES, NOTES, rows_of
from ingest.evidence.verifier.chain import Chain
from ingest.evidence.verifier.hashes import NO_WATERMARK
from ingest.evidence.verifier.layout import TABLES, Table
from ingest.evidence.verifier.telling import instant
from ingest.evidence.verifier.walk import NOTE
from ingest.store import leaves
from ingest.store.covered import cells_between

MAIN = """\
import sys
from verifier.bundle import main
sys.exit(main(sys.argv[1:], sys.argv[0]))
"""
README = """\
Evidence of {site}, of what became known from {begin} to {end} (batches {first} to {last}).

    python THIS_FILE.zip            checks it; Python 3.11 or newer, nothing to install, no network, no database
    python OTHER.zip THIS_FILE.zip  checks it with the verifier of another bundle, which you may trust more

Compare the public key that is printed with the one the plant has given you by another way, or give it by --key.

rows/       every covered row that a batch of the period wrote, a line a row: batch_no, then the columns that
            verifier/layout.py names; instants are µs since 1970 UTC, null is null
leaves.jsonl  batch_no, epoch, known_at, plan_version, watermark, readings, leaf, locators
hours.jsonl   hour, first batch, last batch, root, chain, notes, public key, signature of each hour
notes.jsonl   batch_no, kind (1 point, 2 KPI, 3 source, 4 plan version), number, id or sha256
plans/      plan versions: effective at, applied at (µs), digest, then the plant file as JSON with its factors, each with
            value, source, edition and trust, as it was resolved
verifier/   the check, which is also the definition of the format: begin with layout.py and hashes.py
"""


@dataclass(frozen=True, slots=True)
class Period:
    """What is exported."""

    site_no: int
    site: str
    from_at: int
    to_at: int
    first_batch: int
    last_batch: int
    evidence_from: int
    """The first batch of all that has a leaf."""


async def write_bundle(cursor: AsyncCursor, period: Period, chain: Chain, bundle: zipfile.ZipFile) -> int:
    """Write all of a bundle; how many rows. `chain` as it was before the first batch."""
    first, last = period.first_batch, period.last_batch
    about = {
        "format": 1,
        "site": period.site,
        "from": period.from_at,
        "to": period.to_at,
        "first_batch": first,
        "last_batch": last,
        "evidence_from": period.evidence_from,
        "chain_before": chain.head.hex(),
        "known_after": await leaves.known_after(cursor, period.site_no, last),
    }
    bundle.writestr(ABOUT, json.dumps(about, indent=1))
    begin, end = (instant(at) for at in (period.from_at, period.to_at))
    bundle.writestr(
        "README.txt", README.format(site=period.site, begin=begin, end=end, first=first, last=last)
    )
    _write_verifier(bundle)
    await _write_evidence(cursor, period, bundle)
    for version, text in await leaves.plan_texts(cursor, period.site_no):
        bundle.writestr(f"plans/{version}.txt", text)
    count = 0
    for table in TABLES.values():
        if table.name != NOTE:
            count += await _write_rows(cursor, period, table, bundle)
    return count


def _write_verifier(bundle: zipfile.ZipFile) -> None:
    for file in sorted(resources.files(verifier).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            bundle.writestr(f"verifier/{file.name}", file.read_bytes())
    bundle.writestr("__main__.py", MAIN)


async def _write_evidence(cursor: AsyncCursor, period: Period, bundle: zipfile.ZipFile) -> None:
    first, last = period.first_batch, period.last_batch
    with bundle.open(LEAVES, "w") as member:
        async for found in leaves.leaves(cursor, period.site_no, first, last):
            rows = ([*_commit(one.commit), one.leaf.hex(), one.locators.hex()] for one in found)
            member.write(_lines(rows))
    hours = await leaves.hours(cursor, period.site_no, first, last)
    stated = (
        [
            one.hour.hour_at, one.hour.first_batch, one.hour.last_batch,
            *(_hex(part) for part in (one.hour.root, one.hour.chain, one.hour.notes, one.public_key, one.signature)),
        ]
        for one in hours
    )  # fmt: skip
    bundle.writestr(HOURS, _lines(stated))
    notes = await leaves.notes_by_batch(cursor, period.site_no)
    noted = ([no, one.kind, one.number, one.said] for no, made in notes.items() if no <= last for one in made)
    bundle.writestr(NOTES, _lines(noted))


async def _write_rows(cursor: AsyncCursor, period: Period, table: Table, bundle: zipfile.ZipFile) -> int:
    """A table's rows, by batch; no file where there are none."""
    count, member = 0, None
    try:
        async for rows in cells_between(cursor, table, period.site_no, period.first_batch, period.last_batch):
            member = member or bundle.open(rows_of(table), "w")
            member.write(_lines(rows))
            count += len(rows)
    finally:
        if member is not None:
            member.close()
    return count


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    return "".join(f"{line}\n" for line in _spelt(rows)).encode()


def _spelt(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    for row in rows:
        # JSON has no NaN; every other float is spelt so that it reads back as the same.
        cells = ["NaN" if isinstance(cell, float) and cell != cell else cell for cell in row]  # noqa: PLR0124
        yield json.dumps(cells, ensure_ascii=False, separators=(",", ":"))


def _commit(commit: Iterable[int]) -> list[int | None]:
    return [None if cell == NO_WATERMARK else cell for cell in commit]


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
