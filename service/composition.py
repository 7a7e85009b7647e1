"""What the gas analysis of a reconciliation says: four residuals by their uncertainties, and the likelier fault.

Means of the hours valid in both accounts. The flow is the measured mass by the CO2 share:
what the flow meter and its compensation tell, free of the analyser.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ingest.methods.figures import KpiKind
from ingest.model import HOUR
from ingest.plant.plan import Plan
from ingest.plant.plan_doubts import PlanTerm
from ingest.plant.plan_reconciliation import PlanReconciliation
from ingest.plant.reconciliation_entries import FlueGas
from ingest.reconciliation.accounts import Accounts, terms_of
from ingest.reconciliation.faults import Judged, ReadUncertainty, judge
from ingest.reconciliation.gas import Stack, residuals
from ingest.uncertainty.contributions import Contribution, PointRows, contributions, unknown
from ingest.uncertainty.figure import of_figure
from ingest.units import measure
from service.documents import Document
from service.uncertainty import PERCENT

NAMES = ("composition", "flow", "mass", "fuel")
"""r1 to r4."""


class ResidualDocument(Document):
    """One residual."""

    name: str = Field(description="composition, flow, mass or fuel: r1 to r4")
    percent: float | None = Field(description="null: not known, as fuel without a baseline")
    u_percent: float | None
    score: float | None = Field(
        description="The residual by its standard uncertainty; beyond ±2 it says something"
    )


class CompositionDocument(Document):
    """The residuals, and what they point to."""

    residuals: list[ResidualDocument]
    likely: list[str] = Field(
        description="The likelier fault; more than one: they cannot be told apart. leak is of the sample line"
    )
    verdict: str = Field(description="In words")
    reason: str | None = Field(description="Why no fault is looked for")


def composition_points(plan: Plan, asked: PlanReconciliation) -> list[str]:
    """Ids of the points whose rows are needed."""
    if asked.gas is None:
        return []
    points = [asked.gas.co2, asked.gas.o2, *([asked.gas.product] if asked.gas.product else [])]
    return [f"{plan.site}/{point}" for point in points]


def composition(
    plan: Plan,
    asked: PlanReconciliation,
    found: Accounts,
    valid: NDArray[np.bool_],
    rows: Mapping[str, PointRows],
    span: tuple[int, int],
) -> CompositionDocument | None:
    """The residuals of the valid hours of a span, µs; None where the plant file names no gas."""
    gas = asked.gas
    if gas is None:
        return None
    stack = _stack(plan, asked, gas, found, valid, rows)
    if stack is None:
        return _document(None, None, "no hours are valid in both accounts")
    baseline = _baseline(plan, gas, found, valid, rows)
    read = _read(plan, asked, gas, rows, span)
    if isinstance(read, str):
        return _document(residuals(stack, gas.rq, baseline).tolist(), None, read)
    judged = judge(stack, gas.rq, baseline, read)
    reason = (
        None if np.isfinite(judged.scores).any() else "no residual is known together with its uncertainty"
    )
    return _document(judged.residuals.tolist(), judged, reason)


def _mean(
    plan: Plan, point: str, found: Accounts, valid: NDArray[np.bool_], rows: Mapping[str, PointRows]
) -> float:
    """The mean share of a gas over the valid hours; NaN without one."""
    full = f"{plan.site}/{point}"
    if full not in rows:
        return math.nan
    one = rows[full]
    hour = (one.start_at - found.begin_at) // HOUR
    inside = (hour >= 0) & (hour < valid.size) & ~np.isnan(one.mean)
    chosen = inside & valid[np.where(inside, hour, 0)]
    if not chosen.any():
        return math.nan
    scale = measure(plan.points[plan.index[full]].unit).affine(measure("1"))[0]
    return scale * float(one.mean[chosen].mean())


def _stack(
    plan: Plan,
    asked: PlanReconciliation,
    gas: FlueGas,
    found: Accounts,
    valid: NDArray[np.bool_],
    rows: Mapping[str, PointRows],
) -> Stack | None:
    co2, o2 = (_mean(plan, point, found, valid, rows) for point in (gas.co2, gas.o2))
    fuels = {f"{plan.site}/{source}" for source in gas.fuel}
    sums = {True: 0.0, False: 0.0}
    for source, _ in asked.calculated:
        sums[source.id in fuels] += float(found.of_source[source.id][valid].sum())
    if not (co2 > 0.0 and o2 >= 0.0 and sums[True] > 0.0):
        return None
    measured = float(found.measured[valid].sum())
    return Stack(co2, o2, measured / co2, sums[True], sums[False])


def _baseline(
    plan: Plan, gas: FlueGas, found: Accounts, valid: NDArray[np.bool_], rows: Mapping[str, PointRows]
) -> float:
    full = f"{plan.site}/{gas.product}"
    if gas.product is None or gas.fuel_kg_per_product is None or full not in rows:
        return math.nan
    one = rows[full]
    hour = (one.start_at - found.begin_at) // HOUR
    inside = (hour >= 0) & (hour < valid.size) & ~np.isnan(one.amount)
    chosen = inside & valid[np.where(inside, hour, 0)]
    # At its rate where an hour is partly covered, as the masses are; an hour may have rows of two versions.
    amounts = np.bincount(hour[chosen], one.amount[chosen], valid.size).astype(np.float64)
    covered_h = np.bincount(hour[chosen], one.hours[chosen], valid.size).astype(np.float64)
    amount = float((amounts[covered_h > 0.0] / covered_h[covered_h > 0.0]).sum())
    return gas.fuel_kg_per_product * amount if amount > 0.0 else math.nan


def _read(
    plan: Plan, asked: PlanReconciliation, gas: FlueGas, rows: Mapping[str, PointRows], span: tuple[int, int]
) -> ReadUncertainty | str:
    """How far what is read may be off, or why that is not known."""
    fuels = {f"{plan.site}/{source}" for source in gas.fuel}
    groups = {
        "measured": terms_of((asked.measured, *asked.additions)),
        "fuel": terms_of(tuple(one for one, _ in asked.calculated if one.id in fuels)),
        "process": terms_of(tuple(one for one, _ in asked.calculated if one.id not in fuels)),
    }
    o2 = plan.doubts.points.get(plan.index[f"{plan.site}/{gas.o2}"])
    missing = unknown(plan, [term for terms in groups.values() for term in terms])
    if o2 is None or any(math.isnan(one.systematic) for one in o2):
        missing = missing or f"point {plan.site}/{gas.o2} has no instrument of known uncertainty"
    if missing is not None or o2 is None:
        return missing or "unknown"
    analysers = {one.name for one in plan.doubts.points.get(plan.index[f"{plan.site}/{gas.co2}"], ())}
    found = {name: _contributions(plan, terms, rows) for name, terms in groups.items()}
    by_analyser = [one for one in found["measured"] if one.name in analysers]
    others = [one for one in found["measured"] if one.name not in analysers]
    unit = measure(plan.points[plan.index[f"{plan.site}/{gas.o2}"]].unit).affine(measure("1"))[0]
    return ReadUncertainty(
        co2=_share(plan, by_analyser, groups["measured"], rows, span),
        o2=math.hypot(*(one.systematic * (1.0 if one.is_relative else unit) for one in o2)),
        flow=_share(plan, others, groups["measured"], rows, span),
        fuel=_share(plan, found["fuel"], groups["fuel"], rows, span),
        process=_share(plan, found["process"], groups["process"], rows, span),
        baseline=(gas.baseline_percent or 0.0) / PERCENT,
    )


def _contributions(
    plan: Plan, terms: Sequence[PlanTerm], rows: Mapping[str, PointRows]
) -> list[Contribution]:
    """By the plan in force, whatever version the rows are of: the residuals' uncertainties are a yardstick."""
    version = plan.version
    same = {
        point: PointRows(one.start_at, one.amount, one.mean, one.hours, np.full(one.start_at.size, version))
        for point, one in rows.items()
    }
    return contributions({version: plan}, {version: (terms, ())}, same)


