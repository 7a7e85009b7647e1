"""What the pipeline holds and what it tells of intervals that are not closed yet; no database."""

import numpy as np

from ingest.model import DAY, HOUR, MINUTE, NO_SEQ, SECOND, Quality
from ingest.pipeline.batch import Batch, Readings
from ingest.pipeline.pipeline import HOLD_US, SitePipeline
from ingest.pipeline.state import SiteState
from ingest.plant import compile_plan, parse_plant

START = 1_795_161_600 * SECOND
PLANT = """\
site: mill
name: A mill
time_zone: Europe/Berlin
lateness: 0s
units:
  - {id: line, name: Line, kind: line}
points:
  - {id: line/energy, kind: counter, unit: kWh, period: 5s, max_gap: 5min}
  - {id: line/power, kind: gauge, unit: kW, period: 5s, max_gap: 5min, sloped: true}
  - {id: line/double, kind: gauge, unit: kW, computed: {method: linear, inputs: {a: line/power}, constants: {a: 2.0}}}
"""
ENERGY, POWER, DOUBLE = 0, 1, 2


class Line:
    """A pipeline and the instants it is fed at."""

    def __init__(self) -> None:
        plan = compile_plan(parse_plant(PLANT, "test.yaml"))
        self.pipeline = SitePipeline(plan, SiteState(plan))

    def feed(
        self,
        point: int,
        at: list[int],
        value: float,
        quality: Quality = Quality.GOOD,
        *,
        told: bool = False,
        monotonic_us: int | None = None,
    ) -> Batch:
        n = len(at)
        times = np.array(at, np.int64)
        readings = Readings(
            np.full(n, point), times, times, np.full(n, value), np.zeros(n, np.int64), np.full(n, int(quality)),
            np.zeros(n, np.int64), np.full(n, NO_SEQ),
        )  # fmt: skip
        return self.pipeline.process(
            readings,
            np.zeros(n, np.int64),
            monotonic_us=int(times[-1]) if monotonic_us is None else monotonic_us,
            caught_up=False,
            latest=False,
            told=told,
        )


def hour_of_a_day_ago(hour: int) -> list[int]:
    return [START - DAY + hour * HOUR + n * MINUTE for n in range(60)]


def test_the_silence_behind_history_is_not_closed_while_it_is_being_told() -> None:
    line, now = Line(), 1000 * SECOND
    line.feed(ENERGY, [START], 1.0, monotonic_us=now)
    closed = 0
    for hour in range(3):
        batch = line.feed(POWER, hour_of_a_day_ago(hour), 5.0, told=True, monotonic_us=now)
        assert not len(batch.late)
        assert not batch.provisional.size
        closed += int((batch.intervals["segment"] == POWER).sum())
    assert closed == 3 * 60 - 1
    batch = line.feed(ENERGY, [START + SECOND], 1.0, monotonic_us=now + HOLD_US - 1)
    assert line.pipeline.state.points["closed_until"][POWER] == START - DAY + 3 * HOUR - MINUTE
    line.feed(ENERGY, [START + 2 * SECOND], 1.0, monotonic_us=now + HOLD_US + 1)
    assert line.pipeline.state.points["closed_until"][POWER] == START
    assert len(line.feed(POWER, hour_of_a_day_ago(3), 5.0, told=True, monotonic_us=now).late) == 60


def test_what_devices_send_of_a_day_ago_is_closed_behind_at_once() -> None:
    line = Line()
    line.feed(ENERGY, [START], 1.0)
    line.feed(POWER, hour_of_a_day_ago(0), 5.0)
    assert line.pipeline.state.points["closed_until"][POWER] == START
    assert len(line.feed(POWER, hour_of_a_day_ago(1), 5.0).late) == 60


def test_history_of_a_point_that_is_heard_is_late() -> None:
    line = Line()
    line.feed(POWER, [START, START + MINUTE], 1.0)
    assert len(line.feed(POWER, hour_of_a_day_ago(0), 5.0, told=True).late) == 60


def test_a_counter_that_only_ever_fails_is_not_held() -> None:
    line = Line()
    for minute in range(60):
        line.feed(ENERGY, [START + minute * MINUTE + n * SECOND for n in range(60)], 1.0, Quality.BAD)
    assert line.pipeline.state.held <= 120


def test_an_interval_that_is_over_and_waits_is_told_provisionally_even_if_it_is_the_first() -> None:
    line = Line()
    for point in (ENERGY, POWER):
        line.feed(point, [START + 10 * SECOND, START + 40 * SECOND], 3.0)
    batch = line.feed(ENERGY, [START + 70 * SECOND], 4.0)
    assert not len(batch.intervals[batch.intervals["segment"] == POWER])
    told = {int(row["segment"]): (int(row["start_at"]), int(row["covered_us"])) for row in batch.provisional}
    assert told == {POWER: (START, 30 * SECOND), DOUBLE: (START, 30 * SECOND)}
