"""When an hour or a day of data counts as valid, by the rule of a regime; the rules as data.

A rule judges records of hours, which say how much of an hour was valid, in which of its
quarters, and in which the unit ran; a day's rule counts valid hours. Where records come
from is the caller's. Whether an invalid hour is substituted, and by what, is not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.model import HOUR, MINUTE

Column = npt.NDArray[np.int64]
Verdict = npt.NDArray[np.int8]
"""VALID, INVALID or NOT_JUDGED."""

VALID, INVALID, NOT_JUDGED = 1, 0, -1

HOUR_RECORD = np.dtype(
    [
        ("valid_us", np.int64),
        ("minutes_us", np.int64),  # of minutes that are valid as a whole
        ("quarters", np.int64),  # bit q: something valid in [q, q + 1) · 15 min
        ("ran", np.int64),  # bit q: the unit ran in that quarter
        ("apart_us", np.int64),  # from the first valid interval to the last
        ("calibrated", np.int64),  # 1: calibration or maintenance in it
    ]
)
"""What rules need to know of an hour."""

QUARTER = 15 * MINUTE
ALL_QUARTERS = 0b1111

HJ_MINUTES = 45
HJ_HOURS = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with where it was read."""

    id: str
    title: str
    source: str
    trust: str
    """R read in the rule itself, else unconfirmed."""


RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule("hj-hour", "at least 45 valid minutes make an hour", "HJ 212-2017 (24), k >= 45", "R"),
        Rule("hj-day", "at least 20 valid hours make a day", "HJ 212-2017 (25), m >= 20", "R"),
        Rule(
            "hj-period-flag",
            "N with at least 75 % normal members, else D; of water N only with all",
            "HJ 212-2017 notes to C.16 and C.17",
            "R",
        ),
        Rule(
            "eu-hour",
            "at least 80 % of the possible readings, or of the time, valid",
            "Regulation (EU) 2018/2066 Art. 44(2)",
            "R",
        ),
        Rule(
            "us-hour",
            "a valid point in every quarter in which the unit ran; with calibration two, 15 min apart",
            "40 CFR 75.10(d)(1)",
            "unconfirmed",
        ),
    )
}
"""Rule id → rule."""


@dataclass(frozen=True, slots=True)
class Regime:
    """The rules that a regime judges hours and days by."""

    hour: str
    day: str | None


REGIMES: Mapping[str, Regime] = {
    "hj212": Regime("hj-hour", "hj-day"),
    "mrr": Regime("eu-hour", None),
    "part75": Regime("us-hour", None),
}
"""What a plant file names → its rules."""


def hj_hour(valid_minutes: Column) -> npt.NDArray[np.bool_]:
    """Whether hours with so many valid minutes are valid."""
    found: npt.NDArray[np.bool_] = valid_minutes >= HJ_MINUTES
    return found


def hj_day(valid_hours: Column) -> npt.NDArray[np.bool_]:
    """Whether days with so many valid hours are valid."""
    found: npt.NDArray[np.bool_] = valid_hours >= HJ_HOURS
    return found


def hj_period_flag(normal: Column, members: Column, *, water: bool = False) -> list[str]:
    """The flag of periods of which so many of their members are normal: N, or D."""
    enough = normal == members if water else 4 * normal >= 3 * members
    return ["N" if is_normal else "D" for is_normal in enough.tolist()]


def eu_hour(valid: Column, possible: Column) -> npt.NDArray[np.bool_]:
    """Whether enough of the possible readings (or of the time) of hours is valid."""
    found: npt.NDArray[np.bool_] = 5 * valid >= 4 * possible
    return found


def us_hour(records: npt.NDArray[np.void]) -> Verdict:
    """Hours by their quarters (HOUR_RECORD); one in which the unit did not run is not judged."""
    every_quarter = records["ran"] & ~records["quarters"] == 0
    enough = np.where(records["calibrated"] != 0, records["apart_us"] >= QUARTER, every_quarter)
    return np.where(records["ran"] == 0, NOT_JUDGED, enough).astype(np.int8)


def judge_hours(rule: str, records: npt.NDArray[np.void]) -> Verdict:
    """Records of hours (HOUR_RECORD) by the rule of that id, one for hours."""
    if rule == "us-hour":
        return us_hour(records)
    if rule == "hj-hour":
        return hj_hour(records["minutes_us"] // MINUTE).astype(np.int8)
    if rule == "eu-hour":
        return eu_hour(records["valid_us"], np.full(records.size, HOUR)).astype(np.int8)
    raise ValueError(f"rule is {rule!r}; expected one for hours")
