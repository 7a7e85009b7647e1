"""Two sites in one database with rows in every covered table, some superseded, over some hours of the clock."""

import hashlib
import json
import random

import msgspec
import psycopg
from msgspec.structs import replace
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from ingest.evidence.signing import Signer
from ingest.evidence.verifier import signature
from ingest.model import DAY, HOUR, MINUTE
from ingest.site import SiteIngest
from ingest.source import Delivery
from ingest.store import analyser_tests, seals
from ingest.store.inbox import SealBody
from service.inbox import accept
from tests.ingest import crooked
from tests.ingest.declaring import approve, take_declared
from tests.ingest.feeding import START, Clock, feed, open_site
from tests.ingest.mes.telling import event, said
from tests.ingest.regimes.plants import plant, stretch
from tests.ingest.sealing import seal

MILL = (
    crooked.PLANT.replace(
        "points:\n",
        """\
  - {id: lime, value: 0.44, unit: t/t, source: test, trust: P}
activities:
  - {id: lime, name: Limestone, unit: t, resolution: 0.001}
points:
""",
        1,
    ).replace(
        "sources:\n",
        """\
sources:
  - {id: lime-co2, scope: 1, category: process, gas: co2, route: calculated, activity: {document: lime}, factors: [lime]}
""",
        1,
    )
    + "mes: {units: [{unit: line, meters: [line/energy], output: line/mass}]}\n"
)
KILN = plant("part75").replace("site: mill", "site: kiln", 1)
MINUTES = 40
PERIOD = (START + 30 * MINUTE, START + 90 * MINUTE)
"""An hour of the mill's zone."""


def signer(seed: bytes = bytes(32)) -> Signer:
    """Signs as RFC 8032, section 5.1.6, says, with the arithmetic of the verifier."""
    order = signature.ORDER
    hashed = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(hashed[:32], "little") & (2**254 - 8) | 2**254
    public = _encoded(signature._times(scalar, signature.BASE))

    def sign(message: bytes) -> bytes:
        nonce = int.from_bytes(hashlib.sha512(hashed[32:] + message).digest(), "little") % order
        commitment = _encoded(signature._times(nonce, signature.BASE))
        challenge = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little")
        return commitment + ((nonce + challenge * scalar) % order).to_bytes(32, "little")

    return Signer(public, sign)


def _encoded(point: signature.Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, signature.PRIME)
    x, y = x * inverse % signature.PRIME, y * inverse % signature.PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


async def built(dsn: str, by: Signer | None = None) -> None:
    """Fill both sites."""
    await _mill(dsn, by)
    await _kiln(dsn, by)


async def _mill(dsn: str, by: Signer | None) -> None:
    clock = Clock()
    dice = random.Random(5)
    messages = crooked.crooked(1, MINUTES, 60)
    late = dice.sample(messages, len(messages) // 8)
    ingest = await open_site(dsn, MILL, clock, by)
    await _fed(ingest, [one for one in messages if one not in late], clock)
    await _fed(ingest, late[::2], clock)
    await feed(ingest, [crooked.the_end(MINUTES)])
    await seal(ingest, dsn, *PERIOD)
    await _fed(ingest, late[1::2], clock)
    await seal(ingest, dsn, *PERIOD, again=1, reason="late readings")
    await feed(ingest, [said(event("start", "4711", 1, "line"), received_at=clock.at)])
    await feed(ingest, [said(event("stop", "4711", 9, "line", good=5, measure="t"), received_at=clock.at)])
    approve(dsn, "line/power", START + 31 * MINUTE, "correction", value=250.0, quality="good")
    first = approve(dsn, "line/power", START + 33 * MINUTE, "correction", value=251.0, quality="good")
    await take_declared(ingest, dsn)
    approve(dsn, "line/power", START + 33 * MINUTE, "withdrawal", withdraws=first)
    await take_declared(ingest, dsn)
    clock.at += HOUR
    await feed(ingest, [_order("start", 5), _order("stop", 12)])
    await ingest.account()
    number = _document(dsn, 1_500_000)
    await _papers(ingest, dsn)
    _document(dsn, 1_250_000, supersedes=number)
    await _papers(ingest, dsn)
    await ingest.close()


def _order(kind: str, minute: int) -> Delivery:
    said = {"kind": kind, "order": "4711", "unit": "line", "ts": (START + minute * MINUTE) // 1000}
    return Delivery("plant/mill/$mes", json.dumps(said).encode(), START + DAY)


async def _fed(ingest: SiteIngest, messages: list[Delivery], clock: Clock) -> None:
    for begin in range(0, len(messages), 20):
        await feed(ingest, messages[begin : begin + 20])
        clock.at += 7 * MINUTE


async def _kiln(dsn: str, by: Signer | None) -> None:
    clock = Clock()
    ingest = await open_site(dsn, KILN, clock, by)
    told = [
        replace(one, topic=one.topic.replace("plant/mill/", "plant/kiln/"))
        for one in stretch(0, 6, dead=range(3, 4))
    ]
    await feed(ingest, told, batch=1)
    clock.at += HOUR
    with psycopg.connect(dsn) as connection:
        for hour, measured in ((2, 13.0), (4, 10.0)):
            injections = [{"level": "span", "reference": 10.0, "measured": measured}]
            body = {
                "instrument": "kiln/co2-analyser",
                "kind": "daily_calibration",
                "performed_us": START + hour * HOUR,
                "readings": {"quantity": "diluent", "span": 20.0, "injections": injections},
            }
            connection.execute(
                """
                INSERT INTO inbox (site_no, kind, body, idempotency_key, author, received_at)
                VALUES (2, 'test', %s, gen_random_uuid()::text, 'tester', to_timestamp(4000000000))
                """,
                [json.dumps(body)],
            )
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        for told_test in await analyser_tests.waiting(connection, 2, 10):
            await ingest.examine(told_test)
        shift = msgspec.json.encode(SealBody("shift", START, START + 2 * HOUR, 0, "")).decode()
        await accept(connection, 2, "seal", shift, "seal", "m.weber")
        for sealing in await seals.waiting(connection, 2, 10, ingest.plan):
            await ingest.seal(sealing)
    await feed(ingest, [replace(told[0], payload=b'{"ts": %d, "value": 12.5, "seq": 9}' % (START // 1000))])
    await ingest.close()


def _document(dsn: str, count: int, supersedes: int | None = None) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            WITH handed AS (
                INSERT INTO inbox (site_no, kind, body, idempotency_key, author)
                VALUES (1, 'document', '{}', gen_random_uuid()::text, 'bert') RETURNING inbox_no)
            INSERT INTO document (site_no, kind, number, subject, from_at, to_at, count, body, file_sha256, supersedes, note,
                                  author, proposed_at, idempotency_key, digest, decision, decided_by, decided_at, inbox_no)
            SELECT 1, 'invoice', 'RE-1', 'lime', to_timestamp(0) + %s * interval '1 microsecond',
                   to_timestamp(0) + %s * interval '1 microsecond', %s, %s, repeat('ab', 32), %s, '', 'anna', now(),
                   gen_random_uuid()::text, 'x', 'approved', 'bert', now(), inbox_no FROM handed
            RETURNING document_no
            """,
            [START - 10 * DAY, START, count, Jsonb({"quantity": count / 1000, "unit": "t"}), supersedes],
        ).fetchone()
    assert row is not None
    return int(row[0])


async def _papers(ingest: SiteIngest, dsn: str) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        for asked in await seals.waiting(connection, 1, 10, ingest.plan):
            await ingest.seal(asked)
