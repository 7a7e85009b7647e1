"""What the database gives back of statements is what all of them come to, whatever span or order is asked for."""

import random
from dataclasses import replace
from importlib import resources
from typing import Any

from psycopg import AsyncConnection

from ingest.mes.model import of_id
from ingest.mes.reduction import reduce
from ingest.mes.statements import Statement
from ingest.model import MINUTE
from ingest.store import migrations
from ingest.store.facts import Stamp
from ingest.store.mes import book, of_order
from ingest.store.told import write_statements
from tests.ingest.feeding import START
from tests.ingest.mes.telling import at, event
from tests.ingest.mes.test_statements import told

ROUNDS = 60


def drawn(dice: random.Random) -> list[Statement]:
    """Statements whose ids are told again of other orders, units and times."""

    def one() -> dict[str, Any]:
        order, unit, minute = dice.choice("abc"), dice.choice(["line1", "line2"]), dice.randrange(60)
        named = {"id": f"i{dice.randrange(6)}", "seq": dice.randrange(3)} if dice.random() < 0.5 else {}
        if dice.random() < 0.15:
            named["withdrawn"] = True
        kind = dice.choice(["start", "stop", "pause", "resume", "segment", "production", "state", "order"])
        if kind in ("start", "stop", "pause", "resume"):
            return event(kind, order, minute, unit, **named)
        if kind == "order":
            return {"kind": kind, "order": order, "planned": dice.randrange(9), "measure": "t", **named}
        if kind == "state":
            state = dice.choice(["run", "idle", "off"])
            return {"kind": kind, "unit": unit, "ts": at(minute), "state": state, **named}
        span = {"from": at(minute), "to": at(minute + dice.randrange(1, 15))}
        if kind == "segment":
            return {"kind": kind, "order": order, "unit": unit, **span, **named}
        of = {"order": order} if dice.random() < 0.5 else {}
        return {"kind": kind, "unit": unit, "good": 1, "measure": "t", **of, **span, **named}

    return told(*(one() for _ in range(dice.randrange(1, 16))))


async def test_a_part_is_a_part_of_the_whole_as_of_each_batch(dsn: str) -> None:
    dice = random.Random(11)
    backfill = _backfill()
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        for site in range(1, ROUNDS + 1):
            await connection.execute("INSERT INTO site (id) VALUES (%s)", [f"s{site}"])
            statements = drawn(dice)
            known = {batch: statements[: dice.randrange(len(statements))] for batch in (1, 2)} | {
                3: statements
            }
            known[1] = known[1][: len(known[2])]
            for batch, told_by_then in known.items():
                async with connection.cursor() as cursor:
                    stamp = Stamp(batch, START, 1)
                    told_now = [(one, START + dice.randrange(9)) for one in told_by_then]
                    await write_statements(cursor, site, stamp, told_now)
            for asked in (1, 2, 3, None):
                await check(connection, site, asked, known[asked or 3], dice)
            await connection.execute("DELETE FROM order_reach WHERE site_no = %s", [site])
            await connection.execute(backfill, {"site": site})
            for asked in (1, 2, 3, None):
                await check(connection, site, asked, known[asked or 3], dice)


def _backfill() -> bytes:
    """What the migration makes of statements told before it, for one site."""
    sql = resources.files(migrations).joinpath("0036_order_reach.sql").read_text(encoding="utf-8")
    of_all = sql[sql.index("WITH told AS") :]
    return of_all.replace("WHERE order_id", "WHERE site_no = %(site)s AND order_id").encode()


async def check(
    connection: AsyncConnection[Any],
    site: int,
    batch: int | None,
    statements: list[Statement],
    dice: random.Random,
) -> None:
    """What the database says of orders and spans is what all statements come to."""
    whole = reduce(statements)
    for order in "abc":
        assert of_id(await of_order(connection, site, order, batch), order) == of_id(whole, order)
    for _ in range(3):
        begin = START + dice.randrange(-5, 70) * MINUTE
        span = (begin, begin + dice.randrange(1, 20) * MINUTE)
        found = await book(connection, site, span, batch)
        for one in found.orders:
            assert one == of_id(whole, one.id)
        touching = [
            one.id for one in whole.orders
            if any(s.start_at < span[1] and (s.end_at is None or s.end_at > span[0]) for s in one.segments)
            or any(p.start_at < span[1] and p.end_at > span[0] for p in one.produced)
        ]  # fmt: skip
        assert {one.id for one in found.orders} >= set(touching)
        assert [one for one in found.contradictions if span[0] <= one.at < span[1]] == [
            one for one in whole.contradictions if span[0] <= one.at < span[1]
        ]
        within = [one for one in whole.produced if one.start_at < span[1] and one.end_at > span[0]]
        assert [one for one in found.produced if one.start_at < span[1] and one.end_at > span[0]] == within
        assert states(found.states, span) == states(whole.states, span)


def states(spans: Any, within: tuple[int, int]) -> list[tuple[str, str, int, int]]:
    """States over a span, cut to it."""
    return [
        (one.unit, one.state, max(one.start_at, within[0]), min(one.end_at or within[1], within[1]))
        for one in spans
        if one.start_at < within[1] and (one.end_at is None or one.end_at > within[0])
    ]


def test_headers_say_what_they_say_beside_each_other() -> None:
    planned = {"kind": "order", "order": "a", "planned": 120, "measure": "t"}
    closed = {"kind": "order", "order": "a", "closed": True}
    ran = [event("start", "a", 0), event("pause", "a", 5)]
    for told_in in ([planned, closed, *ran], [closed, *ran, planned]):
        (order,) = reduce(told(*told_in)).orders
        assert (order.planned, order.closed) == (120.0, True)


async def test_a_header_that_comes_again_later_is_no_second_fact(dsn: str) -> None:
    header = told({"kind": "order", "order": "a", "product": "meal"})[0]
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("INSERT INTO site (id) VALUES ('mill')")
        for batch in (1, 2):
            later = replace(header, from_at=batch, to_at=batch)
            async with connection.cursor() as cursor:
                await write_statements(cursor, 1, Stamp(batch, START, 1), [(later, batch)])
        cursor = await connection.execute("SELECT count(*) FROM mes_statement")
        assert await cursor.fetchone() == (1,)
