"""Time stamps of the wire to µs of UTC.

A stamp is RFC 3339 text with an offset, or a number of epoch milliseconds;
`instant_of` is the definition, one stamp at a time. `instants` does the same
for a whole batch: texts of equal length are laid under each other as a matrix
of bytes, whose columns are digits, so that no stamp costs Python more than its
place in the list. It knows no plant and judges no stamp by the clock: whether
a time may be is the admission's business.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.model import HOUR, MINUTE, NEVER, SECOND

NO_TIME = NEVER
"""`measured_at` of a reading that carried no time."""
BAD_TIME = NEVER + 1
"""`measured_at` of a stamp that says nothing; such a reading is refused."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _END = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND
"""Years 1 to 9999, the years RFC 3339 and the database can both write."""

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_DIGITS = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
_MARKS = np.array([4, 7, 13, 16])
_MARK_BYTES = np.frombuffer(b"--::", np.uint8)[:, None]
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)
_FEW = 24
"""Below this many stamps the matrix costs more than it saves."""
_LONGEST = 64
"""Longer texts are parsed one by one, so that one of them cannot widen the matrix."""


def instant_of(stamp: Any) -> int:
    """Return µs since the epoch, NO_TIME for null, or BAD_TIME."""
    if stamp is None:
        return NO_TIME
    kind = type(stamp)
    if kind is str:
        return _instant_of_text(stamp)
    if (kind is int or kind is float) and _FIRST <= stamp * 1000 < _END:
        return _in_calendar(round(float(stamp) * 1000.0))
    return BAD_TIME


def instants(stamps: Sequence[Any]) -> NDArray[np.int64]:
    """Return `instant_of` every stamp."""
    if len(stamps) <= _FEW:
        return np.array([instant_of(stamp) for stamp in stamps], np.int64)
    kinds = set(map(type, stamps))
    if kinds == {str}:
        return _instants_of_texts(stamps)
    if kinds <= {int, float}:
        return _instants_of_numbers(stamps)
    if kinds == {type(None)}:
        return np.full(len(stamps), NO_TIME, np.int64)
    return _instants_of_mixed(stamps)


def _instant_of_text(text: str) -> int:
    found = _RFC3339.fullmatch(text)
    if found is None:
        return BAD_TIME
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    fraction, sign, offset_hour, offset_minute = found.group(7, 8, 9, 10)
    try:
        midnight = (datetime(year, month, day, tzinfo=UTC) - EPOCH) // _MICROSECOND
    except ValueError:
        return BAD_TIME
    if hour > 23 or minute > 59 or second > 60:
        return BAD_TIME
    offset = 0
    if sign is not None:
        if int(offset_hour) > 23 or int(offset_minute) > 59:
            return BAD_TIME
        offset = (int(offset_hour) * HOUR + int(offset_minute) * MINUTE) * (-1 if sign == "-" else 1)
    within = _second_of(second, fraction or "")
    return _in_calendar(midnight + hour * HOUR + minute * MINUTE + within - offset)


def _in_calendar(micros: int) -> int:
    return micros if _FIRST <= micros < _END else BAD_TIME


def _second_of(second: int, fraction: str) -> int:
    """Return µs of a second and its decimals, rounded half up; 60 is the last µs of 59."""
    if second == 60:
        return MINUTE - 1
    micros = int(f"{fraction[:6]:0<6}") + (fraction[6:7] >= "5")
    return second * SECOND + micros


def _instants_of_numbers(stamps: Sequence[float]) -> NDArray[np.int64]:
    ms = np.array(stamps, np.float64)
    good = (ms >= _FIRST / 1000) & (ms < _END / 1000)
    micros: NDArray[np.int64] = np.rint(np.where(good, ms, 0.0) * 1000.0).astype(np.int64)
    micros[~good | (micros >= _END)] = BAD_TIME
    return micros


def _instants_of_mixed(stamps: Sequence[Any]) -> NDArray[np.int64]:
    out = np.full(len(stamps), BAD_TIME, np.int64)
    kinds = [type(stamp) for stamp in stamps]
    texts = [i for i, kind in enumerate(kinds) if kind is str]
    numbers = [i for i, kind in enumerate(kinds) if kind is int or kind is float]
    out[[i for i, stamp in enumerate(stamps) if stamp is None]] = NO_TIME
    out[texts] = _instants_of_texts([stamps[i] for i in texts])
    out[numbers] = _instants_of_numbers([stamps[i] for i in numbers])
    return out


