"""Which rows are covered, and the canonical bytes of a row.

8 bytes a column in the order of TABLES, big-endian: int and instant (µs since 1970 UTC) as two's complement, float as
IEEE 754 (a NaN as 7ff8000000000000), text as the 32 bytes of its sha256, null as zeros. Then 8 bytes with bit i
set where column i is null. Rows of a batch stand in ascending order of their bytes.
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

QUALITY = "covered_us:int valid_us:int substituted_us:int quality:int reasons:int"
SAID = "plan_version:int known_at:instant"
STAMP = f"revision:int cause:int {SAID}"
TOTAL = f"{QUALITY} cause:int known_at:instant"
PAPER = (
    "author:text proposed_at:instant idempotency_key:text digest:text decision:text decided_by:text"
    " decided_at:instant inbox_no:int"
)
_COVERED = f"""
1 reading: point_no:int measured_at:instant / received_at:instant value:float quality:int reasons:int seq:int
2 interval: point_no:int start_at:instant / amount:float amount_count:int mean:float min:float max:float {QUALITY} {STAMP}
3 kpi_value: kpi_no:int start_at:instant / a:float b:float {QUALITY} {STAMP}
4 emission: source_no:int start_at:instant / mass_kg:float {QUALITY} {STAMP}
5 ledger: point_no:int at:instant class:int / previous_at:instant increment:int correction:int
6 hour_record: source_no:int start_at:instant component:text / value:float valid_us:int minutes_us:int covered_us:int
   on_us:int quarters:int apart_us:int away:int {STAMP}
7 regime_hour: source_no:int start_at:instant / mass_kg:float rate:float operating_us:int components:text provisional:int
   quality:int reasons:int begun_batch:int {STAMP}
8 interval superseded: point_no:int start_at:instant batch_no:int /
9 kpi_value superseded: kpi_no:int start_at:instant batch_no:int /
10 emission superseded: source_no:int start_at:instant batch_no:int /
11 ledger superseded: point_no:int at:instant class:int batch_no:int /
12 hour_record superseded: source_no:int start_at:instant component:text batch_no:int /
13 regime_hour superseded: source_no:int start_at:instant batch_no:int /
14 gap_fill: point_no:int from_at:instant plan_version:int / to_at:instant asked:int used:int because:int source_no:int
   source_from:instant source_to:instant
15 gap_fill superseded: point_no:int from_at:instant plan_version:int batch_no:int /
16 document_piece: source_no:int document_no:int from_at:instant / to_at:instant kg_per_count:float analyses:text
   defaulted:text {STAMP}
17 document_piece superseded: source_no:int document_no:int from_at:instant batch_no:int /
18 frontier_history: point_no:int closed_until:instant /
19 declaration: declaration_no:int / point_no:int kind:text at:instant body:text withdraws:int note:text {PAPER}
20 document: document_no:int / kind:text number:text subject:text from_at:instant to_at:instant lot:text count:int
   value:float body:text file_sha256:text supersedes:int withdraws:int note:text {PAPER}
21 analyser_test: test_no:int / instrument:text kind:text performed_at:instant readings:text result:text passed:int
   note:text author:text inbox_no:int known_at:instant
22 period_seal: seal_no:int / kind:text from_at:instant to_at:instant edition:int sealed_by:text sealed_at:instant
   inbox_no:int known_at:instant reason:text
23 period_point: seal_no:int point_no:int / amount:float amount_count:int mean:float min:float max:float {TOTAL}
24 period_kpi: seal_no:int kpi_no:int / a:float b:float {TOTAL}
25 period_source: seal_no:int source_no:int / mass_kg:float {TOTAL}
26 evidence_note: kind:int number:int / said:text
27 period_regime: seal_no:int source_no:int / rule:text mass_kg:float hours:int without_mass:int substituted:int
   provisional:int quality:int cause:int known_at:instant
28 mes_statement: statement_no:int / said:text kind:text id:text seq:int order_id:text unit:text from_at:instant
   to_at:instant body:text received_at:instant known_at:instant
29 order_footprint: order_id:text revision:int / from_at:instant to_at:instant units:text figures:text cause:text
   plan_version:int known_at:instant
"""
"""Number and name of a table, the columns of its key, the others; each with its kind."""


class Table(NamedTuple):
    """A table of which rows are covered: its columns with their kinds, those of the key first."""

    number: int
    name: str
    key: tuple[str, ...]
    columns: dict[str, str]


def _read(line: str) -> Table:
    head, _, spec = line.partition(": ")
    number, _, name = head.partition(" ")
    key, others = (dict(pair.split(":") for pair in part.split()) for part in spec.split("/"))
    return Table(int(number), name, tuple(key), key | others)


TABLES = {table.number: table for table in map(_read, _COVERED.replace("\n   ", " ").split("\n")[1:-1])}
NAMED = {"point_no": 1, "kpi_no": 2, "source_no": 3}
"""Columns that stand for an id, and the kind of the note that tells it."""
PLAN = 4
"""Kind of the note of a plan version."""
CANONICAL_NAN = b"\x7f\xf8" + bytes(6)
WORDS = {"int": 1, "float": 1, "instant": 1, "text": 4}


def row_bytes(table: Table, cells: Sequence[Any]) -> bytes:
    """The canonical bytes of a row.

    Raises:
        TypeError: a cell is not of its column's kind.
        ValueError: there are more or fewer cells than columns, or one does not fit.
    """
    parts, null = [], 0
    for place, (kind, cell) in enumerate(zip(table.columns.values(), cells, strict=True)):
        if cell is None:
            null |= 1 << place
            parts.append(bytes(8 * WORDS[kind]))
        elif kind == "text":
            parts.append(hashlib.sha256(cell.encode()).digest())
        elif kind == "float":
            value = float(cell)
            parts.append(struct.pack(">d", value) if value == value else CANONICAL_NAN)  # noqa: PLR0124  a NaN is not
        elif type(cell) is int:
            parts.append(cell.to_bytes(8, "big", signed=True))
        else:
            raise TypeError(f"{cell!r} is no integer")
    return b"".join([*parts, null.to_bytes(8, "big")])


def key_width(table: Table) -> int:
    """Bytes of a row's key."""
    return 8 * sum(WORDS[table.columns[name]] for name in table.key)


def key_of(table: Table, row: bytes) -> tuple[Any, ...]:
    """The key in canonical bytes: numbers, of a text the hex of its hash."""
    key, at = list[Any](), 0
    for name in table.key:
        width = 8 * WORDS[table.columns[name]]
        part = row[at : at + width]
        key.append(part.hex() if width > 8 else int.from_bytes(part, "big", signed=True))
        at += width
    return tuple(key)
