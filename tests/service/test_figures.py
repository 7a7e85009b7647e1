"""Figures of KPIs: now, over time, and why there is none."""

import csv
import io
import math
import operator
from functools import reduce
from typing import Any

import httpx
import psycopg
import pytest

from ingest.methods.figures import KpiKind, combine
from ingest.model import DAY, HOUR, MINUTE, SECOND, Reason
from service.figures import BY_WEIGHT, reason_names
from service.windows import KpiRows, window_figure
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import (
    BEGIN,
    CLOSED,
    GAP,
    HORIZON,
    IDLE,
    NOW,
    STEEL_BEGIN,
    STEEL_END,
    Seed,
    at,
    plant_only,
    text,
)

FIGURE = [
    "id", "unit", "window", "from", "to", "value", "reason", "quality", "reasons", "valid_share", "substituted_share",
    "uncertainty", "revision", "known_at", "data_age_s", "method", "plan_version",
]  # fmt: skip
LIVE = [*FIGURE, "band", "benchmarks"]
"""Of a live figure, which stands beside its benchmarks."""


async def latest_of(client: httpx.AsyncClient, kpi: str, window: str) -> dict[str, Any]:
    items = (await client.get("/v1/kpis/latest")).json()["items"]
    [found] = [item for item in items if (item["id"], item["window"]) == (kpi, window)]
    return dict(found)


async def series_of(
    client: httpx.AsyncClient, kpi: str, begin: int, end: int, more: str = ""
) -> dict[str, Any]:
    response = await client.get(f"/v1/kpis/{kpi}/series?from={text(begin)}&to={text(end)}{more}")
    assert response.status_code == 200, response.text
    return dict(response.json())


def sums(seed: Seed, kpi: str, begin: int, end: int) -> tuple[float, float, int]:
    rows = [row for row in seed.kpi_rows[kpi] if begin <= row[0] < end]
    return math.fsum(row[1] for row in rows), math.fsum(row[2] for row in rows), len(rows)


