"""A mapping says all that a file leaves unsaid, and is told in one sentence what it lacks."""

from pathlib import Path

import pytest

from ingest.csv_mapping import load_mapping, parse_mapping
from ingest.errors import InputError

GOOD = """
site: works
columns:
  Leistung: {point: line1/power, unit: kW}
time: {column: Zeit, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin}
"""


def test_the_least_mapping_and_its_defaults() -> None:
    mapping = parse_mapping(GOOD, "works.mapping.yaml")
    assert (mapping.delimiter, mapping.decimal, mapping.encoding, mapping.skip_rows) == (",", ".", "utf-8", 0)
    assert mapping.missing == ("",)
    assert mapping.time.midnight == "same"
    assert mapping.columns["Leistung"].point == "line1/power"


def test_the_digest_follows_what_is_said_and_not_how() -> None:
    digest = parse_mapping(GOOD, "a").digest
    assert parse_mapping("# remark\ndelimiter: ','\n" + GOOD, "b").digest == digest
    assert parse_mapping("delimiter: ';'\n" + GOOD, "c").digest != digest


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("site: works", "site: Works", "m.yaml: site is 'Works'; expected an id of a-z, 0-9, _ and -"),
        ("site: works\n", "", "m.yaml: site is missing; expected an id of a-z, 0-9, _ and -"),
        ("site: works", "site: works\ncolour: red", "m.yaml: colour is not a known key; expected one of site, columns,"),
        ("  Leistung: {point: line1/power, unit: kW}", "  {}", "m.yaml: columns is {}"),
        (", unit: kW", "", "m.yaml: columns.Leistung.unit is missing; expected a value"),
        ("point: line1/power", "point: line1/Power", "m.yaml: columns.Leistung.point is 'line1/Power'; expected segments"),
        ("Europe/Berlin", "Europe/Bonn", "m.yaml: time.zone is 'Europe/Bonn'; expected a zone of the tz database"),
        (", zone: Europe/Berlin", "", "expected a zone, since the format has no offset (%z)"),
        ("%d.%m.%Y %H:%M", "%Q", "expected iso, epoch_ms or a pattern such as %d/%m/%Y %H:%M as format"),
        ("%d.%m.%Y %H:%M", "%d.%m.%d %H:%M", "expected iso, epoch_ms or a pattern such as %d/%m/%Y %H:%M as format"),
        ("%d.%m", "\u2028%d.%m", "expected iso, epoch_ms or a pattern such as %d/%m/%Y %H:%M as format"),
        ('"%d.%m.%Y %H:%M"', "epoch_ms, midnight: next_day", "expected midnight: same with epoch_ms"),
        ("Berlin", "Berlin, midnight: maybe", "m.yaml: time.midnight is 'maybe'; expected 'same' or 'next_day'"),
        ("site: works", "site: works\ndelimiter: ', '", "m.yaml: delimiter is ', '; expected one character"),
        ("site: works", "site: works\nencoding: latin-99", "m.yaml: encoding is 'latin-99'; expected an encoding"),
        ("site: works", "site: works\nencoding: base64", "m.yaml: encoding is 'base64'; expected an encoding such as utf-8"),
        ("site: works", "site: works\ndecimal: 5", "m.yaml: decimal is 5; expected '.' or ','"),
        ("site: works", "site: works\nskip_rows: -1", "m.yaml: skip_rows is -1; expected greater than or equal to 0"),
        ("site: works", "site: works\nsite: works", "m.yaml: line 3, column 1: the key 'site' stands twice or is no text"),
        ("time:", "time: [", "m.yaml: line"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        parse_mapping(GOOD.replace(old, new), "m.yaml")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read: No such file"):
        load_mapping(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"site: w\xf6rks")
    with pytest.raises(InputError, match=r"latin\.yaml: byte 7 is not UTF-8"):
        load_mapping(tmp_path / "latin.yaml")
