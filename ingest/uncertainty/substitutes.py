"""How far a regime's substitutes are from a best estimate, and how far that may be off.

A substitute may overstate on purpose: a percentile, a maximum, a potential value, a mean with
two deviations. Its best estimate is then the mean of the measured hours the scheme looks back at;
what is a mean of the hours beside the gap, or of the load bin, is its own. An hour that was
not measured may be anywhere among those that were, so its standard uncertainty is their
standard deviation, and the hours of a gap are taken to be off together. Pure, NumPy alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.methods.hour_states import MEASURED, REPLACED
from ingest.methods.method import Method
from ingest.methods.regimes import INPUT_OF
from ingest.methods.registry import METHODS
from ingest.methods.schemes import Family, Scheme
from ingest.plant.regime_plan import PlanRegime
from ingest.uncertainty.propagation import Floats, Ints
from ingest.uncertainty.slopes import SLOPES

Flags = NDArray[np.bool_]

OWN_ESTIMATES = frozenset({6, 7, 11})
"""Codes of Part 75 whose value is a mean, no over-estimate: of the hours beside a gap, and of a load bin."""
WITHOUT_LOOKBACK_H = 720
"""Measured hours whose spread is taken for a scheme that looks back at none, as 40 CFR 98.35: those of 40 CFR 75.33."""
LEAST = 2
"""Measured hours that have a spread."""


@dataclass(frozen=True, slots=True)
class ComponentHours:
    """What stands in consecutive hours for one quantity; arrays of one entry an hour, [n]."""

    value: Floats
    state: Ints
    """`ingest.methods.hour_states`."""
    code: Ints
    rests_on: Ints


@dataclass(frozen=True, slots=True)
class Estimates:
    """Per hour, NaN of what is not replaced or of too few measured hours to tell; [n]."""

    best: Floats
    u: Floats
    replaced: Flags
    gap: Ints
    """The same number in the hours of one gap."""


def estimates(scheme: Scheme, hours: ComponentHours, period: Ints, load_bin: Ints) -> Estimates:
    """Best estimates of replaced hours and their standard uncertainties.

    Args:
        scheme: that replaced them.
        hours: of the quantity, from as far back as the scheme looks.
        period: the reporting period of each hour.
        load_bin: of each hour; -1: not known, or there are no bins.
    """
    n = hours.value.size
    best, u = np.full(n, np.nan), np.full(n, np.nan)
    measured = (hours.state == MEASURED) & np.isfinite(hours.value)
    places = np.flatnonzero(measured)
    gap = np.searchsorted(places, np.arange(n))
    known: dict[tuple[int, ...], tuple[float, float]] = {}
    for i in np.flatnonzero(hours.state == REPLACED).tolist():
        key = int(gap[i]), int(period[i]), int(load_bin[i]), int(hours.rests_on[i])
        if key not in known:
            known[key] = _mean_and_spread(_lookback(scheme, hours, i, places, (period, load_bin)))
        mean, u[i] = known[key]
        own = scheme.family is Family.NEIGHBOURS or int(hours.code[i]) in OWN_ESTIMATES
        best[i] = hours.value[i] if own and np.isfinite(u[i]) else mean
    return Estimates(best, u, hours.state == REPLACED, gap)


def _lookback(
    scheme: Scheme, hours: ComponentHours, i: int, places: Ints, of_hours: tuple[Ints, Ints]
) -> Floats:
    """The measured values that the scheme looks at for an hour."""
    period, load_bin = of_hours
    before = places[places < i]
    if scheme.family is Family.MRR:
        chosen = places[period[places] == period[i]]
    elif scheme.family is Family.HJ75:
        chosen = before[-int(hours.rests_on[i]) :]
    elif scheme.family is Family.NEIGHBOURS:
        chosen = before[-WITHOUT_LOOKBACK_H:]
    else:
        binned = before[load_bin[before] == load_bin[i]] if scheme["by_bin"] else before
        # An empty bin tells nothing; all of them tell more than that.
        chosen = (binned if binned.size >= LEAST else before)[-int(scheme["lookback_h"]) :]
    found: Floats = hours.value[chosen]
    return found


def _mean_and_spread(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation with n - 1; NaN of fewer than `LEAST`."""
    if values.size < LEAST:
        return np.nan, np.nan
    return float(values.mean()), float(values.std(ddof=1))


