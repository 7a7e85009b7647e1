"""The plan in force of each site, compiled once per version.

Ingest stores an applied plant file as a row of `plan_version`; here it is
compiled by the same code and kept for as long as it is asked for. Nothing is
read from files: the service may run on another machine.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.concurrency import run_in_threadpool

from ingest.errors import PlantError
from ingest.plant import plan_from_body
from ingest.plant.plan import Plan, PlanKpi, PlanPoint, PlanSource
from ingest.plant.plan_reconciliation import PlanReconciliation
from service.access import Access
from service.problems import ProblemError, invalid
from service.store import Connection, row, rows

MOST_EARLIER = 64
"""Plan versions kept that are no longer in force."""


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A site and its plan in force."""

    site_no: int
    plan: Plan


class PlanCache:
    """Plans by site and version."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[int, int], SitePlan] = {}
        self._earlier: dict[tuple[int, int], Plan] = {}

    async def versions(self, connection: Connection, site: SitePlan, asked: Iterable[int]) -> dict[int, Plan]:
        """The plans of the versions that rows of a site name; one that this release cannot read is left out."""
        found = {}
        for version in sorted(set(asked)):
            if version == site.plan.version:
                found[version] = site.plan
                continue
            key = site.site_no, version
            if key not in self._earlier:
                while len(self._earlier) >= MOST_EARLIER:
                    self._earlier.pop(next(iter(self._earlier)))
                try:
                    self._earlier[key] = (await _compile(connection, site.site_no, version)).plan
                except PlantError:
                    continue
            found[version] = self._earlier[key]
        return found

    async def all(self, connection: Connection) -> list[SitePlan]:
        """Every site that has a plan, by id; a plan yet to come is not in force unless it is the only one."""
        found = await rows(
            connection,
            """
            SELECT s.site_no, p.version
              FROM site s
              JOIN LATERAL (
                   SELECT version FROM plan_version
                    WHERE site_no = s.site_no
                    ORDER BY effective_at <= now() DESC, version DESC
                    LIMIT 1
                   ) p ON true
             ORDER BY s.id
            """,
        )
        in_force = {(site_no, version) for site_no, version in found}
        for site_no, version in in_force - self._compiled.keys():
            self._compiled[site_no, version] = await _compile(connection, site_no, version)
        for key in self._compiled.keys() - in_force:
            self._compiled.pop(key, None)
        return [self._compiled[site_no, version] for site_no, version in found]

    async def visible(self, connection: Connection, access: Access, site: str | None) -> list[SitePlan]:
        """The sites a key covers, or the one asked for."""
        if site is not None:
            access.require_site(site)
        plans = [found for found in await self.all(connection) if access.covers(found.plan.site)]
        if site is None:
            return plans
        chosen = [found for found in plans if found.plan.site == site]
        if not chosen:
            raise ProblemError("unknown-site", f"There is no site {site!r}.")
        return chosen

    async def only(self, connection: Connection, access: Access, site: str | None) -> SitePlan:
        """The site asked for, or the only one a key covers.

        Raises:
            ProblemError: there are several, and none was named.
        """
        sites = await self.visible(connection, access, site)
        if len(sites) != 1:
            names = " or ".join(one.plan.site for one in sites) or "a site the key covers"
            raise invalid("Query parameter", "site", "", f"one of them: {names}")
        return sites[0]

    async def point(
        self, connection: Connection, access: Access, point_id: str
    ) -> tuple[SitePlan, PlanPoint]:
        """The point of a full id."""
        site = await self._of_id(connection, access, point_id)
        if site is None or point_id not in site.plan.index:
            raise ProblemError("unknown-point", f"There is no point {point_id!r}.")
        return site, site.plan.points[site.plan.index[point_id]]

    async def kpi(self, connection: Connection, access: Access, kpi_id: str) -> tuple[SitePlan, PlanKpi]:
        """The KPI of a full id."""
        site = await self._of_id(connection, access, kpi_id)
        for kpi in site.plan.kpis if site else ():
            if site and kpi.id == kpi_id:
                return site, kpi
        raise ProblemError("unknown-kpi", f"There is no KPI {kpi_id!r}.")

    async def reconciliation(
        self, connection: Connection, access: Access, full_id: str
    ) -> tuple[SitePlan, PlanReconciliation]:
        """The reconciliation of a full id."""
        site = await self._of_id(connection, access, full_id)
        for found in site.plan.reconciliations if site else ():
            if site and found.id == full_id:
                return site, found
        raise ProblemError("unknown-reconciliation", f"There is no reconciliation {full_id!r}.")

    async def source(
        self, connection: Connection, access: Access, source_id: str
    ) -> tuple[SitePlan, PlanSource]:
        """The emission source of a full id."""
        site = await self._of_id(connection, access, source_id)
        for source in site.plan.sources if site else ():
            if site and source.id == source_id:
                return site, source
        raise ProblemError("unknown-source", f"There is no source {source_id!r}.")

    async def instrument(self, connection: Connection, access: Access, instrument_id: str) -> SitePlan:
        """The site of an instrument's full id."""
        site = await self._of_id(connection, access, instrument_id)
        for instrument in site.plan.file.instruments if site else ():
            if site and f"{site.plan.site}/{instrument.id}" == instrument_id:
                return site
        raise ProblemError("unknown-instrument", f"There is no instrument {instrument_id!r}.")

    async def _of_id(self, connection: Connection, access: Access, full_id: str) -> SitePlan | None:
        """The site an id begins with; the key is checked before anything is looked up."""
        name = full_id.partition("/")[0]
        access.require_site(name)
        plans = await self.all(connection)
        return next((found for found in plans if found.plan.site == name), None)


async def _compile(connection: Connection, site_no: int, version: int) -> SitePlan:
    found = await row(
        connection,
        "SELECT body FROM plan_version WHERE site_no = %s AND version = %s",
        [site_no, version],
    )
    assert found is not None
    # In a thread: units cost milliseconds per point the first time; see `live_uncertainty` for whose thread.
    plan = await run_in_threadpool(plan_from_body, found[0], version)
    return SitePlan(site_no, plan)
