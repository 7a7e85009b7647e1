"""Footprints of orders through the pipeline: ready, revised by late production and late statements, with == all along."""

import json
import math
import random
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from ingest.allocation.figures import of_units
from ingest.allocation.lines import lines, wanted
from ingest.errors import StaleEpochError
from ingest.mes.model import Order
from ingest.model import MINUTE
from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan import Plan
from ingest.site import SiteIngest
from ingest.source import Delivery
from ingest.store.allocated import stored_rows
from ingest.store.footprints import figures_of
from ingest.store.mes import book, of_order
from tests.ingest.feeding import SECOND, START, Clock, feed, message, open_site
from tests.ingest.mes.telling import PLANT, event, said
from tests.recovery.proxy import Cut, proxied

MINUTES = 40
SPAN = (START, START + 30 * MINUTE)


def readings() -> list[Delivery]:
    """Every ten seconds: meters of both lines, gas, output, air."""
    told = []
    one = two = air = 0.0
    for i in range(MINUTES * 6):
        at = START + i * 10 * SECOND
        one, two, air = one + 0.01 * (i * 37 % 101), two + 0.01 * (i * 53 % 89), air + 0.01 * (i * 11 % 17)
        told += [
            message("line1/energy", at, round(one, 2)),
            message("line2/energy", at, round(two, 2)),
            message("air/energy", at, round(air, 2)),
            message("line1/gas", at, round(0.001 * (i * 29 % 97), 3)),
            message("line1/out", at, round(0.001 * (i * 13 % 31), 3)),
        ]
    return told