def _share(
    plan: Plan,
    found: Sequence[Contribution],
    terms: Sequence[PlanTerm],
    rows: Mapping[str, PointRows],
    span: tuple[int, int],
) -> float:
    """Relative standard uncertainty of a sum of terms over a span; 0 where nothing contributes."""
    told = of_figure(found, KpiKind.TOTAL, 0.0, 0.0, *span, plan.doubts.correlations)
    total = 0.0
    for term in terms:
        one = rows[plan.points[term.point].id]
        chosen = (one.start_at >= span[0]) & (one.start_at < span[1]) & ~np.isnan(one.amount)
        total += term.weight * float(one.amount[chosen].sum())
    return told.u / abs(total) if told is not None and total else 0.0


def _document(
    found: Sequence[float] | None, judged: Judged | None, reason: str | None
) -> CompositionDocument:
    nothing: list[float] = [math.nan] * len(NAMES)
    columns = zip(
        NAMES,
        found or nothing,
        nothing if judged is None else judged.u.tolist(),
        nothing if judged is None else judged.scores.tolist(),
        strict=True,
    )
    likely = [] if judged is None else list(judged.likely)
    if judged is None or reason is not None:
        verdict = "not judged"
    elif likely:
        verdict = " or ".join(likely)
    elif np.nanmax(np.abs(judged.scores)) < 2.0:
        verdict = "nothing stands out"
    else:
        verdict = "no single fault explains it"
    return CompositionDocument(
        residuals=[
            ResidualDocument(
                name=name, percent=_told(PERCENT * r), u_percent=_told(PERCENT * u) if math.isfinite(r) else None,
                score=_told(score),
            )
            for name, r, u, score in columns
        ],
        likely=likely,
        verdict=verdict,
        reason=reason,
    )  # fmt: skip


def _told(value: float) -> float | None:
    return value if math.isfinite(value) else None
