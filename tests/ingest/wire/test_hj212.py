"""HJ 212 frames: the standard's sample, frames as public parsers keep them, and what is no frame."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InputError
from ingest.wire.hj212 import PERIOD_START, check_sum, compose, parse

DATA = Path(__file__).parents[3].parent / "shared" / "data"
SAMPLE = (
    "QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
)


def data(name: str) -> str:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the frames are not beside this checkout ({path.name})")
    return path.read_text(encoding="utf-8")


def test_the_sample_of_the_standard() -> None:
    frame = compose(SAMPLE)
    assert frame == f"##0101{SAMPLE}1C80\r\n".encode()
    found = parse(frame)
    assert found.crc_ok
    assert (found.length, found.command, found.version, found.wants_answer, found.is_split) == (
        101,
        1062,
        2017,
        True,
        False,
    )
    assert found.fields["MN"] == "010000A8900016F000169DC0"
    assert found.groups == ({"RtdInterval": "30"},)


def test_the_check_sum_is_not_that_of_modbus() -> None:
    """Which gives 0759 for this segment."""
    assert check_sum(SAMPLE.encode()) == 0x1C80


def test_frames_of_public_parsers() -> None:
    rows = list(csv.DictReader(data("hj212/frames.csv").splitlines()))
    assert len(rows) == 11
    for row in rows:
        frame = parse(row["frame"].encode())
        assert frame.length == int(row["declared_len"])
        assert frame.crc_ok == (row["status"] == "ok")
        assert frame.crc == (row["crc_in_frame"] or None)
        if row["status"] != "no-crc-at-length":  # whose listed text ends early
            assert frame.crc_computed == row["crc_hj212_computed"]
        assert frame.data_at is not None
        assert "MN" in frame.fields


def test_published_examples_compose_and_parse() -> None:
    for case in json.loads(data("vectors.json")):
        if case["op"] == "hj212.compose":
            assert compose(case["inputs"]["segment"]).decode() == case["expected"]["frame"]


DATED = "ST=31;CN=2061;PW=1;MN=1;Flag={};CP=&&DataTime={};a05001-Avg=392448.6,a05001-Flag=N;a19001-Avg=10.0,a19001-Flag=M&&"


@pytest.mark.parametrize(
    ("flag", "version"), [("1", 2005), ("5", 2017), ("8", 2025), ("11", 2025), ("12", None), ("x", None)]
)
def test_versions_are_told_by_the_flag(flag: str, version: int | None) -> None:
    frame = parse(compose(DATED.format(flag, "20250601080000")))
    assert frame.version == version
    assert frame.groups[1] == {"a05001-Avg": "392448.6", "a05001-Flag": "N"}
    assert frame.groups[2]["a19001-Flag"] == "M"


def test_packet_numbers() -> None:
    frame = parse(compose("ST=31;CN=2051;MN=1;Flag=7;PNUM=3;PNO=2;CP=&&DataTime=20250601080000&&"))
    assert (frame.is_split, frame.wants_answer, frame.packet) == (True, True, (2, 3))
    assert parse(compose("ST=31")).packet is None


def test_times_are_beijing_times() -> None:
    at = datetime(2025, 6, 1, 0, 0, 0, tzinfo=UTC).timestamp() * 1e6
    assert parse(compose(DATED.format(5, "20250601080000"))).data_at == at
    assert parse(compose(DATED.format(5, "20250601080000250"))).data_at == at + 250_000
    for wrong in ("20250631080000", "2025060108000", "yesterday", ""):
        assert parse(compose(DATED.format(5, wrong))).data_at is None
    assert 2061 in PERIOD_START
    assert 2011 not in PERIOD_START


@pytest.mark.parametrize(
    ("tail", "crc"),
    [
        ("1C80", "1C80"),
        ("1c80\r\n", "1C80"),
        ("1C80\n", None),
        ("1C8", None),
        ("", None),
        ("1C80x", None),
        ("xyz0\r\n", None),
    ],
)
def test_where_the_length_leads_to_no_check_sum_there_is_none(tail: str, crc: str | None) -> None:
    frame = parse(f"##0101{SAMPLE}{tail}".encode())
    assert frame.crc == crc
    assert frame.crc_ok == (crc is not None)
    assert frame.crc_computed == "1C80"


@pytest.mark.parametrize("text", [b"", b"#0101", b"##101x", b"##\xb2\xb2\xb2\xb2", b"0101QN="])
def test_what_is_no_frame_is_refused_in_one_sentence(text: bytes) -> None:
    with pytest.raises(InputError, match="expected ## and four digits"):
        parse(text)
    with pytest.raises(InputError, match="not text at byte 7"):
        parse(b"##0004a\xff\xffb0000\r\n")


def test_a_segment_has_its_bounds() -> None:
    with pytest.raises(InputError, match="expected ASCII"):
        compose("CP=&&x=°&&")
    assert len(compose("x" * 1024)) == 1024 + 12
    with pytest.raises(InputError, match="at most 1024"):
        compose("x" * 1025)
    assert len(compose("x" * 1025, 2025)) == 1025 + 12


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_what_is_composed_is_parsed_again(segment: str) -> None:
    found = parse(compose(segment))
    assert found.segment == segment
    assert found.crc_ok


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_a_refusal(noise: bytes) -> None:
    for frame in (noise, b"##0010" + noise, compose(SAMPLE)[:40] + noise):
        try:
            found = parse(frame)
        except InputError as refused:
            sentence = str(refused)
        else:
            sentence = f"{found.crc_ok} {found.data_at} {found.version} {found.packet}"
        assert "\n" not in sentence
