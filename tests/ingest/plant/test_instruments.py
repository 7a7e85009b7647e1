"""From when the points of a plant are overdue: the first instrument of each, and through what is computed."""

from datetime import UTC, datetime

from ingest.model import SECOND
from ingest.plant import compile_plan, parse_plant
from ingest.plant.instruments import NOT_DUE

PLANT = """\
site: mill
name: Mill
time_zone: America/Santiago
units: [{id: line, name: Line}]
points:
  - {id: line/a, kind: gauge, unit: kW, period: 5s}
  - {id: line/b, kind: gauge, unit: kW, period: 5s}
  - {id: line/free, kind: gauge, unit: kW, period: 5s}
  - {id: line/both, kind: gauge, unit: kW,
     computed: {method: linear, inputs: {a: line/a, b: line/b}, constants: {a: 1, b: 1}}}
instruments:
  - {id: m1, points: [line/a, line/b], kind: meter, accuracy_class: "1", calibrated_on: 2025-01-01, due_on: 2027-01-15}
  - {id: m2, points: [line/b], kind: transformer, accuracy_class: "0.2", calibrated_on: 2025-01-01, due_on: 2026-09-06}
"""


def test_the_first_of_a_points_instruments_counts() -> None:
    due_at = compile_plan(parse_plant(PLANT, "x")).params["due_at"].tolist()
    january = int(datetime(2027, 1, 15, 3, tzinfo=UTC).timestamp()) * SECOND
    # On that day the clocks of Chile went from midnight to one: it has no midnight.
    september = int(datetime(2026, 9, 6, 4, tzinfo=UTC).timestamp()) * SECOND
    assert due_at == [january, september, NOT_DUE, september]
