"""Shapes and codes of regimes over hours: one record per clock hour, and what is put in its place.

Loads numpy only. Codes of Part 75 are the numbers of its methods of determination
(MODC); states say in every regime whether an hour has a figure and why not.
"""

from typing import Final

import numpy as np

HOUR: Final = 3_600_000_000
"""Microseconds."""

HOUR_ROW: Final = np.dtype(
    [
        ("start_at", np.int64),  # µs; sorted, each hour once, no clock hour left out between first and last
        ("value", np.float64),  # of the quantity the rule is for; NaN none
        ("valid", np.int64),  # 1: valid by the regime's rule for hours
        ("operating", np.int64),  # 1: the unit ran in it
        ("out_of_control", np.int64),  # 1: the analyser's tests say so
        ("load_bin", np.int64),  # of load or of operation, from 0; -1 none: the first
        ("period", np.int64),  # number of the quarter or year it is of, increasing
    ]
)
"""An hour as a substitution rule sees it. It counts as measured if it ran, is valid, in control and finite."""

SUBSTITUTE_ROW: Final = np.dtype(
    [
        ("value", np.float64),  # measured, or the substitute; NaN none
        ("code", np.int64),  # how it was determined: MODC of Part 75, else 0
        ("state", np.int64),
        ("provisional", np.int64),  # 1: will be told anew when the gap ends or the period closes
        ("availability_pct", np.float64),  # that chose the rule; NaN none
        ("gap_h", np.int64),  # hours of the gap it lies in; 0 measured
        ("rests_on", np.int64),  # hours the substitute was made from
    ]
)
"""What a regime puts into an hour."""

HOUR_FACT: Final = np.dtype(
    [
        ("start_at", np.int64),  # µs UTC
        ("value", np.float64),  # mean over valid time; NaN none
        ("valid_us", np.int64),
        ("minutes_us", np.int64),  # of minutes that are valid as a whole
        ("covered_us", np.int64),
        ("on_us", np.int64),  # of a state: when it was not 0
        ("quarters", np.int64),  # bit q: something valid, of a state not 0, in that quarter
        ("apart_us", np.int64),  # from the first valid interval to the last
        ("away", np.int64),  # 1: calibration or maintenance in it
    ]
)
"""What an hour of one point is, told by its intervals alone."""

MEASURED: Final = 0
STOPPED: Final = 1
"""The unit did not run: neither measured nor missing."""
REPLACED: Final = 2
BELOW_MIN_CAPTURE: Final = 3
"""The regime has no rule for so little data: no value."""
NO_LOOKBACK: Final = 4
"""There are no measured hours to make a substitute from: no value."""

PART75_RULE: Final = np.dtype(
    [
        ("direction", np.int64),  # 1: a high value overstates emissions, -1: a low one does (O2, moisture)
        ("by_bin", np.int64),  # 1: flow's table by load bin, 0: concentration's
        ("lookback_h", np.int64),
        ("upper_pct", np.float64),
        ("middle_pct", np.float64),
        ("lower_pct", np.float64),
        ("upper_short_h", np.int64),
        ("middle_short_h", np.int64),
        ("upper_percentile", np.int64),  # 90; of direction -1: 10
        ("middle_percentile", np.int64),
        ("availability_h", np.int64),  # operating hours that availability looks back over
        ("oldest_h", np.int64),  # clock hours beyond which nothing is looked back to
        ("at_end", np.int64),  # 1: availability at the gap's end chooses, 0: that before the gap
        ("potential", np.float64),  # maximum (or minimum) potential value
    ]
)
"""A missing-data procedure of 40 CFR 75 subpart D."""

HJ75_RULE: Final = np.dtype(
    [
        ("upper_pct", np.float64),
        ("lower_pct", np.float64),
        ("short_h", np.int64),
        ("short_lookback_h", np.int64),
        ("long_lookback_h", np.int64),
        ("low_lookback_h", np.int64),
    ]
)
"""The table of HJ 75-2017 for hourly mass."""

MODC_MEASURED: Final = 1
MODC_BEFORE_AFTER: Final = 6
MODC_INITIAL: Final = 7
MODC_UPPER: Final = 8
MODC_MIDDLE: Final = 9
MODC_EXTREME: Final = 10
MODC_BIN_MEAN: Final = 11
MODC_POTENTIAL: Final = 12
MODC_ZERO: Final = 21
"""Methods of determination; 8 and 9 are percentiles (90th, 95th, or their mirror images), 21 is a negative value
set to 0."""
