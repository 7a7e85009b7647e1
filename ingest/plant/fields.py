"""The words a plant file is written in: ids, spans, dates and numbers.

Each is a pydantic field type that says, when it refuses, what it expected.
YAML already knows numbers from texts, so nothing is coerced: "5" is no number
and true is no 1. What an id refers to is not known here (`references`).
"""

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)

from ingest.model import DAY, HOUR, MINUTE, SECOND

RESERVED = frozenset({"readings", "intervals", "ledger", "series", "latest", "footprint"})
"""Segments the HTTP API puts behind an id."""

LONGEST_ID = 255
"""Characters of an id: topics and index rows of the database have room for a few of them."""

LONGEST_SPAN = 36_600 * DAY
"""No plant waits longer, and an instant with any span added stays an int64."""

_SEGMENT = re.compile(r"[a-z0-9_-]+")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)", re.ASCII)
_SPAN_UNITS = {"ms": 1_000, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_RATE = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(\S.*)/\s*(s|min|h|d)")
_TOLERANCE = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(\S.*)")
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_MONTH_DAY = re.compile(r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a field wants, for the sentence that says it is missing."""

    text: str


class Entry(BaseModel):
    """Base of everything in a plant file: immutable, unknown keys refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True
    )


def parse_span(value: Any) -> int:
    """A span as written (`5s`, `15min`, `1h`, `1d`) in µs."""
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration such as 5s, 15min, 1h or 1d")
    span = float(match[1]) * _SPAN_UNITS[match[2]]
    if span > LONGEST_SPAN:
        raise ValueError(f"a duration of at most {format_span(LONGEST_SPAN)}")
    if span != int(span):
        raise ValueError("a duration of whole microseconds")
    return int(span)


def format_span(span_us: int) -> str:
    """A span in its largest whole unit: 900 000 000 µs is `15min`."""
    for unit in ("d", "h", "min", "s"):
        if span_us % _SPAN_UNITS[unit] == 0 and (span_us > 0 or unit == "s"):
            return f"{span_us // _SPAN_UNITS[unit]}{unit}"
    return f"{span_us / _SPAN_UNITS['ms']}ms".replace(".0ms", "ms")


def split_rate(value: str) -> tuple[float, str, str]:
    """A rate as written (`50 kW/s`) as its size, its unit and the time: s, min, h or d."""
    match = _RATE.fullmatch(value)
    if match is None or not 0 < float(match[1]) < math.inf:
        raise ValueError("a rate above 0 such as 50 kW/s")
    return float(match[1]), match[2].strip(), match[3]


def split_tolerance(value: str) -> tuple[float, str]:
    """A tolerance as written (`2 %`, `5 kW`) as its size and its unit."""
    match = _TOLERANCE.fullmatch(value.strip())
    if match is None or not 0 < float(match[1]) < math.inf:
        raise ValueError("a share above 0 such as 2 %, or a quantity such as 5 kW")
    return float(match[1]), match[2].strip()


def _tolerance(value: Any) -> str:
    split_tolerance(value if isinstance(value, str) else "")
    return str(value)


def _rate(value: Any) -> Any:
    if isinstance(value, str):
        with suppress(ValueError):
            split_rate(value)
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    raise ValueError("a number above 0, per hour, or a rate such as 50 kW/s")


def parse_path(value: str) -> str:
    """An id of one or more segments, as it is; ValueError says what was expected."""
    if len(value) > LONGEST_ID:
        raise ValueError(f"an id of at most {LONGEST_ID} characters")
    for segment in value.split("/"):
        if not _SEGMENT.fullmatch(segment):
            raise ValueError("segments of a-z, 0-9, _ and - joined by /")
        if segment in RESERVED:
            raise ValueError(f"an id without the reserved word {segment!r}")
    return value


def _segment(value: str) -> str:
    if not _SEGMENT.fullmatch(value):
        raise ValueError("an id of a-z, 0-9, _ and -")
    if len(value) > LONGEST_ID:
        raise ValueError(f"an id of at most {LONGEST_ID} characters")
    if value in RESERVED:
        raise ValueError(f"an id other than the reserved word {value!r}")
    return value


def _prefix(value: str) -> str:
    if value.startswith("$") or any(not _SEGMENT.fullmatch(level) for level in value.split("/")):
        raise ValueError("levels of a-z, 0-9, _ and - joined by /")
    if value == "stackwatt" or value.startswith("stackwatt/"):
        raise ValueError("a prefix outside stackwatt/, which is the service's own")
    return value


def _topic(value: str) -> str:
    if not value or value.startswith("$") or set(value) & {"+", "#", "\0"} or len(value.encode()) > 65_535:
        raise ValueError("an MQTT topic without wildcards that does not begin with $")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a zone of the tz database such as Asia/Shanghai") from None
    return value


def _matching(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(expected)
        return value

    return AfterValidator(check)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a date such as 2026-10-01") from None


def _instant(value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError("an instant with its offset such as 2026-10-01T00:00:00+08:00")
    return instant


def parse_day(value: Any) -> date | datetime:
    """A date, or an instant with its offset."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    try:
        return _instant(value)
    except ValueError:
        raise ValueError("a date such as 2024-01-01, or an instant with its offset") from None


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("a text that is not empty")
    return value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_filled), Expected("a text")]
Path = Annotated[str, AfterValidator(parse_path), Expected("an id such as kiln/energy")]
"""An id of one or more segments, relative to the site."""
Segment = Annotated[str, AfterValidator(_segment), Expected("an id of a-z, 0-9, _ and -")]
"""An id of one segment."""
TopicPrefix = Annotated[str, AfterValidator(_prefix)]
Topic = Annotated[str, AfterValidator(_topic)]
Zone = Annotated[str, AfterValidator(_zone), Expected("a zone of the tz database such as Asia/Shanghai")]
Time = Annotated[str, _matching(_TIME, "a time of day such as 08:00"), Expected("a time of day")]
MonthDay = Annotated[str, _matching(_MONTH_DAY, "a month and day such as 01-01")]
Hours = Annotated[str, _matching(_HOURS, "hours such as 08:00-12:00")]
Variable = Annotated[str, _matching(_VARIABLE, "the name of an environment variable such as MES_SECRET")]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False), Expected("a number")]
Positive = Annotated[float, Strict(), Field(allow_inf_nan=False, gt=0), Expected("a number above 0")]
Share = Annotated[float, Strict(), Field(ge=0, le=1), Expected("a number from 0 to 1")]
Whole = Annotated[int, Strict(), Expected("a whole number")]
Flag = Annotated[bool, Strict(), Expected("true or false")]
Span = Annotated[
    int,
    BeforeValidator(parse_span),
    PlainSerializer(format_span, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|min|h|d)$", "examples": ["15min"]}),
    Expected("a duration such as 5s, 15min, 1h or 1d"),
]
"""A duration; µs inside."""
Rate = Annotated[
    float | str,
    BeforeValidator(_rate),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {
                    "type": "string",
                    "pattern": r"^\d+(\.\d+)?([eE][+-]?\d+)?\s*\S.*/\s*(s|min|h|d)$",
                    "examples": ["50 kW/s"],
                },
            ]
        }
    ),
    Expected("a number above 0, per hour, or a rate such as 50 kW/s"),
]
"""How fast something changes: in the unit of its point per hour, or with a unit of its own."""
Tolerance = Annotated[
    str,
    BeforeValidator(_tolerance),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*\d+(\.\d+)?([eE][+-]?\d+)?\s*\S.*$",
            "examples": ["2 %", "5 kW"],
        }
    ),
    Expected("a share above 0 such as 2 %, or a quantity such as 5 kW"),
]
"""How far two figures may be apart: in % of one of them, or in a unit."""
Date = Annotated[date, BeforeValidator(_date), Expected("a date such as 2026-10-01")]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Basis = Literal["dry", "wet", "0C", "15C", "20C", "GCV", "NCV", "gauge", "abs", "calorific", "equal_value"]
"""What a unit's text leaves open; `ingest.units` knows which exclude each other."""
Bases = Annotated[
    tuple[Basis, ...],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(get_args(Basis))},
                {"type": "array", "items": {"enum": list(get_args(Basis))}},
            ]
        }
    ),
]
"""One basis or a list of them."""
