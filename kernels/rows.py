"""Shapes and codes that cross into kernels.

Structured dtypes of the rows that kernels read and write, and the numbers that
stand for kinds, qualities, reasons and methods. The numbers are those of
`ingest.model`, repeated because kernels import nothing of ours (a test compares
them). This module loads numpy only, so a plan can be built without numba.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
"""A column of int64: instants and spans in µs, counts, codes. C-contiguous and writable."""

Floats: TypeAlias = NDArray[np.float64]
"""A column of float64. C-contiguous and writable (another layout would be compiled anew)."""

Records: TypeAlias = NDArray[np.void]
"""An array of one of the structured dtypes below."""

COUNTER: Final = 0
DELTA: Final = 1
GAUGE: Final = 2
SAMPLE: Final = 3
STATE: Final = 4
"""Kinds of points."""

GOOD: Final = 0
UNCERTAIN: Final = 1
SUBSTITUTED: Final = 2
BAD: Final = 3
"""Qualities; the larger is the worse."""

RANGE: Final = 1
RATE: Final = 1 << 1
STUCK: Final = 1 << 2
LATE: Final = 1 << 8
RESET: Final = 1 << 10
ROLLOVER: Final = 1 << 11
REPLACED: Final = 1 << 12
GAP: Final = 1 << 13
GLITCH: Final = 1 << 19
CONFLICT: Final = 1 << 20
"""Bits of reasons that kernels set or clear themselves."""

NORMAL_STEP: Final = 0
ROLLOVER_STEP: Final = 1
RESET_STEP: Final = 2
REPLACED_STEP: Final = 3
GLITCH_STEP: Final = 4
IMPLAUSIBLE_STEP: Final = 5
TOO_LONG_STEP: Final = 6
"""Classes of counter steps."""

SHAPED: Final = 0
WEIGHT_MISSING: Final = 1
WEIGHTS_ZERO: Final = 2
"""What came of shaping a gap; 1 and 2: it stays flat, and why."""

LINEAR: Final = 1
"""Method: Σ constants[i] · inputs[i] + constants[k]."""
RATIO: Final = 2
"""Method: inputs[0] / inputs[1]."""
HJ212_STACK_CO2: Final = 10
"""Method: HJ 212-2017 annex D (20), (29)-(31), (33); see `co2.stack_co2`."""
PART98_C6: Final = 11
"""Method: 40 CFR 98.33 equation C-6; see `co2.part98_wet`."""
PART98_C7: Final = 12
"""Method: 40 CFR 98.33 equation C-7; see `co2.part98_dry`."""
PART75_F14A: Final = 13
PART75_F14B: Final = 14
PART75_F15: Final = 15
PART75_F16: Final = 16
PART75_F17: Final = 17
PART75_F18: Final = 18
PART75_F31: Final = 19
METHOD19: Final = 20
"""Methods: equations of 40 CFR 75 appendix F and of Method 19; see `part75`."""
STEAM_HEAT: Final = 21
"""Method: heat of steam above its feed; see `steam.heat_flow`."""
KILN_RATIO: Final = 22
"""Method: process CO2 by fuel CO2 from dry gas; see `calculated.process_fuel_ratio`."""

HOUR_US: Final = 3_600_000_000
"""Microseconds in an hour."""

NEVER: Final = -(2**62)
"""The instant before every other."""

NO_COUNT: Final = -(2**63)
"""The count that says "none"."""

MAX_COUNT: Final = 2**62
"""Counts lie strictly between -MAX_COUNT and MAX_COUNT, so that no difference of two overflows."""

POINT_PARAMS: Final = np.dtype(
    [
        ("kind", np.int64),
        ("sloped", np.int64),  # 1: straight lines between readings; 0: a value holds to the next
        ("max_gap_us", np.int64),
        ("period_us", np.int64),  # what one delta reading spans; > 0 for DELTA
        ("stamp_start", np.int64),  # 1: a delta reading at t is for [t, t + period); 0: [t - period, t)
        ("resolution", np.float64),  # unit of one count
        ("modulus_count", np.int64),  # counts at which the register starts again; 0 none
        ("max_step_count_per_h", np.float64),  # fastest possible register; inf unknown
        ("fill_at_most_us", np.int64),  # a register's step over a longer time is not spread; 0 no limit
        ("fall_is_reset", np.int64),  # 1: a fall is never a glitch; 0: it may be back with the next reading
        ("max_rate_per_h", np.float64),  # a signal changes no faster, unit per hour; 0 no rule
        ("stuck_after_us", np.int64),  # a signal that stands still so long is stuck; 0 no rule
        ("stuck_band", np.float64),  # what still counts as standing still
        ("stuck_low", np.float64),  # where it may stand still; low > high: nowhere
        ("stuck_high", np.float64),
        ("lookback_us", np.int64),  # how far before its start an interval asks for readings; 0: the last one
    ]
)
"""What kernels need to know of a point."""

INTERVAL_ROW: Final = np.dtype(
    [
        ("segment", np.int64),
        ("start_at", np.int64),
        ("amount", np.float64),  # unit·h of a gauge, unit of a counter or delta, h of a state; NaN none
        ("amount_count", np.int64),  # exact amount of a counter or delta in counts; NO_COUNT none
        ("mean", np.float64),  # over used time; NaN none
        ("min", np.float64),
        ("max", np.float64),
        ("covered_us", np.int64),
        ("valid_us", np.int64),
        ("substituted_us", np.int64),
        ("quality", np.int64),
        ("reasons", np.int64),
    ]
)
"""One interval of one segment."""

STEP_ROW: Final = np.dtype(
    [
        ("segment", np.int64),
        ("at", np.int64),  # of the reading after the step; of a glitch its own
        ("previous_at", np.int64),  # of the reading kept before
        ("step_class", np.int64),
        ("increment", np.int64),  # counts booked as used
        ("correction", np.int64),  # Σ increments + Σ corrections = last - first
    ]
)
"""One counter step that was not normal."""

GAP_ROW: Final = np.dtype(
    [
        ("segment", np.int64),
        ("from_at", np.int64),  # of the reading kept before the gap
        ("to_at", np.int64),  # of the one after it
        ("increment", np.int64),  # counts booked as used in it
    ]
)
"""One gap that a register has lived through and that is filled."""
