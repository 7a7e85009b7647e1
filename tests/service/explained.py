"""A figure made again from its explanation alone, level by level.

For whoever has an answer of `/v1/explain` and nothing else: the standard library, and not one line of the
product. `recomputed` takes the pages of one explanation and says what the figure comes to; what does not follow
from the level below is an AssertionError that names it.
"""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

_HOUR_US = 3_600_000_000
_TIMED = {"rate", "demand", "total", "load_factor"}
_WITHOUT = {
    "ratio": "no_production",
    "rate": "gap",
    "demand": "gap",
    "power_factor": "zero_over_zero",
    "load_factor": "zero_over_zero",
}
"""Why there is no figure where nothing can be divided by."""
Explained = dict[str, Any]


def joined(pages: list[Explained]) -> Explained:
    """One explanation of its pages, which are of one state."""
    first = pages[0]
    assert all(page["figure"] == first["figure"] and page["as_of"] == first["as_of"] for page in pages)
    whole = {**first, "next": pages[-1]["next"]}
    for name in ("items", "batches", "plan_versions"):
        whole[name] = [one for page in pages for one in page[name]]
    assert whole["next"] is None, "the last page is missing"
    assert len(whole["items"]) == whole["rows"], "a page is missing"
    return whole


def recomputed(told: Explained) -> float | None:
    """What the figure comes to; rows are checked against their inputs on the way."""
    assert told["next"] is None
    for row in told["items"]:
        _check_place(told, row)
    match told["kind"]:
        case "kpi":
            return _kpi(told)
        case "emission":
            return _emission(told)
        case "amount":
            return _amount(told)
        case other:
            raise AssertionError(f"no arithmetic of {other!r} is known")


def same(a: float | None, b: float | None) -> bool:
    """Whether two figures are the same bits."""
    if a is None or b is None:
        return a is b
    return float(a).hex() == float(b).hex()


def microseconds(instant: str) -> int:
    """An instant as µs since 1970."""
    return (datetime.fromisoformat(instant) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _check_place(told: Explained, row: dict[str, Any]) -> None:
    """A row lies in the span, and its batch, version and inputs are named beside it."""
    figure = told["figure"]
    assert microseconds(figure["from"]) <= microseconds(row["from"])
    assert microseconds(row["to"]) <= microseconds(figure["to"])
    assert row["batch_no"] in {one["batch_no"] for one in told["batches"]}
    assert row["plan_version"] in {one["version"] for one in told["plan_versions"]}


def _terms(told: Explained, row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        one for one in told["terms"] if one["plan_version"] == row["plan_version"] and one["row"] == row["of"]
    ]


def _weight(term: dict[str, Any], row: dict[str, Any]) -> float:
    if not term["steps"]:
        return float(term["weight"])
    at = microseconds(row["from"])
    return float([one["weight"] for one in term["steps"] if microseconds(one["since"]) <= at][-1])


def _inputs(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["point"]: one["values"] for one in row["inputs"]}


# --- KPIs -------------------------------------------------------------------------------------------------------


def _kpi(told: Explained) -> float | None:
    kind = told["method"]
    for row in told["items"]:
        _check_slot(told, kind, row)
    rows = told["items"]
    if not rows:
        _check_none(told, "gap")
        return None
    a, b = (math.fsum(row["values"][side] for row in rows) for side in "ab")
    if kind == "load_factor":
        a, b = (a / b if b else 0.0), _largest(told)
        assert same(told["sums"]["mean"], a)
        assert same(told["sums"]["largest"], b)
    else:
        assert same(told["sums"]["a"], a)
        assert same(told["sums"]["b"], b)
    covered_us = sum(row["covered_us"] for row in rows)
    assert covered_us == told["parameters"]["covered_us"]
    if covered_us <= 0:
        _check_none(told, "gap")
        return None
    if kind == "total":
        return a
    divisor = math.hypot(a, b) if kind == "power_factor" else b
    if divisor > 0:
        return a / divisor
    _check_none(told, _WITHOUT[kind])
    return None


def _check_slot(told: Explained, kind: str, row: dict[str, Any]) -> None:
    """a and b of a row follow from its inputs."""
    sums, inputs = {"a": 0.0, "b": 0.0}, _inputs(row)
    for term in _terms(told, row):
        sums[term["side"]] += _weight(term, row) * inputs[term["point"]]["amount"]
    if kind in _TIMED:
        sums["b"] = row["covered_us"] / _HOUR_US
    for side, value in sums.items():
        assert same(row["values"][side], value), (told["figure"]["id"], row, value)


def _largest(told: Explained) -> float:
    block_us, phase_us = told["parameters"]["block_us"], told["parameters"]["phase_us"]

    def block(row: dict[str, Any]) -> int:
        at = microseconds(row["from"])
        return int(at - (at + phase_us) % block_us)

    largest = 0.0
    for begin, grouped in groupby(told["items"], block):
        rows = list(grouped)
        whole = microseconds(told["figure"]["from"]) <= begin
        whole = whole and begin + block_us <= microseconds(told["figure"]["to"])
        b = math.fsum(row["values"]["b"] for row in rows)
        if whole and b:
            largest = max(largest, math.fsum(row["values"]["a"] for row in rows) / b)
    return largest


# --- Emissions --------------------------------------------------------------------------------------------------


def _emission(told: Explained) -> float | None:
    if told["figure"]["reason"] is not None:
        return None
    if any("kg_per_count" in row["values"] for row in told["items"]):
        return _of_documents(told)
    for row in told["items"]:
        inputs, (term,) = _inputs(row), _terms(told, row)
        amount = inputs[term["point"]]["amount"]
        if term["factor_point"] is not None:
            amount *= inputs[term["factor_point"]]["mean"]
        assert same(row["values"]["mass_kg"], amount * _weight(term, row)), row
    return math.fsum(row["values"]["mass_kg"] for row in told["items"])


def _of_documents(told: Explained) -> float:
    exact = Fraction(0)
    for row in told["items"]:
        values = row["values"]
        count = _until(values, microseconds(row["to"])) - _until(values, microseconds(row["from"]))
        assert count == values["count"], row
        exact += count * Fraction(values["kg_per_count"])
    return float(exact)


def _until(document: dict[str, Any], at: int) -> int:
    begin, end = document["document_from_us"], document["document_to_us"]
    part = Fraction(abs(document["document_count"]) * (at - begin), end - begin)
    size = math.floor(part + Fraction(1, 2))
    return size if document["document_count"] >= 0 else -size


# --- Amounts ----------------------------------------------------------------------------------------------------


def _amount(told: Explained) -> float | None:
    rows = told["items"]
    for row in rows:
        (stored,) = row["inputs"]
        assert {name: row["values"][name] for name in stored["values"]} == stored["values"]
    counts = [row["values"]["amount_count"] for row in rows]
    if rows and all(count is not None for count in counts):
        assert told["figure"]["count"] == sum(counts)
        return float(sum(counts) * told["parameters"]["resolution"])
    hours = [
        _added(row["values"]["amount"] for row in own) for _, own in groupby(rows, lambda row: row["group"])
    ]
    return _added(hours)


def _added(values: Any) -> float | None:
    total = None
    for value in values:
        if value is not None:
            total = value if total is None else total + value
    return total


def _check_none(told: Explained, reason: str) -> None:
    assert told["figure"]["reason"] == reason, told["figure"]
