"""Which single fault explains residuals that do not agree, or which of several it may be.

Every fault moves the residuals in a direction of its own, found by disturbing what is read.
Each residual is divided by its own uncertainty first; the fault whose direction fits best is
the likelier one, and all that fit nearly as well are named with it, for they cannot be told
apart: a leak in the sample line looks like a flow that reads low, and without a baseline of
the fuel a boiler's flow looks like its fuel. It names, it never corrects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ingest.reconciliation.gas import OXYGEN_OF_AIR, Floats, Stack, residuals, slopes

SIGNIFICANT = 2.0
"""From so many standard uncertainties on a residual says something."""
AS_GOOD = 1.0
"""Faults whose sum of squares is within this of the best are not told apart."""
ALONE = 9.0
"""A sum of squares beyond this: no fault explains it alone."""


@dataclass(frozen=True, slots=True)
class ReadUncertainty:
    """Standard uncertainties of what is read: shares, O2 absolute."""

    co2: float
    o2: float
    flow: float
    fuel: float
    process: float
    baseline: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What residuals say."""

    residuals: Floats
    u: Floats
    scores: Floats
    """Each residual by its uncertainty; NaN: not known."""
    likely: tuple[str, ...]
    """The likelier fault, with those it cannot be told from; empty: nothing is wrong, or nothing alone explains it."""
    sizes: Mapping[str, float]
    """Per likely fault how large it would be: a share, O2 absolute."""


FAULTS: Mapping[str, Callable[[Stack, float], Stack]] = {
    "co2": lambda stack, e: stack._replace(co2=stack.co2 * (1 + e)),
    "o2": lambda stack, e: stack._replace(o2=stack.o2 + e),
    "flow": lambda stack, e: stack._replace(flow=stack.flow * (1 + e)),
    "fuel": lambda stack, e: stack._replace(fuel=stack.fuel * (1 + e)),
    "process": lambda stack, e: stack._replace(process=stack.process * (1 + e)),
    "leak": lambda stack, e: stack._replace(
        co2=stack.co2 * (1 - e), o2=stack.o2 * (1 - e) + e * OXYGEN_OF_AIR
    ),
}
"""Name → what is read with a fault of a size: what reads high, or the share of air in the sample."""
_ONE_SIDED = frozenset({"leak"})


def residual_uncertainty(stack: Stack, rq: float, baseline: float, read: ReadUncertainty) -> Floats:
    """Standard uncertainty of each residual, from those of what is read."""
    parts = [
        slopes(stack, rq, baseline, FAULTS[name]) * getattr(read, name)
        for name in ("co2", "o2", "flow", "fuel", "process")
    ]
    parts.append(np.array([0.0, 0.0, 0.0, read.baseline]))
    found: Floats = np.sqrt(np.sum(np.square(parts), axis=0))
    return found


def judge(stack: Stack, rq: float, baseline: float, read: ReadUncertainty) -> Judged:
    """What the residuals of a stack say; see `gas.residuals` for rq and baseline."""
    found = residuals(stack, rq, baseline)
    u = residual_uncertainty(stack, rq, baseline, read)
    known = np.isfinite(found) & (u > 0.0)
    scores = np.full(found.size, np.nan)
    scores[known] = found[known] / u[known]
    if not (np.abs(scores[known]) >= SIGNIFICANT).any():
        return Judged(found, u, scores, (), {})
    fits: dict[str, tuple[float, float]] = {}
    for name, moved in FAULTS.items():
        if name == "process" and stack.process <= 0.0:
            continue
        direction = slopes(stack, rq, baseline, moved)[known] / u[known]
        size = float(direction @ scores[known]) / float(direction @ direction)
        if name in _ONE_SIDED:
            size = max(size, 0.0)
        left = scores[known] - size * direction
        fits[name] = float(left @ left), size
    best = min(left for left, _ in fits.values())
    likely = [name for name, (left, _) in fits.items() if left <= best + AS_GOOD and best <= ALONE]
    return Judged(found, u, scores, tuple(likely), {name: fits[name][1] for name in likely})
