"""The cement site: which quantity of the line each point of its plant file shows.

A point is sampled at the multiples of its own period. Gauges and samples show
the float nearest to a whole number of their quantum; counters show the floor of
the exact running total in counts of their resolution, modulo their modulus, as
the float from which the count comes back exactly. Instruments are perfect and
always on: faults are put around the plant (`simulator.faults`), not into it.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ingest.errors import InputError
from ingest.model import MINUTE, Kind
from simulator.instruments import Instrument
from simulator.line import CementLine
from simulator.packets import Column
from simulator.series import Counts, Floats, Grid

COUNTERS: Mapping[str, tuple[str, str]] = {
    "substation/energy": ("kWh", "power"),
    "substation/reactive-energy": ("kvarh", "reactive"),
    "raw-mill/energy": ("kWh", "raw_mill_power"),
    "coal-mill/energy": ("kWh", "coal_mill_power"),
    "kiln/energy": ("kWh", "kiln_power"),
    "kiln/coal": ("t", "coal"),
    "kiln/raw-meal": ("t", "raw_meal"),
    "kiln/clinker": ("t", "clinker"),
}
"""Point → unit and flow of the line."""

GAUGES: Mapping[str, tuple[str, str]] = {
    "substation/power": ("kW", "power"),
    "kiln/power": ("kW", "kiln_power"),
    "kiln/coal-feed": ("t/h", "coal"),
    "kiln/clinker-flow": ("t/h", "clinker"),
}
"""Point → unit and flow of the line."""

STACK: Mapping[str, tuple[str, str]] = {
    "kiln/stack/co2": ("%", "co2_dry_pct"),
    "kiln/stack/o2": ("%", "o2_dry_pct"),
    "kiln/stack/moisture": ("%", "moisture_pct"),
    "kiln/stack/temperature": ("°C", "temperature_c"),
    "kiln/stack/barometric-pressure": ("Pa", "barometric_pa"),
    "kiln/stack/static-pressure": ("Pa", "static_pa"),
    "kiln/stack/velocity": ("m/s", "velocity_m_s"),
}
"""Point → unit and field of the gas."""

STATES = ("raw-mill/state", "kiln/state", "kiln/stack/state")
"""Points that say 1 while their machine runs (or the analyser measures)."""


class CementPlant:
    """What every instrument shows at any time; a function of seed and time."""

    def __init__(self, measured: Sequence[Instrument], seed: int) -> None:
        for instrument in measured:
            _check(instrument)
        self.instruments = tuple(measured)
        self.grid = Grid(math.gcd(MINUTE, *(instrument.period_us for instrument in measured)))
        self.line = CementLine(self.grid, seed)

    def values(self, instrument: Instrument, first: int, n: int) -> Floats:
        """The published values at `n` ticks of the grid, those between its own periods included."""
        if instrument.name in GAUGES:
            flow = getattr(self.line, GAUGES[instrument.name][1])
            rates: Floats = flow.rates(first, n)
            return rates
        if instrument.name in STACK:
            shown: Floats = getattr(self.line.gas(first, n), STACK[instrument.name][1])
            return shown
        if instrument.name in STATES:
            mill = instrument.name == "raw-mill/state"
            return (self.line.mill.over(first, n) > 0).astype(np.float64) if mill else np.ones(n)
        return instrument.values_of(self.registers(instrument, first, n))

    def totals(self, instrument: Instrument, first: int, n: int) -> Counts:
        """A counter's total at `n` ticks in counts of its resolution, never rolling over."""
        flow = getattr(self.line, COUNTERS[instrument.name][1])
        totals: Counts = flow.register(first, n, instrument.resolution)
        return totals

    def registers(self, instrument: Instrument, first: int, n: int) -> Counts:
        """What a counter shows at `n` ticks, in counts."""
        totals = self.totals(instrument, first, n)
        return totals % instrument.modulus if instrument.modulus else totals

    def columns(self, first: int, n: int) -> list[Column]:
        """What every instrument publishes during `n` ticks, in the order of the plant file."""
        instants = self.grid.instants(first, n)
        out = []
        for instrument in self.instruments:
            every = self.grid.ticks(instrument.period_us)
            skip = -first % every
            at, values = instants[skip::every], self.values(instrument, first, n)[skip::every]
            if at.size:
                out.append(Column(instrument, at.tolist(), values.tolist()))
        return out


def _check(instrument: Instrument) -> None:
    kinds: tuple[tuple[tuple[Kind, ...], Mapping[str, tuple[str, str]]], ...] = (
        ((Kind.COUNTER,), COUNTERS),
        ((Kind.GAUGE,), GAUGES),
        ((Kind.SAMPLE,), STACK),
    )
    for allowed, table in kinds:
        if instrument.name in table:
            unit = table[instrument.name][0]
            if instrument.kind not in allowed or instrument.unit != unit:
                raise InputError(
                    f"point {instrument.id}: it is a {instrument.kind.name.lower()} in {instrument.unit!r}, "
                    f"expected a {allowed[0].name.lower()} in {unit!r}"
                )
            return
    if instrument.name not in STATES or instrument.kind is not Kind.STATE:
        raise InputError(
            f"point {instrument.id}: the simulated cement line has no such {instrument.kind.name.lower()}"
        )
