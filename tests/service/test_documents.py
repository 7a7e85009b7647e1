"""Documents by HTTP: proposed by one, checked by another, and what they make of emissions, then and now."""

import itertools
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from ingest.model import DAY, HOUR, MINUTE
from ingest.plant import canonical, parse_plant
from ingest.store import renewal
from ingest.store.document_facts import concerned
from ingest.store.registry import apply_plan
from ingest.store.seals import waiting
from tests.ingest.feeding import START
from tests.ingest.sealing import said, seal
from tests.ingest.test_history import last_batch
from tests.ingest.test_replay import replayed
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.documenting import (
    FROM,
    NOW,
    PAPERS,
    SHA,
    TO,
    Papers,
    analysis,
    begun,
    invoice,
    opened,
    taken,
)
from tests.service.seeding import text
from tests.service.test_routes import problem_of

C = Fraction("0.0255") * Fraction("3.6666666666666665")


def co2(tonnes: float, gj_per_t: float) -> float:
    """kg CO2 of coal, exactly, rounded once per count as it is stored."""
    per_count = float(C * Fraction(repr(gj_per_t)))
    return float(Fraction(repr(tonnes)) * 1000 * Fraction(per_count))


@pytest.fixture
async def papers(dsn: str) -> AsyncIterator[Papers]:
    await begun(dsn)
    clock = ServiceClock()
    clock.now = NOW
    async with admin_client(dsn, clock) as client:
        made = Papers(client, dsn)
        for name in ("anna", "bert"):
            await made.admit(name, "operate", "read")
        yield made


