"""Targets: what people write, the plant file, the mapping of a CSV history, and the history itself."""

import atexit
import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ingest.csv_history import CsvHistory
from ingest.csv_mapping import parse_mapping
from ingest.errors import InputError, PlantError
from ingest.plant.body import canonical, plan_from_body
from ingest.plant.compile import compile_plan
from ingest.plant.parse import parse_plant, read_yaml
from ingest.source import Delivery
from ingest.wire import NO_ELEMENT, decode
from tests.fuzz.fuzzing import refused
from tests.fuzz.messages import PLANT
from tests.fuzz.mutation import changed, mutated

ROOT = Path(__file__).parents[2]
RULES = """
site: works
name: Works
time_zone: Europe/Berlin
interval: 15min
calendar: {day_starts: "06:00", year_starts: "04-01", shifts: [{name: early, start: "06:00"}]}
currency: EUR
carriers: [{id: electricity, name: Electricity}]
products: [{id: steel, name: Steel}]
factors:
  - {id: grid, value: 0.4, unit: t/MWh, source: test, trust: unconfirmed}
points:
  - {id: energy, kind: counter, unit: kWh, carrier: electricity, period: 5s, max_gap: 2min, resolution: 0.001, modulus: 1e6, max_rate: 100}
  - {id: mass, kind: delta, unit: t, product: steel, period: 15min}
sources:
  - {id: bought, scope: 2, category: purchased, gas: co2, route: calculated, activity: energy, factors: [grid]}
kpis:
  - {id: intensity, kind: ratio, unit: kWh/t, numerator: [{point: energy}], denominator: [{point: mass}], windows: [1h]}
  - {id: demand, kind: demand, unit: kW, numerator: [{point: energy}], block: 15min}
contracted_demand: {value: 500, unit: kW, kpi: demand}
carbon_price: {value: 60, unit: EUR/t, source: test, trust: unconfirmed}
tariffs:
  - {id: power, carrier: electricity, unit: EUR/kWh, valid_from: 2026-01-01, meters: [energy], periods: [{name: day, value: 0.3, hours: ["06:00-22:00"]}, {name: night, value: 0.2, hours: ["00:00-06:00", "22:00-24:00"]}]}
demand_charges: [{id: peak, kpi: demand, value: 10, unit: EUR/kW, ratchet: {share: 0.8, months: 11}, valid_from: 2026-01-01, source: test, trust: P}]
benchmarks: [{id: limit, kpi: intensity, value: 61, unit: kWh/t, level: limit, source: x, trust: P}]
"""  # noqa: E501
MAPPING = """
site: works
columns:
  Leistung: {point: line1/power, unit: MW}
  Zustand: {point: line1/press/state, unit: "1"}
time: {column: Zeit, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin, midnight: next_day}
delimiter: ";"
decimal: ","
missing: ["", "-"]
"""
ISO_MAPPING = """
site: works
columns: {p: {point: line1/energy, unit: kWh}, q: {point: meter, unit: MJ}}
time: {column: t}
"""
EPOCH_MAPPING = """
site: works
columns: {p: {point: line1/press/temperature, unit: K}}
time: {column: t, format: epoch_ms}
skip_rows: 1
encoding: cp1252
"""
CSV = (
    "Zeit;Leistung;Zustand\n31.10.2026 23:45;1,5;running\n01.11.2026 00:00;-;true\n01.11.2026 00:15;2e-3;7\n"
    '"01.11.2026 00:30";"0,25";stopped\n25.10.2026 02:30;1;0\n25.10.2026 02:30;1;0\n29.03.2026 03:30;1;0\n'
)
ISO_CSV = (
    "t,p,q\n2026-11-20T08:00:00Z,1.5,2\n2026-11-20T08:15:00+01:00,2,\n2026-11-20T08:30:00.123456Z,3.25,4\n"
)
EPOCH_CSV = "Export of °C\nt,p\n1795161600000,293.15\n1795161660000.5,294\n"
PAIRS = ((MAPPING, CSV), (ISO_MAPPING, ISO_CSV), (EPOCH_MAPPING, EPOCH_CSV))
CSVS = [csv.encode() for _, csv in PAIRS]


