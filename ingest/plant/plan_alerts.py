"""The part of a plan that says what alert rules watch and when.

What a rule is compared with crosses into kernels as columns (`kernels.rule_rows` has the same names and
numbers; a test compares them); what people read of it stays here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Observed = Literal["point", "interval", "kpi", "emission", "demand", "residual", "quiet"]
SubjectKind = Literal["kpi", "point", "emission", "demand", "data_age", "quality", "residual", "benchmark"]
Condition = Literal["threshold", "change", "deviation", "absence", "state", "quality"]


class RuleKind(IntEnum):
    """What is compared with a rule's limits; the number is the kernel's."""

    LIMITS = 0
    CHANGE = 1
    STATE = 2
    AGE = 3
    QUALITY = 4


RULE_COLUMNS: Mapping[str, type] = {
    "subject": int,
    "kind": int,
    "hold_us": int,
    "hysteresis": float,
    "least_share": float,
    "span_us": int,
    "worst": int,
    "reasons": int,
    "refire_us": int,
    "most_told": int,
    "told_span_us": int,
    "quiet": int,
    "codes_from": int,
    "codes_to": int,
    "codes_not": int,
    "parents_from": int,
    "parents_to": int,
    "memory": int,
    "tolds": int,
}
"""The parameter columns of rules; int is int64, float is float64."""


def rule_columns(rows: Sequence[Mapping[str, float]]) -> dict[str, NDArray[Any]]:
    """Rules as columns; what a row does not say is 0."""
    return {
        name: np.array([row.get(name, 0) for row in rows], np.int64 if kind is int else np.float64)
        for name, kind in RULE_COLUMNS.items()
    }


@dataclass(frozen=True, slots=True)
class PlanSubject:
    """Something that is observed for rules, once however many rules watch it."""

    observed: Observed
    """Who observes it: the newest reading of a point, its last closed interval, a KPI's live window, …"""
    id: str
    """Full id of the point, KPI, source or reconciliation."""
    place: int
    """Its index in the plan."""
    window_us: int | None
    figure: str
    """Of an interval: mean, min, max, amount."""
    unit: str


@dataclass(frozen=True, slots=True)
class PlanSchedule:
    """When a rule counts, by the wall clock of the site's zone."""

    spans: tuple[tuple[int, int], ...]
    """[begin, end) in minutes of the day; one that ends before it begins goes over midnight. None: all day."""
    days: Literal["all", "workdays", "weekends"]


@dataclass(frozen=True, slots=True)
class PlanQuiet:
    """While what keeps a rule quiet: newest readings with one of the reasons, or states."""

    points: tuple[int, ...]
    reasons: int
    states: tuple[tuple[int, tuple[int, ...]], ...]
    """(state point, codes)."""
    id: str
    """Full id of the point that stands for it."""


@dataclass(frozen=True, slots=True)
class PlanDeviation:
    """With what of past days a value is compared."""

    days: int
    of: Literal["median", "mean"]
    percent: float | None
    """Of the usual value; None: see `absolute`."""
    absolute: float
    side: Literal["above", "below", "both"]
    same_days: bool
    """Workdays with workdays, the others with the others."""


@dataclass(frozen=True, slots=True)
class PlanStake:
    """What an amount above the limit comes to."""

    kwh: float | None
    """kWh per unit of the amount."""
    co2_t: float | None
    price: float | None
    """Money per t CO2."""
    reason: str | None
    """Why nothing is at stake that can be told."""
    carrier: str | None = None
    """Whose tariff prices the energy; None: of several, of none, or weighed."""


@dataclass(frozen=True, slots=True)
class PlanRule:
    """One rule, as people know it."""

    id: str
    kind: SubjectKind
    condition: Condition
    subject: int
    unit: str
    """Of its values and limits."""
    unit_path: str | None
    """Full id of the unit it is about."""
    severity: Literal["info", "warning", "critical"]
    advice: str | None
    schedule: int
    """Index; -1: always."""
    benchmark: str | None
    """Full id of the benchmark whose value is the limit."""
    deviation: PlanDeviation | None
    stake: PlanStake
    names: Mapping[int, str] = field(default_factory=dict)
    """Codes of a state → names."""


@dataclass(frozen=True, slots=True, eq=False)
class PlanAlerts:
    """The rules of a plan: parents stand before their children."""

    rules: tuple[PlanRule, ...] = ()
    subjects: tuple[PlanSubject, ...] = ()
    schedules: tuple[PlanSchedule, ...] = ()
    quiets: tuple[PlanQuiet, ...] = ()
    params: Mapping[str, NDArray[Any]] = field(default_factory=lambda: rule_columns([]))
    """RULE_COLUMNS, one entry per rule."""
    high: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    low: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Limits that do not change; inf and -inf: none."""
    codes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    parents: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
