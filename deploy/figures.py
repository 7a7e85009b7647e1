"""What the terminal shows of a running stack: one line per site.

Rates come from what has been committed, figures from the HTTP API that
everybody else uses. A figure that has no value shows its reason. Nothing is
computed here but a difference of two counts.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

import psycopg

from deploy.probe import get
from deploy.state import Endpoints

_RATE_OVER_S = 10.0  # a plant that sends every 5 s would flicker between nothing and a burst

COLUMNS = {"kW": "kW", "kWh/t": "kWh/t", "t/h": "tCO2/h", "t/t": "tCO2/t"}
"""Units of figures, and what they are called here: rates and ratios in t are of CO2."""


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site at one moment."""

    site: str
    readings_per_s: float | None
    data_age_s: float | None
    figures: Mapping[str, str]
    """Text by unit of COLUMNS."""


class CommittedReadings:
    """How many readings a second are committed, per site, over the last looks."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._newest: dict[str, int] = {}
        self._looks: dict[str, deque[tuple[float, int]]] = {}

    def rates(self, now: float) -> dict[str, float]:
        """Readings/s by site, `now` in monotonic seconds; nothing at the first look or without database."""
        try:
            with psycopg.connect(self._dsn, autocommit=True, connect_timeout=3) as connection:
                sites = connection.execute("SELECT id, site_no FROM site").fetchall()
                added = {site: self._added(connection, site, number) for site, number in sites}
        except psycopg.OperationalError:
            return {}
        return {site: rate for site, n in added.items() if (rate := self._rate(site, now, n)) is not None}

    def _added(self, connection: psycopg.Connection, site: str, number: int) -> int:
        """Readings of the batches committed since the last look; nothing is counted at the first."""
        row = connection.execute(
            """
            SELECT (SELECT coalesce(max(batch_no), -1) FROM ingest_commit WHERE site_no = %(site)s),
                   (SELECT coalesce(sum(readings), 0) FROM ingest_commit
                     WHERE site_no = %(site)s AND batch_no > %(batch)s)
            """,
            {"site": number, "batch": self._newest.get(site, 2**62)},
        ).fetchone()
        newest, added = row or (-1, 0)
        self._newest[site] = newest
        return int(added)

    def _rate(self, site: str, now: float, added: int) -> float | None:
        looks = self._looks.setdefault(site, deque())
        looks.append((now, added))
        while looks[-1][0] - looks[0][0] > _RATE_OVER_S:
            looks.popleft()
        span = now - looks[0][0]
        return sum(n for _, n in islice(looks, 1, None)) / span if span > 0 else None


def latest(endpoints: Endpoints, site: str) -> list[dict[str, Any]]:
    """The site's newest figures; none while the service is away."""
    path = f"/v1/kpis/latest?site={quote(site)}"
    answer = get(endpoints.host, endpoints.http, path, endpoints.key)
    if answer is None or not isinstance(answer.body, dict):
        return []
    items = answer.body.get("items", [])
    return [item for item in items if isinstance(item, dict)]


def site_line(site: str, rate: float | None, items: Sequence[Mapping[str, Any]]) -> SiteLine:
    """What to show: of each unit the first figure, in the plant's order, that has a value."""
    figures: dict[str, str] = {}
    for unit in COLUMNS:
        of_unit = [item for item in items if item.get("unit") == unit]
        valued = [item for item in of_unit if item.get("value") is not None]
        if valued:
            figures[unit] = f"{valued[0]['value']:.2f}"
        elif of_unit:
            figures[unit] = str(of_unit[0].get("reason") or "no value")
    ages = [item["data_age_s"] for item in items if item.get("data_age_s") is not None]
    return SiteLine(site, rate, min(ages) if ages else None, figures)
