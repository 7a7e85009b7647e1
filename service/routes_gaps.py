"""Where there was nothing: gaps of a point, and of whole sites."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service import as_of, cursors, gap_pages, gaps, latest
from service.access import Access
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import Service, service_of
from service.documents import answer
from service.gap_pages import AllGapsPage, GapsPage
from service.gaps import Gap
from service.parameters import OfSite, Paged, SpanOf, Tabular, resolved
from service.plans import SitePlan
from service.problems import documented
from service.routes_points import PointId
from service.store import Connection
from service.tabular import Table, instant_text, table

router = APIRouter(tags=["gaps"])

_Key = tuple[int, int, str]
"""0 of an open gap and 1 of another, begin in µs, point: the order of a list."""


class PointGapsAsked(SpanOf, AsOfAsked, Tabular, Paged):
    """Which gaps of a point."""


class GapsAsked(OfSite, SpanOf, AsOfAsked, Tabular, Paged):
    """Which gaps of sites."""


GAP_EXAMPLE: dict[str, Any] = {
    "id": "cement/kiln/clinker",
    "from": "2026-11-20T06:20:00.250000Z",
    "to": "2026-11-20T06:25:00.250000Z",
    "length_s": 300.0,
    "cause": "point",
    "filled": "production",
    "flat_because": None,
    "amount": 17.361,
    "amount_count": 17361,
    "amount_unit": "t",
    "intervals": 6,
    "intervals_from": "2026-11-20T06:20:00Z",
    "intervals_to": "2026-11-20T06:26:00Z",
}
POINT_GAPS_EXAMPLE = {
    "id": "cement/kiln/clinker",
    "from": "2026-11-20T06:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"},
    "items": [GAP_EXAMPLE],
    "next": None,
}
GAPS_EXAMPLE = {
    "as_of": {"cement": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"}},
    "items": [
        {
            "id": "cement/kiln/power",
            "from": "2026-11-20T07:52:10Z",
            "to": None,
            "length_s": 470.0,
            "cause": "unit",
            "filled": "none",
            "flat_because": None,
            "amount": None,
            "amount_count": None,
            "amount_unit": "kWh",
            "intervals": 8,
            "intervals_from": "2026-11-20T07:52:00Z",
            "intervals_to": "2026-11-20T08:00:00Z",
        },
        GAP_EXAMPLE,
    ],
    "next": None,
}


@router.get(
    "/v1/points/{point_id:path}/gaps",
    summary="Where a point has nothing",
    responses={
        **answer(GapsPage, POINT_GAPS_EXAMPLE, csv=True),
        **documented(
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-point",
            "invalid-parameter",
            "too-much-asked",
            "database-away",
        ),
    },
)
async def point_gaps(
    request: Request, access: Reader, point_id: PointId, asked: Annotated[PointGapsAsked, Query()]
) -> Response:
    """Gaps that reach into [from, to), oldest first, each with its own ends to the µs."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, point = await service.plans.point(connection, access, point_id)
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        from_at, to_at = resolved(asked, site.plan, known.at(now), known.watermark)
        places = [site.plan.index[point.id]]
        found = await gaps.find(connection, site.plan, places, from_at, to_at, known)
        after = -1 if asked.cursor is None else cursors.decode(asked.cursor, (cursors.INSTANT,))[0]
        left = [gap for gap in found if gap.from_at > after]
        shown = [(site.plan, gap) for gap in left[: asked.limit]]
        made = await gap_pages.page(connection, shown, {site.plan.site: known})
    if len(left) > asked.limit:
        made.next = cursors.encode([left[asked.limit - 1].from_at])
    made.head = {
        "id": point.id,
        "from": instant_text(from_at),
        "to": instant_text(to_at),
        "as_of": known.document.model_dump(),
    }
    return table(request, made, asked.format, tagged=known.past)


@router.get(
    "/v1/gaps",
    summary="Gaps of all points, open ones first",
    responses={
        **answer(AllGapsPage, GAPS_EXAMPLE, csv=True),
        **documented(
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-site",
            "invalid-parameter",
            "too-much-asked",
            "database-away",
        ),
    },
)
async def all_gaps(request: Request, access: Reader, asked: Annotated[GapsAsked, Query()]) -> Response:
    """Gaps that reach into [from, to), of measured and computed points: open ones, then the others, oldest first."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        made = await table_of(connection, service, access, asked)
    return table(request, made, asked.format, tagged=asked.as_of is not None)


async def table_of(connection: Connection, service: Service, access: Access, asked: GapsAsked) -> Table:
    """What the route of all gaps answers, of the state a connection sees."""
    sites = await service.plans.visible(connection, access, asked.site)
    now = service.now()
    of_sites = await as_of.resolve_all(connection, sites, asked.as_of, now)
    found = list[tuple[_Key, SitePlan, Gap]]()
    for site in sites:
        known = of_sites[site.plan.site]
        from_at, to_at = resolved(asked, site.plan, known.at(now), known.watermark)
        every = range(len(site.plan.points))
        for gap in await gaps.find(connection, site.plan, every, from_at, to_at, known):
            key = (int(gap.to_at is not None), gap.from_at, site.plan.points[gap.point].id)
            found.append((key, site, gap))
    found.sort(key=lambda entry: entry[0])
    begin = _begin(found, asked.cursor)
    shown = found[begin : begin + asked.limit]
    made = await gap_pages.page(connection, [(site.plan, gap) for _, site, gap in shown], of_sites)
    made.head = {"as_of": {name: known.document.model_dump() for name, known in of_sites.items()}}
    if begin + asked.limit < len(found):
        is_closed, from_at, _ = shown[-1][0]
        beside = sum(key[:2] == (is_closed, from_at) for key, _, _ in found[: begin + asked.limit])
        made.next = cursors.encode([is_closed, from_at, beside])
    return made


def _begin(found: list[tuple[_Key, SitePlan, Gap]], cursor: str | None) -> int:
    """Where in a list a page begins: behind so many gaps of one beginning."""
    if cursor is None:
        return 0
    is_closed, from_at, beside = cursors.decode(cursor, (range(2), cursors.INSTANT, range(gaps.MOST_GAPS)))
    before = [key for key, _, _ in found if key[:2] < (is_closed, from_at)]
    return len(before) + int(beside)
