"""Faults of registers: started again at 0, exchanged, or run through their modulus.

Each keeps per point what the register shows beside what the process has counted,
in counts, from the first reading it is given. The counts the process has made
are never changed: what a register does not show is in the record.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ingest.model import HOUR, Kind
from simulator.faults.readings import Shown
from simulator.faults.record import Dice, Disturbance, Note, unnoted
from simulator.instruments import Instrument


class _Registers:
    """Counters that show something else than they were given."""

    def __init__(self, name: str, share: float, seed: int, note: Note) -> None:
        self._dice = Dice(name, seed)
        self._share = share
        self._note = note
        self._before: dict[str, int] = {}
        """Count given with the last reading."""
        self._offset: dict[str, int] = {}
        """What is added to a count given."""

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Registers show their count with their offset."""
        if instrument.kind is not Kind.COUNTER:
            return
        point = instrument.id
        for one in readings:
            given = count_of(instrument, one.value)
            before = self._before.get(point)
            if one.anew:
                self._offset[point] = 0
            if before is None:
                self._offset[point] = self._first(instrument, given, one.at)
            else:
                self._next(instrument, before, given, one)
            self._before[point] = given
            if self._offset[point]:
                one.value = float(instrument.values_of(np.array(self._shown(instrument, given))))

    def _shown(self, instrument: Instrument, given: int) -> int:
        count = given + self._offset[instrument.id]
        return count % instrument.modulus if instrument.modulus else count

    def _first(self, instrument: Instrument, given: int, at: int) -> int:
        """The offset with which a register starts."""
        del instrument, given, at
        return 0

    def _next(self, instrument: Instrument, before: int, given: int, one: Shown) -> None:
        """What happens to the register between two readings."""
        raise NotImplementedError

    def _strikes(self, point: str, at: int) -> bool:
        return self._dice.at(point, at) < self._share

    def _noted(self, point: str, one: Shown, what: str, *numbers: int) -> None:
        self._note(Disturbance(self._dice.name, point, one.at, one.shown_at, what, one.at, numbers))


class Reset(_Registers):
    """A register starts again at 0 between two readings; what it had counted since the first of them is lost.

    `numbers` of the record: the counts no reading will ever show.
    """

    def __init__(self, share: float, seed: int, note: Note = unnoted) -> None:
        super().__init__("reset", share, seed, note)

    def _next(self, instrument: Instrument, before: int, given: int, one: Shown) -> None:
        step = given - before
        if step < 0 or not self._strikes(instrument.id, one.at):
            return
        lost = math.floor(step * self._dice.at(instrument.id, one.at, "lost"))
        self._offset[instrument.id] = -(before + lost)
        one.anew = True
        self._noted(instrument.id, one, f"started again at 0, {lost} counts lost", lost)


class Replaced(_Registers):
    """A meter is exchanged right at a reading: the old one's last is never sent, the new one's first is.

    `numbers` of the record: the old meter's final and the new one's initial count, which
    somebody wrote down and may declare.
    """

    def __init__(self, share: float, seed: int, note: Note = unnoted, most: int = 1_000_000) -> None:
        """A new meter shows fewer than `most` counts."""
        super().__init__("replaced", share, seed, note)
        self._most = most

    def _next(self, instrument: Instrument, before: int, given: int, one: Shown) -> None:
        del before
        point = instrument.id
        if not self._strikes(point, one.at):
            return
        final = self._shown(instrument, given)
        initial = self._dice.below(
            min(self._most, instrument.modulus or self._most), point, one.at, "initial"
        )
        self._offset[point] = initial - given
        self._noted(point, one, f"meter replaced at {final} counts by one at {initial}", final, initial)


class Rollover(_Registers):
    """A register stands so close below its modulus that it will soon run through it.

    Once per register: `share` is that of readings at which it does, at a third of the greatest
    rate declared. Nothing is lost by it. A register without modulus or rate has no such thing.
    """

    def __init__(self, share: float, seed: int, note: Note = unnoted) -> None:
        super().__init__("rollover", share, seed, note)

    def _first(self, instrument: Instrument, given: int, at: int) -> int:
        del at
        if not (self._share and instrument.modulus and math.isfinite(instrument.max_count_per_h)):
            return 0
        readings = math.ceil(self._dice.at(instrument.id) * 2 / self._share)
        step = instrument.max_count_per_h / 3 * instrument.period_us / HOUR
        return instrument.modulus - given - min(math.ceil(readings * step), instrument.modulus)

    def _next(self, instrument: Instrument, before: int, given: int, one: Shown) -> None:
        point = instrument.id
        if self._offset[point] and self._shown(instrument, given) < self._shown(instrument, before):
            self._noted(point, one, f"ran through {instrument.modulus} counts")


def count_of(instrument: Instrument, value: float) -> int:
    """The count that a register shows as `value`."""
    return round(Fraction(value) / instrument.resolution)
