"""Stepping alert rules equals its definition, step after step, whatever comes."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reference, rules
from kernels.rows import NEVER, Records
from kernels.rule_rows import (
    CHANGE,
    LIVE_US,
    MEMORY,
    QUALITY,
    RULE,
    RULE_STATE,
    SUBJECT,
    TRANSITION,
)
from tests.kernels.segments import same

MINUTE = 60_000_000
CODES = np.array([0, 1, 2, 3], np.int64)
Values = st.sampled_from([-2.0, 0.0, 1.0, 2.0, 2.5, 3.0, math.nan])
Spans = st.integers(0, 4).map(lambda n: n * MINUTE)
Flags = st.integers(0, 1)
N, M = 4, 2
"""Rules and subjects."""


def drawn(data: st.DataObject) -> Records:
    """Rules of any kind; a parent stands before its child."""
    found = np.zeros(N, RULE)
    for r, rule in enumerate(found):
        rule["subject"], rule["kind"] = data.draw(st.integers(0, M - 1)), data.draw(st.integers(0, QUALITY))
        rule["hold_us"], rule["span_us"] = data.draw(Spans), data.draw(Spans) + MINUTE
        rule["hysteresis"] = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
        rule["least_share"] = data.draw(st.sampled_from([0.0, 0.5]))
        rule["worst"], rule["reasons"] = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 3))
        rule["refire_us"], rule["told_span_us"] = data.draw(Spans), 8 * MINUTE
        rule["most_told"] = data.draw(st.integers(0, 2))
        rule["quiet"] = data.draw(st.integers(-1, 1))
        rule["codes_from"] = data.draw(st.integers(0, 2))
        rule["codes_to"] = rule["codes_from"] + data.draw(st.integers(1, 2))
        rule["codes_not"] = data.draw(Flags)
        rule["parents_from"], rule["parents_to"] = (0, data.draw(st.integers(0, r)))
        rule["memory"] = r if rule["kind"] == CHANGE else -1
        rule["tolds"] = data.draw(st.sampled_from([-1, r]))
    return found


def at_first() -> tuple[Records, np.ndarray, np.ndarray, np.ndarray]:
    states = np.zeros(N, RULE_STATE)
    for name in ("pending_at", "fired_at", "held_from", "seen_at", "born_at"):
        states[name] = NEVER
    never = np.full((N, MEMORY), NEVER)
    return states, never.copy(), np.zeros((N, MEMORY)), never.copy()


def observed(data: st.DataObject, before: Records, now: int) -> Records:
    """What is known now: mostly more than before, sometimes nothing new, sometimes long past."""
    found = before.copy()
    for row in found:
        row["value"], row["weight"] = data.draw(Values), data.draw(st.sampled_from([1.0, 2.0, math.nan]))
        row["valid_share"] = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
        row["quality"], row["reasons"] = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 7))
        back = data.draw(st.sampled_from([0, 0, 0, MINUTE, LIVE_US, LIVE_US + 1]))
        row["to_at"] = data.draw(st.sampled_from([now - back, now - back, row["to_at"]]))
        row["at"] = row["to_at"]
    return found


def test_what_is_seen_again_changes_nothing() -> None:
    """A tick without news, and an instant before what was judged, leave everything as it is."""
    rule, subjects = np.zeros(1, RULE), np.zeros(1, SUBJECT)
    rule["quiet"] = rule["memory"] = rule["tolds"] = -1
    subjects["value"], subjects["to_at"] = 3.0, 5 * MINUTE
    state, past_at, past_value, told_at = at_first()
    one, found = np.ones(1, np.int64), np.zeros(1, TRANSITION)

    def step(limit: float) -> int:
        return rules.step_rules(
            rule, np.array([limit]), np.array([-math.inf]), CODES, one, subjects, one, 0 * one, 0 * one,
            6 * MINUTE, 1, state, past_at, past_value, told_at, found,
        )  # fmt: skip

    assert (step(2.0), step(2.0)) == (1, 0)
    kept = state.copy()
    subjects["to_at"] = 4 * MINUTE
    assert step(9.0) == 0
    assert same(state, kept)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_steps_equal_their_definition(data: st.DataObject) -> None:
    given_rules = drawn(data)
    high, low = (
        np.array([data.draw(st.sampled_from(at)) for _ in range(N)])
        for at in ([2.0, 2.0, math.inf, math.nan], [-1.0, -math.inf])
    )
    subjects = np.zeros(M, SUBJECT)
    subjects["at"] = subjects["to_at"] = NEVER
    kept = {kernel: at_first() for kernel in (rules.step_rules, reference.step_rules)}
    now = 20 * LIVE_US
    for _ in range(data.draw(st.integers(1, 9))):
        now += data.draw(st.sampled_from([1, MINUTE, MINUTE, 2 * MINUTE, 30 * MINUTE]))
        subjects = observed(data, subjects, now)
        active, silenced, quiets = (
            np.array([data.draw(st.sampled_from(of)) for _ in range(N)], np.int64)
            for of in ([1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 1])
        )
        aging, counts, rows = data.draw(Flags), [], []
        for kernel, (state, past_at, past_value, told_at) in kept.items():
            transitions = np.zeros(N, TRANSITION)
            counts.append(
                kernel(
                    given_rules, high, low, CODES, np.arange(N), subjects, active, quiets, silenced, now, aging,
                    state, past_at, past_value, told_at, transitions,
                )
            )  # fmt: skip
            rows.append(transitions)
        assert counts[0] == counts[1]
        assert same(*rows)
        (states, *memory), (defined, *remembered) = kept.values()
        assert same(states, defined)
        for found, told in zip(memory, remembered, strict=True):
            assert np.array_equal(found, told)
