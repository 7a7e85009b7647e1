"""Alert rules of a plant file to the plan: subjects, columns, limits in the subject's unit.

References have been checked by nobody before: whatever a rule names is looked for here.
Parents come before their children, each subject stands once. A quiet with `at_most` makes a
rule of its own, `<id>.quiet`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from ingest.methods.figures import KpiKind
from ingest.model import HOUR, SECOND, Quality, Reason
from ingest.plant.alert_stakes import stake_of
from ingest.plant.alert_subjects import Known, subject_of
from ingest.plant.alert_times import codes_of, quiet_of, schedule_of
from ingest.plant.alerts import Alert, Deviation
from ingest.plant.catalogue import Catalogue
from ingest.plant.fields import format_span
from ingest.plant.plan_alerts import (
    PlanAlerts,
    PlanDeviation,
    PlanQuiet,
    PlanRule,
    PlanSchedule,
    PlanStake,
    PlanSubject,
    RuleKind,
    SubjectKind,
    rule_columns,
)
from ingest.plant.sentence import Place

T = TypeVar("T")

KINDS = {
    "threshold": RuleKind.LIMITS,
    "change": RuleKind.CHANGE,
    "deviation": RuleKind.LIMITS,
    "absence": RuleKind.AGE,
    "state": RuleKind.STATE,
    "quality": RuleKind.QUALITY,
}
_CONTRACT: Mapping[str, SubjectKind] = {
    "kpi": "kpi",
    "point": "point",
    "source": "emission",
    "demand": "demand",
    "reconciliation": "residual",
    "benchmark": "benchmark",
}
_NO_WORST = int(Quality.BAD) + 1


@dataclass(slots=True)
class _Columns:
    """What grows while rules are compiled."""

    known: Known
    rules: list[PlanRule] = field(default_factory=list)
    params: list[dict[str, float]] = field(default_factory=list)
    limits: list[tuple[float, float]] = field(default_factory=list)
    subjects: dict[PlanSubject, int] = field(default_factory=dict)
    schedules: dict[PlanSchedule, int] = field(default_factory=dict)
    quiets: dict[PlanQuiet, int] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    ancestors: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def add(self, rule: PlanRule, params: dict[str, float], limits: tuple[float, float]) -> int:
        """A rule's place."""
        self.rules.append(rule)
        self.params.append({"quiet": -1, "memory": -1, "tolds": -1, "worst": _NO_WORST, **params})
        self.limits.append(limits)
        return len(self.rules) - 1


def compile_alerts(known: Known) -> PlanAlerts:
    """The rules of a plant file, checked and resolved; PlantError for what does not fit."""
    columns = _Columns(known)
    order = _parents_first(known.catalogue)
    for i in order:
        _add(columns, ("alerts", i), known.catalogue.file.alerts[i])
    memory = _numbered(columns.params, lambda row: row["kind"] == RuleKind.CHANGE)
    tolds = _numbered(columns.params, lambda row: bool(row.get("refire_us") or row.get("most_told")))
    subjects = sorted(columns.subjects, key=lambda one: (one.observed, columns.subjects[one]))
    moved = {columns.subjects[one]: place for place, one in enumerate(subjects)}
    for r, row in enumerate(columns.params):
        row |= {"subject": moved[int(row["subject"])], "memory": memory[r], "tolds": tolds[r]}
    return PlanAlerts(
        rules=tuple(replace(rule, subject=moved[rule.subject]) for rule in columns.rules),
        subjects=tuple(subjects),
        schedules=tuple(columns.schedules),
        quiets=tuple(columns.quiets),
        params=rule_columns(columns.params),
        high=np.array([high for high, _ in columns.limits], np.float64),
        low=np.array([low for _, low in columns.limits], np.float64),
        codes=np.array(columns.codes, np.int64),
        parents=np.array(columns.parents, np.int64),
    )


