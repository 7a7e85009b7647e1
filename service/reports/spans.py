"""Which span a report is of: shift, production day, month or reporting year of the plant's calendar, in its zone.

A day begins at `day_starts` of its date, so it has 23 or 25 hours when the clocks change; a month begins with the first
day of it, a year with the day `year_starts`. A shift is of the production day in which it starts, and lasts to
the start of the next. A start that summer time takes away is the instant the clock jumps to.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ingest.plant.business import Calendar
from service.problems import ProblemError, invalid
from service.times import from_datetime

Kind = Literal["shift", "day", "month", "year"]
EXPECTED: dict[Kind, str] = {
    "shift": "a production day and a shift of the calendar such as 2026-11-20/{shifts}",
    "day": "a date such as 2026-11-20",
    "month": "a month such as 2026-11",
    "year": "a year such as 2026",
}
_YEARS = range(1971, 2199)
_DAY = timedelta(days=1)


def span_of(kind: Kind, period: str, calendar: Calendar, zone: ZoneInfo) -> tuple[int, int]:
    """[from, to) of a period as it is named, µs.

    Raises:
        ProblemError: it is no such period, or the plant has no shifts.
    """
    if kind == "shift" and not calendar.shifts:
        raise ProblemError("no-shifts", "The plant's calendar has no shifts: ask for a day, month or year.")
    found = _span(kind, period, calendar, zone)
    if found is None:
        shifts = " or ".join(shift.name for shift in calendar.shifts)
        raise invalid("Query parameter", "period", period, EXPECTED[kind].format(shifts=shifts))
    return found


def _span(kind: Kind, period: str, calendar: Calendar, zone: ZoneInfo) -> tuple[int, int] | None:
    if kind == "shift":
        named, _, shift = period.partition("/")
        first = _date(named)
        return None if first is None else _of_shift(first, shift, calendar, zone)
    if kind == "year":
        first = _date(f"{period}-{calendar.year_starts}")
        last = None if first is None else _date(f"{first.year + 1}-{calendar.year_starts}")
    elif kind == "month":
        first = _date(f"{period}-01")
        last = None if first is None else (first + 31 * _DAY).replace(day=1)
    else:
        first = _date(period)
        last = None if first is None else first + _DAY
    if first is None or last is None:
        return None
    starts = time.fromisoformat(calendar.day_starts)
    return _at(first, starts, zone), _at(last, starts, zone)


def _of_shift(day: date, name: str, calendar: Calendar, zone: ZoneInfo) -> tuple[int, int] | None:
    starts = time.fromisoformat(calendar.day_starts)
    begins = sorted(
        (clock < starts, clock, shift.name)
        for shift in calendar.shifts
        for clock in (time.fromisoformat(shift.start),)
    )
    for place, (is_next, clock, shift_name) in enumerate(begins):
        if shift_name != name:
            continue
        later, until, _ = begins[(place + 1) % len(begins)]
        end = day + _DAY * (int(later) + int(place + 1 == len(begins)))
        return _at(day + _DAY * int(is_next), clock, zone), _at(end, until, zone)
    return None


def _date(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def _at(day: date, clock: time, zone: ZoneInfo) -> int:
    return from_datetime(datetime.combine(day, clock, zone))


def shifts_within(
    span: tuple[int, int], calendar: Calendar, zone: ZoneInfo
) -> list[tuple[str, tuple[int, int]]]:
    """The shifts, by name, that lie in a span (µs) as far as they do, in order.

    Raises:
        ProblemError: the plant has no shifts.
    """
    if not calendar.shifts:
        raise ProblemError("no-shifts", "The plant's calendar has no shifts: ask for a day, month or year.")
    day = datetime.fromtimestamp(span[0] / 1e6, zone).date() - 2 * _DAY
    found = []
    while _at(day, time(0), zone) < span[1] + 86_400_000_000:
        for shift in calendar.shifts:
            of_shift = _of_shift(day, shift.name, calendar, zone)
            if of_shift is not None and of_shift[0] < span[1] and of_shift[1] > span[0]:
                within = max(of_shift[0], span[0]), min(of_shift[1], span[1])
                found.append((f"{day}/{shift.name}", within))
        day += _DAY
    return sorted(found, key=lambda one: one[1])
