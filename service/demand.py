"""Demand inside the running block of every contract, as the API tells it.

The figures are what `ingest.methods.demand` makes of the two windows that ingest evaluated last; whether
they are still of now is decided when they are asked for. What it would cost to exceed is the month's charge
with the projection as its peak, less the charge with its peak so far.
"""

import math
from fractions import Fraction

from pydantic import Field

from ingest.methods.demand import Projection, Running, project, running_block
from ingest.methods.figures import NoFigure, fresh
from ingest.model import SECOND, Quality
from ingest.plant.plan import Plan, PlanKpi
from ingest.plant.plan_prices import PlanCharge
from service import peaks
from service.as_of import Known
from service.documents import Document, Instant, Span
from service.figures import (
    QUALITY_NAMES,
    Figure,
    LatestRow,
    data_age_s,
    finite,
    reason_names,
    share,
    with_gap,
)
from service.local_time import begin_of
from service.money import nearest
from service.plans import SitePlan
from service.store import Connection, rows
from service.uncertainty import because

METHOD = "energy so far + present load x rest"
_UNSURE = "a projection of the present load; `at_least` is what is drawn already"


class MonthPeak(Document):
    """The highest block of the month before the running one."""

    from_: Instant = Field(alias="from", description="Begin of the month in the site's zone")
    to: Instant
    value: float | None = Field(description="null: nothing is known of the month")
    at: Instant | None = Field(description="Begin of the block")
    valid_share: float = Field(description="How much of the span is known; below 1 the value is the least")


class DemandFigure(Figure):
    """What the running block of a demand comes to; `value` is projected, for the block's end."""

    site: str
    name: str
    ends: Instant | None = Field(description="End of the block")
    block: Span = Field(description="Its length")
    load_window: Span = Field(description="Over which the present load is taken")
    load: float | None = Field(description="The present load")
    energy: float | None = Field(description="Drawn in the block so far, in `unit` times hours")
    at_least: float | None = Field(description="What the block comes to if nothing more is drawn")
    contract: float | None = Field(description="Contracted demand; null: none")
    may_draw: float | None = Field(
        description="The mean over the rest of the block that just keeps the contract; 0: it is exceeded"
    )
    headroom: float | None = Field(description="`may_draw` less the present load; below 0: to be shed")
    no_room: str | None = Field(description="Why they are null: no_contract, ended, gap, stale or no_data")
    exceeds_at: Instant | None = Field(description="When the contract's energy is drawn at the present load")
    exceeds_in_s: float | None = Field(description="The same from `to` on")
    announced: bool = Field(description="Whether it exceeds the contract even if the load falls by `caution`")
    caution: float
    month: MonthPeak | None
    cost: float | None = Field(
        description="What the block would add to the month's demand charge, in `currency`"
    )
    cost_reason: str | None = Field(description="Why it is null: no_price, or the reason of the projection")
    currency: str | None


async def live(
    connection: Connection,
    site: SitePlan,
    found: dict[tuple[str, int], LatestRow],
    months: peaks.LivePeaks,
    known: Known,
    now: int,
) -> list[DemandFigure]:
    """The demands of a site, from its rows of `kpi_latest`."""
    plan = site.plan
    sums = await _sums(connection, site)
    made = []
    for kpi in plan.kpis:
        if kpi.load_us is None or kpi.block_us is None:
            continue
        keys = (kpi.id, kpi.block_us), (kpi.id, kpi.load_us)
        row = found.get(keys[0])
        if row is None or any(key not in sums for key in keys):
            made.append(_figure(plan, kpi, None, None, None, now))
            continue
        block, load = (sums[key] for key in keys)
        running = running_block(
            block=(block[0], block[1], block[2], block[4]),
            load=load,
            length_us=kpi.block_us,
            contract=kpi.contract,
            caution=kpi.caution,
        )
        begin = begin_of(running.from_at, plan.zone, "month")
        month = await months.of_month(connection, kpi, begin, running.from_at, known, now)
        charge = plan.prices.charge(kpi.id, month.from_at)
        earlier = Fraction(0)
        if charge is not None:
            earlier = await months.earlier(connection, plan, kpi, charge, month.from_at, known, now)
        made.append(_figure(plan, kpi, row, running, (month, charge, earlier), now))
    return made