@dataclass(frozen=True, slots=True)
class RateEstimates:
    """What the rate would be with best estimates in the place of substitutes; [n], NaN where that is not known."""

    best: Floats
    u: Mapping[str, Floats]
    """Per component what its uncertainty does to the rate, signed; 0 where it is measured."""


def rate_estimates(
    regime: PlanRegime,
    values: Mapping[str, Floats],
    told: Mapping[str, Estimates],
    rate: Floats,
    flagged: Flags,
) -> RateEstimates:
    """The equation with best estimates, from the rate it gave with the substitutes.

    It is linear in each quantity by itself, so one after the other by their derivatives is exact.

    Args:
        regime: of the plan.
        values: per component what stands in the hours, in its point's unit.
        told: per component its estimates.
        rate: by the equation.
        flagged: whether the diluent cap stands for the concentration (or O2) of an hour.
    """
    moved = _Rate.of(regime, values, rate, flagged)
    capped = "concentration" if regime.from_o2 is None else "o2"
    scale = {component.name: component.scale[0] for component in regime.components}
    counts = {name: one.replaced & ~flagged if name == capped else one.replaced for name, one in told.items()}
    for name, one in told.items():
        delta = np.where(counts[name], scale[name] * (one.best - values[name]), 0.0)
        moved.move(INPUT_OF[name], np.nan_to_num(delta))
    u, unknown = {}, np.zeros(rate.size, np.bool_)
    for name, one in told.items():
        u[name] = np.where(counts[name], moved.slope(INPUT_OF[name]) * scale[name] * one.u, 0.0)
        unknown |= counts[name] & np.isnan(one.u)
    return RateEstimates(np.where(unknown, np.nan, moved.rate), u)


@dataclass(slots=True)
class _Rate:
    """An equation at hourly values that can be moved one by one."""

    method: Method
    from_o2: Method | None
    constants: tuple[float, ...]
    """Of the method that gives the concentration from O2."""
    x: dict[str, Floats]
    """Inputs by name, in the equation's units."""
    rate: Floats

    @staticmethod
    def of(regime: PlanRegime, values: Mapping[str, Floats], rate: Floats, flagged: Flags) -> "_Rate":
        x = {INPUT_OF[one.name]: values[one.name] * one.scale[0] + one.scale[1] for one in regime.components}
        capped = "co2" if regime.from_o2 is None else "o2"
        x[capped] = np.where(flagged, regime.cap_value, x[capped])
        from_o2 = None if regime.from_o2 is None else METHODS[regime.from_o2]
        air = (
            () if from_o2 is None else tuple(one.value for one in from_o2.constants if one.value is not None)
        )
        # A concentration from O2 is not asked for: the rate is proportional to it.
        return _Rate(
            METHODS[regime.equation],
            from_o2,
            (*regime.f_factors, *air),
            {"co2": np.ones_like(rate), **x},
            rate.copy(),
        )

    def slope(self, name: str) -> Floats:
        """How the rate moves with an input."""
        found = np.zeros_like(self.rate)
        if self.from_o2 is not None:
            found += self._by(self.from_o2, self.constants, name)
        if self.from_o2 is None or name != "co2":
            found += self._by(self.method, (), name)
        return found

    def _by(self, method: Method, constants: tuple[float, ...], name: str) -> Floats:
        names = [entry.name for entry in method.inputs]
        if name not in names:
            return np.zeros_like(self.rate)
        x = np.stack([self.x[one] for one in names])
        found: Floats = SLOPES[method.number].inputs(x, constants, self.rate, np.ones_like(self.rate))[
            names.index(name)
        ]
        return found

    def move(self, name: str, delta: Floats) -> None:
        """Let an input be another."""
        self.rate = self.rate + self.slope(name) * delta
        self.x[name] = self.x[name] + delta
