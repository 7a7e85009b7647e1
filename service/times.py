"""Instants and spans as the API writes them.

Inside, an instant is int64 µs of UTC and a span int64 µs; outside, RFC 3339
with `Z` and a number with a unit (`90s`, `15min`, `24h`, `7d`). A day here is
24 hours: calendar days belong to a site's zone, which no span knows.
"""

import re
from datetime import UTC, datetime, timedelta

from ingest.model import DAY, HOUR, MINUTE, SECOND
from ingest.wire.times import BAD_TIME, instant_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT_EXPECTED = "an RFC 3339 time with offset between 1970 and 2200, such as 2026-11-20T08:00:00Z"
FIRST_INSTANT, LAST_INSTANT = 0, 7_258_118_400 * SECOND
"""1970 and 2200: what may be asked for, µs."""
SPAN_EXPECTED = "a span such as 90s, 15min, 24h or 7d, at most 3660d"

_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 3660 * DAY
_UNITS = {"s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_SPAN = re.compile(r"(\d{1,12})(s|min|h|d)", re.ASCII)
_SPACE_FOR_PLUS = re.compile(r" (\d\d:\d\d)$", re.ASCII)


def parse_instant(text: str) -> int:
    """Return µs since the epoch; ValueError says what was expected."""
    # A "+" that was not percent-encoded arrives as a space: the one way every client gets this wrong.
    at = instant_of(_SPACE_FOR_PLUS.sub(r"+\1", text))
    if at == BAD_TIME or not FIRST_INSTANT <= at <= LAST_INSTANT:
        raise ValueError(f"expected {INSTANT_EXPECTED}")
    return at


def format_instant(at: int) -> str:
    """Return RFC 3339 UTC with `Z`, with µs only where there are any."""
    return to_datetime(at).isoformat().removesuffix("+00:00") + "Z"


def to_datetime(at: int) -> datetime:
    """Return an instant as the database driver takes it."""
    return EPOCH + timedelta(microseconds=at)


def from_datetime(at: datetime) -> int:
    """Return µs since the epoch of an aware datetime."""
    return (at - EPOCH) // _MICROSECOND


def parse_span(text: str) -> int:
    """Return the µs of a span; ValueError says what was expected."""
    found = _SPAN.fullmatch(text)
    span = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < span <= _LONGEST:
        raise ValueError(f"expected {SPAN_EXPECTED}")
    return span


def format_span(span: int) -> str:
    """Return a span in the largest of h, min and s that divides it, so that 24h stays 24h."""
    for name in ("h", "min", "s"):
        if span % _UNITS[name] == 0:
            return f"{span // _UNITS[name]}{name}"
    return f"{span / SECOND}s"
