"""Days and months as the clock on the wall has them: they begin at midnight in the site's zone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from service.times import from_datetime, to_datetime


def local(at: int, zone: ZoneInfo) -> datetime:
    """What the clock shows at an instant, µs."""
    return to_datetime(at).astimezone(zone)


def begin_of(at: int, zone: ZoneInfo, unit: Literal["day", "month"]) -> int:
    """The instant at which the day or month of an instant begins, µs."""
    first = local(at, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return from_datetime(first.replace(day=1) if unit == "month" else first)


def next_month(begin: int, zone: ZoneInfo) -> int:
    """The begin of the month after the one that begins at an instant, µs."""
    shown = local(begin, zone)
    years, month = divmod(shown.month, 12)
    return from_datetime(shown.replace(year=shown.year + years, month=month + 1, fold=0))


def month_before(begin: int, zone: ZoneInfo) -> int:
    """The begin of the month before, µs."""
    return begin_of(begin - 1, zone, "month")


def months(from_at: int, to_at: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """The months that have a part in [from, to), each from its begin to its end, µs."""
    begin = begin_of(from_at, zone, "month")
    while begin < to_at:
        end = next_month(begin, zone)
        yield begin, end
        begin = end


def days(from_at: int, to_at: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """The days that have a part in [from, to), each from its begin to its end, µs."""
    begin = begin_of(from_at, zone, "day")
    while begin < to_at:
        end = from_datetime((local(begin, zone) + timedelta(days=1)).replace(fold=0))
        yield begin, end
        begin = end
