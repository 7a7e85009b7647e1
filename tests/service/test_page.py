"""The live page in a real browser, over a real server."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio

from ingest.model import MINUTE, SECOND
from service import routes_live
from service.app import create_app
from tests.service.browser import Browser, Tab, browser, find_chromium
from tests.service.conftest import ADMIN_KEY, Clock, SeededDatabase, seeded_database
from tests.service.seeding import CLOSED, HORIZON, at
from tests.service.serving import serving

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on PATH (Debian: apt install chromium)"),
]

READY = """
    document.querySelectorAll('.chart path.trace').length >= 8
        && [...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('path.trace'))
"""
FIGURES = """
    [...document.querySelectorAll('[data-value]')].map(
        (element) => [element.dataset.id, element.dataset.window, element.dataset.value, element.innerText])
"""


@pytest.fixture(scope="module")
def database(postgres_server: str, migrated_template: str) -> Iterator[SeededDatabase]:
    """Its figures are changed while the page looks on."""
    with seeded_database(postgres_server, migrated_template) as made:
        yield made


@pytest.fixture(scope="module")
def running_clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(database: SeededDatabase, running_clock: Clock) -> AsyncIterator[str]:
    """Where the page is served."""
    async with serving(create_app(database.dsn, ADMIN_KEY, now=running_clock)) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all; every test has a tab without a past."""
    assert CHROMIUM is not None
    async with browser(CHROMIUM) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def page(address: str, chromium: Browser) -> AsyncIterator[Tab]:
    """The page, signed in, with its charts drawn."""
    async with chromium.tab() as made:
        await made.size(1280, 900)
        await made.open(f"{address}/#key={ADMIN_KEY}")
        await made.until(READY)
        yield made