def batch(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        return last_batch(connection)


async def test_an_invoice_goes_from_proposal_to_emissions(papers: Papers, dsn: str) -> None:
    response = await papers.post("anna", "/v1/documents", invoice(unit="kg", quantity=1_000_000))
    told = response.json()
    assert response.status_code == 201
    assert (told["quantity"], told["unit"], told["activity"], told["analysis"]) == (1000.0, "t", "coal", None)
    assert (told["state"], told["author"], told["checker"], told["file_sha256"]) == (
        "proposed", "anna", None, SHA,
    )  # fmt: skip
    assert (await papers.line(FROM, TO))["reason"] == "gap"
    own = await papers.post("anna", f"/v1/documents/{told['document']}/approve")
    assert (own.status_code, problem_of(own).type.rpartition(":")[2]) == (403, "second-person-needed")
    await papers.approved(told["document"])
    assert (await papers.told(told["document"]))["state"] == "approved"
    await taken(dsn)
    told = await papers.told(told["document"])
    assert (told["state"], told["checker"], told["batch_no"]) == ("in_effect", "bert", batch(dsn))
    line = await papers.line(FROM, TO)
    assert (line["value"], line["evidence"], line["route"]) == (co2(1000, 20.0), "documented", "calculated")
    assert (line["quality"], line["defaulted"], line["unconfirmed"]) == (
        "uncertain", ["coal-ncv-default"], ["coal-ncv-default"],
    )  # fmt: skip
    assert (line["documents"], line["valid_share"], line["reasons"]) == ([told["document"]], 1.0, ["manual"])
    other = await papers.line(FROM, TO, "coal-ch4")
    assert (other["value"], other["gas"], other["quality"]) == (10_000.0, "ch4", "good")


async def test_a_span_that_is_partly_asked_for_is_pro_rata_and_parts_add_up(papers: Papers) -> None:
    await papers.entered(quantity=999.999)
    whole = await papers.line(FROM, TO, "coal-ch4")
    edges = [FROM - DAY, FROM + 7 * MINUTE, FROM + DAY + 13 * MINUTE, TO - HOUR, TO + HOUR]
    parts = [await papers.line(a, b, "coal-ch4") for a, b in itertools.pairwise(edges)]
    # A count is a kg, which emits 0.01 kg: what the parts hold are whole counts.
    assert sum(round(part["value"] * 100) for part in parts) == 999_999 == round(whole["value"] * 100)
    first = parts[0]
    assert round(first["value"] * 100) == round(999_999 * 7 / (10 * 24 * 60))
    assert first["valid_share"] == pytest.approx(7 / (24 * 60 + 7))
    assert "gap" in first["reasons"]


async def test_the_newest_analysis_that_covers_is_in_force(papers: Papers) -> None:
    await papers.entered()
    middle = FROM + 5 * DAY
    first = await papers.entered(**analysis(23.0, to=text(middle)))
    line = await papers.line(FROM, TO)
    assert line["value"] == float(Fraction(co2(500, 23.0)) + Fraction(co2(500, 20.0)))
    assert (line["quality"], line["defaulted"]) == ("uncertain", ["coal-ncv-default"])
    second = await papers.entered(**analysis(24000.0, unit="kJ/kg", number="LAB-2"))
    line = await papers.line(FROM, TO)
    assert (line["value"], line["quality"], line["defaulted"]) == (co2(1000, 24.0), "good", [])
    assert line["documents"] == [1, second]
    assert line["factors"] == ["coal-ncv", "coal-c", "to-co2"]
    await papers.withdrawn(second)
    line = await papers.line(FROM, TO)
    assert line["documents"] == [1, first]
    assert line["value"] == float(Fraction(co2(500, 23.0)) + Fraction(co2(500, 20.0)))
    assert line["revision"] == 4


async def test_an_analysis_of_a_lot_is_for_its_deliveries(papers: Papers) -> None:
    await papers.entered(lot="A")
    await papers.entered(number="RE-2", lot="B")
    await papers.entered(**analysis(25.0, **{"from": None, "to": None, "lot": "B"}))
    line = await papers.line(FROM, TO)
    assert line["value"] == float(Fraction(co2(1000, 20.0)) + Fraction(co2(1000, 25.0)))


async def test_without_an_analysis_or_a_default_there_is_no_mass(papers: Papers) -> None:
    await papers.entered(activity="tar", quantity=10.0)
    line = await papers.line(FROM, TO, "tar-co2")
    assert (line["value"], line["reason"], line["quality"], line["co2e_kg"]) == (
        None,
        "no_analysis",
        "bad",
        None,
    )
    await papers.entered(
        kind="analysis", number="L", activity=None, quantity=None, analysis="tar-c", value=90.0, unit="%"
    )
    line = await papers.line(FROM, TO, "tar-co2")
    assert line["value"] == pytest.approx(-10_000 * 0.9 * 44 / 12, rel=1e-14)
    assert line["account"] == "fixed"


async def test_what_was_known_before_can_be_had_again(papers: Papers, dsn: str) -> None:
    before = batch(dsn)
    first = await papers.entered()
    one = batch(dsn)
    second = await papers.entered(supersedes=first, quantity=1200.0)
    two = batch(dsn)
    await papers.withdrawn(second)
    three = batch(dsn)
    values = [
        (await papers.line(FROM, TO, "coal-ch4", as_of=str(at)))["value"] for at in (before, one, two, three)
    ]
    assert values == [None, 10_000.0, 12_000.0, 10_000.0]
    assert [(await papers.told(number))["state"] for number in (first, second)] == ["in_effect", "withdrawn"]


async def test_a_sealed_period_gets_an_adjustment(papers: Papers, dsn: str) -> None:
    await papers.entered()
    ingest = await opened(dsn)
    await seal(ingest, dsn, START - 5 * DAY, START)
    await ingest.close()
    frozen = said(dsn)[1, "source", "mill/coal-ch4"]
    assert [row[2] for row in frozen] == [5000.0]
    await papers.entered(number="RE-2", quantity=20.0, **{"from": text(START - DAY)})
    rows = said(dsn)[1, "source", "mill/coal-ch4"]
    assert [row[1:3] for row in rows] == [(0, 5000.0), (4, 5200.0)]
    [adjusted] = [
        item
        for item in (
            await papers.client.get(f"/v1/adjustments?from={text(START)}&to={text(NOW + DAY)}")
        ).json()["items"]
        if item["id"] == "mill/coal-ch4"
    ]
    assert (adjusted["difference"], adjusted["cause"], adjusted["batch_no"]) == (
        200.0,
        "declaration",
        batch(dsn),
    )
    line = await papers.line(START - 5 * DAY, START, "coal-ch4")
    assert line["value"] == 5200.0


async def test_a_sealed_period_says_why_there_is_no_mass(papers: Papers, dsn: str) -> None:
    """What was wanting when it was sealed stays its reason."""
    await papers.entered(activity="tar", quantity=10.0)
    ingest = await opened(dsn)
    await seal(ingest, dsn, START - 5 * DAY, START)
    await ingest.close()

    async def told(basis: str) -> tuple[float | None, str | None]:
        figures = (await papers.client.get("/v1/periods/1")).json()["figures"]
        [figure] = [one for one in figures if one["id"] == "mill/tar-co2"]
        return figure[basis]["value"], figure[basis]["reason"]

    assert (await told("sealed"), await told("current")) == ((None, "no_analysis"), (None, "no_analysis"))
    await papers.entered(
        kind="analysis", number="L", activity=None, quantity=None, analysis="tar-c", value=90.0, unit="%"
    )
    assert await told("sealed") == (None, "no_analysis")
    value, reason = await told("current")
    assert value == pytest.approx(-5_000 * 0.9 * 44 / 12, rel=1e-12)
    assert reason is None


async def test_what_is_stored_is_what_the_documents_in_force_give_anew(papers: Papers, dsn: str) -> None:
    """Take everything away that follows from documents, and let ingest make it again."""
    first = await papers.entered(lot="A")
    await papers.entered(number="RE-2", kind="stock_change", quantity=-17.5)
    await papers.entered(**analysis(23.5, **{"from": text(FROM + DAY), "to": text(TO - DAY)}))
    lot = await papers.entered(**analysis(25.0, **{"from": None, "to": None, "lot": "A", "number": "L2"}))
    await papers.withdrawn(lot)
    await papers.entered(supersedes=first, quantity=1001.0)
    stored = await papers.emitted(FROM, TO)
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM document_piece")
        order = connection.execute(
            "SELECT inbox_no FROM document WHERE batch_no > 0 ORDER BY batch_no"
        ).fetchall()
        connection.execute("UPDATE document SET batch_no = NULL")
        connection.execute("UPDATE inbox SET batch_no = NULL WHERE kind = 'document'")
    await taken(dsn)
    again = await papers.emitted(FROM, TO)
    assert len(order) == 6
    kept = ("id", "value", "quality", "documents", "defaulted", "revision")
    assert [[item[name] for name in kept] for item in again["items"]] == [
        [item[name] for name in kept] for item in stored["items"]
    ]


async def test_an_analysis_concerns_only_amounts_that_it_is_a_factor_of(papers: Papers, dsn: str) -> None:
    coal = [await papers.entered(), await papers.entered(number="RE-2")]
    lime = await papers.entered(number="RE-3", activity="lime")
    await papers.entered(number="RE-4", activity="tar")
    one = await papers.entered(**analysis(25.0))
    async with await AsyncConnection.connect(dsn) as connection, connection.cursor() as cursor:
        assert await concerned(cursor, 1, [one]) == coal
        assert await concerned(cursor, 1, [lime]) == [lime]


async def test_parts_of_many_documents_are_all_of_them(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "PART", 2)
    for number in range(5):
        await papers.entered(number=f"RE-{number}")
    await papers.entered(**analysis(25.0))
    line = await papers.line(FROM, TO)
    assert (line["value"], line["defaulted"]) == (pytest.approx(5 * co2(1000, 25.0), rel=1e-12), [])


async def test_sending_again_changes_nothing(papers: Papers) -> None:
    one = await papers.post("anna", "/v1/documents", invoice(), key="k")
    two = await papers.post("anna", "/v1/documents", invoice(), key="k")
    assert (one.json()["repeated"], two.json()["repeated"]) == (False, True)
    assert one.json()["document"] == two.json()["document"]
    other = await papers.post("anna", "/v1/documents", invoice(quantity=1.0), key="k")
    assert problem_of(other).type.rpartition(":")[2] == "idempotency-key-reused"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"activity": "gas"},
         "Body 'activity' is 'gas': expected one of the documented activities of site mill: coal, lime, tar."),
        ({"quantity": -1.0}, "Body 'quantity' is '-1.0': expected a number of at least 0, for it is no stock_change."),
        ({"quantity": "12"}, "Body 'quantity' is '12': expected a valid number."),
        ({"quantity": True}, "Body 'quantity' is 'True': expected a valid number."),
        ({"unit": "GJ"}, ("Body 'unit' is 'GJ': expected one that converts to t: unit 'GJ' is of another dimension;"
                         " expected one that converts to 't'.")),
        ({"from": "2026-11-31"}, ("Body 'from' is '2026-11-31': expected an RFC 3339 time with offset"
                                 " between 1970 and 2200, such as 2026-11-20T08:00:00Z.")),
        ({"from": "2026-10-25T02:30"}, ("Body 'from' is '2026-10-25T02:30': expected it with its offset, for in"
                                       " Europe/Berlin this time comes twice.")),
        ({"from": "2026-03-29T02:30"}, ("Body 'from' is '2026-03-29T02:30': expected it with its offset, for in"
                                       " Europe/Berlin this time never was.")),
        ({"to": "2026-11-10"}, ("Body 'to' is '2026-11-10': expected an end after 2026-11-10T08:00:00Z, at most 3660"
                               " days later.")),
        ({"to": "2027-01-01"}, ("Body 'to' is '2027-01-01': expected an instant that is past, it is"
                               " 2026-11-21T04:00:00Z.")),
        ({"file_sha256": "abc"}, ("Body 'file_sha256' is 'abc': expected the SHA-256 of the file as 64 hexadecimal"
                                 " digits.")),
        ({"value": 3.0}, ("Body 'value' is '3.0': expected nothing of kind invoice, which has `activity` and"
                         " `quantity`.")),
        ({"number": " "}, "Body 'number' is ' ': expected printable characters, and not only blanks."),
        (analysis(23.0, basis=None), "Body 'basis' is 'none': expected NCV, as the plant file has coal-ncv."),
        (analysis(23.0, basis=["GCV"]), "Body 'basis' is 'GCV': expected NCV, as the plant file has coal-ncv."),
        (analysis(23.0, basis=["gross"]), "Body 'basis' is 'gross': expected NCV."),
        (analysis(-1.0), "Body 'value' is '-1.0': expected a number of at least 0."),
        (analysis(1.0, analysis="ash"),
         "Body 'analysis' is 'ash': expected one of the analyses of site mill: coal-ncv, tar-c."),
        (analysis(1.0, **{"from": None, "to": None}),
         "Body 'from' is missing: expected the span in which the analysis is valid, or its lot."),
        ({"site": "nowhere"}, "There is no site 'nowhere'."),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_in_a_sentence(
    papers: Papers, more: dict[str, Any], sentence: str
) -> None:
    response = await papers.post("anna", "/v1/documents", invoice(**more))
    assert response.status_code in (404, 422)
    assert problem_of(response).detail == sentence