def _numbered_in(known: dict[T, int], one: T | None) -> int:
    """The number of something that may have one already; -1 of nothing."""
    return -1 if one is None else known.setdefault(one, len(known))


def _numbered(rows: Sequence[Mapping[str, float]], has: Callable[[Mapping[str, float]], bool]) -> list[int]:
    """Consecutive numbers for the rows that have something, -1 for others."""
    found, n = [], 0
    for row in rows:
        found.append(n if has(row) else -1)
        n += int(has(row))
    return found


def _parents_first(catalogue: Catalogue) -> list[int]:
    """Positions of the rules in an order in which parents stand before their children."""
    alerts = catalogue.file.alerts
    places = {alert.id: i for i, alert in enumerate(alerts)}
    order: list[int] = []
    under_way: list[int] = []

    def visit(i: int, place: Place) -> None:
        if i in under_way:
            expected = "no rule that has this one among its own parents"
            raise catalogue.fault(place, alerts[i].id, expected)
        if i in order:
            return
        under_way.append(i)
        for j, parent in enumerate(alerts[i].parents):
            where = ("alerts", i, "parents", j)
            if parent not in places:
                raise catalogue.fault(where, parent, "the id of a rule of this file")
            visit(places[parent], where)
        under_way.pop()
        order.append(i)

    for i in range(len(alerts)):
        visit(i, ("alerts", i))
    return order


def _add(columns: _Columns, place: Place, alert: Alert) -> None:
    known = columns.known
    subject = subject_of(known, place, alert)
    kind: SubjectKind = _CONTRACT[alert.subject]
    if alert.condition == "absence":
        kind = "data_age"
    elif alert.condition == "quality":
        kind = "quality"
    rule = PlanRule(
        id=alert.id,
        kind=kind,
        condition=alert.condition,
        subject=columns.subjects.setdefault(subject, len(columns.subjects)),
        unit=_unit(alert, subject),
        unit_path=_unit_path(known, place, alert, subject),
        severity=alert.severity,
        advice=alert.advice,
        schedule=_numbered_in(columns.schedules, schedule_of(known, place, alert.schedule)),
        benchmark=None if alert.benchmark is None else f"{known.catalogue.file.site}/{alert.benchmark}",
        deviation=_deviation(known, place, alert, subject),
        stake=stake_of(known, alert, subject),
        names=_names(known, alert),
    )
    params: dict[str, float] = {
        "subject": rule.subject,
        "kind": KINDS[alert.condition],
        "hold_us": alert.hold,
        "hysteresis": alert.hysteresis,
        "least_share": 0.0 if alert.condition in ("absence", "quality") else alert.min_valid_share,
        "span_us": 0 if alert.change is None else alert.change.per,
    }
    _add_condition(columns, place, alert, params)
    if alert.dampen is not None:
        params |= {"refire_us": alert.dampen.refire_after, "told_span_us": alert.dampen.per}
        params["most_told"] = alert.dampen.at_most or 0
    above = sorted({one for parent in alert.parents for one in columns.ancestors[parent]})
    params |= {"parents_from": len(columns.parents), "parents_to": len(columns.parents) + len(above)}
    columns.parents += above
    quiet = _numbered_in(columns.quiets, quiet_of(known, place, alert.quiet))
    params["quiet"] = quiet
    own = columns.add(rule, params, _limits(known, alert, subject))
    columns.ancestors[alert.id] = (*above, own)
    if alert.quiet is not None and alert.quiet.at_most is not None:
        _add_too_long(columns, rule, quiet, alert.quiet.at_most)


