"""What an analyser test is told by: one shape for each kind.

Only shapes and their bounds; the arithmetic is `ingest.regimes.judging`. Values of a test
are in one unit, the analyser's.
"""

from typing import Annotated, Literal

import msgspec

Finite = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)]
Runs = Annotated[list[Finite], msgspec.Meta(min_length=1, max_length=1000)]


class Injection(msgspec.Struct, forbid_unknown_fields=True):
    """One gas led into the analyser."""

    reference: Finite
    measured: Finite
    level: str = ""


class CalibrationReadings(msgspec.Struct, forbid_unknown_fields=True):
    """Calibration error: zero and span gas."""

    quantity: Literal["diluent", "pollutant", "flow"]
    span: Finite
    injections: Annotated[list[Injection], msgspec.Meta(min_length=1, max_length=10)]


class Level(msgspec.Struct, forbid_unknown_fields=True):
    """The runs of one gas level."""

    reference: Runs
    measured: Runs
    level: str = ""


class LinearityReadings(msgspec.Struct, forbid_unknown_fields=True):
    """Linearity: three gases, three runs each."""

    diluent: bool
    levels: Annotated[list[Level], msgspec.Meta(min_length=1, max_length=10)]


class RataReadings(msgspec.Struct, forbid_unknown_fields=True):
    """Relative accuracy test audit."""

    parameter: str
    reference: Runs
    measured: Runs
    low_emitter: bool = False


class DriftCheck(msgspec.Struct, forbid_unknown_fields=True):
    """One drift by HJ 75."""

    quantity: Literal["gas_zero", "gas_span", "dust", "flow"]
    reference: Finite
    measured: Finite
    full_scale: Finite


class DriftReadings(msgspec.Struct, forbid_unknown_fields=True):
    """Drift check by HJ 75-2017."""

    checks: Annotated[list[DriftCheck], msgspec.Meta(min_length=1, max_length=10)]


class Qal2Readings(msgspec.Struct, forbid_unknown_fields=True):
    """EN 14181 QAL2: pairs, and what the line is made with."""

    measured: Runs
    reference: Runs
    least_spread: Finite
    offset: Finite
    sigma0: Finite


class AstReadings(msgspec.Struct, forbid_unknown_fields=True):
    """EN 14181 AST: pairs, and the line that stands."""

    measured: Runs
    reference: Runs
    a: Finite
    b: Finite
    sigma0: Finite


class Qal3Readings(msgspec.Struct, forbid_unknown_fields=True):
    """EN 14181 QAL3: reading less reference of the checks so far, and s_AMS."""

    differences: Runs
    s_ams: Finite


class RecertificationReadings(msgspec.Struct, forbid_unknown_fields=True):
    """A change that calls for certifying anew, by 40 CFR 75: no test, but what tests it requires."""

    requires: Annotated[
        list[Literal["linearity", "rata", "seven_day"]], msgspec.Meta(min_length=1, max_length=3)
    ]


Readings = (
    CalibrationReadings
    | LinearityReadings
    | RataReadings
    | DriftReadings
    | Qal2Readings
    | AstReadings
    | Qal3Readings
    | RecertificationReadings
)

TEST_READINGS: dict[str, type[Readings]] = {
    "daily_calibration": CalibrationReadings,
    "seven_day": CalibrationReadings,
    "linearity": LinearityReadings,
    "rata": RataReadings,
    "drift": DriftReadings,
    "qal2": Qal2Readings,
    "ast": AstReadings,
    "qal3": Qal3Readings,
    "recertification": RecertificationReadings,
}
"""Kind of test → its readings."""


class TestBody(msgspec.Struct):
    """The body of an inbox row of kind `test`."""

    instrument: str
    """Its full id."""
    kind: str
    performed_us: int
    readings: msgspec.Raw
    note: str = ""
