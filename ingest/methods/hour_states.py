"""What a regime's hour says of itself: states of its components, and reasons."""

from enum import IntFlag

MEASURED, STOPPED, REPLACED, BELOW_MIN_CAPTURE, NO_LOOKBACK = range(5)
"""States of a row, those of `kernels.hours` (a test compares them)."""
NO_RULE = 5
"""Beside them: missing, and the regime has no scheme for the component."""

STATES = {
    MEASURED: "measured",
    STOPPED: "stopped",
    REPLACED: "replaced",
    BELOW_MIN_CAPTURE: "below_min_capture",
    NO_LOOKBACK: "no_lookback",
    NO_RULE: "no_rule",
}
"""State → what it is called."""


class HourReason(IntFlag):
    """Why an hour is not simply measured; a bit set."""

    STOPPED = 1
    OPERATION_UNKNOWN = 1 << 1
    DILUENT_CAP = 1 << 2
    BELOW_MIN_CAPTURE = 1 << 3
    NO_LOOKBACK = 1 << 4
    NO_RULE = 1 << 5
    OUT_OF_CONTROL = 1 << 6
    ZERO_AT_LOAD = 1 << 7
    """A measured concentration of 0 in a load bin above the first: flagged, and used as it is."""
    CONDITIONAL = 1 << 8
    """Under reserve of the tests that a recertification requires."""

    @property
    def names(self) -> list[str]:
        """The names of the set bits in lower case, lowest bit first."""
        return [str(bit.name).lower() for bit in HourReason if bit in self]
