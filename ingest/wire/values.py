"""The scalars of the contract: values, qualities, reasons, sequence numbers, units.

Each function takes what JSON held and returns the number the columns hold, or
raises RefusedError with the sentence for it. They serve the messages that need
looking at; whole lists of plain numbers never come here.
"""

import math
from typing import Any

from ingest.errors import InputError
from ingest.model import DECLARED_SEQ, NO_SEQ, Kind, Quality, Reason
from ingest.plant.plan import Plan
from ingest.wire.refusal import RefusedError, RejectReason, shown
from ingest.wire.rows import PLAIN, Flags

QUALITIES: dict[str | None, int] = {None: Quality.GOOD, **{item.name.lower(): int(item) for item in Quality}}
REASONS: dict[str | None, int] = {
    None: 0,
    **{str(item.name).lower(): int(item) for item in Reason if item is not Reason.CONFLICT},
}
"""What a publisher may say; whether readings contradict each other is told by those that are known."""
UNKNOWN = -1
"""Code of a quality or reason that has no such name."""
MAY_LACK_VALUE = frozenset({int(Quality.BAD), int(Quality.UNCERTAIN)})
"""With these qualities null is a reading without a value; with others it is no reading."""

_GOOD = int(Quality.GOOD)
_LAST_SEQ = DECLARED_SEQ - 1
_CACHED_UNITS = 4096
"""A publisher that invents units must not grow the cache."""


def code_of(name: Any, codes: dict[str | None, int]) -> int:
    """Return the code of a quality or reason, UNKNOWN if there is none."""
    return codes.get(name, UNKNOWN) if type(name) is str or name is None else UNKNOWN


def quality_of(name: Any) -> int:
    """Return the quality a message names; absent or null is good."""
    code = code_of(name, QUALITIES)
    if code == UNKNOWN:
        raise unknown_quality(name)
    return code


def reasons_of(names: Any) -> int:
    """Return the bits of a reason's name, or of a list of them."""
    if names is None:
        return 0
    bits = 0
    for name in names if type(names) is list else (names,):
        code = code_of(name, REASONS)
        if code == UNKNOWN:
            raise unknown_reason(name)
        bits |= code
    return bits


def seq_of(seq: Any) -> int:
    """Return a sequence number, NO_SEQ where it is absent or null."""
    if seq is None:
        return NO_SEQ
    if type(seq) is int and 0 <= seq <= _LAST_SEQ:
        return seq
    raise RefusedError(
        RejectReason.BAD_SEQ, f"seq is {shown(seq)}; an integer from 0 to 2^62 - 1 was expected."
    )


def flags_of(quality: Any, reason: Any, seq: Any) -> Flags:
    """Return what a message says of its readings."""
    if quality is None and reason is None and seq is None:
        return PLAIN
    if quality is None and reason is None:
        return _GOOD, 0, seq_of(seq)
    return quality_of(quality), reasons_of(reason), seq_of(seq)


def unknown_quality(name: Any) -> RefusedError:
    """Return the refusal of a quality that has no such name."""
    return RefusedError(
        RejectReason.UNKNOWN_QUALITY,
        f"quality is {shown(name)}; one of {', '.join(str(key) for key in QUALITIES if key)} was expected.",
    )


def unknown_reason(name: Any) -> RefusedError:
    """Return the refusal of a reason that has no such name."""
    return RefusedError(
        RejectReason.UNKNOWN_REASON,
        f"reason is {shown(name)}; one of {', '.join(str(key) for key in REASONS if key)} was expected.",
    )


class Values:
    """Values and units as the points of one plan take them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._scales: dict[tuple[int, str], tuple[float, float]] = {}
        self._refused: dict[tuple[int, str], tuple[RejectReason, str]] = {}

    def number(self, value: Any, point: int) -> float:
        """Return the number of one JSON value other than null."""
        kind = type(value)
        if kind is float and math.isfinite(value):
            return float(value)
        declared = self._plan.points[point]
        if kind is int or kind is float:
            return _finite(value, declared.id)
        if declared.kind is Kind.STATE:
            if kind is bool:
                return float(value)
            code = declared.states.get(value) if kind is str else None
            if code is not None:
                return float(code)
            known = ", ".join(declared.states) or "none declared"
            raise RefusedError(
                RejectReason.UNKNOWN_STATE,
                f"value of {declared.id} is {shown(value)}; a state ({known}), its code, true or false "
                "was expected.",
            )
        raise RefusedError(
            RejectReason.NOT_A_NUMBER, f"value of {declared.id} is {shown(value)}; a number was expected."
        )

    def converted(self, value: float, point: int, unit: Any) -> float:
        """Return a value given in `unit` in the point's own unit."""
        multiplier, offset = self._scale(point, unit)
        if multiplier == 1.0 and offset == 0.0:
            return value  # -0.0 and every last bit stay
        return _finite(value * multiplier + offset, self._plan.points[point].id)

    def _scale(self, point: int, unit: Any) -> tuple[float, float]:
        if type(unit) is not str:
            raise RefusedError(
                RejectReason.UNKNOWN_UNIT,
                f"unit of {self._plan.points[point].id} is {shown(unit)}; the name of a unit was expected.",
            )
        key = (point, unit)
        scale = self._scales.get(key)
        if scale is not None:
            return scale
        if len(self._scales) + len(self._refused) >= _CACHED_UNITS:
            self._scales.clear()
            self._refused.clear()
        if key not in self._refused:
            try:
                scale = self._scales[key] = self._plan.convert(point, unit)
            except InputError as error:
                detail = f"{self._plan.points[point].id}: {error}."
                self._refused[key] = (self._unit_fault(point, unit), detail)
            else:
                return scale
        raise RefusedError(*self._refused[key])

    def _unit_fault(self, point: int, unit: str) -> RejectReason:
        from ingest.units import measure  # noqa: PLC0415  loads pint, which most sites never need

        try:
            given, declared = measure(unit), measure(self._plan.points[point].unit)
        except InputError:
            return RejectReason.UNKNOWN_UNIT
        return RejectReason.BASIS if given.same_dimension(declared) else RejectReason.DIMENSION


def _finite(value: float, point_id: str) -> float:
    try:
        if math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer of JSON may have 300 digits and more
        pass
    raise RefusedError(
        RejectReason.NOT_FINITE, f"value of {point_id} is {shown(value)}; a finite number was expected."
    )
