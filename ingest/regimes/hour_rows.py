"""The shape of a regime's hours: one row an hour, and beside it one per component."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.methods.regimes import MASS, REGIME_RULES
from ingest.pipeline.batch import BoolArray
from ingest.plant.regime_plan import PlanRegime
from kernels.hours import SUBSTITUTE_ROW
from kernels.rows import Ints, Records

COMPONENT_ROW = np.dtype([*SUBSTITUTE_ROW.descr, ("valid", np.int64), ("out_of_control", np.int64)])
"""SUBSTITUTE_ROW, and what the rule for hours and the analyser's tests say."""
CONDITIONALLY = 2
"""In place of 1 in `valid`: under reserve of the tests that a recertification requires."""

HOUR_MASS_ROW = np.dtype(
    [
        ("start_at", np.int64),  # µs UTC
        ("mass_kg", np.float64),  # NaN none: see reasons
        ("rate", np.float64),  # in the equation's unit; NaN where a component has no value
        ("operating_us", np.int64),
        ("provisional", np.int64),
        ("quality", np.int64),
        ("reasons", np.int64),
    ]
)
_DECIDED = ("start_at", "operating_us", "provisional", "quality", "reasons")
_DETERMINED = ("code", "state", "provisional", "valid", "out_of_control")
"""What of an hour, and of a component, changes in a revision of its own even while it is provisional."""


@dataclass(frozen=True, slots=True)
class HourRows:
    """Consecutive hours of one source."""

    hours: Records
    """HOUR_MASS_ROW."""
    components: dict[str, Records]
    """Component, or `mass` → COMPONENT_ROW, one an hour."""

    @staticmethod
    def none(regime: PlanRegime) -> "HourRows":
        """No hours of a regime."""
        names = [component.name for component in regime.components]
        names += [MASS] if MASS in REGIME_RULES[regime.rule].schemes else []
        return HourRows(np.zeros(0, HOUR_MASS_ROW), {name: np.zeros(0, COMPONENT_ROW) for name in names})

    def differs(self, other: "HourRows") -> BoolArray:
        """Of each hour whether it is other than the hour of that start in `other`, or not there."""
        if not other.hours.size:
            return np.ones(self.hours.size, np.bool_)
        found = _unlike(self.hours, other.hours[_places(self.hours, other.hours)])
        if self.components.keys() != other.components.keys():
            return np.ones(self.hours.size, np.bool_)
        place = _places(self.hours, other.hours)
        for name, rows in self.components.items():
            found |= _unlike(rows, other.components[name][place])
        return found

    def goes_on(self, before: "HourRows") -> BoolArray:
        """Of each hour whether it was provisional and is, determined in the same way: only its numbers have moved.

        `before` has hours, of the same components.
        """
        place = _places(self.hours, before.hours)
        old = before.hours[place]
        found: BoolArray = (self.hours["provisional"] != 0) & ~_unlike(self.hours, old, _DECIDED)
        for name, rows in self.components.items():
            found &= ~_unlike(rows, before.components[name][place], _DETERMINED)
        return found


def _places(rows: Records, other: Records) -> Ints:
    place: Ints = np.searchsorted(other["start_at"], rows["start_at"])
    return np.minimum(place, max(other.size - 1, 0))


def _unlike(a: Records, b: Records, names: Sequence[str] = ()) -> BoolArray:
    found: BoolArray = np.zeros(a.size, np.bool_)
    for name in names or a.dtype.names or ():
        both_nan = (a[name] != a[name]) & (b[name] != b[name])
        found |= (a[name] != b[name]) & ~both_nan
    return found
