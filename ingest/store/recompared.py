"""Verdicts on compared points that follow from replayed intervals.

An hour is compared under the version that its stored verdict names; where there is none, under
the newer of those in force at the two points at its end, as ingest does it. What was
not settled when the replay began is taken as it is stored: see `ingest.store.replay`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from psycopg import AsyncCursor

from ingest.model import HOUR, NEVER
from ingest.pipeline import drift
from ingest.pipeline.batch import BoolArray, IntArray, Rows
from ingest.pipeline.drift import COMPARISON_ROW, Verdict
from ingest.plant.plan import PlanComparison
from ingest.store.mismatch import Mismatch, Tally
from ingest.store.stored import COMPARISONS
from ingest.store.versions import Edition, InForce

Folded = Callable[[int], Awaitable[Rows]]
"""Replayed intervals of a point (number), from two hours before the day to its end."""


@dataclass(slots=True)
class Recompared:
    """The hours whose verdicts matter to one day."""

    editions: Mapping[int, Edition]
    forces: InForce
    closed_until: Mapping[int, int]
    """Frontiers when the replay began, by number."""
    drifted: dict[int, set[int]] = field(default_factory=dict)
    """By number, the hours in which a point had drifted."""

    @property
    def points(self) -> set[int]:
        """Numbers of the points that some version compares."""
        return {
            int(edition.numbers.points[compared.point])
            for edition in self.editions.values()
            for compared in edition.plan.comparisons
        }

    def tell(self, edition: Edition) -> None:
        """Let an edition fold by these verdicts."""
        for compared in edition.plan.comparisons:
            number = int(edition.numbers.points[compared.point])
            edition.state.drifted[compared.point] = self.drifted.get(number, set())

    async def mismatches(
        self,
        cursor: AsyncCursor,
        begin: int,
        end: int,
        folded: Folded,
        looked_at: Mapping[int, str],
        tally: Tally,
    ) -> list[Mismatch | None]:
        """Make all verdicts that matter to [begin, end) µs; of points looked at, what of them is stored otherwise."""
        first, found = begin - begin % HOUR - HOUR, list[Mismatch | None]()
        for number in sorted(self.points):
            stored = await COMPARISONS.fetch(cursor, number, first, end - HOUR + 1)
            made, version, kept = await self.point(number, stored, end, folded)
            if number in looked_at:
                mine, theirs = (rows["start_at"] + HOUR > begin for rows in (made, kept))
                tally.compared[COMPARISONS.name] += int(mine.sum())
                name = looked_at[number]
                found.append(Mismatch.of(COMPARISONS, number, name, made[mine], version[mine], kept[theirs]))
        return found

    async def point(self, number: int, stored: Rows, end: int, folded: Folded) -> tuple[Rows, IntArray, Rows]:
        """(verdicts of the hours of a point that end by `end`, version of each, stored ones to set beside them)."""
        parts, versions = [np.zeros(0, COMPARISON_ROW)], [np.zeros(0, np.int64)]
        until = np.full(stored.size, self.closed_until.get(number, NEVER))
        taken = np.zeros(0, np.int64)
        own = await folded(number)
        for version, edition, compared in sorted(self._uses(number), key=lambda use: -use[0]):
            other = int(edition.numbers.points[compared.other])
            closed = min(self.closed_until.get(one, NEVER) for one in (number, other))
            named = stored["plan_version"] == version
            until[named] = closed
            rows = drift.verdicts(edition.plan, compared, own, await folded(other))
            rows = rows[rows["start_at"] + HOUR <= min(closed, end)]
            rows = rows[self._made_by(version, edition, number, other, rows["start_at"], stored, taken)]
            taken = np.concatenate([taken, rows["start_at"]])
            parts.append(rows)
            versions.append(np.full(rows.size, version))
        made, version_of = np.concatenate(parts), np.concatenate(versions)
        order = np.argsort(made["start_at"])
        settled = stored["start_at"] + HOUR <= until
        self.drifted[number] = {
            *made["start_at"][made["verdict"] == Verdict.DRIFTED].tolist(),
            *stored["start_at"][~settled & (stored["verdict"] == Verdict.DRIFTED)].tolist(),
        }
        return made[order], version_of[order], stored[settled]

    def _uses(self, number: int) -> list[tuple[int, Edition, PlanComparison]]:
        """The versions that compare a point."""
        return [
            (version, edition, compared)
            for version, edition in self.editions.items()
            for compared in edition.plan.comparisons
            if edition.numbers.points[compared.point] == number
        ]

    def _made_by(
        self,
        version: int,
        edition: Edition,
        number: int,
        other: int,
        hours: IntArray,
        stored: Rows,
        taken: IntArray,
    ) -> BoolArray:
        """Which of the hours a version has compared."""
        last = hours + HOUR - edition.plan.interval_us
        in_hand = np.maximum(self.forces.at(number, last), self.forces.at(other, last))
        known = stored[np.isin(stored["plan_version"], [use[0] for use in self._uses(number)])]
        named = np.isin(hours, known["start_at"][known["plan_version"] == version])
        unnamed = ~np.isin(hours, known["start_at"]) & ~np.isin(hours, taken)
        found: BoolArray = named | (unnamed & (in_hand == version))
        return found
