"""A meter's amounts times what a laboratory finds: analyses by document, from approval to masses, then and now."""

import math
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from ingest.aside import Aside
from ingest.model import ANALYSED_SEQ, HOUR, MINUTE, Cause
from ingest.site import Clocks, SiteIngest
from tests.ingest.feeding import PLANT, START, Clock, feed, message, open_site
from tests.ingest.test_history import last_batch
from tests.ingest.test_replay import replayed
from tests.service.conftest import Clock as ServiceClock
from tests.service.conftest import admin_client
from tests.service.documenting import SHA, Papers
from tests.service.seeding import text
from tests.service.test_routes import problem_of

DATES = "calibrated_on: 2026-03-02, due_on: 2036-03-02"
BURNING = (
    PLANT.replace(
        "factors:\n",
        "analyses:\n  - {id: coal-c, name: Carbon of coal, unit: t/t, uncertainty_class: carbon-laboratory}\n"
        "factors:\n  - {id: to-co2, value: 3.5, unit: t/t, source: test, trust: R, uncertainty_class: exact}\n",
    )
    .replace(
        "sources:\n",
        "  - {id: line/coal, kind: delta, unit: t, period: 10min, resolution: 0.001}\n"
        "  - {id: line/coal-c, kind: sample, unit: kg/t, analysis: coal-c, period: 1h}\n"
        "sources:\n"
        "  - {id: line/fuel, scope: 1, category: combustion, gas: co2, route: calculated, activity: line/coal,"
        " factors: [to-co2], factor_point: line/coal-c}\n",
    )
    .replace("kpis:\n", f"instruments:\n  - {{id: scale, points: [line/coal], kind: scale, "
        f"uncertainty_class: belt-weigher-1, {DATES}}}\nkpis:\n")
    .replace("interval: 1min", "interval: 10min")
    .replace("windows: [5min", "windows: [10min")
)  # fmt: skip
NOW = START + 20 * HOUR
HOURS = 6
"""Of burning 6 t an hour."""


