"""Every panel against the service: its SQL, as the reading role and with Grafana's macros expanded, over seeded rows."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from dashboards.boards import BOARDS
from dashboards.panels import ANNOTATIONS, WINDOWS, Panel
from ingest.model import HOUR, MINUTE
from tests.ingest.feeding import START, feed, message, open_site
from tests.service.conftest import Clock, admin_client, seeded_database
from tests.service.seeding import BEGIN, CLOSED, NOW, at, text
from tests.service.test_accounts import PLANT as ACCOUNTS

ENERGY = "cement/substation/energy"
PANELS = [(board.uid, panel) for board in BOARDS for panel in board.panels if isinstance(panel, Panel)]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def stored(postgres_server: str, migrated_template: str) -> Iterator[str]:
    with seeded_database(postgres_server, migrated_template) as made:
        with psycopg.connect(made.dsn) as connection:
            row = connection.execute("SELECT point_no FROM point WHERE id = %s", [ENERGY]).fetchone()
            assert row is not None
            for start_at in (BEGIN, CLOSED - MINUTE):
                connection.execute(
                    "INSERT INTO interval VALUES (%s, %s, 191, 191000, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1,"
                    " 0, 1, %s, 1)",
                    [row[0], at(start_at), at(CLOSED)],
                )
            for hour in range(6):
                count = 11_460_000 + 1_001 * hour
                connection.execute(
                    "INSERT INTO interval_hour VALUES (%s, %s, %s, %s, NULL, NULL, NULL, 3600000000, %s, 0, 0, 0, 60,"
                    " %s, 1)",
                    [
                        row[0],
                        at(BEGIN + hour * HOUR),
                        count * 0.001,
                        count,
                        3_600_000_000 - hour * 60_000_000,
                        at(CLOSED),
                    ],
                )
            connection.execute("INSERT INTO point_state VALUES (%s, %s, 1)", [row[0], at(CLOSED)])
        yield made.dsn


@pytest.fixture
async def client(stored: str) -> AsyncIterator[httpx.AsyncClient]:
    async with admin_client(stored, Clock()) as made:
        yield made


def expanded(sql: str, site: str = "cement", span: tuple[int, int] = (BEGIN, CLOSED)) -> str:
    """As Grafana sends it. A custom value of All is put in as it is, not quoted."""
    ends = [f"'{text(edge)}'" for edge in span]
    sql = re.sub(r"\$__timeFilter\(((?:[^()]|\([^()]*\))+)\)", rf"\1 BETWEEN {ends[0]} AND {ends[1]}", sql)
    sql = sql.replace("$__timeFrom()", ends[0]).replace("$__timeTo()", ends[1])
    sql = sql.replace("${site:sqlstring}", f"'{site}'").replace("${unit:sqlstring}", "'%'")
    sql = sql.replace("$window", str(WINDOWS["1h"]))
    assert "$" not in sql
    return sql


def shown(dsn: str, sql: str, site: str = "cement", span: tuple[int, int] = (BEGIN, CLOSED)) -> Rows:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute("SET ROLE stackwatt_read")
        connection.execute("SELECT set_config('stackwatt.board_now', %s, false)", [text(NOW)])
        connection.execute("SET TIME ZONE 'UTC'")
        return connection.execute(expanded(sql, site, span).encode()).fetchall()


async def asked(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def close(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-12)


def instant(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


async def of_latest(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    found = await asked(client, "/v1/kpis/latest", site="cement")
    if "batch_no" in rows[0]:
        (row,), site = rows, found["sites"]["cement"]
        assert (row["batch_no"], row["clock"]) == (site["batch_no"], site["clock"])
        assert row["committed_at"] == instant(site["committed_at"])
        assert row["data_age_s"] == 1
        return
    told = {one["id"]: one for one in found["items"] if one["window"] == "1h"}
    assert {row["id"] for row in rows} == set(told)
    for row in rows:
        one = told[row["id"]]
        assert (row["value"], row["reason"], row["unit"]) == (one["value"], one["reason"], one["unit"])
        assert row["valid_share"] == one["valid_share"]
        assert row["data_age_s"] == close(one["data_age_s"])


async def of_kpis(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    found = await asked(client, "/v1/kpis", site="cement")
    told = {mark["id"]: mark for kpi in found["items"] for mark in kpi["benchmarks"]}
    latest = await asked(client, "/v1/kpis/latest", site="cement")
    now = {one["id"]: one["value"] for one in latest["items"] if one["window"] == "1h"}
    assert {row["id"] for row in rows} == set(told)
    for row in rows:
        mark = told[row["id"]]
        assert (row["kpi"], row["benchmark"], row["unit"]) == (mark["kpi"], mark["value"], mark["unit"])
        assert row["value"] == now[row["kpi"]]


async def of_series(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    window = "15min" if "15 minutes" in panel.sql else "1h"
    for kpi in {row["metric"] for row in rows}:
        asking = {"from": text(BEGIN), "to": text(CLOSED), "window": window, "step": window}
        found = (await asked(client, f"/v1/kpis/{kpi}/series", **asking))["columns"]
        mine = {row["time"]: row for row in rows if row["metric"] == kpi}
        assert len(mine) == len(found["from"])
        for start_at, value, valid in zip(found["from"], found["value"], found["valid_share"], strict=True):
            row = mine[instant(start_at)]
            assert row["value"] == close(value)
            assert row["valid_share"] == close(valid)


async def of_points(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    for point in {row.get("metric") or row["id"] for row in rows}:
        asking = {"from": text(BEGIN), "to": text(CLOSED), "step": "hour"}
        found = (await asked(client, f"/v1/points/{point}/intervals", **asking))["items"]
        told = {instant(one["from"]): one for one in found if one["reason"] is None}
        mine = [row for row in rows if (row.get("metric") or row["id"]) == point]
        if "time" not in mine[0]:
            assert mine[0]["amount"] == close(sum(one["amount"] for one in told.values()))
            assert mine[0]["valid_share"] == close(
                sum(one["valid_share"] for one in told.values()) / len(told)
            )
            continue
        assert {row["time"] for row in mine} == set(told)
        for row in mine:
            one = told[row["time"]]
            assert row.get("amount", one["amount"]) == one["amount"]
            assert row.get("valid", row.get("valid_share")) == one["valid_share"]


async def of_emissions(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    group_by = panel.route.partition("group_by=")[2]
    asking = {"site": "cement", "from": text(BEGIN), "to": text(CLOSED), "group_by": group_by}
    found = (await asked(client, "/v1/emissions", **asking))["items"]
    lines(rows, found, group_by)


def lines(rows: Rows, found: list[dict[str, Any]], group_by: str) -> None:
    """Each line of emissions is a row, and its numbers are the same."""
    apart = ("route", "gas", "account", "basis", "supply")
    told = {(one["group"], *(one[name] for name in apart)): one for one in found}
    mine = {(str(row[group_by]), *(row[name] for name in apart)): row for row in rows}
    assert len(mine) == len(rows)
    assert set(mine) == set(told)
    for key, row in mine.items():
        one = told[key]
        assert row["mass_kg"] == close(one["value"])
        assert row.get("valid_share", one["valid_share"]) == one["valid_share"]


async def of_alerts(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    found = (await asked(client, "/v1/alerts", site="cement"))["items"]
    assert [row["episode"] for row in rows] == [one["episode"] for one in found]
    for row, one in zip(rows, found, strict=True):
        assert (row["rule"], row["severity"], row["cause"]) == (one["rule"], one["severity"], one["cause"])
        assert row["acknowledged_at"] == instant(one["acknowledged_at"])


async def of_alarm_quality(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    asking = {"site": "cement", "from": text(BEGIN), "to": text(CLOSED)}
    found = await asked(client, "/v1/alerts/quality", **asking)
    if "rule" in rows[0]:
        assert rows == [{"rule": one["rule"], "episodes": one["episodes"]} for one in found["top"]]
    else:
        unacknowledged = found["time_to_acknowledge"]["unacknowledged"]
        assert rows == [{"episodes": found["episodes"], "unacknowledged": unacknowledged}]


async def of_instruments(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    found = (await asked(client, "/v1/instruments", site="cement"))["items"]
    names = ("kind", "accuracy_class", "serial", "calibrated_on", "due_on")
    assert {row["id"]: [row[name] for name in names] for row in rows} == {
        one["id"]: [one[name] for name in names] for one in found
    }


async def of_periods(client: httpx.AsyncClient, rows: Rows, panel: Panel) -> None:
    found = (await asked(client, "/v1/periods", site="cement"))["items"]
    assert [(row["from_at"], row["to_at"], row["kind"]) for row in rows] == [
        (instant(one["from"]), instant(one["to"]), one["kind"]) for one in found
    ]


SAYS = {
    "/v1/kpis/latest": of_latest,
    "/v1/kpis": of_kpis,
    "/v1/kpis/{id}/series": of_series,
    "/v1/points/{id}/intervals": of_points,
    "/v1/emissions": of_emissions,
    "/v1/alerts": of_alerts,
    "/v1/alerts/quality": of_alarm_quality,
    "/v1/instruments": of_instruments,
    "/v1/periods": of_periods,
}


@pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=[f"{u}-{p.title}" for u, p in PANELS])
async def test_a_panel_shows_what_the_service_says(
    stored: str, client: httpx.AsyncClient, panel: Panel
) -> None:
    rows = shown(stored, panel.sql)
    assert rows
    await SAYS[panel.route.partition("?")[0]](client, rows, panel)


async def test_accounts_bases_and_supplies_are_rows_of_their_own(dsn: str) -> None:
    """As `/v1/emissions` keeps them apart: a sum over them is nobody's."""
    ingest = await open_site(dsn, ACCOUNTS)
    amounts = {"line/bought": 1000.0, "line/green": 500.0, "line/sold": 100.0}
    coming = [
        message(point, START + (i + 1) * MINUTE, kwh) for i in range(11) for point, kwh in amounts.items()
    ]
    await feed(ingest, coming)
    await ingest.close()
    clock, span = Clock(), (START, START + 10 * MINUTE)
    clock.now = START + 12 * MINUTE
    panels = [panel for _, panel in PANELS if panel.route.startswith("/v1/emissions")]
    assert len(panels) == 2
    async with admin_client(dsn, clock) as client:
        for panel in panels:
            group_by = panel.route.partition("group_by=")[2]
            asking = {"site": "mill", "from": text(span[0]), "to": text(span[1]), "group_by": group_by}
            found = (await asked(client, "/v1/emissions", **asking))["items"]
            lines(
                shown(dsn, panel.sql, "mill", span),
                [one for one in found if one["value"] is not None],
                group_by,
            )


