"""Reports: every number is what the named route says, in every form; sealed figures stay when late data come."""

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from openpyxl import load_workbook

from ingest.model import HOUR, SECOND
from ingest.plant.business import Calendar, Shift
from ingest.site import SiteIngest
from service.problems import ProblemError
from service.reports.document import Report
from service.reports.forms import sheets
from service.reports.page import TEXTS, rounded
from service.reports.spans import Kind, span_of
from tests.ingest.feeding import PLANT, START, a_day, feed, message, open_site
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import CLOSED, text
from tests.service.test_as_of import newest
from tests.service.test_periods import again, ask, take
from tests.service.test_routes import problem_of

SHIFT = "/v1/reports/shift?site=cement&period=2026-11-20/day"
BERLIN = ZoneInfo("Europe/Berlin")
THREE = Calendar(
    shifts=(
        Shift(name="early", start="06:00"),
        Shift(name="late", start="14:00"),
        Shift(name="night", start="22:00"),
    ),
    day_starts="06:00",
    year_starts="04-01",
)


async def report_of(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    response = await client.get(address)
    assert response.status_code == 200, response.text
    Report.model_validate(response.json())
    return dict(response.json())


def scalars(given: Any) -> list[float]:
    """Every number of a document, by its members in order."""
    if isinstance(given, dict):
        return [one for value in given.values() for one in scalars(value)]
    if isinstance(given, list):
        return [one for value in given for one in scalars(value)]
    return [given] if isinstance(given, int | float) and not isinstance(given, bool) else []


async def said(client: httpx.AsyncClient, href: str) -> Any:
    response = await client.get(href)
    assert response.status_code == 200, (href, response.text)
    return response.json()


async def hold(client: httpx.AsyncClient, report: dict[str, Any]) -> int:
    """Compare every item of a report with its route; how many numbers that were."""
    count = 0
    for block in report["blocks"]:
        answer = None if block["href"] is None else await said(client, block["href"])
        if answer is not None:
            assert all(answer[name] == value for name, value in block["head"].items())
        for item in block["items"]:
            await _holds(client, block["id"], item, answer)
            count += len(scalars(item))
    return count


async def _holds(client: httpx.AsyncClient, block: str, item: dict[str, Any], answer: Any) -> None:
    if block == "alarm_quality":
        assert item == answer
    elif block == "intensity" and "href" in item:
        if item["href"] is None:
            assert item["value"] is None
            return
        series = await said(client, item["href"])
        columns = {name: column[0] for name, column in series["columns"].items() if column}
        assert {name: item[name] for name in columns} == columns
        assert not scalars({name: item[name] for name in item.keys() - columns.keys() - {"uncertainty"}})
        assert item.get("uncertainty") == series["uncertainty"]
    elif block == "demand":
        series = await said(client, item["href"])
        own = ("id", "name", "unit", "href")
        assert {name: value for name, value in item.items() if name not in own} in series["months"]
    elif block == "orders":
        rows = (await said(client, item["href"]))["items"]
        assert {name: value for name, value in item.items() if name not in ("of_unit", "href")} in rows
    elif block == "quality":
        (same,) = [one for one in answer["items"] if one["id"] == item["id"]]
        assert item == {name: same[name] for name in item}
    else:
        assert item in (answer["figures"] if "figures" in answer else answer["items"])


@pytest.mark.parametrize(
    "address",
    [
        SHIFT,
        "/v1/reports/day?site=cement&period=2026-11-20",
        "/v1/reports/month?site=cement&period=2026-11",
        "/v1/reports/day?site=steel&period=2018-01-01",
    ],
)
async def test_every_number_is_what_the_route_says(client: httpx.AsyncClient, address: str) -> None:
    report = await report_of(client, address)
    assert await hold(client, report) > 50
    sources = await said(
        client,
        f"/v1/emissions?site={report['site']}&from={report['from']}&to={report['until']}&group_by=source",
    )
    assert report["method"]["factors"] == sources["factors"]
    assert report["method"]["boundaries"] == sources["boundaries"]


async def test_the_year_says_what_is_too_long_and_tells_the_rest(client: httpx.AsyncClient) -> None:
    report = await report_of(client, "/v1/reports/year?site=cement&period=2026")
    told = {block["id"]: block for block in report["blocks"]}
    assert told["energy"]["reason"] is None
    assert told["energy"]["items"]
    assert "expected at most" in told["inventory"]["reason"]
    assert told["inventory"]["items"] == []


async def test_a_running_period_says_so(client: httpx.AsyncClient) -> None:
    report = await report_of(client, "/v1/reports/day?site=cement&period=2026-11-20")
    assert (report["provisional"], report["until"]) == (True, text(CLOSED))
    report = await report_of(client, SHIFT)
    assert report["to"] == "2026-11-20T08:00:00Z"
    assert not report["provisional"]


async def test_csv_xlsx_and_page_hold_the_numbers_of_the_json(client: httpx.AsyncClient) -> None:
    report = await report_of(client, SHIFT)
    parts = dict(sheets(report))
    lines = list(csv.reader(io.StringIO((await client.get(f"{SHIFT}&format=csv")).text)))[1:]
    assert len(lines) == sum(len(item) for items in parts.values() for item in items)
    for block, place, member, value in lines:
        true = parts[block][int(place)][member]
        if isinstance(true, int | float) and not isinstance(true, bool):
            assert float(value) == true
    book = load_workbook(io.BytesIO((await client.get(f"{SHIFT}&format=xlsx")).content))
    for name, items in parts.items():
        if name != "report":
            header, *rows = book[name].iter_rows(values_only=True) if items else ((),)
            for item, row in zip(items, rows, strict=True):
                cells = dict(zip(header, row, strict=True))
                assert {key: cells[key] for key in item} == {
                    key: None if value == "" else value for key, value in item.items()
                }
    page = (await client.get(f"{SHIFT}&format=html")).text
    for block in report["blocks"]:
        (section,) = re.findall(rf'<section id="{block["id"]}">(.*?)</section>', page, re.DOTALL)
        found = re.findall(r'<data value="([^"]+)">([^<]+)</data>', section)
        numbers = [
            value
            for item in parts[block["id"]]
            for value in item.values()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        assert [float(value) for value, _ in found] == numbers
        assert [shown for _, shown in found] == [rounded(value) for value in numbers]


async def test_the_page_is_our_own_files_only(client: httpx.AsyncClient) -> None:
    for language, title in (("en", "Shift report"), ("zh", "班次报告")):
        response = await client.get(f"{SHIFT}&format=html&lang={language}")
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert title in unescape(response.text)
        assert re.findall(r'(?:src|href)="([^"]+)"', response.text) == ["/page/report.css"]
        assert "<script" not in response.text
        assert "style=" not in response.text
    assert (await client.get("/page/report.css")).status_code == 200
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()


@pytest.mark.parametrize(
    ("question", "name", "sentence"),
    [
        ("shift?site=cement&period=2026-11-20/noon", "invalid-parameter", "night or day or evening"),
        ("day?site=cement&period=2026-02-30", "invalid-parameter", "a date such as 2026-11-20"),
        ("day?site=cement&period=2027-01-01", "invalid-parameter", "of which there are data"),
        ("month?site=cement&period=2026-11-20", "invalid-parameter", "a month such as 2026-11"),
        ("day?period=2026-11-20", "invalid-parameter", "cement or steel"),
        ("day?site=cement&period=2026-11-20&basis=sealed", "no-edition", "is not sealed"),
        ("day?site=cement&period=2026-11-20&edition=1", "invalid-parameter", "basis=sealed"),
    ],
)
async def test_what_is_no_report_is_refused_in_a_sentence(
    client: httpx.AsyncClient, question: str, name: str, sentence: str
) -> None:
    response = await client.get(f"/v1/reports/{question}")
    problem = problem_of(response)
    assert problem.type.endswith(f":{name}")
    assert sentence in problem.detail


@pytest.mark.parametrize(
    ("kind", "period", "begin", "hours"),
    [
        ("day", "2026-11-20", "2026-11-20T05:00:00Z", 24),
        ("day", "2026-03-28", "2026-03-28T05:00:00Z", 23),
        ("day", "2026-10-24", "2026-10-24T04:00:00Z", 25),
        ("shift", "2026-11-20/early", "2026-11-20T05:00:00Z", 8),
        ("shift", "2026-11-20/night", "2026-11-20T21:00:00Z", 8),
        ("shift", "2026-03-28/night", "2026-03-28T21:00:00Z", 7),
        ("shift", "2026-10-24/night", "2026-10-24T20:00:00Z", 9),
        ("month", "2026-10", "2026-10-01T04:00:00Z", 31 * 24 + 1),
        ("month", "2026-12", "2026-12-01T05:00:00Z", 31 * 24),
        ("year", "2026", "2026-04-01T04:00:00Z", 365 * 24),
    ],
)
def test_periods_follow_the_plants_clock(kind: Kind, period: str, begin: str, hours: int) -> None:
    from_at, to_at = span_of(kind, period, THREE, BERLIN)
    assert (text(from_at), to_at - from_at) == (begin, hours * HOUR)


def test_the_shifts_of_a_day_make_the_day() -> None:
    for day in ("2026-03-28", "2026-10-24", "2026-06-01"):
        shifts = [span_of("shift", f"{day}/{name}", THREE, BERLIN) for name in ("early", "late", "night")]
        assert [end for _, end in shifts[:-1]] == [begin for begin, _ in shifts[1:]]
        assert (shifts[0][0], shifts[-1][1]) == span_of("day", day, THREE, BERLIN)


def test_a_plant_without_shifts_has_no_shift_report() -> None:
    with pytest.raises(ProblemError, match="has no shifts"):
        span_of("shift", "2026-11-20/early", Calendar(), BERLIN)


_CALENDAR = """calendar:
  shifts: [{name: early, start: "09:00"}, {name: late, start: "11:00"}]
units:
"""
EARLY = "/v1/reports/shift?site=mill&period=2026-11-20/early&basis=sealed"


@asynccontextmanager
async def sealed_shift(dsn: str, clock: Clock) -> AsyncIterator[tuple[httpx.AsyncClient, SiteIngest]]:
    """A client at a mill of which the early shift is sealed, and its ingest."""
    ingest = await open_site(dsn, PLANT.replace("units:\n", _CALENDAR, 1))
    await feed(ingest, list(a_day(2.2, step_s=20)))
    async with admin_client(dsn, clock) as client:
        assert (await ask(client)).status_code == 202
        await take(ingest, dsn)
        clock.now = newest(dsn)[1] + SECOND
        yield client, ingest
    await ingest.close()


def figures_of(report: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (item["subject"], item["id"]): item
        for block in report["blocks"]
        if block["basis"] == "sealed" and block["id"] != "adjustments"
        for item in block["items"]
    }


def adjustments_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    (block,) = [block for block in report["blocks"] if block["id"] == "adjustments"]
    return list(block["items"])


async def test_sealed_figures_stay_and_the_adjustment_is_the_difference(dsn: str, clock: Clock) -> None:
    async with sealed_shift(dsn, clock) as (client, ingest):
        first = await report_of(client, EARLY)
        assert await hold(client, first) > 50
        assert adjustments_of(first) == []
        frozen = {key: item["sealed"] for key, item in figures_of(first).items()}
        assert frozen == {key: item["current"] for key, item in figures_of(first).items()}
        # What a seal freezes is what a report of before would have said of the same span.
        now = await report_of(client, EARLY.replace("sealed", "current"))
        points = {item["id"]: item for item in now["blocks"][0]["items"]}
        assert points["mill/line/energy"]["amount"] == frozen["point", "mill/line/energy"]["value"]
        await feed(ingest, [message("line/batch", START + 61 * SECOND, 3.25)])
        clock.now = newest(dsn)[1] + SECOND
        late = await report_of(client, EARLY)
        assert await hold(client, late) > 50
        figures = figures_of(late)
        assert {key: item["sealed"] for key, item in figures.items()} == frozen
        changed = figures["point", "mill/line/batch"]
        (booked,) = [one for one in adjustments_of(late) if one["id"] == "mill/line/batch"]
        assert booked["difference"] == changed["current"]["value"] - changed["sealed"]["value"] != 0.0
        assert (booked["before"], booked["after"]) == (
            changed["sealed"]["value"],
            changed["current"]["value"],
        )


async def test_sealed_again_a_report_tells_its_edition_with_name_and_reason(dsn: str, clock: Clock) -> None:
    async with sealed_shift(dsn, clock) as (client, ingest):
        first = await report_of(client, EARLY)
        await feed(ingest, [message("line/batch", START + 61 * SECOND, 3.25)])
        assert (await again(client, 1, reason="The scale was wrong.")).status_code == 202
        await take(ingest, dsn)
        clock.now = newest(dsn)[1] + SECOND
        second = await report_of(client, EARLY)
        assert (second["sealed"]["edition"], second["sealed"]["reason"]) == (2, "The scale was wrong.")
        assert second["sealed"]["sealed_by"] == first["sealed"]["sealed_by"]
        batch = figures_of(second)["point", "mill/line/batch"]
        assert batch["sealed"]["value"] == batch["current"]["value"]
        old = await report_of(client, f"{EARLY}&edition=1")
        assert (
            figures_of(old)["point", "mill/line/batch"]["sealed"]
            == (figures_of(first)["point", "mill/line/batch"]["sealed"])
        )
        assert "The scale was wrong." in (await client.get(f"{EARLY}&format=html")).text
        audited = (await client.get("/v1/audit?site=mill")).json()["items"]
        assert {"period.sealed", "period.sealed_again"} <= {one["what"] for one in audited}
        problem = problem_of(await client.get(f"{EARLY}&edition=3"))
        assert (problem.status, "no edition 3" in problem.detail) == (404, True)


async def test_gaps_are_those_of_their_route(dsn: str, clock: Clock) -> None:
    ingest = await open_site(dsn, PLANT.replace("units:\n", _CALENDAR, 1))
    late = [message("line/power", START + HOUR + n * 20 * SECOND, 120.0) for n in range(30)]
    await feed(ingest, [*a_day(0.5, step_s=20), *late])
    await ingest.close()
    clock.now = newest(dsn)[1] + SECOND
    async with admin_client(dsn, clock) as client:
        report = await report_of(client, EARLY.replace("sealed", "current"))
        assert report["provisional"]
        await hold(client, report)
        (gaps,) = [block for block in report["blocks"] if block["id"] == "gaps"]
        assert "mill/line/power" in {item["id"] for item in gaps["items"]}


async def test_a_period_that_is_over_is_provisional_until_all_of_it_is_closed(dsn: str, clock: Clock) -> None:
    """A counter that waits for its next reading holds back what rests on it."""
    ingest = await open_site(dsn, PLANT.replace("units:\n", _CALENDAR, 1))
    meters = list(a_day(2.02, step_s=20))
    waits = [one for one in meters if one.topic.endswith("line/energy")][-6:]
    await feed(ingest, [one for one in meters if one not in waits])
    current = EARLY.replace("sealed", "current")
    for coming, provisional in (([], True), (waits, False)):
        await feed(ingest, coming)
        clock.now = newest(dsn)[1] + SECOND
        async with admin_client(dsn, clock) as client:
            report = await report_of(client, current)
        assert (report["until"], report["provisional"]) == (report["to"], provisional)
    await ingest.close()
