"""What a site's figures are by definition: one fold of everything that is stored.

No tail, no frontiers, no late path: all readings of a point from its first to its
last in one call, then sums of whole rows. What the ingest stored bit by bit has to
equal it, whatever the order in which the readings came.
"""

from typing import Any

import numpy as np
import psycopg

from ingest.model import NEVER
from ingest.pipeline.closing import emissions
from ingest.pipeline.kpis import Terms, as_kpi_rows, weigh
from ingest.pipeline.signals import Folded, Signals, evaluate, fold
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan
from kernels.rows import NO_COUNT
from tests.ingest.comparing import compared, doubt
from tests.ingest.shaped import fill_gaps

FAR = 2**61

Facts = dict[str, list[tuple[Any, ...]]]

_INTERVAL = ("amount", "amount_count", "mean", "min", "max")
_TRUST = ("covered_us", "valid_us", "substituted_us", "quality", "reasons")


def defined(dsn: str, plan: Plan, until: int) -> Facts:
    """Intervals, ledger, comparisons, filled gaps, KPI values and emissions up to an edge (µs), as `stored` shows them."""
    state = SiteState(plan)
    signals = _everything(dsn, state)

    def load(points: Any) -> Signals:
        return Signals.join([signals.segment(int(p)) for p in points])

    parts, steps = [], []
    for p in range(len(plan.points)):
        if p < plan.n_measured:
            signal = signals.segment(p)
        else:
            signal = evaluate(state, load, plan.computed[p - plan.n_measured], NEVER, FAR)
        folded = _fold_all(state, signal, p, until)
        folded.rows["segment"] = folded.steps["segment"] = p
        parts.append(folded.rows)
        steps.append(folded.steps)
    rows, booked = np.concatenate(parts), np.concatenate(steps)
    verdicts = compared(plan, rows, until)
    doubt(plan, rows, verdicts)
    filled = fill_gaps(plan, signals, rows, until)
    names = [point.id for point in plan.points]
    facts = {
        "interval": [
            (names[row["segment"]], int(row["start_at"]), *_shown(row, _INTERVAL), *_shown(row, _TRUST))
            for row in rows
        ],
        "ledger": [
            (names[row["segment"]], *(int(row[name]) for name in row.dtype.names[1:])) for row in booked
        ],
        "comparison": list(verdicts),
        "gap_fill": [(*gap, *how) for gap, how in filled.items()],
        "kpi_value": _kpi_values(plan, rows, until),
        "emission": [
            (
                plan.sources[row["source"]].id,
                int(row["start_at"]),
                float(row["mass_kg"]),
                *_shown(row, _TRUST),
            )
            for row in emissions(plan, rows)
        ],
    }
    return {table: _ordered(table, found) for table, found in facts.items()}


def _everything(dsn: str, state: SiteState) -> Signals:
    """All stored readings, a segment per measured point, winners last."""
    parts = []
    with psycopg.connect(dsn) as connection:
        for point in state.plan.points[: state.plan.n_measured]:
            found = connection.execute(
                """
                SELECT (extract(epoch FROM measured_at) * 1000000)::bigint, value, quality, reasons, seq,
                       (extract(epoch FROM received_at) * 1000000)::bigint
                  FROM reading JOIN point USING (point_no) WHERE id = %s
                """,
                [point.id],
            ).fetchall()
            # By time, seq, arrival, value (NaN lowest) and quality.
            found.sort(key=lambda row: (row[0], row[4], row[5], row[1] == row[1], row[1], row[2]))
            columns: list[Any] = list(zip(*found, strict=True)) if found else [()] * 6
            at, quality, reasons, seq = (np.array(columns[i], np.int64) for i in (0, 2, 3, 4))
            value = np.array(columns[1], np.float64)
            own = np.full(at.size, state.plan.index[point.id])
            parts.append(
                Signals(np.array([0, at.size]), at, value, state.counts(own, value), quality, reasons, seq)
            )
    return Signals.join(parts)


def _fold_all(state: SiteState, signal: Signals, p: int, until: int) -> Folded:
    interval_us = state.plan.interval_us
    first = int(signal.at[0]) - int(state.params["period_us"][p]) if signal.at.size else until
    begin = first - first % interval_us
    return fold(state, signal, np.array([p]), np.array([begin]), np.array([until]))