async def figures_of(address: str) -> dict[tuple[str, str], dict[str, Any]]:
    """What the API says, by (KPI, window)."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as client:
        items = (await client.get(f"{address}/v1/kpis/latest")).json()["items"]
    return {(item["id"], item["window"]): item for item in items}


async def test_the_page_shows_what_the_api_says_and_asks_nobody_else(page: Tab, address: str) -> None:
    expected = await figures_of(address)
    shown = await page.evaluate(FIGURES)
    assert sum(value != "" for _, _, value, _ in shown) >= 20
    for kpi, window, value, text in shown:
        told = expected[kpi, window]["value"]
        if told is None:
            assert value == ""
            continue
        assert float(value) == told
        digits = "".join(character for character in text if character in "0123456789.-")
        assert float(digits) == pytest.approx(told, rel=6e-4)
    assert all(request.startswith(address) for request in page.requests), page.requests
    assert ADMIN_KEY not in await page.evaluate(
        "location.href + document.cookie + JSON.stringify(localStorage)"
    )
    assert page.console == []


async def test_both_accounts_of_co2_stand_side_by_side(page: Tab) -> None:
    pair = await page.evaluate(
        "[...document.querySelectorAll('[data-site=cement] .readouts.pair')].map((pair) => pair.innerText)"
    )
    assert len(pair) == 2
    for text in pair:
        assert "measured" in text
        assert "calculated" in text
    assert (
        await page.evaluate("document.querySelector('.difference').innerText")
        == "measured +0.03\u202f% against calculated"
    )


async def test_a_replay_is_called_one_and_its_age_is_not_told(page: Tab) -> None:
    head = await page.evaluate("document.querySelector('[data-site=steel] .site-head').innerText")
    assert "replay" in head
    assert "recorded data; event time 3 Jan 2018" in head
    assert "old" not in head
    assert "replay" not in await page.evaluate(
        "document.querySelector('[data-site=cement] .site-head').innerText"
    )


async def test_the_age_of_the_data_counts_up(page: Tab) -> None:
    seconds = "Number(document.querySelector('[data-site=cement] .freshness').dataset.seconds)"
    first = await page.evaluate(seconds)
    await page.until(f"{seconds} > {first}")


async def test_a_commit_is_on_the_page_without_asking(page: Tab, database: SeededDatabase) -> None:
    change(database.dsn, "cement/power", value=12_345.678, to_at=HORIZON + SECOND)
    power = 'document.querySelector(\'[data-id="cement/power"][data-window="5min"]\')'
    await page.until(f"{power}.dataset.value === '12345.678'")
    assert await page.evaluate(f"{power}.innerText") == "12\u202f346\nkW"


async def test_where_there_is_no_value_the_page_says_why(page: Tab, database: SeededDatabase) -> None:
    change(
        database.dsn,
        "cement/electricity-intensity",
        value=None,
        reason="no_production",
        to_at=HORIZON + SECOND,
    )
    tile = "document.querySelector('[data-id=\"cement/electricity-intensity\"]').closest('.readout')"
    await page.until(f"{tile}.innerText.includes('no production')")
    assert await page.evaluate(f"{tile}.querySelector('.number').innerText") == "\u2013"


async def test_old_data_are_no_figures(page: Tab, running_clock: Clock) -> None:
    running_clock.now += 6 * MINUTE
    try:
        await page.until(
            "document.querySelector('[data-site=cement] .tile').innerText.includes('data too old')"
        )
        assert "too old" not in await page.evaluate("document.querySelector('[data-site=steel]').innerText")
    finally:
        running_clock.now -= 6 * MINUTE


async def test_going_over_the_contract_is_seen(page: Tab, database: SeededDatabase) -> None:
    gauge = "document.querySelector('[data-site=cement] .gauge')"
    change(database.dsn, "cement/demand", value=12_900.0, to_at=HORIZON)  # another test may have left more
    await page.until(f"{gauge}.dataset.over === 'false'")
    change(database.dsn, "cement/demand", value=13_100.0, to_at=HORIZON + SECOND)
    await page.until(f"{gauge}.dataset.over === 'true'")
    assert "101\u202f% of 13\u202f000 kW contracted" in await page.evaluate(
        f"{gauge}.parentElement.innerText"
    )


async def test_what_may_still_be_drawn_is_told(page: Tab, database: SeededDatabase) -> None:
    room = "document.querySelector('[data-site=cement] .room')"
    running(database.dsn, "cement/demand", minutes=6, kw=14_000.0)
    await page.until(f"{room}.dataset.mayDraw !== ''")
    # Of 3250 kWh 1400 are drawn, and nine minutes are left.
    assert float(await page.evaluate(f"{room}.dataset.mayDraw")) == pytest.approx(1850 / 0.15)
    text = await page.evaluate(f"{room}.innerText")
    assert text.startswith(
        "12\u202f333 kW may still be drawn; projected 14\u202f000 kW at 16:15; contract drawn in 7"
    )
    assert await page.evaluate(f"{room}.dataset.over") == "false"
    running(database.dsn, "cement/demand", minutes=14, kw=14_000.0)
    await page.until(f"{room}.dataset.over === 'true'")


async def test_no_line_is_drawn_across_a_gap(page: Tab) -> None:
    path = await page.evaluate(
        "document.querySelector('[data-id=\"cement/electricity-intensity\"]')"
        ".closest('.tile').querySelector('path.trace').getAttribute('d')"
    )
    # The seeded gap and the hour without production each end a stroke.
    assert path.count("M") == 3


async def test_pointing_at_a_chart_tells_what_was(page: Tab) -> None:
    told = await page.evaluate(
        """(() => {
            const svg = document.querySelector('[data-site=steel] .chart svg');
            const box = svg.getBoundingClientRect();
            svg.dispatchEvent(new PointerEvent('pointermove', {clientX: box.right - 8, clientY: box.top + 20}));
            return svg.closest('.chart').querySelector('.at').innerText;
        })()"""
    )
    # Midnight UTC in Seoul, and the power of the last quarter of an hour.
    assert told == "09:00 98.66"


@pytest.mark.parametrize("width", [390, 768, 1280])
async def test_it_fits_the_screen(page: Tab, width: int) -> None:
    await page.size(width, 800)
    await page.until(f"innerWidth === {width}")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = await page.evaluate(
        "[...document.querySelectorAll('.now, .others td, .site-head')]"
        ".filter((element) => element.offsetParent && element.getBoundingClientRect().right > innerWidth)"
        ".map((element) => element.innerText)"
    )
    assert clipped == []


async def test_a_wrong_key_is_told_and_a_right_one_opens(address: str, chromium: Browser) -> None:
    async with chromium.tab() as page:
        await page.open(address)
        await page.until("document.getElementById('login') && !document.getElementById('login').hidden")
        assert page.console == []
        await sign_in(page, "wrong")
        await page.until("document.getElementById('refusal').innerText === 'This key is not known.'")
        await sign_in(page, ADMIN_KEY)
        await page.until(READY)
        await page.open(address)
        await page.until(READY)
        await page.evaluate("document.getElementById('leave').click()")
        await page.until("!document.getElementById('login').hidden")
        assert await page.evaluate("document.querySelectorAll('.site').length") == 0


async def test_while_there_is_no_stream_the_page_asks(page: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    state = "document.getElementById('connection')?.dataset.state"
    assert await page.evaluate(state) == "live"
    monkeypatch.setattr(routes_live, "MOST_STREAMS", 0)
    await page.evaluate("location.reload()")
    await page.until(f"{state} === 'polling'")
    await page.until(READY)
    monkeypatch.setattr(routes_live, "MOST_STREAMS", 10)
    await page.until(f"{state} === 'live'")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where STACKWATT_SCREENSHOTS says, for README and for eyes."""
    found = Path(os.environ.get("STACKWATT_SCREENSHOTS", tmp_path))
    found.mkdir(parents=True, exist_ok=True)
    return found


