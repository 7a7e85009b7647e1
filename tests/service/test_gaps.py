"""Gaps as objects: they are what the intervals leave uncovered, to the µs, and say why."""

import csv
import io
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import HOUR, MINUTE, SECOND, Kind
from ingest.plant.plan import Plan
from ingest.source import Delivery
from kernels.exact import to_counts
from service import gaps
from service.books import count_of
from service.times import parse_instant
from tests.ingest.crooked import PLANT as CROOKED
from tests.ingest.crooked import crooked, end_of, the_end
from tests.ingest.feeding import START, Clock, feed, message, open_site
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.seeding import text
from tests.service.test_points import pages_of

PLANT = """\
site: mill
name: A mill
time_zone: Europe/Berlin
clock: live
interval: 1min
lateness: 5s
units:
  - {id: line, name: Line, kind: line}
  - {id: yard, name: Yard, kind: area}
points:
  - {id: line/energy, kind: counter, unit: kWh, period: 5s, max_gap: 2min, resolution: 0.001}
  - {id: line/power, kind: gauge, unit: kW, period: 5s, max_gap: 1min, sloped: true}
  - {id: line/setpoint, kind: gauge, unit: kW, period: 5s, max_gap: 1min, sloped: false}
  - {id: line/batch, kind: delta, unit: t, period: 1min, resolution: 0.001}
  - {id: line/sacks, kind: delta, unit: t, period: 1min, stamp: start, resolution: 0.001}
  - {id: line/sum, kind: gauge, unit: kW, max_gap: 1min, computed: {method: linear, inputs: {a: line/power, b: line/setpoint}, constants: {a: 1.0, b: 0.5}}}
  - {id: yard/scale, kind: gauge, unit: t/h, period: 5s, max_gap: 1min, sloped: true}
kpis:
  - {id: line/load, kind: rate, unit: kW, numerator: [{point: line/power}], windows: [5min]}
"""  # noqa: E501

EVERY = ("line/energy", "line/power", "line/setpoint", "yard/scale")
MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"


def at(minute: float) -> int:
    """An instant so many minutes into the stretch."""
    return START + round(minute * MINUTE)


def steady(point: str, begin: float, end: float, **more: Any) -> list[Delivery]:
    """A reading every five seconds of [begin, end) minutes; a register gains 10 counts with each."""
    found = []
    for k in range(round(begin * 12), round(end * 12)):
        value = k * 0.01 if point == "line/energy" else 100.0
        found.append(message(point, START + k * 5 * SECOND, value, **more))
    return found


async def fed(dsn: str, deliveries: list[Delivery], plant: str = PLANT, silent_minutes: int = 0) -> Plan:
    """A database as ingest leaves it."""
    clock = Clock()
    ingest = await open_site(dsn, plant, clock)
    await feed(ingest, sorted(deliveries, key=lambda one: one.received_at))
    for _ in range(silent_minutes):
        clock.elapsed += MINUTE
        await ingest.take([], caught_up=True)
    while ingest.more:
        await ingest.take([], caught_up=True)
    await ingest.close()
    return ingest.plan


