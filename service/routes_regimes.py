"""The hours of measured sources by their regimes."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from service import as_of, latest, regime_hours, regime_tables
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import service_of
from service.documents import answer
from service.parameters import Paged, SpanOf, Tabular, resolved
from service.problems import ProblemError, documented
from service.regime_hours import RegimeHoursPage
from service.tabular import chosen_format, document, table

router = APIRouter(tags=["figures"])

SourceId = Annotated[
    str, Path(max_length=500, description="Full id, slashes as they are: site/unit/…/source")
]


class HoursAsked(SpanOf, AsOfAsked, Tabular, Paged):
    """Which hours."""


EXAMPLE: dict[str, Any] = {
    "id": "cement/kiln/stack",
    "rule": "part75",
    "title": "40 CFR Part 75",
    "equation": "40cfr75.f-11",
    "trust": "unconfirmed",
    "unconfirmed": ["part75.concentration: at_end"],
    "label": None,
    "utc_offset_h": -5.0,
    "rate_unit": "short_ton/h",
    "from": "2026-11-20T07:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "hours": 1,
    "without_mass": 0,
    "sum_kg": 55846.3,
    "reported_sum": 61.6,
    "reported_unit": "short_ton",
    "substituted": {
        "hours": 1,
        "mass_kg": 55846.3,
        "bias_conservative_kg": 2585.5,
        "u_kg": 1447.9,
        "reason": None,
    },
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"},
    "items": [
        {
            "from": "2026-11-20T07:00:00Z",
            "to": "2026-11-20T08:00:00Z",
            "mass_kg": 55846.3,
            "rate": 61.56,
            "reported_rate": 61.6,
            "operating_h": 1.0,
            "quality": "substituted",
            "bias_conservative_kg": 2585.5,
            "u_kg": 1447.9,
            "provisional": False,
            "reasons": [],
            "components": [
                {
                    "name": "concentration",
                    "value": 10.8,
                    "reported": 10.8,
                    "unit": "%",
                    "code": 8,
                    "meaning": "90th percentile of the look-back",
                    "state": "replaced",
                    "provisional": False,
                    "availability_pct": 96.4,
                    "gap_h": 30,
                    "rests_on": 720,
                    "valid": False,
                    "out_of_control": False,
                    "conditional": False,
                    "best_estimate": 10.3,
                    "bias_conservative": 0.5,
                    "u": 0.28,
                }
            ],
            "revision": 3,
            "cause": "closing",
            "plan_version": 1,
            "batch_no": 812,
            "known_at": "2026-11-20T08:00:04.010000Z",
        }
    ],
    "next": None,
}


@router.get(
    "/v1/sources/{source_id:path}/hours",
    summary="A measured source hour by hour, by the rule of its regime",
    responses={
        **answer(RegimeHoursPage, EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-source", "invalid-parameter", "database-away"
        ),
    },
)
async def hours(
    request: Request, access: Reader, source_id: SourceId, asked: Annotated[HoursAsked, Query()]
) -> Response:
    """Hours that begin in [from, to), oldest first, each with what stands for every quantity and why.

    An account beside the mass of `/v1/emissions`, which is the integral of what was measured; they are
    never added. A substitute of a regime may overstate on purpose.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, source = await service.plans.source(connection, access, source_id)
        if source.regime is None:
            raise ProblemError("unknown-source", f"Source {source_id!r} names no regime.")
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        span = resolved(asked, site.plan, known.at(now), known.watermark)
        page = await regime_hours.page(connection, site.plan, source, span, asked.limit, asked.cursor, known)
    if chosen_format(request, asked.format) == "csv":
        return table(request, regime_tables.as_table(page), "csv", tagged=known.past)
    return document(request, page, tagged=known.past)
