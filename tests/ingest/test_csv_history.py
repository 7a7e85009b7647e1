"""A CSV file becomes messages of the wire: values, times, keys, progress, refusals."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.csv_history import READINGS_A_CHUNK, ROWS_A_BLOCK, CsvHistory
from ingest.csv_mapping import CsvMapping, parse_mapping
from ingest.errors import InputError
from ingest.model import Kind
from ingest.plant.compile import compile_plan
from ingest.plant.parse import parse_plant
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import decode
from ingest.wire.times import EPOCH

PLANT = """
site: works
name: Works
time_zone: Europe/Berlin
clock: replay
interval: 15min
lateness: 0s
topic_prefix: acme/plant
units:
  - {id: line1, name: Line 1, kind: line}
points:
  - {id: line1/power, kind: gauge, unit: kW, period: 15min, max_gap: 60min}
  - {id: line1/temperature, kind: sample, unit: °C, period: 15min, max_gap: 60min}
  - {id: line1/state, kind: state, states: {stopped: 0, running: 1}, period: 15min, max_gap: 60min}
  - {id: line1/twice, kind: gauge, unit: kW, computed: {method: linear, inputs: {p: line1/power}, constants: {p: 2}}}
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_plan(parse_plant(PLANT, "works.yaml"))


def mapping(
    columns: str = "P: {point: line1/power, unit: kW}", time: str = "column: t", more: str = ""
) -> CsvMapping:
    return parse_mapping(
        f"site: works\ncolumns: {{{columns}}}\ntime: {{{time}}}\n{more}", "works.mapping.yaml"
    )


def bodies(path: Path, read_as: CsvMapping, plan: Plan) -> list[dict[str, Any]]:
    return [json.loads(chunk.payload) for chunk in CsvHistory(path, read_as, plan).chunks()]


def times(path: Path, text: str, time: str, plan: Plan) -> list[str]:
    path.write_text(text)
    ts = [at for body in bodies(path, mapping(time=time), plan) for at in body["ts"]]
    return [f"{EPOCH + timedelta(milliseconds=at):%m-%dT%H:%M}" for at in ts]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def test_cells_become_values_in_the_units_of_the_points(file: Path, plan: Plan) -> None:
    file.write_text(
        "t,S,P,F,ignored\n"
        "2026-01-01T00:00:00Z,running,1.5,68,x\n"
        "2026-01-01T00:15:00+01:00,0,-2e-3, n/a ,x\n"
        "\n"
        "2026-01-01T00:30:00.0015Z,TRUE,,32,\n"
    )
    columns = (
        "P: {point: line1/power, unit: MW}, F: {point: line1/temperature, unit: °F}, "
        'S: {point: line1/state, unit: "1"}'
    )
    (body,) = bodies(file, mapping(columns, more='missing: ["", n/a]'), plan)
    assert body["points"] == ["line1/power", "line1/temperature", "line1/state"]
    assert body["ts"] == [1767225600000, 1767222900000, 1767227400001.5]
    power, temperature, state = body["value"]
    assert power == [1500.0, -2.0, None]
    assert temperature == [pytest.approx(20.0), None, pytest.approx(0.0)]
    assert state == ["running", 0.0, True]


def test_the_messages_are_taken_by_the_wire(file: Path, plan: Plan) -> None:
    file.write_text("t,S,P\n2026-01-01T00:00:00.0015Z,running,1.5\n2026-01-01T00:15:00Z,False,\n")
    columns = 'P: {point: line1/power, unit: kW}, S: {point: line1/state, unit: "1"}'
    (chunk,) = CsvHistory(file, mapping(columns), plan).chunks()
    assert chunk.topic == "acme/plant/works"
    decoded = decode([Delivery(chunk.topic, chunk.payload, 0)], plan)
    assert decoded.rejections == []
    assert [Kind(plan.params["kind"][point]) for point in decoded.point] == [
        Kind.GAUGE,
        Kind.STATE,
        Kind.STATE,
    ]
    assert decoded.value.tolist() == [1.5, 1.0, 0.0]
    assert decoded.measured_at[0] == 1767225600001500


