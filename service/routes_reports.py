"""Reports of shifts, days, months and years."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from service.auth import Reader
from service.context import service_of
from service.documents import answer
from service.parameters import OfSite
from service.periods import Basis
from service.problems import documented, invalid
from service.reports import making
from service.reports.document import Report
from service.reports.forms import csv_of, xlsx_of
from service.reports.page import Language, page_of
from service.reports.spans import Kind
from service.tabular import document

router = APIRouter(tags=["periods"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FRESH = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


class ReportAsked(OfSite):
    """Which report."""

    period: str = Field(
        max_length=100,
        description="By the plant's calendar: 2026-11-20/early, 2026-11-20, 2026-11 or 2026",
        examples=["2026-11-20"],
    )
    basis: Basis = Field(
        "current", description="current: as it is now; sealed: as frozen, with what came since"
    )
    edition: int | None = Field(None, ge=1, lt=2**31, description="Of a sealed period; default: the newest")
    format: Literal["json", "csv", "xlsx", "html"] = Field("json", description="html: a page to be printed")
    lang: Language = Field("en", description="Of the printed page")


REPORT_EXAMPLE: dict[str, Any] = {
    "site": "cement",
    "name": "Cement line 1",
    "kind": "day",
    "period": "2026-11-20",
    "basis": "current",
    "time_zone": "Asia/Shanghai",
    "from": "2026-11-19T16:00:00Z",
    "to": "2026-11-20T16:00:00Z",
    "until": "2026-11-20T08:00:00Z",
    "provisional": True,
    "made_at": "2026-11-20T08:00:10Z",
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T08:00:09Z"},
    "sealed": None,
    "method": {
        "plan_version": 1,
        "gwp": "AR5",
        "methods": ["hj212-2017.annex-d"],
        "factors": [],
        "boundaries": [],
        "uncertainty": "U = k u with k = 2, 95 %; u combines instruments, factors and substitutes (GUM)",
    },
    "blocks": [
        {
            "id": "energy",
            "basis": "current",
            "href": "/v1/points/totals?site=cement&from=2026-11-19T16:00:00Z&to=2026-11-20T08:00:00Z",
            "reason": None,
            "head": {},
            "items": [],
        }
    ],
}
_RESPONSES: dict[int | str, dict[str, Any]] = answer(Report, REPORT_EXAMPLE, csv=True)
_RESPONSES[200]["content"] |= {
    "text/html": {"schema": {"type": "string"}},
    XLSX: {"schema": {"type": "string", "format": "binary"}},
}


@router.get(
    "/v1/reports/{kind}",
    summary="A report of a shift, production day, month or reporting year",
    responses={
        **_RESPONSES,
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "no-shifts", "no-edition",
            "invalid-parameter", "too-much-asked", "database-away",
        ),
    },
)  # fmt: skip
async def reported(
    request: Request,
    access: Reader,
    kind: Annotated[Kind, Path(description="shift, day, month or year")],
    asked: Annotated[ReportAsked, Query()],
) -> Response:
    """Energy, intensity, inventory, demand, costs, data quality and alerts of one site, as the routes say them.

    Every block names the route that says the same. `provisional` says that the period runs. With basis=sealed the
    figures are the frozen ones beside what they come to now, and the adjustments; blocks a seal does not freeze say
    basis current.
    """
    service = service_of(request)
    if asked.edition is not None and asked.basis == "current":
        raise invalid("Query parameter", "edition", str(asked.edition), "none unless basis=sealed")
    async with service.store.snapshot() as connection:
        site = await service.plans.only(connection, access, asked.site)
        made = await making.report(
            service, connection, access, site, kind, asked.period, asked.basis, asked.edition
        )
    if asked.format == "csv":
        return Response(csv_of(made), 200, _FRESH, "text/csv; charset=utf-8")
    if asked.format == "xlsx":
        named = f"{made.site}-{kind}-{asked.period.replace('/', '-')}.xlsx"
        headers = {**_FRESH, "Content-Disposition": f'attachment; filename="{named}"'}
        return Response(xlsx_of(made), 200, headers, XLSX)
    if asked.format == "html":
        return Response(page_of(made, asked.lang), 200, _FRESH, "text/html; charset=utf-8")
    return document(request, made)
