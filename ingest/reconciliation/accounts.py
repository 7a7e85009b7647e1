"""The hours of a reconciliation: each source moved by its lag, hours valid in all, sums of both sides."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.model import HOUR
from ingest.plant.plan import PlanSource
from ingest.plant.plan_doubts import PlanTerm, source_term
from ingest.plant.plan_reconciliation import PlanReconciliation
from ingest.reconciliation.divergence import RandomPart, aligned
from ingest.uncertainty.contributions import Contribution, PointRows
from ingest.uncertainty.propagation import Floats


@dataclass(frozen=True, slots=True)
class Accounts:
    """Hourly masses in kg over a span, NaN where a source has none that is valid."""

    begin_at: int
    measured: Floats
    """With what leaves by other ways."""
    calculated: Floats
    of_source: Mapping[str, Floats]
    """Per source id, moved by its lag."""
    valid: NDArray[np.bool_]
    """Hours valid in both."""


def accounts(plan: PlanReconciliation, hours: Mapping[str, Floats], begin_at: int, n: int) -> Accounts:
    """Both accounts over `n` hours from `begin_at`, µs.

    Args:
        plan: which sources.
        hours: per source id its mass in each valid hour, kg, NaN of others; beyond the n
            hours as many as the longest lag needs.
        begin_at: an hour.
        n: hours.
    """
    lags = {source.id: lag / HOUR for source, lag in plan.calculated}
    moved = {name: aligned(mass, lags.get(name, 0.0))[:n] for name, mass in hours.items()}
    zero = np.zeros(n)
    measured = sum((moved[one.id] for one in (plan.measured, *plan.additions)), zero)
    calculated = sum((moved[one.id] for one, _ in plan.calculated), zero)
    return Accounts(begin_at, measured, calculated, moved, np.isfinite(measured) & np.isfinite(calculated))


def longest_lag_h(plan: PlanReconciliation) -> int:
    """Whole hours beyond a span in which what left in it is still being registered."""
    return math.ceil(max(lag for _, lag in plan.calculated) / HOUR)


def difference_terms(plan: PlanReconciliation) -> tuple[PlanTerm, ...]:
    """Measured less calculated, in kg."""
    return terms_of((plan.measured, *plan.additions)) + terms_of(
        tuple(source for source, _ in plan.calculated), -1.0
    )


def terms_of(sources: tuple[PlanSource, ...], sign: float = 1.0) -> tuple[PlanTerm, ...]:
    """The mass of sources, in kg."""
    return tuple(source_term(one, sign) for one in sources)


def within(
    rows: Mapping[str, PointRows], found: Accounts, scales: Mapping[str, Floats]
) -> dict[str, PointRows]:
    """Rows of the hours valid in both accounts; hours of a lagging source are taken as those of the stack.

    Args:
        rows: by point id, in buckets of an hour.
        found: both accounts.
        scales: per point id of a source by what each hour from `begin_at` was multiplied to be a
            whole one: amounts and hours with it, for so are the masses that are compared.
    """
    kept = {}
    for point, one in rows.items():
        hour = (one.start_at - found.begin_at) // HOUR
        inside = (hour >= 0) & (hour < found.valid.size)
        chosen = inside & found.valid[np.where(inside, hour, 0)]
        scale = scales[point][hour[chosen]] if point in scales else 1.0
        kept[point] = PointRows(
            one.start_at[chosen], one.amount[chosen] * scale, one.mean[chosen], one.hours[chosen] * scale,
            one.plan_version[chosen],
        )  # fmt: skip
    return kept


def random_parts(found: list[Contribution], begin_at: int, n: int) -> list[RandomPart]:
    """The random errors of a difference as hour arrays."""
    made = []
    for one in found:
        if one.is_random:
            size = np.zeros(n)
            np.add.at(size, (one.start_at - begin_at) // HOUR, one.a)
            made.append(RandomPart(size, one.rho, max(1, one.step_us // HOUR), begin_at // HOUR))
    return made
