"""The vocabulary of facts: kinds of points, quality, reasons, causes.

Numbers are stored and cross into kernels, so they never change meaning; new
members get new numbers. This module knows no plant file, wire or database.
"""

from enum import IntEnum, IntFlag


class Kind(IntEnum):
    """What a point measures, and therefore what its readings add up to."""

    COUNTER = 0
    """A running total; amounts are differences of the register."""
    DELTA = 1
    """An amount per message, for the period before (or after) its stamp."""
    GAUGE = 2
    """A rate (kW, t/h); its integral over time is an amount."""
    SAMPLE = 3
    """A property (°C, %, Pa); it has means, never an amount."""
    STATE = 4
    """A code that holds until the next; its amount is the hours it was not 0."""


class Quality(IntEnum):
    """How far a value may be trusted; the larger number is the worse one."""

    GOOD = 0
    UNCERTAIN = 1
    """Used and valid, but flagged."""
    SUBSTITUTED = 2
    """Used, counted in substituted time, not valid."""
    BAD = 3
    """Stored, in no sum or mean; its time is covered but not valid."""


class Reason(IntFlag):
    """Why a reading or an interval is not simply good; a bit set."""

    RANGE = 1
    RATE = 1 << 1
    STUCK = 1 << 2
    CALIBRATION = 1 << 3
    MAINTENANCE = 1 << 4
    FAULT = 1 << 5
    OVER_RANGE = 1 << 6
    COMM = 1 << 7
    LATE = 1 << 8
    """Arrived after its interval had closed. On readings only: intervals do not depend on arrival."""
    FUTURE = 1 << 9
    RESET = 1 << 10
    ROLLOVER = 1 << 11
    REPLACED = 1 << 12
    GAP = 1 << 13
    MANUAL = 1 << 14
    NO_TIME = 1 << 15
    STALE = 1 << 16
    DRIFT = 1 << 17
    """It has drifted from what it is compared with."""
    OVERDUE = 1 << 18
    """Its instrument's calibration was due."""
    GLITCH = 1 << 19
    """A register that fell or jumped and was back with the next reading; skipped."""
    CONFLICT = 1 << 20
    """Unequal readings of one time and one `seq`, or of none: a clock that stands, or two who tell of one point."""

    @property
    def names(self) -> list[str]:
        """The names of the set bits in lower case, lowest bit first."""
        return [str(bit.name).lower() for bit in Reason if bit in self]


class Cause(IntEnum):
    """Why an interval got a new revision."""

    CLOSING = 0
    LATE = 1
    CORRECTION = 2
    GAP_FILLED = 3
    DECLARATION = 4
    RESTATEMENT = 5
    TEST = 6
    """A test of an analyser, of hours of a regime."""


class StepClass(IntEnum):
    """What a counter did between two usable readings."""

    NORMAL = 0
    ROLLOVER = 1
    RESET = 2
    REPLACED = 3
    GLITCH = 4
    IMPLAUSIBLE = 5
    TOO_LONG = 6
    """Over a gap longer than the point's fill_at_most: nothing is booked of it, all is a correction."""


class Fill(IntEnum):
    """How a counter's use of a gap is spread over its intervals."""

    FLAT = 0
    """Evenly."""
    SAME_HOUR = 1
    """As the point used at the same local time on the days before."""
    PRODUCTION = 2
    """As another point's amounts are."""


class FlatBecause(IntEnum):
    """Why a gap is flat although another profile was asked for."""

    NOT = 0
    """It is not, or flat was asked for."""
    WEIGHT_MISSING = 1
    """An interval of it has no weight."""
    WEIGHTS_ZERO = 2
    """All its weights are 0."""
    PLAN_CHANGED = 3
    """Another version of the plan is in force in a part of it: two profiles would not add up to its total."""


MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Spans and instants are int64 µs; instants count from 1970-01-01T00:00Z."""

NEVER = -(2**62)
"""The instant before every other: the frontiers of a point never seen."""

NO_SEQ = -1
"""`seq` of a reading that carried none; sorts below every sequence number."""

DECLARED_SEQ = 1 << 62
"""From here on `seq` belongs to readings that people declared: they win over every device's."""

ANALYSED_SEQ = DECLARED_SEQ + (1 << 61)
"""From here on to readings that say what laboratory analyses give."""
