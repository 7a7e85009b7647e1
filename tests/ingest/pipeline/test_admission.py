"""What is taken, what is noted about it, and when our own clock is the suspect."""

import json
import math
from typing import Any

import numpy as np
import pytest

from ingest.model import MINUTE, SECOND, Quality, Reason
from ingest.pipeline.admission import Admission, Admitted, ClockSuspicion, leads
from ingest.plant.compile import compile_plan
from ingest.plant.parse import parse_plant
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import NO_ELEMENT, decode

PLANT = """
site: works
name: Works
time_zone: Europe/Berlin
clock: live
interval: 1min
lateness: 5s
topic_prefix: plant
units:
  - {id: line1, name: Line 1, kind: line}
points:
  - {id: line1/power, kind: gauge, unit: kW, period: 1s, max_gap: 60s, limits: [0, 100]}
  - {id: line1/energy, kind: counter, unit: kWh, period: 1s, max_gap: 60s}
  - {id: line1/old, kind: gauge, unit: kW, period: 1s, max_gap: 60s, until: "2026-11-20T08:00:00Z"}
  - {id: meter, kind: delta, unit: kWh, period: 15min, stamp: end}
"""
NOW = 1_795_161_600 * SECOND  # 2026-11-20T08:00:00Z


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_plan(parse_plant(PLANT, "works.yaml"))


def message(point: str, at: int | None, value: Any = 1.0, **more: Any) -> Delivery:
    """A single reading that arrives at NOW; `at` in µs."""
    flags = {key: more.pop(key) for key in ("qos", "retain") if key in more}
    body = {"value": value, **more} | ({} if at is None else {"ts": at / 1000})
    return Delivery(f"plant/works/{point}", json.dumps(body).encode(), NOW, **flags)


def admit(plan: Plan, *messages: Delivery) -> Admitted:
    return Admission(plan).admit(decode(messages, plan), messages)


def noted(plan: Plan, delivery: Delivery) -> tuple[int, Quality, Reason]:
    admitted = admit(plan, delivery)
    assert admitted.rejections == []
    return int(admitted.measured_at[0]), Quality(admitted.quality[0]), Reason(int(admitted.reasons[0]))


def refused(plan: Plan, delivery: Delivery) -> list[tuple[str, str]]:
    admitted = admit(plan, delivery)
    assert admitted.point.size == 0
    return [(item.reason.value, item.detail) for item in admitted.rejections]


def test_a_plain_reading_is_taken_as_it_came(plan: Plan) -> None:
    assert noted(plan, message("line1/power", NOW - 1)) == (NOW - 1, Quality.GOOD, Reason(0))
    assert noted(plan, message("line1/power", NOW)) == (NOW, Quality.GOOD, Reason(0))


def test_without_time_it_gets_the_time_of_arrival(plan: Plan) -> None:
    assert noted(plan, message("line1/power", None)) == (NOW, Quality.UNCERTAIN, Reason.NO_TIME)
    bad = message("line1/power", None, quality="bad", reason="fault")
    assert noted(plan, bad) == (NOW, Quality.BAD, Reason.NO_TIME | Reason.FAULT)


def test_where_arrival_says_nothing_the_time_is_required(plan: Plan) -> None:
    assert refused(plan, message("meter", None)) == [
        (
            "delta_without_time",
            "works/meter has no ts, but is the amount of a period; its end was expected.",
        )
    ]
    retained = message("line1/power", None, retain=True)
    assert refused(plan, retained) == [
        (
            "retained_without_time",
            "works/line1/power has no ts in a retained message; its own time was expected.",
        )
    ]
    assert noted(plan, message("line1/power", NOW, retain=True)) == (NOW, Quality.GOOD, Reason(0))


def test_the_future_is_doubted_for_five_minutes_and_then_refused(plan: Plan) -> None:
    edge = NOW + 5 * MINUTE
    assert noted(plan, message("line1/power", NOW + 1)) == (NOW + 1, Quality.UNCERTAIN, Reason.FUTURE)
    assert noted(plan, message("line1/power", edge)) == (edge, Quality.UNCERTAIN, Reason.FUTURE)
    ((reason, detail),) = refused(plan, message("line1/power", edge + 1))
    assert reason == "future"
    assert detail == (
        "ts of works/line1/power is 2026-11-20T08:05:00.000001Z, but it arrived at 2026-11-20T08:00:00Z; "
        "at most 5 min ahead was expected."
    )
    substituted = message("line1/power", NOW + 1, quality="substituted")
    assert noted(plan, substituted)[1] is Quality.SUBSTITUTED


def test_before_2000_is_refused(plan: Plan) -> None:
    start = 946_684_800 * SECOND
    assert noted(plan, message("line1/power", start))[0] == start
    assert refused(plan, message("line1/power", start - 1)) == [
        (
            "before_2000",
            "ts of works/line1/power is 1999-12-31T23:59:59.999999Z; a time since 2000 was expected.",
        )
    ]
    assert refused(plan, message("line1/power", 0))[0][0] == "before_2000"


