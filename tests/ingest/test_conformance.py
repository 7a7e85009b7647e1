"""Worked examples by the command's table: what passes today, and that what is wrong is told."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.conformance import conform, described
from ingest.errors import InputError
from ingest.worked_examples import OPERATIONS, SUBJECTS
from ingest.worked_examples.operation import Input, Operation

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "vectors.json"
FURTHER = Path(__file__).with_name("further_examples.json")
"""Examples of what the published ones have none of: balances of the sectors, gases, heat, unusual inputs."""


def test_every_published_example_passes() -> None:
    if not VECTORS.exists():
        pytest.skip(f"the worked examples are not beside this checkout ({VECTORS.name})")
    verdict = conform(VECTORS)
    assert [(one.id, one.fault) for one in verdict.failed] == []
    assert verdict.absent == {}
    assert len(verdict.examples) == len(json.loads(VECTORS.read_text())) == 77
    assert len({one.op for one in verdict.examples}) == 51


def test_every_further_example_passes() -> None:
    verdict = conform(FURTHER)
    assert [(one.id, one.fault) for one in verdict.failed] == []
    assert len(verdict.examples) == len(json.loads(FURTHER.read_text())) >= 45


def test_an_operation_without_an_example_proves_nothing() -> None:
    if not VECTORS.exists():
        pytest.skip(f"the worked examples are not beside this checkout ({VECTORS.name})")
    shown = {one.op for path in (VECTORS, FURTHER) for one in conform(path).examples}
    assert set(OPERATIONS) - shown == set()


def test_a_name_belongs_to_one_subject() -> None:
    names = [operation.name for subject in SUBJECTS for operation in subject.OPERATIONS]
    assert len(names) == len(set(names)) == len(OPERATIONS)


def test_examples_tell_all_that_an_operation_says_it_gives() -> None:
    cases = json.loads(FURTHER.read_text())
    if VECTORS.exists():
        cases += json.loads(VECTORS.read_text())
    for case in cases:
        if case["op"] in OPERATIONS:
            operation = OPERATIONS[case["op"]]
            assert set(operation(case["inputs"])) == set(operation.outputs), case["id"]


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
    assert fault(file, math.nan) == "y is null; expected 4.0 within 0.5"
    assert fault(file, math.nan, expected={"y": None}) is None
    assert fault(file, None, expected={"y": None}) is None
    assert fault(file, 0.0, expected={"y": None}) == "y is 0.0; expected null within 0.5"
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
    assert [one.fault for one in verdict.failed] == [
        "kvarh is missing; expected a list of numbers in kvarh",
        "op is 'other'; expected one that --list names",
    ]
    assert verdict.absent == {"other": 1}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"expected": 3}, "expected is 3; expected an object of outputs"),
        ({"expected": {}}, "expected is an object of 0 keys; expected an object of outputs"),
        ({"tol": "0.1"}, "tol is '0.1'; expected a number, at least 0"),
        ({"tol": -1}, "tol is -1; expected a number, at least 0"),
        ({"tol": math.nan}, "tol is nan; expected a number, at least 0"),
    ],
)
def test_an_example_that_is_none_says_so(tmp_path: Path, changed: dict[str, object], sentence: str) -> None:
    assert fault(tmp_path / "examples.json", 4.0, **changed) == sentence


VALUES = (
    Input("x", "number", "m", above=0.0),
    Input("list", "numbers", default=None, like="other", low=0.0),
    Input("other", "numbers", default=None),
    Input("n", "whole", default=1, low=1.0, high=9.0),
    Input("word", "text", default="a", one_of=("a", "b")),
    Input("is", "flag", default=False),
    Input("are", "flags", default=None),
)
OWN = Operation("own", VALUES, {"y": "m"}, lambda x: {"y": x["x"]})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (3, "inputs is 3; expected an object"),
        ({}, "x is missing; expected a number in m, above 0"),
        ({"x": 0}, "x is 0; expected a number in m, above 0"),
        ({"x": "1"}, "x is '1'; expected a number in m, above 0"),
        ({"x": True}, "x is True; expected a number in m, above 0"),
        ({"x": math.nan}, "x is nan; expected a number in m, above 0"),
        ({"x": 10**400}, f"x is {str(10**400)[:57]}...; expected a number in m, above 0"),
        ({"x": 1, "z": 2}, "z is no input of own; expected x, list, other, n, word, is, are"),
        ({"x": 1, "list": 1, "other": [1]}, "list is 1; expected a list of numbers, at least 0"),
        (
            {"x": 1, "list": [1, None], "other": [1]},
            "list[1] is None; expected a list of numbers, at least 0",
        ),
        ({"x": 1, "list": [], "other": [1]}, "list has 0 values; expected at least 1"),
        ({"x": 1, "list": [1, 2], "other": [1]}, "list has 2 values; expected 1, as many as other"),
        ({"x": 1, "n": 1.5}, "n is 1.5; expected a whole number, at least 1, at most 9"),
        ({"x": 1, "n": 10}, "n is 10; expected a whole number, at least 1, at most 9"),
        ({"x": 1, "word": "c"}, "word is 'c'; expected one of a, b"),
        ({"x": 1, "word": 1}, "word is 1; expected one of a, b"),
        ({"x": 1, "is": 1}, "is is 1; expected true or false"),
        ({"x": 1, "are": [True, 1]}, "are[1] is 1; expected a list of true and false"),
    ],
)
def test_a_wrong_input_is_one_sentence(given: object, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        OWN(given)
    assert str(refused.value) == sentence


def test_what_may_be_left_out_may_be_left_out() -> None:
    assert Operation("own", VALUES[:1], {"y": "m"}, lambda x: {"y": x["x"]})({"x": 2}) == {"y": 2.0}


HOSTILE: list[object] = [
    None, True, "x", "\ud800", [], {}, [None], [[1.0]], 0, -1, 1e308, 5e-324, -1e299, 0.5, 1, 2, 100, [0.0], [1, 2],
    [1e299] * 40, [-1.0, 1.0, 3.0], [0.0] * 12,
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_inputs_end_in_outputs_or_in_one_sentence(name: str, data: st.DataObject) -> None:
    operation = OPERATIONS[name]
    given_ = {}
    for one in operation.inputs:
        usual = [*one.one_of, 1.0, 3, [1.0, 2.0], [1, 2], "text"]
        if data.draw(st.integers(0, 9)):
            given_[one.name] = data.draw(st.sampled_from([*usual, *usual, *HOSTILE]))
    try:
        found = operation(given_)
    except InputError as refused:
        sentence = str(refused)
        assert sentence
        assert "\n" not in sentence
        assert len(sentence) < 500
    else:
        assert set(found) == set(operation.outputs)


def test_list_names_every_operation_input_and_unit() -> None:
    lines = described()
    assert [line for line in lines if not line.startswith(" ")] == sorted(OPERATIONS)
    text = "\n".join(lines)
    assert "part75.co2_mass_wet\n    co2_pct_wet: a number in %, at least 0, at most 100\n" in text
    assert "    [diluent_cap_pct: a number in %, at least 0, at most 100]\n" in text
    assert "    gives short_ton_per_h in short_ton/h\n" in text


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}",
        "[3]",
        '[{"id": "X"}]',
        "[" * 100_000,
        '[{"id": 1, "op": "x", "inputs": {}, "expected": {}, "tol": 0}]',
    ],
)
def test_another_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "examples.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"examples\.json: .*expected "):
        conform(file)
