"""A plant's chain of stages, and what its products carry."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from service import as_of, latest, stages
from service.access import Access
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import Service, service_of
from service.documents import answer
from service.parameters import OfSite, SpanOf, resolved
from service.problems import ProblemError, documented
from service.stage_documents import ProductFootprintDocument, StagesDocument
from service.stage_rows import read_rows
from service.tabular import document

router = APIRouter(tags=["figures"])

ProductId = Annotated[str, Path(max_length=100, description="A product of the plant file")]


class StagesAsked(SpanOf, OfSite, AsOfAsked):
    """Of which site and span, as known when."""


_LINE = {"scope": 1, "gas": "co2", "basis": None, "supply": None, "mass_kg": 1000.0, "co2e_kg": 1000.0}
_STAGE: dict[str, Any] = {
    "id": "clinker",
    "name": "Clinker",
    "own": [_LINE],
    "own_co2e_kg": 1000.0,
    "bought_co2e_kg": 0.0,
    "inputs": [],
    "without_production_co2e_kg": 0.0,
    "uncounted_co2e_kg": 0.0,
    "outputs": [
        {
            "product": "clinker",
            "unit": "t",
            "quantity": 2.0,
            "co2e_kg": 1000.0,
            "left_quantity": 1.0,
            "left_co2e_kg": 500.0,
            "stock_before": 0.0,
            "stock_before_co2e_kg": 0.0,
            "stock_after": 1.0,
            "stock_after_co2e_kg": 500.0,
            "reasons": [],
        }
    ],
}
_HEAD: dict[str, Any] = {"site": "cement", "from": "2026-11-19T16:00:00Z", "to": "2026-11-20T16:00:00Z"}
_FOOT: dict[str, Any] = {
    "plan_version": 1,
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T16:00:04.010000Z"},
}
_STAGES = {
    **_HEAD,
    "books_begin": "2026-11-19T16:00:00Z",
    "stages": [_STAGE],
    "outside": [],
    "totals": [_LINE],
    "balance": {
        "opening": 0.0,
        "own": 1000.0,
        "bought": 0.0,
        "left": 500.0,
        "stock": 500.0,
        "without_production": 0.0,
        "uncounted": 0.0,
        "difference": 0.0,
    },
    **_FOOT,
}
_PRODUCT = {
    "id": "clinker",
    **_HEAD,
    "value": 0.5,
    "unit": "t/t",
    "reasons": [],
    "quantity": 2.0,
    "co2e_kg": 1000.0,
    "stages": [_STAGE],
    **_FOOT,
}
_PROBLEMS = (
    *("no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter"),
    *("too-much-asked", "database-away"),
)


@router.get(
    "/v1/stages",
    summary="What each stage emitted, took over and passed on",
    responses={**answer(StagesDocument, _STAGES), **documented(*_PROBLEMS)},
)
async def chain(request: Request, access: Reader, asked: Annotated[StagesAsked, Query()]) -> Response:
    """The stages of a site over [from, to), day by day since its books began, and their balance.

    Own emissions of the stages and those outside add up to the lines of /v1/emissions that are calculated, gross
    and told by meters. What stages carry is CO2e; location-based where the plan has both.
    """
    found = await _walked(service_of(request), access, asked, None)
    return document(request, stages.chain_document(found), tagged=found.known.past)


@router.get(
    "/v1/products/{product_id}/footprint",
    summary="What a unit of a product carries",
    responses={**answer(ProductFootprintDocument, _PRODUCT), **documented(*_PROBLEMS, "unknown-product")},
)
async def carried(
    request: Request, access: Reader, product_id: ProductId, asked: Annotated[StagesAsked, Query()]
) -> Response:
    """T CO2e per unit of what was made of a product in [from, to), with its stage and all upstream.

    null with reasons where a count, a mass, a factor or a stock it rests on is not known.
    """
    found = await _walked(service_of(request), access, asked, product_id)
    return document(request, stages.product_document(found, product_id), tagged=found.known.past)


async def _walked(
    service: Service, access: Access, asked: StagesAsked, product_id: str | None
) -> stages.Chain:
    async with service.store.snapshot() as connection:
        site = await service.plans.only(connection, access, asked.site)
        if product_id is not None and product_id not in site.plan.stages.products:
            raise ProblemError("unknown-product", f"No stage of {site.plan.site} makes {product_id!r}.")
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        from_at, to_at = resolved(asked, site.plan, known.at(now), known.watermark)
        rows = await read_rows(connection, service.plans, site, from_at, to_at, known)
    return stages.walked(site.plan, rows, known)
