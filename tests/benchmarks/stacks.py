"""A plant with measured stacks, under each regime in turn, beside the ordinary points; its readings and its past.

A stack has a concentration, a flow and a state at 1 Hz, and a mass program of them. Of its
past every fiftieth hour of the concentration is missing; every tenth stack's analyser has
been dead since the present began.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import psycopg

from ingest.model import HOUR
from tests.benchmarks.plants import plant, point_id
from tests.benchmarks.traffic import Signal

RULES = ("part75", "hj75", "mrr", "part98")
"""Regime of each stack by its number modulo 4."""
POINTS_PER_STACK = 3
DEAD = 10
"""Every so many stacks one analyser is dead."""
MISSING = 50
"""Of so many hours of a stack's past one is missing."""
_WORDS = {
    "part75": ("40cfr75.f-11", "40cfr98.c-6", "%", "wet", "scfh", "[20C, wet]", "-05:00"),
    "part98": ("40cfr98.c-6", "40cfr98.c-6", "%", "wet", "scfh", "[20C, wet]", "-05:00"),
    "hj75": ("hj212-2017.33", "hj212-2017.33", "%", "dry", "m3/h", "[0C, dry]", "+08:00"),
    "mrr": ("mrr.eq-1", "mrr.eq-1", "g/m3", "[0C, dry]", "m3/h", "[0C, dry]", "+01:00"),
}
COLUMN_SECONDS = 10


def plant_of(site: str, points: int, stacks: int) -> dict[str, Any]:
    """A plant file, decoded: so many points at 1 Hz, those of the stacks among them."""
    found = plant(site, points - POINTS_PER_STACK * stacks)
    for number in range(stacks):
        found["units"].append({"id": _unit(number), "name": f"Stack {number}", "kind": "cell"})
        found["points"] += _points(number)
        found["sources"].append(_source(number))
    found["instruments"] = [
        {"id": f"analyser{number:03d}", "points": [f"{_unit(number)}/co2"], "kind": "CO2 analyser",
         "accuracy_class": "1", "calibrated_on": "2020-01-01", "due_on": "2060-01-01"}
        for number in range(stacks)
    ]  # fmt: skip
    return found


def _unit(number: int) -> str:
    return f"stack{number:03d}"


def _basis(text: str) -> Any:
    return text.strip("[]").split(", ") if text.startswith("[") else text


def _points(number: int) -> list[dict[str, Any]]:
    _, method, gas, gas_basis, flow, flow_basis, _ = _WORDS[RULES[number % len(RULES)]]
    unit, each = _unit(number), {"period": "1s", "max_gap": "1min"}
    return [
        {"id": f"{unit}/co2", "kind": "sample", "unit": gas, "basis": _basis(gas_basis), "sloped": True, **each},
        {"id": f"{unit}/flow", "kind": "sample", "unit": flow, "basis": _basis(flow_basis), "sloped": True, **each},
        {"id": f"{unit}/running", "kind": "state", "states": {"stopped": 0, "running": 1}, **each},
        {"id": f"{unit}/co2-flow", "kind": "gauge", "unit": "t/h",
         "computed": {"method": method, "inputs": {"co2": f"{unit}/co2", "flow": f"{unit}/flow"}}},
    ]  # fmt: skip


def _source(number: int) -> dict[str, Any]:
    rule = RULES[number % len(RULES)]
    unit, (equation, *_, offset) = _unit(number), _WORDS[rule]
    regime = {
        "rule": rule, "equation": equation, "concentration": f"{unit}/co2", "flow": f"{unit}/flow",
        "operating": {"state": f"{unit}/running", "running": ["running"]}, "utc_offset": offset,
    }  # fmt: skip
    if rule == "part75":
        regime["maximum_potential"] = {"concentration": 16, "flow": 2e7}
    return {
        "id": f"{unit}/mass", "scope": 1, "category": "combined", "gas": "co2", "route": "measured",
        "activity": f"{unit}/co2-flow", "regime": regime,
    }  # fmt: skip


def messages(
    site: str, points: int, stacks: int, begin_ms: int, seconds: int, *, every: int = 1
) -> Iterator[tuple[str, bytes, int]]:
    """Topic, payload and readings of messages of columns, ten times of a hundred points in each, in order of time."""
    ordinary = points - POINTS_PER_STACK * stacks
    ids = [point_id(number) for number in range(ordinary)]
    ids += [f"{_unit(number)}/{name}" for number in range(stacks) for name in ("co2", "flow", "running")]
    dead = {f"{_unit(number)}/co2" for number in range(0, stacks, DEAD)}
    signal, noise = Signal(1), np.random.default_rng(1).random(4096)
    for first in range(0, seconds, COLUMN_SECONDS * every):
        steps = np.arange(first, min(first + COLUMN_SECONDS * every, seconds), every)
        stamps = [begin_ms + step * 1000 for step in steps.tolist()]
        for low in range(0, points, 100):
            names, values = [], []
            for number in range(low, min(low + 100, points)):
                if ids[number] in dead:
                    continue
                names.append(ids[number])
                if number < ordinary:
                    values.append([one for step in steps.tolist() for one in signal.read(number, step, 1)])
                else:
                    values.append(_read(ids[number], number, steps, noise))
            body = msgspec.json.encode({"points": names, "ts": stamps, "value": values})
            yield f"plant/{site}", body, len(names) * len(stamps)


def _read(name: str, number: int, steps: np.ndarray, noise: np.ndarray) -> list[float]:
    wander = noise[(number * 17 + steps) % noise.size]
    if name.endswith("running"):
        return [1.0] * steps.size
    found: list[float] = np.round(10.0 + wander if name.endswith("co2") else 1e6 * (1.0 + wander), 3).tolist()
    return found


def write_past(dsn: str, stacks: int, end_us: int, hours: int) -> None:
    """Hourly facts of all stacks up to an instant, as ingest would have written them."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            INSERT INTO hour_record
            SELECT source_no, component, start_at,
                   CASE WHEN component = 'operating' OR is_missing THEN NULL
                        WHEN component = 'flow' THEN 1e6 * (1 + (h * 31 + source_no) %% 97 / 97.0)
                        ELSE 10 + (h * 17 + source_no) %% 89 / 89.0 END,
                   CASE WHEN is_missing THEN 0 ELSE %(hour)s END, CASE WHEN is_missing THEN 0 ELSE %(hour)s END, %(hour)s,
                   CASE WHEN component = 'operating' THEN %(hour)s ELSE 0 END,
                   CASE WHEN is_missing THEN 0 ELSE 15 END, CASE WHEN is_missing THEN 0 ELSE %(hour)s - 60000000 END, 0,
                   1, 0, 1, now(), 0
              FROM (SELECT source_no, row_number() OVER (ORDER BY id) AS nth FROM source
                     WHERE id LIKE '%%/stack%%/mass') s,
                   unnest(ARRAY['concentration', 'flow', 'operating']) component,
                   generate_series(0, %(hours)s - 1) h,
                   LATERAL (SELECT component = 'concentration' AND (h * 7 + nth * 13) %% %(missing)s = 0,
                                   to_timestamp((%(end)s - (%(hours)s - h) * %(hour)s::bigint) / 1000000))
                       AS f (is_missing, start_at)
             WHERE nth <= %(stacks)s
            """,
            {"hour": HOUR, "hours": hours, "missing": MISSING, "stacks": stacks, "end": end_us},
        )
