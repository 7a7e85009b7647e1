"""Substitution schemes of the regimes as data: every number with its source and trust.

A scheme says what is put where an analyser has no valid hour; the arithmetic is in
`kernels.missing75` and `kernels.missing`, applied by `ingest.regimes.substitution`. What
a regime has no rule for (HJ 75 below its least capture) has none here either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ingest.methods.method import MethodConstant
from ingest.methods.rounding import TO_TENTH, TO_THOUSAND, UNROUNDED, Rounding


class Family(StrEnum):
    """Which kernel applies a scheme."""

    PART75 = "part75"
    HJ75 = "hj75"
    MRR = "mrr"
    NEIGHBOURS = "neighbours"


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a regime puts into hours without a valid value."""

    id: str
    family: Family
    title: str
    quantity: str
    """What it is for; nothing else is substituted by it."""
    source: str
    constants: tuple[MethodConstant, ...]
    rounding: Rounding = UNROUNDED
    """Of a substitute when it is reported."""
    label: str | None = None
    """What results carry when the regime does not provide for the quantity itself."""

    def __getitem__(self, name: str) -> float:
        """The value of a constant."""
        for one in self.constants:
            if one.name == name and one.value is not None:
                return one.value
        raise KeyError(f"{self.id} has no constant {name!r}")

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Names of constants that nobody read in the rule itself."""
        return tuple(one.name for one in self.constants if one.trust == "unconfirmed")


def _numbers(source: str, trust: str, unit: str, **values: float) -> tuple[MethodConstant, ...]:
    return tuple(MethodConstant(name, unit, float(value), source, trust) for name, value in values.items())


_SO2, _FLOW = "40 CFR 75.33(b), 75.35", "40 CFR 75.33(c)"

_BANDS = (
    *_numbers("40 CFR 75.33; EPA checking program", "R", "%", upper_pct=95, middle_pct=90, lower_pct=80),
    *_numbers("40 CFR 75.32 Eq. 9", "R", "h", availability_h=8760, oldest_h=26280),
    *_numbers("availability at the end of the gap chooses", "unconfirmed", "1", at_end=1),
    *_numbers("a gap's hours are those in which the unit ran", "unconfirmed", "1", operating_hours_only=1),
    *_numbers("percentile by nearest rank, ceil(p · n)", "unconfirmed", "1", nearest_rank=1),
)

_CONCENTRATION = Scheme(
    "part75.concentration",
    Family.PART75,
    "Mean of the hour before and after, percentile, maximum or potential value",
    "concentration",
    _SO2,
    (
        *_BANDS,
        *_numbers(_SO2, "R", "h", lookback_h=720, upper_short_h=24, middle_short_h=8),
        *_numbers(_SO2, "R", "%", upper_percentile=90, middle_percentile=95),
        *_numbers("a high value overstates", "R", "1", direction=1, by_bin=0),
    ),
    TO_TENTH,
)

_LOW = Scheme(
    "part75.low-overstates",
    Family.PART75,
    "The same where a low value overstates emissions: percentiles mirrored, minimum, least potential value",
    "O2 or moisture",
    "40 CFR 75.33-75.37",
    (
        *_BANDS,
        *_numbers("40 CFR 75.35, 75.37", "R", "h", lookback_h=720, upper_short_h=24, middle_short_h=8),
        *_numbers("mirror image of 75.33(b)", "unconfirmed", "%", upper_percentile=10, middle_percentile=5),
        *_numbers("EPA checking program: not above the mean", "R", "1", direction=-1, by_bin=0),
    ),
    TO_TENTH,
)

_BINS = Scheme(
    "part75.flow",
    Family.PART75,
    "Mean of the load or operational bin, percentile or maximum of it, or potential flow",
    "flow",
    _FLOW,
    (
        *_BANDS,
        *_numbers(_FLOW, "R", "h", lookback_h=2160, upper_short_h=24, middle_short_h=8),
        *_numbers(_FLOW, "unconfirmed", "%", upper_percentile=90, middle_percentile=95),
        *_numbers(_FLOW, "unconfirmed", "1", direction=1, by_bin=1),
        *_numbers(
            "an empty bin takes the next higher one, else the potential value", "unconfirmed", "1", next_bin=1
        ),
    ),
    TO_THOUSAND,
)

_HJ75 = Scheme(
    "hj75.mass",
    Family.HJ75,
    "Largest hourly mass of the last valid hours before the gap",
    "hourly mass of SO2, NOx or dust",
    "HJ 75-2017 table 5, a peer's reading",
    (
        *_numbers("HJ 75-2017 table 5", "P", "%", upper_pct=90, lower_pct=75),
        *_numbers("HJ 75-2017 table 5", "P", "h", short_h=24, short_lookback_h=180),
        *_numbers("HJ 75-2017 table 5", "P", "h", long_lookback_h=720, low_lookback_h=2160),
        *_numbers("hours in a row, whatever their cause, are one gap", "unconfirmed", "1", one_gap=1),
    ),
)

_MRR = Scheme(
    "mrr.concentration",
    Family.MRR,
    "Mean plus twice the standard deviation over the reporting period",
    "concentration",
    "Regulation (EU) 2018/2066 Art. 45(3), annex VIII Eq. 4",
    (
        *_numbers("Art. 45(3)", "R", "1", deviations=2),
        *_numbers("best estimate, n - 1", "unconfirmed", "1", freedom_lost=1),
    ),
)

_NEIGHBOURS = Scheme(
    "40cfr98.35",
    Family.NEIGHBOURS,
    "Mean of the values before and after",
    "heat value, carbon content or molar mass of a fuel",
    "40 CFR 98.35(b)(1)",
    _numbers("40 CFR 98.35(b)(1)", "unconfirmed", "1", before=1, after=1),
)

SCHEMES: Mapping[str, Scheme] = {
    scheme.id: scheme
    for scheme in (
        _CONCENTRATION,
        _LOW,
        _BINS,
        _HJ75,
        replace(_HJ75, id="hj75.co2-mass", quantity="hourly mass of CO2", label="hj75_analogy"),
        _MRR,
        _NEIGHBOURS,
    )
}
"""Id → scheme."""

DETERMINATIONS: Mapping[int, str] = {
    1: "primary system",
    2: "backup system",
    3: "alternative system",
    4: "reference method",
    5: "speciality system",
    6: "mean of the hour before and after",
    7: "initial procedure",
    8: "90th percentile of the look-back",
    9: "95th percentile of the look-back",
    10: "maximum of the look-back",
    11: "mean of the load bin",
    12: "maximum potential value",
    17: "like-kind analyser",
    19: "default high range",
    20: "over range",
    21: "negative value set to 0",
    53: "other quality-assured method",
    54: "other quality-assured method",
    55: "other substitute",
}
"""Codes of Part 75's methods of determination; the sets were read in the regulator's program, the wording is ours.

Of a quantity of which a low value overstates, 8 to 10 and 12 are the mirror images.
"""

DETERMINED_BY_MEASURING = frozenset({*range(1, 5), *range(16, 23), 53, 54})
"""Codes that the regulator's program counts as measured."""
