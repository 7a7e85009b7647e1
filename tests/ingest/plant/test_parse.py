"""YAML by the core schema, and the words of the file."""

from datetime import date

import pytest

from ingest.errors import PlantError
from ingest.model import DAY, HOUR, MINUTE, SECOND
from ingest.plant import PlantFile, parse_plant
from ingest.plant.fields import format_span, parse_span

HEAD = "site: mill\nname: Mill\ntime_zone: Asia/Shanghai\n"


def _parse(text: str) -> PlantFile:
    return parse_plant(HEAD + text, "mill.yaml")


def test_yaml_1_1_surprises_do_not_happen() -> None:
    file = _parse(
        "points:\n"
        "  - {id: valve, kind: state, period: 1s, states: {off: 0, on: 1, no: 2}}\n"
        "  - {id: energy, kind: counter, unit: kWh, period: 1s, modulus: 1e9, max_rate: 010}\n"
        "calendar: {holidays: [2026-10-01]}\n"
    )
    assert file.points[0].states == {"off": 0, "on": 1, "no": 2}
    assert file.points[1].modulus == 1e9
    assert file.points[1].max_rate == 10
    assert file.calendar.holidays == (date(2026, 10, 1),)


def test_defaults() -> None:
    file = _parse("")
    assert (file.clock, file.interval, file.lateness) == ("live", MINUTE, 5 * SECOND)
    assert file.topic_prefix == "plant"
    assert file.windows == (5 * MINUTE, HOUR, 8 * HOUR, DAY)
    assert file.retention.rejected_days == 30
    assert file.retention.readings_days is None


def test_default_windows_follow_the_interval() -> None:
    assert _parse("interval: 15min\n").windows == (HOUR, 8 * HOUR, DAY)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("5s", 5 * SECOND),
        ("250ms", 250_000),
        ("15min", 15 * MINUTE),
        ("1.5h", 90 * MINUTE),
        ("1d", DAY),
        ("0s", 0),
    ],
)
def test_span(text: str, span: int) -> None:
    assert parse_span(text) == span
    assert parse_span(format_span(span)) == span


def test_format_span_takes_the_largest_whole_unit() -> None:
    assert [format_span(s) for s in (DAY, 90 * MINUTE, 60 * SECOND, 1_500_000, 0)] == [
        "1d",
        "90min",
        "1min",
        "1500ms",
        "0s",
    ]


@pytest.mark.parametrize("text", ["5", "5 m", "-5s", "1h30min", "s", ""])
def test_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="a duration"):
        parse_span(text)


def test_numbers_are_not_coerced() -> None:
    for value in ("'5'", "true", ".nan", ".inf"):
        with pytest.raises(PlantError, match=r"mill\.yaml: points\[0\]\.limits\[1\] is"):
            _parse(f"points: [{{id: a, kind: gauge, unit: kW, period: 1s, limits: [0, {value}]}}]\n")


@pytest.mark.parametrize(
    ("key", "shown"), [('"\\0"', r"'\x00'"), ('"a\\nb"', r"'a\nb'"), ("y" * 300, "'" + "y" * 56 + "...")]
)
def test_a_strange_key_leaves_the_sentence_whole(key: str, shown: str) -> None:
    with pytest.raises(PlantError) as caught:
        parse_plant(f"site: mill\nname: Mill\ntime_zone: UTC\n{key}: 1\n", "p.yaml")
    assert str(caught.value).startswith(f"p.yaml: {shown} is not a known key; expected one of site,")


@pytest.mark.parametrize("text", ["36601d", "9" * 30 + "d", "9" * 400 + "d"])
def test_no_span_is_longer_than_a_century(text: str) -> None:
    with pytest.raises(ValueError, match="a duration of at most 36600d"):
        parse_span(text)


def test_a_number_without_end_is_refused() -> None:
    with pytest.raises(PlantError, match="line 1, column 10: a number of 5000 digits; expected YAML"):
        parse_plant("windows: " + "9" * 5000, "p.yaml")
