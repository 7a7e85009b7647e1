"""KPIs: their sums per closed interval, and their windows at the present horizon.

A KPI's rows come from folding its inputs once more, from its own frontier to its
horizon (the least instant any input reaches), so numerator and denominator always
share the span. Rows before the least of its inputs' frontiers are closed and kept;
the rest is the open end of its windows. An interval in which an input has nothing
usable is in neither sum.
"""

import numpy as np

from ingest.methods.demand import block_begin
from ingest.methods.figures import KpiKind, NoFigure, combine
from ingest.model import NEVER
from ingest.pipeline.batch import KPI_ROW, IntArray, Latest, Rows
from ingest.pipeline.closing import Frontiers
from ingest.pipeline.signals import Load, fold, signals_of
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan, PlanKpi
from ingest.plant.plan_doubts import Steps
from kernels.ring import SLOT, SUMS, kpi_slots, remember, window_sums

TIMED = (KpiKind.RATE, KpiKind.DEMAND, KpiKind.TOTAL, KpiKind.LOAD_FACTOR)
"""Kinds whose b is the covered hours."""


class Terms:
    """The inputs of all KPIs of a plan as columns, a row per (KPI, side, point)."""

    def __init__(self, plan: Plan) -> None:
        """Flatten the KPIs' sparse sums."""
        rows = [
            (k, side, point, weight, steps)
            for k, kpi in enumerate(plan.kpis)
            for side, terms in enumerate((kpi.a, kpi.b))
            for point, weight, steps in (*((*term, ()) for term in terms), *_varying(kpi, side))
        ]
        self.kpi = np.array([row[0] for row in rows], np.int64)
        self.side = np.array([row[1] for row in rows], np.int64)
        self.point = np.array([row[2] for row in rows], np.int64)
        self.weight = np.array([row[3] for row in rows], np.float64)
        self.steps = {term: row[4] for term, row in enumerate(rows) if row[4]}
        """Of terms whose weight changes with time: (instant in µs, weight from it on; NaN: not known)."""
        self.count = np.bincount(self.kpi, minlength=len(plan.kpis)).astype(np.int64)
        self.timed = np.array([int(kpi.kind in TIMED) for kpi in plan.kpis], np.int64)


def _varying(kpi: PlanKpi, side: int) -> list[tuple[int, float, Steps]]:
    """Terms of a side whose weight changes with time; what is in their steps is not in their weight."""
    return [(term.point, 1.0, term.steps) for term in (kpi.a_terms, kpi.b_terms)[side] if term.steps]


def _weighed_in_time(terms: Terms, rows: Rows) -> Rows:
    """Rows with amounts times the weights in force in them; without those of which no weight is known."""
    kept = np.ones(rows.size, np.bool_)
    for term, steps in terms.steps.items():
        mine = np.flatnonzero(rows["segment"] == term)
        since = np.array([at for at, _ in steps], np.int64)
        value = np.array([np.nan, *(value for _, value in steps)])
        weight = value[np.searchsorted(since, rows["start_at"][mine], side="right")]
        kept[mine[np.isnan(weight)]] = False
        rows["amount"][mine] *= np.nan_to_num(weight)
    found: Rows = rows[kept]
    return found


def weigh(
    terms: Terms, rows: Rows, first_at: IntArray, end_at: IntArray, interval_us: int
) -> tuple[Rows, IntArray]:
    """Slots of every KPI over [first_at, end_at) from interval rows of its terms.

    Only intervals in which a term has a row get a slot: the time between two readings
    years apart costs nothing.

    Returns:
        (SLOT rows, offsets): the slots of KPI k are rows offsets[k]:offsets[k + 1], in order of time.
    """
    if terms.steps:
        rows = _weighed_in_time(terms, rows)
    kpi = terms.kpi[rows["segment"]]
    inside = (rows["start_at"] >= first_at[kpi]) & (rows["start_at"] < end_at[kpi])
    rows, kpi = rows[inside], kpi[inside]
    order = np.lexsort((rows["start_at"], kpi))
    is_new = np.ones(order.size, np.bool_)
    is_new[1:] = (np.diff(kpi[order]) != 0) | (np.diff(rows["start_at"][order]) != 0)
    place = np.empty(order.size, np.int64)
    place[order] = np.cumsum(is_new) - 1
    begins = order[is_new]
    starts, sizes = rows["start_at"][begins], np.bincount(kpi[begins], minlength=first_at.size)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    rows["start_at"] = (place - offsets[kpi]) * interval_us  # the kernel sees time without gaps
    slots = np.zeros(starts.size, SLOT)
    kpi_slots(
        rows,
        terms.kpi,
        terms.side,
        terms.weight,
        np.zeros_like(first_at),
        offsets,
        terms.timed,
        interval_us,
        slots,
    )
    slots["start_at"] = starts
    return slots, offsets