def test_a_retired_point_takes_what_was_measured_before(plan: Plan) -> None:
    assert noted(plan, message("line1/old", NOW - 1))[1] is Quality.GOOD
    assert refused(plan, message("line1/old", NOW)) == [
        ("retired", "ts of works/line1/old is 2026-11-20T08:00:00Z; a time before its `until` was expected.")
    ]


@pytest.mark.parametrize(
    ("point", "value", "possible"),
    [
        ("line1/power", 0, True),
        ("line1/power", 100, True),
        ("line1/power", -0.001, False),
        ("line1/power", 100.001, False),
        ("line1/energy", 1e12, True),
        ("line1/energy", 4.6e12, True),
        ("line1/energy", 4.7e12, False),
        ("line1/energy", -4.7e12, False),
        ("line1/old", 1e100, True),
        ("line1/old", 1e101, False),
    ],
)
def test_the_impossible_is_stored_as_bad(plan: Plan, point: str, value: float, possible: bool) -> None:
    admitted = admit(plan, message(point, NOW - SECOND, value))
    assert admitted.value.tolist() == [value]
    assert admitted.quality.tolist() == [Quality.GOOD if possible else Quality.BAD]
    assert admitted.reasons.tolist() == [0 if possible else Reason.RANGE]


def test_what_has_no_value_is_bad(plan: Plan) -> None:
    admitted = admit(plan, message("line1/power", NOW, None, quality="uncertain", reason="stuck"))
    assert math.isnan(admitted.value[0])
    assert (admitted.quality[0], admitted.reasons[0]) == (Quality.BAD, Reason.STUCK)


def test_elements_are_judged_one_by_one(plan: Plan) -> None:
    ts = [0, NOW / 1000, NOW / 1000 + 400_000, "x"]
    body = {
        "points": ["line1/power", "line1/energy"],
        "ts": ts,
        "value": [[1, 2, 3, 4], [5, 6, 7, 8]],
        "seq": 4,
    }
    messages = [
        message("line1/power", NOW, 9, qos=0),
        Delivery("plant/works", json.dumps(body).encode(), NOW + 7, qos=1),
    ]
    admitted = admit(plan, *messages)
    assert admitted.point.tolist() == [0, 0, 1]
    assert admitted.value.tolist() == [9, 2, 6]
    assert admitted.seq.tolist() == [-1, 4, 4]
    assert admitted.message.tolist() == [0, 1, 1]
    assert admitted.element.tolist() == [NO_ELEMENT, 1, 5]
    assert admitted.received_at.tolist() == [NOW, NOW + 7, NOW + 7]
    assert admitted.at_most_once == 1
    assert [(item.message, item.element, item.reason.value) for item in admitted.rejections] == [
        (1, 0, "before_2000"),
        (1, 2, "future"),
        (1, 3, "bad_time"),
        (1, 4, "before_2000"),
        (1, 6, "future"),
        (1, 7, "bad_time"),
    ]


def test_nothing_is_admitted_of_nothing(plan: Plan) -> None:
    admitted = admit(plan)
    assert admitted.point.size == 0
    assert admitted.rejections == []


def test_a_reading_is_refused_for_one_reason(plan: Plan) -> None:
    assert [reason for reason, _ in refused(plan, message("meter", None, retain=True))] == [
        "retained_without_time"
    ]


def test_the_lead_of_a_reading_is_over_its_arrival(plan: Plan) -> None:
    messages = [
        message("line1/power", NOW + 31 * SECOND),
        message("line1/power", None),
        message("meter", NOW - 5),
    ]
    assert leads(decode(messages, plan), messages).tolist() == [31 * SECOND, 0, -5]


def hear(suspicion: ClockSuspicion, leads_s: dict[int, int], now: int) -> bool:
    points = np.array(list(leads_s), np.int32)
    suspicion.hear(points, np.array([lead * SECOND for lead in leads_s.values()], np.int64), now)
    return suspicion.suspect(now)


def test_most_points_ahead_make_our_clock_the_suspect() -> None:
    suspicion = ClockSuspicion(10)
    assert not suspicion.suspect(0)
    assert not hear(suspicion, {0: 31, 1: 31, 2: 30, 3: 0}, 0)
    assert hear(suspicion, {2: 31}, 1)
    assert not hear(suspicion, {4: 0, 5: 0}, 2)


def test_two_points_are_no_majority() -> None:
    suspicion = ClockSuspicion(10)
    assert not hear(suspicion, {0: 600, 1: 600}, 0)
    assert hear(suspicion, {2: 600}, 0)


def test_suspicion_ends_with_the_minute_or_with_newer_readings() -> None:
    suspicion = ClockSuspicion(10)
    assert hear(suspicion, {0: 600, 1: 600, 2: 600}, 0)
    assert suspicion.suspect(MINUTE - 1)
    assert not suspicion.suspect(MINUTE)
    assert hear(suspicion, {0: 600, 1: 600, 2: 600}, MINUTE)
    assert not hear(suspicion, {0: 0, 1: 0}, MINUTE + 1)


def test_the_last_reading_of_a_point_counts() -> None:
    suspicion = ClockSuspicion(3)
    points = np.array([0, 1, 2, 0, 1], np.int32)
    suspicion.hear(points, np.array([600, 600, 600, 0, 0], np.int64) * SECOND, 0)
    assert not suspicion.suspect(0)
