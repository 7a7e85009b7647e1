"""What a reconciliation comes to: the difference, whether it is beyond its uncertainty, and what may be wrong.

The difference of two methods of calculation is shown and never tested: they differ by
construction. Nothing here replaces a figure.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from ingest.methods.figures import KpiKind
from ingest.model import HOUR
from ingest.plant.plan import Plan
from ingest.plant.plan_reconciliation import PlanReconciliation
from ingest.reconciliation.accounts import (
    Accounts,
    accounts,
    difference_terms,
    longest_lag_h,
    random_parts,
    within,
)
from ingest.reconciliation.divergence import DAY_H, PERSISTS, REFERENCE_H, ChangeTest, bias_test, drifts
from ingest.uncertainty.contributions import PointRows, reads
from service.as_of import AsOfDocument, Known
from service.composition import CompositionDocument, composition, composition_points
from service.documents import Document, Instant
from service.figures import exact_sum
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError
from service.reconciliation_rows import SourceHours, read_hours
from service.store import Connection
from service.uncertain_rows import read
from service.uncertainty import PERCENT, Sides, Sureness, UncertaintyDocument, sureness, why_unknown

BEFORE_H = REFERENCE_H + PERSISTS[1] * DAY_H
"""Hours before the end that the change test looks at."""
MOST_HOURS = 400 * DAY_H

Verdict = Literal["within", "beyond", "not_judged"]


class BiasDocument(Document):
    """The bias test."""

    verdict: Verdict
    limit_kg: float | None = Field(description="2·u of the difference: a smaller steady one cannot be seen")
    limit_percent: float | None = Field(description="The same, of the calculated mass")
    reason: str | None = Field(description="Why it is not judged")


class WindowDocument(Document):
    """One day against the thirty before it."""

    to: Instant
    change_kg_per_h: float
    limit_kg_per_h: float = Field(description="2·u by random parts alone")
    is_beyond: bool


class ChangeDocument(Document):
    """The change test."""

    verdict: Verdict = Field(description="beyond: two of three days, the same way")
    windows: list[WindowDocument]
    reason: str | None = Field(description="Why it is not judged")


class MethodDocument(Document):
    """Another method of calculation for the same boundary: shown, never tested."""

    source: str
    mass_kg: float | None
    difference_kg: float | None = Field(description="It less the calculated mass, over the same hours")


class ReconciliationDocument(Document):
    """A measured account against a calculated one."""

    id: str
    name: str
    site: str
    gas: str
    from_: Instant = Field(alias="from")
    to: Instant
    hours: int
    valid_hours: int = Field(description="Valid in both accounts; only these are compared")
    measured_kg: float | None
    calculated_kg: float | None
    difference_kg: float | None = Field(description="Measured less calculated")
    difference_percent: float | None = Field(description="Of the calculated mass")
    uncertainty: UncertaintyDocument | None = Field(
        description="Of the difference; what both share has cancelled"
    )
    bias: BiasDocument
    change: ChangeDocument
    composition: CompositionDocument | None = Field(description="null: the plant file names no gas analysis")
    methods: list[MethodDocument]
    plan_version: int
    as_of: AsOfDocument


@dataclass(frozen=True, slots=True)
class Data:
    """What the database has for a reconciliation."""

    from_at: int
    to_at: int
    hours: SourceHours
    """From `begin_at` on."""
    begin_at: int
    n: int
    plans: Mapping[int, Plan]
    rows: Mapping[str, PointRows]
    known: Known


async def read_data(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    plan: PlanReconciliation,
    from_at: int,
    to_at: int,
    known: Known,
) -> Data:
    """Everything over whole hours of [from_at, to_at), µs, and the month before its end.

    Raises:
        ProblemError: the span is too long.
    """
    from_at, to_at = from_at - from_at % HOUR, to_at - to_at % HOUR
    if to_at - from_at > MOST_HOURS * HOUR:
        raise ProblemError(
            "too-much-asked",
            f"The reconciliation would be of {(to_at - from_at) // HOUR} hours: expected at most {MOST_HOURS};"
            " ask for a shorter span.",
        )
    begin_at = max(0, min(from_at, to_at - BEFORE_H * HOUR))
    n = (to_at - begin_at) // HOUR
    hours = await read_hours(
        connection, site.plan, plan.sources, begin_at, n + longest_lag_h(plan) + 1, known
    )
    points = {*reads(site.plan, difference_terms(plan)), *composition_points(site.plan, plan)}
    compared = (plan.measured, *plan.additions, *(source for source, _ in plan.calculated))
    restated = [source.id for source in compared] if site.plan.version > 1 else []
    rows = await read(connection, sorted(points), begin_at, to_at, HOUR, known, sources=restated)
    versions = {int(v) for one in rows.values() for v in np.unique(one.plan_version)}
    return Data(
        from_at, to_at, hours, begin_at, n, await plans.versions(connection, site, versions), rows, known
    )


async def reconciliation(site: SitePlan, plan: PlanReconciliation, data: Data) -> ReconciliationDocument:
    """The answer; in a thread, for a year of hours costs tenths of a second."""
    return await asyncio.to_thread(_reconciled, site.plan, plan, data)


def _reconciled(plan: Plan, asked: PlanReconciliation, data: Data) -> ReconciliationDocument:
    found = accounts(asked, data.hours.mass_kg, data.begin_at, data.n)
    sure = _sureness(plan, asked, data, found)
    first = (data.from_at - data.begin_at) // HOUR
    valid = found.valid.copy()
    valid[:first] = False
    measured, calculated = (exact_sum(side[valid].tolist()) for side in (found.measured, found.calculated))
    any_valid = bool(valid.any())
    difference = measured - calculated if any_valid else None
    return ReconciliationDocument(
        id=asked.id,
        name=asked.name,
        site=plan.site,
        gas=asked.measured.gas,
        from_=data.from_at,
        to=data.to_at,
        hours=data.n - first,
        valid_hours=int(valid.sum()),
        measured_kg=measured if any_valid else None,
        calculated_kg=calculated if any_valid else None,
        difference_kg=difference,
        difference_percent=PERCENT * difference / abs(calculated)
        if difference is not None and calculated
        else None,
        uncertainty=sure.document(difference, (0.0, 0.0), (data.from_at, data.to_at)),
        bias=_bias(found, valid, sure, data),
        change=_change(found, sure, data),
        composition=composition(plan, asked, found, valid, data.rows, (data.from_at, data.to_at)),
        methods=[_method(source.id, found, valid) for source in asked.methods],
        plan_version=plan.version,
        as_of=data.known.document,
    )


def _sureness(plan: Plan, asked: PlanReconciliation, data: Data, found: Accounts) -> Sureness:
    """Of the difference over hours valid in both; by the plan in force where an earlier one had no such account."""
    terms = difference_terms(asked)
    reason = why_unknown(plan, KpiKind.TOTAL, (terms, ()))
    if reason is not None:
        return Sureness(KpiKind.TOTAL, (), reason)
    sides: dict[int, Sides] = {}
    for version, then in data.plans.items():
        same = next((one for one in then.reconciliations if one.id == asked.id), None)
        if same is None:
            return Sureness(KpiKind.TOTAL, (), f"not compared under plan version {version}")
        sides[version] = (difference_terms(same), ())
    return sureness(KpiKind.TOTAL, data.plans, sides, within(data.rows, found, data.hours.scales))


def _bias(found: Accounts, valid: np.ndarray, sure: Sureness, data: Data) -> BiasDocument:
    told = sure.over(KpiKind.TOTAL, 0.0, 0.0, data.from_at, data.to_at)
    if told is None:
        reason = sure.reason or "no hours are valid in both accounts"
        return BiasDocument(verdict="not_judged", limit_kg=None, limit_percent=None, reason=reason)
    tested = bias_test(found.measured, found.calculated, valid, told.u)
    percent = PERCENT * tested.limit_share if math.isfinite(tested.limit_share) else None
    if tested.is_beyond is None:
        reason = f"{tested.hours} hours are valid in both accounts; a day is needed"
        return BiasDocument(verdict="not_judged", limit_kg=tested.limit, limit_percent=percent, reason=reason)
    verdict: Verdict = "beyond" if tested.is_beyond else "within"
    return BiasDocument(verdict=verdict, limit_kg=tested.limit, limit_percent=percent, reason=None)


def _change(found: Accounts, sure: Sureness, data: Data) -> ChangeDocument:
    if sure.reason is not None:
        return ChangeDocument(verdict="not_judged", windows=[], reason=sure.reason)
    parts = random_parts(list(sure.found), data.begin_at, data.n)
    if not parts:
        reason = "no random part of the difference is known"
        return ChangeDocument(verdict="not_judged", windows=[], reason=reason)
    tests, persists = drifts(found.measured - found.calculated, found.valid, parts)
    windows = [
        _window(one, data.to_at - back * DAY_H * HOUR)
        for back, one in zip(range(len(tests) - 1, -1, -1), tests, strict=True)
        if one is not None
    ]
    if len(windows) < PERSISTS[0]:
        reason = "not enough hours are valid in both accounts: a week before each of two days"
        return ChangeDocument(verdict="not_judged", windows=windows, reason=reason)
    return ChangeDocument(verdict="beyond" if persists else "within", windows=windows, reason=None)


def _window(test: ChangeTest, to_at: int) -> WindowDocument:
    return WindowDocument(
        to=to_at, change_kg_per_h=test.change, limit_kg_per_h=test.limit, is_beyond=test.is_beyond
    )


def _method(source: str, found: Accounts, valid: np.ndarray) -> MethodDocument:
    both = valid & np.isfinite(found.of_source[source])
    if not both.any():
        return MethodDocument(source=source, mass_kg=None, difference_kg=None)
    mass = exact_sum(found.of_source[source][both].tolist())
    return MethodDocument(
        source=source, mass_kg=mass, difference_kg=mass - exact_sum(found.calculated[both].tolist())
    )
