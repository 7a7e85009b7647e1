"""Which rows of a batch do not match, where its leaf says that something does not.

Kept per table are 4 bytes of digest a row, in the order of the rows, and the XOR of the rows' keys. A row whose digest
is not kept is altered or inserted; of a removed one there is nothing but the key, which the XOR gives if it is
the only one.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .layout import TABLES, Table, key_of, key_width


class Finding(NamedTuple):
    """A row that is not as it was written; key None: which one cannot be told."""

    batch_no: int
    table: str
    what: str
    key: tuple[Any, ...] | None = None
    was: tuple[Any, ...] | None = None
    """The key that an altered row had."""


def digest(row: bytes) -> int:
    """Four bytes that tell rows of a batch apart; no cryptographic hash."""
    mixed = 0x9E3779B97F4A7C15
    for (word,) in struct.iter_unpack(">Q", row):
        mixed = (mixed ^ word) * 0xFF51AFD7ED558CCD & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 32
    return mixed & 0xFFFFFFFF


class Locator(NamedTuple):
    """What is kept of a batch's rows of one table, to tell which does not match."""

    parity: bytes
    digests: tuple[int, ...]


def locator(table: Table, rows: Sequence[bytes]) -> bytes:
    """What is kept of a batch's rows, packed; `rows` in canonical order."""
    width = key_width(table)
    head = struct.pack(">BI", table.number, len(rows)) + xor((row[:width] for row in rows), width)
    return head + struct.pack(f">{len(rows)}I", *map(digest, rows))


def read_locators(packed: bytes) -> dict[int, Locator]:
    """Locators by table; ValueError: they cannot be read."""
    found, at = {}, 0
    while at < len(packed):
        try:
            table, count = struct.unpack_from(">BI", packed, at)
            width = key_width(TABLES[table])
            digests = struct.unpack_from(f">{count}I", packed, at + 5 + width)
        except (struct.error, KeyError) as error:
            raise ValueError("locators cannot be read") from error
        found[table] = Locator(packed[at + 5 : at + 5 + width], digests)
        at += 5 + width + 4 * count
    return found


def xor(parts: Iterable[bytes], width: int) -> bytes:
    """All of them, bit by bit."""
    total = 0
    for part in parts:
        total ^= int.from_bytes(part, "big")
    return total.to_bytes(width, "big")


def compare(batch_no: int, table: Table, kept: Locator | None, rows: Sequence[bytes]) -> list[Finding]:
    """Which rows of a batch are not those of the locator; `rows` in canonical order."""
    width = key_width(table)
    kept = kept or Locator(bytes(width), ())
    left = Counter(kept.digests)
    strange = []
    for row in rows:
        known = digest(row)
        if left[known]:
            left[known] -= 1
        else:
            strange.append(row[:width])
    lost = left.total() - len(strange)
    what = "altered" if lost >= 0 else "altered or inserted" if left.total() else "inserted"
    found = [Finding(batch_no, table.name, what, key_of(table, key)) for key in strange]
    between = xor([kept.parity, *(row[:width] for row in rows)], width)
    if lost == 0 and len(strange) == 1:
        found = [found[0]._replace(was=key_of(table, xor([strange[0], between], width)))]
    gone = key_of(table, between) if lost == 1 else None
    return found + [Finding(batch_no, table.name, "removed", gone)] * max(lost, 0)