async def gaps_of(dsn: str, path: str, begin: int = START, end: int = START + HOUR) -> list[dict[str, Any]]:
    async with admin_client(dsn, ServiceClock()) as client:
        response = await client.get(f"{path}?from={text(begin)}&to={text(end)}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["items"]
    return found


def spans(items: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(item["from"], item["to"]) for item in items]


@pytest.mark.parametrize(
    ("point", "begin", "end"),
    [
        # The last reading is at 9:55, the first one behind the gap at 20:00.
        ("line/energy", at(9) + 55 * SECOND, at(20)),
        ("line/power", at(9) + 55 * SECOND, at(20)),
        ("line/setpoint", at(10) + 55 * SECOND, at(20)),
        ("line/sum", at(9) + 55 * SECOND, at(20)),
    ],
)
async def test_a_gap_ends_where_the_readings_do(dsn: str, point: str, begin: int, end: int) -> None:
    readings = [one for name in EVERY for span in ((0, 10), (20, 30)) for one in steady(name, *span)]
    await fed(dsn, readings)
    [gap] = await gaps_of(dsn, f"/v1/points/mill/{point}/gaps", end=at(25))
    assert (gap["from"], gap["to"], gap["length_s"]) == (text(begin), text(end), (end - begin) / SECOND)
    assert (gap["intervals_from"], gap["intervals_to"]) == (text(begin - begin % MINUTE), text(end))
    assert gap["intervals"] == (end - begin + begin % MINUTE) // MINUTE
    # A span in the midst of it shows the whole of it; one beside it nothing.
    assert [gap] == await gaps_of(dsn, f"/v1/points/mill/{point}/gaps", at(15), at(16))
    assert await gaps_of(dsn, f"/v1/points/mill/{point}/gaps", at(20), at(25)) == []
    assert await gaps_of(dsn, f"/v1/points/mill/{point}/gaps", at(1), at(9)) == []


async def test_amounts_leave_gaps_between_the_periods_they_are_of(dsn: str) -> None:
    readings = [message(p, at(k), 0.5) for p in ("line/batch", "line/sacks") for k in (1, 2, 5.5, 6.5)]
    await fed(dsn, [*readings, *steady("line/power", 0, 20)])
    assert spans(await gaps_of(dsn, "/v1/points/mill/line/batch/gaps", end=at(7))) == [
        (text(at(2)), text(at(4.5))),
        (text(at(6.5)), None),
    ]
    assert spans(await gaps_of(dsn, "/v1/points/mill/line/sacks/gaps", end=at(8))) == [
        (text(at(3)), text(at(5.5))),
        (text(at(7.5)), None),
    ]


async def test_a_counters_gap_says_what_it_was_filled_with(dsn: str) -> None:
    await fed(dsn, steady("line/energy", 0, 10) + steady("line/energy", 20, 30))
    [gap] = await gaps_of(dsn, "/v1/points/mill/line/energy/gaps", end=at(25))
    assert (gap["filled"], gap["amount_count"], gap["amount"], gap["amount_unit"]) == (
        "flat",
        121 * 10,
        121 * 10 * 0.001,
        "kWh",
    )
    [(total,)] = _query(
        dsn,
        "SELECT sum(amount_count) FROM interval JOIN point USING (point_no) WHERE id = 'mill/line/energy'"
        f" AND {MICROSECONDS.format('start_at')} < {at(20)}",
    )
    assert total == 20 * 12 * 10  # with the 9 min 55 s before it


async def test_a_reset_in_a_gap_books_what_the_ledger_does(dsn: str) -> None:
    after = [message("line/energy", at(20 + k / 12), 0.005 + k * 0.01) for k in range(60)]
    await fed(dsn, steady("line/energy", 0, 10) + after)
    [gap] = await gaps_of(dsn, "/v1/points/mill/line/energy/gaps", end=at(24))
    [(increment,)] = _query(dsn, "SELECT increment FROM ledger")
    assert (gap["filled"], gap["amount_count"]) == ("flat", increment)
    assert increment == 5


@given(
    st.floats(-1e12, 1e12) | st.floats(-10, 10) | st.integers(-(10**9), 10**9).map(lambda n: n / 8),
    st.sampled_from([1e-6, 1e-3, 0.01, 0.1, 0.125, 1.0, 10.0, 0.3, 2.5]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_told_in_counts_is_what_was_folded(value: float, resolution: float) -> None:
    counts = np.zeros(1, np.int64)
    to_counts(np.array([value]), resolution, counts)
    assert count_of(value, resolution) == counts[0]


async def test_a_gap_longer_than_it_may_be_filled_tells_what_is_known_and_not_spread(dsn: str) -> None:
    plant = PLANT.replace("max_gap: 2min,", "max_gap: 2min, fill_at_most: 8min,")
    readings = steady("line/energy", 0, 10) + steady("line/energy", 20, 30)
    await fed(dsn, readings, plant)
    [gap] = await gaps_of(dsn, "/v1/points/mill/line/energy/gaps", end=at(25))
    assert (gap["from"], gap["to"]) == (text(at(10) - 5 * SECOND), text(at(20)))
    assert (gap["filled"], gap["amount_count"], gap["intervals"]) == ("too_long", 1210, 11)
    async with admin_client(dsn, ServiceClock()) as client:
        span = f"from={text(START)}&to={text(at(30))}"
        items = (await client.get(f"/v1/points/mill/line/energy/intervals?{span}")).json()["items"]
        ledger = (await client.get(f"/v1/points/mill/line/energy/ledger?{span}")).json()
    assert [item["reason"] for item in items[9:21]] == [None, *["gap"] * 10, None]
    assert [(step["class"], step["correction_count"]) for step in ledger["items"]] == [("too_long", 1210)]


async def test_a_gap_says_by_what_it_was_filled_and_why_not(dsn: str) -> None:
    plant = PLANT.replace("max_gap: 2min,", "max_gap: 2min, fill: production, fill_by: line/batch,")
    made = [message("line/batch", at(minute), 0.25) for minute in range(1, 31) if minute != 18]
    energy = [one for begin, end in ((0, 4), (8, 14), (20, 30)) for one in steady("line/energy", begin, end)]
    await fed(dsn, energy + made, plant)
    gaps = await gaps_of(dsn, "/v1/points/mill/line/energy/gaps", end=at(25))
    told = [(gap["from"], gap["filled"], gap["flat_because"], gap["amount_count"]) for gap in gaps]
    assert told == [
        (text(at(4) - 5 * SECOND), "production", None, 49 * 10),
        (text(at(14) - 5 * SECOND), "flat", "no_weight", 73 * 10),
    ]


async def test_bad_readings_cover_a_gauge_and_not_a_counter(dsn: str) -> None:
    readings = [
        one
        for name in ("line/energy", "line/power")
        for begin, end, more in (
            (0, 10, {}),
            (10, 20, {"quality": "bad", "reason": "calibration"}),
            (20, 30, {}),
        )
        for one in steady(name, begin, end, **more)
    ]
    await fed(dsn, readings)
    assert await gaps_of(dsn, "/v1/points/mill/line/power/gaps", end=at(25)) == []
    [gap] = await gaps_of(dsn, "/v1/points/mill/line/energy/gaps", end=at(25))
    assert (gap["from"], gap["to"]) == (text(at(9) + 55 * SECOND), text(at(20)))
    assert (gap["cause"], gap["filled"]) == ("calibration", "flat")


async def test_an_open_gap_lasts_as_long_as_its_point_is_closed(dsn: str) -> None:
    await fed(dsn, [one for name in EVERY for one in steady(name, 0, 10)], silent_minutes=12)
    items = await gaps_of(dsn, "/v1/gaps")
    assert {item["id"]: (item["from"], item["to"]) for item in items} == {
        f"mill/{name}": (text(at(10.0 if name != "line/setpoint" else 11.0) - 5 * SECOND), None)
        for name in (*EVERY, "line/sum")
    }
    ends = {item["intervals_to"] for item in items}
    async with admin_client(dsn, ServiceClock()) as client:
        path = f"/v1/points/mill/line/power/intervals?from={text(START)}&to={text(START + HOUR)}"
        shown = (await client.get(path)).json()["items"]
    assert ends == {shown[-1]["to"]}
    assert shown[-1]["reason"] == "gap"


async def test_the_cause_is_how_much_was_silent(dsn: str) -> None:
    talk = {
        "line/power": ((0, 10), (15, 20), (25, 40), (45, 60)),
        "line/setpoint": ((0, 20), (25, 40), (45, 60)),
        "line/energy": ((0, 20), (25, 40), (45, 60)),
        "yard/scale": ((0, 40), (45, 60)),
    }
    readings = [one for name, parts in talk.items() for span in parts for one in steady(name, *span)]
    readings += [message("line/batch", at(k), 0.5) for k in (*range(21), *range(26, 41), *range(46, 61))]
    await fed(dsn, readings)
    items = await gaps_of(dsn, "/v1/gaps", end=at(57))
    begun = {(item["id"].removeprefix("mill/"), item["from"]): item["cause"] for item in items}
    minute_five = 55 * SECOND
    assert begun[("line/power", text(at(9) + minute_five))] == "point"
    assert begun[("line/setpoint", text(at(20) + minute_five))] == "unit"
    assert begun[("line/energy", text(at(19) + minute_five))] == "unit"
    for name, begin in (("line/energy", 39), ("line/power", 39), ("line/setpoint", 40), ("yard/scale", 39)):
        assert begun[(name, text(at(begin) + minute_five))] == "site"


async def test_a_reason_at_its_ends_is_the_cause(dsn: str) -> None:
    readings = steady("line/power", 0, 10) + steady("line/power", 20, 30)
    readings.append(message("line/power", at(10), None, quality="bad", reason="comm"))
    await fed(dsn, readings + steady("line/energy", 0, 30))
    [gap] = await gaps_of(dsn, "/v1/points/mill/line/power/gaps", end=at(25))
    assert (gap["from"], gap["cause"]) == (text(at(10)), "comm")


async def test_a_late_reading_makes_two_gaps_of_one(dsn: str) -> None:
    readings = steady("line/power", 0, 10) + steady("line/power", 20, 30)
    await fed(dsn, readings)
    late = message("line/power", at(15), 100.0, received_at=at(31))
    await fed(dsn, [late])
    assert spans(await gaps_of(dsn, "/v1/points/mill/line/power/gaps", end=at(25))) == [
        (text(at(10) - 5 * SECOND), text(at(15))),
        (text(at(15)), text(at(20))),
    ]


@pytest.mark.parametrize("seed", [3, 11, 12])
async def test_gaps_are_what_intervals_leave_uncovered(dsn: str, seed: int) -> None:
    """By other means: per point and interval, length less covered time is the time of the gaps in it."""
    plan = await fed(dsn, [*crooked(seed, 240, 60), the_end(240)], CROOKED)
    end = end_of(240)
    items = await gaps_of(dsn, "/v1/gaps", START - HOUR, end + HOUR)
    closed, partial = 0, 0
    for point in plan.points:
        mine = sorted(
            (parse_instant(item["from"]), end if item["to"] is None else parse_instant(item["to"]))
            for item in items
            if item["id"] == point.id
        )
        assert all(one[1] <= other[0] for one, other in pairwise(mine))
        closed += len(mine)
        rows = {
            start: (covered, valid, reasons)
            for start, covered, valid, reasons in _query(
                dsn,
                f"SELECT {MICROSECONDS.format('start_at')}, covered_us, valid_us, reasons"
                f" FROM interval JOIN point USING (point_no) WHERE id = '{point.id}' AND revision > 0",
            )
        }
        for start in range(min(rows) + MINUTE, end, MINUTE):
            missing = sum(max(0, min(b, start + MINUTE) - max(a, start)) for a, b in mine)
            covered, valid, reasons = rows.get(start, (0, 0, 0))
            if point.kind is Kind.COUNTER and covered:
                filled = missing - (MINUTE - covered)
                assert 0 <= filled <= covered - valid
                assert (reasons >> 13 & 1) == (missing > 0)
            else:
                assert missing == MINUTE - covered, (point.id, text(start))
            partial += 0 < missing < MINUTE
    assert closed > 20
    assert partial > 20


async def test_pages_of_gaps_of_any_size_are_the_whole(dsn: str) -> None:
    await fed(dsn, [*crooked(5, 240, 60), the_end(240)], CROOKED)
    async with admin_client(dsn, ServiceClock()) as client:
        for route in ("/v1/gaps?site=mill&", "/v1/points/mill/line/energy/gaps?"):
            path = f"{route}from={text(START)}&to={text(end_of(240))}"
            body = (await client.get(path)).json()
            whole = body["items"]
            assert len(whole) > (20 if "site" in path else 2)
            opened = [item["to"] is None for item in whole]
            assert opened == sorted(opened, reverse="site" in path)
            for limit in (1, 2, 7, len(whole)):
                pages = await pages_of(client, path, limit)
                assert [item for page in pages for item in page] == whole
            rows = list(csv.DictReader(io.StringIO((await client.get(f"{path}&format=csv")).text)))
            assert [row["from"] for row in rows] == [item["from"] for item in whole]
            assert list(rows[0]) == list(whole[0])


async def test_too_much_to_look_through_is_refused(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is there: what counts is the time from the first reading on, not from 1970."""
    await fed(dsn, steady("line/power", 0, 10), silent_minutes=5)
    async with admin_client(dsn, ServiceClock()) as client:
        path = f"/v1/gaps?from={text(0)}&to={text(START + HOUR)}"
        assert (await client.get(path)).status_code == 200
        monkeypatch.setattr(gaps, "MOST_INTERVALS", 5)
        refused = await client.get(path)
    assert refused.status_code == 422
    assert "expected at most 5;" in refused.json()["detail"]


def _query(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()
