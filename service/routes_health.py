"""Whether the service runs, whether it can answer, and what it says of itself. No key is needed."""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from ingest.model import SECOND
from service import latest, webhook_metrics
from service.context import Service, service_of
from service.documents import Document, Instant, answer
from service.problems import documented
from service.store import AWAY
from service.tabular import document

router = APIRouter(tags=["health"])


class HealthDocument(Document):
    """The process lives."""

    status: str


class SiteReadiness(Document):
    """What ingest did last for a site."""

    id: str
    clock: str
    commit_age_s: float | None = Field(description="Time since ingest committed last; null: never")
    watermark: Instant | None


class ReadinessDocument(Document):
    """The service can answer."""

    status: str
    database: str
    sites: list[SiteReadiness]


READINESS_EXAMPLE = {
    "status": "ready",
    "database": "reachable",
    "sites": [
        {"id": "cement", "clock": "live", "commit_age_s": 0.4, "watermark": "2026-11-20T07:59:58.500000Z"}
    ],
}


@router.get(
    "/healthz", summary="Is the process alive?", responses=answer(HealthDocument, {"status": "alive"})
)
async def healthz(request: Request) -> Response:
    """Answers as long as the process does; looks at nothing else."""
    return document(request, HealthDocument(status="alive"))


@router.get(
    "/readyz",
    summary="Can the service answer?",
    responses={**answer(ReadinessDocument, READINESS_EXAMPLE), **documented("database-away", "no-schema")},
)
async def readyz(request: Request) -> Response:
    """200 while the database answers, with the age of each site's last commit; 503 while it does not.

    An old commit is no reason to be unready: the service then shows how old the data are.
    """
    sites = await _readiness(service_of(request))
    return document(request, ReadinessDocument(status="ready", database="reachable", sites=sites))


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus' text format; also while the database is away."""
    service = service_of(request)
    try:
        sites = await _readiness(service)
        async with service.store.glance() as connection:
            deliveries = await webhook_metrics.read(connection, service.now())
    except AWAY:
        ages, deliveries = None, None
    else:
        ages = {site.id: site.commit_age_s for site in sites if site.commit_age_s is not None}
    content = service.metrics.exposition(ages, service.store.statistics(), deliveries)
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _readiness(service: Service) -> list[SiteReadiness]:
    async with service.store.glance() as connection:
        sites = await service.plans.all(connection)
        commits = await latest.read_commits(connection, [site.site_no for site in sites])
    found = []
    for site in sites:
        commit = commits.get(site.site_no)
        found.append(
            SiteReadiness(
                id=site.plan.site,
                clock=site.plan.clock,
                commit_age_s=None if commit is None else max(0, service.now() - commit.known_at) / SECOND,
                watermark=None if commit is None else commit.watermark,
            )
        )
    return found
