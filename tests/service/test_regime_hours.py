"""Hours of a regime and tests of an analyser by HTTP, made by the real ingest."""

import csv
import io
import math
import statistics
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection

from ingest.methods.rounding import TO_TENTH
from ingest.model import HOUR
from ingest.site import SiteIngest
from ingest.store.analyser_tests import waiting
from service.app import create_app
from service.regime_hours import RegimeHoursPage
from tests.ingest.feeding import START, feed, open_site
from tests.ingest.regimes.plants import concentration, plant, stretch
from tests.service.conftest import ADMIN_KEY, client_of
from tests.service.seeding import text

NOW = START + 100 * HOUR
DEAD = range(20, 24)
ASKED = {"from": text(START), "to": text(START + 60 * HOUR)}
HOURS = "/v1/sources/mill/line/stack/hours"
TESTS = "/v1/instruments/mill/co2-analyser/tests"
TOLD = {
    "kind": "daily_calibration",
    "performed_at": text(START + 30 * HOUR),
    "readings": {"quantity": "diluent", "span": 20.0, "injections": [{"reference": 10.0, "measured": 13.0}]},
}


@pytest.fixture
async def ingest(dsn: str) -> AsyncIterator[SiteIngest]:
    """Ingest of a kiln under Part 75 that has taken 40 hours, in four of which the analyser was dead."""
    made = await open_site(dsn, plant("part75"))
    await feed(made, stretch(0, 40, dead=DEAD))
    yield made
    await made.close()


@pytest.fixture
async def api(dsn: str, ingest: SiteIngest) -> AsyncIterator[httpx.AsyncClient]:
    """The service over the same database."""
    app = create_app(dsn, ADMIN_KEY, now=lambda: NOW)
    async with app.router.lifespan_context(app), client_of(app) as made:
        made.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        yield made


async def taken(ingest: SiteIngest, dsn: str) -> None:
    """Let ingest take the tests that wait."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        for asked in await waiting(connection, 1, 10):
            await ingest.examine(asked)


async def told(api: httpx.AsyncClient, path: str, **asked: Any) -> dict[str, Any]:
    response = await api.get(path, params={**ASKED, **asked})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_hours_say_value_code_meaning_and_trust(api: httpx.AsyncClient) -> None:
    page = await told(api, HOURS)
    RegimeHoursPage.model_validate(page)
    assert (page["rule"], page["trust"], page["utc_offset_h"]) == ("part75", "unconfirmed", -5.0)
    assert "part75.concentration: at_end" in page["unconfirmed"]
    assert "recertification: conditional_from_event" in page["unconfirmed"]
    items = page["items"]
    dead = next(item for item in items if item["from"] == text(START + 21 * HOUR))
    concentration, flow = dead["components"]
    assert (concentration["name"], flow["name"]) == ("concentration", "flow")
    assert (concentration["code"], concentration["meaning"]) == (7, "initial procedure")
    assert concentration["state"] == "replaced"
    assert (flow["code"], flow["meaning"], flow["value"]) == (1, "primary system", 1e7)
    assert dead["quality"] == "substituted"
    assert dead["mass_kg"] == pytest.approx(dead["rate"] * 907.18474)
    assert dead["reported_rate"] == TO_TENTH.apply(dead["rate"])
    assert page["hours"] == len(items)
    assert page["without_mass"] == 0
    assert page["sum_kg"] == math.fsum(item["mass_kg"] for item in items)
    assert page["reported_sum"] == math.fsum(item["reported_rate"] for item in items)
    assert page["reported_unit"] == "short_ton"


async def test_hours_as_csv_say_the_same(api: httpx.AsyncClient) -> None:
    """A row an hour, what stands for each component beside it."""
    page = await told(api, HOURS, limit=30)
    response = await api.get(HOURS, params={**ASKED, "limit": 30}, headers={"Accept": "text/csv"})
    assert response.headers["content-type"].startswith("text/csv")
    assert page["next"] in response.headers["link"]
    found = list(csv.DictReader(io.StringIO(response.text)))
    assert len(found) == len(page["items"]) == 30
    for row, item in zip(found, page["items"], strict=True):
        assert (row["from"], float(row["mass_kg"])) == (item["from"], item["mass_kg"])
        for component in item["components"]:
            name = component["name"]
            assert float(row[f"{name}.value"]) == component["value"]
            assert (row[f"{name}.code"], row[f"{name}.meaning"]) == (
                str(component["code"]),
                component["meaning"],
            )
    asked = await api.get(
        HOURS, params={**ASKED, "format": "csv", "to": text(START - HOUR), "from": text(START - 2 * HOUR)}
    )
    assert asked.text.splitlines()[0].startswith("from,to,mass_kg,rate")


async def test_a_source_names_its_regime(api: httpx.AsyncClient) -> None:
    (site,) = (await api.get("/v1/plant")).json()["items"]
    assert {source["id"]: source["regime"] for source in site["sources"]} == {"mill/line/stack": "part75"}


async def test_what_time_alone_has_moved_is_not_told_of_then(dsn: str) -> None:
    """A provisional substitute of the MRR goes on in place: as of before it has no figure, never another's."""
    made = await open_site(dsn, plant("mrr"))
    await feed(made, stretch(0, 40, dead=DEAD))
    app = create_app(dsn, ADMIN_KEY, now=lambda: NOW)
    async with app.router.lifespan_context(app), client_of(app) as api:
        api.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        before = await told(api, HOURS)
        await feed(made, stretch(40, 44))
        after = await told(api, HOURS)
        then = await told(api, HOURS, as_of=str(before["as_of"]["batch_no"]))
    await made.close()
    moved = {text(START + hour * HOUR) for hour in DEAD}
    items = {item["from"]: item for item in after["items"]}
    for item, old in zip(before["items"], then["items"], strict=True):
        now = items[item["from"]]
        if item["from"] not in moved:
            assert old == item == now
            continue
        assert (now["revision"], now["provisional"]) == (item["revision"], True)
        assert now["mass_kg"] != item["mass_kg"]
        assert (old["mass_kg"], old["rate"], old["components"][0]["value"]) == (None, None, None)
        assert old["reasons"] == ["not_kept"]
        assert old["components"][1] == item["components"][1]
    assert (then["hours"], then["without_mass"], then["sum_kg"]) == (before["hours"], len(DEAD), None)


