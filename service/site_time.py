"""Instants as people write them in papers: with an offset, or as dates and times of the site's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from service.times import FIRST_INSTANT, LAST_INSTANT, from_datetime, parse_instant, to_datetime

EXPECTED = "a date or time of the site such as 2026-11-01, or one with its offset, between 1970 and 2200"


def site_instant(text: str, zone: ZoneInfo) -> int:
    """Return µs since the epoch; a date is its midnight in the zone. ValueError says what was expected.

    A time that summer time takes away, or brings twice, is refused: nobody can know which one is meant.
    """
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        stamp = None
    if stamp is None or stamp.tzinfo is not None:
        return parse_instant(text)
    at = from_datetime(stamp.replace(tzinfo=zone))
    if not FIRST_INSTANT <= at <= LAST_INSTANT:
        raise ValueError(f"expected {EXPECTED}")
    if stamp.replace(tzinfo=zone, fold=0).utcoffset() != stamp.replace(tzinfo=zone, fold=1).utcoffset():
        there = to_datetime(at).astimezone(zone).replace(tzinfo=None) == stamp
        raise ValueError(
            f"expected it with its offset, for in {zone.key} this time {'comes twice' if there else 'never was'}"
        )
    return at
