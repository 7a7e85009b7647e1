"""How far a regime's substitutes are from best estimates: read back as far as its schemes look, told hour by hour.

What the rule puts into an hour may overstate on purpose, which no uncertainty is: the
bias stands beside the mass, and u is about the best estimate. Nothing is stored; hours are
those of the answer, so an earlier batch tells what was known then.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from ingest.methods.hour_states import STATES, HourReason
from ingest.methods.regimes import MASS, REGIME_RULES
from ingest.methods.schemes import SCHEMES, Family
from ingest.model import DAY, HOUR
from ingest.plant.regime_plan import PlanRegime
from ingest.uncertainty.propagation import Floats, Ints
from ingest.uncertainty.substitutes import ComponentHours, Estimates, estimates, rate_estimates
from service import past, past_hours
from service.as_of import Known
from service.documents import Document
from service.store import Connection, Row, rows
from service.times import to_datetime

OLDEST_H = 26_280
"""How far back a look-back may reach, clock hours: 40 CFR 75.32, by far the longest of the regimes."""
TOO_FEW = "fewer than two hours were measured where the regime looks back"
_YEAR_US = 366 * DAY
_STATES = {name: state for state, name in STATES.items()}
_MONTHS = {"quarter": 3, "year": 12}


class SubstitutedDocument(Document):
    """The substitutes of a span."""

    hours: int = Field(description="Hours with a substitute and a mass")
    mass_kg: float | None = Field(description="Their mass")
    bias_conservative_kg: float | None = Field(
        description="By how much it is above that of best estimates, on purpose; no uncertainty"
    )
    u_kg: float | None = Field(
        description="Standard uncertainty of the best estimates: the spread of the look-back, hours of a gap off together"
    )
    reason: str | None = Field(description="Why the two are null")


@dataclass(frozen=True, slots=True)
class Told:
    """Of one hour."""

    bias_kg: float | None
    u_kg: float | None
    components: Mapping[str, tuple[float, float, float]]
    """Of each that is replaced: best estimate, bias, u; in its point's unit."""


@dataclass(frozen=True, slots=True)
class Substituted:
    """Of a span."""

    hours: Mapping[int, Told]
    """By start, µs; of those with a substitute."""
    whole: SubstitutedDocument


NOTHING = Substituted(
    {}, SubstitutedDocument(hours=0, mass_kg=None, bias_conservative_kg=None, u_kg=None, reason=None)
)


async def read(
    connection: Connection, regime: PlanRegime, number: int, span: tuple[int, int], known: Known
) -> tuple[Sequence[Row], Mapping[int, float]]:
    """Hours of a source as far from the span (µs) as its schemes look, and the load of each."""
    schemes = [SCHEMES[scheme] for scheme in REGIME_RULES[regime.rule].schemes.values()]
    from_at, to_at = span[0] - OLDEST_H * HOUR, span[1]
    if all(scheme.family is Family.MRR for scheme in schemes):
        from_at, to_at = span[0] - _YEAR_US, span[1] + _YEAR_US
    asked = {
        "number": number, "batch": known.batch_no, "from": to_datetime(max(0, from_at)), "to": to_datetime(to_at),
    }  # fmt: skip
    where = "source_no = %(number)s AND start_at >= %(from)s AND start_at < %(to)s"
    columns = "start_at, mass_kg, rate, operating_us, reasons, components"
    found = await rows(connection, f"{past_hours.rows_of(columns, where, known)} ORDER BY start_at", asked)
    load: list[Row] = []
    if regime.load is not None:
        of_load = f"{where} AND component = 'load' AND value IS NOT NULL"
        load = await rows(connection, past.rows_of("hour_record", "start_at, value", of_load, known), asked)
    return found, dict(load)