def test_delimiter_decimal_comma_encoding_and_rows_above(file: Path, plan: Plan) -> None:
    file.write_bytes("Zähler Nr. 5\r\n\r\nt;P\r\n2026-01-01T00:00:00Z;1,5\r\n".encode("cp1252"))
    read_as = mapping(more='delimiter: ";"\ndecimal: ","\nencoding: cp1252\nskip_rows: 2\n')
    assert bodies(file, read_as, plan)[0]["value"] == [[1.5]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_heading(file: Path, plan: Plan, encoding: str) -> None:
    file.write_text(
        "t,P\n2026-01-01T00:00:00Z,1\n", encoding="utf-8-sig" if encoding == "utf-8" else encoding
    )
    assert bodies(file, mapping(more=f"encoding: {encoding}"), plan)[0]["value"] == [[1.0]]


def test_local_time_that_comes_twice_is_told_apart_by_order(file: Path, plan: Plan) -> None:
    time = 'column: t, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin'
    clock = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    text = "t,P\n" + "".join(f"25.10.2026 {hour},1\n" for hour in clock)
    assert times(file, text, time, plan) == [
        "10-24T23:30", "10-25T00:00", "10-25T00:30", "10-25T01:00", "10-25T01:30", "10-25T02:00",
    ]  # fmt: skip


def test_an_hour_that_came_twice_but_stands_once_is_the_first(file: Path, plan: Plan) -> None:
    time = 'column: t, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin'
    text = "t,P\n25.10.2026 02:30,1\n25.10.2026 03:30,1\n"
    assert times(file, text, time, plan) == ["10-25T00:30", "10-25T02:30"]


def test_local_time_that_never_was_is_refused(file: Path, plan: Plan) -> None:
    file.write_text("t,P\n29.03.2026 01:45,1\n29.03.2026 02:15,1\n")
    read_as = mapping(time='column: t, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin')
    with pytest.raises(InputError) as caught:
        bodies(file, read_as, plan)
    assert str(caught.value) == (
        "history.csv line 3: t is '29.03.2026 02:15'; "
        "expected a time that was in Europe/Berlin, or a zone without summer time"
    )


def test_midnight_belongs_to_the_day_the_mapping_says(file: Path, plan: Plan) -> None:
    text = "t,P\n2026-03-28 23:45,1\n2026-03-28 00:00,1\n2026-03-29 00:15,1\n"
    zone = "column: t, zone: Europe/Berlin"
    assert times(file, text, f"{zone}, midnight: next_day", plan) == [
        "03-28T22:45",
        "03-28T23:00",
        "03-28T23:15",
    ]
    assert times(file, text, zone, plan) == ["03-28T22:45", "03-27T23:00", "03-28T23:15"]
    assert (
        times(file, text, f'{zone}, midnight: next_day, format: "%Y-%m-%d %H:%M"', plan)[1] == "03-28T23:00"
    )


def test_an_offset_of_the_stamp_goes_before_the_zone(file: Path, plan: Plan) -> None:
    text = "t,P\n2026-01-01T08:00:00+08:00,1\n2026-01-01T08:00:00,1\n"
    assert times(file, text, "column: t, zone: Europe/Berlin", plan) == ["01-01T00:00", "01-01T07:00"]
    text = "t,P\n2026-01-01 08:00 +0800,1\n"
    assert times(file, text, 'column: t, format: "%Y-%m-%d %H:%M %z"', plan) == ["01-01T00:00"]


def test_epoch_milliseconds(file: Path, plan: Plan) -> None:
    file.write_text("t,P\n1767225600000,1\n1767225600000.5,2\n")
    assert bodies(file, mapping(time="column: t, format: epoch_ms"), plan)[0]["ts"] == [
        1767225600000,
        1767225600000.5,
    ]


def rows(count: int) -> str:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = (f"{(start + timedelta(minutes=15 * i)).isoformat()},{i},{i}\n" for i in range(count))
    return "t,P,F\n" + "".join(lines)


TWO = "P: {point: line1/power, unit: kW}, F: {point: line1/temperature, unit: °C}"


def test_chunks_hold_few_readings_and_report_progress(file: Path, plan: Plan) -> None:
    file.write_text(rows(6001))
    chunks = list(CsvHistory(file, mapping(TWO), plan).chunks())
    assert [chunk.rows for chunk in chunks] == [0, ROWS_A_BLOCK] * 12 + [241]
    assert sum(chunk.rows for chunk in chunks) == 6001
    bodies_ = [json.loads(chunk.payload) for chunk in chunks]
    assert max(len(body["points"]) * len(body["ts"]) for body in bodies_) <= READINGS_A_CHUNK
    done = [chunk.bytes_done for chunk in chunks]
    assert done == sorted(done)
    assert 0 < done[0] < done[2] < done[-1] == chunks[0].bytes_total == file.stat().st_size


def test_columns_of_a_block_of_rows_come_one_after_the_other(file: Path, plan: Plan) -> None:
    """Every cell once, each point's in the order of the file; the rows are those of the last message of a block."""
    file.write_text(rows(1100))
    chunks = list(CsvHistory(file, mapping(TWO), plan).chunks())
    assert [chunk.rows for chunk in chunks] == [0, 480, 0, 480, 140]
    assert len({chunk.key for chunk in chunks}) == len(chunks)
    told: dict[str, list[float]] = {}
    for chunk in chunks:
        body = json.loads(chunk.payload)
        assert len(body["points"]) * len(body["ts"]) <= READINGS_A_CHUNK
        for point, values in zip(body["points"], body["value"], strict=True):
            told.setdefault(point, []).extend(values)
    whole = [float(i) for i in range(1100)]
    assert told == {"line1/power": whole, "line1/temperature": whole}


def test_the_same_file_read_the_same_way_has_the_same_keys(file: Path, tmp_path: Path, plan: Plan) -> None:
    file.write_text(rows(6001))
    copy = tmp_path / "copy.csv"
    copy.write_text(rows(6001))
    keys = [chunk.key for chunk in CsvHistory(file, mapping(TWO), plan).chunks()]
    assert len(set(keys)) == 25
    assert [chunk.key for chunk in CsvHistory(copy, mapping(TWO), plan).chunks()] == keys
    other = [chunk.key for chunk in CsvHistory(file, mapping(TWO, more="decimal: ','"), plan).chunks()]
    copy.write_text(rows(6000))
    changed = [chunk.key for chunk in CsvHistory(copy, mapping(TWO), plan).chunks()]
    assert set(keys).isdisjoint(other)
    assert set(keys).isdisjoint(changed)


def test_a_chunk_of_other_rows_has_another_key(
    file: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a version with larger chunks has queued does not stand for smaller ones of the same number."""
    file.write_text(rows(6001))
    keys = {chunk.key for chunk in CsvHistory(file, mapping(TWO), plan).chunks()}
    monkeypatch.setattr("ingest.csv_history.READINGS_A_CHUNK", 5000)
    assert keys.isdisjoint(chunk.key for chunk in CsvHistory(file, mapping(TWO), plan).chunks())


def test_a_file_of_headings_has_no_chunk(file: Path, plan: Plan) -> None:
    file.write_text("t,P\n")
    assert bodies(file, mapping(), plan) == []


AT = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"t,P\n{AT},1\n{AT},#REF!\n", "history.csv line 3: P is '#REF!'; expected a number with '.' as decimal mark"),
        (f't,P\n"{AT}","1\n2"\n', "history.csv line 3: P is '1\\n2'; expected a number"),
        (f't,P\n{AT},"1,5"\n', "history.csv line 2: P is '1,5'; expected a number"),
        (f"t,P\n{AT},nan\n", "history.csv line 2: P is 'nan'; expected a number"),
        (f"t,P\n{AT},1_0\n", "history.csv line 2: P is '1_0'; expected a number"),
        (f"t,P\n{AT},1e999\n", "history.csv line 2: P is '1e999'; expected a number"),
        ("t,P\nyesterday,1\n", "history.csv line 2: t is 'yesterday'; expected an ISO 8601 time"),
        ("t,P\n2026-01-01 00:00,1\n", "expected a time with an offset, or a zone in the mapping"),
        (f"t,P\n{AT}\n", "history.csv line 2: 1 cells; expected at least 2"),
        ("t,Q\n", "history.csv: column 'P' is not there; expected it once in 't', 'Q'"),
        ("t,P,P\n", "history.csv: column 'P' is twice there; expected it once in 't', 'P', 'P'"),
        ("", "history.csv: column 't' is not there; expected it once in nothing"),
        (f't,P\n{AT},"1', "history.csv: unexpected end of data; expected a CSV file"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_named(file: Path, plan: Plan, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        bodies(file, mapping(), plan)
    assert sentence in str(caught.value)


def test_a_state_that_does_not_exist_is_named(file: Path, plan: Plan) -> None:
    file.write_text(f"t,S\n{AT},idle\n")
    with pytest.raises(
        InputError, match=r"S is 'idle'; expected a number .*, true, false or one of stopped, running"
    ):
        bodies(file, mapping('S: {point: line1/state, unit: "1"}'), plan)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("P: {point: line1/speed, unit: kW}", "column 'P' goes to 'line1/speed', no point of the plan; expected a measured"),
        ("P: {point: line1/twice, unit: kW}", "column 'P' goes to 'line1/twice', a computed point; expected a measured"),
        ("P: {point: line1/power, unit: kWh}", "column 'P': unit 'kWh' is of another dimension"),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_the_plan(file: Path, plan: Plan, columns: str, sentence: str) -> None:
    file.write_text(f"t,P\n{AT},1\n")
    with pytest.raises(InputError) as caught:
        CsvHistory(file, mapping(columns), plan)
    assert sentence in str(caught.value)


def test_files_that_cannot_be_read(file: Path, tmp_path: Path, plan: Plan) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        CsvHistory(tmp_path / "none.csv", mapping(), plan)
    file.write_bytes(b"t,P\n\xff,1\n")
    with pytest.raises(InputError, match="expected the mapping's encoding"):
        bodies(file, mapping(), plan)
    other = parse_mapping("site: mill\ncolumns: {P: {point: p, unit: kW}}\ntime: {column: t}", "m")
    with pytest.raises(InputError, match="the mapping is for site 'mill'; expected 'works'"):
        CsvHistory(file, other, plan)


def test_more_lines_to_skip_than_there_are(tmp_path: Path, plan: Plan) -> None:
    path = tmp_path / "short.csv"
    path.write_text("t,P\n2026-11-20T08:00:00Z,1\n")
    with pytest.raises(InputError, match="column 't' is not there; expected it once in nothing"):
        CsvHistory(path, mapping(more=f"skip_rows: {2**63}"), plan)


def test_a_refusal_stays_a_sentence_however_long_the_headings(tmp_path: Path, plan: Plan) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(["x" * 5000] * 30) + "\n")
    with pytest.raises(InputError) as caught:
        CsvHistory(path, mapping(), plan)
    assert len(str(caught.value)) < 1000
