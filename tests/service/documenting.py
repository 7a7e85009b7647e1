"""Documents in tests: a plant that knows coal from papers, people, and an ingest that takes what they approve."""

import secrets
from typing import Any

import httpx
import psycopg
from psycopg import AsyncConnection

from ingest.model import DAY, HOUR
from ingest.site import SiteIngest
from ingest.store.seals import waiting
from service import keys
from tests.ingest.feeding import PLANT, START, Clock, feed, message, open_site
from tests.service.seeding import text

PAPERS = (
    PLANT.replace(
        "points:\n",
        """\
  - {id: coal-c, value: 0.0255, unit: t/GJ, basis: NCV, source: test, trust: P}
  - {id: to-co2, value: 44/12, unit: t/t, source: test, trust: R}
  - {id: coal-ncv-default, value: 20.0, unit: GJ/t, basis: NCV, source: handbook, trust: unconfirmed}
  - {id: ch4-coal, value: 10.0, unit: kg/t, source: test, trust: unconfirmed}
  - {id: lime, value: 0.44, unit: t/t, source: test, trust: P}
activities:
  - {id: coal, name: Coal, unit: t, resolution: 0.001}
  - {id: lime, name: Limestone, unit: t, resolution: 0.001}
  - {id: tar, name: Tar sold, unit: t, resolution: 0.001}
analyses:
  - {id: coal-ncv, name: Net calorific value of coal, unit: GJ/t, basis: NCV, default: coal-ncv-default}
  - {id: tar-c, name: Carbon of tar, unit: t/t}
points:
""",
        1,
    )
    .replace("44/12", "3.6666666666666665")
    .replace(
        "sources:\n",
        """\
sources:
  - {id: coal-co2, scope: 1, category: combustion, gas: co2, route: calculated, activity: {document: coal}, factors: [coal-ncv, coal-c, to-co2]}
  - {id: coal-ch4, scope: 1, category: combustion, gas: ch4, route: calculated, activity: {document: coal}, factors: [ch4-coal]}
  - {id: lime-co2, scope: 1, category: process, gas: co2, route: calculated, activity: {document: lime}, factors: [lime]}
  - {id: tar-co2, scope: 1, category: products, gas: co2, route: calculated, activity: {document: tar}, factors: [tar-c, to-co2]}
""",  # noqa: E501
        1,
    )
)
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FROM, TO = START - 10 * DAY, START
NOW = START + 20 * HOUR
"""The service's clock, and that of ingest."""


class Papers:
    """Who enters documents at the mill, and the site that takes them."""

    def __init__(self, client: httpx.AsyncClient, dsn: str) -> None:
        self.client = client
        self.dsn = dsn
        self._keys: dict[str, str] = {}

    async def admit(self, name: str, *scopes: str, sites: list[str] | None = None) -> None:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            self._keys[name] = await keys.create(connection, name, scopes, sites)

    async def post(
        self, name: str, path: str, body: Any = None, key: str | None = None, content: bytes | None = None
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self._keys[name]}",
            "Idempotency-Key": key or secrets.token_hex(8),
        }
        if content is None:
            return await self.client.post(path, json=body, headers=headers)
        return await self.client.post(path, content=content, headers={**headers, "Content-Type": "text/csv"})

    async def proposed(self, **more: Any) -> int:
        """The number of an invoice of coal, or what `more` makes of it, that anna enters."""
        response = await self.post("anna", "/v1/documents", invoice(**more))
        assert response.status_code == 201, response.text
        return int(response.json()["document"])

    async def approved(self, number: int) -> None:
        response = await self.post("bert", f"/v1/documents/{number}/approve")
        assert response.status_code == 200, response.text

    async def entered(self, **more: Any) -> int:
        """A document that both have agreed to and ingest has taken; its number."""
        number = await self.proposed(**more)
        await self.approved(number)
        await taken(self.dsn)
        return number

    async def withdrawn(self, number: int) -> None:
        response = await self.post("anna", f"/v1/documents/{number}/withdraw", {"note": "wrong"})
        assert response.status_code == 201, response.text
        await self.approved(response.json()["document"])
        await taken(self.dsn)

    async def told(self, number: int) -> dict[str, Any]:
        response = await self.client.get("/v1/documents")
        items: list[dict[str, Any]] = response.json()["items"]
        return next(item for item in items if item["document"] == number)

    async def emitted(self, from_at: int, to_at: int, **more: Any) -> dict[str, Any]:
        """The answer of /v1/emissions."""
        asked = {"from": text(from_at), "to": text(to_at), "group_by": "source", **more}
        response = await self.client.get("/v1/emissions", params=asked)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def line(self, from_at: int, to_at: int, source: str = "coal-co2", **more: Any) -> dict[str, Any]:
        """What one source emitted."""
        items = (await self.emitted(from_at, to_at, **more))["items"]
        return next(item for item in items if item["id"] == f"mill/{source}")


def invoice(**more: Any) -> dict[str, Any]:
    """An invoice of 1000 t of coal over ten days; what is None in `more` is left out."""
    given = {
        "site": "mill", "kind": "invoice", "number": "RE-1", "activity": "coal", "from": text(FROM), "to": text(TO),
        "quantity": 1000.0, "file_sha256": SHA, **more,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def analysis(value: float, **more: Any) -> dict[str, Any]:
    """What makes an analysis of the calorific value of that invoice."""
    return {
        "kind": "analysis", "number": "LAB-1", "activity": None, "quantity": None, "analysis": "coal-ncv",
        "value": value, "basis": ["NCV"], **more,
    }  # fmt: skip


async def opened(dsn: str, plant: str = PAPERS) -> SiteIngest:
    return await open_site(dsn, plant, clock=Clock(NOW))


async def taken(dsn: str, plant: str = PAPERS) -> None:
    """Let ingest take what was approved."""
    ingest = await opened(dsn, plant)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        for asked in await waiting(connection, 1, 100, ingest.plan):
            await ingest.seal(asked)
    await ingest.close()


async def begun(dsn: str, plant: str = PAPERS) -> None:
    """Three hours of the mill's meter are stored."""
    ingest = await opened(dsn, plant)
    await feed(ingest, [message("line/energy", START + n * 60_000_000, n / 8) for n in range(181)])
    await ingest.close()
