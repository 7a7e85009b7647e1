"""How sure the live figures are: found from the hours they lie in, at most once a minute per site.

What a figure may be off by is a share of it that hardly changes from minute to minute, so
it is found for the figure of as many hours as its window has, the last that have closed
intervals, and carried to the live value. A span of minutes has the random error of one hour.
Where a share means nothing none is told: of 0, of terms that nearly cancel, and of a value
that is far from that of the hours.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from fastapi.concurrency import run_in_threadpool

from ingest.methods.figures import KpiKind, combine
from ingest.model import HOUR, MINUTE
from ingest.plant.plan import Plan
from ingest.plant.plan_doubts import PlanTerm
from ingest.uncertainty.contributions import PointRows, reads, weights
from ingest.uncertainty.figure import FigureUncertainty
from ingest.uncertainty.propagation import Floats
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

LEAST_NET = 0.5
"""Of the sizes of its terms: what is left of a sum that is less hardly tells how large they are.

The three are judgements, for none of the rules knows live figures. At half of the sizes the share is already up to
twice that of the terms; below it, it grows without bound.
"""
FARTHEST = 10.0
"""A live value may be so many times that of the hours, or they so many times it: an absolute error is no share, so of a
value that much smaller the share may be that much too small. A decade keeps the order of magnitude."""
FARTHEST_DIFFERENCE = 2.0
"""The same of a sum of terms of both signs, which move against each other: twice the net may be other terms altogether."""
AT_ZERO = "not known of a live figure at 0: no share of it can be carried over; the series has it of closed intervals"
CANCELS = "not known of a live figure whose terms nearly cancel; the series has it of closed intervals"
FAR = "not known of a live figure so far from that of the last hours; the series has it of closed intervals"

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
    total_h: float | None = None
    """Covered hours of a total; None of another kind, which does not grow with them."""
    is_difference: bool = False
    """Whether terms of both signs are summed."""

    def document(
        self, value: float | None, covered_us: int, substituted_us: int
    ) -> UncertaintyDocument | None:
        """Of the live value."""
        if value is None:
            return None
        reason = self.reason or (None if self.found is None else self._why_not(value, covered_us))
        if reason is not None:
            return because(reason)
        scale = 1.0 if self.found is None else value / self.value
        return with_substitutes(uncertainty_document(self.found, value, scale=scale), substituted_us)

    def _why_not(self, value: float, covered_us: int) -> str | None:
        """Why it cannot be carried to a value; None: it can."""
        times = 1.0 if self.total_h is None else covered_us / HOUR / self.total_h
        expected = self.value * times
        if value == 0.0 or expected == 0.0:
            return AT_ZERO
        farthest = FARTHEST_DIFFERENCE if self.is_difference else FARTHEST
        return None if 1.0 / farthest <= value / expected <= farthest else FAR


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
    # In a thread: a thousand KPIs take longer than a client should wait for another's answer. Of another pool than what
    # clients ask to be reckoned: twelve long series held all of that one for 40 s, and this transaction was ended.
    return await run_in_threadpool(_shares, plan, held, ends)


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


@dataclass(frozen=True, slots=True)
class _Side:
    """A sum over hours."""

    net: float
    size: float
    """The sum of its terms' sizes, hour by hour."""
    covered_h: float
    """Of the term that is covered least; infinite without terms."""

    @property
    def is_difference(self) -> bool:
        return abs(self.net) < (1.0 - 1e-9) * self.size

    @property
    def cancels(self) -> bool:
        return abs(self.net) < LEAST_NET * self.size


def _share(
    plan: Plan,
    sure: Sureness,
    sides: Sides,
    held: Mapping[str, PointRows],
    span: tuple[int, int],
) -> Share:
    """Of the figure that whole hours make."""
    if sure.reason is not None:
        return Share(0.0, None, sure.reason)
    a, b = (_side(plan, terms, held, span) for terms in sides)
    covered_h = min(a.covered_h, b.covered_h)
    below = b.net if sure.kind is KpiKind.RATIO else covered_h
    value, _ = combine(sure.kind, a.net, below, int(min(covered_h, 1.0) * HOUR))
    if value is None:
        return Share(0.0, None, None)
    if value == 0.0:
        return Share(0.0, None, AT_ZERO)
    if a.cancels or b.cancels:
        return Share(value, None, CANCELS)
    total_h = covered_h if sure.kind is KpiKind.TOTAL else None
    found = sure.over(sure.kind, a.net, below, *span)
    return Share(value, found, None, total_h, a.is_difference or b.is_difference)


def _side(
    plan: Plan, terms: Sequence[PlanTerm], held: Mapping[str, PointRows], span: tuple[int, int]
) -> _Side:
    """Terms of one point are one: they rise and fall together."""
    weighed = dict[int, Floats]()
    covered_h = math.inf
    for term in terms:
        one = held[plan.points[term.point].id]
        chosen = (one.start_at >= span[0]) & (one.start_at < span[1]) & ~np.isnan(one.amount)
        with np.errstate(over="ignore"):
            amounts = weights(term, one.start_at[chosen]) * one.amount[chosen]
            weighed[term.point] = weighed.get(term.point, np.zeros_like(amounts)) + amounts
        covered_h = min(covered_h, float(one.hours[chosen].sum()))
    with np.errstate(over="ignore"):
        net = sum(float(amounts.sum()) for amounts in weighed.values())
        size = sum(float(np.abs(amounts).sum()) for amounts in weighed.values())
    return _Side(net, size, covered_h)
