"""Which of several schedules costs least energy, money or CO2."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service import as_of, latest, schedule_scores
from service.auth import Reader
from service.bodies import asked_in
from service.context import service_of
from service.documents import answer
from service.parameters import Parameters
from service.problems import documented
from service.schedule_scores import ScoreAsked, ScoresDocument
from service.tabular import document

router = APIRouter(tags=["orders"])


class ScheduleAsked(Parameters):
    """Of which site."""

    site: str | None = Field(None, max_length=100, description="Needed where the key covers several sites")


_BODY: dict[str, Any] = {
    "orders": [{"id": "4711", "product": "cem-i", "quantity": 120}],
    "candidates": [
        {"name": "now", "runs": [{"order": "4711", "unit": "mill", "start": "2026-11-20T08:00:00Z"}]},
        {"name": "by night", "runs": [{"order": "4711", "unit": "mill", "start": "2026-11-20T23:00:00Z"}]},
    ],
    "weights": {"cost": 1, "co2_kg": 1},
}


def _figure(value: float) -> dict[str, float]:
    return {"value": value, "low": 0.97 * value, "high": 1.03 * value}


_ANSWER: dict[str, Any] = {
    "site": "cement",
    "currency": "CNY",
    "tariff": "cement/power",
    "charge": None,
    "source": "cement/electricity",
    "missing": {},
    "candidates": [
        {
            "name": "by night", "rank": 1, "energy_kwh": _figure(4210.0), "peak_kw": _figure(9120.0),
            "cost": _figure(1389.3), "co2_kg": _figure(2233.8), "reason": None,
        }
    ],
    "model": {
        "from": "2026-10-09T08:00:00Z", "to": "2026-11-20T08:00:00Z", "runs": 412, "left_out": 9, "bias": -0.004,
        "mape": 0.061, "coverage": 0.95, "error": None, "factor_bias": None, "factor_mape": None, "draws": 64,
    },
    "method": schedule_scores.METHOD,
    "plan_version": 3,
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T08:00:04Z"},
}  # fmt: skip


@router.post(
    "/v1/schedules/score",
    summary="Score candidate schedules by energy, peak demand, cost and CO2",
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "Orders, and ways to make them: at most 500 candidates and 50 000 runs, 1 MiB",
            "content": {
                "application/json": {"schema": ScoreAsked.model_json_schema(), "example": _BODY},
            },
        }
    },
    responses={
        **answer(ScoresDocument, _ANSWER),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "invalid-body", "body-too-large",
            "wrong-media-type", "database-away",
        ),
    },
)  # fmt: skip
async def score(request: Request, access: Reader, asked: Annotated[ScheduleAsked, Query()]) -> Response:
    """Best first, each figure with the interval that past errors give it; nothing is stored.

    Consumption is learned from the runs of the past six weeks by unit and product; electricity only.
    """
    service = service_of(request)
    body = await asked_in(request, ScoreAsked)
    async with service.store.snapshot() as connection:
        site = await service.plans.only(connection, access, asked.site)
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, None, commits.get(site.site_no), now)
        made = await schedule_scores.scored(connection, site, body, known, now)
    return document(request, made)