class Folder:
    """One file on disk at a time."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="stackwatt-fuzz-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)

    def file(self, data: bytes) -> Path:
        path = self._folder / "history.csv"
        path.write_bytes(data)
        return path


class History:
    """A CSV file under a mapping that is right."""

    name = "history"

    def __init__(self) -> None:
        self._plan = compile_plan(parse_plant(PLANT, "works.yaml"))
        self._mappings = [parse_mapping(mapping, "mapping.yaml") for mapping, _ in PAIRS]
        self._folder = Folder()

    def make(self, draw: random.Random) -> bytes:
        """Number of the mapping, then the file."""
        number = draw.randrange(len(PAIRS))
        data = CSVS[number]
        if draw.random() < 0.3:
            lines = data.decode().splitlines(keepends=True)
            draw.shuffle(lines)
            data = "".join(lines * draw.choice((1, 1, 5))).encode("utf-8" if number < 2 else "cp1252")
        return bytes([number]) + mutated(data, draw, CSVS)

    def run(self, data: bytes) -> bool:
        """Whether all of the file was read."""
        path = self._folder.file(data[1:])
        try:
            history = CsvHistory(path, self._mappings[data[0]], self._plan)
            keys = set()
            for chunk in history.chunks():
                assert chunk.key not in keys
                keys.add(chunk.key)
                decoded = decode([Delivery(chunk.topic, chunk.payload, 0)], self._plan)
                whole = [item for item in decoded.rejections if item.element is None]
                assert not whole, f"an import queued a message that is none: {whole[0].detail}"
                assert NO_ELEMENT not in decoded.element
                assert not np.isinf(decoded.value).any()
        except InputError as error:
            return refused(error)
        return True


class Mapping:
    """A mapping file, over a CSV file that is right for the one it was made from."""

    name = "mapping"

    def __init__(self) -> None:
        self._plan = compile_plan(parse_plant(PLANT, "works.yaml"))
        self._folder = Folder()
        self._paths = []
        for number, csv in enumerate(CSVS):
            path = self._folder.file(csv)
            self._paths.append(path.rename(path.with_name(f"{number}.csv")))
        self._bodies = [read_yaml(mapping, "mapping.yaml") for mapping, _ in PAIRS]

    def make(self, draw: random.Random) -> bytes:
        """Number of the file, then the mapping."""
        number = draw.randrange(len(PAIRS))
        text = PAIRS[number][0].encode()
        if draw.random() < 0.6:
            words = [
                "Zeit",
                "Leistung",
                "t",
                "p",
                "line1/power",
                "meter",
                "utf-8",
                "next_day",
                "format",
                "zone",
                "encoding",
            ]
            text = json.dumps(changed(self._bodies[number], draw, words)).encode()
        if draw.random() < 0.5:
            text = mutated(text, draw, [pair[0].encode() for pair in PAIRS])
        return bytes([number]) + text.decode("utf-8", "replace").encode()

    def run(self, data: bytes) -> bool:
        """Whether the mapping stands and the file could be read by it."""
        try:
            mapping = parse_mapping(data[1:].decode(), "mapping.yaml")
            for chunk in CsvHistory(self._paths[data[0]], mapping, self._plan).chunks():
                json.loads(chunk.payload)
        except InputError as error:
            return refused(error)
        return True


class PlantFiles:
    """Plant files: those that ship in part, those of tests, and the refused ones."""

    name = "plant"

    def __init__(self) -> None:
        bad = sorted((ROOT / "tests" / "ingest" / "plant" / "bad").glob("*.yaml"))
        self._texts = [PLANT.encode(), RULES.encode(), *(path.read_bytes() for path in bad)]
        self._bodies: list[Any] = []
        for text in self._texts:
            try:
                self._bodies.append(read_yaml(text.decode(), "plant.yaml"))
            except PlantError:
                self._bodies.append({})
        self._words = sorted({word for body in self._bodies for word in _words(body)})

    def make(self, draw: random.Random) -> bytes:
        """A text in UTF-8."""
        number = draw.choice((0, 1, 1, draw.randrange(len(self._texts))))
        text = self._texts[number]
        if draw.random() < 0.7:
            text = json.dumps(changed(self._bodies[number], draw, self._words)).encode()
        if draw.random() < 0.35:
            text = mutated(text, draw, self._texts)
        return text.decode("utf-8", "replace").encode()

    def run(self, data: bytes) -> bool:
        """Whether it is a plant; then it is stored and read back as the same."""
        try:
            file = parse_plant(data.decode(), "plant.yaml")
            plan = compile_plan(file)
        except PlantError as error:
            return refused(error)
        digest, body = canonical(file)
        assert canonical(parse_plant(json.dumps(body), "plant.yaml"))[0] == digest
        again = plan_from_body(body, 1)
        for name, column in plan.params.items():
            assert not np.isnan(column.astype(float)).any(), name
            assert (column == again.params[name]).all(), name
        for id_ in plan.index:
            id_.encode()
            assert "\0" not in id_
        return True


def _words(body: Any) -> set[str]:
    """Every key and text in a structure."""
    if isinstance(body, dict):
        return {key for key in body if isinstance(key, str)} | {w for v in body.values() for w in _words(v)}
    if isinstance(body, list):
        return {word for value in body for word in _words(value)}
    return {body} if isinstance(body, str) else set()
