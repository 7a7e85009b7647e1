"""A crooked line with late data, a changed factor, a restatement and documents, and all figures that are told of it."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from ingest.model import DAY, HOUR, MINUTE
from ingest.restate import Wanted as Restating
from ingest.restate import restate
from ingest.site import Clocks
from ingest.store.seals import waiting
from service.explained import Kind
from service.times import parse_instant
from tests.ingest.crooked import PLANT, crooked, the_end
from tests.ingest.feeding import START, feed, message, open_site
from tests.ingest.feeding import Clock as IngestClock
from tests.service.conftest import Clock, admin_client
from tests.service.documenting import Papers, analysis, invoice
from tests.service.seeding import text

MINUTES = 150
NOW = START + 2 * DAY
WORKS = PLANT.replace(
    "points:\n",
    """\
  - {id: years, unit: t/MWh, series: [{since: "2026-11-20T08:30:00Z", value: 0.5, source: test, trust: P}, {since: "2026-11-20T09:10:00Z", value: 0.7, source: test, trust: P}]}
  - {id: coal-c, value: 0.0255, unit: t/GJ, basis: NCV, source: test, trust: P}
  - {id: to-co2, value: 3.6666666666666665, unit: t/t, source: test, trust: R}
  - {id: coal-ncv-default, value: 20.0, unit: GJ/t, basis: NCV, source: handbook, trust: unconfirmed}
activities:
  - {id: coal, name: Coal, unit: t, resolution: 0.001}
analyses:
  - {id: coal-ncv, name: Net calorific value of coal, unit: GJ/t, basis: NCV, default: coal-ncv-default}
points:
  - {id: line/reactive, kind: delta, unit: kvarh, period: 1min, resolution: 0.001}
  - {id: line/hourly, kind: sample, unit: g/kWh, period: 1min, max_gap: 3min, sloped: false}
""",  # noqa: E501
    1,
).replace(
    "kpis:\n",
    """\
  - {id: line/by-year, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [years]}
  - {id: line/by-hour, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/power, factor_point: line/hourly}
  - {id: coal-co2, scope: 1, category: combustion, gas: co2, route: calculated, activity: {document: coal}, factors: [coal-ncv, coal-c, to-co2]}
kpis:
  - {id: line/use, kind: total, unit: kWh, numerator: [{point: line/energy}, {point: line/power, weight: -0.5}], windows: [1h]}
  - {id: line/factor, kind: power_factor, unit: "1", numerator: [{point: line/power}], denominator: [{point: line/reactive}], windows: [1h]}
  - {id: line/evenness, kind: load_factor, unit: "1", numerator: [{point: line/power}], block: 15min, windows: [1h]}
  - {id: line/yearly, kind: rate, unit: t/h, numerator: [{source: line/by-year}, {source: line/electricity}], windows: [1h]}
