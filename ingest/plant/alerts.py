"""Alert rules of a plant file: what they watch, what must hold, and when they keep quiet.

One entry names one subject and one condition. What ids refer to is checked by
`rules`, which also compiles them; what a rule does in time is `kernels.rules`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ingest.plant.entries import Codes
from ingest.plant.fields import Entry, Flag, Hours, Number, Path, Positive, Segment, Share, Span, Text
from ingest.plant.plan_alerts import Condition

Size = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Reasons = Literal[
    "range", "rate", "stuck", "calibration", "maintenance", "fault", "over_range", "comm", "reset", "rollover",
    "replaced", "gap", "manual", "no_time", "drift", "overdue", "glitch",
]  # fmt: skip

MOST_TOLD = 16
"""What a dampened rule remembers of when it was told (`kernels.rule_rows.MEMORY`)."""


class Change(Entry):
    """How fast a value may change."""

    above: Number | None = None
    """It rises by more than this in `per`."""
    below: Number | None = None
    """It changes by less than this; -20: it falls by more than 20."""
    per: Span

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("above, below or both")
        if self.above is not None and self.below is not None and self.below > self.above:
            raise ValueError("a below that is not above `above`")
        if self.per <= 0:
            raise ValueError("a per longer than 0s")
        return self


class Deviation(Entry):
    """How far a value may be from that of the same hour of past days."""

    days: Annotated[int, Field(strict=True, ge=1, le=60)] = 7
    """How many past days; the hour of each is that of the wall clock. Days without the hour are left out."""
    of: Literal["median", "mean"] = "median"
    percent: Positive | None = None
    """How far, in % of the usual value."""
    absolute: Positive | None = None
    """How far, in its unit."""
    side: Literal["above", "below", "both"] = "both"
    same_days: Flag = True
    """Workdays are compared with workdays, weekends and holidays with each other."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.percent is None) == (self.absolute is None):
            raise ValueError("either percent or absolute")
        return self


class QualityRule(Entry):
    """What of a figure's quality alerts: any of these."""

    worst: Literal["uncertain", "substituted", "bad"] | None = None
    """This quality or a worse one."""
    reasons: tuple[Reasons, ...] = ()
    valid_share_below: Share | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.worst is None and not self.reasons and self.valid_share_below is None:
            raise ValueError("at least one of worst, reasons and valid_share_below")
        return self


class Dampening(Entry):
    """How often people are told. Episodes between are kept, and told of if they outlast it."""

    refire_after: Span = 0
    """Told again only so long after it was told."""
    at_most: Annotated[int, Field(strict=True, ge=1, le=MOST_TOLD)] | None = None
    """So often in `per`."""
    per: Span = 0

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.at_most is None) != (self.per <= 0):
            raise ValueError("at_most together with per")
        if self.at_most is None and self.refire_after <= 0:
            raise ValueError("refire_after, or at_most and per")
        return self


class Schedule(Entry):
    """When a rule counts, by the clock on the wall; outside its condition does not hold."""

    shifts: tuple[Segment, ...] = ()
    """Shifts of the calendar."""
    hours: tuple[Hours, ...] = ()
    days: Literal["all", "workdays", "weekends"] = "all"
    """weekends: Saturdays, Sundays and holidays. What begins on such a day lasts over midnight."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.shifts and self.hours:
            raise ValueError("either shifts or hours")
        return self


class InStates(Entry):
    """States of a state point."""

    point: Path
    codes: Codes


class Quiet(Entry):
    """When a rule keeps quiet: its instruments are calibrated or maintained.

    It stays as it is then, and that time does not count towards its `hold`.
    """

    points: tuple[Path, ...] = ()
    """While the newest reading of one of them has one of the reasons."""
    instruments: tuple[Segment, ...] = ()
    """The same for the points of instruments."""
    reasons: tuple[Literal["calibration", "maintenance"], ...] = ("calibration", "maintenance")
    states: tuple[InStates, ...] = ()
    """While a state point is in one of these states."""
    at_most: Span | None = None
    """Quiet for longer alerts by itself, as rule `<id>.quiet`."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.points and not self.instruments and not self.states:
            raise ValueError("at least one of points, instruments and states")
        if not self.reasons:
            raise ValueError("calibration, maintenance or both")
        return self