def month_peak(found: peaks.Peak) -> MonthPeak:
    """A peak as it is told."""
    return MonthPeak(
        from_=found.from_at, to=found.to_at, value=found.value, at=found.at, valid_share=found.share
    )


async def _sums(
    connection: Connection, site: SitePlan
) -> dict[tuple[str, int], tuple[int, int, float, float, int]]:
    """From, to, a, b and covered time of the windows of the demands."""
    numbers = [kpi.id for kpi in site.plan.kpis if kpi.load_us is not None]
    found = await rows(
        connection,
        """
        SELECT k.id, l.window_us, l.from_at, l.to_at, l.a, l.b, l.covered_us
          FROM kpi_latest l JOIN kpi k USING (kpi_no) WHERE k.id = ANY(%s)
        """,
        [numbers],
    )
    return {
        (kpi, window_us): (from_at, to_at, a, b, us) for kpi, window_us, from_at, to_at, a, b, us in found
    }


Month = tuple[peaks.Peak, PlanCharge | None, Fraction]
"""A month's peak so far, what its demand costs, and the peak its ratchet looks at."""


def _figure(
    plan: Plan, kpi: PlanKpi, row: LatestRow | None, running: Running | None, month: Month | None, now: int
) -> DemandFigure:
    assert kpi.block_us is not None
    assert kpi.load_us is not None
    found = _stale(plan, kpi, running, now)
    span = 0 if row is None else row.to_at - row.from_at
    cost, cost_reason = _cost(found, month)
    value, reason = finite(found.projected, found.reason)
    at = found.exceeds_at
    return DemandFigure(
        id=kpi.id,
        unit=kpi.unit,
        window=span or None,
        from_=None if row is None else row.from_at,
        to=None if row is None else row.to_at,
        value=value,
        reason=reason,
        quality=QUALITY_NAMES[Quality.BAD if row is None else row.quality],
        reasons=[] if row is None else reason_names(with_gap(row.reasons, row.covered_us, span)),
        valid_share=0.0 if row is None else share(row.valid_us, span),
        substituted_share=0.0 if row is None else share(row.substituted_us, span),
        uncertainty=None if value is None else because(_UNSURE),
        revision=0,
        known_at=None if row is None else row.known_at,
        data_age_s=None if row is None else data_age_s(plan, row.to_at, now),
        method=METHOD,
        plan_version=plan.version if row is None else row.plan_version,
        site=plan.site,
        name=kpi.name,
        ends=None if running is None else running.end_at,
        block=kpi.block_us,
        load_window=kpi.load_us,
        load=None if running is None or reason is not None else running.load,
        energy=None if running is None else finite(running.energy, None)[0],
        at_least=found.at_least,
        contract=kpi.contract,
        may_draw=found.may_draw,
        headroom=found.headroom,
        no_room=found.no_room,
        exceeds_at=at,
        exceeds_in_s=None if at is None or row is None else (at - row.to_at) / SECOND,
        announced=found.announces(kpi.contract),
        caution=kpi.caution,
        month=None if month is None else month_peak(month[0]),
        cost=cost,
        cost_reason=cost_reason,
        currency=plan.prices.currency,
    )


def _stale(plan: Plan, kpi: PlanKpi, running: Running | None, now: int) -> Projection:
    """The projection as far as it is still of now: not of data too old, nor of a block that is long over."""
    if running is None:
        return Projection(None, NoFigure.NO_DATA, None, None, None, None, NoFigure.NO_DATA, None)
    assert kpi.load_us is not None
    found = project(running)
    if plan.clock == "replay":
        return found
    _, reason = fresh((0.0, None), now - running.horizon_at, kpi.stale_after_us)
    is_over = now > running.end_at + kpi.load_us
    if reason is None and not is_over:
        return found
    return Projection(None, NoFigure.STALE, found.at_least, None, None, None, NoFigure.STALE, None)


def _cost(found: Projection, month: Month | None) -> tuple[float | None, str | None]:
    if found.projected is None or not math.isfinite(found.projected) or month is None:
        return None, found.reason or NoFigure.NO_DATA
    peak, charge, earlier = month
    if charge is None:
        return None, NoFigure.NO_PRICE
    so_far = Fraction(peak.value or 0.0)
    projected = max(so_far, Fraction(found.projected))
    return nearest(charge.money(projected, earlier) - charge.money(so_far, earlier)), None
