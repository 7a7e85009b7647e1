"""A short run of every fuzzing target, and that the fuzzing would notice."""

import random

import pytest

from tests.fuzz.fuzzing import fuzz, is_sentence
from tests.fuzz.mutation import changed, mutated
from tests.fuzz.run import TARGETS

INPUTS = {
    "wire": 2500,
    "envelope": 1200,
    "framing": 3000,
    "history": 1200,
    "mapping": 700,
    "plant": 700,
    "hj212": 2000,
    "examples": 700,
    "documents": 700,
    "orders": 1000,
}
SEED = 20_261_120


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_comes_in_does_harm(name: str) -> None:
    outcome = fuzz(TARGETS[name][0](), SEED, range(INPUTS[name]))
    assert outcome.failures == []
    assert outcome.inputs == INPUTS[name]
    assert 0.02 < outcome.accepted / outcome.inputs < 0.98, "inputs are all alike"


class Brittle:
    """A target with every fault the fuzzing is there for."""

    name = "brittle"

    def make(self, draw: random.Random) -> bytes:
        return bytes([draw.randrange(4)])

    def run(self, data: bytes) -> bool:
        match data[0]:
            case 0:
                raise KeyError("not a refusal")
            case 1:
                assert is_sentence("two\nlines")
            case 2:
                while True:
                    pass
        return True


def test_crashes_hangs_and_violations_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.fuzzing.HANG_S", 0.05)
    outcome = fuzz(Brittle(), 1, range(40), most_failures=100)
    kinds = {failure.split(": ")[1] for failure in outcome.failures}
    assert kinds == {"KeyError", "AssertionError", "HangError"}
    assert outcome.inputs == outcome.accepted == 40 - len(outcome.failures) > 0


def test_inputs_follow_from_seed_and_number() -> None:
    for make, _ in TARGETS.values():
        target = make()
        made = [[target.make(random.Random(f"{seed} {n}")) for n in range(20)] for seed in (1, 1, 2)]
        assert made[0] == made[1] != made[2]


def test_mutations_leave_what_they_were_given() -> None:
    draw = random.Random(1)
    body = {"a": [1, {"b": None}], "c": "d"}
    seen = set()
    for _ in range(200):
        seen.add(repr(changed(body, draw)))
        seen.add(repr(mutated(b"abc", draw)))
        assert body == {"a": [1, {"b": None}], "c": "d"}
    assert len(seen) > 300