def as_kpi_rows(kpi: int, slots: Rows) -> Rows:
    """Slots of one KPI as rows for the store."""
    rows = np.zeros(slots.size, KPI_ROW)
    for name in KPI_ROW.names or ():
        if name != "kpi":
            rows[name] = slots[name]
    rows["kpi"] = kpi
    return rows


class KpiBoard:
    """All KPIs of a site: closes their intervals and evaluates their windows."""

    def __init__(self, state: SiteState) -> None:
        """Over the state's plan; the state owns frontiers and ring."""
        self.terms = Terms(state.plan)
        self._state = state
        self._longest = np.array([max(kpi.windows_us) for kpi in state.plan.kpis], np.int64)
        self._scratch = np.zeros((2, state.ring.shape[1] + 4096))
        self._sums = np.zeros(1, SUMS)

    def evaluate(self, found: Frontiers, load: Load, *, latest: bool) -> tuple[Rows, list[Latest]]:
        """Close the KPIs' intervals; with `latest` also evaluate every window."""
        state, terms = self._state, self.terms
        interval_us = state.plan.interval_us
        if not terms.kpi.size:
            return np.zeros(0, KPI_ROW), []
        horizon, closes_at, first_at = self._spans(found)
        closing = closes_at > first_at
        oldest = horizon - self._longest
        opens_at = np.maximum(closes_at, oldest - oldest % interval_us)
        telling = (horizon > opens_at) & latest
        # Closed and open time are folded apart: between them may lie years that no window reaches.
        closing_terms, telling_terms = np.flatnonzero(closing[terms.kpi]), np.flatnonzero(telling[terms.kpi])
        chosen = np.concatenate([closing_terms, telling_terms])
        begin = np.concatenate([first_at[terms.kpi[closing_terms]], opens_at[terms.kpi[telling_terms]]])
        end = np.concatenate([closes_at[terms.kpi[closing_terms]], horizon[terms.kpi[telling_terms]]])
        points = terms.point[chosen]
        folded = fold(state, signals_of(state, load, points, begin, found.reaches), points, begin, end)
        folded.rows["segment"] = chosen[folded.rows["segment"]]
        slots, offsets = weigh(terms, folded.rows, first_at, np.maximum(horizon, closes_at), interval_us)
        closed, figures = [np.zeros(0, KPI_ROW)], []
        for k, kpi in enumerate(state.plan.kpis):
            mine = slots[offsets[k] : offsets[k + 1]]
            complete = mine[mine["inputs"] == terms.count[k]]
            done = complete["start_at"] + interval_us <= closes_at[k]
            if done.any():
                remember(state.ring[k], complete[done], interval_us)
                closed.append(as_kpi_rows(k, complete[done]))
            state.kpi_closed[k] = max(int(state.kpi_closed[k]), int(closes_at[k]))
            if latest and horizon[k] != NEVER:
                figures += self._windows(k, kpi, complete[~done], int(horizon[k]))
        return np.concatenate(closed), figures

    def begin(self, found: Frontiers) -> None:
        """Start the KPIs whose last input has now been heard of; to be called before anything is closed.

        From then on a KPI holds its inputs' readings back to its own frontier.
        """
        state, terms = self._state, self.terms
        reaches = np.full(terms.count.size, np.iinfo(np.int64).max)
        opens_at = np.full(terms.count.size, NEVER)
        np.minimum.at(reaches, terms.kpi, found.reaches[terms.point])
        np.maximum.at(opens_at, terms.kpi, found.opens_at[terms.point])
        begins = (state.kpi_closed == NEVER) & (reaches != NEVER) & (opens_at != NEVER)
        state.kpi_closed[begins] = opens_at[begins]

    def _spans(self, found: Frontiers) -> tuple[IntArray, IntArray, IntArray]:
        """Per KPI its horizon, the edge up to which it may be closed, and where its open slots begin."""
        state, terms = self._state, self.terms
        far = np.iinfo(np.int64).max
        horizon, closes_at = np.full(terms.count.size, far), np.full(terms.count.size, far)
        np.minimum.at(horizon, terms.kpi, found.reaches[terms.point])
        np.minimum.at(closes_at, terms.kpi, state.points["closed_until"][terms.point])
        first_at = state.kpi_closed.copy()
        asleep = first_at == NEVER
        horizon[asleep] = NEVER
        return horizon, np.where(asleep, NEVER, np.maximum(closes_at, first_at)), first_at

    def _windows(self, k: int, kpi: PlanKpi, open_slots: Rows, horizon: int) -> list[Latest]:
        interval_us = self._state.plan.interval_us
        found = []
        for window_us in kpi.windows_us:
            if kpi.kind is KpiKind.DEMAND:
                from_at = block_begin(horizon - 1, window_us, kpi.phase_us)
            else:
                from_at = horizon - window_us
                from_at -= from_at % interval_us
            found.append(self._figure(k, kpi, open_slots, window_us, from_at, horizon))
        if kpi.load_us is not None:  # the present load, with which the block is projected
            from_at = horizon - kpi.load_us
            from_at -= from_at % interval_us
            found.append(self._figure(k, kpi, open_slots, kpi.load_us, from_at, horizon))
        return found

    def _figure(
        self, k: int, kpi: PlanKpi, open_slots: Rows, window_us: int, from_at: int, to_at: int
    ) -> Latest:
        sums = self._sum(k, open_slots, from_at, to_at)
        a, b = float(sums["a"]), float(sums["b"])
        if kpi.kind is KpiKind.LOAD_FACTOR and sums["slots"]:
            a, b = self._load_factor(k, kpi, open_slots, from_at, to_at, a / b if b else 0.0)
        value, reason = combine(kpi.kind, a, b, int(sums["covered_us"]))
        if not sums["slots"]:
            reason = NoFigure.GAP
        return Latest(
            kpi=k, window_us=window_us, from_at=from_at, to_at=to_at, a=a, b=b, value=value,
            reason=None if reason is None else str(reason),
            covered_us=int(sums["covered_us"]), valid_us=int(sums["valid_us"]),
            substituted_us=int(sums["substituted_us"]), quality=int(sums["quality"]), reasons=int(sums["reasons"]),
        )  # fmt: skip

    def _sum(self, k: int, open_slots: Rows, from_at: int, to_at: int) -> np.void:
        room = self._state.ring.shape[1] + open_slots.size
        if self._scratch.shape[1] < room:
            self._scratch = np.zeros((2, room))
        window_sums(
            self._state.ring[k],
            open_slots,
            from_at,
            to_at,
            self._state.plan.interval_us,
            self._scratch,
            self._sums,
            0,
        )
        row: np.void = self._sums[0].copy()
        return row

    def _load_factor(
        self, k: int, kpi: PlanKpi, open_slots: Rows, from_at: int, to_at: int, mean: float
    ) -> tuple[float, float]:
        """(mean rate of the window, largest rate of the whole blocks in it)."""
        assert kpi.block_us is not None
        block_us = kpi.block_us
        largest = 0.0
        first = block_begin(from_at + block_us - 1, block_us, kpi.phase_us)
        for begin in range(first, to_at - block_us + 1, block_us):
            block = self._sum(k, open_slots, begin, begin + block_us)
            if block["slots"] and block["b"]:
                largest = max(largest, float(block["a"]) / float(block["b"]))
        return mean, largest
