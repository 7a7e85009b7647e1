"""What documents tell under a changed factor: shown, written as revisions, and staying so whatever comes later."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import psycopg
import pytest

from ingest.model import DAY, Cause
from ingest.restate import Restated, Wanted, restate
from ingest.site import Clocks
from tests.ingest.sealing import seal
from tests.ingest.test_history import last_batch
from tests.ingest.test_replay import replayed
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.documenting import FROM, NOW, PAPERS, TO, Papers, analysis, begun, opened, taken
from tests.service.seeding import text

OLD, NEW = Fraction("0.0255"), Fraction("0.031")
"""t C/GJ of the two versions."""
C = Fraction("3.6666666666666665")
MIDDLE = FROM + 5 * DAY
CHANGED = PAPERS.replace("{id: coal-co2,", "{id: boiler-co2, formerly: [coal-co2],").replace(
    "id: coal-c, value: 0.0255", "id: coal-c, value: 0.031"
)


def co2(tonnes: float, gj_per_t: float, carbon: Fraction) -> Fraction:
    """kg CO2 of coal, exactly, rounded once per count as it is stored."""
    per_count = float(carbon * C * Fraction(repr(gj_per_t)))
    return Fraction(repr(tonnes)) * 1000 * Fraction(per_count)


@pytest.fixture
async def papers(dsn: str) -> AsyncIterator[Papers]:
    """1000 t of coal of ten days under the first version, and the second in force."""
    await begun(dsn)
    clock = ServiceClock()
    clock.now = NOW
    async with admin_client(dsn, clock) as client:
        made = Papers(client, dsn)
        for name in ("anna", "bert"):
            await made.admit(name, "operate", "read")
        await made.entered()
        await (await opened(dsn, CHANGED)).close()
        yield made


async def restated(dsn: str, from_at: int, to_at: int, version: int = 2, apply: bool = True) -> Restated:
    wanted = Wanted(None, version, text(from_at), text(to_at))
    return await restate(dsn, wanted, Clocks(lambda: NOW, lambda: 0), "a test" if apply else None)


async def previewed(papers: Papers, from_at: int, to_at: int, more: str) -> dict[str, Any]:
    path = f"/v1/factors/restatement?site=mill&from={text(from_at)}&to={text(to_at)}&{more}"
    response = await papers.client.get(path)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def pieces(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "SELECT * FROM document_piece ORDER BY source_no, from_at, batch_no"
        ).fetchall()


async def approved(papers: Papers, **more: Any) -> int:
    """A document that ingest took under the second version."""
    number = await papers.proposed(**more)
    await papers.approved(number)
    await taken(papers.dsn, CHANGED)
    return number


async def test_a_preview_is_what_is_written_and_the_difference_adds_up(papers: Papers, dsn: str) -> None:
    before = pieces(dsn)
    shown = await previewed(papers, FROM, TO, "plan_version=2")
    by_value = await previewed(papers, FROM, TO, "plan_version=1&values=coal-c:0.031")
    assert (await restated(dsn, FROM, TO, apply=False)).different == {"document_piece": 1}
    assert pieces(dsn) == before
    outcome = await restated(dsn, FROM, TO)
    assert (outcome.written, outcome.not_restated, outcome.different) == (True, [], {"document_piece": 1})
    lines = [asdict(change) for change in outcome.changes]
    assert lines == shown["items"]
    renamed = [{**line, "source": line["source"].replace("boiler", "coal")} for line in lines]
    assert renamed == by_value["items"]
    mine = [line for line in lines if line["source"] == "mill/boiler-co2"]
    *months, whole = mine
    assert [month["month"] for month in months] == ["2026-11"]
    assert (whole["before_kg"], whole["after_kg"]) == (
        float(co2(1000, 20.0, OLD)),
        float(co2(1000, 20.0, NEW)),
    )
    assert whole["difference_kg"] == months[0]["difference_kg"] == whole["after_kg"] - whole["before_kg"]
    assert [line["intervals"] for line in lines if line["source"] != "mill/boiler-co2"] == [0] * (
        len(lines) - 2
    )
    again = await restated(dsn, FROM, TO)
    assert (again.written, again.different) == (False, {})


async def test_exactly_the_span_is_restated_and_as_of_before_gives_what_was(papers: Papers, dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        batch = last_batch(connection)
    await restated(dsn, FROM, MIDDLE)
    line = await papers.line(FROM, TO, "boiler-co2")
    assert line["value"] == float(co2(500, 20.0, NEW) + co2(500, 20.0, OLD))
    assert (line["revision"], line["plan_version"]) == (2, 2)
    untouched = await papers.line(MIDDLE, TO, "boiler-co2")
    assert untouched["value"] == float(co2(500, 20.0, OLD))
    assert (await papers.line(FROM, TO, "coal-ch4"))["revision"] == 1
    then = await papers.line(FROM, TO, "boiler-co2", as_of=str(batch))
    assert (then["value"], then["revision"]) == (float(co2(1000, 20.0, OLD)), 1)
    with psycopg.connect(dsn) as connection:
        causes = connection.execute("SELECT DISTINCT cause FROM document_piece WHERE revision = 2").fetchall()
    assert causes == [(int(Cause.RESTATEMENT),)]
    assert (await replayed(dsn)).equal
    # And back.
    await restated(dsn, FROM, TO, version=1)
    line = await papers.line(FROM, TO, "boiler-co2")
    assert (line["value"], line["plan_version"]) == (float(co2(1000, 20.0, OLD)), 1)


async def test_what_is_restated_stays_so_when_an_analysis_comes(papers: Papers, dsn: str) -> None:
    await restated(dsn, FROM, MIDDLE)
    number = await approved(papers, **analysis(25.0))
    line = await papers.line(FROM, TO, "boiler-co2")
    assert line["value"] == float(co2(500, 25.0, NEW) + co2(500, 25.0, OLD))
    assert line["documents"] == [1, number]
    assert (await replayed(dsn)).equal


async def test_a_document_that_comes_back_is_as_it_was_restated(papers: Papers, dsn: str) -> None:
    """Superseded by another, which is withdrawn."""
    await restated(dsn, FROM, MIDDLE)
    later = await approved(papers, supersedes=1, quantity=2000.0)
    assert (await papers.line(FROM, TO, "boiler-co2"))["value"] == float(co2(2000, 20.0, NEW))
    response = await papers.post("anna", f"/v1/documents/{later}/withdraw", {"note": "wrong"})
    await papers.approved(response.json()["document"])
    await taken(dsn, CHANGED)
    line = await papers.line(FROM, TO, "boiler-co2")
    assert line["value"] == float(co2(500, 20.0, NEW) + co2(500, 20.0, OLD))
    assert line["documents"] == [1]


async def test_a_sealed_period_gets_an_adjustment(papers: Papers, dsn: str) -> None:
    ingest = await opened(dsn, CHANGED)
    await seal(ingest, dsn, FROM, TO)
    await ingest.close()
    await restated(dsn, FROM, TO)
    found = (await papers.client.get(f"/v1/adjustments?from={text(FROM)}&to={text(NOW + DAY)}")).json()[
        "items"
    ]
    told = [(one["id"], one["cause"], one["before"], one["after"]) for one in found]
    before, after = (float(co2(1000, 20.0, carbon)) for carbon in (OLD, NEW))
    assert told == [("mill/boiler-co2", "restatement", before, after)]


async def test_what_a_version_makes_no_mass_of_is_left_and_named(papers: Papers, dsn: str) -> None:
    # A third version knows no default of the calorific value, and no methane.
    without = CHANGED.replace(", default: coal-ncv-default}", "}")
    without = "\n".join(line for line in without.splitlines() if "id: coal-ch4" not in line)
    await (await opened(dsn, without)).close()
    before = pieces(dsn)
    outcome = await restated(dsn, FROM, TO, version=3)
    left = ["mill/boiler-co2", "mill/coal-ch4"]
    assert (outcome.written, outcome.not_restated) == (False, left)
    assert (await previewed(papers, FROM, TO, "plan_version=3"))["not_restated"] == left
    assert pieces(dsn) == before
    assert (await previewed(papers, TO, TO + DAY, "plan_version=3"))["not_restated"] == []


async def test_a_preview_of_too_many_documents_is_refused(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.restatement.MOST_DOCUMENTS", 0)
    path = f"/v1/factors/restatement?site=mill&from={text(FROM)}&to={text(TO)}"
    response = await papers.client.get(path)
    assert response.status_code == 422, response.text
    assert "1 documents" in response.json()["detail"]
