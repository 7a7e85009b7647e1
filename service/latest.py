"""What ingest knew last: KPI windows at the horizon, and the last commit of each site.

Ingest keeps `kpi_latest` up to date in the transaction that stores the readings,
so this is one short query; staleness is decided when it is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from service.documents import Document, Instant
from service.figures import Figure, LatestRow, latest_figures
from service.live_uncertainty import LiveUncertainty, Shares
from service.plans import SitePlan
from service.store import Connection, rows


class SiteState(Document):
    """How fresh a site's data are."""

    clock: str = Field(description="live, or replay: times are those of recorded data")
    batch_no: int | None = Field(description="The last commit; null: none yet")
    committed_at: Instant | None = Field(description="When ingest committed last")
    watermark: Instant | None = Field(description="Event time up to which nothing more is awaited")


class LatestFigures(Document):
    """Every KPI in each of its live windows."""

    items: list[Figure]
    next: None = None
    sites: dict[str, SiteState] = Field(description="By site id")


@dataclass(frozen=True, slots=True)
class Commit:
    """The last transaction of ingest for a site."""

    batch_no: int
    known_at: int
    watermark: int | None


async def read_rows(
    connection: Connection, site_nos: Sequence[int]
) -> dict[int, dict[tuple[str, int], LatestRow]]:
    """The stored windows of each site by (KPI id, window µs)."""
    found = await rows(
        connection,
        """
        SELECT k.site_no, k.id, l.window_us, l.from_at, l.to_at, l.value, l.reason,
               l.covered_us, l.valid_us, l.substituted_us, l.quality, l.reasons, l.plan_version, l.known_at
          FROM kpi_latest l
          JOIN kpi k USING (kpi_no)
         WHERE k.site_no = ANY(%s)
        """,
        [list(site_nos)],
    )
    of_sites: dict[int, dict[tuple[str, int], LatestRow]] = {site_no: {} for site_no in site_nos}
    for site_no, *values in found:
        latest = LatestRow(*values)
        of_sites[site_no][latest.kpi_id, latest.window_us] = latest
    return of_sites


async def read_commits(connection: Connection, site_nos: Sequence[int]) -> dict[int, Commit]:
    """The last commit of each site that has one."""
    found = await rows(
        connection,
        """
        SELECT s.site_no, c.batch_no, c.known_at, c.watermark
          FROM site s
          JOIN LATERAL (
               SELECT batch_no, known_at, watermark FROM ingest_commit
                WHERE site_no = s.site_no ORDER BY batch_no DESC LIMIT 1
               ) c ON true
         WHERE s.site_no = ANY(%s)
        """,
        [list(site_nos)],
    )
    return {site_no: Commit(*values) for site_no, *values in found}


async def read_shares(
    connection: Connection,
    sites: Sequence[SitePlan],
    found: Mapping[int, Mapping[tuple[str, int], LatestRow]],
    live: LiveUncertainty,
    now: int,
) -> dict[int, Shares]:
    """How sure the windows of each site are."""
    shares = {}
    for site in sites:
        told = {(kpi.id, window_us) for kpi in site.plan.kpis for window_us in kpi.windows_us}
        ends = {key: row.to_at for key, row in found[site.site_no].items() if key in told}
        shares[site.site_no] = await live.of_site(connection, site, ends, now)
    return shares


async def read(
    connection: Connection, sites: Sequence[SitePlan], live: LiveUncertainty, now: int
) -> LatestFigures:
    """All live figures of the sites at the instant `now` (µs)."""
    numbers = [site.site_no for site in sites]
    found = await read_rows(connection, numbers)
    commits = await read_commits(connection, numbers)
    shares = await read_shares(connection, sites, found, live, now)
    return LatestFigures(
        items=[
            figure
            for site in sites
            for figure in latest_figures(site.plan, found[site.site_no], now, shares[site.site_no])
        ],
        sites={site.plan.site: site_state(site, commits.get(site.site_no)) for site in sites},
    )


def site_state(site: SitePlan, commit: Commit | None) -> SiteState:
    """How fresh a site is, from its last commit."""
    if commit is None:
        return SiteState(clock=site.plan.clock, batch_no=None, committed_at=None, watermark=None)
    return SiteState(
        clock=site.plan.clock,
        batch_no=commit.batch_no,
        committed_at=commit.known_at,
        watermark=commit.watermark,
    )
