"""Measured against calculated: what is compared, and what it comes to."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from service import as_of, latest, reconciliations
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import service_of
from service.documents import answer
from service.parameters import SpanOf, resolved
from service.problems import documented
from service.reconciliations import ReconciliationDocument
from service.tabular import document

router = APIRouter(tags=["figures"])

ReconciliationId = Annotated[str, Path(max_length=500, description="Full id: site/…")]


class ReconciliationAsked(SpanOf, AsOfAsked):
    """Over which span."""


RECONCILIATION_EXAMPLE = {
    "id": "cement/kiln-stack",
    "name": "Main stack against fuel and raw materials",
    "site": "cement",
    "gas": "co2",
    "from": "2026-11-19T08:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "hours": 24,
    "valid_hours": 23,
    "measured_kg": 3708658.0,
    "calculated_kg": 3708658.0,
    "difference_kg": 0.0,
    "difference_percent": 0.0,
    "uncertainty": {
        "u": 119876.0, "U": 239752.0, "k": 2.0, "percent": None, "random_u": 35788.0,
        "dominant": [{"source": "instrument stack-velocity", "u": 92716.0, "share": 0.598}], "reason": None,
    },
    "bias": {"verdict": "within", "limit_kg": 239752.0, "limit_percent": 6.46, "reason": None},
    "change": {
        "verdict": "within",
        "windows": [
            {"to": "2026-11-20T08:00:00Z", "change_kg_per_h": 120.0, "limit_kg_per_h": 3490.0, "is_beyond": False}
        ],
        "reason": None,
    },
    "composition": {
        "residuals": [{"name": "flow", "percent": -5.0, "u_percent": 2.1, "score": -2.4}],
        "likely": ["flow", "leak"],
        "verdict": "flow or leak",
        "reason": None,
    },
    "methods": [],
    "plan_version": 1,
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"},
}  # fmt: skip


@router.get(
    "/v1/reconciliations/{reconciliation_id:path}",
    summary="A measured account against the calculated one",
    responses={
        **answer(ReconciliationDocument, RECONCILIATION_EXAMPLE),
        **documented(
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-reconciliation",
            "invalid-parameter",
            "too-much-asked",
            "database-away",
        ),
    },
)
async def reconciled(
    request: Request,
    access: Reader,
    reconciliation_id: ReconciliationId,
    asked: Annotated[ReconciliationAsked, Query()],
) -> Response:
    """Both accounts over the whole hours of [from, to) that are valid in each, and what their difference says.

    The bias test is of the span asked for, the change test of the three days before its end.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, plan = await service.plans.reconciliation(connection, access, reconciliation_id)
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        from_at, to_at = resolved(asked, site.plan, known.at(now), known.watermark)
        data = await reconciliations.read_data(connection, service.plans, site, plan, from_at, to_at, known)
    return document(request, await reconciliations.reconciliation(site, plan, data), tagged=known.past)