async def test_dates_are_those_of_the_site(papers: Papers) -> None:
    response = await papers.post(
        "anna", "/v1/documents", invoice(**{"from": "2026-10-20", "to": "2026-11-01 06:30"})
    )
    told = response.json()
    assert (told["from"], told["to"]) == ("2026-10-19T22:00:00Z", "2026-11-01T05:30:00Z")


async def test_the_same_document_is_not_told_twice(papers: Papers) -> None:
    first = await papers.entered()
    response = await papers.post("anna", "/v1/documents", invoice(quantity=5.0))
    assert response.status_code == 409
    assert problem_of(response).detail == (
        f"Document {first} is invoice 'RE-1' of 'coal' already: expected `supersedes` {first}, or another number."
    )
    # Two proposals of one document: the second can be approved no more.
    one, two = await papers.proposed(number="RE-2"), await papers.proposed(number="RE-2")
    await papers.approved(one)
    response = await papers.post("bert", f"/v1/documents/{two}/approve")
    assert response.status_code == 409
    gone = await papers.post("anna", "/v1/documents", invoice(number="RE-3", supersedes=99))
    assert problem_of(gone).detail == (
        "Document 99 does not count, or is not of 'coal': expected one that does and is."
    )


async def test_what_is_refused_stays_in_the_list_and_counts_for_nothing(papers: Papers, dsn: str) -> None:
    number = await papers.proposed()
    await papers.post("bert", f"/v1/documents/{number}/refuse")
    response = await papers.post("bert", f"/v1/documents/{number}/approve")
    assert problem_of(response).detail == (
        f"Document {number} is refused by key 'bert': expected one that is not decided yet."
    )
    await taken(dsn)
    assert (await papers.told(number))["state"] == "refused"
    assert (await papers.line(FROM, TO))["reason"] == "gap"
    response = await papers.post("anna", f"/v1/documents/{number}/withdraw", {"note": "x"})
    assert problem_of(response).detail == f"Document {number} does not count: expected one that does."