def test_annotations_are_read(stored: str) -> None:
    alerts, calibrations = (expanded(one.sql) for one in ANNOTATIONS)
    [alert] = shown(stored, alerts)
    assert alert["time"] < alert["timeend"]
    assert {"time", "text", "tags"} == set(alert) - {"timeend"}
    everything = calibrations.replace(text(BEGIN), "2020-01-01T00:00Z")
    assert any("calibrated" in row["text"] for row in shown(stored, everything))


def test_the_reading_role_sees_views_and_nothing_else(stored: str) -> None:
    with psycopg.connect(stored) as connection:
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'board'").fetchall()
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        may = "SELECT has_table_privilege('stackwatt_read', %s, %s)"
        assert views
        assert tables
        for (view,) in views:
            assert connection.execute(may, [f"board.{view}", "SELECT"]).fetchone() == (True,)
            assert connection.execute(may, [f"board.{view}", "INSERT,UPDATE,DELETE"]).fetchone() == (False,)
        for (table,) in tables:
            assert connection.execute(may, [f"public.{table}", "SELECT"]).fetchone() == (False,), table


def test_what_is_old_has_no_value(stored: str) -> None:
    with psycopg.connect(stored) as connection:
        connection.execute("SELECT set_config('stackwatt.board_now', %s, false)", [text(NOW + HOUR)])
        found = connection.execute(
            "SELECT DISTINCT value, reason FROM board.kpi_now WHERE site = 'cement' AND window_us = 3600000000"
        ).fetchall()
    assert found == [(None, "stale")]