class Yard(Papers):
    """People, and the ingest that takes what they approve as it does beside a broker."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.clock = Clock(NOW)

    async def opened(self) -> SiteIngest:
        return await open_site(self.dsn, BURNING, self.clock)

    async def take(self, turns: int = 3) -> None:
        """Let ingest do what waits."""
        ingest = await self.opened()
        aside = Aside(1, Clocks(self.clock.now, self.clock.monotonic))
        for _ in range(turns):
            await aside.turn(ingest, alone=True, caught_up=True)
            await ingest.take([], caught_up=True)  # a tick, as every second
        await ingest.close()

    async def analysed(self, number: str, value: float, begin_h: int, end_h: int, **more: Any) -> int:
        """An approved analysis of the carbon over some hours, not taken yet."""
        body = {
            "site": "mill", "kind": "analysis", "number": number, "analysis": "coal-c", "value": value,
            "from": text(START + begin_h * HOUR), "to": text(START + end_h * HOUR), "file_sha256": SHA, **more,
        }  # fmt: skip
        response = await self.post("anna", "/v1/documents", body)
        assert response.status_code == 201, response.text
        number_given = int(response.json()["document"])
        await self.approved(number_given)
        return number_given

    async def mass(self, begin_h: float, end_h: float, **more: Any) -> tuple[float | None, str | None]:
        line = await self.line(
            START + round(begin_h * HOUR), START + round(end_h * HOUR), "line/fuel", **more
        )
        return line["value"], line["reason"]

    async def documents(self, begin_h: int, end_h: int, **more: Any) -> list[int]:
        line = await self.line(START + begin_h * HOUR, START + end_h * HOUR, "line/fuel", **more)
        assert line["evidence"] == "metered"
        found: list[int] = line["documents"]
        return found


@pytest.fixture
async def yard(dsn: str) -> AsyncIterator[Yard]:
    clock = ServiceClock()
    clock.now = NOW
    async with admin_client(dsn, clock) as client:
        made = Yard(client, dsn)
        for name in ("anna", "bert"):
            await made.admit(name, "operate", "read")
        ingest = await made.opened()
        every = [message("line/coal", START + (i + 1) * 10 * MINUTE, 1.0) for i in range(HOURS * 6)]
        await feed(ingest, [*every, message("line/energy", START + (HOURS + 2) * HOUR, 1.0)])
        await ingest.close()
        yield made


def co2(*hours_and_carbon: tuple[float, float]) -> Any:
    """kg CO2 of hours at 6 t each."""
    return pytest.approx(sum(h * 6 * c * 3.5 * 1000 for h, c in hours_and_carbon), rel=1e-12)


def batch(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        return last_batch(connection)


def told(dsn: str) -> list[tuple[float, float | None, int]]:
    """(hour, value in force, how often it was said anew) at the point."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            """
            SELECT DISTINCT ON (measured_at) (extract(epoch FROM measured_at) * 1000000)::bigint, value, seq - %s
              FROM reading JOIN point USING (point_no) WHERE id = 'mill/line/coal-c' ORDER BY measured_at, seq DESC
            """,
            [ANALYSED_SEQ],
        ).fetchall()
    return [((at - START) / HOUR, None if math.isnan(value) else value, again) for at, value, again in found]


def causes(dsn: str) -> dict[int, tuple[int, int]]:
    """Hour → revision and cause of its masses."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            """
            SELECT DISTINCT (extract(epoch FROM start_at) * 1000000)::bigint, revision, cause
              FROM emission JOIN source USING (source_no) WHERE id = 'mill/line/fuel'
            """
        ).fetchall()
    return {(at - START) // HOUR: (revision, cause) for at, revision, cause in found}


async def test_an_analysis_weighs_what_a_meter_tells_for_as_long_as_it_is_valid(yard: Yard, dsn: str) -> None:
    assert await yard.mass(0, HOURS) == (None, "no_factor")
    await yard.analysed("LAB-1", 0.60, 0, 4)
    await yard.take()
    assert await yard.mass(0, 4) == (co2((4, 0.60)), None)
    assert await yard.mass(0, HOURS) == (None, "no_factor"), "of the last two hours nobody knows the carbon"
    # Once an hour, in the point's unit, and that it ends.
    assert told(dsn) == [(0.0, 600.0, 0), (1.0, 600.0, 0), (2.0, 600.0, 0), (3.0, 600.0, 0), (4.0, None, 0)]
    before = told(dsn)
    await yard.take()
    assert told(dsn) == before, "what is told is not told again"


async def test_the_newest_counts_and_what_was_known_before_can_be_had_again(yard: Yard, dsn: str) -> None:
    await yard.analysed("LAB-1", 0.60, 0, 4)
    await yard.take()
    before = batch(dsn)
    second = await yard.analysed("LAB-2", 0.62, 2, HOURS)
    await yard.take()
    assert await yard.mass(0, HOURS) == (co2((2, 0.60), (4, 0.62)), None)
    assert await yard.mass(0, 4, as_of=str(before)) == (co2((4, 0.60)), None)
    assert await yard.documents(0, HOURS) == [1, second]
    assert await yard.documents(3, HOURS) == [second]
    assert await yard.documents(0, 4, as_of=str(before)) == [1]
    assert causes(dsn) == {
        0: (1, Cause.CLOSING),
        1: (1, Cause.CLOSING),
        2: (2, Cause.DECLARATION),
        3: (2, Cause.DECLARATION),
        4: (2, Cause.DECLARATION),
        5: (2, Cause.DECLARATION),
    }
    assert (await replayed(dsn)).equal
    response = await yard.post("anna", f"/v1/documents/{second}/withdraw", {"note": "wrong"})
    await yard.approved(response.json()["document"])
    await yard.take()
    assert await yard.mass(0, 4) == (co2((4, 0.60)), None)
    assert await yard.mass(4, HOURS) == (None, "no_factor")
    assert (await replayed(dsn)).equal


async def test_only_whole_intervals_and_no_lots(yard: Yard) -> None:
    await yard.analysed("LAB-1", 0.60, 0, HOURS, lot="A")
    await yard.take()
    assert await yard.mass(0, 1) == (None, "no_factor")
    begin, end = text(START + 5 * MINUTE), text(START + 2 * HOUR + 5 * MINUTE)
    await yard.analysed("LAB-2", 0.60, 0, 0, **{"from": begin, "to": end})
    await yard.take()
    assert await yard.mass(1 / 6, 2) == (co2((11 / 6, 0.60)), None)
    assert await yard.mass(0, 1 / 6) == (None, "no_factor")
    assert await yard.mass(2, 2 + 1 / 6) == (None, "no_factor")


async def test_of_time_to_come_nothing_is_said_until_it_comes(yard: Yard, dsn: str) -> None:
    yard.clock.at = START + 3 * HOUR + 30 * MINUTE
    await yard.analysed("LAB-1", 0.60, 0, 4)
    await yard.take()
    assert [hour for hour, *_ in told(dsn)] == [0.0, 1.0, 2.0, 3.0]
    yard.clock.at = NOW
    await yard.take()
    assert told(dsn)[-1] == (4.0, None, 1)
    assert len(told(dsn)) == 5
    assert await yard.mass(0, 4) == (co2((4, 0.60)), None)


async def test_a_long_analysis_is_told_some_days_a_turn_the_last_ones_first(yard: Yard, dsn: str) -> None:
    await yard.analysed("LAB-1", 0.60, -9 * 24, HOURS)
    await yard.take(turns=1)
    hours = [hour for hour, *_ in told(dsn)]
    assert min(hours) == -2 * 24 - 8, "midnight, three days of ten"
    assert max(hours) == HOURS
    await yard.take(turns=5)
    assert [hour for hour, *_ in told(dsn)] == [float(hour) for hour in range(-9 * 24, HOURS + 1)]
    assert await yard.mass(0, HOURS) == (co2((HOURS, 0.60)), None)


async def test_nobody_else_says_what_it_is(yard: Yard, dsn: str) -> None:
    ingest = await yard.opened()
    await feed(ingest, [message("line/coal-c", START + HOUR, 700.0)])
    await ingest.close()
    assert told(dsn) == []
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT reason FROM rejected").fetchall() == [("analysed_point",)]
    body = {"measured_at": text(START + HOUR), "value": 700.0, "note": "by hand"}
    response = await yard.post("anna", "/v1/points/mill/line/coal-c/corrections", body)
    assert (response.status_code, problem_of(response).type.rpartition(":")[2]) == (422, "invalid-parameter")
    assert "analyses 'coal-c' give" in response.json()["detail"]


async def test_a_mass_is_as_sure_as_scale_and_laboratory(yard: Yard) -> None:
    await yard.analysed("LAB-1", 0.60, 0, HOURS)
    await yard.take()
    line = await yard.line(START, START + HOURS * HOUR, "line/fuel")
    scale, random = 1.0 / math.sqrt(3), 0.3 / math.sqrt(HOURS)
    laboratory = 1.0 / (2 * math.sqrt(2)) / 0.60
    u = math.hypot(scale, random, laboratory, 1.2) / 100 * line["value"]
    assert line["uncertainty"]["u"] == pytest.approx(u, rel=1e-6)
    assert line["uncertainty"]["dominant"][0]["source"] == "analysis coal-c, sample"
