"""A factor that is not known for part of a span: the mass of the rest is not told as that of the whole."""

import httpx
import psycopg

from ingest.site import SiteIngest
from tests.ingest.feeding import SECOND, START, feed, message, open_site
from tests.ingest.sealing import said, seal
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import text

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
PLANT = f"""\
site: mill
name: A mill
time_zone: UTC
interval: 1min
lateness: 5s
units: [{{id: line, name: Line, kind: line}}]
factors:
  - id: grid
    unit: t/MWh
    series:
      - {{since: "{text(START - HOUR)}", value: 0.5, source: test, trust: P}}
      - {{since: "{text(START + 90 * MINUTE)}", source: not published, trust: unconfirmed}}
points:
  - {{id: line/energy, kind: delta, unit: kWh, period: 1min, resolution: 0.001}}
  - {{id: line/other, kind: delta, unit: kWh, period: 1min, resolution: 0.001}}
sources:
  - {{id: line/power, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [grid]}}
"""
SILENT = range(80, 100)
"""Minutes of which the meter has told nothing yet."""


async def told(dsn: str) -> SiteIngest:
    """Three hours of 2 kWh a minute, none in `SILENT`; closed to the end."""
    ingest = await open_site(dsn, PLANT)
    coming = [
        message(point, START + (n + 1) * MINUTE, 2.0)
        for n in range(181)
        for point in ("line/energy", "line/other")
        if point == "line/other" or n not in SILENT
    ]
    await feed(ingest, coming)
    return ingest


async def line(client: httpx.AsyncClient, from_at: int, to_at: int, more: str = "") -> dict[str, object]:
    answer = await client.get(f"/v1/emissions?from={text(from_at)}&to={text(to_at)}&group_by=source{more}")
    assert answer.status_code == 200, answer.text
    [item] = answer.json()["items"]
    found: dict[str, object] = item
    return found


async def test_part_of_a_mass_is_not_told_as_the_whole(dsn: str) -> None:
    await (await told(dsn)).close()
    clock = Clock()
    clock.now = START + 4 * HOUR
    async with admin_client(dsn, clock) as client:
        whole = await line(client, START, START + HOUR)
        assert (whole["value"], whole["reason"], whole["quality"]) == (60.0, None, "good")
        partly = await line(client, START, START + 2 * HOUR)
        assert (partly["value"], partly["reason"], partly["quality"]) == (None, "no_factor", "bad")
        assert partly["co2e_kg"] is None
        nothing = await line(client, START + 100 * MINUTE, START + 2 * HOUR)
        assert (nothing["value"], nothing["reason"]) == (None, "no_factor")
        answer = await client.get(f"/v1/emissions?from={text(START)}&to={text(START + 2 * HOUR)}")
        assert [(one["co2e_kg"], one["reason"]) for one in answer.json()["totals"]] == [(None, "no_factor")]


async def test_where_there_is_no_activity_no_factor_is_wanting(dsn: str) -> None:
    """A gap of the meter beyond the last factor; what comes late shows the hole, and only from then on."""
    ingest = await told(dsn)
    clock = Clock()
    clock.now = START + 4 * HOUR
    before = START, START + 100 * MINUTE
    async with admin_client(dsn, clock) as client:
        assert (await line(client, *before))["value"] == 80.0
        with psycopg.connect(dsn) as connection:
            [(batch,)] = connection.execute("SELECT max(batch_no) FROM ingest_commit").fetchall()
        late = START + 4 * HOUR
        await feed(ingest, [message("line/energy", START + 96 * MINUTE, 2.0, received_at=late)])
        now = await line(client, *before)
        assert (now["value"], now["reason"]) == (None, "no_factor")
        assert (await line(client, *before, f"&as_of={batch}"))["value"] == 80.0
    await ingest.close()


async def test_what_is_sealed_is_no_part_of_a_mass(dsn: str) -> None:
    ingest = await told(dsn)
    for hour in range(3):
        await seal(ingest, dsn, START + hour * HOUR, START + (hour + 1) * HOUR)
    rows = [said(dsn)[number, "source", "mill/line/power"] for number in (1, 2, 3)]
    assert [[row[2] for row in one] for one in rows] == [[60.0], [None], [None]]
    clock = Clock()
    clock.now = START + 4 * HOUR
    async with admin_client(dsn, clock) as client:
        for number, value, reason in ((1, 60.0, None), (2, None, "no_factor"), (3, None, "no_factor")):
            figures = (await client.get(f"/v1/periods/{number}")).json()["figures"]
            [found] = [one for one in figures if one["id"] == "mill/line/power"]
            for basis in ("sealed", "current"):
                assert (found[basis]["value"], found[basis]["reason"]) == (value, reason)
    await ingest.close()


async def test_a_sealed_mass_is_taken_back_by_an_amount_without_a_factor(dsn: str) -> None:
    """Nothing of the emissions changes by it: the hole is all there is."""
    plant = PLANT.replace(text(START + 90 * MINUTE), text(START + 80 * MINUTE))
    ingest = await open_site(dsn, plant)
    coming = [message("line/energy", START + (n + 1) * MINUTE, 2.0) for n in range(80)]
    coming += [message("line/other", START + (n + 1) * MINUTE, 2.0) for n in range(181)]
    coming += [message("line/energy", START + (n + 1) * MINUTE, 2.0) for n in range(125, 181)]
    await feed(ingest, sorted(coming, key=lambda one: one.received_at))
    await seal(ingest, dsn, START + HOUR, START + 2 * HOUR)
    assert [row[2] for row in said(dsn)[1, "source", "mill/line/power"]] == [20.0]
    late = message("line/energy", START + 96 * MINUTE, 2.0, received_at=START + 4 * HOUR)
    await feed(ingest, [late])
    rows = said(dsn)[1, "source", "mill/line/power"]
    assert [row[2] for row in rows] == [20.0, None]
    await ingest.close()
