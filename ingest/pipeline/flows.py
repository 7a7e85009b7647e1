"""What sources emitted lately, for rules: flows in t/h, and how far two accounts differ.

The masses of closed intervals are kept as far back as a rule looks; a revision changes
nothing here, as rules do not look back. Sums are correctly rounded.
"""

import math
from collections.abc import Sequence

import numpy as np

from ingest.model import HOUR, NEVER, Quality
from ingest.pipeline.batch import FloatArray, Rows
from ingest.pipeline.state import SiteState
from ingest.pipeline.subjects import Moment
from ingest.plant.plan_alerts import PlanSubject
from ingest.reconciliation.divergence import aligned

_SLOT = np.dtype(
    [
        ("start_at", "i8"),
        ("mass_kg", "f8"),
        ("covered_us", "i8"),
        ("valid_us", "i8"),
        ("quality", "i8"),
        ("reasons", "i8"),
    ]
)


class Masses:
    """Rings of the emissions of some sources, by interval."""

    def __init__(self, interval_us: int, sources: Sequence[int], longest_us: int) -> None:
        """`sources` are plan indices, `longest_us` is how far back is asked."""
        self._interval_us = interval_us
        self._rows = {source: j for j, source in enumerate(sorted(set(sources)))}
        self._slots = np.zeros((len(self._rows), longest_us // interval_us + 2), _SLOT)
        self._slots["start_at"] = NEVER
        self._ends = np.full(len(self._rows), NEVER, np.int64)

    def add(self, emissions: Rows) -> bool:
        """Take in closed intervals; whether there were any of these sources."""
        mine = emissions[np.isin(emissions["source"], list(self._rows))]
        for row in mine:
            j = self._rows[int(row["source"])]
            start = int(row["start_at"])
            slot = self._slots[j, start // self._interval_us % self._slots.shape[1]]
            if slot["start_at"] > start:
                continue  # of a time that is out of sight
            for name in _SLOT.names or ():
                slot[name] = row[name]
            self._ends[j] = max(self._ends[j], start + self._interval_us)
        return bool(mine.size)

    def end_of(self, source: int) -> int:
        """Up to which edge anything of a source is known."""
        return int(self._ends[self._rows[source]])

    def between(self, source: int, begin: int, end: int) -> Rows:
        """The slots of [begin, end), edges of intervals; of those without a row start_at is NEVER."""
        places = np.arange(begin, end, self._interval_us) // self._interval_us
        found: Rows = self._slots[self._rows[source]][places % self._slots.shape[1]].copy()
        found["start_at"][found["start_at"] != places * self._interval_us] = NEVER
        return found

    def valid(self, source: int, begin: int, end: int) -> FloatArray:
        """Masses of the intervals of [begin, end) that are valid throughout, kg; NaN of others."""
        slots = self.between(source, begin, end)
        whole = (slots["start_at"] != NEVER) & (slots["valid_us"] == self._interval_us)
        return np.where(whole & (slots["quality"] < Quality.BAD), slots["mass_kg"], np.nan)


class Flows:
    """Flows of sources over windows that end with their last closed interval, t/h."""

    def __init__(self, state: SiteState, subjects: Sequence[PlanSubject]) -> None:
        """For subjects observed as `emission`."""
        self._subjects = subjects
        longest = max(one.window_us or 0 for one in subjects)
        self._masses = Masses(state.plan.interval_us, [one.place for one in subjects], longest)

    def observe(self, moment: Moment, found: Rows) -> None:
        """Mass over covered time."""
        if not self._masses.add(moment.batch.emissions):
            return
        for j, one in enumerate(self._subjects):
            end, window_us = self._masses.end_of(one.place), one.window_us or 0
            if end <= found["to_at"][j]:
                continue
            slots = self._masses.between(one.place, end - window_us, end)
            slots = slots[slots["start_at"] != NEVER]
            hours = int(slots["covered_us"].sum()) / HOUR
            mass_t = math.fsum(slots["mass_kg"]) / 1000
            found[j] = (
                mass_t / hours if hours > 0 else np.nan, 1.0, int(slots["valid_us"].sum()) / window_us,
                int(slots["quality"].max()), int(np.bitwise_or.reduce(slots["reasons"])), end, end - window_us, end,
            )  # fmt: skip


class Residuals:
    """How far measured and calculated accounts differ, in % of the measured one.

    Of intervals in which all sources of both are valid throughout, each moved by its lag; how much
    of the window that is, is the valid share.
    """

    def __init__(self, state: SiteState, subjects: Sequence[PlanSubject]) -> None:
        """For subjects observed as `residual`."""
        plan = state.plan
        self._interval_us = plan.interval_us
        places = {source.id: number for number, source in enumerate(plan.sources)}
        self._accounts = [
            (
                [places[source.id] for source in (entry.measured, *entry.additions)],
                [(places[source.id], lag) for source, lag in entry.calculated],
                one.window_us or 0,
            )
            for one in subjects
            for entry in (plan.reconciliations[one.place],)
        ]
        longest = max(
            window + max(abs(lag) for _, lag in calculated) for _, calculated, window in self._accounts
        )
        used = [
            s for measured, calculated, _ in self._accounts for s in (*measured, *(c for c, _ in calculated))
        ]
        self._masses = Masses(plan.interval_us, used, longest + 2 * plan.interval_us)

    def observe(self, moment: Moment, found: Rows) -> None:
        """Both accounts up to where all of them are known."""
        if not self._masses.add(moment.batch.emissions):
            return
        for j, (measured, calculated, window_us) in enumerate(self._accounts):
            ends = [self._masses.end_of(source) for source in measured]
            ends += [self._masses.end_of(source) - lag for source, lag in calculated]
            end = min(ends) - min(ends) % self._interval_us
            if min(ends) < 0 or end <= found["to_at"][j]:
                continue
            begin = end - window_us
            nothing = np.zeros(window_us // self._interval_us)
            emitted = sum((self._masses.valid(source, begin, end) for source in measured), nothing)
            counted = sum((self._lagging(source, lag, begin, end) for source, lag in calculated), nothing)
            whole = np.isfinite(emitted) & np.isfinite(counted)
            total, other = math.fsum(emitted[whole]), math.fsum(counted[whole])
            value = (total - other) / total * 100 if total > 0 else np.nan
            share = int(whole.sum()) * self._interval_us / window_us
            found[j] = (value, np.nan, share, 0, 0, end, begin, end)

    def _lagging(self, source: int, lag_us: int, begin: int, end: int) -> FloatArray:
        """Masses moved back by the lag, as `aligned` does with hours."""
        beyond = (abs(lag_us) // self._interval_us + 2) * self._interval_us
        wide = self._masses.valid(source, begin, end + beyond)
        return aligned(wide, lag_us / self._interval_us)[: (end - begin) // self._interval_us]
