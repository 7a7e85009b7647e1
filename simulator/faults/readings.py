"""Faults of what an instrument shows: its value, or the time it believes it is.

Each is given the readings of one point in the order of time, over and over, and
changes them in place. A `share` is that of readings at which it strikes; where a
fault lasts, those at which an episode begins. The usual sizes are what an
operator would want caught: each lies outside the limits, rates, comparisons or
silences that a plant file can declare. Registers are `simulator.faults.registers`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ingest.model import HOUR, MINUTE, SECOND, Kind
from simulator.faults.record import Dice, Disturbance, Note, unnoted
from simulator.instruments import Instrument

MEASURED = (Kind.GAUGE, Kind.SAMPLE)


@dataclass(slots=True)
class Shown:
    """A reading on its way from the process to the message."""

    at: int
    """µs; when it was so."""
    shown_at: int
    """µs; when its message will say it was."""
    value: float
    anew: bool = False
    """Whether its register has started anew: what it showed before says nothing of it."""


@runtime_checkable
class ReadingFault(Protocol):
    """Changes readings of a point in place."""

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Readings of one point, later than all given before."""


class Episodes:
    """When a lasting fault holds, per point; `span_us` from the reading at which it begins."""

    def __init__(self, dice: Dice, share: float, span_us: int) -> None:
        self._dice = dice
        self._share = share
        self._span_us = span_us
        self._since: dict[str, int] = {}

    def since(self, point: str, at: int) -> int | None:
        """When the episode began in which `at` lies; None: all is well."""
        begun = self._since.get(point)
        if begun is not None and at < begun + self._span_us:
            return begun
        if self._dice.at(point, at) < self._share:
            self._since[point] = at
            return at
        self._since.pop(point, None)
        return None


class Stuck:
    """A gauge or sample repeats what it showed when it stuck.

    Registers do not: one that stands still cannot be told from a machine that does.
    """

    def __init__(self, share: float, seed: int, note: Note = unnoted, span_us: int = 5 * MINUTE) -> None:
        self._episodes = Episodes(Dice("stuck", seed), share, span_us)
        self._note = note
        self._held: dict[str, float] = {}

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Values within an episode become its first."""
        if instrument.kind not in MEASURED:
            return
        for one in readings:
            since = self._episodes.since(instrument.id, one.at)
            if since is None:
                continue
            if since == one.at:
                self._held[instrument.id] = one.value
            held = self._held[instrument.id]
            if held != one.value:
                what = f"showed {held!r} for {one.value!r}"
                self._note(Disturbance("stuck", instrument.id, one.at, one.shown_at, what, since))
                one.value = held


class Spike:
    """One reading far out: ten times the value, or of a register now and then 0."""

    def __init__(self, share: float, seed: int, note: Note = unnoted) -> None:
        self._dice = Dice("spike", seed)
        self._share = share
        self._note = note

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Single values change; 0 stays 0."""
        if instrument.kind is Kind.STATE:
            return
        for one in readings:
            if one.value == 0 or self._dice.at(instrument.id, one.at) >= self._share:
                continue
            falls = instrument.kind is Kind.COUNTER and self._dice.at(instrument.id, one.at, "falls") < 0.5
            spiked = 0.0 if falls else 10 * one.value
            what = f"showed {spiked!r} for {one.value!r}"
            self._note(Disturbance("spike", instrument.id, one.at, one.shown_at, what, one.at))
            one.value = spiked


class Drift:
    """A gauge or sample creeps away from the truth, and is put right at the end of the episode."""

    def __init__(
        self,
        share: float,
        seed: int,
        note: Note = unnoted,
        span_us: int = HOUR,
        per_hour: float = 0.5,
    ) -> None:
        self._episodes = Episodes(Dice("drift", seed), share, span_us)
        self._note = note
        self._per_hour = per_hour

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Values grow by `per_hour` of themselves for each hour since the episode began."""
        if instrument.kind not in MEASURED:
            return
        for one in readings:
            since = self._episodes.since(instrument.id, one.at)
            if since is None:
                continue
            factor = 1 + self._per_hour * ((one.at - since) / HOUR)
            if one.value != 0 and factor != 1:
                what = f"times {factor:.4f}"
                self._note(Disturbance("drift", instrument.id, one.at, one.shown_at, what, since))
                one.value *= factor


class WrongUnit:
    """A gateway was set up anew: for a while it sends thousandths of the unit and does not say so."""

    def __init__(self, share: float, seed: int, note: Note = unnoted, span_us: int = 30 * SECOND) -> None:
        self._episodes = Episodes(Dice("wrong-unit", seed), share, span_us)
        self._note = note

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Numbers become a thousand times as large; 0 stays 0."""
        if instrument.kind is Kind.STATE:
            return
        for one in readings:
            since = self._episodes.since(instrument.id, one.at)
            if since is not None and one.value != 0:
                what = f"{one.value!r} in thousandths of {instrument.unit}"
                self._note(Disturbance("wrong-unit", instrument.id, one.at, one.shown_at, what, since))
                one.value *= 1000


class ClockSkew:
    """A device's clock is ahead for a while, until it is set."""

    def __init__(
        self,
        share: float,
        seed: int,
        note: Note = unnoted,
        span_us: int = 3 * MINUTE,
        ahead_us: int = 3_500_000,
    ) -> None:
        """`ahead_us` below 0: behind. The usual size meets no other reading's time."""
        self._episodes = Episodes(Dice("clock-skew", seed), share, span_us)
        self._note = note
        self._ahead_us = ahead_us

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Times within an episode are shifted."""
        for one in readings:
            since = self._episodes.since(instrument.id, one.at)
            if since is not None:
                one.shown_at += self._ahead_us
                what = f"clock {self._ahead_us / SECOND:g} s ahead"
                self._note(Disturbance("clock-skew", instrument.id, one.at, one.shown_at, what, since))


class FrozenTime:
    """A device's clock stands still for a while, and it goes on sending."""

    def __init__(self, share: float, seed: int, note: Note = unnoted, span_us: int = 2 * MINUTE) -> None:
        self._episodes = Episodes(Dice("frozen-time", seed), share, span_us)
        self._note = note
        self._stands_at: dict[str, int] = {}

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        """Times within an episode become its first."""
        for one in readings:
            since = self._episodes.since(instrument.id, one.at)
            if since is None:
                continue
            if since == one.at:
                self._stands_at[instrument.id] = one.shown_at
            stands_at = self._stands_at[instrument.id]
            if stands_at != one.shown_at:
                what = f"clock stands for {(one.at - since) / SECOND:g} s"
                self._note(Disturbance("frozen-time", instrument.id, one.at, stands_at, what, since))
                one.shown_at = stands_at