""",  # noqa: E501
    1,
)
CHANGED = WORKS.replace("id: grid, value: 0.4", "id: grid, value: 0.437")
GROUPS = ("scope", "category", "source", "gas", "method", "evidence")
WINDOWS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR)


@dataclass(frozen=True, slots=True)
class Told:
    """A figure as an ordinary route tells it."""

    kind: Kind
    id: str
    from_at: int
    to_at: int
    as_of: int | None
    value: float | None
    reason: str | None
    more: tuple[tuple[str, str], ...] = ()

    @property
    def query(self) -> dict[str, str]:
        """How it is asked for."""
        asked = {"kind": self.kind, "id": self.id, "from": text(self.from_at), "to": text(self.to_at)}
        return asked | dict(self.more) | ({} if self.as_of is None else {"as_of": str(self.as_of)})


@asynccontextmanager
async def world(dsn: str) -> AsyncIterator[tuple[httpx.AsyncClient, list[int]]]:
    """A client of the line, and batches of its past."""
    dice, clock, noted = random.Random(11), Clock(), []
    messages = crooked(5, MINUTES, 60)
    for n in range(MINUTES):
        at = START + n * MINUTE + 1_000_000
        messages.append(message("line/reactive", at, dice.randrange(9000) / 1000))
        messages.append(message("line/hourly", at, dice.uniform(300, 500)))
    messages.sort(key=lambda one: one.received_at)
    late = dice.sample(messages, len(messages) // 12)
    held = set(map(id, late))
    live = [one for one in messages if id(one) not in held]
    for part, plant in ((live[: len(live) // 2], WORKS), (live[len(live) // 2 :], CHANGED)):
        ingest = await open_site(dsn, plant)
        await feed(ingest, part, batch=200)
        noted.append(newest(dsn))
        await feed(ingest, late[: len(late) // 3], batch=60)
        del late[: len(late) // 3]
        noted.append(newest(dsn))
        if plant is CHANGED:
            await feed(ingest, [*late, the_end(MINUTES)])
            noted.append(newest(dsn))
        await ingest.close()
    wanted = Restating(None, 2, text(START), text(START + 50 * MINUTE))
    await restate(dsn, wanted, Clocks(lambda: NOW, lambda: 0), "a test")
    clock.now = NOW
    async with admin_client(dsn, clock) as client:
        await documents(client, dsn)
        yield client, noted


async def documents(client: httpx.AsyncClient, dsn: str) -> None:
    """Coal on paper, half of it analysed."""
    papers = Papers(client, dsn)
    for name in ("anna", "bert"):
        await papers.admit(name, "operate", "read")
    span = {"from": text(START - DAY), "to": text(START + DAY)}
    half = {"from": text(START - DAY), "to": text(START + HOUR)}
    for body in (
        invoice(**span, quantity=333.333),
        invoice(**half, number="LAB-7", **without(analysis(19.37))),
    ):
        response = await papers.post("anna", "/v1/documents", body)
        assert response.status_code == 201, response.text
        await papers.approved(response.json()["document"])
    ingest = await open_site(dsn, CHANGED, clock=IngestClock(NOW))
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for asked in await waiting(connection, 1, 100, ingest.plan):
            await ingest.seal(asked)
    await ingest.close()


def without(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "number"}


def newest(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT max(batch_no) FROM ingest_commit").fetchone()
    assert row is not None
    return int(row[0])


async def content(client: httpx.AsyncClient, path: str, **asked: str) -> Any:
    response = await client.get(path, params=asked)
    assert response.status_code == 200, response.text
    return response.json()


def batch(at: int | None) -> dict[str, str]:
    return {} if at is None else {"as_of": str(at)}


async def windows(
    client: httpx.AsyncClient, dice: random.Random, kpi: dict[str, Any], at: int | None
) -> list[Told]:
    """What the series of a KPI tells."""
    made = []
    for window in dice.sample(WINDOWS[2:] if kpi["kind"] in ("demand", "load_factor") else WINDOWS, 2):
        span = {"from": text(START), "to": text(START + 4 * HOUR), "window": f"{window // MINUTE}min"}
        step = {"step": "15min"} if window > 5 * MINUTE else {}
        columns = (await content(client, f"/v1/kpis/{kpi['id']}/series", **span, **step, **batch(at)))[
            "columns"
        ]
        rows = zip(columns["from"], columns["to"], columns["value"], columns["reason"], strict=True)
        made += [
            Told("kpi", kpi["id"], parse_instant(begin), parse_instant(end), at, value, reason)
            for begin, end, value, reason in rows
        ]
    return made


async def lines(client: httpx.AsyncClient, dice: random.Random, at: int | None) -> list[Told]:
    """Lines of the emissions of some spans, addressed by a source that each holds."""
    made = []
    for group in GROUPS:
        begin = START + dice.randrange(80) * MINUTE
        end = begin + dice.randrange(1, 80) * MINUTE
        page = await content(
            client, "/v1/emissions", group_by=group, **{"from": text(begin), "to": text(end)}, **batch(at)
        )
        made += [
            Told("emission", dice.choice(one["sources"]), begin, end, at, one["value"], one["reason"],
                 (("group_by", group),))
            for one in page["items"]
        ]  # fmt: skip
    return made


async def amounts(client: httpx.AsyncClient, point: str, at: int | None) -> list[Told]:
    """Intervals, hours and days of a point."""
    made = []
    for step in ("interval", "hour", "day"):
        span = {"from": text(START - DAY), "to": text(START + DAY), "limit": "5000"}
        page = await content(client, f"/v1/points/{point}/intervals", step=step, **span, **batch(at))
        made += [
            Told("amount", point, parse_instant(one["from"]), parse_instant(one["to"]), at, one["amount"],
                 one["reason"], (("step", step),))
            for one in page["items"]
        ]  # fmt: skip
    return made


async def everything(client: httpx.AsyncClient, noted: list[int]) -> dict[str, list[Told]]:
    """Figures by kind, now and as of earlier batches."""
    dice = random.Random(3)
    kpis = (await content(client, "/v1/kpis"))["items"]
    points = [
        f"mill/line/{one}" for one in ("energy", "mass", "water", "power", "running", "batch", "sum", "fan")
    ]
    made: dict[str, list[Told]] = {}
    for at in (None, *noted):
        for kpi in kpis:
            made.setdefault(kpi["kind"], []).extend(await windows(client, dice, kpi, at))
        for _ in range(2):
            made.setdefault("emission", []).extend(await lines(client, dice, at))
        for point in dice.sample(points, 3):
            made.setdefault("amount", []).extend(await amounts(client, point, at))
    return made
