"""Schedules of alert rules: what the clock on the wall says of an instant.

An hour that clocks show twice counts twice, one they skip never. What begins on a day goes
over midnight with that day: a night shift of a workday is one on the morning after.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.model import MINUTE
from ingest.plant.business import Calendar
from ingest.plant.plan_alerts import PlanSchedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Workdays:
    """Which days of a plant are worked."""

    holidays: frozenset[date]
    worked: frozenset[date]
    """Saturdays and Sundays that are."""

    @staticmethod
    def of(calendar: Calendar) -> "Workdays":
        """Those of a plant's calendar."""
        return Workdays(frozenset(calendar.holidays), frozenset(calendar.workdays))

    def __contains__(self, day: date) -> bool:
        return day not in self.holidays and (day.weekday() < SATURDAY or day in self.worked)


def counts(schedule: PlanSchedule, zone: ZoneInfo, workdays: Workdays, at: int) -> bool:
    """Whether a schedule lets a rule count at an instant, µs."""
    local = (_EPOCH + timedelta(microseconds=at)).astimezone(zone)
    today, minute = local.date(), local.hour * 60 + local.minute
    if not schedule.spans:
        return _is_day(schedule, today, workdays)
    before = today - timedelta(days=1)
    for begin, end in schedule.spans:
        if begin < end:
            inside = begin <= minute < end and _is_day(schedule, today, workdays)
        else:
            inside = minute >= begin and _is_day(schedule, today, workdays)
            inside = inside or (minute < end and _is_day(schedule, before, workdays))
        if inside:
            return True
    return False


def _is_day(schedule: PlanSchedule, day: date, workdays: Workdays) -> bool:
    if schedule.days == "all":
        return True
    return (day in workdays) == (schedule.days == "workdays")


class Timetable:
    """The schedules of one plan; an answer holds for its minute."""

    def __init__(self, schedules: tuple[PlanSchedule, ...], zone: ZoneInfo, workdays: Workdays) -> None:
        self._schedules = schedules
        self._zone = zone
        self._workdays = workdays
        self._answers: dict[int, list[int]] = {}

    def at(self, instant: int) -> list[int]:
        """1 or 0 of each schedule."""
        minute = instant // MINUTE
        if minute not in self._answers:
            if len(self._answers) > 4:
                self._answers.clear()
            self._answers[minute] = [
                int(counts(one, self._zone, self._workdays, instant)) for one in self._schedules
            ]
        return self._answers[minute]