def _add_too_long(columns: _Columns, rule: PlanRule, quiet: int, at_most: int) -> None:
    """The rule that a quiet lasts no longer than it may: it holds while it is quiet."""
    of = list(columns.quiets)[quiet]
    subject = PlanSubject("quiet", of.id, quiet, None, "latest", "1")
    columns.add(
        replace(
            rule,
            id=f"{rule.id}.quiet",
            kind="data_age",
            condition="absence",
            subject=columns.subjects.setdefault(subject, len(columns.subjects)),
            unit="s",
            schedule=-1,
            benchmark=None,
            deviation=None,
            stake=PlanStake(None, None, None, "what was not measured is not known"),
            names={},
        ),
        {"subject": columns.subjects[subject], "kind": RuleKind.LIMITS, "hold_us": at_most},
        (0.5, -np.inf),
    )


def _add_condition(columns: _Columns, place: Place, alert: Alert, params: dict[str, float]) -> None:
    if alert.quality is not None:
        if alert.quality.worst is not None:
            params["worst"] = Quality[alert.quality.worst.upper()]
        params["reasons"] = sum(Reason[reason.upper()] for reason in set(alert.quality.reasons))
    listed = alert.state or alert.state_not
    if listed is not None and alert.point is not None:
        key = "state" if alert.state is not None else "state_not"
        found = codes_of(columns.known, (*place, key), alert.point, listed)
        params |= {"codes_from": len(columns.codes), "codes_to": len(columns.codes) + len(found)}
        params["codes_not"] = int(alert.state is None)
        columns.codes += found


def _names(known: Known, alert: Alert) -> dict[int, str]:
    if alert.condition != "state" or alert.point is None:
        return {}
    return {code: name for name, code in known.catalogue.points[alert.point].states.items()}


def _limits(known: Known, alert: Alert, subject: PlanSubject) -> tuple[float, float]:
    above, below = alert.above, alert.below
    if alert.change is not None:
        above, below = alert.change.above, alert.change.below
    elif alert.silent_for is not None:
        above = alert.silent_for / SECOND
    elif alert.quality is not None:
        below = alert.quality.valid_share_below
    elif alert.condition == "threshold" and alert.demand is not None and above is None and below is None:
        above = known.kpis[subject.place].contract
    return (np.inf if above is None else above, -np.inf if below is None else below)


def _unit(alert: Alert, subject: PlanSubject) -> str:
    match alert.condition:
        case "absence":
            return "s"
        case "quality":
            return "1"
        case "change":
            assert alert.change is not None
            return f"{subject.unit} per {format_span(alert.change.per)}"
        case _:
            return subject.unit


def _unit_path(known: Known, place: Place, alert: Alert, subject: PlanSubject) -> str | None:
    site = known.catalogue.file.site
    if alert.unit is not None:
        if alert.unit not in known.units:
            raise known.catalogue.fault((*place, "unit"), alert.unit, "the path of a unit of this file")
        return f"{site}/{alert.unit}"
    parts = subject.id.split("/")[1:]
    paths = ("/".join(parts[:n]) for n in range(len(parts), 0, -1))
    found = next((path for path in paths if path in known.units), None)
    return None if found is None else f"{site}/{found}"


def _deviation(known: Known, place: Place, alert: Alert, subject: PlanSubject) -> PlanDeviation | None:
    asked: Deviation | None = alert.deviation
    if asked is None:
        return None
    where = (*place, "deviation")
    if alert.point is not None:
        kind = known.catalogue.points[alert.point].kind
        if kind not in ("gauge", "sample") or alert.figure not in ("latest", "mean"):
            expected = "no deviation, but for the newest or mean value of a gauge or sample"
            raise known.catalogue.fault(where, alert.point, expected)
    elif alert.kpi is not None:
        kpi = known.kpis[subject.place]
        if kpi.kind in (KpiKind.LOAD_FACTOR, KpiKind.TOTAL) and not (
            kpi.kind is KpiKind.TOTAL and subject.window_us == HOUR
        ):
            expected = f"no deviation of a {kpi.kind}, but of a total over 1h"
            raise known.catalogue.fault(where, alert.kpi, expected)
    return PlanDeviation(
        asked.days, asked.of, asked.percent, asked.absolute or 0.0, asked.side, asked.same_days
    )
