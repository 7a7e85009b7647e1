"""Candidate schedules scored: from what was asked to what is told, best first.

The arithmetic is `service.schedules`. Pure but for reading the past: whoever asks the same of the same past gets the same.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from ingest.model import DAY, HOUR, MINUTE
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant
from service.plans import SitePlan
from service.problems import invalid
from service.schedules.backtest import Backtest, backtest
from service.schedules.learning import Learned, learn
from service.schedules.outlook import Outlook, outlook
from service.schedules.past import Past, past_runs
from service.schedules.scenarios import DRAWS, Errors, Expected, duration_error, expect, ramp_error
from service.schedules.scoring import CRITERIA, Candidates, rank
from service.store import Connection
from service.times import format_instant

MOST_CANDIDATES, MOST_RUNS = 500, 50_000
MOST_AHEAD_US = 31 * DAY
MARGIN_US = 2 * DAY
"""Of blocks behind the last start, for runs that end later than learned."""
METHOD = "sums and medians of past runs by unit and product, under draws of their errors"


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class OrderAsked(_Asked):
    """What is to be made."""

    id: str = Field(min_length=1, max_length=200)
    product: str = Field(max_length=200)
    quantity: float = Field(
        gt=0, lt=1e15, description="In the unit that past orders of the product were told in"
    )


class RunAsked(_Asked):
    """One order on one unit."""

    order: str = Field(max_length=200, description="Id of one of `orders`")
    unit: str = Field(max_length=300)
    start: Instant


class CandidateAsked(_Asked):
    """One way to make the orders."""

    name: str = Field(min_length=1, max_length=200)
    runs: list[RunAsked] = Field(min_length=1, max_length=1000)


class ScoreAsked(_Asked):
    """What is to be scored."""

    orders: list[OrderAsked] = Field(min_length=1, max_length=1000)
    candidates: list[CandidateAsked] = Field(min_length=1, max_length=MOST_CANDIDATES)
    weights: dict[str, float] = Field(
        {"cost": 1.0, "co2_kg": 1.0},
        max_length=len(CRITERIA),
        description="Of cost, co2_kg, energy_kwh, peak_kw, each over its least value: candidates are told by their sum",
    )


class Scored(Document):
    """A figure, and within which bounds 95 of 100 draws lie."""

    value: float | None
    low: float | None
    high: float | None


class CandidateDocument(Document):
    """What a candidate is expected to come to."""

    name: str
    rank: int
    energy_kwh: Scored
    peak_kw: Scored
    cost: Scored
    co2_kg: Scored
    reason: str | None = Field(
        description="Why it has no figures: unlearned, overlapping or outside, and of which order"
    )


class ModelDocument(Document):
    """What the past taught, and how wrong it was."""

    from_: Instant = Field(alias="from")
    to: Instant
    runs: int = Field(description="Past runs that were learned from")
    left_out: int = Field(
        description="Past runs that were not measured throughout, or whose quantity is not told"
    )
    bias: float | None = Field(
        description="Of energy, each block of runs predicted from those before it alone"
    )
    mape: float | None
    coverage: float | None = Field(description="How many blocks lay within their interval of 95 %")
    error: str | None = Field(description="Why there are no intervals")
    factor_bias: float | None = Field(
        description="Of the grid factor's forecast; null: a constant, or never tested"
    )
    factor_mape: float | None
    draws: int


class ScoresDocument(Document):
    """Candidates, best first."""

    site: str
    currency: str | None
    tariff: str | None
    charge: str | None
    source: str | None = Field(description="Whose factor co2_kg is made with")
    missing: dict[str, str] = Field(description="By criterion why it has no figures, or what they leave out")
    candidates: list[CandidateDocument]
    model: ModelDocument
    method: str
    plan_version: int
    as_of: AsOfDocument


async def scored(
    connection: Connection, site: SitePlan, asked: ScoreAsked, known: Known, now: int
) -> ScoresDocument:
    """The candidates of a site, scored.

    Raises:
        ProblemError: something that was asked cannot be.
    """
    starts = [run.start for one in asked.candidates for run in one.runs]
    if len(starts) > MOST_RUNS:
        raise invalid("Body", "candidates", f"{len(starts)} runs", f"at most {MOST_RUNS} runs in all of them")
    if min(starts) < now - HOUR or max(starts) > now + MOST_AHEAD_US:
        bounds = f"{format_instant(now - HOUR)} to {format_instant(now + MOST_AHEAD_US)}"
        raise invalid("Body", "start", format_instant(min(starts)), f"starts from {bounds}")
    _check_weights(asked.weights)
    past = await past_runs(connection, site, now // MINUTE * MINUTE)
    candidates = _candidates(site, asked, past)
    ahead = await outlook(connection, site, (min(starts) - DAY // 2, max(starts) + MARGIN_US), now, known)
    return await run_in_threadpool(_scored, site, asked, past, candidates, ahead, known)


def _check_weights(weights: Mapping[str, float]) -> None:
    wrong = [name for name in weights if name not in CRITERIA]
    if wrong or not any(weights.values()) or not all(0 <= one < math.inf for one in weights.values()):
        expected = f"weights of {', '.join(CRITERIA)}, none negative and not all 0"
        raise invalid("Body", "weights", str(dict(weights))[:200], expected)


def _candidates(site: SitePlan, asked: ScoreAsked, past: Past) -> Candidates:
    """Columns; what was never made, or on no unit with meters, is -1 and found by nobody: a sentence says which."""
    orders = {one.id: one for one in asked.orders}
    if len(orders) < len(asked.orders):
        raise invalid("Body", "orders", "an id twice", "each order once")
    products = {name: number for number, name in enumerate(past.products)}
    units = {name: number for number, name in enumerate(past.units)}
    shape = len(asked.candidates), max(len(one.runs) for one in asked.candidates)
    unit, product = np.full(shape, -1, np.int64), np.zeros(shape, np.int64)
    quantity, start = np.zeros(shape), np.zeros(shape, np.int64)
    for row, candidate in enumerate(asked.candidates):
        seen = set[str]()
        for place, run in enumerate(candidate.runs):
            if run.order not in orders or run.order in seen:
                raise invalid(
                    "Body",
                    f"candidates.{row}.runs.{place}.order",
                    run.order,
                    "one of `orders`, once in a candidate",
                )
            seen.add(run.order)
            full = run.unit if run.unit in units else f"{site.plan.site}/{run.unit}"
            if full not in units:
                expected = (
                    f"a unit with an electricity meter on which orders run: {', '.join(units) or 'none'}"
                )
                raise invalid("Body", f"candidates.{row}.runs.{place}.unit", run.unit, expected)
            order = orders[run.order]
            if order.product not in products:
                made = ", ".join(products) or "none"
                raise invalid(
                    "Body", "orders.product", order.product, f"one made in the past six weeks: {made}"
                )
            unit[row, place], product[row, place] = units[full], products[order.product]
            quantity[row, place], start[row, place] = order.quantity, run.start
    return Candidates(unit, product, quantity, start, np.full(shape, np.nan))


def _scored(
    site: SitePlan, asked: ScoreAsked, past: Past, candidates: Candidates, ahead: Outlook, known: Known
) -> ScoresDocument:
    units, products = len(past.units), len(past.products)
    learned = learn(past.runs, units, products)
    tested = backtest(past.runs, units, products)
    errors, why = _errors(past, learned, tested, ahead)
    expected = expect(learned, candidates, ahead.blocks, errors, 1 if why else DRAWS)
    return ScoresDocument(
        site=site.plan.site,
        currency=site.plan.prices.currency,
        tariff=ahead.tariff,
        charge=ahead.charge,
        source=ahead.source,
        missing=ahead.missing,
        candidates=[
            _document(asked, expected, place, number, intervals=why is None)
            for number, place in enumerate(rank(expected.scores, asked.weights).tolist(), start=1)
        ],
        model=ModelDocument(
            from_=past.span[0],
            to=past.span[1],
            runs=int(learned.runs.sum()),
            left_out=int(learned.left_out.sum()),
            bias=_finite(tested.bias),
            mape=_finite(tested.mape),
            coverage=_finite(tested.coverage),
            error=why,
            factor_bias=None if ahead.forecast is None else _finite(ahead.forecast.bias),
            factor_mape=None if ahead.forecast is None else _finite(ahead.forecast.mape),
            draws=0 if why else DRAWS,
        ),
        method=METHOD,
        plan_version=site.plan.version,
        as_of=known.document,
    )


def _errors(past: Past, learned: Learned, tested: Backtest, ahead: Outlook) -> tuple[Errors, str | None]:
    """What scattered in the past, or none of it and why."""
    found = Errors(
        tested.own,
        duration_error(past.runs, learned),
        tested.shared,
        ahead.factor_error,
        ramp_error(past.runs, learned),
        ahead.base_error_kw,
    )
    if all(
        math.isfinite(value) for value in (found.run_kwh, found.run_hours, found.shared_kwh, found.ramp_kwh)
    ):
        return found, None
    return Errors(
        0, 0, 0, 0, 0, 0
    ), f"{past.runs.unit.size} past runs are too few to tell how far they scatter"


def _document(
    asked: ScoreAsked, expected: Expected, place: int, number: int, *, intervals: bool
) -> CandidateDocument:
    figures: dict[str, Any] = {}
    for name in CRITERIA:
        value = _finite(getattr(expected.scores, name)[place])
        low, high = expected.intervals[name][:, place].tolist()
        has_both = intervals and value is not None
        figures[name] = Scored(value=value, low=low if has_both else None, high=high if has_both else None)
    return CandidateDocument(
        name=asked.candidates[place].name, rank=number, reason=_reason(asked, expected, place), **figures
    )


def _reason(asked: ScoreAsked, expected: Expected, place: int) -> str | None:
    runs: Sequence[RunAsked] = asked.candidates[place].runs
    masks = {
        "unlearned: nothing is known of such runs, as": expected.scores.unlearned,
        "overlapping: the order before is not finished at the start of": expected.scores.overlapping,
        "outside: the span that is judged does not hold": expected.scores.outside,
    }
    for words, mask in masks.items():
        wrong = np.flatnonzero(mask[place, : len(runs)])
        if wrong.size:
            run = runs[int(wrong[0])]
            return f"{words} {run.order} on {run.unit}"
    return None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
