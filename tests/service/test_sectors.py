"""What sectors need beyond activity times one factor, told by documents: worked hours of cement, aluminium and steel.

The figures are those of a 5000 t/d kiln and of a 10 000 t/d works whose balances close.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingest.model import HOUR
from tests.ingest.feeding import START
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.documenting import NOW, Papers, begun, taken
from tests.service.seeding import text

CO2_PER_C = 44 / 12
CARBON = {
    "coking-coal": (175.56, 0.75534), "pci-coal": (52.50, 0.80), "anthracite": (8.75, 0.80), "scrap": (100.0, 0.0015),
    "tar": (6.145, 0.90), "benzol": (1.756, 0.92), "steel": (416.67, 0.0042),
}  # fmt: skip
OUT = ("tar", "benzol", "steel")
STACKS = {"coke-ovens": 92.24, "stoves": 172.66, "sinter": 92.23, "power": 125.18}


def _source(name: str, activity: str, factors: str, category: str = "process", gas: str = "co2") -> str:
    return (
        f"  - {{id: {name}, scope: 1, category: {category}, gas: {gas}, route: calculated,"
        f" activity: {{document: {activity}}}, factors: [{factors}]}}\n"
    )


def _plant() -> str:
    names = [*CARBON, *STACKS, "clinker", "aluminium"]
    activities = "".join(f"  - {{id: {name}, name: {name}, unit: t, resolution: 1e-6}}\n" for name in names)
    carbon = "".join(
        f"  - {{id: {name}-c, value: {c}, unit: t/t, source: test, trust: P}}\n"
        for name, (_, c) in CARBON.items()
    )
    works = "".join(
        _source(f"{name}-co2", name, f"{name}-c, co2-of-c", "products" if name in OUT else "combustion")
        for name in CARBON
    )
    stacks = "".join(_source(f"{name}-co2", name, "as-it-is") for name in STACKS)
    listed = ", ".join(f"{name}-co2" for name in CARBON), ", ".join(f"{name}-co2" for name in STACKS)
    return f"""\
site: mill
name: Worked hours
time_zone: Asia/Shanghai
units: [{{id: line, name: Line}}]
factors:
  - {{id: as-it-is, value: 1.0, unit: t/t, source: test, trust: R}}
  - {{id: co2-of-c, value: {CO2_PER_C!r}, unit: t/t, source: stoichiometry, trust: R}}
  - {{id: co2-of-cao, value: {44 / 56!r}, unit: t/t, source: stoichiometry, trust: R}}
  - {{id: less-co2-of-cao, value: {-44 / 56!r}, unit: t/t, source: stoichiometry, trust: R}}
  - {{id: co2-of-mgo, value: {44 / 40!r}, unit: t/t, source: stoichiometry, trust: R}}
  - {{id: cf4-per-minute, value: 0.143, unit: kg/t, source: CETS-AG-04.01-V01-2024, trust: P}}
  - {{id: c2f6-per-minute, value: 0.0143, unit: kg/t, source: CETS-AG-04.01-V01-2024, trust: P}}
{carbon}activities:
{activities}analyses:
  - {{id: cao, name: CaO of clinker, unit: t/t}}
  - {{id: cao-nc, name: CaO of clinker that was no carbonate, unit: t/t}}
  - {{id: mgo, name: MgO of clinker, unit: t/t}}
  - {{id: effect-minutes, name: Minutes of anode effect per cell and day, unit: "1"}}
points:
  - {{id: line/energy, kind: counter, unit: kWh, period: 5s, max_gap: 2min, resolution: 0.001}}
sources:
{_source("kiln-cao", "clinker", "cao, co2-of-cao")}\
{_source("kiln-no-carbonate", "clinker", "cao-nc, less-co2-of-cao")}\
{_source("kiln-mgo", "clinker", "mgo, co2-of-mgo")}\
{_source("cells-cf4", "aluminium", "effect-minutes, cf4-per-minute", gas="cf4")}\
{_source("cells-c2f6", "aluminium", "effect-minutes, c2f6-per-minute", gas="c2f6")}\
{works}{stacks}boundaries:
  - {{id: kiln, name: Kiln, sources: [kiln-cao, kiln-no-carbonate, kiln-mgo]}}
  - {{id: works, name: Works, sources: [{listed[0]}], attributed: [{listed[1]}]}}
