"""A figure, as the API tells it.

One shape for everything that has a value: value or the reason why there is
none, the span it is of, how far it can be trusted and what made it. Values come
from `ingest.methods.figures.combine` and are passed on as they are: nothing here
rounds.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pydantic import Field

from ingest.methods.figures import NoFigure, fresh
from ingest.model import SECOND, Quality, Reason
from ingest.plant.plan import Plan, PlanKpi
from service.documents import Document, Instant, Span
from service.live_uncertainty import Share, Shares
from service.uncertainty import UncertaintyDocument

QualityName = Literal["good", "uncertain", "substituted", "bad"]

QUALITY_NAMES: tuple[QualityName, ...] = ("good", "uncertain", "substituted", "bad")
"""By the number of `ingest.model.Quality`."""


BY_WEIGHT = (
    *(
        Reason.FAULT,
        Reason.MAINTENANCE,
        Reason.CALIBRATION,
        Reason.RANGE,
        Reason.OVER_RANGE,
        Reason.COMM,
        Reason.GAP,
    ),
    *(Reason.RESET, Reason.GLITCH, Reason.RATE, Reason.STUCK, Reason.CONFLICT, Reason.DRIFT, Reason.OVERDUE),
    *(
        Reason.FUTURE,
        Reason.NO_TIME,
        Reason.MANUAL,
        Reason.REPLACED,
        Reason.ROLLOVER,
        Reason.LATE,
        Reason.STALE,
    ),
)
"""Reasons as they are told: what leaves no value, what casts doubt, what only explains."""


@lru_cache(maxsize=1024)
def reason_names(bits: int) -> list[str]:
    """The names of a set of reasons, the weightiest first; not to be changed, for they are kept."""
    return [str(reason.name).lower() for reason in BY_WEIGHT if reason & bits]


class Figure(Document):
    """One figure with everything needed to judge it."""

    id: str = Field(description="Full id of the KPI, point or emission source")
    unit: str
    window: Span | None = Field(description="The span summed")
    from_: Instant | None = Field(alias="from", description="First instant of the span; null: never computed")
    to: Instant | None = Field(description="End of the span, exclusive: the horizon all inputs reach")
    value: float | None = Field(description="Never rounded; null has a reason")
    reason: str | None = Field(
        description="Why value is null: no_production, gap, stale, zero_over_zero, no_data, no_factor or no_analysis"
    )
    quality: QualityName = Field(description="The worst of what it is made of")
    reasons: list[str] = Field(description="Why any of it is not simply good, the weightiest first")
    valid_share: float = Field(description="Share of the span with valid data, of the worst input")
    substituted_share: float = Field(
        description="Share of the span with substituted data, of the worst input"
    )
    uncertainty: UncertaintyDocument | None = Field(
        default=None, description="How far value may be off, or why that is not known; null of no value"
    )
    revision: int = Field(
        description="0: some of it may still change as time goes on; 1: closed; more: revised"
    )
    known_at: Instant | None = Field(description="When the newest of its data were committed")
    data_age_s: float | None = Field(
        description="Now minus `to`; null at a replay site, whose time is its data's"
    )
    method: str = Field(description="How it was made")
    plan_version: int = Field(description="Version of the plant file that defined it")


@dataclass(frozen=True, slots=True)
class LatestRow:
    """One KPI in one window, as ingest left it in `kpi_latest`."""

    kpi_id: str
    window_us: int
    from_at: int
    to_at: int
    value: float | None
    reason: str | None
    covered_us: int
    valid_us: int
    substituted_us: int
    quality: int
    reasons: int
    plan_version: int
    known_at: int


def exact_sum(values: Iterable[float]) -> float:
    """The correctly rounded sum; NaN where no float holds it, as when a meter has told 1e308."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return math.nan


def finite(value: float | None, reason: NoFigure | None) -> tuple[float | None, NoFigure | None]:
    """A figure that JSON can tell: what is beyond a float is none, with its reason."""
    if value is not None and not math.isfinite(value):
        return None, NoFigure.NO_DATA
    return value, reason


def latest_figures(
    plan: Plan, found: dict[tuple[str, int], LatestRow], now: int, shares: Shares
) -> list[Figure]:
    """Every KPI of a plan in every live window, in the plan's order, at the instant `now` (µs)."""
    return [
        _live(plan, kpi, latest, now, shares.get((kpi.id, window_us)))
        if (latest := found.get((kpi.id, window_us)))
        else never(plan, kpi, window_us)
        for kpi in plan.kpis
        for window_us in sorted(kpi.windows_us)
    ]


def data_age_s(plan: Plan, to_at: int, now: int) -> float | None:
    """Seconds between an instant of the data and now; None at a replay site."""
    return None if plan.clock == "replay" else max(0, now - to_at) / SECOND


def with_gap(reasons: int, covered_us: int, span_us: int) -> int:
    """The reasons of a span, of which what is not covered left no rows to say so."""
    return reasons | Reason.GAP if covered_us < span_us else reasons


def share(part_us: int, span_us: int) -> float:
    """A part of a span, 0 of an empty one."""
    return part_us / span_us if span_us > 0 else 0.0


def _live(plan: Plan, kpi: PlanKpi, latest: LatestRow, now: int, sure: Share | None) -> Figure:
    given = finite(latest.value, None if latest.reason is None else NoFigure(latest.reason))
    bound = None if plan.clock == "replay" else kpi.stale_after_us
    value, reason = fresh(given, now - latest.to_at, bound)
    span = latest.to_at - latest.from_at
    return Figure(
        id=kpi.id,
        unit=kpi.unit,
        window=latest.window_us,
        from_=latest.from_at,
        to=latest.to_at,
        value=value,
        reason=reason,
        quality=QUALITY_NAMES[latest.quality],
        reasons=reason_names(with_gap(latest.reasons, latest.covered_us, span)),
        valid_share=share(latest.valid_us, span),
        substituted_share=share(latest.substituted_us, span),
        uncertainty=None if sure is None else sure.document(value, latest.covered_us, latest.substituted_us),
        revision=0,
        known_at=latest.known_at,
        data_age_s=data_age_s(plan, latest.to_at, now),
        method=kpi.kind,
        plan_version=latest.plan_version,
    )


def never(plan: Plan, kpi: PlanKpi, window_us: int) -> Figure:
    """A figure that was never computed."""
    return Figure(
        id=kpi.id,
        unit=kpi.unit,
        window=window_us,
        from_=None,
        to=None,
        value=None,
        reason=NoFigure.NO_DATA,
        quality=QUALITY_NAMES[Quality.BAD],
        reasons=[],
        valid_share=0.0,
        substituted_share=0.0,
        revision=0,
        known_at=None,
        data_age_s=None,
        method=kpi.kind,
        plan_version=plan.version,
    )
