"""What is asked to be declared, judged against the plan: times, units, limits.

A claim is what remains of a body: values in the point's unit, under the words that the
store keeps. What it contradicts of what was measured or declared before is
`service.declaring`'s business.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from ingest.model import Kind as PointKind
from ingest.pipeline.admission import YEAR_2000
from ingest.plant.plan import Plan, PlanPoint
from ingest.wire.refusal import RefusedError
from ingest.wire.values import Values
from service.bodies import invalid_body
from service.declarations import Kind
from service.documents import Instant
from service.figures import QualityName
from service.problems import invalid
from service.times import FIRST_INSTANT, LAST_INSTANT, format_instant

_LONGEST_NOTE = 500
_MOST_COUNTS = 2.0**62
"""Registers beyond it are none to ingest either."""


def _note(text: str) -> str:
    if not 1 <= len(text) <= _LONGEST_NOTE or not text.strip() or "\0" in text:
        raise ValueError(f"expected 1 to {_LONGEST_NOTE} characters that say why")
    return text


Note = Annotated[str, AfterValidator(_note), WithJsonSchema({"type": "string", "maxLength": _LONGEST_NOTE})]


@dataclass(frozen=True, slots=True)
class Claim:
    """What is declared, values in the point's unit."""

    kind: Kind
    point_id: str
    at: int
    """µs."""
    body: Mapping[str, Any]
    note: str
    withdraws: int | None = None

    def digest(self, author: str) -> bytes:
        """What tells it from every other."""
        parts = [self.kind, self.point_id, self.at, dict(self.body), self.note, self.withdraws, author]
        return hashlib.sha256(msgspec.json.encode(parts)).digest()


class Asked(BaseModel):
    """Base of a request's body."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class CorrectionAsked(Asked):
    """What a reading should have said."""

    measured_at: Instant = Field(description="Its instant; where there is no reading, one is supplied")
    value: Annotated[Any, WithJsonSchema({"type": ["number", "string", "boolean", "null"]})] = Field(
        description="A number, of a state point also a state's name; null: there is no usable value"
    )
    unit: str | None = Field(None, max_length=100, description="Of the value; default: the point's")
    quality: QualityName | None = Field(None, description="Default: good; without a value only bad")
    note: Note = Field(description="Why")


class ReplacementAsked(Asked):
    """A meter that was taken out and the one that came in."""

    at: Instant = Field(description="When the one followed the other")
    old_final: float = Field(description="The old meter's last register")
    new_initial: float = Field(description="The new meter's first register")
    unit: str | None = Field(None, max_length=100, description="Of both; default: the point's")
    note: Note = Field(description="Why")
    force: bool = Field(False, description="Although it does not fit the readings before and after it")


class WithdrawalAsked(Asked):
    """Why a declaration is to be undone."""

    note: Note = Field(description="Why")


class Nothing(Asked):
    """A decision needs no words."""


def correction(plan: Plan, point: PlanPoint, asked: CorrectionAsked, now: int) -> Claim:
    """The claim of a correction; `now` is µs of UTC.

    Raises:
        ProblemError: the point cannot have said so.
    """
    _check_instant(point, "measured_at", asked.measured_at, now)
    value = None if asked.value is None else _converted(plan, point, asked.value, asked.unit)
    quality = asked.quality or ("bad" if value is None else "good")
    if value is None and quality != "bad":
        raise invalid("Body", "quality", quality, "bad, where there is no value")
    if value is not None and quality != "bad":
        _check_limits(plan, point, "value", value)
    return Claim("correction", point.id, asked.measured_at, {"value": value, "quality": quality}, asked.note)


def replacement(plan: Plan, point: PlanPoint, asked: ReplacementAsked, now: int) -> Claim:
    """The claim of a meter's replacement; `now` is µs of UTC.

    Raises:
        ProblemError: the point has no register, or it cannot have read so.
    """
    if point.kind is not PointKind.COUNTER:
        raise invalid("Path parameter", "point_id", point.id, "a counter, for other points have no register")
    _check_instant(point, "at", asked.at, now)
    body: dict[str, Any] = {"forced": asked.force}
    for name in ("old_final", "new_initial"):
        body[name] = _converted(plan, point, getattr(asked, name), asked.unit)
        _check_limits(plan, point, name, body[name])
    return Claim("replacement", point.id, asked.at, body, asked.note)


def withdrawal(given: Claim, declaration_no: int, asked: WithdrawalAsked) -> Claim:
    """The claim that a declaration be undone."""
    return Claim("withdrawal", given.point_id, given.at, {}, asked.note, declaration_no)


def _check_instant(point: PlanPoint, name: str, at: int, now: int) -> None:
    if point.analysis is not None:
        expected = f"a measured one: it is what analyses {point.analysis[0]!r} give, which documents tell"
        raise invalid("Path parameter", "point_id", point.id, expected)
    if not FIRST_INSTANT <= at <= LAST_INSTANT:  # no calendar has it, so it is shown as a number
        raise invalid("Body", name, at // 1000, "an instant since 2000, as RFC 3339 or in ms since 1970")
    if at > now:
        raise invalid(
            "Body", name, format_instant(at), f"an instant that is past, it is {format_instant(now)}"
        )
    if at < YEAR_2000:
        raise invalid("Body", name, format_instant(at), "an instant since 2000")
    if point.until is not None and at >= point.until:
        raise invalid(
            "Body", name, format_instant(at), f"one before the point's end, {format_instant(point.until)}"
        )


def _converted(plan: Plan, point: PlanPoint, value: Any, unit: str | None) -> float:
    """A value in the point's unit."""
    values, place = Values(plan), plan.index[point.id]
    try:
        number = values.number(value, place)
        return number if unit is None else values.converted(number, place, unit)
    except RefusedError as error:
        raise invalid_body(error.reason, error.detail) from None


def _check_limits(plan: Plan, point: PlanPoint, name: str, value: float) -> None:
    place, params = plan.index[point.id], plan.params
    low, high = float(params["low"][place]), float(params["high"][place])
    if not low <= value <= high:
        raise invalid("Body", name, value, f"{low} to {high} {point.unit}, the limits of the point")
    if point.kind in (PointKind.COUNTER, PointKind.DELTA) and abs(value) / point.resolution >= _MOST_COUNTS:
        raise invalid("Body", name, value, f"fewer than 2^62 counts of {point.resolution} {point.unit}")
