"""What rules see of running blocks: what is sure, as rows of subjects."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.model import HOUR, MINUTE, Reason
from ingest.pipeline.batch import Latest
from ingest.pipeline.demand import DemandBlocks, by_window
from ingest.pipeline.state import SiteState
from ingest.plant import compile_plan, parse_plant

PLANT = """\
site: mill
name: Mill
time_zone: Europe/Berlin
points: [{id: energy, kind: counter, unit: kWh, period: 5s}]
kpis:
  - {id: power, kind: rate, unit: kW, numerator: [{point: energy}], windows: [5min]}
  - {id: demand, kind: demand, unit: kW, numerator: [{point: energy}], block: 15min, stale_after: 5min}
contracted_demand: {value: 550, unit: kW, kpi: demand, caution: 0.1}
"""
ROW = np.dtype(
    [
        *((name, "f8") for name in ("value", "weight", "valid_share")),
        *((name, "i8") for name in ("quality", "reasons", "at", "from_at", "to_at")),
    ]
)
DEMAND = 1


@dataclass(frozen=True)
class Watched:
    place: int


@dataclass(frozen=True)
class Moment:
    now_us: int
    latest: Mapping[tuple[int, int], Latest]


def window(window_us: int, from_at: int, to_at: int, kw: float, *, covered: float = 1.0) -> Latest:
    hours = (to_at - from_at) / HOUR * covered
    time_us = round(hours * HOUR)
    return Latest(
        DEMAND,
        window_us,
        from_at,
        to_at,
        kw * hours,
        hours,
        kw,
        None,
        time_us,
        time_us,
        0,
        1,
        int(Reason.RATE),
    )


def seen(block: Latest, load: Latest, now: int) -> np.void:
    observer = DemandBlocks(SiteState(compile_plan(parse_plant(PLANT, "mill.yaml"))), [Watched(DEMAND)])
    found = np.zeros(1, ROW)
    found["value"] = np.nan
    observer.observe(Moment(now, by_window([block, load])), found)
    row: np.void = found[0]
    return row


def test_a_block_is_told_with_a_load_that_falls_by_the_caution() -> None:
    at = 5 * MINUTE
    row = seen(window(15 * MINUTE, 0, at, 600.0), window(2 * MINUTE, 3 * MINUTE, at, 600.0), at)
    assert row["value"] == (600 * 5 + 540 * 10) / 15
    assert (row["weight"], row["valid_share"], row["quality"], row["reasons"]) == (
        1.0,
        1.0,
        1,
        int(Reason.RATE),
    )
    assert (row["at"], row["from_at"], row["to_at"]) == (at, 0, at)


def test_nothing_is_told_of_a_load_of_the_block_before_of_a_gap_or_of_old_data() -> None:
    at = 5 * MINUTE
    block, load = window(15 * MINUTE, 0, at, 600.0), window(2 * MINUTE, 3 * MINUTE, at, 600.0)
    assert np.isnan(
        seen(window(15 * MINUTE, 0, MINUTE, 600.0), window(2 * MINUTE, -MINUTE, MINUTE, 600.0), at)["value"]
    )
    assert np.isnan(seen(window(15 * MINUTE, 0, at, 600.0, covered=0.9), load, at)["value"])
    assert np.isnan(seen(block, load, at + 5 * MINUTE + 1)["value"])
    assert not np.isnan(seen(block, load, at + 5 * MINUTE)["value"])


def test_before_anything_was_evaluated_a_row_stays_as_it_was() -> None:
    observer = DemandBlocks(SiteState(compile_plan(parse_plant(PLANT, "mill.yaml"))), [Watched(DEMAND)])
    found = np.zeros(1, ROW)
    observer.observe(Moment(0, {}), found)
    assert found[0] == np.zeros(1, ROW)[0]
