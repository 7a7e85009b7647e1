"""Every figure follows from its explanation, to the last bit, by a checker that knows nothing of the product."""

import math
import random
from typing import Any

import httpx
import numpy as np
import pytest

from ingest.methods.kernel_version import kernel_version
from ingest.model import DAY, HOUR, MINUTE, Reason
from ingest.pipeline.signals import Signals, fold
from ingest.pipeline.state import SiteState
from ingest.plant import compile_plan, parse_plant
from service import as_of, latest
from service.access import Access
from service.explained import explanation
from service.explaining import Wanted
from service.figures import QUALITY_NAMES
from service.plans import PlanCache
from service.store import Store
from tests.ingest.feeding import START, a_day, feed, open_site
from tests.ingest.sealing import seal
from tests.service import explained
from tests.service.conftest import Clock, admin_client
from tests.service.figured import CHANGED, NOW, Told, content, everything, world
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
        chosen, nothing = [], []
        for told_of in found.values():
            with_value = [one for one in told_of if one.value is not None]
            assert len(with_value) >= 30
            chosen += dice.sample(with_value, min(len(with_value), 180))
            nothing += [one for one in told_of if one.value is None]
        assert len(chosen) >= 1000
        chosen = [*dice.sample(chosen, 1000), *dice.sample(nothing, 100)]
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
        await check_what_stands_beside(client)
        await check_readings(client, dice)
        await check_that_a_wrong_number_is_found(client, dice, chosen)
        await check_refusals(client)


async def pages(client: httpx.AsyncClient, one: Told, limit: int) -> dict[str, Any]:
    """An explanation by HTTP, of all its pages; asked as of the batch of the first."""
    found = [await content(client, "/v1/explain", **one.query, limit=str(limit))]
    while found[-1]["next"] is not None and len(found) < 400:
        found.append(
            await content(client, "/v1/explain", **one.query, limit=str(limit), cursor=found[-1]["next"])
        )
    return explained.joined(found)


async def check_what_stands_beside(client: httpx.AsyncClient) -> None:
    """Versions, factors, changes, gaps, evidence and kernels are named, and something is of each."""
    span = {"from": text(START), "to": text(START + 150 * MINUTE), "limit": "10000"}
    told = await content(client, "/v1/explain", kind="kpi", id="mill/line/co2", **span)
    assert told["kernels"] == kernel_version()
    assert {one["version"] for one in told["plan_versions"]} == {1, 2}
    factors = {(one["plan_version"], one["id"]): one["value"] for one in told["factors"]}
    assert factors == {(1, "grid"): 0.4, (2, "grid"): 0.437}
    assert {one["cause"] for one in told["changes"]} >= {"late", "restatement"}
    assert all(one["leaf"] and len(one["leaf"]) == 64 for one in told["batches"])
    hours = await content(client, "/v1/evidence/mill/hours", **{"from": text(START), "to": text(NOW)})
    roots = {one["from"]: one["root"] for one in hours["items"]}
    stated = [one for one in told["batches"] if one["root"] is not None]
    assert stated
    assert all(roots[one["hour"]] == one["root"] for one in stated)
    assert told["gaps"]
    assert {one["id"] for one in told["gaps"]} == {"mill/line/energy"}


async def check_readings(client: httpx.AsyncClient, dice: random.Random) -> None:
    """The readings told of an interval fold to it."""
    state = SiteState(compile_plan(parse_plant(CHANGED, "works.yaml"), version=2))
    folded = 0
    for point in ("energy", "gas", "power", "heat", "batch"):
        name = f"mill/line/{point}"
        span = {"from": text(START + 20 * MINUTE), "to": text(START + 140 * MINUTE), "limit": "1000"}
        items = (await content(client, f"/v1/points/{name}/intervals", **span))["items"]
        usable = [one for one in items if one["valid_share"] == 1.0 and not one["substituted_share"]]
        for one in dice.sample(usable, min(8, len(usable))):
            asked = {"kind": "amount", "id": name, "from": one["from"], "to": one["to"], "at": one["from"]}
            told = await content(client, "/v1/explain", **asked)
            ((stored,), place) = (told["items"], state.plan.index[name])
            (row,) = refolded(state, place, told)
            assert row["amount"] == stored["values"]["amount"], (one, told["readings"])
            if stored["values"]["amount_count"] is not None:
                assert row["amount_count"] == stored["values"]["amount_count"]
            folded += 1
    assert folded >= 30