async def test_pages_join_to_the_whole(api: httpx.AsyncClient) -> None:
    whole = (await told(api, HOURS))["items"]
    first = await told(api, HOURS, limit=15)
    rest = await told(api, HOURS, cursor=first["next"])
    assert first["items"] + rest["items"] == whole
    assert first["sum_kg"] == rest["sum_kg"]


async def test_a_test_is_told_once_and_changes_the_past_as_revisions(
    api: httpx.AsyncClient, ingest: SiteIngest, dsn: str
) -> None:
    before = await told(api, HOURS)
    key = {"Idempotency-Key": "morning"}
    accepted = await api.post(TESTS, json=TOLD, headers=key)
    again = await api.post(TESTS, json=TOLD, headers=key)
    assert (accepted.status_code, again.status_code) == (202, 202)
    assert (accepted.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert accepted.json()["inbox_no"] == again.json()["inbox_no"]
    await taken(ingest, dsn)
    listed = await told(api, TESTS)
    (test,) = listed["items"]
    assert (test["passed"], test["result"]["injections"][0]["error"]) == (False, 3.0)
    assert test["author"] == "admin"
    after = await told(api, HOURS)
    out = [item for item in after["items"] if "out_of_control" in item["reasons"]]
    assert next(item["from"] for item in out) == text(START + 30 * HOUR)
    assert {item["cause"] for item in out} == {"test"}
    assert {item["revision"] for item in out} == {2}
    then = await told(api, HOURS, as_of=str(before["as_of"]["batch_no"]))
    assert then["items"] == before["items"], "as it was known before the test"


@pytest.mark.parametrize(
    ("path", "change", "status", "sentence"),
    [
        (TESTS, {"readings": {"quantity": "diluent"}}, 422, "Object missing required field `span`"),
        (TESTS, {"performed_at": "2036-01-01T00:00:00Z"}, 422, "expected a time that has come"),
        (TESTS, {"kind": "guess"}, 422, "daily_calibration"),
        (TESTS.replace("co2", "no"), {}, 404, "There is no instrument 'mill/no-analyser'."),
    ],
)
async def test_what_is_no_test_is_refused_in_a_sentence(
    api: httpx.AsyncClient, path: str, change: dict[str, Any], status: int, sentence: str
) -> None:
    response = await api.post(path, json={**TOLD, **change}, headers={"Idempotency-Key": "wrong"})
    assert response.status_code == status
    assert sentence in response.json()["detail"]


async def test_emissions_hold_no_hour_of_the_regime(api: httpx.AsyncClient) -> None:
    """The mass flow itself was never said, so ∫ C·Q has nothing, whatever the regime put in its hours."""
    found = await told(api, "/v1/emissions")
    assert all(item["value"] is None for item in found["items"])


async def test_an_unknown_source_is_a_problem(api: httpx.AsyncClient) -> None:
    response = await api.get("/v1/sources/mill/line/no/hours")
    assert (response.status_code, response.json()["detail"]) == (404, "There is no source 'mill/line/no'.")


BEFORE = [concentration(4 * hour) for hour in range(DEAD.start)]


@pytest.mark.parametrize("rule", ["part75", "part98", "mrr", "hj75"])
async def test_substitutes_say_how_far_they_overstate_and_how_far_the_estimate_may_be_off(
    rule: str, dsn: str
) -> None:
    made = await open_site(dsn, plant(rule))
    await feed(made, stretch(0, 40, dead=DEAD))
    await made.close()
    app = create_app(dsn, ADMIN_KEY, now=lambda: NOW)
    async with app.router.lifespan_context(app), client_of(app) as api:
        api.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        page = await told(api, HOURS)
        # Of the dead hours alone they are told alike: the look-back is read from before the span.
        part = {"from": text(START + DEAD.start * HOUR), "to": text(START + DEAD.stop * HOUR)}
        apart = await told(api, HOURS, **part)
    whole = page["substituted"]
    assert apart["substituted"] == whole
    dead = [item for item in page["items"] if item["bias_conservative_kg"] is not None]
    assert [item["from"] for item in dead] == [text(START + hour * HOUR) for hour in DEAD]
    kg_per_percent = page["items"][0]["mass_kg"] / BEFORE[0]
    closed = range(len(page["items"]))
    measured = [concentration(4 * hour) for hour in closed if hour not in DEAD]
    spread = statistics.stdev(measured if rule == "mrr" else BEFORE)
    # A mean of neighbours is its own estimate; two deviations, or a maximum, overstate.
    bias = {
        "part75": 0.0, "part98": 0.0, "mrr": 2 * spread, "hj75": max(BEFORE) - statistics.mean(BEFORE),
    }[rule]  # fmt: skip
    for item in dead:
        [component] = [one for one in item["components"] if one["u"] is not None]
        scale = kg_per_percent if rule == "hj75" else 1.0
        assert component["u"] == pytest.approx(scale * spread)
        assert component["bias_conservative"] == pytest.approx(scale * bias, abs=1e-9)
        assert component["best_estimate"] == pytest.approx(component["value"] - scale * bias)
        assert item["bias_conservative_kg"] == pytest.approx(kg_per_percent * bias, abs=1e-6)
        assert item["u_kg"] == pytest.approx(kg_per_percent * spread)
    assert (whole["hours"], whole["reason"]) == (4, None)
    assert whole["mass_kg"] == pytest.approx(sum(item["mass_kg"] for item in dead))
    assert whole["bias_conservative_kg"] == pytest.approx(4 * kg_per_percent * bias, abs=1e-6)
    assert whole["u_kg"] == pytest.approx(4 * kg_per_percent * spread), "the hours of a gap are off together"


async def test_too_few_measured_hours_make_no_estimate(dsn: str) -> None:
    made = await open_site(dsn, plant("part75"))
    await feed(made, stretch(0, 10, dead=range(1, 4)))
    await made.close()
    app = create_app(dsn, ADMIN_KEY, now=lambda: NOW)
    async with app.router.lifespan_context(app), client_of(app) as api:
        api.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        whole = (await told(api, HOURS))["substituted"]
    assert whole["hours"] == 3
    assert (whole["bias_conservative_kg"], whole["u_kg"]) == (None, None)
    assert whole["reason"] == "fewer than two hours were measured where the regime looks back"