CSV = f"""\
kind,number,activity,analysis,from,to,quantity,value,unit,basis,file_sha256\r
invoice,RE-1,coal,,2026-10-01,2026-11-01,1000,,t,,{SHA}\r
weighbridge,"W,7",coal,,2026-11-01T06:00,2026-11-01T08:00,25500,,kg,,{SHA}\r
analysis,LAB-1,,coal-ncv,2026-10-01,2026-11-01,,23.5,GJ/t,NCV,{SHA}\r
"""


async def test_a_file_is_proposed_whole_or_not_at_all(papers: Papers) -> None:
    path = "/v1/documents/csv?site=mill"
    response = await papers.post("anna", path, content=CSV.encode(), key="file")
    assert (response.status_code, response.json()) == (201, {"documents": [1, 2, 3], "repeated": False})
    again = await papers.post("anna", path, content=CSV.encode(), key="file")
    assert again.json() == {"documents": [1, 2, 3], "repeated": True}
    told = await papers.told(2)
    assert (told["kind"], told["number"], told["quantity"], told["from"]) == (
        "weighbridge", "W,7", 25.5, "2026-11-01T05:00:00Z",
    )  # fmt: skip
    wrong = CSV.replace("RE-1", "RE-9").replace("23.5", "many")
    response = await papers.post("anna", path, content=wrong.encode())
    assert problem_of(response).detail == "Line 4: Body 'value' is 'many': expected a valid number."
    assert len((await papers.client.get("/v1/documents")).json()["items"]) == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"kind,nummer\r\n", "column 'nummer' is unknown"),
        (b"kind,kind\r\n", "column 'kind' stands twice"),
        (b"", "column missing is unknown"),
        (b"kind,number\r\ninvoice\r\n", "line 2 has 1 fields: expected 2, as the header."),
        (b"kind\r\n\xff\r\n", "it is not UTF-8 at byte 6."),
        (b'kind\r\n"a\r\n', "is no CSV"),
        (b"kind\r\ninvoice\r\n", "Line 2: Body 'number' is missing: expected a value, for it is required."),
    ],
)
async def test_a_file_that_is_none_is_told_so(papers: Papers, content: bytes, sentence: str) -> None:
    response = await papers.post("anna", "/v1/documents/csv?site=mill", content=content)
    assert response.status_code == 422
    assert sentence in problem_of(response).detail


