"""Shapes and codes of alert rules that cross into `kernels.rules`.

Loads numpy only, so that a plan can be built without numba.
"""

from typing import Final

import numpy as np

SUBJECT: Final = np.dtype(
    [
        ("value", np.float64),  # NaN: there is none
        (
            "weight",
            np.float64,
        ),  # excess · weight is an amount an hour (1 of a rate); NaN: it adds up to nothing
        ("valid_share", np.float64),  # of [from_at, to_at)
        ("quality", np.int64),
        ("reasons", np.int64),
        ("at", np.int64),  # of the newest data in it; NEVER: never heard of
        ("from_at", np.int64),
        ("to_at", np.int64),  # up to which instant the value is known
    ]
)
"""What a rule watches, as it is now."""

LIMITS: Final = 0
CHANGE: Final = 1
STATE: Final = 2
AGE: Final = 3
QUALITY: Final = 4
"""What is compared with the limits: the value, its change over a span, a code with codes, the age of the data, or
how far the figure may be trusted."""

RULE: Final = np.dtype(
    [
        ("subject", np.int64),
        ("kind", np.int64),
        ("hold_us", np.int64),  # so long the condition must last
        ("hysteresis", np.float64),  # how far back inside its limits resolves it
        ("least_share", np.float64),  # with less valid time nothing is known
        ("span_us", np.int64),  # of CHANGE: over which the value changes
        ("worst", np.int64),  # of QUALITY: this quality and worse; above BAD: none
        ("reasons", np.int64),  # of QUALITY: any of these bits
        ("refire_us", np.int64),  # told again only so long after it was told
        ("most_told", np.int64),  # and so often in told_span_us; 0: any number of times
        ("told_span_us", np.int64),
        ("quiet", np.int64),  # which of the quiets; -1 none
        ("codes_from", np.int64),  # of STATE: codes[codes_from:codes_to]
        ("codes_to", np.int64),
        ("codes_not", np.int64),  # 1: any code but these
        (
            "parents_from",
            np.int64,
        ),  # parents[parents_from:parents_to], all of them smaller than the rule's own place
        ("parents_to", np.int64),
        ("memory", np.int64),  # row of `past_at` and `past_value`; -1 none
        ("tolds", np.int64),  # row of `told_at`; -1 none
    ]
)
"""A rule; its limits are columns beside it, for those of a benchmark or of past days change."""

INACTIVE: Final = 0
PENDING: Final = 1
FIRING: Final = 2

RULE_STATE: Final = np.dtype(
    [
        ("state", np.int64),
        ("told", np.int64),  # 1: people have been told of the episode
        ("pending_at", np.int64),  # of the last episode, under way or over; NEVER: none
        ("fired_at", np.int64),
        (
            "held_from",
            np.int64,
        ),  # since when nothing is known of an episode, or it is quiet; NEVER: it is known
        ("held_us", np.int64),  # how long that was before, since pending_at
        ("seen_at", np.int64),  # up to which instant its subject has been judged
        ("born_at", np.int64),  # when it was first looked at: from then on missing data are missing
        ("excess", np.float64),  # amount above the limit since pending_at; NaN: it adds up to nothing
    ]
)
"""Where a rule stands."""

MEMORY: Final = 16
"""Past values of a CHANGE rule, and past instants at which a dampened one was told."""

FIRED: Final = 1
RESOLVED: Final = 2
TOLD: Final = 3
"""What became of a rule: an episode began, ended, or people may now be told of one that began before."""

AUDIBLE: Final = 0
HISTORICAL: Final = 1
SILENCED: Final = 2
PARENT: Final = 3
DAMPENED: Final = 4
"""Why people are not told."""

TRANSITION: Final = np.dtype(
    [
        ("rule", np.int64),
        ("what", np.int64),
        ("mute", np.int64),  # of FIRED why people are not told; of RESOLVED 1 if they never were
        ("at", np.int64),
        ("pending_at", np.int64),
        ("fired_at", np.int64),
        ("value", np.float64),  # that was compared
        ("limit", np.float64),  # that was passed; NaN of states, qualities and reasons
        ("side", np.int64),  # 1 above, -1 below, 0 neither
        ("excess", np.float64),
    ]
)
"""One change of one rule."""

LIVE_US: Final = 600_000_000
"""What is known of an instant longer ago is history: kept, told to nobody."""
