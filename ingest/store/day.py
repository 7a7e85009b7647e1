"""One day of a site in one snapshot, as a replay looks at it: what is in force, and what may be compared."""

from dataclasses import dataclass

from psycopg import AsyncCursor

from ingest.model import HOUR, NEVER
from ingest.pipeline.batch import Rows
from ingest.store.figures import Kept
from ingest.store.recompared import Recompared
from ingest.store.versions import Edition, InForce


@dataclass(slots=True)
class Day:
    """One day in one snapshot."""

    cursor: AsyncCursor
    begin: int
    end: int
    whole: bool
    forces: InForce
    closed_until: dict[int, int]
    """Frontiers when the replay began: up to here is compared."""
    closed_since: dict[int, int]
    """Frontiers now: from there on nothing may be closed."""
    editions: dict[int, Edition]
    """Versions that made something in it, and the newest."""
    kept: Kept
    recompared: Recompared

    def settled(self, stored: Rows, number: int) -> Rows:
        """Stored intervals of a point without those that were closed since the replay began."""
        at = stored["start_at"]
        return stored[
            (at < self.closed_until.get(number, NEVER)) | (at >= self.closed_since.get(number, NEVER))
        ]

    def unmoved(self, number: int) -> bool:
        """Whether nothing of the point was closed in the day since the replay began."""
        until = self.closed_until.get(number, NEVER)
        return until >= self.end or until == self.closed_since.get(number, NEVER)

    def whole_hours(self, hours: Rows, number: int) -> Rows:
        """The hours in the day all of whose closed intervals have been looked at."""
        ends = hours["start_at"] + HOUR
        inside = (hours["start_at"] >= self.begin) & (ends <= self.end)
        return hours[inside & (self.unmoved(number) | (ends <= self.closed_until.get(number, NEVER)))]
