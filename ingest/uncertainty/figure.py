"""The uncertainty of a figure over a span, from its contributions and its two sums.

Systematic sources add over the span, each with its sign; random errors add as their
correlation in time says, hour by hour. Within an hour (or sample) a random error stays
what it is. A figure is linear in its sums for this purpose: a ratio moves by
(da - R·db)/b. Power and load factors have none: what a meter is off by in phase, and in the
hour of a maximum, no class tells.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.methods.figures import KpiKind
from ingest.uncertainty import propagation as unc
from ingest.uncertainty.contributions import Contribution
from ingest.uncertainty.propagation import Floats

MOST_DOMINANT = 3
"""Sources that are named with a figure."""

_LARGEST = 1e70
"""Its fourth power is a float."""

KINDS = frozenset({KpiKind.RATIO, KpiKind.RATE, KpiKind.DEMAND, KpiKind.TOTAL})
"""Kinds of figures whose uncertainty is known."""


@dataclass(frozen=True, slots=True)
class Dominant:
    """A source of error and its part in a figure's."""

    name: str
    u: float
    """Its own contribution, in the figure's unit; positive where the figure rises with it."""
    share: float
    """Of the variance."""


@dataclass(frozen=True, slots=True)
class FigureUncertainty:
    """How far a figure may be off."""

    u: float
    """Standard uncertainty, in the figure's unit."""
    random_u: float
    """The part of it that a longer span makes smaller."""
    k: float
    """2, more where little was observed (Welch-Satterthwaite)."""
    expanded: float
    """k·u: the figure ± this holds the truth in 95 of 100 cases."""
    dominant: tuple[Dominant, ...]
    """The weightiest sources, the first the weightiest."""


Correlations = Mapping[frozenset[str], float]
"""Two names of contributions → correlation of their systematic errors."""


def of_figure(
    found: Sequence[Contribution],
    kind: KpiKind,
    a: float,
    b: float,
    from_at: int,
    to_at: int,
    correlations: Correlations | None = None,
) -> FigureUncertainty | None:
    """The uncertainty of the figure a and b make over [from_at, to_at), µs; None if nothing is known of the span.

    Args:
        found: of the figure's terms.
        kind: one of `KINDS`; b of a rate is its covered hours, which are exact.
        a: numerator over the same span.
        b: denominator.
        from_at: begin of the span.
        to_at: its end.
        correlations: that the plan declares; None: none.
    """
    if kind is KpiKind.TOTAL:
        above, below = 1.0, 0.0
    elif b > 0.0:
        above, below = 1.0 / b, (-a / (b * b) if kind is KpiKind.RATIO else 0.0)
    else:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [part for one in found if (part := _over(one, above, below, from_at, to_at)) is not None]
        if not parts or not all(abs(size) < _LARGEST for _, size in parts):
            return None
        return _combined(parts, correlations)


def _over(
    one: Contribution, above: float, below: float, from_at: int, to_at: int
) -> tuple[Contribution, float] | None:
    """What one source does to the figure of a span: signed if systematic, a standard deviation if random."""
    begin, end = np.searchsorted(one.start_at, (from_at, to_at))
    if begin == end:
        return None
    moved = above * one.a[begin:end] + below * one.b[begin:end]
    if not one.is_random:
        return one, float(moved.sum())
    steps = one.start_at[begin:end] // one.step_us
    weight = np.bincount(steps - steps[0], moved).astype(np.float64)
    return one, math.sqrt(unc.ar1_variance(weight, one.rho))


def _matrix(systematic: Sequence[Contribution], correlations: Correlations | None) -> Floats | None:
    """Of the sources in order; what is declared is of the newest calibrations, earlier ones are independent."""
    if not correlations:
        return None
    newest: dict[str, int] = {}
    for one in systematic:
        newest[one.name] = max(one.epoch, newest.get(one.name, one.epoch))
    found = np.eye(len(systematic))
    for i, one in enumerate(systematic):
        for j, other in enumerate(systematic[:i]):
            if one.epoch == newest[one.name] and other.epoch == newest[other.name]:
                found[i, j] = found[j, i] = correlations.get(frozenset((one.name, other.name)), 0.0)
    return found


def _combined(
    parts: Sequence[tuple[Contribution, float]], correlations: Correlations | None
) -> FigureUncertainty:
    systematic = [(one, size) for one, size in parts if not one.is_random]
    v = math.fsum(size * size for one, size in parts if one.is_random)
    sizes = np.array([size for _, size in systematic], np.float64)
    matrix = _matrix([one for one, _ in systematic], correlations)
    variance = max(0.0, unc.variance(v, sizes, np.ones(sizes.size), matrix))
    freedom = unc.degrees_of_freedom(
        np.append(sizes, math.sqrt(v)),
        np.append(np.array([one.observations for one, _ in systematic], np.float64), math.inf),
    )
    u, k = math.sqrt(variance), unc.coverage_factor(freedom)
    ranked = sorted(parts, key=lambda part: -abs(part[1]))[:MOST_DOMINANT]
    return FigureUncertainty(
        u=u,
        random_u=math.sqrt(v),
        k=k,
        expanded=k * u,
        dominant=tuple(
            Dominant(f"{one.name}, random" if one.is_random else one.name, size, size * size / variance)
            for one, size in ranked
            if variance > 0.0 and size
        ),
    )
