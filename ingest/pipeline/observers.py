"""Who observes which subjects of alert rules: points, closed intervals, KPI windows, quiets.

Each reads what the pipeline has anyway; `flows` holds those that need a memory of emissions.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ingest.methods.figures import KpiKind, fresh
from ingest.model import HOUR, NEVER, Kind, Quality
from ingest.pipeline.batch import IntArray, Latest, Rows
from ingest.pipeline.demand import DemandBlocks
from ingest.pipeline.flows import Flows, Residuals
from ingest.pipeline.newest import newest
from ingest.pipeline.state import SiteState
from ingest.pipeline.subjects import Moment, Observe, Subjects
from ingest.plant.plan import PlanKpi
from ingest.plant.plan_alerts import PlanQuiet, PlanSubject

_RATES = (KpiKind.RATE, KpiKind.DEMAND)


class NewestReadings:
    """The newest value of points; one that is bad or too long ago is none, a substituted one is not valid."""

    def __init__(self, state: SiteState, subjects: Sequence[PlanSubject]) -> None:
        """For subjects observed as `point`."""
        self._state = state
        self._points = np.array([one.place for one in subjects], np.int64)
        self._weight = np.where(state.params["kind"][self._points] == Kind.GAUGE, 1.0, np.nan)

    def observe(self, moment: Moment, found: Rows) -> None:
        """A reading holds as long as its signal does."""
        seen = newest(self._state, self._points, moment.reaches)
        found["value"] = np.where(seen["stale"], np.nan, seen["value"])
        found["weight"] = self._weight
        found["valid_share"] = (seen["quality"] < Quality.SUBSTITUTED) & ~np.isnan(found["value"])
        for name in ("quality", "reasons", "at"):
            found[name] = seen[name]
        found["from_at"] = seen["at"]
        found["to_at"] = seen["until"]


class ClosedIntervals:
    """A figure of points' last closed interval; of several that close at once the newest counts."""

    def __init__(self, state: SiteState, subjects: Sequence[PlanSubject]) -> None:
        """For subjects observed as `interval`."""
        self._interval_us = state.plan.interval_us
        self._points = np.array([one.place for one in subjects], np.int64)
        self._figures = [one.figure for one in subjects]
        rate = state.params["kind"][self._points] == Kind.GAUGE
        mean = np.array([figure == "mean" for figure in self._figures])
        self._weight = np.where(rate & mean, 1.0, np.nan)

    def observe(self, moment: Moment, found: Rows) -> None:
        """What has just been closed."""
        rows = moment.batch.intervals
        rows = rows[np.isin(rows["segment"], self._points)]
        for row in rows[np.argsort(rows["start_at"], kind="stable")]:
            end_at = row["start_at"] + self._interval_us
            for j in np.flatnonzero((self._points == row["segment"]) & (found["to_at"] < end_at)).tolist():
                value = row[self._figures[j]] if row["quality"] < Quality.BAD else np.nan
                share = row["valid_us"] / self._interval_us
                found[j] = (
                    value, self._weight[j], share, row["quality"], row["reasons"], end_at, row["start_at"], end_at,
                )  # fmt: skip


class KpiWindows:
    """KPIs in live windows, none where their data are too old."""

    def __init__(self, state: SiteState, subjects: Sequence[PlanSubject]) -> None:
        """For subjects observed as `kpi`."""
        self._wanted = [(state.plan.kpis[one.place], one.place, one.window_us or 0) for one in subjects]

    def observe(self, moment: Moment, found: Rows) -> None:
        """As `/v1/kpis/latest` would tell them."""
        for j, (kpi, number, window_us) in enumerate(self._wanted):
            figure = moment.latest.get((number, window_us))
            if figure is not None:
                found[j] = _row(kpi, figure, moment.now_us)


def _row(kpi: PlanKpi, figure: Latest, now_us: int) -> tuple[float, ...]:
    value, _ = fresh((figure.value, None), now_us - figure.to_at, kpi.stale_after_us)
    hours = figure.covered_us / HOUR
    weight = 1.0 if kpi.kind in _RATES else np.nan
    if kpi.kind is KpiKind.RATIO and hours > 0:
        weight = figure.b / hours
    length_us = figure.to_at - figure.from_at
    share = figure.valid_us / length_us if length_us else 0.0
    return (
        np.nan if value is None else value, weight, share, figure.quality, figure.reasons,
        figure.to_at, figure.from_at, figure.to_at,
    )  # fmt: skip


class Quiets:
    """Whether it is quiet: 1 while a calibration or maintenance lasts."""

    def __init__(self, state: SiteState, subjects: Sequence[PlanSubject]) -> None:
        """For subjects observed as `quiet`."""
        self._state = state
        self._quiets = [state.plan.alerts.quiets[one.place] for one in subjects]

    def observe(self, moment: Moment, found: Rows) -> None:
        """By the site's time: a quiet lasts until a reading says that it is over."""
        found["value"] = are_quiet(self._state, self._quiets, moment.reaches)
        found["weight"] = np.nan
        found["valid_share"] = 1.0
        at = moment.batch.watermark
        found["at"] = found["from_at"] = found["to_at"] = at


def are_quiet(state: SiteState, quiets: Sequence[PlanQuiet], reaches: IntArray) -> IntArray:
    """Which quiets last, 1 or 0."""
    found = np.zeros(len(quiets), np.int64)
    for j, quiet in enumerate(quiets):
        seen = newest(state, np.array(quiet.points, np.int64), reaches)
        said = bool(((seen["at"] != NEVER) & ((seen["reasons"] & quiet.reasons) != 0)).any())
        for point, codes in quiet.states:
            value = newest(state, np.array([point]), reaches)["value"][0]
            said = said or value in codes
        found[j] = said
    return found


OBSERVERS: Mapping[str, Observe] = {
    "point": NewestReadings,
    "interval": ClosedIntervals,
    "kpi": KpiWindows,
    "demand": DemandBlocks,
    "emission": Flows,
    "residual": Residuals,
    "quiet": Quiets,
}
"""`PlanSubject.observed` → what makes its observer."""


def observer(state: SiteState, observed: str, subjects: Sequence[PlanSubject]) -> Subjects | None:
    """The observer of subjects that are observed alike; None: there is none, so nothing is known of them."""
    made = OBSERVERS.get(observed)
    return None if made is None else made(state, subjects)