async def test_a_document_stays_under_the_version_and_the_source_it_took_effect_for(
    papers: Papers, dsn: str
) -> None:
    await papers.entered()
    changed = PAPERS.replace("{id: coal-co2,", "{id: boiler-co2, formerly: [coal-co2],")
    changed = changed.replace("id: coal-c, value: 0.0255", "id: coal-c, value: 0.5")
    ingest = await opened(dsn, changed)
    await ingest.close()
    number = await papers.proposed(**analysis(25.0))
    await papers.approved(number)
    await taken(dsn, changed)
    line = await papers.line(FROM, TO, "boiler-co2")
    assert (line["value"], line["plan_version"], line["quality"]) == (co2(1000, 25.0), 1, "good")
    assert (line["factors"], line["documents"]) == (["coal-ncv", "coal-c", "to-co2"], [1, number])
    await papers.approved(await papers.proposed(number="RE-2", quantity=1.0))
    await taken(dsn, changed)
    line = await papers.line(FROM, TO, "boiler-co2")
    assert line["value"] == pytest.approx(co2(1000, 25.0) + co2(1, 25.0) * 0.5 / 0.0255, rel=1e-14)
    assert line["plan_version"] == 2


async def test_a_document_that_the_plan_no_longer_knows_says_why(papers: Papers, dsn: str) -> None:
    number = await papers.proposed(activity="lime")
    await papers.approved(number)
    without = PAPERS.replace("  - {id: lime, name: Limestone, unit: t, resolution: 0.001}\n", "")
    without = "\n".join(line for line in without.splitlines() if "lime-co2" not in line)
    await taken(dsn, without)
    told = await papers.told(number)
    assert (told["state"], told["failure"], told["unit"]) == (
        "failed", "the plan of site mill has no activity or analysis lime.", None,
    )  # fmt: skip


