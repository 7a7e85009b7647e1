"""What the terminal shows of a running stack: one line per site.

Rates come from what has been committed, figures from the HTTP API that
everybody else uses. A figure that has no value shows its reason. Nothing is
computed here but a difference of two counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg

from deploy.probe import get
from deploy.state import Endpoints

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
    """How many readings a second are committed, per site, since the last look."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._seen: dict[str, tuple[float, int]] = {}

    def rates(self, now: float) -> dict[str, float]:
        """Readings/s by site, `now` in monotonic seconds; nothing at the first look or without database."""
        try:
            with psycopg.connect(self._dsn, autocommit=True, connect_timeout=3) as connection:
                sites = connection.execute("SELECT id, site_no FROM site").fetchall()
                rates = {site: self._rate(connection, site, number, now) for site, number in sites}
        except psycopg.OperationalError:
            return {}
        return {site: rate for site, rate in rates.items() if rate is not None}

    def _rate(self, connection: psycopg.Connection, site: str, number: int, now: float) -> float | None:
        seen = self._seen.get(site)
        since, batch = seen or (now, 2**63 - 1)
        row = connection.execute(
            """
            SELECT (SELECT max(batch_no) FROM ingest_commit WHERE site_no = %(site)s),
                   (SELECT sum(readings) FROM ingest_commit WHERE site_no = %(site)s AND batch_no > %(batch)s)
            """,
            {"site": number, "batch": batch},
        ).fetchone()
        newest, added = row or (None, None)
        self._seen[site] = (now, -1 if newest is None else newest)
        return None if seen is None or now <= since else float(added or 0) / (now - since)


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