def told_of(
    regime: PlanRegime, found: Sequence[Row], load: Mapping[int, float], span: tuple[int, int]
) -> Substituted:
    """What substitutes of the span come to, from what `read` gave."""
    if not found:
        return NOTHING
    start_at, mass, rate, operating_us, reasons, said = zip(*found, strict=True)
    starts = np.array(start_at, np.int64)
    local = (starts + regime.offset_us).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    rule = REGIME_RULES[regime.rule]
    bins = _bins(regime, starts, load)
    names = [one.name for one in regime.components] + ([MASS] if MASS in rule.schemes else [])
    columns = {name: _column([one.get(name) for one in said]) for name in names}
    made = {
        name: estimates(SCHEMES[scheme], columns[name], local // _MONTHS[rule.period], bins)
        for name, scheme in rule.schemes.items()
        if name in columns
    }
    per_rate = np.array(operating_us, np.float64) / HOUR * regime.kg_per_rate
    masses = _floats(mass)
    if MASS in made:
        bias, u = masses - made[MASS].best, {MASS: made[MASS].u}
    else:
        flagged = (np.array(reasons, np.int64) & int(HourReason.DILUENT_CAP)) != 0
        values = {name: column.value for name, column in columns.items()}
        would = rate_estimates(regime, values, made, _floats(rate), flagged)
        bias, u = masses - would.best * per_rate, {name: one * per_rate for name, one in would.u.items()}
    replaced = np.logical_or.reduce([one.replaced for one in made.values()]) & np.isfinite(masses)
    chosen = replaced & (starts >= span[0]) & (starts < span[1])
    return _substituted(starts, masses, bias, u, made, columns, chosen)


def _substituted(
    starts: Ints,
    masses: Floats,
    bias: Floats,
    u: Mapping[str, Floats],
    made: Mapping[str, Estimates],
    columns: Mapping[str, ComponentHours],
    chosen: np.ndarray,
) -> Substituted:
    places = np.flatnonzero(chosen)
    hours = {}
    for i in places.tolist():
        parts = {
            name: (float(one.best[i]), float(columns[name].value[i] - one.best[i]), float(one.u[i]))
            for name, one in made.items()
            if one.replaced[i] and math.isfinite(one.u[i])
        }
        own = math.sqrt(math.fsum(float(one[i]) ** 2 for one in u.values()))
        is_known = math.isfinite(bias[i]) and math.isfinite(own)
        hours[int(starts[i])] = Told(float(bias[i]) if is_known else None, own if is_known else None, parts)
    if not places.size:
        return NOTHING
    known = all(one.bias_kg is not None for one in hours.values())
    return Substituted(
        hours,
        SubstitutedDocument(
            hours=places.size,
            mass_kg=math.fsum(masses[places].tolist()),
            bias_conservative_kg=math.fsum(bias[places].tolist()) if known else None,
            u_kg=_together(u, made, places) if known else None,
            reason=None if known else TOO_FEW,
        ),
    )


def _together(u: Mapping[str, Floats], made: Mapping[str, Estimates], places: Ints) -> float:
    """Of a sum of hours: within a gap of a quantity they add, gaps are independent."""
    squares = []
    for name, one in u.items():
        gap = made[name].gap[places]
        sums = np.bincount(gap - gap.min(), one[places])
        squares += (sums * sums).tolist()
    return math.sqrt(math.fsum(squares))


_NONE: Mapping[str, Any] = {"value": None, "state": "stopped", "code": 0, "rests_on": 0}


def _column(said: Sequence[Mapping[str, Any] | None]) -> ComponentHours:
    parts = [one or _NONE for one in said]
    return ComponentHours(
        _floats([one["value"] for one in parts]),
        np.array([_STATES[one["state"]] for one in parts], np.int64),
        np.array([one["code"] or 0 for one in parts], np.int64),
        np.array([one["rests_on"] for one in parts], np.int64),
    )


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([math.nan if one is None else one for one in values], np.float64)


def _bins(regime: PlanRegime, starts: Ints, load: Mapping[int, float]) -> Ints:
    """The load bin of each hour, as the regime's hours are made; -1: not known."""
    values = np.array([load.get(at, math.nan) for at in starts.tolist()])
    found = np.searchsorted(np.array(regime.load_edges, np.float64), values, side="left")
    return np.where(np.isnan(values), -1, found).astype(np.int64)