def _kpi_values(plan: Plan, rows: Any, until: int) -> list[tuple[Any, ...]]:
    terms = Terms(plan)
    first = int(rows["start_at"].min(initial=until))
    parts = []
    for term, point in enumerate(terms.point.tolist()):
        part = rows[rows["segment"] == point].copy()
        part["segment"] = term
        parts.append(part)
    first_at = np.full(len(plan.kpis), first)
    slots, offsets = weigh(
        terms, np.concatenate(parts), first_at, np.full(len(plan.kpis), until), plan.interval_us
    )
    found = []
    for k, kpi in enumerate(plan.kpis):
        mine = slots[offsets[k] : offsets[k + 1]]
        found += [
            (kpi.id, int(row["start_at"]), float(row["a"]), float(row["b"]), *_shown(row, _TRUST))
            for row in as_kpi_rows(k, mine[mine["inputs"] == terms.count[k]])
        ]
    return found


def kpi_sums(plan: Plan, rows: Any, until: int) -> dict[str, tuple[list[float], list[float]]]:
    """The columns a and b of every KPI from the interval rows of its points."""
    found: dict[str, tuple[list[float], list[float]]] = {kpi.id: ([], []) for kpi in plan.kpis}
    for kpi, _, a, b, *_ in _kpi_values(plan, rows, until):
        found[kpi][0].append(a)
        found[kpi][1].append(b)
    return found


def _shown(row: Any, names: tuple[str, ...]) -> list[int | float | None]:
    values = [row[name].item() for name in names]
    return [None if value != value or value == NO_COUNT else value for value in values]  # noqa: PLR0124


def _ordered(table: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """By point and time; of the ledger also by class, as two steps may end at one time."""
    return sorted(rows, key=lambda row: (row[:2], row[3] if table == "ledger" else 0))


def stored(dsn: str, until: int = FAR) -> Facts:
    """The same from the database, as far as it begins before `until` (µs); all of that closed."""
    at = "(extract(epoch FROM {}) * 1000000)::bigint"
    start, trust = at.format("start_at"), ", ".join(_TRUST)
    queries = {
        "interval": f"id, {start}, {', '.join(_INTERVAL)}, {trust} FROM interval JOIN point USING (point_no)",
        "ledger": f"id, {at.format('at')}, {at.format('previous_at')}, class, increment, correction"
        " FROM ledger JOIN point USING (point_no)",
        "comparison": f"id, {start}, own, other, common_us, verdict FROM comparison JOIN point USING (point_no)",
        "gap_fill": f"id, {at.format('from_at')}, {at.format('to_at')}, asked, used, because"
        " FROM gap_fill JOIN point USING (point_no) WHERE superseded_batch IS NULL",
        "kpi_value": f"id, {start}, a, b, {trust} FROM kpi_value JOIN kpi USING (kpi_no)",
        "emission": f"id, {start}, mass_kg, {trust} FROM emission JOIN source USING (source_no)",
    }
    with psycopg.connect(dsn) as connection:
        provisional = connection.execute(f"SELECT {start} FROM interval WHERE revision = 0").fetchall()
        assert not any(at < until for (at,) in provisional), "provisional rows were left behind"
        return {
            table: _ordered(
                table,
                [row for row in connection.execute(f"SELECT {query}".encode()).fetchall() if row[1] < until],
            )
            for table, query in queries.items()
        }


def latest(dsn: str) -> list[tuple[Any, ...]]:
    """The live windows."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT id, window_us, from_at, to_at, a, b, value, reason, covered_us, valid_us, substituted_us, quality,
                   reasons
              FROM kpi_latest JOIN kpi USING (kpi_no) ORDER BY id, window_us
            """
        ).fetchall()


def rollups(dsn: str, zone: str) -> tuple[Facts, Facts]:
    """Hours and days as they are stored, and as the rows below them make them."""
    kept: Facts = {}
    made: Facts = {}
    with psycopg.connect(dsn) as connection:
        for table, span, parts, count in (
            ("interval_hour", "hour", "interval WHERE revision > 0", "count(*)"),
            ("interval_day", "day", "interval_hour", "sum(intervals)"),
        ):
            kept[table] = connection.execute(
                f"""
                SELECT point_no, start_at, amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us,
                       quality, reasons, intervals FROM {table} ORDER BY 1, 2
                """
            ).fetchall()
            made[table] = connection.execute(
                f"""
                SELECT point_no, date_trunc('{span}', start_at, %s), sum(amount ORDER BY start_at), sum(amount_count),
                       sum(mean * (valid_us + substituted_us) ORDER BY start_at)
                       / NULLIF(sum(valid_us + substituted_us) FILTER (WHERE mean IS NOT NULL), 0)::float8,
                       min(min), max(max), sum(covered_us), sum(valid_us), sum(substituted_us),
                       CASE WHEN sum(valid_us + substituted_us) = 0 THEN 3 WHEN sum(substituted_us) > 0 THEN 2
                            WHEN max(quality) > 0 THEN 1 ELSE 0 END, bit_or(reasons), {count}
                  FROM {parts} GROUP BY 1, 2 ORDER BY 1, 2
                """,
                [zone],
            ).fetchall()
    return kept, made
