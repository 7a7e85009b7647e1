"""A mill with alert rules, its ingest on a real database, and a clock that follows what it is told."""

from typing import Any

import psycopg

from ingest.site import SiteIngest
from ingest.store import alert_acts
from tests.ingest.feeding import PLANT, SECOND, START, Clock, feed, message, open_site

RULES = """
alerts:
  - {id: high, point: line/power, above: 800, hold: 1min, advice: Look at the mill}
  - {id: load, kpi: line/load, window: 5min, above: 500, severity: critical}
  - {id: dead, point: line/setpoint, silent_for: 10min}
"""


class Told:
    """A mill whose clock follows what it is told."""

    def __init__(self, dsn: str, rules: str = RULES, clock: str = "live") -> None:
        self._dsn = dsn
        self._text = PLANT.replace("clock: live", f"clock: {clock}") + rules
        self.clock = Clock()

    async def begin(self) -> SiteIngest:
        self.ingest = await open_site(self._dsn, self._text, self.clock)
        return self.ingest

    async def power(self, seconds: int, value: float, *, now: int | None = None) -> None:
        at = START + seconds * SECOND
        self.clock.at = at if now is None else START + now * SECOND
        await feed(self.ingest, [message("line/power", at, value, received_at=self.clock.at)])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    def events(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT type, split_part(id, '.', 2), historical FROM event ORDER BY event_no")

    async def heed(self) -> int:
        """Let ingest take up what people have done; how much it was."""
        acts = await alert_acts.waiting(await self.ingest.connection(), 1, 60)
        if acts.inbox:
            await self.ingest.heed(acts)
        return len(acts.inbox)