SUBJECTS = ("kpi", "point", "source", "demand", "reconciliation", "benchmark")


class Alert(Entry):
    """A rule: one subject, one condition, and when people are told."""

    id: Segment
    kpi: Path | None = None
    """A KPI in a live window."""
    point: Path | None = None
    """A point: its newest reading, or a figure of its last closed interval."""
    source: Path | None = None
    """An emission source with a meter: its flow over `window`, t/h of its gas."""
    demand: Path | None = None
    """A KPI of kind demand: what its running block is going to come to. Default limit: the contracted demand."""
    reconciliation: Path | None = None
    """Measured less calculated over `window`, in % of measured."""
    benchmark: Segment | None = None
    """The benchmark that is the limit of its KPI, in a live window: worse than it alerts."""
    window: Span | None = None
    figure: Literal["latest", "mean", "min", "max", "amount"] = "latest"
    """Of a point; others than latest are of its last closed interval."""
    above: Number | None = None
    below: Number | None = None
    change: Change | None = None
    deviation: Deviation | None = None
    silent_for: Span | None = None
    """No data of the point or KPI for so long."""
    state: Codes | None = None
    """A state point is in one of these states."""
    state_not: Codes | None = None
    """It is in another."""
    quality: QualityRule | None = None
    hysteresis: Size = 0.0
    """How far back inside the limit, in the subject's unit, resolves it."""
    hold: Span = 0
    """How long the condition must last before it fires."""
    dampen: Dampening | None = None
    min_valid_share: Share = 0.75
    """With less valid time nothing is concluded. Of quality and silence: not asked."""
    schedule: Schedule | None = None
    quiet: Quiet | None = None
    parents: tuple[Segment, ...] = ()
    """While one of these rules fires, people are not told of this one."""
    severity: Literal["info", "warning", "critical"] = "warning"
    unit: Path | None = None
    """The unit it is about; default that in whose path the subject is."""
    advice: Text | None = None

    @property
    def condition(self) -> Condition:
        """Which of the conditions it has."""
        if self.above is not None or self.below is not None:
            return "threshold"
        if self.state is not None or self.state_not is not None:
            return "state"
        if self.change is not None:
            return "change"
        if self.deviation is not None:
            return "deviation"
        if self.quality is not None:
            return "quality"
        return "absence" if self.silent_for is not None else "threshold"

    @property
    def subject(self) -> str:
        """Which of SUBJECTS it names."""
        return next(key for key in SUBJECTS if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _shape(self) -> Self:
        named = [key for key in SUBJECTS if getattr(self, key) is not None]
        if len(named) != 1:
            raise ValueError("one of kpi, point, source, demand, reconciliation and benchmark")
        limited = self.above is not None or self.below is not None
        others = (self.change, self.deviation, self.silent_for, self.quality, self.state, self.state_not)
        asked = int(limited) + sum(one is not None for one in others)
        if asked > 1:
            raise ValueError("one condition")
        if self.subject == "benchmark" and asked:
            raise ValueError("no condition beside the benchmark, which is the limit")
        if not asked and self.subject not in ("benchmark", "demand"):
            raise ValueError(
                "either above or below, or one of change, deviation, silent_for, state, state_not and quality"
            )
        if self.above is not None and self.below is not None and self.above <= self.below:
            raise ValueError("an above that is above `below`")
        self._check_subject()
        return self

    def _check_subject(self) -> None:
        condition, subject = self.condition, self.subject
        if condition == "state" and (subject != "point" or self.figure != "latest"):
            raise ValueError("a state point for state and state_not")
        if condition in ("absence", "quality") and subject not in ("point", "kpi"):
            raise ValueError(f"a point or kpi for condition {condition}")
        if condition == "deviation" and subject not in ("point", "kpi", "source"):
            raise ValueError("a point, kpi or source for deviation")
        if self.silent_for is not None and self.silent_for <= 0:
            raise ValueError("a silent_for longer than 0s")
        if subject in ("point", "demand") and self.window is not None:
            raise ValueError(f"no window of a {subject}")
        if subject not in ("point", "demand") and self.window is None:
            raise ValueError("a window")
        if subject != "point" and self.figure != "latest":
            raise ValueError("a figure of a point only")
