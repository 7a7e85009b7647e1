"""How sure the live figures are: found from the hours they lie in, at most once a minute per site.

What a figure may be off by is a share of it that hardly changes from minute to minute, so
it is found for the figure of as many hours as its window has, the last that have closed
intervals, and carried to the live value. A span of minutes has the random error of one hour.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.methods.figures import KpiKind, combine
from ingest.model import HOUR, MINUTE
from ingest.plant.plan import Plan
from ingest.plant.plan_doubts import PlanTerm
from ingest.uncertainty.contributions import PointRows, reads
from ingest.uncertainty.figure import FigureUncertainty
from service.plans import SitePlan
from service.store import Connection, rows
from service.times import to_datetime
from service.uncertainty import (
    Sides,
    Sureness,
    UncertaintyDocument,
    as_point_rows,
    because,
    sureness,
    uncertainty_document,
    why_unknown,
    with_substitutes,
)

KEPT_US = MINUTE

_HOURS = """
    SELECT p.id, h.start_at, h.amount, h.mean, h.covered_us, %(version)s::integer
      FROM interval_hour h JOIN point p USING (point_no)
     WHERE p.id = ANY(%(points)s) AND h.start_at >= %(from)s AND h.start_at < %(to)s AND h.quality < 3
     ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Share:
    """The uncertainty of a figure of hours, to be carried to another value of the figure."""

    value: float
    found: FigureUncertainty | None
    reason: str | None

    def document(self, value: float | None, substituted_us: int) -> UncertaintyDocument | None:
        """Of the live value."""
        if value is None:
            return None
        if self.reason is not None:
            return because(self.reason)
        scale = abs(value / self.value) if self.value else 1.0
        return with_substitutes(uncertainty_document(self.found, value, scale=scale), substituted_us)


Shares = Mapping[tuple[str, int], Share]
"""By KPI id and window, µs."""


@dataclass(slots=True)
class _Kept:
    version: int
    at: int
    shares: Shares


class LiveUncertainty:
    """The shares of every site, kept for a minute."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    async def of_site(
        self, connection: Connection, site: SitePlan, ends: Mapping[tuple[str, int], int], now: int
    ) -> Shares:
        """The shares of a site's live windows that end at `ends`, µs; `now` is for how long they are kept."""
        kept = self._kept.get(site.site_no)
        is_young = kept is not None and 0 <= now - kept.at < KEPT_US
        if kept and is_young and kept.version == site.plan.version and ends.keys() <= kept.shares.keys():
            return kept.shares
        shares = await _read(connection, site.plan, ends)
        self._kept[site.site_no] = _Kept(site.plan.version, now, shares)
        return shares


async def _read(connection: Connection, plan: Plan, ends: Mapping[tuple[str, int], int]) -> Shares:
    known = [kpi for kpi in plan.kpis if why_unknown(plan, kpi.kind, (kpi.a_terms, kpi.b_terms)) is None]
    points = sorted({point for kpi in known for point in reads(plan, (*kpi.a_terms, *kpi.b_terms))})
    held: dict[str, PointRows] = {}
    if points and ends:
        begin = min(end - window for (_, window), end in ends.items())
        found = await rows(
            connection,
            _HOURS,
            {
                "version": plan.version,
                "points": points,
                "from": to_datetime(max(0, begin - 2 * HOUR)),
                "to": to_datetime(max(ends.values())),
            },
        )
        held = as_point_rows(found)
    # In a thread: a thousand KPIs take longer than a client should wait for another's answer.
    return await asyncio.to_thread(_shares, plan, held, ends)


def _shares(
    plan: Plan, held: Mapping[str, PointRows], ends: Mapping[tuple[str, int], int]
) -> dict[tuple[str, int], Share]:
    made = {}
    last = max((int(one.start_at[-1]) for one in held.values()), default=0)
    for kpi in plan.kpis:
        sides = (kpi.a_terms, kpi.b_terms)
        sure = sureness(kpi.kind, {plan.version: plan}, {plan.version: sides}, held)
        for window_us in kpi.windows_us:
            if (kpi.id, window_us) in ends:
                from_at = last - (max(1, window_us // HOUR) - 1) * HOUR
                made[kpi.id, window_us] = _share(plan, sure, sides, held, (from_at, last + HOUR))
    return made


def _share(
    plan: Plan, sure: Sureness, sides: Sides, held: Mapping[str, PointRows], span: tuple[int, int]
) -> Share:
    """Of the ratio, or else the sum, that whole hours make: as a share that of a rate too."""
    if sure.reason is not None:
        return Share(0.0, None, sure.reason)
    a, b = (_sum(plan, terms, held, span) for terms in sides)
    kind = KpiKind.RATIO if sure.kind is KpiKind.RATIO else KpiKind.TOTAL
    value, _ = combine(kind, a, b, 1)
    return Share(value or 0.0, None if value is None else sure.over(kind, a, b, *span), None)


def _sum(
    plan: Plan, terms: Sequence[PlanTerm], held: Mapping[str, PointRows], span: tuple[int, int]
) -> float:
    total = 0.0
    for term in terms:
        one = held[plan.points[term.point].id]
        chosen = (one.start_at >= span[0]) & (one.start_at < span[1]) & ~np.isnan(one.amount)
        with np.errstate(over="ignore"):
            total += term.weight * float(one.amount[chosen].sum())
    return total
