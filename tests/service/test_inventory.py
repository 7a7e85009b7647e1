"""The inventory: accounts, routes, gases and evidence apart; CO2e by a named set; the factors that made it."""

import math
from collections.abc import AsyncIterator

import pytest

from ingest.methods.gwp import GWP100
from ingest.model import HOUR
from tests.ingest.feeding import START
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.documenting import FROM, NOW, PAPERS, TO, Papers, analysis, begun, opened


@pytest.fixture
async def papers(dsn: str) -> AsyncIterator[Papers]:
    """Coal, limestone and tar of ten days are documented; the meter tells of the three hours after."""
    await begun(dsn)
    clock = ServiceClock()
    clock.now = NOW
    async with admin_client(dsn, clock) as client:
        made = Papers(client, dsn)
        for name in ("anna", "bert"):
            await made.admit(name, "operate", "read")
        await made.entered()
        await made.entered(activity="lime", quantity=100.0)
        await made.entered(activity="tar", quantity=10.0)
        await made.entered(
            kind="analysis", number="L", activity=None, quantity=None, analysis="tar-c", value=0.9, unit="t/t"
        )
        await made.entered(**analysis(25.0))
        yield made


async def test_what_is_fixed_is_never_netted_with_what_is_gross(papers: Papers) -> None:
    for group_by in ("scope", "account", "evidence", "method", "gas"):
        answer = await papers.emitted(FROM, TO, group_by=group_by)
        told = {(line["gas"], line["account"]): line["value"] for line in answer["items"] if line["value"]}
        coal, lime, tar, ch4 = [
            (await papers.line(FROM, TO, name))["value"]
            for name in ("coal-co2", "lime-co2", "tar-co2", "coal-ch4")
        ]
        assert told == {
            ("co2", "gross"): math.fsum([coal, lime]), ("co2", "fixed"): tar, ("ch4", "gross"): ch4
        }  # fmt: skip
        assert tar < 0 < lime


async def test_co2e_is_by_the_set_that_is_named(papers: Papers) -> None:
    for asked, name in (({}, "AR5"), ({"gwp": "SAR"}, "SAR"), ({"gwp": "AR6"}, "AR6")):
        answer = await papers.emitted(FROM, TO, **asked)
        assert answer["gwp"] == {"mill": name}
        line = next(line for line in answer["items"] if line["gas"] == "ch4")
        assert (line["value"], line["co2e_kg"]) == (10_000.0, 10_000.0 * GWP100[name]["ch4"])
    response = await papers.client.get("/v1/emissions?gwp=AR7")
    assert response.status_code == 422


async def test_totals_hold_one_scope_account_and_route(papers: Papers) -> None:
    answer = await papers.emitted(FROM, TO, group_by="scope")
    found = {(one["scope"], one["account"], one["route"]): one for one in answer["totals"]}
    lines = [line for line in answer["items"] if line["account"] == "gross" and line["group"] == "1"]
    assert {line["gas"] for line in lines} == {"co2", "ch4"}
    assert found[1, "gross", "calculated"]["co2e_kg"] == math.fsum(line["co2e_kg"] for line in lines)
    # Ten days before its first reading the meter of scope 2 says nothing.
    assert found[2, "gross", "calculated"]["co2e_kg"] is None
    assert found[2, "gross", "calculated"]["reason"] in ("gap", "no_data")
    other = await papers.emitted(FROM, TO, group_by="gas")
    assert other["totals"] == []


async def test_every_line_says_whether_meters_or_documents_tell_it(papers: Papers) -> None:
    items = (await papers.emitted(START, START + 2 * HOUR))["items"]
    evidence = {line["id"]: line["evidence"] for line in items}
    assert evidence == {
        "mill/line/electricity": "metered", "mill/coal-co2": "documented", "mill/coal-ch4": "documented",
        "mill/lime-co2": "documented", "mill/tar-co2": "documented",
    }  # fmt: skip
    by_evidence = (await papers.emitted(FROM, TO, group_by="evidence"))["items"]
    assert {line["group"] for line in by_evidence} == {"metered", "documented"}


async def test_a_documented_line_says_why_it_has_no_uncertainty(papers: Papers) -> None:
    line = await papers.line(FROM, TO)
    assert line["value"] > 0
    told = line["uncertainty"]
    assert (told["u"], told["percent"]) == (None, None)
    assert told["reason"] == "activity coal has no instrument"
    after = await papers.line(TO, TO + HOUR)
    assert (after["value"], after["uncertainty"]) == (None, None)


async def test_factors_are_those_of_the_version_that_made_the_figure(papers: Papers, dsn: str) -> None:
    changed = PAPERS.replace("id: grid, value: 0.4", "id: grid, value: 0.9").replace(
        "id: ch4-coal, value: 10.0", "id: ch4-coal, value: 12.0"
    )
    ingest = await opened(dsn, changed)
    await ingest.close()
    answer = await papers.emitted(START, START + HOUR)
    used = {(one["id"], one["plan_version"]): one["value"] for one in answer["factors"]}
    assert used["grid", 1] == 0.4
    assert ("grid", 2) not in used
    line = next(line for line in answer["items"] if line["id"] == "mill/line/electricity")
    assert (line["factors"], line["unconfirmed"]) == (["grid"], ["grid"])
    assert line["value"] == pytest.approx(60 / 8 * 0.4, rel=1e-12)
    documented = await papers.emitted(FROM, TO)
    used = {(one["id"], one["plan_version"]): one["value"] for one in documented["factors"]}
    assert used["ch4-coal", 1] == 10.0
    assert (await papers.line(FROM, TO, "coal-ch4"))["value"] == 10_000.0
