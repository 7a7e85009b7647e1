"""The shipped mapping on the real steel works: the shipped week, and the whole year where it is."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ingest.csv_history import CsvHistory
from ingest.csv_mapping import CsvMapping, load_mapping
from ingest.model import HOUR, MINUTE
from ingest.plant.compile import compile_plan
from ingest.plant.parse import load_plant
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import Decoded, decode
from ingest.wire.times import EPOCH

ROOT = Path(__file__).resolve().parents[2]
YEAR = ROOT.parent / "shared" / "data" / "steel" / "Steel_industry_data.csv"
WEEK = ROOT / "simulator" / "data" / "steel_week.csv"
QUARTER = 15 * MINUTE


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_plan(load_plant(ROOT / "simulator" / "plants" / "steel.yaml"))


@pytest.fixture(scope="module")
def mapping() -> CsvMapping:
    return load_mapping(ROOT / "simulator" / "data" / "steel.mapping.yaml")


def read(path: Path, mapping: CsvMapping, plan: Plan) -> Decoded:
    chunks = CsvHistory(path, mapping, plan).chunks()
    return decode([Delivery(chunk.topic, chunk.payload, 0) for chunk in chunks], plan)


def energy(decoded: Decoded, plan: Plan) -> tuple[list[int], Decimal]:
    """Times and exact sum of the energy, in the order of the file."""
    mine = decoded.point == plan.index["steel/plant/energy"]
    values = decoded.value[mine].tolist()
    return decoded.measured_at[mine].tolist(), sum((Decimal(repr(value)) for value in values), Decimal(0))


def seoul(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    at = datetime(year, month, day, hour, minute, tzinfo=ZoneInfo("Asia/Seoul"))
    return (at - EPOCH) // timedelta(microseconds=1)


def test_the_shipped_week(mapping: CsvMapping, plan: Plan) -> None:
    decoded = read(WEEK, mapping, plan)
    at, total = energy(decoded, plan)
    assert decoded.rejections == []
    assert len(decoded.point) == 3 * 672
    assert total == Decimal("32223.91")
    assert at == list(range(seoul(2018, 1, 15, 0, 15), seoul(2018, 1, 22) + QUARTER, QUARTER))


def test_the_whole_year(mapping: CsvMapping, plan: Plan) -> None:
    if not YEAR.exists():
        pytest.skip("needs the whole UCI 851 file, which is not shipped; looked for Steel_industry_data.csv")
    decoded = read(YEAR, mapping, plan)
    at, total = energy(decoded, plan)
    assert decoded.rejections == []
    assert decoded.nulls == 0
    assert len(at) == 35_040
    assert total == Decimal("959636.71")
    assert (np.diff(at) > 0).all()
    assert at == list(range(seoul(2018, 1, 1, 0, 15), seoul(2019, 1, 1) + QUARTER, QUARTER))


def test_the_whole_year_as_written_puts_midnight_a_day_early(mapping: CsvMapping, plan: Plan) -> None:
    if not YEAR.exists():
        pytest.skip("needs the whole UCI 851 file, which is not shipped; looked for Steel_industry_data.csv")
    time = mapping.time.model_copy(update={"midnight": "same"})
    at, total = energy(read(YEAR, mapping.model_copy(update={"time": time}), plan), plan)
    assert total == Decimal("959636.71")
    steps = np.diff(at)
    assert (steps < 0).sum() == 365
    assert set(steps[steps < 0].tolist()) == {QUARTER - 24 * HOUR}
