"""Alert rules, one step: inactive → pending → firing → resolved.

A rule is judged at the instant up to which its subject is known, never at the clock
(but for the age of data), so what an episode says does not depend on when it was
computed. While nothing is known, or the rule is quiet, it stays as it is and that time does not
count towards how long its condition must last. Whether people are told is decided
apart from whether an episode is one: an episode that begins in the past, under a
silence, while a parent fires or too soon after the last is kept, and told of when that is
over if it still fires; of one that was told its end is told too.

Twin: `reference.step_rules`.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.rows import HOUR_US, NEVER
from kernels.rule_rows import (
    AGE,
    AUDIBLE,
    CHANGE,
    DAMPENED,
    FIRED,
    FIRING,
    HISTORICAL,
    INACTIVE,
    LIVE_US,
    MEMORY,
    PARENT,
    PENDING,
    QUALITY,
    RESOLVED,
    RULE,
    RULE_STATE,
    SILENCED,
    STATE,
    SUBJECT,
    TOLD,
    TRANSITION,
)


@kernel
def _change(rule: np.void, at: int, value: float, past_at: np.ndarray, past_value: np.ndarray) -> float:
    """Change of the value over the rule's span, and the value remembered; NaN while that far back is unknown.

    What was a span ago is on the straight line between two remembered values, or to this one.
    """
    m, span_us = rule["memory"], rule["span_us"]
    newest = past_at[m, MEMORY - 1]
    if newest == NEVER or at - newest >= max(1, span_us // (MEMORY - 2)):
        for i in range(MEMORY - 1):
            past_at[m, i] = past_at[m, i + 1]
            past_value[m, i] = past_value[m, i + 1]
        past_at[m, MEMORY - 1] = at
        past_value[m, MEMORY - 1] = value
    later_at, later = at, value
    for i in range(MEMORY - 1, -1, -1):
        then, was = past_at[m, i], past_value[m, i]
        if then != NEVER and at - then >= span_us:
            if at - then > 2 * span_us:
                return math.nan
            return float(value - (was + (later - was) * ((at - span_us - then) / (later_at - then))))
        later_at, later = then, was
    return math.nan


@kernel
def _holds(rule: np.void, subject: np.void, value: float, high: float, low: float, codes: np.ndarray) -> bool:
    """Whether the condition holds."""
    if rule["kind"] == STATE:
        found = False
        for i in range(rule["codes_from"], rule["codes_to"]):
            found = found or codes[i] == value
        return bool(found != (rule["codes_not"] == 1))
    if rule["kind"] == QUALITY:
        doubted = subject["quality"] >= rule["worst"] or (subject["reasons"] & rule["reasons"]) != 0
        return bool(doubted or value < low)
    return bool(value > high or value < low)


@kernel
def _mute(
    rule: np.void,
    silenced: int,
    at: int,
    now: int,
    parents: np.ndarray,
    after: np.ndarray,
    told_at: np.ndarray,
) -> int:
    """Why people are not told now."""
    if now - at > LIVE_US:
        return HISTORICAL
    if silenced != 0:
        return SILENCED
    for i in range(rule["parents_from"], rule["parents_to"]):
        if after[parents[i]]["state"] == FIRING:
            return PARENT
    if rule["tolds"] >= 0:
        tolds = told_at[rule["tolds"]]
        if tolds[MEMORY - 1] != NEVER and at - tolds[MEMORY - 1] < rule["refire_us"]:
            return DAMPENED
        if rule["most_told"] > 0:
            last = tolds[MEMORY - rule["most_told"]]
            if last != NEVER and at - last < rule["told_span_us"]:
                return DAMPENED
    return AUDIBLE


@kernel
def _note_told(rule: np.void, at: int, told_at: np.ndarray) -> None:
    if rule["tolds"] >= 0:
        tolds = told_at[rule["tolds"]]
        for i in range(MEMORY - 1):
            tolds[i] = tolds[i + 1]
        tolds[MEMORY - 1] = at


@kernel
def _begin(state: np.void, at: int) -> None:
    """A new episode; two of a rule never begin at the same instant, for that names them."""
    state["state"] = PENDING
    state["told"] = 0
    state["pending_at"] = max(at, state["pending_at"] + 1)
    state["fired_at"] = NEVER
    state["held_from"] = NEVER
    state["held_us"] = 0
    state["excess"] = 0.0


@kernel
def _note(
    row: np.void, what: int, mute: int, at: int, state: np.void, value: float, high: float, low: float
) -> None:
    side = 1 if value > high else -1 if value < low else 0
    if what == RESOLVED and side == 0:
        side = 1 if high < np.inf else -1 if low > -np.inf else 0
    row["what"] = what
    row["mute"] = mute
    row["at"] = at
    row["pending_at"] = state["pending_at"]
    row["fired_at"] = state["fired_at"]
    row["value"] = value
    row["limit"] = high if side == 1 else low if side == -1 else math.nan
    row["side"] = side
    row["excess"] = state["excess"]


@kernel
def _is_known(
    rule: np.void, subject: np.void, at: int, value: float, high: float, low: float, quiets: np.ndarray
) -> bool:
    """Whether anything can be said of the value: it and its limits are there, enough is valid, it is not quiet."""
    if at == NEVER or math.isnan(value) or math.isnan(high) or math.isnan(low):
        return False
    if rule["kind"] != AGE and subject["valid_share"] < rule["least_share"]:
        return False
    return bool(rule["quiet"] < 0 or quiets[rule["quiet"]] == 0)


@kernel
def _pass_time(state: np.void, at: int, above: float, weight: float) -> None:
    """Time since the rule was last judged: held, if nothing was known of it, else spent above the limit."""
    if state["held_from"] != NEVER:
        state["held_us"] += at - state["held_from"]
        state["held_from"] = NEVER
    elif state["state"] != INACTIVE:
        state["excess"] += above * weight * ((at - state["seen_at"]) / HOUR_US)
    state["seen_at"] = at


@kernel
def _is_over(rule: np.void, active: int, holds: bool, value: float, high: float, low: float) -> bool:
    """Whether an episode is."""
    if active == 0:
        return True
    if holds or rule["kind"] == STATE or rule["kind"] == QUALITY:
        return not holds
    return bool(value <= high - rule["hysteresis"] and value >= low + rule["hysteresis"])


@kernel
def _become(
    rule: np.void, state: np.void, at: int, holds: bool, over: bool, mute: int, told_at: np.ndarray
) -> int:
    """The next state; what people may have to be told, 0 nothing."""
    if state["state"] == INACTIVE and holds:
        _begin(state, at)
    if state["state"] == PENDING:
        if not holds:
            state["state"] = INACTIVE
            return 0
        due_at = state["pending_at"] + state["held_us"] + rule["hold_us"]
        if at < due_at:
            return 0
        state["state"], state["fired_at"], state["told"] = FIRING, due_at, int(mute == AUDIBLE)
        if mute == AUDIBLE:
            _note_told(rule, at, told_at)
        return FIRED
    if state["state"] == FIRING and over:
        state["state"] = INACTIVE
        return RESOLVED
    if state["state"] == FIRING and state["told"] == 0 and mute == AUDIBLE:
        state["told"] = 1
        _note_told(rule, at, told_at)
        return TOLD
    return 0


@kernel
def _judge(
    rule: np.void, state: np.void, subject: np.void, high: float, low: float, codes: np.ndarray, parents: np.ndarray,
    active: int, quiets: np.ndarray, silenced: int, now: int, after: np.ndarray, past_at: np.ndarray,
    past_value: np.ndarray, told_at: np.ndarray, row: np.void,
) -> int:  # fmt: skip
    """Judge one rule; 1 if `row` says what became of it."""
    at, value = subject["to_at"], subject["value"]
    if rule["kind"] == AGE:
        at, value = now, (now - max(subject["at"], state["born_at"])) / 1e6
    elif rule["kind"] == QUALITY:
        value = subject["valid_share"]
    if at < state["seen_at"]:
        return 0
    known = _is_known(rule, subject, at, value, high, low, quiets)
    if known and rule["kind"] == CHANGE:
        value = _change(rule, at, value, past_at, past_value)
        known = not math.isnan(value)
    if not known:
        if state["state"] != INACTIVE and state["held_from"] == NEVER:
            state["held_from"] = state["seen_at"]
        return 0
    holds = active != 0 and _holds(rule, subject, value, high, low, codes)
    above = max(value - high, low - value, 0.0) if holds and rule["kind"] <= CHANGE else 0.0
    _pass_time(state, at, above, subject["weight"])
    if state["state"] == INACTIVE and not holds:
        return 0
    mute = _mute(rule, silenced, at, now, parents, after, told_at)
    what = _become(rule, state, at, holds, _is_over(rule, active, holds, value, high, low), mute, told_at)
    if what == 0:
        return 0
    _note(row, what, 1 - state["told"] if what == RESOLVED else mute, at, state, value, high, low)
    return 1


@kernel
def step_rules(
    rules: np.ndarray, high: np.ndarray, low: np.ndarray, codes: np.ndarray, parents: np.ndarray,
    subjects: np.ndarray, active: np.ndarray, quiets: np.ndarray, silenced: np.ndarray, now: int, aging: int,
    after: np.ndarray, past_at: np.ndarray, past_value: np.ndarray, told_at: np.ndarray, transitions: np.ndarray,
) -> int:  # fmt: skip
    """Judge every rule once; how many transitions there are.

    Args:
        rules: RULE[n], parents before their children.
        high: float64[n], upper limits; inf none, NaN not known at present.
        low: float64[n], lower ones; -inf none.
        codes: what rules point into.
        parents: likewise.
        subjects: SUBJECT[m].
        active: int64[n], 1 while a rule's schedule lets it count.
        quiets: int64[q], 1 while it is quiet.
        silenced: int64[n], 1 while people want to hear nothing of it.
        now: µs, by which data are old.
        aging: 1 if the age of data is judged: who has just begun has not asked for them yet.
        after: RULE_STATE[n], as after the last step; becomes that after this one.
        past_at: int64[c, MEMORY], instants of the values that CHANGE rules remember, likewise.
        past_value: float64[c, MEMORY], those values.
        told_at: int64[t, MEMORY], when dampened rules were told, the newest last, likewise.
        transitions: TRANSITION[n].
    """
    n = 0
    for r in range(rules.size):
        rule, state = rules[r], after[r]
        if state["born_at"] == NEVER:
            state["born_at"] = now
        if rule["kind"] == AGE and aging == 0:
            continue
        said = _judge(
            rule, state, subjects[rule["subject"]], high[r], low[r], codes, parents, active[r], quiets, silenced[r],
            now, after, past_at, past_value, told_at, transitions[n],
        )  # fmt: skip
        if said == 1:
            transitions[n]["rule"] = r
            n += 1
    return n


def warm_up() -> None:
    """Compile with the types the pipeline uses."""
    rules, after = np.zeros(1, RULE), np.zeros(1, RULE_STATE)
    zero, one = np.zeros(1), np.zeros(1, np.int64)
    step_rules(
        rules, zero, zero, one, one, np.zeros(1, SUBJECT), one, one, one, 0, 1, after,
        np.zeros((1, MEMORY), np.int64), np.zeros((1, MEMORY)), np.zeros((1, MEMORY), np.int64),
        np.zeros(1, TRANSITION),
    )  # fmt: skip