async def test_a_figure_has_the_agreed_keys_in_the_agreed_order(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/kpis/latest")).json()["items"]
    assert all(list(item) == LIVE for item in items)
    assert {item["id"] for item in items} >= {"cement/kiln/co2-flow-measured", "steel/power-factor"}


async def test_every_figure_carries_its_span_and_its_age(client: httpx.AsyncClient) -> None:
    figure = await latest_of(client, "cement/power", "1h")
    assert figure["from"] == text(CLOSED - HOUR)
    assert figure["to"] == text(HORIZON)
    assert figure["data_age_s"] == (NOW - HORIZON) / SECOND
    assert figure["known_at"] == text(NOW - SECOND)
    assert figure["method"] == "rate"


async def test_at_a_live_site_old_data_are_no_figure(client: httpx.AsyncClient, clock: Clock) -> None:
    clock.now = HORIZON + 5 * MINUTE
    assert (await latest_of(client, "cement/power", "1h"))["value"] is not None
    clock.now += 1
    figure = await latest_of(client, "cement/power", "1h")
    assert (figure["value"], figure["reason"]) == (None, "stale")
    assert figure["data_age_s"] == 300.000001


async def test_at_a_replay_site_nothing_grows_old(client: httpx.AsyncClient, clock: Clock) -> None:
    clock.now += 3650 * DAY
    figure = await latest_of(client, "steel/demand", "15min")
    assert figure["value"] is not None
    assert figure["data_age_s"] is None
    assert (await client.get("/v1/kpis/latest")).json()["sites"]["steel"]["clock"] == "replay"


async def test_a_series_equals_the_live_window_bit_for_bit(client: httpx.AsyncClient, seeded: Seed) -> None:
    """Over the intervals of a live window, series and combination of the same sums are one float."""
    told_apart = False
    for kpi in ("cement/electricity-intensity", "cement/power-factor", "cement/power", "steel/power-factor"):
        begin, end = (STEEL_END - DAY, STEEL_END) if kpi.startswith("steel") else (CLOSED - HOUR, CLOSED)
        window = "24h" if kpi.startswith("steel") else "1h"
        series = await series_of(client, kpi, begin, end, f"&window={window}")
        a, b, count = sums(seeded, kpi, begin, end)
        value, _ = combine(KpiKind(series["method"]), a, b, count * MINUTE)
        assert series["columns"]["value"] == [value]
        chosen = [row for row in seeded.kpi_rows[kpi] if begin <= row[0] < end]
        plain_a, plain_b = (reduce(operator.add, (row[i] for row in chosen)) for i in (1, 2))
        told_apart |= combine(KpiKind(series["method"]), plain_a, plain_b, count * MINUTE)[0] != value
    # Adding in order, as SQL's sum does, would have given another float: this test can tell.
    assert told_apart


async def test_a_window_is_a_sum_over_a_sum_and_no_mean_of_ratios(
    client: httpx.AsyncClient, seeded: Seed
) -> None:
    series = await series_of(client, "cement/electricity-intensity", BEGIN, CLOSED, "&window=6h")
    a, b, _ = sums(seeded, "cement/electricity-intensity", BEGIN, CLOSED)
    assert series["columns"]["value"] == [a / b]
    producing = [row for row in seeded.kpi_rows["cement/electricity-intensity"] if row[2]]
    assert series["columns"]["value"][0] > 1.1 * math.fsum(x / y for _, x, y in producing) / len(producing)


async def test_without_production_there_is_a_reason_and_no_value(client: httpx.AsyncClient) -> None:
    columns = (await series_of(client, "cement/electricity-intensity", IDLE[0], IDLE[1], "&window=1h"))[
        "columns"
    ]
    assert (columns["value"], columns["reason"]) == ([None], ["no_production"])
    assert columns["quality"] == ["good"]


async def test_a_window_without_any_interval_is_a_gap_one_with_some_tells_the_share(
    client: httpx.AsyncClient,
) -> None:
    kpi = "cement/electricity-intensity"
    columns = (await series_of(client, kpi, GAP[0], GAP[1], "&window=5min"))["columns"]
    assert (columns["value"], columns["reason"], columns["quality"]) == ([None], ["gap"], ["bad"])
    assert columns["valid_share"] == [0.0]
    columns = (await series_of(client, kpi, GAP[0] - 5 * MINUTE, GAP[1], "&window=10min"))["columns"]
    assert columns["value"][0] is not None
    assert (columns["valid_share"], columns["reasons"]) == ([0.5], [["gap"]])


async def test_windows_may_overlap_and_reach_back_before_the_span(
    client: httpx.AsyncClient, seeded: Seed
) -> None:
    series = await series_of(client, "cement/power", CLOSED - 3 * MINUTE, CLOSED, "&window=1h&step=1min")
    columns = series["columns"]
    ends = [CLOSED - 2 * MINUTE, CLOSED - MINUTE, CLOSED]
    assert columns["to"] == [text(end) for end in ends]
    assert columns["from"] == [text(end - HOUR) for end in ends]
    for end, value in zip(ends, columns["value"], strict=True):
        a, b, _ = sums(seeded, "cement/power", end - HOUR, end)
        assert value == a / b


async def test_a_series_ends_with_what_is_closed_and_begins_with_the_data(client: httpx.AsyncClient) -> None:
    series = await series_of(client, "cement/power", BEGIN - HOUR, CLOSED + HOUR, "&window=30min")
    assert series["columns"]["from"][0] == text(BEGIN)
    assert series["columns"]["to"][-1] == series["to"] == text(CLOSED)
    assert len(series["columns"]["value"]) == 12


async def test_load_factor_is_the_mean_by_the_largest_block(client: httpx.AsyncClient, seeded: Seed) -> None:
    series = await series_of(client, "steel/load-factor", STEEL_BEGIN, STEEL_END, "&window=24h")
    rows = seeded.kpi_rows["steel/load-factor"]
    for begin, value in zip((STEEL_BEGIN, STEEL_BEGIN + DAY), series["columns"]["value"], strict=True):
        chosen = [row for row in rows if begin <= row[0] < begin + DAY]
        mean = math.fsum(row[1] for row in chosen) / math.fsum(row[2] for row in chosen)
        assert value == mean / max(row[1] / row[2] for row in chosen)


async def test_demand_comes_in_blocks(client: httpx.AsyncClient) -> None:
    series = await series_of(client, "cement/demand", CLOSED - HOUR - 7 * MINUTE, CLOSED)
    assert (series["window"], series["step"]) == ("15min", "15min")
    assert series["columns"]["from"][0] == text(CLOSED - 75 * MINUTE)


async def test_csv_holds_the_same_text_of_every_number(client: httpx.AsyncClient) -> None:
    path = f"/v1/kpis/cement/power/series?from={text(CLOSED - HOUR)}&to={text(CLOSED)}&window=5min"
    as_json = (await client.get(path)).json()["columns"]
    for response in (
        await client.get(f"{path}&format=csv"),
        await client.get(path, headers={"Accept": "text/csv"}),
    ):
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(response.text)))
        assert [float(row["value"]) for row in rows] == as_json["value"]
        assert [row["to"] for row in rows] == as_json["to"]
        assert {row["reason"] for row in rows} == {""}
    latest = await client.get("/v1/kpis/latest?format=csv")
    assert latest.text.splitlines()[0] == ",".join(LIVE)


