"""Blocks of demand begin where the clock on the wall says, whatever is done to the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingest.errors import PlantError
from ingest.methods.demand import block_begin
from ingest.model import HOUR, MINUTE, SECOND
from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan import PlanKpi

PLANT = """\
site: mill
name: Mill
time_zone: {zone}
interval: 15min
points: [{{id: energy, kind: counter, unit: kWh, period: 5s}}]
kpis: [{{id: demand, kind: demand, unit: kW, numerator: [{{point: energy}}], block: {block}{more}}}]
"""


def demand(zone: str, block: str, more: str = "") -> PlanKpi:
    return compile_plan(parse_plant(PLANT.format(zone=zone, block=block, more=more), "mill.yaml")).kpis[0]


@pytest.mark.parametrize(
    ("zone", "block", "phase_us"),
    [
        ("Asia/Shanghai", "15min", 0),
        ("Asia/Kathmandu", "15min", 0),
        ("Asia/Kathmandu", "30min", 15 * MINUTE),
        ("Asia/Kathmandu", "1h", 45 * MINUTE),
        ("Asia/Kolkata", "1h", 30 * MINUTE),
        ("America/St_Johns", "1h", 30 * MINUTE),
        ("Europe/Berlin", "1h", 0),
        ("Asia/Shanghai", "8h", 0),
        ("Asia/Shanghai", "1d", 8 * HOUR),
        ("Europe/Berlin", "8h", 0),  # a change would cut one: UTC
        ("Australia/Lord_Howe", "30min", 0),
        ("Australia/Lord_Howe", "1h", 0),  # its clocks are changed by half an hour: UTC
    ],
)
def test_the_phase_of_a_zone(zone: str, block: str, phase_us: int) -> None:
    assert demand(zone, block).phase_us == phase_us
    assert demand(zone, block, ", align: utc").phase_us == 0


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("block", ["15min", "30min"])
def test_on_days_of_23_24_and_25_hours_blocks_begin_on_the_clock_and_fill_the_day(
    zone: str, block: str
) -> None:
    kpi = demand(zone, block, ", align: site")
    assert kpi.block_us is not None
    minutes = kpi.block_us // MINUTE
    for month, day in ((3, 28), (10, 24), (4, 4), (3, 7)):
        begin = datetime(2026, month, day, tzinfo=ZoneInfo(zone))
        end = begin + timedelta(days=3)  # on the wall clock
        at, last = (round(instant.timestamp()) * SECOND for instant in (begin, end))
        assert block_begin(at, kpi.block_us, kpi.phase_us) == at
        count = 0
        while at < last:
            local = datetime.fromtimestamp(at // SECOND, UTC).astimezone(ZoneInfo(zone))
            assert (local.hour * 60 + local.minute) % minutes == 0
            for inside in (at, at + 1, at + kpi.block_us - 1):
                assert block_begin(inside, kpi.block_us, kpi.phase_us) == at
            at += kpi.block_us
            count += 1
        assert count * kpi.block_us == last - round(begin.timestamp()) * SECOND


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            ", align: site",
            "kpis[0].align is 'site'; expected utc, for changes of the clock of Australia/Lord_Howe cut blocks of 1h",
        ),
        (", load_window: 1h", "kpis[0].load_window is '1h'; expected a duration shorter than the block, 1h"),
        (", load_window: 0s", "kpis[0].load_window is '0s'; expected a duration shorter than the block, 1h"),
    ],
)
def test_what_is_refused(more: str, sentence: str) -> None:
    with pytest.raises(PlantError, match=r"mill\.yaml: ") as caught:
        demand("Australia/Lord_Howe", "1h", more)
    assert str(caught.value) == f"mill.yaml: {sentence}"


def test_the_load_is_taken_over_two_minutes_or_half_a_block() -> None:
    assert demand("Asia/Shanghai", "15min").load_us == 2 * MINUTE
    assert demand("Asia/Shanghai", "15min", ", load_window: 5min").load_us == 5 * MINUTE
    text = PLANT.format(zone="Asia/Shanghai", block="1min", more="").replace(
        "interval: 15min", "interval: 1min"
    )
    assert compile_plan(parse_plant(text, "mill.yaml")).kpis[0].load_us == 30 * SECOND
