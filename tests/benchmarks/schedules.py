"""216 candidate schedules of 50 orders: learnt from six weeks, scored and ranked, beside what their JSON takes to read.

In the process, and asked over HTTP of a database that holds the same past. The floor is to decode the candidates' JSON and
to sum the same arrays' learned energy with plain NumPy.
"""

import json
import time
from collections.abc import Callable

import numpy as np

from ingest.model import MINUTE
from service.schedules.backtest import backtest
from service.schedules.forecast import seasonal
from service.schedules.learning import learn
from service.schedules.scenarios import DRAWS, Errors, duration_error, expect, ramp_error
from service.schedules.scoring import rank, score
from tests.benchmarks.bed import Bed
from tests.benchmarks.figures import Figure, Figures, rounded
from tests.benchmarks.schedule_site import measured
from tests.service.schedule_plant import DAY, PAST_DAYS, PRODUCTS, UNITS, Plant


def run(bed: Bed, *, quick: bool) -> Figures:
    """Median ms of each step."""
    times = 5 if quick else 25
    plant = Plant(1)
    past = plant.past()
    learned = learn(past, UNITS, PRODUCTS)
    candidates = plant.candidates(learned)
    factors = seasonal(plant.grid[: PAST_DAYS * 24], 7)
    blocks = plant.blocks(factors.by_hour)
    columns = (candidates.unit, candidates.product, candidates.quantity, candidates.start_at)
    text = json.dumps([column.tolist() for column in columns])
    learning = _ms(lambda: learn(past, UNITS, PRODUCTS), times)
    weights = {"cost": 1.0, "co2_kg": 1.0}
    tested = backtest(past, UNITS, PRODUCTS)
    errors = Errors(
        tested.own,
        duration_error(past, learned),
        tested.shared,
        factors.spread,
        ramp_error(past, learned),
        plant.base_error_kw(),
    )
    once = _ms(lambda: rank(score(learned, candidates, blocks), weights), times)
    scoring = _ms(lambda: rank(expect(learned, candidates, blocks, errors).scores, weights), times)
    testing = _ms(lambda: backtest(past, UNITS, PRODUCTS), times)
    decoding = _ms(lambda: json.loads(text), times)
    summing = _ms(
        lambda: np.sum(
            candidates.quantity * learned.per_quantity_kwh[candidates.unit, candidates.product], axis=1
        ),
        times,
    )
    now = int(time.time()) // 60 * MINUTE
    over_http, answer = measured(bed, past, candidates, now - PAST_DAYS * DAY * MINUTE)
    assert all(one["co2_kg"]["value"] for one in answer["candidates"]), answer["candidates"][-1]
    shape = candidates.unit.shape
    return [
        Figure("candidates", shape[0]),
        Figure("orders_each", shape[1]),
        Figure("past_runs", past.unit.size),
        Figure("learn_ms", rounded(learning)),
        Figure("backtest_ms", rounded(testing)),
        Figure("score_once_ms", rounded(once)),
        Figure("draws", DRAWS),
        Figure("score_all_draws_ms", rounded(scoring)),
        Figure("all_ms", rounded(learning + testing + scoring)),
        Figure("over_http_ms", rounded(over_http), "< 2000"),
        Figure("learned_over_http", answer["model"]["runs"]),
        Figure("floor_json_decode_ms", rounded(decoding)),
        Figure("floor_numpy_sum_ms", rounded(summing)),
    ]


def _ms(step: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        step()
        taken.append(time.perf_counter() - begun)
    return 1000 * float(np.median(taken))