async def test_a_document_waits_for_the_version_that_knows_its_activity(papers: Papers, dsn: str) -> None:
    ingest = await opened(dsn)  # it goes on under version 1
    changed = PAPERS.replace("activities:\n", "activities:\n  - {id: peat, name: Peat, unit: t}\n")
    file = parse_plant(changed, "test.yaml")
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await apply_plan(connection, 1, *canonical(file), datetime.fromtimestamp(NOW / 1e6, UTC))
    number = await papers.proposed(activity="peat")
    await papers.approved(number)
    for late in range(3):
        await papers.approved(await papers.proposed(activity="peat", number=f"RE-{late + 2}"))
    behind = await papers.proposed(number="RE-9")
    await papers.approved(behind)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        [asked] = await waiting(connection, 1, 2, ingest.plan)
        await ingest.seal(asked)
        assert await waiting(connection, 1, 2, ingest.plan) == []
    assert (await papers.told(number))["state"] == "approved"
    assert (await papers.told(behind))["state"] == "in_effect"
    await ingest.close()
    await taken(dsn, changed)
    assert (await papers.told(number))["state"] == "in_effect"


async def test_a_replay_makes_documents_anew_too(papers: Papers, dsn: str) -> None:
    await papers.entered()
    await papers.entered(**analysis(25.0))
    outcome = await replayed(dsn)
    assert (outcome.equal, outcome.compared["document"]) == (True, 1)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "UPDATE document_piece SET kg_per_count = 1 WHERE superseded_batch IS NULL AND cardinality(analyses) = 1"
        )
    outcome = await replayed(dsn)
    assert outcome.different == {"document_piece": 1}


async def test_a_factor_that_changes_with_time_parts_a_document(papers: Papers, dsn: str) -> None:
    """A series is a factor of documents too: before its first step nothing is known."""
    middle = text(FROM + 5 * DAY)
    stepped = PAPERS.replace(
        "{id: ch4-coal, value: 10.0, unit: kg/t, source: test, trust: unconfirmed}",
        f"{{id: ch4-coal, unit: kg/t, series: [{{since: '{text(FROM - DAY)}', value: 10.0, source: a, trust: P}},"
        f" {{since: '{middle}', value: 12.0, source: b, trust: unconfirmed}}]}}",
    )
    await (await opened(dsn, stepped)).close()
    number = await papers.proposed()
    await papers.approved(number)
    await taken(dsn, stepped)
    line = await papers.line(FROM, TO, "coal-ch4")
    assert (line["value"], line["unconfirmed"], line["quality"]) == (11_000.0, ["ch4-coal"], "good")
    number = await papers.proposed(number="RE-2", **{"from": text(FROM - 3 * DAY)})
    await papers.approved(number)
    await taken(dsn, stepped)
    line = await papers.line(FROM - 3 * DAY, TO, "coal-ch4")
    assert (line["value"], line["reason"]) == (None, "no_factor")
    ingest = await opened(dsn, stepped)
    await seal(ingest, dsn, FROM - 3 * DAY, TO)
    await ingest.close()
    figures = (await papers.client.get("/v1/periods/1")).json()["figures"]
    [sealed] = [one["sealed"] for one in figures if one["id"] == "mill/coal-ch4"]
    assert (sealed["value"], sealed["reason"]) == (None, "no_factor")
    assert (await papers.line(FROM, TO, "coal-ch4"))["value"] is not None


