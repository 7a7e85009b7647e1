"""Headless Chromium driven over its own protocol: no driver to install, nothing between test and page.

A `Tab` notes every console message, uncaught exception and request, so a test can
say that there was none it did not expect.
"""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)


def find_chromium() -> str | None:
    """The browser's path, None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass(slots=True)
class Tab:
    """One page and what it did."""

    socket: ClientConnection
    console: list[str] = field(default_factory=list)
    """Errors and warnings of the page, and exceptions nobody caught."""
    requests: list[str] = field(default_factory=list)
    _waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol and its answer."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        found: dict[str, Any] = await answer
        return found

    async def open(self, address: str) -> None:
        """Go there; returns when the navigation has begun."""
        await self.call("Page.navigate", url=address)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str, within_s: float = 20.0) -> Any:
        """The expression's value once it is truthy; fails with what the page shows if it never is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (value := await self.evaluate(expression)):  # noqa: ASYNC110  the page has no events for us
                    await asyncio.sleep(0.05)
                return value
        shown = await self.evaluate("document.body.innerText")
        raise AssertionError(f"never true: {expression}; console {self.console}; the page shows: {shown}")

    async def size(self, width: int, height: int, *, dark: bool = False, scale: float = 1) -> None:
        """The window's size in CSS pixels, and which colours the user likes."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def screenshot(self) -> bytes:
        """The whole page as PNG."""
        height = await self.evaluate("document.documentElement.scrollHeight")
        width = await self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = await self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    async def listen(self) -> None:
        """Read what the browser says until it goes."""
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                answer = self._waiting.pop(message["id"])
                if "error" in message:
                    answer.set_exception(AssertionError(message["error"]))
                else:
                    answer.set_result(message["result"])
            else:
                self._note(message["method"], message["params"])

    def _note(self, method: str, said: dict[str, Any]) -> None:
        match method:
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                self.console.append(" ".join(str(part.get("value", part)) for part in said["args"]))
            case "Runtime.exceptionThrown":
                details = said["exceptionDetails"]
                self.console.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded" if said["entry"]["level"] in ("error", "warning"):
                self.console.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])


@dataclass(frozen=True, slots=True)
class Browser:
    """A running browser."""

    address: str
    """Of its protocol, `ws://127.0.0.1:PORT/…`."""

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """An empty tab with no past: its cookies and its storage are its own."""
        async with _talk(self.address) as control:
            context = (await control.call("Target.createBrowserContext"))["browserContextId"]
            made = await control.call("Target.createTarget", url="about:blank", browserContextId=context)
            base = self.address.partition("/devtools/")[0]
            async with _talk(f"{base}/devtools/page/{made['targetId']}") as tab:
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await tab.call(f"{domain}.enable")
                yield tab
            await control.call("Target.disposeBrowserContext", browserContextId=context)


@asynccontextmanager
async def browser(program: str) -> AsyncIterator[Browser]:
    """A fresh browser; gone with its profile afterwards."""
    profile = Path(tempfile.mkdtemp(prefix="stackwatt-browser-"))
    process = _started([program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"])
    try:
        yield Browser(await _address(profile, process))
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
        # Its helpers may write for a moment longer.
        await asyncio.to_thread(shutil.rmtree, profile, ignore_errors=True)


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent)


@asynccontextmanager
async def _talk(address: str) -> AsyncIterator[Tab]:
    async with connect(address, max_size=None, compression=None, proxy=None) as socket:
        made = Tab(socket)
        listener = asyncio.create_task(made.listen())
        try:
            yield made
        finally:
            listener.cancel()
            await asyncio.wait([listener])


async def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the browser listens; it writes that into its profile."""
    note = profile / "DevToolsActivePort"
    async with asyncio.timeout(30):
        while not (note.exists() and len(note.read_text().splitlines()) == 2):
            assert process.poll() is None, "Chromium ended at once"
            await asyncio.sleep(0.05)
    port, path = note.read_text().splitlines()
    return f"ws://127.0.0.1:{port}{path}"
