"""A receiver of webhooks in the test's own loop, and rows of `event` as ingest writes them.

A real server on loopback: it keeps what it is sent, in order, and answers as it is told.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ingest.plant import canonical, parse_plant

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD_SECRET = "whsec_" + base64.b64encode(bytes(range(100, 132))).decode()
ENVIRONMENT = {"HOOK_SECRET": SECRET, "OLD_HOOK_SECRET": OLD_SECRET}


@dataclass(frozen=True, slots=True)
class Received:
    """One POST as it came."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """What was received, and what is answered."""

    port: int
    got: list[Received] = field(default_factory=list)
    answer: Callable[[Received], bytes | None] = lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"
    """The raw answer; None: the connection ends without one."""
    hang: bool = False
    """After the answer, the connection stays open until `released`."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.got]

    async def until(self, count: int) -> None:
        """Wait until so many have come."""
        async with asyncio.timeout(30):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            received = await taken(reader)
            self.got.append(received)
            self.news.set()
            if (said := self.answer(received)) is not None:
                writer.write(said)
                await writer.drain()
            if self.hang:
                await self.released.wait()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def taken(reader: asyncio.StreamReader) -> Received:
    """One request, read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)


def status(code: int, *headers: str, body: str = "") -> bytes:
    """A raw answer."""
    lines = [f"HTTP/1.1 {code} Said", *headers, f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a free port of loopback."""
    receiver = Receiver(0)
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield receiver
        finally:
            receiver.released.set()


def apply_plant(dsn: str, webhooks: Iterable[Mapping[str, Any]], site: str = "mill", version: int = 1) -> int:
    """Put a plan version with these webhooks in force; the site's number."""
    entries = json.dumps(list(webhooks))
    text = (
        f"site: {site}\nname: Mill\ntime_zone: UTC\nunits: [{{id: kiln, name: Kiln}}]\nwebhooks: {entries}\n"
    )
    digest, body = canonical(parse_plant(text, "mill.yaml"))
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO site (id) VALUES (%s) ON CONFLICT DO NOTHING", [site])
        row = connection.execute("SELECT site_no FROM site WHERE id = %s", [site]).fetchone()
        assert row is not None
        connection.execute(
            "INSERT INTO plan_version (site_no, version, effective_at, digest, body)"
            " VALUES (%s, %s, now() - interval '1 h', %s, %s)",
            [row[0], version, digest, Jsonb(body)],
        )
        connection.execute("NOTIFY stackwatt_plan")
    return int(row[0])


def webhook(url: str, **more: Any) -> dict[str, Any]:
    """An entry of a plant file."""
    return {"id": "mes", "url": url, "secret_env": "HOOK_SECRET", "events": ["*"], **more}


def alert(number: int, **more: Any) -> dict[str, Any]:
    """The data of an alert, by the contract of the outbox."""
    return {
        "rule": "demand-high", "kind": "threshold", "severity": "warning", "episode": f"ep-{number}",
        "state": "firing", "subject": {"kind": "kpi", "id": "mill/demand", "window": "15min"}, "site": "mill",
        "unit_path": "kiln", "unit": "kW", "value": 561.25, "limit": 550.0, "comparison": "above",
        "valid_share": 1.0, "quality": "good", "reasons": [], "from": "2026-11-30T08:00:00Z",
        "to": "2026-11-30T08:15:00Z", "at": "2026-11-30T08:14:58Z", "pending_at": "2026-11-30T08:13:58Z",
        "fired_at": "2026-11-30T08:14:58Z", "resolved_at": None,
        "cause": "Demand is 561 kW, above 550 kW, for 1 min.", "advice": "Delay the next charge.",
        "at_stake": {"energy_kwh": 12.5, "co2_t": 0.006, "money": 410.0, "currency": "CNY", "reason": None},
        "link": f"/?alert=ep-{number}", "plan_version": 1, **more,
    }  # fmt: skip


def tell(
    connection: psycopg.Connection[Any],
    site_no: int,
    event_id: str,
    *,
    stream: str | None = None,
    kind: str = "alert.firing",
    historical: bool = False,
    data: Any = None,
) -> None:
    """Write an event as ingest does; it is told when the connection's transaction commits."""
    connection.execute(
        "INSERT INTO event (site_no, id, type, stream, occurred_at, batch_no, historical, data)"
        " VALUES (%s, %s, %s, %s, %s, 1, %s, %s)",
        [
            site_no, event_id, kind, stream or event_id, datetime(2026, 11, 30, 8, 15, tzinfo=UTC), historical,
            Jsonb(alert(1) if data is None else data),
        ],
    )  # fmt: skip
    connection.execute("NOTIFY stackwatt_event")