async def test_what_would_be_too_much_is_refused(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    await papers.entered()
    monkeypatch.setattr("service.documented.MOST_PIECES", 1)
    response = await papers.client.get(f"/v1/emissions?from={text(FROM)}&to={text(TO)}")
    assert response.status_code == 422
    assert problem_of(response).type.rpartition(":")[2] == "too-much-asked"


def judged(plant: str) -> str:
    """The plant with how far its coal, its analyses and its factors may be off."""
    of_x = "source: x, trust: P}"
    for old, new in (
        ("id: coal-c,", f"id: coal-c, uncertainty: {{percent: 1.5, {of_x},"),
        ("id: to-co2,", "id: to-co2, uncertainty_class: exact,"),
        ("id: coal-ncv-default,", "id: coal-ncv-default, uncertainty_class: default-coal,"),
        ("default: coal-ncv-default}", "default: coal-ncv-default, uncertainty_class: ncv-laboratory}"),
    ):
        assert old in plant
        plant = plant.replace(old, new)
    dates = "calibrated_on: 2026-01-01, due_on: 2036-01-01"
    bridge = f"  - {{id: bridge, activities: [coal], kind: weighbridge, uncertainty_class: weighbridge-iii, {dates}}}\n"
    return f"{plant}instruments:\n{bridge}"


async def test_a_documented_mass_is_as_sure_as_what_it_was_weighed_and_analysed_with(
    papers: Papers, dsn: str
) -> None:
    plant = judged(PAPERS)
    await (await opened(dsn, plant)).close()
    await papers.approved(await papers.proposed())
    await taken(dsn, plant)
    bridge, carbon, default = 0.1 / math.sqrt(3), 1.5, 2.5
    line = await papers.line(FROM, TO)
    assert line["uncertainty"]["percent"] == pytest.approx(2 * math.hypot(bridge, carbon, default), rel=1e-9)
    before = batch(dsn)
    await papers.approved(await papers.proposed(**analysis(20.0)))
    await taken(dsn, plant)
    line = await papers.line(FROM, TO)
    laboratory = 100 * 0.30 / (2 * math.sqrt(2)) / 20.0
    u = math.hypot(bridge, carbon, laboratory, 1.0) / 100 * line["value"]
    told = line["uncertainty"]
    assert (told["u"], told["U"], told["reason"]) == (pytest.approx(u), pytest.approx(2 * u), None)
    assert told["random_u"] == pytest.approx(0.01 * line["value"])
    assert [one["source"] for one in told["dominant"]][:2] == [
        "factor coal-c 0.0255", "analysis coal-ncv, document 2, random",
    ]  # fmt: skip
    then = await papers.line(FROM, TO, as_of=str(before))
    assert then["uncertainty"]["percent"] == pytest.approx(2 * math.hypot(bridge, carbon, default), rel=1e-9)
    methane = await papers.line(FROM, TO, "coal-ch4")
    assert methane["uncertainty"]["reason"] == "factor ch4-coal has no uncertainty"


async def test_the_balance_of_a_boundary_counts_what_its_sources_share_once(papers: Papers, dsn: str) -> None:
    """A quarter of the coal's carbon stays in a product: what is unsure of the coal is as unsure of the rest."""
    fixed = "{id: stays, value: 0.25, unit: '1', uncertainty_class: exact, source: test, trust: R}"
    plant = judged(PAPERS).replace("factors:\n", f"factors:\n  - {fixed}\n", 1)
    kept = "scope: 1, category: products, gas: co2, route: calculated, activity: {document: coal}"
    plant = plant.replace(
        "sources:\n",
        f"sources:\n  - {{id: stays-co2, {kept}, factors: [coal-ncv, coal-c, to-co2, stays]}}\n",
        1,
    )
    plant += "boundaries: [{id: fence, name: Fence, sources: [coal-co2, stays-co2]}]\n"
    await (await opened(dsn, plant)).close()
    await papers.approved(await papers.proposed())
    await papers.approved(await papers.proposed(**analysis(20.0)))
    await taken(dsn, plant)
    answer = await papers.emitted(FROM, TO)
    [fence] = answer["boundaries"]
    whole = next(line for line in answer["items"] if line["id"] == "mill/coal-co2")
    assert fence["balance_kg"] == pytest.approx(0.75 * whole["value"])
    assert fence["uncertainty"]["reason"] is None
    assert fence["uncertainty"]["u"] == pytest.approx(0.75 * whole["uncertainty"]["u"], rel=1e-9)
    assert fence["uncertainty"]["random_u"] == pytest.approx(
        0.75 * whole["uncertainty"]["random_u"], rel=1e-9
    )
    empty = (await papers.emitted(TO, TO + HOUR))["boundaries"][0]
    assert (empty["balance_kg"], empty["uncertainty"]) == (None, None)