async def test_screenshots(page: Tab, folder: Path) -> None:
    for name, width, dark in (("page", 1280, False), ("page-dark", 1280, True), ("page-phone", 390, False)):
        await page.size(width, 900, dark=dark, scale=1 if width > 500 else 2)
        await page.until(f"innerWidth === {width}")
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        picture = await page.screenshot()
        assert picture.startswith(b"\x89PNG")
        (folder / f"{name}.png").write_bytes(picture)


async def sign_in(page: Tab, key: str) -> None:
    """Type a key and send the form."""
    await page.evaluate(
        f"document.getElementById('key').value = '{key}'; document.getElementById('login').requestSubmit()"
    )


def running(dsn: str, kpi: str, *, minutes: int, kw: float) -> None:
    """A block that began at CLOSED, at a steady load, as ingest leaves its two windows."""
    until = CLOSED + minutes * MINUTE
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            INSERT INTO kpi_latest (kpi_no, window_us, from_at, to_at, a, b, value, reason, covered_us, valid_us,
                                    substituted_us, quality, reasons, plan_version, known_at, batch_no)
            SELECT kpi_no, w.window_us, w.from_at, %(to)s, %(kw)s * w.span_us / 3.6e9, w.span_us / 3.6e9, %(kw)s, NULL,
                   w.span_us, w.span_us, 0, 0, 0, 1, %(to)s, 812
              FROM kpi, (VALUES (900000000, %(block)s::timestamptz, %(block_us)s),
                                (120000000, %(load)s::timestamptz, 120000000)) w (window_us, from_at, span_us)
             WHERE id = %(kpi)s
            ON CONFLICT (kpi_no, window_us) DO UPDATE
               SET (from_at, to_at, a, b, value, covered_us, valid_us)
                 = (excluded.from_at, excluded.to_at, excluded.a, excluded.b, excluded.value, excluded.covered_us,
                    excluded.valid_us)
            """,
            {
                "kpi": kpi,
                "kw": kw,
                "block": at(CLOSED),
                "block_us": minutes * MINUTE,
                "load": at(until - 2 * MINUTE),
                "to": at(until),
            },
        )


def change(dsn: str, kpi: str, *, value: float | None, to_at: int, reason: str | None = None) -> None:
    """What ingest does at a commit: new figures and a notice."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            UPDATE kpi_latest SET value = %s, reason = %s, to_at = %s
             WHERE kpi_no = (SELECT kpi_no FROM kpi WHERE id = %s)
            """,
            [value, reason, at(to_at), kpi],
        )
        connection.execute("SELECT pg_notify('stackwatt', '1:813')")
