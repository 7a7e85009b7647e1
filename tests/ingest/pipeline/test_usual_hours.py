"""On which rows a gap rests that is filled by what is usual at that hour: those of the seven local days before."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ingest.model import DAY, SECOND
from ingest.pipeline import filling
from ingest.pipeline.late import Spans
from ingest.pipeline.signals import Signals
from ingest.pipeline.state import SiteState
from ingest.plant import compile_plan, parse_plant

PLANT = """\
site: mill
name: A mill
time_zone: {zone}
interval: {interval}
lateness: 5s
units: [{{id: line, name: Line}}]
points:
  - {{id: line/heat, kind: counter, unit: kWh, period: 1min, max_gap: 70s, resolution: 1, fill_at_most: 1h, fill: same_hour}}
"""


def rests_on(zone: str, interval: str, begin: datetime) -> tuple[int, int]:
    """Of a gap of half an hour the span of the rows it rests on."""
    plan = compile_plan(parse_plant(PLANT.format(zone=zone, interval=interval), "test.yaml"))
    at = np.array([int(begin.timestamp()) * SECOND], np.int64) + np.array([0, 1800]) * SECOND
    count, good = np.array([0, 30]), np.zeros(2, np.int64)
    signals = Signals(np.array([0, 2]), at, count.astype(np.float64), count, good, good, good)
    spans = Spans(np.zeros(1, np.int64), at[:1] - at[:1] % plan.interval_us, at[1:])
    [found] = filling.gaps_of(SiteState(plan), signals, spans)
    return int(found["source_from"]), int(found["source_to"])


@pytest.mark.parametrize(
    ("zone", "interval", "day", "exactly"),
    [
        ("Europe/Berlin", "1min", "2026-11-20", True),
        ("Europe/Berlin", "15min", "2026-10-25", True),  # clocks go back at three
        ("Europe/Berlin", "15min", "2026-03-31", True),  # they were put forward two days before
        ("Asia/Kolkata", "30min", "2026-11-20", True),  # midnight is between two hours
        ("America/Sao_Paulo", "15min", "2018-02-18", True),  # midnight is an hour late
        ("Asia/Beirut", "15min", "2026-03-29", True),  # there is none
        ("Asia/Beirut", "15min", "2026-04-05", False),
        ("America/Havana", "15min", "2026-11-01", False),  # there are two
        ("Pacific/Apia", "15min", "2011-12-31", True),  # the day before was left out
    ],
)
def test_a_gap_rests_on_the_seven_days_before_its_own(
    zone: str, interval: str, day: str, exactly: bool
) -> None:
    local, clock = date.fromisoformat(day), ZoneInfo(zone)
    begin = datetime(local.year, local.month, local.day, 1, tzinfo=clock).astimezone(UTC)
    since, until = rests_on(zone, interval, begin)
    length = {"1min": 60, "15min": 900, "30min": 1800}[interval] * SECOND
    at = int(begin.timestamp()) * SECOND
    at -= at % length
    wanted = {
        start
        for start in range(at - 10 * DAY, at + DAY, length)
        if local - timedelta(days=7)
        <= datetime.fromtimestamp(start // SECOND, UTC).astimezone(clock).date()
        < local
    }
    found = set(range(since, until, length))
    assert since % length == until % length == 0
    assert wanted <= found
    assert len(found - wanted) * length <= (0 if exactly else 3600 * SECOND)
