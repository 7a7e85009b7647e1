"""check, diff and schema."""

import json
from pathlib import Path

import pytest

from ingest.errors import PlantError
from ingest.plant import parse_plant
from ingest.plant.commands import check, diff, schema

PLANTS = Path(__file__).parents[3] / "simulator" / "plants"
OLD = """
site: mill
name: Mill
time_zone: UTC
units: [{id: line, name: Line, units: [{id: press, name: Press}]}]
points:
  - {id: line/a, kind: gauge, unit: kW, period: 5s, limits: [0, 10]}
  - {id: line/b, kind: gauge, unit: kW, period: 5s}
  - {id: line/c, kind: gauge, unit: kW, period: 5s}
"""
NEW = """
site: mill
name: Mill
time_zone: UTC
interval: 5min
units: [{id: line, name: Line, units: [{id: press, name: Old press}]}]
points:
  - {id: line/c2, kind: gauge, unit: kW, period: 10s, formerly: [line/c]}
  - {id: line/a, kind: gauge, unit: kW, period: 5s, limits: [0, 20]}
  - {id: line/d, kind: gauge, unit: kW, period: 5s}
"""


def test_check_compiles() -> None:
    assert check(PLANTS / "cement.yaml").site == "cement"


def test_check_refuses(tmp_path: Path) -> None:
    path = tmp_path / "mill.yaml"
    path.write_text("site: mill\n", encoding="utf-8")
    with pytest.raises(PlantError, match=r"mill\.yaml: name is missing; expected a text"):
        check(path)


def test_diff() -> None:
    assert diff(parse_plant(OLD, "old"), parse_plant(NEW, "new")) == [
        "~ interval: 1min → 5min",
        "~ units line units press: name: Press → Old press",
        "~ points line/a: limits: [0.0, 10.0] → [0.0, 20.0]",
        "- points line/b",
        "~ points line/c: now line/c2",
        "~ points line/c2: period: 5s → 10s",
        "+ points line/d",
    ]


def test_diff_of_the_same_is_nothing() -> None:
    reordered = OLD.replace("name: Mill\ntime_zone: UTC\n", "time_zone: UTC\nname: Mill\n")
    assert diff(parse_plant(OLD, "old"), parse_plant(reordered, "new")) == []


def test_schema_knows_every_key_and_refuses_others() -> None:
    found = json.loads(json.dumps(schema()))
    assert found["additionalProperties"] is False
    assert set(found["required"]) == {"site", "name", "time_zone"}
    assert found["properties"]["interval"]["type"] == "string"
    assert found["$defs"]["Point"]["additionalProperties"] is False
    assert found["$defs"]["Point"]["properties"]["basis"]["anyOf"][0]["enum"][0] == "dry"
