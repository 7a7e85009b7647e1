"""Stamps of a CSV file to instants.

Local time is not a clock: an hour is missing when summer time begins and comes
twice when it ends. The stamp alone cannot tell the two apart, the order of the
rows can: a time that came twice is the first one, unless it is not later than
the row before. A time that never was is refused, since the file is then not in
the zone it is said to be in.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.csv_mapping import EPOCH_MS, ISO, TimeMapping
from ingest.model import NEVER
from ingest.wire.times import BAD_TIME, EPOCH, instant_of

_MICROSECOND = timedelta(microseconds=1)


class RowClock:
    """Reads the stamps of one file, row by row."""

    def __init__(self, mapping: TimeMapping) -> None:
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.zone) if mapping.zone else None
        self._previous = NEVER

    def instant(self, text: str) -> int:
        """Return µs since the epoch; ValueError says what was expected instead."""
        at = _epoch(text) if self._mapping.format == EPOCH_MS else self._calendar(text)
        self._previous = at
        return at

    def _calendar(self, text: str) -> int:
        mapping = self._mapping
        try:
            stamp = _iso(text) if mapping.format == ISO else _strptime(text, mapping.format)
        except ValueError:
            expected = "an ISO 8601 time" if mapping.format == ISO else f"a time as {mapping.format}"
            raise ValueError(expected) from None
        if mapping.midnight == "next_day" and not (stamp.hour or stamp.minute or stamp.second):
            stamp += timedelta(days=1)
        if stamp.tzinfo is not None:
            return _micros(stamp)
        if self._zone is None:
            raise ValueError("a time with an offset, or a zone in the mapping")
        return self._local(stamp, self._zone)

    def _local(self, stamp: datetime, zone: ZoneInfo) -> int:
        first = stamp.replace(tzinfo=zone, fold=0)
        second = stamp.replace(tzinfo=zone, fold=1)
        at = _micros(first)
        if first.utcoffset() == second.utcoffset():
            return at
        if (EPOCH + timedelta(microseconds=at)).astimezone(zone).replace(tzinfo=None) != stamp:
            raise ValueError(f"a time that was in {zone.key}, or a zone without summer time")
        return _micros(second) if at <= self._previous else at


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _strptime(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern)  # noqa: DTZ007  its zone follows


def _epoch(text: str) -> int:
    try:
        at = instant_of(float(text))
    except ValueError:
        at = BAD_TIME
    if at == BAD_TIME:
        raise ValueError("a number of epoch milliseconds")
    return at


def _micros(stamp: datetime) -> int:
    return (stamp - EPOCH) // _MICROSECOND
