"""What is in the database afterwards, held against what was published and against its own definition.

Readings are compared as rows, every column of them; figures with one fold of everything
that is stored (`tests.ingest.definition`), which knows no batches, no restarts and no late path.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from ingest.model import DAY, SECOND
from ingest.plant import canonical, parse_plant, plan_from_body
from tests.chaos.faults import Fault
from tests.chaos.traffic import BEGIN, NUMBER, PLANT, ROW, Known
from tests.ingest import definition
from tests.recovery.process import ROOT, environment

SAME = ("point", "at", "seq", "quality", "value")
"""Columns that make a reading, in the order they are compared."""
CHUNK = 50_000


@dataclass(slots=True)
class Readings:
    """Published against stored."""

    stored: int
    lost: NDArray[np.void]
    """Rows that were made and are not stored."""
    doubled: int
    """Stored rows that are there a second time."""
    foreign: int
    """Stored rows that nobody has made."""


@dataclass(slots=True)
class Figures:
    """Rows compared, by table, and those that differ."""

    rows: dict[str, int] = field(default_factory=dict)
    differing: dict[str, int] = field(default_factory=dict)
    evidence: list[str] = field(default_factory=list)
    """Of the first interval that differs: what is stored around it, and in which transactions it came."""


def readings(dsn: str, known: Known) -> Readings:
    """Compare what is stored with what was made."""
    made, stored = _ordered(known.rows()), _ordered(_stored(dsn))
    twice = np.zeros(len(stored), np.bool_)
    if len(stored):
        twice[1:] = stored[1:] == stored[:-1]
    distinct = stored[~twice]
    lost = np.setdiff1d(made, distinct, assume_unique=True)
    foreign = np.setdiff1d(distinct, made, assume_unique=True)
    return Readings(len(stored), lost, int(twice.sum()), len(foreign))


def figures(dsn: str, until: int) -> Figures:
    """Compare intervals, ledger, KPI values, emissions and rollups with what they are by definition."""
    _, body = canonical(parse_plant(PLANT, "mill.yaml"))
    plan = plan_from_body(body, 1)
    expected, found = definition.defined(dsn, plan, until), definition.stored(dsn, until)
    kept, made = definition.rollups(dsn, str(plan.zone))
    result = Figures()
    for table, (left, right) in {
        **{table: (rows, found[table]) for table, rows in expected.items()},
        **{table: (rows, made[table]) for table, rows in kept.items()},
    }.items():
        result.rows[table] = len(left)
        missing, surplus = set(left) - set(right), set(right) - set(left)
        if left != right:
            result.differing[table] = max(len(missing), len(surplus), 1)
            if table == "interval" and missing:
                first = min(missing, key=lambda row: row[1])
                result.evidence = [f"expected {first}", *_around(dsn, first[0], first[1])]
    return result


def _around(dsn: str, point: str, at: int) -> list[str]:
    """Readings and intervals of a point near an instant, with their transactions."""
    near = f"id = '{point}' AND abs((extract(epoch FROM {{}}) * 1000000)::bigint - {at}) < {4 * 60 * SECOND}"
    queries = {
        "reading": "measured_at, value, quality, reasons, seq, received_at, r.batch_no, epoch FROM reading r"
        " JOIN point USING (point_no) JOIN ingest_commit USING (site_no, batch_no) WHERE "
        + near.format("measured_at"),
        "interval": "start_at, amount, covered_us, reasons, revision, cause, i.known_at, i.batch_no, epoch FROM interval i"
        " JOIN point USING (point_no) JOIN ingest_commit USING (site_no, batch_no) WHERE "
        + near.format("start_at"),
    }
    with psycopg.connect(dsn) as connection:
        return [
            f"{name} {' '.join(map(str, row))}"
            for name, query in queries.items()
            for row in connection.execute(f"SELECT {query} ORDER BY 1".encode()).fetchall()
        ]


def replayed(dsn: str, until: int) -> dict[str, Any]:
    """What `stackwatt replay --check` says of everything before `until`."""
    span = [_instant(BEGIN - DAY), _instant(until)]
    command = [sys.executable, "-P", "-m", "deploy", "replay", "--from", span[0], "--to", span[1], "--json"]
    told = environment(STACKWATT_DSN=dsn)
    ended = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
    if not ended.stdout:
        return {"equal": False, "said": ended.stderr[-500:]}
    found = json.loads(ended.stdout)
    return {name: found[name] for name in ("equal", "compared", "first")}


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat()


def is_closed(dsn: str, until: int) -> bool:
    """Whether every point is closed up to `until`."""
    row = _one(dsn, "SELECT min((extract(epoch FROM closed_until) * 1000000)::bigint) FROM point_state")
    return row[0] is not None and row[0] >= until


def committed(dsn: str, after_epoch: int = -1) -> tuple[int, int]:
    """Readings and last batch of all transactions of the writers after one."""
    query = "SELECT coalesce(sum(readings), 0)::bigint, coalesce(max(batch_no), 0) FROM ingest_commit"
    row = _one(dsn, query + f" WHERE epoch > {after_epoch:d}")
    return int(row[0]), int(row[1])


def epoch(dsn: str) -> int:
    """Of the last writer."""
    return int(_one(dsn, "SELECT max(epoch) FROM site")[0])


@dataclass(frozen=True, slots=True)
class Recovery:
    """From a fault to the first transaction that began after it."""

    kind: str
    since_fault_s: float
    since_given_back_s: float
    """Since the run gave back what it had taken."""
    faults_meanwhile: int
    """How many more fell into it."""


def recoveries(dsn: str, faults: Sequence[Fault]) -> list[Recovery]:
    """One of every fault after which anything was committed."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT extract(epoch FROM known_at)::float8 FROM ingest_commit ORDER BY 1"
        )
        known_at = np.array([at for (at,) in found.fetchall()])
    result = []
    for fault in faults:
        place = int(np.searchsorted(known_at, fault.given_back_at, side="right"))
        if place < len(known_at):
            first = float(known_at[place])
            meanwhile = sum(fault.given_back_at <= other.began_at < first for other in faults)
            after = first - fault.given_back_at
            result.append(Recovery(fault.kind, first - fault.began_at, after, meanwhile))
    return result


def _stored(dsn: str) -> NDArray[np.void]:
    query = """
        SELECT id, (extract(epoch FROM measured_at) * 1000000)::bigint, value, quality, seq
          FROM reading JOIN point USING (point_no)
    """
    parts = [np.empty(0, ROW)]
    with psycopg.connect(dsn) as connection, connection.cursor(name="stored", binary=True) as cursor:
        cursor.execute(query)
        while found := cursor.fetchmany(CHUNK):
            part = [
                (NUMBER[point.removeprefix("mill/line/")], at, value, quality, seq)
                for point, at, value, quality, seq in found
            ]
            parts.append(np.array(part, ROW))
    return np.concatenate(parts)


def _ordered(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Sorted, with the bits of the value in its place: NaN equals NaN, and no two numbers are alike."""
    value = np.where(np.isnan(rows["value"]), np.nan, rows["value"]) + 0.0
    bits = np.empty(len(rows), [(name, "i8") for name in SAME])
    for name in SAME:
        bits[name] = value.view("i8") if name == "value" else rows[name]
    order = np.lexsort([bits[name] for name in reversed(SAME)])
    return bits[order]


def _one(dsn: str, query: str) -> tuple[Any, ...]:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row
