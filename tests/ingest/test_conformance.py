"""Worked examples by the command's table: what passes today, and that what is wrong is told."""

import json
import math
from pathlib import Path

import pytest

from ingest.conformance import conform
from ingest.errors import InputError
from ingest.worked_examples import OPERATIONS

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "vectors.json"
HERE = {
    "combustion.emission_factor": 5,
    "counter.delta": 5,
    "hj212.actual_to_standard": 1,
    "hj212.mass_flow": 1,
    "hj212.period_flag": 1,
    "hj212.ppm_to_mg": 1,
    "hj212.reference_oxygen": 1,
    "hj212.standard_dry_flow": 1,
    "hj212.validity": 1,
    "hj212.wet_to_dry": 1,
    "indirect.electricity": 1,
    "mrr.hour_valid": 1,
    "part98.co2_mass_c6": 1,
    "part98.tier1": 1,
    "power.factor": 1,
    "time.bucket_mean_locf": 1,
    "time.weighted_mean": 2,
}
"""Operations that pass, and of how many examples; it only grows."""


def test_what_is_here_passes_and_only_grows() -> None:
    if not VECTORS.exists():
        pytest.skip(f"the worked examples are not beside this checkout ({VECTORS.name})")
    verdict = conform(VECTORS)
    assert [(example.id, example.fault) for example in verdict.failed] == []
    passed = [example.op for example in verdict.examples]
    assert {op: passed.count(op) for op in HERE} == HERE
    assert set(passed) == set(OPERATIONS), "an operation without an example proves nothing"
    assert not set(verdict.absent) & set(OPERATIONS)
    assert len(passed) + sum(verdict.absent.values()) == len(json.loads(VECTORS.read_text()))


def example(**changed: object) -> dict[str, object]:
    known = {"id": "X-1", "op": "own", "inputs": {"x": 2.0}, "expected": {"y": 4.0}, "tol": 0.5}
    return known | changed


def fault(path: Path, found: object, **changed: object) -> str | None:
    path.write_text(json.dumps([example(**changed)]))
    [one] = conform(path, {"own": lambda _: {"y": found}}).examples
    return one.fault


def test_numbers_agree_within_the_tolerance_and_nothing_else_does(tmp_path: Path) -> None:
    file = tmp_path / "examples.json"
    assert fault(file, 4.5) is None
    assert fault(file, 4.6) == "y is 4.6; expected 4.0 within 0.5"
    assert "y is nan" in str(fault(file, math.nan))
    assert fault(file, [1.0, 2.0], expected={"y": [1, 2.4]}) is None
    assert "y is [1.0]" in str(fault(file, [1.0], expected={"y": [1, 2]}))
    assert "y is 1.0" in str(fault(file, 1.0, expected={"y": [1]}))
    assert fault(file, [True, False], expected={"y": [True, False]}, tol=0) is None
    assert fault(file, 1, expected={"y": True}) is not None
    assert fault(file, True, expected={"y": 1}) is not None
    assert fault(file, "N", expected={"y": "N"}, tol=0) is None
    assert "z does not come out" in str(fault(file, 4.0, expected={"z": 1}))


def test_what_cannot_be_computed_fails_by_name(tmp_path: Path) -> None:
    file = tmp_path / "examples.json"
    file.write_text(json.dumps([example(op="power.factor", inputs={"kwh": [1.0]}), example(op="other")]))
    verdict = conform(file)
    assert [one.fault for one in verdict.failed] == ["cannot be computed: KeyError: 'kvarh'"]
    assert verdict.absent == {"other": 1}


@pytest.mark.parametrize("text", ["no JSON", "{}", "[3]", '[{"id": "X"}]'])
def test_another_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "examples.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"examples\.json: .*expected "):
        conform(file)
