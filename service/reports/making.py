"""A report of a period, made of the state that one connection sees."""

from typing import Any

from service import as_of, latest
from service.access import Access
from service.context import Service
from service.frontiers import closed_until
from service.inventory import FactorUsed, Potentials
from service.periods import Basis
from service.plans import SitePlan
from service.problems import invalid
from service.reports import current, sealed
from service.reports.current import Asked
from service.reports.document import UNCERTAINTY, Method, Report
from service.reports.spans import Kind, span_of
from service.store import Connection


async def report(
    service: Service,
    connection: Connection,
    access: Access,
    site: SitePlan,
    kind: Kind,
    period: str,
    basis: Basis,
    edition: int | None,
) -> Report:
    """The report.

    Raises:
        ProblemError: no such period, none of it has come yet, or it is not sealed.
    """
    plan, now = site.plan, service.now()
    span = span_of(kind, period, plan.file.calendar, plan.zone)
    commits = await latest.read_commits(connection, [site.site_no])
    known = await as_of.resolve(connection, site, None, commits.get(site.site_no), now)
    watermark = 0 if known.watermark is None else known.watermark
    until = min(span[1], watermark)
    until -= (until - span[0]) % plan.interval_us
    if until <= span[0]:
        raise invalid("Query parameter", "period", period, "a period of which there are data")
    asked = Asked(service, connection, access, site, known, span[0], until, now)
    edited = await sealed.edition_of(connection, site, span, edition) if basis == "sealed" else None
    if edited is None:
        blocks = await current.blocks(asked)
    else:
        blocks = [*await sealed.blocks(asked, edited), *await current.beside(asked)]
    return Report(
        site=plan.site,
        name=plan.file.name or plan.site,
        kind=kind,
        period=period,
        basis=basis,
        time_zone=plan.zone.key,
        from_=span[0],
        to=span[1],
        until=until,
        provisional=until < span[1] or await _is_open(asked),
        made_at=now,
        as_of=known.document,
        sealed=edited,
        method=await _method(asked),
        blocks=blocks,
    )


async def _is_open(asked: Asked) -> bool:
    """Whether a meter waits for its next reading, and holds back what rests on it."""
    points = range(len(asked.site.plan.points))
    closed = await closed_until(asked.connection, asked.site.plan, points, asked.known)
    return any(at < asked.until for at in closed.values())


async def _method(asked: Asked) -> Method:
    plan = asked.site.plan
    by_source = await current.inventory(asked, "inventory", "source")
    head: dict[str, Any] = by_source.head
    return Method(
        plan_version=plan.version,
        gwp=Potentials.of(plan, None).name,
        methods=sorted({item["method"] for item in by_source.items}),
        factors=[FactorUsed(**factor) for factor in head.get("factors", [])],
        boundaries=head.get("boundaries", []),
        uncertainty=UNCERTAINTY,
    )
