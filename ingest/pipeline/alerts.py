"""The alert rules of one site: observed, stepped, and what became of them.

    subjects → limits, schedules, quiets, silences → `kernels.rules.step_rules` → Alerted

Evaluated whenever KPI windows are: with a batch, and with a tick. What is found becomes
current by `settle`, when its transaction is committed; until then the same batch finds the
same again. Past days and silences come from the store (`ingest.store.alerts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from ingest.methods.bands import in_force
from ingest.model import MINUTE, NEVER, SECOND
from ingest.pipeline.alerted import Alerted, Kept, Standing, Told
from ingest.pipeline.batch import Batch, FloatArray, IntArray
from ingest.pipeline.episodes import told
from ingest.pipeline.observers import are_quiet, observer
from ingest.pipeline.schedules import Timetable, Workdays
from ingest.pipeline.state import SiteState
from ingest.pipeline.subjects import SUBJECT, Moment, Subjects
from ingest.pipeline.usual import hour_of, past_hours, usual_limits
from ingest.plant.plan_alerts import PlanRule
from kernels.rule_rows import AGE, INACTIVE, RULE, TRANSITION
from kernels.rules import step_rules

GRACE_US = 120 * SECOND
"""After a start the age of data is judged when the source has handed out all it had, or so much later."""
CHECKPOINT_US = 30 * SECOND
"""How often what rules remember is written although nothing became of them."""
_OF_CLOSED = ("interval", "emission", "residual")
_KEPT = ("state", "told", "pending_at", "fired_at", "held_from", "held_us")


@dataclass(frozen=True, slots=True)
class Silence:
    """People want to hear nothing of some rules for a time."""

    number: int
    rule: str | None
    """None: of all."""
    unit: str | None
    """Full id of a unit; of rules about it and what is below it."""
    from_at: int
    to_at: int

    def covers(self, rule: PlanRule) -> bool:
        """Whether it is about a rule; the one of a quiet goes with its own."""
        if self.rule is not None and rule.id.removesuffix(".quiet") != self.rule:
            return False
        path = rule.unit_path or ""
        return self.unit is None or path == self.unit or path.startswith(f"{self.unit}/")


class AlertBoard:
    """Where the rules of a plan stand; nothing here waits or writes."""

    def __init__(self, state: SiteState) -> None:
        """Of rules never looked at; the store tells where they stood (`restore`)."""
        plan = state.plan
        self.alerts = plan.alerts
        self._state = state
        self.plan = plan
        self._workdays = Workdays.of(plan.file.calendar)
        n = len(self.alerts.rules)
        self.table = np.zeros(len(self.alerts.subjects), SUBJECT)
        self.table["value"] = np.nan
        self.table["at"] = self.table["from_at"] = self.table["to_at"] = NEVER
        self._observers = list(self._observed())
        self._looks_at_closed = any(one.observed in _OF_CLOSED for one in self.alerts.subjects)
        self._seen: list[Batch] = []
        self.standing = Standing.new(
            n,
            int((self.alerts.params["tolds"] >= 0).sum()),
            int((self.alerts.params["memory"] >= 0).sum()),
            NEVER,
        )
        self._timetable = Timetable(self.alerts.schedules, plan.zone, self._workdays)
        self._schedule = np.array([rule.schedule for rule in self.alerts.rules], np.int64)
        self._params = np.zeros(n, RULE)
        for name, column in self.alerts.params.items():
            self._params[name] = column
        self._by_now = self.alerts.params["kind"] == AGE
        self._transitions = np.zeros(n, TRANSITION)
        self._silences: list[tuple[Silence, IntArray]] = []
        self._high, self._low = self.alerts.high.copy(), self.alerts.low.copy()
        self._deviating = [r for r, rule in enumerate(self.alerts.rules) if rule.deviation is not None]
        self._marked = [r for r, rule in enumerate(self.alerts.rules) if rule.benchmark is not None]
        self._usual: dict[int, float] = {}
        self._usual_hour = self._marked_minute = NEVER
        self._began_us: int | None = None
        self._aging = False
        self._saved_us = 0
        self._unsaved = np.zeros(n, np.bool_)
        self.orphans: list[tuple[str, Told | None]] = []
        """Rules that no version has any more, and the end of their episodes."""

    def _observed(self) -> Sequence[tuple[Subjects, slice]]:
        found, begin = [], 0
        for observed, group in groupby(self.alerts.subjects, key=lambda one: one.observed):
            subjects = list(group)
            one = observer(self._state, observed, subjects)
            if one is not None:
                found.append((one, slice(begin, begin + len(subjects))))
            begin += len(subjects)
        return found

    def see(self, batch: Batch) -> None:
        """What a batch has closed, whether rules are judged with it or with the next."""
        if self._looks_at_closed and (batch.intervals.size or batch.emissions.size):
            self._seen.append(batch)

    def recall(self, batch: Batch) -> None:
        """Let observers see what was closed before a start."""
        nothing = np.full(len(self._state.plan.points), NEVER, np.int64)
        for one, rows in self._observers:
            one.observe(Moment(NEVER, batch, {}, nothing), self.table[rows])

    def silence(self, silences: Sequence[Silence]) -> None:
        """The silences there are."""
        self._silences = [
            (one, np.array([int(one.covers(rule)) for rule in self.alerts.rules], np.int64))
            for one in silences
        ]

    def evaluate(
        self, batch: Batch, reaches: IntArray, now_us: int, monotonic_us: int, *, caught_up: bool
    ) -> Alerted | None:
        """Judge every rule once; None if there is nothing to say, nor to settle."""
        plan = self._state.plan
        orphans = self.orphans
        if not self.alerts.rules and not orphans:
            return None
        now = now_us if plan.clock == "live" else batch.watermark
        self._observe(batch, reaches, now)
        after = self.standing.copy()
        active = self._active(batch.watermark, now)
        high, low = self._limits(batch.watermark)
        if self._began_us is None:
            self._began_us = monotonic_us
        waited = monotonic_us - self._began_us > GRACE_US
        self._aging = self._aging or caught_up or waited or plan.clock == "replay"
        n = step_rules(
            self._params, high, low, self.alerts.codes, self.alerts.parents, self.table, active,
            are_quiet(self._state, self.alerts.quiets, reaches), self._silenced(now), now, int(self._aging and now != NEVER),
            after.states, after.past_at, after.past_value, after.told_at, self._transitions,
        )  # fmt: skip
        found = Alerted(after, self._changed(after, monotonic_us))
        for row in self._transitions[:n]:
            r = int(row["rule"])
            subject = self.table[self.alerts.rules[r].subject]
            found.told.append(told(plan, r, row, subject, self._usual.get(r), in_time=bool(active[r])))
        found.gone = [rule for rule, _ in orphans]
        found.told += [end for _, end in orphans if end is not None]
        return found

    def settle(self, alerted: Alerted | None) -> None:
        """What was found is committed."""
        if alerted is not None:
            self.standing = alerted.after
            self._unsaved[alerted.changed] = False
            if alerted.gone:
                self.orphans = []

    def _observe(self, batch: Batch, reaches: IntArray, now: int) -> None:
        latest = {(figure.kpi, figure.window_us): figure for figure in batch.latest}
        if self._seen:
            batch = replace(
                batch,
                intervals=np.concatenate([one.intervals for one in self._seen]),
                emissions=np.concatenate([one.emissions for one in self._seen]),
            )
            self._seen = []
        moment = Moment(now, batch, latest, reaches)
        for one, rows in self._observers:
            one.observe(moment, self.table[rows])

    def _active(self, watermark: int, now: int) -> IntArray:
        """1 of each rule that its schedule lets count: by the site's time, of the age of data by the clock."""
        active = np.ones(self._schedule.size, np.int64)
        timed = self._schedule >= 0
        for mine, at in ((timed & ~self._by_now, watermark), (timed & self._by_now, now)):
            if mine.any():
                answers = (
                    np.array(self._timetable.at(at)) if at != NEVER else np.ones(len(self.alerts.schedules))
                )
                active[mine] = answers[self._schedule[mine]]
        return active

    def _silenced(self, now: int) -> IntArray:
        found = np.zeros(len(self.alerts.rules), np.int64)
        for one, rules in self._silences:
            if one.from_at <= now < one.to_at:
                found |= rules
        return found

    def _limits(self, watermark: int) -> tuple[FloatArray, FloatArray]:
        """Those of benchmarks as they are in force, of past days if they are of the present hour."""
        if self._marked and watermark // MINUTE != self._marked_minute:
            self._marked_minute = watermark // MINUTE
            for r in self._marked:
                self._high[r], self._low[r] = self._benchmark(self.alerts.rules[r], watermark)
        if (
            self._deviating
            and watermark != NEVER
            and hour_of(watermark, self._state.plan.zone) != self._usual_hour
        ):
            self._high[self._deviating] = self._low[self._deviating] = np.nan
        return self._high, self._low

    def _benchmark(self, rule: PlanRule, at: int) -> tuple[float, float]:
        marks = self._state.plan.benchmarks
        mark = next(one for one in marks if one.id == rule.benchmark)
        of_kpi = [one for one in marks if one.kpi == mark.kpi and one.level == mark.level]
        holding = in_force(of_kpi, at)
        if not holding:
            return np.inf, -np.inf
        value = holding[0].value
        return (value, -np.inf) if holding[0].better == "lower" else (np.inf, value)

    def wanted(self) -> Mapping[int, Sequence[tuple[int, int]]] | None:
        """Rule → hours [begin, end) of past days whose values are wanted now; None: none are."""
        watermark = self._state.watermark.at
        if not self._deviating or watermark == NEVER:
            return None
        plan, hour = self._state.plan, hour_of(watermark, self._state.plan.zone)
        if hour == self._usual_hour:
            return None
        return {
            r: past_hours(deviation, plan.zone, self._workdays, hour)
            for r in self._deviating
            if (deviation := self.alerts.rules[r].deviation) is not None
        }

    def compare_with(self, past: Mapping[int, Sequence[float]]) -> None:
        """The values that were `wanted`, those there are."""
        self._usual_hour = hour_of(self._state.watermark.at, self._state.plan.zone)
        for r in self._deviating:
            deviation = self.alerts.rules[r].deviation
            assert deviation is not None
            self._usual[r], self._high[r], self._low[r] = usual_limits(deviation, past.get(r, ()))

    def _changed(self, after: Standing, monotonic_us: int) -> IntArray:
        """Rules whose rows say something else than those stored; from time to time those that remember more."""
        before, now = self.standing.states, after.states
        memory = self.alerts.params["memory"]
        self._unsaved[memory >= 0] |= (after.past_at != self.standing.past_at).any(axis=1)
        changed = self._by_now & (before["born_at"] != now["born_at"])
        for name in _KEPT:
            changed |= before[name] != now[name]
        if monotonic_us - self._saved_us >= CHECKPOINT_US:
            self._saved_us = monotonic_us
            changed |= (now["state"] != INACTIVE) & (before["seen_at"] != now["seen_at"])
            changed |= self._unsaved
        return np.flatnonzero(changed)

    def kept(self, alerted: Alerted) -> dict[str, Kept]:
        """The rows to be stored of an evaluation."""
        return {
            self.alerts.rules[r].id: Kept(
                self._watches(r),
                alerted.after.states[r : r + 1].copy(),
                _remembered(alerted.after.told_at, int(self.alerts.params["tolds"][r])),
                _remembered(alerted.after.past_at, int(self.alerts.params["memory"][r])),
                _remembered(alerted.after.past_value, int(self.alerts.params["memory"][r])),
            )
            for r in alerted.changed.tolist()
        }

    def restore(self, kept: Mapping[str, Kept]) -> list[str]:
        """Go on where rules stood; those that nothing stands for any more, as they watch something else."""
        places = {rule.id: r for r, rule in enumerate(self.alerts.rules)}
        foreign = []
        for name, row in kept.items():
            r = places.get(name)
            if r is None or row.watches != self._watches(r):
                foreign.append(name)
                continue
            self.standing.states[r] = row.state[0]
            for column, place, values in (
                (self.standing.told_at, self.alerts.params["tolds"][r], row.told_at),
                (self.standing.past_at, self.alerts.params["memory"][r], row.past_at),
                (self.standing.past_value, self.alerts.params["memory"][r], row.past_value),
            ):
                if place >= 0 and values:
                    column[place] = values
        return foreign

    def _watches(self, number: int) -> str:
        rule = self.alerts.rules[number]
        what = self.alerts.subjects[rule.subject]
        return f"{rule.condition} {what.observed} {what.id} {what.window_us or 0} {what.figure}"


def _remembered(rows: FloatArray | IntArray, place: int) -> list[Any]:
    return [] if place < 0 else list(rows[place].tolist())
