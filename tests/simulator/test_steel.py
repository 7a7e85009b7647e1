"""The steel record is the data set's, and its midnights are where they belong."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.errors import InputError
from ingest.model import MINUTE
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import decode
from simulator.instruments import instruments
from simulator.packets import total
from simulator.steel import WEEK, Row, SteelReplay, read_rows

SEOUL = ZoneInfo("Asia/Seoul")
QUARTER = 15 * MINUTE


def _kwh(rows: list[Row]) -> Decimal:
    return sum((Decimal(row.texts["Usage_kWh"]) for row in rows), Decimal(0))


def test_the_week_is_that_of_the_full_data(full_year: Path) -> None:
    head, *lines = full_year.read_bytes().splitlines(keepends=True)
    week_head, *week = WEEK.read_bytes().splitlines(keepends=True)
    assert week_head == head
    assert week == lines[2 * 672 : 3 * 672]


def test_the_week_is_the_one_its_attribution_describes() -> None:
    rows = read_rows(WEEK, SEOUL, "next-day")
    assert len(rows) == 672
    assert _kwh(rows) == Decimal("32223.91")
    assert max(Decimal(row.texts["Usage_kWh"]) for row in rows) * 4 == Decimal("612.56")
    attribution = (WEEK.parent / "README.md").read_text(encoding="utf-8")
    for words in ("CC BY 4.0", "10.24432/C52G8C", "32 223.91 kWh", "612.56 kW"):
        assert words in attribution


@pytest.mark.parametrize("midnight", ["next-day", "as-is"])
def test_the_week_begins_and_ends_at_midnight_in_seoul(midnight: str) -> None:
    rows = read_rows(WEEK, SEOUL, "next-day" if midnight == "next-day" else "as-is")
    assert rows[0].at == 1_515_943_800_000_000 - QUARTER  # 2018-01-15T00:15+09:00
    steps = {later.at - row.at for row, later in pairwise(rows)}
    if midnight == "next-day":
        assert steps == {QUARTER}
        assert rows[-1].at - rows[0].at == 671 * QUARTER
    else:
        assert steps == {QUARTER, -95 * QUARTER, 97 * QUARTER}


def test_the_whole_year_sums_to_the_kilowatt_hour(full_year: Path) -> None:
    rows = read_rows(full_year, SEOUL, "next-day")
    assert len(rows) == 35_040
    assert _kwh(rows) == Decimal("959636.71")
    assert max(Decimal(row.texts["Usage_kWh"]) for row in rows) * 4 == Decimal("628.72")
    assert {later.at - row.at for row, later in pairwise(rows)} == {QUARTER}


def test_the_year_as_is_steps_back_once_a_day(full_year: Path) -> None:
    rows = read_rows(full_year, SEOUL, "as-is")
    steps = [later.at - row.at for row, later in pairwise(rows)]
    assert sum(step < 0 for step in steps) == 365
    assert len({row.at for row in rows}) == 35_040
    assert _kwh(rows) == Decimal("959636.71")


def test_the_replay_sends_every_row_once(steel_plan: Plan) -> None:
    rows = read_rows(WEEK, steel_plan.zone, "next-day")
    replay = SteelReplay(instruments(steel_plan), rows, "plant", "steel")
    packets = [*replay.at_once(300), *replay.one_by_one(300)]
    assert [p.topic for p in packets] == ["plant/steel"] * 4 + ["plant/steel/plant"] * 372
    assert total(packets) == {f"steel/{i.name}": 672 for i in replay.instruments}
    assert all(a.last_at < b.first_at for a, b in pairwise(packets))
    decoded = decode([Delivery(p.topic, p.payload, received_at=p.last_at) for p in packets], steel_plan)
    assert not decoded.rejections
    energy = decoded.value[decoded.point == steel_plan.index["steel/plant/energy"]]
    assert sum(Decimal(repr(value)) for value in energy.tolist()) == Decimal("32223.91")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("date,Usage_kWh\n", "no column 'Lagging_Current_Reactive.Power_kVarh'; expected those of UCI 851"),
        ("{head}\n2018-01-01 0:15,1,2,3\n", "line 2: date '2018-01-01 0:15', expected DD/MM/YY H:MM"),
        ("{head}\n01/01/18 0:15,1,2,3\n01/01/18 0:30,x,2,3\n", "line 3: Usage_kWh 'x', expected a number"),
        ("{head}\n01/01/18 0:15,nan,2,3\n", "line 2: Usage_kWh 'nan', expected a number"),
        ("{head}\n01/01/18 0:15,1\n", "line 2: .* '', expected a number"),
    ],
)
def test_a_wrong_record_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    head = "date,Usage_kWh,Lagging_Current_Reactive.Power_kVarh,Leading_Current_Reactive_Power_kVarh"
    path = tmp_path / "steel.csv"
    path.write_text(text.format(head=head), encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        read_rows(path, SEOUL, "next-day")


def test_a_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"none\.csv: No such file or directory; expected the steel data set"
    ):
        read_rows(tmp_path / "none.csv", SEOUL, "next-day")


def test_a_plant_the_record_does_not_cover_is_refused(cement_plan: Plan) -> None:
    with pytest.raises(
        InputError, match="point cement/substation/energy: the steel data set has no such counter"
    ):
        SteelReplay(instruments(cement_plan), [], "plant", "cement")