async def test_a_kpi_that_was_never_evaluated_says_no_data(client: httpx.AsyncClient, seeded: Seed) -> None:
    kpis = (await client.get("/v1/kpis?site=cement")).json()["items"]
    assert len(kpis) == len(seeded.cement.kpis)
    [demand] = [kpi for kpi in kpis if kpi["id"] == "cement/demand"]
    assert (demand["contract"], demand["block"], demand["windows"]) == (13_000.0, "15min", ["15min"])
    [measured] = [kpi for kpi in kpis if kpi["id"] == "cement/kiln/co2-flow-measured"]
    assert measured["route"] == "measured"


@pytest.mark.parametrize(
    ("revisions", "joint"),
    [([1, 1, 1], 1), ([1, 3, 2], 3), ([0, 3, 1], 0)],
    ids=["closed", "revised", "provisional"],
)
def test_a_window_is_provisional_while_any_of_it_is(revisions: list[int], joint: int) -> None:
    rows = KpiRows()
    rows.extend((i, 1.0, 1.0, 1, 1, 0, 0, 0, revision, 1, i) for i, revision in enumerate(revisions))
    figure = window_figure(rows, KpiKind.TOTAL, None, 0, 3)
    assert (figure.value, figure.revision, figure.known_at) == (3.0, joint, 2)


def test_the_worst_quality_of_a_window_is_its_quality() -> None:
    rows = KpiRows()
    stuck, manual = int(Reason.STUCK), int(Reason.MANUAL)
    rows.extend([(0, 1.0, 1.0, 60, 60, 0, 0, stuck, 1, 1, 0), (60, 1.0, 1.0, 60, 0, 60, 2, manual, 1, 2, 9)])
    figure = window_figure(rows, KpiKind.RATE, None, 0, 120)
    assert (figure.quality, figure.valid_us, figure.substituted_us, figure.plan_version) == (2, 60, 60, 2)
    assert figure.reasons == stuck | manual
    assert window_figure(rows, KpiKind.RATE, None, 0, 121).reasons == stuck | manual | Reason.GAP


def test_reasons_are_told_by_weight() -> None:
    bits = Reason.LATE | Reason.RANGE | Reason.OVERDUE | Reason.FAULT
    assert reason_names(int(bits)) == ["fault", "range", "overdue", "late"]
    assert sorted(BY_WEIGHT) == sorted(Reason)


async def test_the_figures_of_a_site_without_any_commit_are_null(dsn: str, clock: Clock) -> None:
    plant_only(dsn)
    async with admin_client(dsn, clock) as client:
        body = (await client.get("/v1/kpis/latest")).json()
        assert body["sites"]["cement"]["batch_no"] is None
        assert {(item["value"], item["reason"], item["from"]) for item in body["items"]} == {
            (None, "no_data", None)
        }
        series = (await client.get("/v1/kpis/cement/power/series")).json()
        assert series["columns"]["value"] == []
        assert series["data_age_s"] is None
        emissions = (await client.get("/v1/emissions")).json()["items"]
        assert {(item["value"], item["reason"]) for item in emissions} == {(None, "no_data")}
        for path in ("readings", "intervals"):
            page = (await client.get(f"/v1/points/cement/kiln/power/{path}")).json()
            assert (page["items"], page["next"]) == ([], None)


async def test_a_plan_that_is_yet_to_come_is_not_in_force(dsn: str, clock: Clock) -> None:
    plant_only(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            INSERT INTO plan_version (site_no, version, effective_at, digest, body)
            SELECT site_no, 2, now() + interval '1 day', 'x', jsonb_set(body, '{name}', '"Later"') FROM plan_version
            """
        )
    async with admin_client(dsn, clock) as client:
        [plant] = (await client.get("/v1/plant")).json()["items"]
        assert (plant["name"], plant["plan_version"]) == ("Cement line (simulated)", 1)
        with psycopg.connect(dsn) as connection:
            connection.execute("UPDATE plan_version SET effective_at = %s WHERE version = 2", [at(BEGIN)])
        [plant] = (await client.get("/v1/plant")).json()["items"]
        assert (plant["name"], plant["plan_version"]) == ("Later", 2)
