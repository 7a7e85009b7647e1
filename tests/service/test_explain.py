"""Every figure follows from its explanation, to the last bit, by a checker that knows nothing of the product."""

import random
from typing import Any

import httpx

from ingest.methods.kernel_version import kernel_version
from ingest.model import MINUTE
from service import as_of, latest
from service.access import Access
from service.explained import explanation
from service.explaining import Wanted
from service.plans import PlanCache
from service.store import Store
from tests.ingest.feeding import START
from tests.service import explained
from tests.service.figured import NOW, Told, content, everything, world
from tests.service.seeding import text

ALL = Access(0, "test", frozenset({"read"}), None)


def check(said: Told, told: dict[str, Any]) -> None:
    """An explanation tells what the route told, and comes to it."""
    figure = told["figure"]
    assert explained.same(figure["value"], said.value), (said, figure)
    assert figure["reason"] == said.reason, (said, figure)
    assert explained.same(explained.recomputed(told), said.value), (said, figure)


async def test_a_thousand_figures_follow_from_their_explanations(dsn: str) -> None:
    dice = random.Random(17)
    async with world(dsn) as (client, noted):
        found = await everything(client, noted)
        chosen = [one for told in found.values() for one in dice.sample(told, min(len(told), 130))]
        assert len(chosen) >= 1000
        chosen = dice.sample(chosen, 1000)
        store, plans = Store(dsn), PlanCache()
        await store.open()
        try:
            async with store.snapshot() as connection:
                (site,) = await plans.visible(connection, ALL, None)
                commits = await latest.read_commits(connection, [site.site_no])
                for one in chosen:
                    known = await as_of.resolve(
                        connection, site, one.query.get("as_of"), commits[site.site_no], NOW
                    )
                    asked: Any = {"group_by": "source", "step": "interval", **dict(one.more)}
                    wanted = Wanted(
                        one.id, one.from_at, one.to_at, at=None, limit=10_000, cursor=None, **asked
                    )
                    told = await explanation(connection, plans, site, one.kind, wanted, known)
                    check(one, told.model_dump(by_alias=True))
        finally:
            await store.close()
        for one in dice.sample(chosen, 50):
            check(one, await pages(client, one, limit=dice.choice((7, 100))))
        await check_what_stands_beside(client, [one for one in chosen if one.kind == "kpi"])


async def pages(client: httpx.AsyncClient, one: Told, limit: int) -> dict[str, Any]:
    """An explanation by HTTP, of all its pages; asked as of the batch of the first."""
    found = [await content(client, "/v1/explain", **one.query, limit=str(limit))]
    while found[-1]["next"] is not None and len(found) < 400:
        found.append(
            await content(client, "/v1/explain", **one.query, limit=str(limit), cursor=found[-1]["next"])
        )
    return explained.joined(found)


async def check_what_stands_beside(client: httpx.AsyncClient, chosen: list[Told]) -> None:
    """Versions, factors, changes, gaps, evidence and kernels are named, and something is of each."""
    span = {"from": text(START), "to": text(START + 150 * MINUTE), "limit": "10000"}
    told = await content(client, "/v1/explain", kind="kpi", id="mill/line/co2", **span)
    assert told["kernels"] == kernel_version()
    assert {one["version"] for one in told["plan_versions"]} == {1, 2}
    factors = {(one["plan_version"], one["id"]): one["value"] for one in told["factors"]}
    assert factors == {(1, "grid"): 0.4, (2, "grid"): 0.437}
    assert {one["cause"] for one in told["changes"]} >= {"late", "restatement"}
    assert all(one["leaf"] and len(one["leaf"]) == 64 for one in told["batches"])
    assert told["gaps"]
    assert {one["id"] for one in told["gaps"]} == {"mill/line/energy"}
