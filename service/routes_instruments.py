"""The register of instruments."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service import latest
from service.auth import Reader
from service.context import service_of
from service.documents import Page, answer
from service.instruments import InstrumentDocument, instrument_documents
from service.parameters import OfSite, Tabular
from service.problems import documented
from service.tabular import of_models, table

router = APIRouter(tags=["plant"])


class InstrumentsAsked(OfSite, Tabular):
    """Which instruments."""


INSTRUMENTS_EXAMPLE = {
    "items": [
        {
            "id": "cement/stack-co2",
            "site": "cement",
            "points": ["cement/kiln/stack/co2"],
            "activities": [],
            "kind": "CO2 analyser, NDIR",
            "accuracy_class": None,
            "serial": "N-2231",
            "certificate": "C-2026-0117",
            "calibrated_on": "2026-03-02",
            "due_on": "2027-03-02",
            "due_at": "2027-03-01T16:00:00Z",
            "state": "ok",
            "uncertainty_class": "co2-ndir",
            "uncertainty_percent": 1.2,
            "uncertainty_source": "span gas U 1 %, linearity 2 % of full scale; instrument table, unconfirmed",
            "effective_uncertainty_percent": 1.2,
            "note": None,
        }
    ],
    "next": None,
}


@router.get(
    "/v1/instruments",
    summary="Instruments with their calibration: ok, due soon or overdue",
    responses={
        **answer(Page[InstrumentDocument], INSTRUMENTS_EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
        ),
    },
)
async def instruments(
    request: Request, access: Reader, asked: Annotated[InstrumentsAsked, Query()]
) -> Response:
    """The instruments of the plans in force; those of a replay site as they were at the end of its data."""
    service = service_of(request)
    items: list[InstrumentDocument] = []
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        commits = await latest.read_commits(connection, [site.site_no for site in sites])
    for site in sites:
        commit, now = commits.get(site.site_no), service.now()
        if site.plan.clock == "replay" and commit is not None and commit.watermark is not None:
            now = commit.watermark
        items += instrument_documents(site.plan, now)
    return table(request, of_models(InstrumentDocument, items), asked.format)
