"""Alerts on the live page, in a real browser over a real ingest: they appear, are acknowledged, and leave."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from ingest.model import SECOND
from service import keys
from service.app import create_app
from tests.ingest.alerts.mill import Told
from tests.ingest.feeding import START
from tests.service.browser import Browser, Tab, browser, find_chromium
from tests.service.conftest import ADMIN_KEY, Clock
from tests.service.serving import serving

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on PATH (Debian: apt install chromium)"),
]

EPISODE = f"mill.high.{START + 20 * SECOND}"
CARD = "document.querySelector('[data-site=mill] .alerts')"
ALERT = f"document.querySelector('[data-episode=\"{EPISODE}\"]')"
BUTTON = f"{ALERT}.querySelector('button.ack')"
SAID = "document.querySelector('[data-site=mill] [role=status]').textContent"


@dataclass(frozen=True, slots=True)
class Room:
    """A mill, the page about it, and what the API says."""

    dsn: str
    address: str
    mill: Told
    chromium: Browser

    async def key(self, *scopes: str) -> str:
        """A key named after its scopes."""
        async with await AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            return await keys.create(connection, "-".join(scopes), scopes, None)

    async def rise(self) -> None:
        """The power is above its limit for longer than the rule holds."""
        for second in range(0, 90, 10):
            await self.mill.power(second, 700 if second < 20 else 820)

    async def alert(self) -> dict[str, Any]:
        """What the API says of the episode."""
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as client:
            found: dict[str, Any] = (await client.get(f"{self.address}/v1/alerts/{EPISODE}")).json()
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all; every test has a tab without a past."""
    assert CHROMIUM is not None
    async with browser(CHROMIUM) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def room(dsn: str, chromium: Browser) -> AsyncIterator[Room]:
    """A mill at work, its page served."""
    mill, clock = Told(dsn), Clock()
    await mill.begin()
    clock.now = START + 90 * SECOND
    async with serving(create_app(dsn, ADMIN_KEY, now=clock)) as address:
        yield Room(dsn, address, mill, chromium)
    await mill.ingest.close()


async def look(page: Tab, room: Room, key: str, width: int = 1280) -> None:
    """Sign in and wait until the page has asked for alerts."""
    await page.size(width, 800, dark=width < 500)
    await page.open(f"{room.address}/#key={key}")
    await page.until(
        f"{CARD} && performance.getEntriesByType('resource').some(e => e.name.includes('/v1/alerts'))"
    )


async def test_an_alert_appears_is_acknowledged_and_leaves(room: Room) -> None:
    async with room.chromium.tab() as page:
        await look(page, room, await room.key("read", "operate"))
        assert await page.evaluate(f"{CARD}.hidden")
        await page.evaluate("window.sameDocument = true")
        await room.rise()
        await page.until(f"{ALERT} && !{CARD}.hidden")
        shown = await page.evaluate(f"{ALERT}.innerText")
        for part in (
            "Warning",
            "820.0 kW, above 800.0 kW",
            "since 20 Nov 2026, 09:01 CET",
            "mill/line/power is 820 kW, above its limit of 800 kW, for 1min.",
            "Look at the mill",
            "at stake: 0.3333 kWh",
            "not acknowledged",
        ):
            assert part in shown.replace("\u202f", " "), shown
        assert await page.evaluate(SAID) == (
            "Warning: mill/line/power is 820 kW, above its limit of 800 kW, for 1min."
        )

        await page.evaluate(f"{BUTTON}.click()")
        await page.until(f"{ALERT}.innerText.includes('acknowledged by read-operate at 09:01')")
        assert await page.evaluate(f"{BUTTON}.hidden")
        said = await room.alert()
        assert (said["acknowledged_by"], said["state"]) == ("read-operate", "firing")

        await room.mill.power(100, 600)
        await page.until(f"!{ALERT} && {CARD}.hidden")
        assert await page.evaluate(SAID) == "Resolved: high"
        assert await page.evaluate("window.sameDocument")
        assert page.console == []


async def test_who_may_only_look_sees_no_button_and_why(room: Room) -> None:
    await room.rise()
    async with room.chromium.tab() as page:
        await look(page, room, await room.key("read", "operate@elsewhere"))
        await page.until(f"!!{ALERT}")
        assert await page.evaluate(f"{BUTTON}.hidden")
        assert await page.evaluate(f"{ALERT}.querySelector('.seen').title") == (
            "Key read-operate@elsewhere may only look: acknowledging takes the scope operate."
        )
        assert await page.evaluate(SAID) == ""  # what fired before is no news


async def test_a_lost_answer_is_told_and_the_keyboard_is_enough(room: Room) -> None:
    await room.rise()
    async with room.chromium.tab() as page:
        await look(page, room, await room.key("read", "operate"), width=390)
        await page.until(f"!!{ALERT}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.call("Network.setBlockedURLs", urls=["*/ack"])
        await page.evaluate(f"{BUTTON}.focus()")
        await press_enter(page)
        await page.until(f"{ALERT}.innerText.includes('Not acknowledged: no connection; try again.')")
        assert await page.evaluate(f"document.activeElement === {BUTTON}")
        assert (await room.alert())["acknowledged_by"] is None
        await page.call("Network.setBlockedURLs", urls=[])
        await press_enter(page)
        await page.until(f"{ALERT}.innerText.includes('acknowledged by')")
        assert "Not acknowledged" not in await page.evaluate(f"{ALERT}.innerText")
        assert await page.evaluate(f"document.activeElement === {ALERT}")
        assert [act["author"] for act in (await room.alert())["acts"]] == ["read-operate"]


async def press_enter(page: Tab) -> None:
    """As a person does it."""
    for kind in ("keyDown", "keyUp"):
        await page.call(
            "Input.dispatchKeyEvent",
            type=kind,
            key="Enter",
            code="Enter",
            text="\r",
            windowsVirtualKeyCode=13,
        )
