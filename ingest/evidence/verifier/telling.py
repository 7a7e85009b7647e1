"""Findings in words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .layout import NAMED, TABLES
from .locating import Finding

KEYS = {table.name: table for table in TABLES.values()}
OTHERS = {
    "ingest_commit": {"batch_no": "int"},
    "evidence_leaf": {"batch_no": "int"},
    "evidence_hour": {"hour_at": "instant"},
    "point": {"point_no": "int"},
    "kpi": {"kpi_no": "int"},
    "source": {"source_no": "int"},
    "plan_version": {"version": "int"},
}
"""Keys of what is not covered by leaves but by what is made of them."""


def told(finding: Finding, names: Mapping[tuple[int, int], str]) -> str:
    """One line; `names`: (kind, number) → id."""
    table = finding.table
    columns = OTHERS.get(table) or {name: KEYS[table].columns[name] for name in KEYS[table].key}
    which = "which cannot be told" if finding.key is None else _key(columns, finding.key, names)
    was = "" if finding.was in (None, finding.key) else f", was {_key(columns, finding.was or (), names)}"
    batch = f" (batch {finding.batch_no})" if finding.batch_no and table in KEYS else ""
    return f"{table} {which}: {finding.what}{was}{batch}"


def instant(us: int) -> str:
    """RFC 3339 of µs since 1970."""
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    except OverflowError:
        return f"{us} µs"
    return at.isoformat().replace("+00:00", "Z")


def _key(columns: Mapping[str, str], key: tuple[Any, ...], names: Mapping[tuple[int, int], str]) -> str:
    parts = []
    for (name, kind), cell in zip(columns.items(), key, strict=True):
        known = names.get((NAMED.get(name, 0), cell)) if kind == "int" else None
        if kind == "instant":
            parts.append(instant(cell))
        elif kind == "text":
            parts.append(f"{name} of sha256 {cell[:16]}…")
        else:
            parts.append(f"{name}={cell}" if known is None else known)
    return " ".join(parts)
