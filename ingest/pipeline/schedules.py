"""Schedules of alert rules: what the clock on the wall says of an instant.

An hour that clocks show twice counts twice, one they skip never. What begins on a day goes
over midnight with that day: a night shift of a workday is one on the morning after.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.model import MINUTE
from ingest.plant.plan_alerts import PlanSchedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_workday(day: date, holidays: frozenset[date]) -> bool:
    """Whether it is neither Saturday, Sunday nor a holiday."""
    return day.weekday() < 5 and day not in holidays


def counts(schedule: PlanSchedule, zone: ZoneInfo, holidays: frozenset[date], at: int) -> bool:
    """Whether a schedule lets a rule count at an instant, µs."""
    local = (_EPOCH + timedelta(microseconds=at)).astimezone(zone)
    today, minute = local.date(), local.hour * 60 + local.minute
    if not schedule.spans:
        return _is_day(schedule, today, holidays)
    before = today - timedelta(days=1)
    for begin, end in schedule.spans:
        if begin < end:
            inside = begin <= minute < end and _is_day(schedule, today, holidays)
        else:
            inside = minute >= begin and _is_day(schedule, today, holidays)
            inside = inside or (minute < end and _is_day(schedule, before, holidays))
        if inside:
            return True
    return False


def _is_day(schedule: PlanSchedule, day: date, holidays: frozenset[date]) -> bool:
    if schedule.days == "all":
        return True
    return is_workday(day, holidays) == (schedule.days == "workdays")


class Timetable:
    """The schedules of one plan; an answer holds for its minute."""

    def __init__(
        self, schedules: tuple[PlanSchedule, ...], zone: ZoneInfo, holidays: frozenset[date]
    ) -> None:
        self._schedules = schedules
        self._zone = zone
        self._holidays = holidays
        self._answers: dict[int, list[int]] = {}

    def at(self, instant: int) -> list[int]:
        """1 or 0 of each schedule."""
        minute = instant // MINUTE
        if minute not in self._answers:
            if len(self._answers) > 4:
                self._answers.clear()
            self._answers[minute] = [
                int(counts(one, self._zone, self._holidays, instant)) for one in self._schedules
            ]
        return self._answers[minute]
