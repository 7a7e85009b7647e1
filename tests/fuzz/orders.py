"""Target: messages of a MES to statements, and on to orders."""

import json
import random
from typing import Any

from ingest.mes.reduction import reduce
from ingest.mes.statements import KINDS, MOST_AHEAD, YEAR_2000, read_statements
from ingest.plant.compile import compile_plan
from ingest.plant.parse import parse_plant
from tests.fuzz.fuzzing import is_sentence
from tests.fuzz.mutation import changed, mutated

PLANT = """
site: works
name: Works
time_zone: Europe/Berlin
units: [{id: line1, name: Line 1}, {id: line2, name: Line 2}]
carriers: [{id: electricity, name: Electricity}]
points:
  - {id: line1/energy, kind: counter, unit: kWh, carrier: electricity, period: 1s, resolution: 0.001}
mes:
  units: [{unit: line1, meters: [line1/energy]}, {unit: line2, overlap: time}]
"""
RECEIVED_AT = 1_795_161_700_000_000
AT = [1_795_161_600_000, "2026-11-20T08:00:00Z", "2026-11-20T08:01:00.5+01:00", 1_795_161_660_000]
WORDS = [
    *KINDS, *AT, "order", "unit", "ts", "from", "to", "id", "seq", "good", "scrap", "measure", "t", "1", "product",
    "planned", "closed", "withdrawn", "state", "run", "idle", "line1", "works/line2", "a", "b", True, None, 0, 5, 2.5, -1,
    2**62, 1e300,
]  # fmt: skip


class Statements:
    """Messages to statements, and these to a book."""

    name = "orders"

    def __init__(self) -> None:
        self._plan = compile_plan(parse_plant(PLANT, "works.yaml"))

    def make(self, draw: random.Random) -> bytes:
        """One statement or some, spoilt more or less."""
        told: Any = [self._statement(draw) for _ in range(draw.randrange(1, 7))]
        told = changed(told, draw, WORDS) if draw.random() < 0.6 else told
        if isinstance(told, list) and len(told) == 1 and draw.random() < 0.5:
            told = told[0]
        payload = json.dumps(told, ensure_ascii=draw.random() < 0.7).encode("utf-8", "surrogatepass")
        return mutated(payload, draw, [payload]) if draw.random() < 0.4 else payload

    def _statement(self, draw: random.Random) -> dict[str, Any]:
        kind = draw.choice(KINDS)
        said: dict[str, Any] = {
            "kind": kind,
            "order": draw.choice("ab"),
            "unit": draw.choice(["line1", "line2"]),
        }
        said |= {
            "ts": draw.choice(AT),
            "from": AT[0],
            "to": AT[3],
            "good": draw.randrange(9),
            "measure": "t",
            "state": "run",
        }
        if draw.random() < 0.3:
            said |= {"id": draw.choice("xy"), "seq": draw.randrange(3), "withdrawn": draw.random() < 0.3}
        return said

    def run(self, data: bytes) -> bool:
        """Whether any statement came out of it."""
        good, refused = read_statements(data, self._plan, RECEIVED_AT)
        for one in good:
            assert one.kind in ("order", "event", "segment", "production", "state")
            assert YEAR_2000 <= one.from_at <= one.to_at <= RECEIVED_AT + MOST_AHEAD
            assert -1 <= one.seq < 2**62
            assert one.unit is None or one.unit in self._plan.mes.by_unit
            for text in (one.id, one.order or "", one.content):
                text.encode()
                assert "\0" not in text, "no database holds such a text"
            json.loads(one.content)
        for each in refused:
            assert is_sentence(each.detail), each.detail
        book = reduce(good)
        assert reduce(good[::-1]) == book, "the order of telling makes a difference"
        for order in book.orders:
            assert all(one.end_at is None or one.start_at < one.end_at for one in order.segments)
        return bool(good)