def _instants_of_texts(texts: Sequence[str]) -> NDArray[np.int64]:
    lengths = list(map(len, texts))
    distinct = set(lengths)
    if len(distinct) == 1:
        return _instants_of_width(texts, lengths[0])
    out = np.full(len(texts), BAD_TIME, np.int64)
    by_length = np.array(lengths)
    for length in distinct:
        places = np.flatnonzero(by_length == length)
        out[places] = _instants_of_width([texts[i] for i in places.tolist()], length)
    return out


def _instants_of_width(texts: Sequence[str], width: int) -> NDArray[np.int64]:
    if not 20 <= width <= _LONGEST:
        return np.array([_instant_of_text(text) for text in texts], np.int64)
    # one byte a character whatever the text holds; what is no digit or mark fails the checks below
    rows = np.frombuffer("".join(texts).encode("latin-1", "replace"), np.uint8).reshape(-1, width)
    columns = np.ascontiguousarray(rows.T)
    zulu = (columns[-1] | 0x20) == ord("z")
    if zulu.all():
        return _instants_of_columns(columns, width - 1)
    out = np.full(len(texts), BAD_TIME, np.int64)
    if zulu.any():
        out[zulu] = _instants_of_columns(columns[:, zulu], width - 1)
    if width >= 25:
        out[~zulu] = _instants_of_columns(columns[:, ~zulu], width - 6)
    return out


def _instants_of_columns(columns: NDArray[np.uint8], end: int) -> NDArray[np.int64]:
    """Return the instants of texts whose date, time and fraction are their first `end` characters."""
    good = (columns[_MARKS] == _MARK_BYTES).all(axis=0)
    good &= ((columns[10] | 0x20) == ord("t")) | (columns[10] == ord(" "))
    d = _digits(columns[_DIGITS], good).astype(np.int32)
    month, day = d[4] * 10 + d[5], d[6] * 10 + d[7]
    hour, minute, second = d[8] * 10 + d[9], d[10] * 10 + d[11], d[12] * 10 + d[13]
    days = _days(((d[0] * 10 + d[1]) * 10 + d[2]) * 10 + d[3], month, day, good)
    good &= (hour <= 23) & (minute <= 59) & (second <= 60)
    east = _minutes_east(columns[end:], good)
    minutes = days * np.int64(1440) + (hour * 60 + minute - east)
    within = _micros(columns[19:end], good) + second * SECOND
    out: NDArray[np.int64] = minutes * np.int64(MINUTE) + np.where(second == 60, MINUTE - 1, within)
    out[~good | (out < _FIRST) | (out >= _END)] = BAD_TIME
    return out


def _digits(characters: NDArray[np.uint8], good: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the characters as digits; clears `good` where one is none."""
    digits = characters - np.uint8(48)  # wraps around: what is below "0" becomes large
    good &= digits.max(axis=0) <= 9
    return digits


def _micros(tail: NDArray[np.uint8], good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return µs of `.ddd`, rounded half up; clears `good` where the tail is something else."""
    micros = np.zeros(tail.shape[1], np.int64)
    if len(tail) == 0:
        return micros
    if len(tail) == 1:
        good[:] = False
        return micros
    good &= tail[0] == ord(".")
    digits = _digits(tail[1:], good)
    for place, column in enumerate(digits[:6]):
        micros += column * np.int64(10 ** (5 - place))
    if len(digits) > 6:
        micros += digits[6] >= 5
    return micros


def _minutes_east(tail: NDArray[np.uint8], good: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return minutes east of UTC of `Z` or `±hh:mm`; clears `good` where it is neither."""
    if len(tail) == 1:
        return np.zeros(tail.shape[1], np.int32)
    digits = _digits(tail[[1, 2, 4, 5]], good).astype(np.int32)
    hour, minute = digits[0] * 10 + digits[1], digits[2] * 10 + digits[3]
    west = tail[0] == ord("-")
    good &= (west | (tail[0] == ord("+"))) & (tail[3] == ord(":")) & (hour <= 23) & (minute <= 59)
    east: NDArray[np.int32] = np.where(west, np.int32(-1), np.int32(1)) * (hour * 60 + minute)
    return east


def _days(
    year: NDArray[np.int32], month: NDArray[np.int32], day: NDArray[np.int32], good: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Return days since 1970, Gregorian throughout; clears `good` where there is no such day."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    in_year = (month >= 1) & (month <= 12)
    last = _MONTH_DAYS[np.where(in_year, month, 1)] + (leap & (month == 2))
    good &= in_year & (year >= 1) & (day >= 1) & (day <= last)
    # years that begin in March put the leap day at their end
    march_year = year - (month <= 2)
    march_month = (month + 9) % 12
    days: NDArray[np.int32] = 365 * march_year + march_year // 4 - march_year // 100 + march_year // 400
    days += (153 * march_month + 2) // 5 + day - 719_469
    return days