"""


PLANT = _plant()


@pytest.fixture
async def papers(dsn: str) -> AsyncIterator[Papers]:
    """An hour of each sector, by documents and analyses."""
    await begun(dsn, PLANT)
    clock = ServiceClock()
    clock.now = NOW
    async with admin_client(dsn, clock) as client:
        made = Papers(client, dsn)
        for name in ("anna", "bert"):
            await made.admit(name, "operate", "read")
        hour: dict[str, Any] = {"from": text(START), "to": text(START + HOUR)}
        amounts = {name: tonnes for name, (tonnes, _) in CARBON.items()} | STACKS
        amounts |= {"clinker": 208.333, "aluminium": 100.0}
        values = {"cao": 0.65, "cao-nc": 0.06009, "mgo": 0.015, "effect-minutes": 0.25}
        for name, tonnes in amounts.items():
            await made.approved(await made.proposed(activity=name, quantity=tonnes, **hour))
        for name, value in values.items():
            number = await made.proposed(
                kind="analysis", activity=None, quantity=None, analysis=name, value=value, **hour
            )
            await made.approved(number)
        await taken(dsn, PLANT)
        yield made


async def test_worked_hours(papers: Papers) -> None:
    answer = await papers.emitted(START, START + HOUR)
    found = {one["id"]: one for one in answer["boundaries"]}
    # Cement by oxides: 208.333·[(0.65 - 0.06009)·44/56 + 0.015·44/40] = 100.000 t/h.
    assert found["kiln"]["balance_kg"] == pytest.approx(100_000, rel=2e-5)
    assert (found["kiln"]["attributed"], found["kiln"]["unallocated_kg"]) == ([], found["kiln"]["balance_kg"])
    assert found["kiln"]["uncertainty"]["reason"] == "activity clinker has no instrument"
    # Steel: 172.862 t C/h over the fence are 633.83 t CO2/h; what the stacks do not explain is unallocated.
    works = found["works"]
    assert works["balance_kg"] == pytest.approx(633_830, rel=2e-5)
    assert {one["source"].removesuffix("-co2"): one["mass_kg"] for one in works["attributed"]} == {
        f"mill/{name}": pytest.approx(tonnes * 1000, rel=1e-12) for name, tonnes in STACKS.items()
    }
    parts = sum(one["mass_kg"] for one in works["attributed"])
    assert works["unallocated_kg"] == pytest.approx(works["balance_kg"] - parts, rel=1e-12)
    # Aluminium: CF4 0.143 and C2F6 a tenth of it, kg per t and minute of anode effect.
    masses = {line["id"]: line["value"] for line in answer["items"]}
    assert masses["mill/cells-cf4"] == pytest.approx(100 * 0.143 * 0.25, rel=1e-12)
    assert masses["mill/cells-c2f6"] == pytest.approx(100 * 0.0143 * 0.25, rel=1e-12)


async def test_what_is_attributed_is_in_no_total(papers: Papers) -> None:
    answer = await papers.emitted(START, START + HOUR, group_by="scope")
    totals = {one["account"]: one["co2e_kg"] for one in answer["totals"]}
    assert totals.keys() == {"gross", "fixed"}
    inputs = sum(tonnes * c for name, (tonnes, c) in CARBON.items() if name not in OUT) * CO2_PER_C
    pfc = 100 * 0.25 * (0.143 * 6630 + 0.0143 * 11_100)
    assert totals["gross"] == pytest.approx(inputs * 1000 + 100_000 + pfc, rel=1e-5)
    leaving = sum(tonnes * c for name, (tonnes, c) in CARBON.items() if name in OUT) * CO2_PER_C
    assert totals["fixed"] == pytest.approx(-leaving * 1000, rel=1e-9)
    lines = {line["account"]: line["value"] for line in answer["items"] if line["gas"] == "co2"}
    assert lines["attributed"] == pytest.approx(sum(STACKS.values()) * 1000, rel=1e-12)
    assert answer["boundaries"] == []


async def test_without_an_analysis_there_is_no_balance(papers: Papers) -> None:
    analyses = (await papers.client.get("/v1/documents?subject=cao-nc")).json()["items"]
    response = await papers.post(
        "anna", f"/v1/documents/{analyses[0]['document']}/withdraw", {"note": "wrong"}
    )
    await papers.approved(response.json()["document"])
    await taken(papers.dsn, PLANT)
    found = {one["id"]: one for one in (await papers.emitted(START, START + HOUR))["boundaries"]}
    assert (found["kiln"]["balance_kg"], found["kiln"]["reason"]) == (None, "no_analysis")
    assert found["kiln"]["unallocated_kg"] is None
    assert found["works"]["balance_kg"] is not None