STATEMENTS = [
    event("start", "4711", 1.5, product="meal"),
    event("stop", "4711", 12.25),
    event("start", "4712/b", 14),
    event("stop", "4712/b", 20.1, good=3, scrap=0.5, measure="t"),
    event("start", "4713", 5, unit="line2"),
    event("start", "4714", 9, unit="line2"),
    event("stop", "4713", 18, unit="line2"),
    event("stop", "4714", 25, unit="line2"),
    {"kind": "state", "unit": "line1", "ts": (START + 12 * MINUTE) // 1000, "state": "idle"},
    {"kind": "state", "unit": "line1", "ts": (START + 22 * MINUTE) // 1000, "state": "off"},
]


def events(dsn: str) -> list[tuple[str, dict[str, Any]]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "SELECT type, data FROM event WHERE type LIKE 'order.%' ORDER BY event_no"
        ).fetchall()


async def settle(ingest: SiteIngest, dsn: str) -> None:
    """Until no order can be looked at any more."""
    for _ in range(20):
        await ingest.account()
        with psycopg.connect(dsn) as connection:
            row = connection.execute(
                "SELECT count(*) FROM order_due WHERE wait_until <= to_timestamp(%s)", [START / 1e6 + 35 * 60]
            ).fetchone()
        if row == (0,):
            return
    raise AssertionError("orders stay due")


async def fed(dsn: str, deliveries: list[Delivery]) -> SiteIngest:
    ingest = await open_site(dsn, PLANT, Clock(START + MINUTES * MINUTE))
    await feed(ingest, deliveries)
    await settle(ingest, dsn)
    return ingest


async def all_lines(dsn: str, plan: Plan) -> dict[str, Any]:
    """Every line, part by part, exact."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        known = await book(connection, 1, SPAN)
        units = list(plan.mes.units)
        stored = await stored_rows(connection, plan, wanted(plan, units), SPAN)
    found = lines(plan, units, known, SPAN, stored)
    for line in found:
        assert sum((part.amount for part in line.parts), Fraction(0)) == line.total
        floats = [float(part.amount) for part in line.parts]
        if line.is_source:
            assert sum(floats) == math.fsum(floats) == float(line.total)
    return {
        line.id: {(part.unit, part.owner): part.amount for part in line.parts} | {"total": line.total}
        for line in found
    }


def totals(dsn: str) -> dict[str, Fraction]:
    """What the stored intervals of the span come to, by themselves."""
    with psycopg.connect(dsn) as connection:
        counts = connection.execute(
            """
            SELECT p.id, sum(amount_count)::text FROM interval i JOIN point p USING (point_no)
             WHERE start_at < to_timestamp(%s) GROUP BY 1
            """,
            [SPAN[1] / 1e6],
        ).fetchall()
        masses = connection.execute(
            """
            SELECT s.id, array_agg(mass_kg) FROM emission e JOIN source s USING (source_no)
             WHERE start_at < to_timestamp(%s) GROUP BY 1
            """,
            [SPAN[1] / 1e6],
        ).fetchall()
    sizes = {"energy": Fraction(1, 100), "gas": Fraction(1, 1000), "out": Fraction(1, 1000)}
    found = {name: int(count) * sizes[name.rpartition("/")[2]] for name, count in counts}
    return found | {name: Fraction(math.fsum(parts)) for name, parts in masses}


async def test_whatever_the_order_of_messages_all_adds_up(dsn: str, other_dsn: str) -> None:
    dice = random.Random(7)
    in_order = sorted([*(said(one) for one in STATEMENTS), *readings()], key=lambda one: one.received_at)
    statements = [said(one) for one in dice.sample(STATEMENTS, len(STATEMENTS))]
    mixed = [*statements, *dice.choices(statements, k=4), *readings()]
    mixed[3:400] = dice.sample(mixed[3:400], 397)
    ways = []
    for base, deliveries in ((dsn, in_order), (other_dsn, mixed)):
        ingest = await fed(base, deliveries)
        found = await all_lines(base, ingest.plan)
        for name, whole in totals(base).items():
            if name in found:
                assert found[name]["total"] == whole
        last = {data["order"]: data["new"] for _, data in events(base)}
        assert set(last) == {"4711", "4712/b", "4713", "4714"}
        ways.append((found, last))
        await ingest.close()
    assert ways[0] == ways[1]


async def test_late_production_revises_and_says_old_and_new(dsn: str) -> None:
    meters = readings()
    held = [one for one in meters if one.topic.endswith(("line1/out", "line1/gas"))][60:70]
    ingest = await fed(dsn, [*(one for one in meters if one not in held), *(said(one) for one in STATEMENTS)])
    first = {data["order"]: data for _, data in events(dsn)}
    assert first["4711"]["old"] is None
    before = first["4711"]["new"]
    await feed(ingest, held)
    await settle(ingest, dsn)
    revised = [data for kind, data in events(dsn) if kind == "order.footprint.revised"]
    assert [data["order"] for data in revised] == ["4711"]
    (told,) = revised
    assert (told["revision"], told["cause"], told["old"]) == (2, "late", before)
    assert (before["good"], before["gaps_us"]["mill/line1/gas"]) == (None, 50 * SECOND), (
        "the output was not counted"
    )
    assert told["new"]["good"] > 0
    assert told["new"]["gaps_us"] == {}
    assert (
        told["new"]["mass_kg"]["scope1/calculated/co2/gross"]
        > before["mass_kg"]["scope1/calculated/co2/gross"]
    )
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        order = (await of_order(connection, 1, "4711")).orders[0]
        span = (START + MINUTE, START + 13 * MINUTE)
        batch = first_batch(dsn)
        now = await figures_again(connection, ingest.plan, order, span, None)
        then = await figures_again(connection, ingest.plan, order, span, batch)
    assert json.loads(json.dumps(now)) == told["new"]
    assert json.loads(json.dumps(then)) == before
    # what is corrected changes it too
    at = START + 5 * MINUTE
    await feed(ingest, [message("line1/out", at, 1.5, seq=1)])
    await settle(ingest, dsn)
    (kind, corrected) = events(dsn)[-1]
    assert (kind, corrected["order"], corrected["revision"]) == ("order.footprint.revised", "4711", 3)
    assert corrected["old"] == told["new"]
    assert corrected["new"]["good"] > told["new"]["good"]
    # and a statement that comes late: the order ran on for three minutes more
    await feed(ingest, [said(event("stop", "4711", 15.25, id="again", seq=1), event("start", "4711", 12.25))])
    await settle(ingest, dsn)
    kinds = [(kind, data["order"], data["cause"]) for kind, data in events(dsn)]
    assert ("order.footprint.revised", "4711", "statement") in kinds
    assert ("order.footprint.revised", "4712/b", "statement") in kinds, (
        "they overlap now, which this unit refuses"
    )
    await ingest.close()


async def figures_again(
    connection: AsyncConnection[Any], plan: Plan, order: Order, span: tuple[int, int], batch: int | None
) -> dict[str, Any]:
    """What an order came to at a batch; None: now."""
    units = of_units(plan, order)
    known = await book(connection, 1, span, batch)
    stored = await stored_rows(connection, plan, wanted(plan, units), span, batch)
    return figures_of(plan, order, units, known, span, stored)


def first_batch(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT max(batch_no) FROM order_footprint WHERE revision = 1").fetchone()
    assert row is not None
    return int(row[0])


async def test_a_mark_outlives_a_crash(dsn: str) -> None:
    ingest = await open_site(dsn, PLANT, Clock(START + MINUTES * MINUTE))
    await feed(ingest, [*readings(), *(said(one) for one in STATEMENTS)])
    await ingest.close()  # before anybody looked
    assert events(dsn) == []
    again = await open_site(dsn, PLANT, Clock(START + MINUTES * MINUTE))
    await settle(again, dsn)
    assert len(events(dsn)) == 4
    await feed(
        again, [said(one) for one in STATEMENTS]
    )  # the broker sends again what it had no acknowledgement for
    await settle(again, dsn)
    assert len(events(dsn)) == 4
    await again.close()


async def test_a_footprint_committed_in_doubt_takes_no_batch_with_it(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The COMMIT of a footprint happened and its answer was lost: the batch after it is stored all the same."""
    monkeypatch.setattr("ingest.patient.LONGEST_PAUSE_S", 0.05)
    meters = readings()
    async with proxied(dsn) as proxy:
        ingest = await open_site(proxy.dsn, PLANT, Clock(START + MINUTES * MINUTE))
        await feed(ingest, [*meters[:-5], said(STATEMENTS[0]), said(STATEMENTS[1])])
        proxy.plan([Cut.AFTER])
        await ingest.account()
        assert proxy.cuts[Cut.AFTER] == 1
        assert len(events(dsn)) == 1
        assert await feed(ingest, meters[-5:]) == 5
        await ingest.close()
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM reading").fetchone()
    assert row == (len(meters),)


async def test_who_has_lost_the_site_takes_no_mark_away(dsn: str) -> None:
    ingest = await open_site(dsn, PLANT, Clock(START + MINUTES * MINUTE))
    await feed(ingest, [*readings(), said(event("start", "open", 3))])
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE site SET epoch = epoch + 1")
    with pytest.raises(StaleEpochError):
        await ingest.account()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT order_id FROM order_due").fetchall() == [("open",)]
    await ingest.close()


async def test_what_moves_from_a_unit_revises_who_ran_beside_it(dsn: str) -> None:
    """Also where only a utility that is shared by time lies between them."""
    plant = PLANT.replace("by: energy}", "by: time}")
    ingest = await open_site(dsn, plant, Clock(START + MINUTES * MINUTE))
    moved: dict[str, Any] = {"kind": "segment", "id": "s1", "order": "x", "unit": "line1"}
    moved |= {"from": (START + 8 * MINUTE) // 1000, "to": (START + 11 * MINUTE) // 1000}
    await feed(ingest, [*readings(), *(said(one) for one in STATEMENTS[:2]), said({**moved, "seq": 1})])
    await settle(ingest, dsn)
    (first,) = [data for _, data in events(dsn) if data["order"] == "4711"]
    await feed(ingest, [said({**moved, "unit": "line2", "seq": 2})])
    await settle(ingest, dsn)
    again = [data for _, data in events(dsn) if data["order"] == "4711"][-1]
    assert again["revision"] == 2
    assert again["new"]["amounts"]["mill/line1/energy"] > first["new"]["amounts"]["mill/line1/energy"]
    await feed(
        ingest, [said(event("start", "late", 2, unit="line2"), event("stop", "late", 6, unit="line2"))]
    )
    await settle(ingest, dsn)
    last = [data for _, data in events(dsn) if data["order"] == "4711"][-1]
    assert last["revision"] == 3
    assert last["new"]["amounts"]["mill/air/energy@air"] < again["new"]["amounts"]["mill/air/energy@air"]
    await ingest.close()


async def test_an_amount_without_a_factor_leaves_the_order_without_a_mass(dsn: str) -> None:
    since = "series: [{since: 2026-11-20T16:08:00+08:00, value: 0.002, source: test, trust: P}]"
    plant = PLANT.replace(
        "value: 0.002, unit: t/m3, basis: [0C], source: test, trust: P", f"unit: t/m3, basis: [0C], {since}"
    )
    assert plant != PLANT
    ingest = await open_site(dsn, plant, Clock(START + MINUTES * MINUTE))
    await feed(ingest, [*readings(), *(said(one) for one in STATEMENTS)])
    await settle(ingest, dsn)
    told = {data["order"]: data["new"] for _, data in events(dsn)}
    assert told["4711"]["mass_kg"] == {"scope1/calculated/co2/gross": None}, (
        "its first minutes have no factor"
    )
    assert told["4712/b"]["mass_kg"]["scope1/calculated/co2/gross"] > 0
    await ingest.close()


async def test_an_order_that_is_reopened_or_withdrawn_is_told_to_come_to_nothing(dsn: str) -> None:
    ingest = await fed(dsn, [*readings(), *(said(one) for one in STATEMENTS[:2])])

    async def last_told() -> tuple[str, dict[str, Any]]:
        await settle(ingest, dsn)
        return events(dsn)[-1]

    _, ready = await last_told()
    again = event("start", "4711", 13, id="again", seq=1)
    await feed(ingest, [said(again)])
    kind, reopened = await last_told()
    assert (kind, reopened["cause"], reopened["revision"]) == ("order.footprint.revised", "reopened", 2)
    assert (reopened["old"], reopened["new"]) == (ready["new"], None)
    await feed(ingest, [said({**again, "seq": 2, "withdrawn": True})])
    _, back = await last_told()
    assert (back["cause"], back["old"], back["new"]) == ("statement", None, ready["new"])
    named = {"start": "4711|mill/line1|start", "stop": "4711|mill/line1|stop"}
    for one in STATEMENTS[:2]:
        at = START + round(12.25 * MINUTE) if one["kind"] == "stop" else START + round(1.5 * MINUTE)
        name = f"{named[one['kind']]}|{at}|{at}"
        await feed(ingest, [said({**one, "id": name, "seq": 1, "withdrawn": True})])
    await settle(ingest, dsn)
    told = [(data["cause"], data["revision"]) for _, data in events(dsn)]
    assert told[3:] == [("withdrawn", 4)]
    assert (events(dsn)[-1][1]["old"], events(dsn)[-1][1]["new"]) == (ready["new"], None)
    await ingest.close()


async def test_a_finished_order_keeps_the_version_it_ended_under(dsn: str) -> None:
    """Its utility is shared by the key of then, also when it is looked at again; who runs later has the new key."""
    meters = readings()
    held = [one for one in meters if one.topic.endswith("line1/out")][60:70]
    before = [one for one in meters[: len(meters) * 2 // 3] if one not in held]
    ingest = await fed(dsn, [*before, *(said(one) for one in STATEMENTS)])
    first = {data["order"]: data["new"] for _, data in events(dsn)}["4711"]
    await ingest.close()
    changed = PLANT.replace("by: energy}", "by: time}").replace(
        "{id: line1/gas,", "{id: line1/fuel, formerly: [line1/gas],"
    )
    changed = changed.replace("line1/gas", "line1/fuel").replace(
        "formerly: [line1/fuel]", "formerly: [line1/gas]"
    )
    ingest = await open_site(dsn, changed, Clock(START + MINUTES * MINUTE))
    after = [event("start", "later", 28), event("stop", "later", 34, good=1, scrap=0, measure="t")]
    renamed = [
        Delivery(topic=one.topic.replace("gas", "fuel"), payload=one.payload, received_at=one.received_at)
        for one in meters[len(meters) * 2 // 3 :]
    ]
    await feed(ingest, [*renamed, *(said(one) for one in after), *held])
    await settle(ingest, dsn)
    told = [data for _, data in events(dsn)]
    (revised,) = [data for data in told if data["order"] == "4711" and data["revision"] == 2]
    assert (revised["cause"], revised["plan_version"]) == ("late", 1)
    assert {**revised["new"], "good": None, "gaps_us": {}} == {**first, "good": None, "gaps_us": {}}
    assert set(revised["new"]["amounts"]) == {"mill/line1/energy", "mill/line1/gas", "mill/air/energy@air"}
    (later,) = [data for data in told if data["order"] == "later"]
    assert later["plan_version"] == 2
    assert set(later["new"]["amounts"]) == {"mill/line1/energy", "mill/line1/fuel", "mill/air/energy@air"}
    by_time = compile_plan(parse_plant(PLANT.replace("by: energy}", "by: time}"), "test.yaml"))
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        order = (await of_order(connection, 1, "4711")).orders[0]
        span = (START + MINUTE, START + 13 * MINUTE)
        other = await figures_again(connection, by_time, order, span, None)
    assert other["amounts"]["mill/air/energy@air"] != first["amounts"]["mill/air/energy@air"], (
        "the keys differ in this test"
    )
    await ingest.close()