def refolded(state: SiteState, place: int, told: dict[str, Any]) -> Any:
    """The rows of the span of an explanation, folded from its readings by the pipeline's own fold."""
    readings = told["readings"]
    at = np.array([explained.microseconds(one["measured_at"]) for one in readings], np.int64)
    value = np.array([np.nan if one["value"] is None else one["value"] for one in readings])
    quality = np.array([QUALITY_NAMES.index(one["quality"]) for one in readings], np.int64)
    reasons = np.array([sum(Reason[name.upper()] for name in one["reasons"]) for one in readings], np.int64)
    seq = np.array([-1 if one["seq"] is None else one["seq"] for one in readings], np.int64)
    counts = state.counts(np.full(at.size, place), value)
    signal = Signals(np.array([0, at.size]), at, value, counts, quality, reasons, seq)
    begin, end = (explained.microseconds(told["figure"][name]) for name in ("from", "to"))
    return fold(state, signal, np.array([place]), np.array([begin]), np.array([end])).rows


async def check_that_a_wrong_number_is_found(
    client: httpx.AsyncClient, dice: random.Random, chosen: list[Told]
) -> None:
    """The checker can fail: one bit of one number of an explanation is enough."""
    for one in [one for one in chosen if one.value and one.kind != "amount"][:30]:
        told = await content(client, "/v1/explain", **one.query, limit="10000")
        row = dice.choice([one for one in told["items"] if one["values"].get("count", 1)])
        name = next(name for name in ("a", "mass_kg", "count") if name in row["values"])
        number = row["values"][name]
        row["values"][name] = number + 1 if name == "count" else math.nextafter(number, math.inf)
        with pytest.raises(AssertionError):
            explained.recomputed(told)


async def check_refusals(client: httpx.AsyncClient) -> None:
    """What cannot be explained whole is one sentence."""
    closed = {"from": text(START), "to": text(START + HOUR)}
    for status, expected, asked in (
        (404, "There is no KPI 'mill/line/none'", {"kind": "kpi", "id": "mill/line/none", **closed}),
        (404, "There is no source", {"kind": "emission", "id": "mill/line/none", **closed}),
        (404, "There is no point", {"kind": "amount", "id": "mill/none", **closed}),
        (422, "is a sample and has no amounts", {"kind": "amount", "id": "mill/line/temperature", **closed}),
        (422, "expected one hour of the point", {"kind": "amount", "id": "mill/line/energy", "step": "hour",
                                                 "from": text(START + MINUTE), "to": text(START + HOUR)}),
        (422, "an edge of the site's intervals", {"kind": "kpi", "id": "mill/line/use", **closed,
                                                  "from": text(START + 1)}),
        (422, "is not closed up to", {"kind": "kpi", "id": "mill/line/use", **closed, "to": text(NOW - DAY)}),
        (422, "the begin of a row of the figure", {"kind": "kpi", "id": "mill/line/use", **closed,
                                                   "at": text(START - HOUR)}),
        *((422, sentence, {"kind": kind, "id": "mill/line/use", **closed}) for kind, sentence in (
            ("sealed", "as_of = the batch_no of its total"), ("hour", "/v1/sources/{id}/hours"),
            ("demand", "once the block is closed"), ("cost", "/v1/costs tells them"))),
        (422, "Query parameter 'kind'", {"kind": "regime", "id": "mill/line/use", **closed}),
    ):  # fmt: skip
        response = await client.get("/v1/explain", params=asked)
        assert response.status_code == status, response.text
        assert expected in response.json()["detail"]


async def test_a_sealed_figure_is_explained_as_of_its_edition(dsn: str, clock: Clock) -> None:
    """What late data changed since is in the explanation of now, not in that of the edition."""
    ingest = await open_site(dsn)
    fed = [*a_day(2.1, 15)]
    late = [one for one in fed if one.topic.endswith("line/power")][200:204]
    held = set(map(id, late))
    await feed(ingest, [one for one in fed if id(one) not in held])
    await seal(ingest, dsn, START, START + 2 * HOUR)
    await feed(ingest, late)
    await ingest.close()
    clock.now = START + DAY
    async with admin_client(dsn, clock) as client:
        period = await content(client, "/v1/periods/1")
        span = {"from": period["from"], "to": period["to"]}
        compared = 0
        for figure in period["figures"]:
            kind = {"kpi": "kpi", "source": "emission"}.get(figure["subject"])
            if kind is None:
                continue
            for basis in ("sealed", "current"):
                asked = {"kind": kind, "id": figure["id"], **span, "as_of": str(figure[basis]["batch_no"])}
                told = await content(client, "/v1/explain", **asked, limit="10000")
                assert explained.same(explained.recomputed(told), figure[basis]["value"])
                compared += figure[basis]["value"] is not None
        assert compared >= 6
        changed = [one for one in period["figures"] if one["sealed"] != one["current"]]
        assert {one["id"] for one in changed} >= {"mill/line/power", "mill/line/load"}
