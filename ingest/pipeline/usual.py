"""What is usual at an hour of the wall clock: the same hour of past days.

Days go back from the one before; with `same_days` workdays stand beside workdays, the
others beside each other. A day on which clocks skip the hour has none, of one they show twice the
first counts. Values come from the store; here is only which hours, and what they come to.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from zoneinfo import ZoneInfo

from ingest.model import HOUR
from ingest.pipeline.schedules import Workdays
from ingest.plant.plan_alerts import PlanDeviation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_DAYS = 120
"""So far back days of the same sort are looked for."""


def hour_of(at: int, zone: ZoneInfo) -> int:
    """The instant at which the hour of the wall clock began in which an instant is, µs."""
    local = (_EPOCH + timedelta(microseconds=at)).astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at - into // _MICROSECOND


def past_hours(
    deviation: PlanDeviation, zone: ZoneInfo, workdays: Workdays, hour_at: int
) -> list[tuple[int, int]]:
    """[begin, end) of the hours with which one that begins at `hour_at` is compared, the newest first."""
    local = (_EPOCH + timedelta(microseconds=hour_at)).astimezone(zone)
    today = local.date()
    found: list[tuple[int, int]] = []
    for back in range(1, _LONGEST_DAYS + 1):
        day = today - timedelta(days=back)
        if deviation.same_days and (day in workdays) != (today in workdays):
            continue
        wall = datetime(day.year, day.month, day.day, local.hour, tzinfo=zone)
        instant = wall.astimezone(UTC)
        if instant.astimezone(zone).hour == local.hour:
            begin = (instant - _EPOCH) // _MICROSECOND
            found.append((begin, begin + HOUR))
        if len(found) == deviation.days:
            break
    return found


def usual_limits(deviation: PlanDeviation, past: Sequence[float]) -> tuple[float, float, float]:
    """(usual value, upper limit, lower limit); all NaN where less than half of the days have a value."""
    if 2 * len(past) < deviation.days:
        return (float("nan"),) * 3
    usual = median(past) if deviation.of == "median" else fmean(past)
    off = deviation.absolute if deviation.percent is None else abs(usual) * deviation.percent / 100
    high = usual + off if deviation.side != "below" else float("inf")
    low = usual - off if deviation.side != "above" else float("-inf")
    return usual, high, low
