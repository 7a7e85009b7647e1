"""What people are told of an episode: one dict, the data of its event, and its cause in a sentence.

Values stand as they were compared, unrounded; only the sentence shows six digits.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ingest.model import NEVER, SECOND, Quality, Reason
from ingest.pipeline.alerted import Told
from ingest.pipeline.stakes import at_stake, finite
from ingest.plant.fields import format_span
from ingest.plant.plan import Plan
from ingest.plant.plan_alerts import PlanRule, PlanSubject
from kernels.rule_rows import FIRED, RESOLVED

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIDES = {1: "above", -1: "below"}


def instant(at: int) -> str | None:
    """RFC 3339 in UTC; None of NEVER."""
    if at == NEVER:
        return None
    return (_EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def episode_id(site: str, rule: str, pending_at: int) -> str:
    """The same for the same episode, whoever computes it: no two of a rule begin at one instant."""
    return f"{site}.{rule}.{pending_at}"


def told(
    plan: Plan, number: int, row: np.void, subject: np.void, usual: float | None, *, in_time: bool
) -> Told:
    """A transition (TRANSITION) of a rule as an event.

    Args:
        plan: of the rule.
        number: the rule's place.
        row: the transition.
        subject: SUBJECT, as it was judged.
        usual: of a deviation the usual value.
        in_time: whether the rule's schedule lets it count.
    """
    rule = plan.alerts.rules[number]
    what = plan.alerts.subjects[rule.subject]
    name = episode_id(plan.site, rule.id, int(row["pending_at"]))
    at = int(row["fired_at"] if row["what"] == FIRED else row["at"])
    value, limit = _compared(plan, number, row, is_quiet=what.observed == "quiet")
    data = {
        **_about(plan, rule, what),
        **_found(rule, row, subject),
        "episode": name,
        "value": value,
        "limit": limit,
        "at": instant(at),
        "resolved_at": instant(at) if row["what"] == RESOLVED else None,
        "cause": _cause(plan, number, row, value, limit, usual, in_time=in_time),
        "at_stake": at_stake(plan, rule, row, subject, what),
        "link": f"/v1/alerts/{name}",
    }
    begun, fired = int(row["pending_at"]), int(row["fired_at"])
    return Told(name, rule.id, int(row["what"]), int(row["mute"]), begun, fired, at, data)


def _about(plan: Plan, rule: PlanRule, what: PlanSubject) -> dict[str, Any]:
    """What stands in the plant file."""
    window = None if what.window_us is None else format_span(what.window_us)
    return {
        "rule": rule.id,
        "kind": rule.condition,
        "severity": rule.severity,
        "subject": {"kind": rule.kind, "id": rule.benchmark or what.id, "window": window},
        "site": plan.site,
        "unit_path": rule.unit_path,
        "unit": rule.unit,
        "advice": rule.advice,
        "plan_version": plan.version,
    }


def _found(rule: PlanRule, row: np.void, subject: np.void) -> dict[str, Any]:
    """What was observed."""
    return {
        "state": "resolved" if row["what"] == RESOLVED else "firing",
        "comparison": _comparison(rule, int(row["side"])),
        "valid_share": None if rule.condition == "absence" else float(subject["valid_share"]),
        "quality": Quality(int(subject["quality"])).name.lower(),
        "reasons": Reason(int(subject["reasons"])).names,
        "from": instant(int(subject["from_at"])),
        "to": instant(int(subject["to_at"])),
        "pending_at": instant(int(row["pending_at"])),
        "fired_at": instant(int(row["fired_at"])),
    }


def _compared(plan: Plan, number: int, row: np.void, *, is_quiet: bool) -> tuple[float | None, float | None]:
    """Value and limit; of a quiet how long it has lasted and may last, s."""
    if is_quiet:
        hold_us = int(plan.alerts.params["hold_us"][number])
        return (int(row["at"]) - int(row["pending_at"])) / SECOND, hold_us / SECOND
    return finite(float(row["value"])), finite(float(row["limit"]))


def _comparison(rule: PlanRule, side: int) -> str:
    if rule.condition == "state":
        return "state"
    if rule.condition == "quality" and side == 0:
        return "worse"
    return _SIDES.get(side, "above")


def _cause(
    plan: Plan, number: int, row: np.void, value: float | None, limit: float | None, usual: float | None,
    *, in_time: bool,
) -> str:  # fmt: skip
    """One sentence: value, limit, unit, window."""
    rule = plan.alerts.rules[number]
    what = plan.alerts.subjects[rule.subject]
    over = row["what"] == RESOLVED
    lasted = _span(int(row["at"]) - int(row["pending_at"]))
    if over and not in_time:
        return f"{what.id} is outside the schedule of its rule, after {lasted}."
    said = _said(plan, number, what, value)
    side = _SIDES.get(int(row["side"]), "above")
    if over:
        back = "" if limit is None else f", back from {side} {_number(limit)} {_unit(rule)}".rstrip()
        return f"{said}{back}, after {lasted}."
    beyond = (
        ""
        if limit is None
        else f", {side} {_limit_name(rule, usual)} {_number(limit)} {_unit(rule)}".rstrip()
    )
    held = f", for {lasted}" if plan.alerts.params["hold_us"][number] and what.observed != "quiet" else ""
    return f"{said}{beyond}{held}."


def _said(plan: Plan, number: int, what: PlanSubject, value: float | None) -> str:
    """What was found."""
    rule = plan.alerts.rules[number]
    amount = f"{_number(value)} {_unit(rule)}".rstrip()
    if what.observed == "quiet":
        return f"{what.id} was in calibration or maintenance for {_span(int((value or 0) * SECOND))}"
    over = "" if what.window_us is None else f" over {format_span(what.window_us)}"
    match rule.condition:
        case "state":
            code = int(value or 0)
            return f"{what.id} is {rule.names.get(code, code)}"
        case "absence":
            return f"the newest data of {what.id} are {_span(int((value or 0) * SECOND))} old"
        case "quality":
            return f"{what.id}{over} is valid for {_number(100 * (value or 0))} % of its time"
        case "change":
            return f"{what.id}{over} changed by {amount}"
    match what.observed:
        case "demand":
            return f"{what.id} is going to come to {amount}{over}"
        case "residual":
            return f"what {what.id} measures differs from what is calculated by {amount}{over}"
        case _:
            return f"{what.id}{over} is {amount}"


def _limit_name(rule: PlanRule, usual: float | None) -> str:
    if rule.benchmark is not None:
        return f"its benchmark {rule.benchmark} of"
    if rule.deviation is not None and usual is not None:
        return f"what is usual at this hour ({_number(usual)} {rule.unit}), by its limit of"
    return "its limit of"


def _unit(rule: PlanRule) -> str:
    return "" if rule.unit == "1" else rule.unit


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _span(span_us: int) -> str:
    """A span people can read: 12min 5s."""
    seconds = span_us // SECOND
    parts = [
        (seconds // 86400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    ]
    said = [f"{n}{unit}" for n, unit in parts if n]
    return " ".join(said[:2]) or "0s"


def ended(plan: Plan, episode: str, data: dict[str, Any], at: int) -> Told:
    """The end of an episode whose rule the plan has no more, or that watches something else now."""
    cause = f"rule {data['rule']} is not in the plant file any more, or watches something else."
    changed = {
        **data, "state": "resolved", "at": instant(at), "resolved_at": instant(at), "cause": cause,
        "plan_version": plan.version,
    }  # fmt: skip
    return Told(episode, data["rule"], RESOLVED, 0, NEVER, NEVER, at, changed)
