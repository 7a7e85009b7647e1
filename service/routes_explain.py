"""Why a figure is what it is."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service import as_of, explained, latest
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import service_of
from service.documents import Instant, answer
from service.explained import Kind
from service.explaining import Explanation, Step, Wanted
from service.inventory import GroupBy
from service.parameters import Paged, SpanOf, resolved
from service.problems import documented
from service.tabular import document

router = APIRouter(tags=["figures"])


class ExplainAsked(SpanOf, AsOfAsked, Paged):
    """Which figure, as the route that tells it names it."""

    kind: Kind = Field(
        description="kpi: a window of /v1/kpis/{id}/series; emission: a line of /v1/emissions;"
        " amount: of /v1/points/{id}/intervals",
        examples=["kpi"],
    )
    id: str = Field(
        max_length=500,
        description="Full id of the KPI or point; of an emission a source that the line holds",
        examples=["cement/electricity-intensity"],
    )
    group_by: GroupBy = Field("source", description="Of an emission: how the lines were grouped")
    step: Step = Field("interval", description="Of an amount: interval, hour or day")
    at: Instant | None = Field(None, description="Begin of a row: with the readings that it is folded from")


EXAMPLE: dict[str, Any] = {
    "kind": "kpi",
    "figure": {
        "id": "cement/electricity-intensity",
        "unit": "kWh/t",
        "from": "2026-11-20T07:59:00Z",
        "to": "2026-11-20T08:00:00Z",
        "value": 55.00816326530612,
        "count": None,
        "reason": None,
        "quality": "good",
        "reasons": [],
        "valid_share": 1.0,
        "substituted_share": 0.0,
        "revision": 2,
        "plan_version": 1,
        "known_at": "2026-11-20T08:04:05Z",
    },
    "method": "value = a / b; without b > 0 there is none",
    "arithmetic": [
        "a, b: the sum of `values.a` (b) of all rows, exact and rounded once to the nearest float64"
    ],
    "sums": {"a": 191.0, "b": 3.4722},
    "parameters": {"interval_us": 60000000, "block_us": None, "phase_us": 0, "covered_us": 60000000},
    "terms": [
        {
            "plan_version": 1,
            "row": "cement/electricity-intensity",
            "side": "a",
            "point": "cement/substation/energy",
            "factor_point": None,
            "weight": 1.0,
            "steps": [],
            "unit": "kWh",
            "factors": [],
        }
    ],
    "factors": [],
    "points": [],
    "gaps": [],
    "changes": [
        {
            "of": "cement/substation/energy",
            "from": "2026-11-20T07:59:00Z",
            "to": "2026-11-20T07:59:00Z",
            "rows": 1,
            "batch_no": 815,
            "cause": "late",
            "known_at": "2026-11-20T08:04:05Z",
        }
    ],
    "batches": [
        {"batch_no": 815, "known_at": "2026-11-20T08:04:05Z", "leaf": "1f" * 32, "hour": None, "root": None}
    ],
    "readings": [],
    "plan_versions": [{"version": 1, "effective_at": "2026-11-01T00:00:00Z", "digest": "2e" * 32}],
    "kernels": "3d" * 32,
    "as_of": {"batch_no": 815, "known_at": "2026-11-20T08:04:05Z"},
    "rows": 1,
    "items": [],
    "next": None,
}


@router.get(
    "/v1/explain",
    summary="A figure level by level, down to readings",
    responses={
        **answer(Explanation, EXAMPLE),
        **documented(
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-site",
            "unknown-kpi",
            "unknown-point",
            "unknown-source",
            "invalid-parameter",
            "not-explained",
            "too-much-asked",
            "database-away",
        ),
    },
)
async def explain(request: Request, access: Reader, asked: Annotated[ExplainAsked, Query()]) -> Response:
    """What a figure over [from, to) is made of, with numbers enough to make it again, to the last bit.

    Rows come in pages; asked with `as_of` of the first answer, all pages are of one state. Only closed time is
    explained: what a live window holds of an open interval is overwritten. Sealed figures, hours of a regime, projected
    demands and costs are answered by a sentence that says what to ask instead.
    """
    service = service_of(request)
    site_id = asked.id.partition("/")[0]
    access.require_site(site_id)
    async with service.store.snapshot() as connection:
        (site,) = await service.plans.visible(connection, access, site_id)
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        from_at, to_at = resolved(asked, site.plan, known.at(now), known.watermark)
        wanted = Wanted(
            asked.id, from_at, to_at, asked.group_by, asked.step, asked.at, asked.limit, asked.cursor
        )
        found = await explained.explanation(connection, service.plans, site, asked.kind, wanted, known)
    return document(request, found, tagged=known.past)
