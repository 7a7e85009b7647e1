"""A regime's hours of one source: what stands in each, how it was determined, and the mass it makes.

    facts of some hours, tests → what they change → availability and substitutes → equation · time the unit ran

A function of all facts and tests told so far, whatever the order in which they came: what is
told changes its own hours, those in gaps that it touches or that come after it, and those that
were provisional. Only these are made again (`kernels.missing` says from where on); a row that is
not provisional cannot change by time going on. One step with everything and many steps with
parts of it end in the same rows, bit for bit (`tests/ingest/regimes/test_source_hours.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.methods.hour_states import MEASURED, REPLACED
from ingest.methods.regimes import MASS, REGIME_RULES
from ingest.methods.schemes import SCHEMES, Family
from ingest.model import HOUR
from ingest.pipeline.batch import BoolArray
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.calibrated import Tests, verdicts
from ingest.regimes.hour_mass import (
    RUN_ROW,
    Facts,
    component_rows,
    conclude,
    hours_begun,
    judged,
    mass_judged,
    rates_of,
    runs_of,
    unreplaced,
)
from ingest.regimes.hour_rows import CONDITIONALLY, HOUR_MASS_ROW, HourRows
from ingest.regimes.periods import period_of
from ingest.regimes.substitution import substitute_from
from kernels.hours import HOUR_ROW, SUBSTITUTE_ROW
from kernels.missing import begin_of_period, unparted
from kernels.rows import Ints, Records

NOTHING = np.zeros(0, np.int64)
_BY_PERIOD = (Family.HJ75, Family.MRR)
"""Whose substitutes rest on all hours of a period."""


class _Grown:
    """Rows with room for more."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._room = np.zeros(0, dtype)
        self._size = 0

    @property
    def rows(self) -> Records:
        return self._room[: self._size]

    def resize(self, size: int) -> None:
        if size > self._room.size:
            room = np.zeros(max(size, self._room.size * 3 // 2, 256), self._room.dtype)
            room[: self._size] = self.rows
            self._room = room
        self._room[self._size : size] = np.zeros(1, self._room.dtype)
        self._size = size


class _Saved:
    """What stood in rows before a step wrote there."""

    def __init__(self, size: int, open_from: int) -> None:
        self.size, self.open_from = size, open_from
        self._rows: list[tuple[_Grown, Ints, Records]] = []

    def save(self, grown: _Grown, places: Ints) -> None:
        stood = places[places < self.size]
        if stood.size:
            self._rows.append((grown, stood, grown.rows[stood]))

    def put(self, grown: _Grown, places: Ints, rows: Records) -> None:
        self.save(grown, places)
        grown.rows[places] = rows

    def before(self, grown: _Grown, places: Ints) -> Records:
        """Rows as they stood, at places that were there."""
        rows = grown.rows[places]
        for written, stood, old in reversed(self._rows):
            if written is grown:
                mine = np.isin(stood, places)
                rows[np.searchsorted(places, stood[mine])] = old[mine]
        return rows

    def restore(self) -> None:
        for grown, places, rows in reversed(self._rows):
            grown.rows[places] = rows


@dataclass(frozen=True, slots=True)
class Step:
    """What was made again."""

    rows: HourRows
    """As they are now."""
    before: HourRows
    """As those of them that were there had been."""
    saved: _Saved
    """For `SourceHours.undo`."""


class SourceHours:
    """All hours of a source from one instant on."""

    def __init__(self, regime: PlanRegime, begin: int) -> None:
        """`begin`: µs, begin of an hour of the regime."""
        self.regime, self.begin, self.size = regime, begin, 0
        self._rule = REGIME_RULES[regime.rule]
        self._potential = {component.name: component.potential for component in regime.components}
        self._hours, self._runs = _Grown(HOUR_MASS_ROW), _Grown(RUN_ROW)
        names = HourRows.none(regime).components
        self._judged = {name: _Grown(HOUR_ROW) for name in names}
        self._filled = {name: _Grown(SUBSTITUTE_ROW) for name in names}
        self._open_from = 0
        """The first place that is provisional."""

    @property
    def end(self) -> int:
        """End of the last hour, µs."""
        return self.begin + self.size * HOUR

    def rows(self) -> HourRows:
        """All hours."""
        return self._told(slice(0, self.size))

    def advance(
        self, facts: Facts, tests: Tests, end: int, touched: Ints = NOTHING, *, tested: bool = False
    ) -> Step:
        """Go on to `end`.

        Args:
            facts: of every hour that is new or touched, where there is one.
            tests: all that count.
            end: begin of an hour of the regime, µs, up to which all points are closed.
            touched: begins of earlier hours whose facts may be other than they were.
            tested: whether tests may be other than they were.
        """
        saved = _Saved(self.size, self._open_from)
        self._resize(max((end - self.begin) // HOUR, self.size))
        old = np.unique((touched - self.begin) // HOUR)
        told = np.concatenate([old[(old >= 0) & (old < saved.size)], np.arange(saved.size, self.size)])
        starts = self.begin + HOUR * told
        runs = runs_of(self.regime, facts, starts)
        saved.put(self._runs, told, runs)
        begun = hours_begun(self.regime, facts, starts, runs)
        for component in self.regime.components:
            grown = self._judged[component.name]
            rows = judged(self.regime, facts.get(component.name), starts, begun, runs)
            rows["out_of_control"] = grown.rows["out_of_control"][told]
            saved.put(grown, told, rows)
        low = 0 if tested else int(told[0]) if told.size else self.size
        marked = [self._mark(saved, one.name, low, tests, tested=tested) for one in self.regime.components]
        return self._make(saved, np.unique(np.concatenate([told, *marked])))

    def undo(self, step: Step) -> None:
        """Be as before the last step."""
        step.saved.restore()
        self._resize(step.saved.size)
        self._open_from = step.saved.open_from

    def _resize(self, size: int) -> None:
        for grown in (self._hours, self._runs, *self._judged.values(), *self._filled.values()):
            grown.resize(size)
        self.size = size

    def _mark(self, saved: _Saved, name: str, low: int, tests: Tests, *, tested: bool) -> Ints:
        """Say which hours from `low` on are out of control or conditional; the places of which that is new."""
        of_name, grown = tests.get(name, {}), self._judged[name]
        if low >= self.size or not (of_name or tested):
            return NOTHING
        found = verdicts(self._rule, grown.rows, low, of_name, self.regime.offset_us)
        stands = grown.rows[low:]
        valid = np.where(stands["valid"] == 0, 0, np.where(found.conditional != 0, CONDITIONALLY, 1))
        differs = (stands["out_of_control"] != found.out_of_control) | (stands["valid"] != valid)
        places = low + np.flatnonzero(differs)
        rows = grown.rows[places]
        rows["out_of_control"], rows["valid"] = found.out_of_control[differs], valid[differs]
        saved.put(grown, places, rows)
        return places

    def _make(self, saved: _Saved, changed: Ints) -> Step:
        """Make hours again that are judged otherwise, and those that follow from them."""
        filled = [one.name for one in self.regime.components if one.name in self._rule.schemes]
        begins = {name: self._from(name, saved, changed) for name in filled}
        places = self._with_missing(saved, changed, begins)
        if MASS in self._judged:
            begins[MASS] = self._from(MASS, saved, places)
            places = self._with_missing(saved, places, begins)
        for grown in (self._hours, *self._filled.values()):
            saved.save(grown, places)
        for component in self.regime.components:
            name = component.name
            if name in begins:
                self._fill(name, begins[name])
            else:
                self._filled[name].rows[places] = unreplaced(self._judged[name].rows[places])
        self._weigh(saved, places, begins)
        low = min(saved.open_from, int(places[0])) if places.size else saved.open_from
        is_open = self._hours.rows["provisional"][low:] != 0
        self._open_from = low + int(np.argmax(is_open)) if is_open.any() else self.size
        return Step(self._told(places), self._before(saved, places[places < saved.size]), saved)

    def _from(self, name: str, saved: _Saved, changed: Ints) -> int:
        """From which place on a scheme may put something else."""
        hours = self._judged[name].rows
        begin = min(saved.open_from, int(changed[0])) if changed.size else saved.open_from
        old = changed[changed < saved.size]
        if old.size and SCHEMES[self._rule.schemes[name]].family in _BY_PERIOD:
            begin = min(begin, begin_of_period(hours, int(old[0])))
        return unparted(hours, begin)

    def _with_missing(self, saved: _Saved, places: Ints, begins: Mapping[str, int]) -> Ints:
        """Places, and those of hours that were missing from where a scheme begins on."""
        found = [places]
        for name, begin in begins.items():
            states = self._filled[name].rows["state"][begin : saved.size]
            found.append(begin + np.flatnonzero(states >= REPLACED))
        return np.unique(np.concatenate(found))

    def _fill(self, name: str, begin: int) -> None:
        """Let a scheme fill the hours of a component from a place on."""
        scheme, at = SCHEMES[self._rule.schemes[name]], np.array([self.end + self.regime.offset_us])
        substitute_from(
            scheme,
            self._judged[name].rows,
            begin,
            self._filled[name].rows,
            potential=self._potential.get(name),
            open_period=int(period_of(at, self._rule.period)[0]),
        )

    def _weigh(self, saved: _Saved, places: Ints, begins: Mapping[str, int]) -> None:
        """Rate, mass and verdict of hours whose components are there."""
        runs, hours = self._runs.rows[places], np.zeros(places.size, HOUR_MASS_ROW)
        names = [component.name for component in self.regime.components]
        values = {name: self._filled[name].rows["value"][places] for name in names}
        hours["start_at"], hours["operating_us"] = self.begin + HOUR * places, runs["us"]
        hours["rate"] = rates_of(self.regime, values, runs["flagged"] != 0)
        hours["mass_kg"] = hours["rate"] * (runs["us"] / HOUR) * self.regime.kg_per_rate
        if MASS in self._judged:
            components = [self._judged[name].rows[places] for name in names]
            mass_kg = np.where(runs["known"] != 0, hours["mass_kg"], np.nan)
            saved.put(self._judged[MASS], places, mass_judged(components[0], mass_kg, components))
            self._fill(MASS, begins[MASS])
            hours["mass_kg"] = self._filled[MASS].rows["value"][places]
        self._hours.rows[places] = hours
        told = self._told(places)
        conclude(told, runs, self._zero_at_load(told, places))
        self._hours.rows[places] = told.hours

    def _zero_at_load(self, told: HourRows, places: Ints) -> BoolArray:
        """Where a concentration of 0 was measured above the first load bin, in regimes that flag it."""
        rows = told.components.get("concentration")
        if rows is None or not self._rule.flags_zero:
            return np.zeros(places.size, np.bool_)
        above = self._judged["concentration"].rows["load_bin"][places] > 0
        zero: BoolArray = above & (rows["state"] == MEASURED) & (rows["value"] == 0.0)
        return zero

    def _told(self, places: Ints | slice) -> HourRows:
        return HourRows(
            self._hours.rows[places].copy(),
            {
                name: component_rows(grown.rows[places], self._judged[name].rows[places])
                for name, grown in self._filled.items()
            },
        )

    def _before(self, saved: _Saved, places: Ints) -> HourRows:
        return HourRows(
            saved.before(self._hours, places),
            {
                name: component_rows(saved.before(grown, places), saved.before(self._judged[name], places))
                for name, grown in self._filled.items()
            },
        )


def hours_of(regime: PlanRegime, facts: Facts, tests: Tests, begin: int, end: int) -> HourRows:
    """All hours of [begin, end) µs, both begins of hours of the regime; see `SourceHours.advance`."""
    hours = SourceHours(regime, begin)
    hours.advance(facts, tests, end, tested=True)
    return hours.rows()
