"""Sealed periods: frozen once, and every later difference booked by the batch that made it known."""

import random
from itertools import pairwise
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import AsyncConnection

from ingest.model import HOUR, MINUTE, Cause
from ingest.store.inbox import SealBody
from service.inbox import accept
from tests.ingest.crooked import PLANT, crooked, the_end
from tests.ingest.fed import Fed
from tests.ingest.feeding import SECOND, START, a_day, feed, message, open_site
from tests.ingest.sealing import NOTHING, defined, said, seal
from tests.ingest.test_history import last_batch
from tests.ingest.test_replay import execute, replayed
from tests.recovery.proxy import Cut, proxied

SETPOINT = "line/setpoint"


def rejected(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [
            text
            for (text,) in connection.execute("SELECT detail FROM rejected WHERE reason = 'seal' ORDER BY 1")
        ]


def newest(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        return last_batch(connection)


async def test_what_is_frozen_is_what_was_said(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(2.2, step_s=20)))
    await seal(ingest, dsn, START, START + 2 * HOUR)
    await ingest.close()
    found = {key: [row[2:] for row in rows] for key, rows in said(dsn).items()}
    assert found == {key: [figures] for key, figures in defined(dsn).items()}
    assert {subject for _, subject, _ in found} == {"point", "kpi", "source"}
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT kind, edition, sealed_by, batch_no, to_at - from_at = '2 hours' FROM period_seal"
        ).fetchone()
    assert row == ("shift", 1, "m.weber", newest(dsn), True)


async def test_a_sealed_day_is_the_day_of_the_rollups(dsn: str) -> None:
    ingest = await open_site(dsn, PLANT)
    await feed(ingest, [*crooked(2, 300, 60), the_end(24 * 60)])
    day = START - 13 * HOUR - 30 * MINUTE  # midnight at the site, whose zone is half an hour off
    await seal(ingest, dsn, day, day + 24 * HOUR)
    await ingest.close()
    frozen = {name: rows[0][2:] for (_, subject, name), rows in said(dsn).items() if subject == "point"}
    with psycopg.connect(dsn) as connection:
        days = connection.execute(
            """
            SELECT id, amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us, quality, reasons
              FROM interval_day JOIN point USING (point_no)
             WHERE start_at = to_timestamp(%s)
            """,
            [day // SECOND],
        ).fetchall()
    assert len(days) > 10
    assert frozen == {name: tuple(row) for name, *row in days}


@pytest.mark.parametrize("seed", range(3))
async def test_every_later_difference_is_booked_where_it_became_known(dsn: str, seed: int) -> None:
    dice = random.Random(seed)
    messages = crooked(seed, 300, 60)
    late = dice.sample(messages, len(messages) // 8)
    ingest = await open_site(dsn, PLANT)
    await feed(ingest, [one for one in messages if one not in late])
    await feed(ingest, [the_end(300)])
    half_past = START + 30 * MINUTE
    for hours in ((0, 1), (1, 3)):
        await seal(ingest, dsn, half_past + hours[0] * HOUR, half_past + hours[1] * HOUR)
    frozen = {key: rows[0] for key, rows in said(dsn).items()}
    assert {number for number, _, _ in frozen} == {1, 2}
    batches = set()
    while late:
        before = said(dsn)
        await feed(ingest, [late.pop() for _ in range(min(len(late), 30))], batch=30)
        now, truth, batch = said(dsn), defined(dsn), newest(dsn)
        for key, rows in now.items():
            assert rows[0] == frozen.get(key, rows[0])
            assert rows[-1][2:] == truth.get(key, NOTHING[: len(rows[-1]) - 2]), key
            assert rows[: len(before.get(key, []))] == before.get(key, [])
            assert {row[0] for row in rows[len(before.get(key, [])) :]} <= {batch}
            assert all(one[2:] != other[2:] for one, other in pairwise(rows))
        assert truth.keys() <= now.keys()
        batches |= {row[0] for rows in now.values() for row in rows[1:]}
    await ingest.close()
    assert len(batches) > 3
    booked = [row for rows in said(dsn).values() for row in rows[1:]]
    assert {row[1] for row in booked} <= {Cause.LATE, Cause.GAP_FILLED}


async def test_frozen_and_differences_of_counts_are_what_it_is_now(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(2.2, step_s=20)))
    await seal(ingest, dsn, START, START + 2 * HOUR)
    for n in range(1, 6):
        await feed(ingest, [message("line/batch", START + n * 7 * MINUTE + 1000, n / 8)])
    await ingest.close()
    counts = [row[3] for row in said(dsn)[1, "point", "mill/line/batch"]]
    assert len(counts) == 6
    differences = [later - earlier for earlier, later in pairwise(counts)]
    assert differences == [n * 125 for n in range(1, 6)]
    assert counts[0] + sum(differences) == defined(dsn)[1, "point", "mill/line/batch"][1]


async def test_a_period_sealed_again_goes_on_from_what_it_had_come_to(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(2.2, step_s=20)))
    await seal(ingest, dsn, START, START + HOUR)
    await seal(ingest, dsn, START + HOUR, START + 2 * HOUR)
    await feed(ingest, [message(SETPOINT, START + 95 * SECOND, 77.0)])
    first = {key: rows for key, rows in said(dsn).items() if key[0] == 1}
    await seal(ingest, dsn, START, START + HOUR, again=1, reason="the scale was wrong")
    again = {key: rows for key, rows in said(dsn).items() if key[0] == 3}
    assert {key[1:]: [row[2:] for row in rows] for key, rows in again.items()} == {
        key[1:]: [rows[-1][2:]] for key, rows in first.items()
    }
    assert {row[:2] for rows in again.values() for row in rows} == {(newest(dsn), Cause.CLOSING)}
    await feed(ingest, [message(SETPOINT, START + 99 * SECOND, 78.0)])
    # A process that begins now goes on with the newest edition too.
    await ingest.close()
    ingest = await open_site(dsn)
    await feed(ingest, [message(SETPOINT, START + 103 * SECOND, 79.0)])
    await seal(ingest, dsn, START, START + HOUR, again=1, reason="twice")
    await seal(ingest, dsn, START, START + 2 * HOUR, again=3, reason="longer")
    await seal(ingest, dsn, START, START + HOUR, kind="day")
    await seal(ingest, dsn, START, START + HOUR, again=3, reason="once more")
    await ingest.close()
    found = said(dsn)
    assert {key: rows for key, rows in found.items() if key[0] == 1} == first
    assert len(found[3, "point", "mill/line/setpoint"]) == 3
    truth = defined(dsn)
    assert {key: rows[-1][2:] for key, rows in found.items() if key[0] > 1} == {
        key: figures for key, figures in truth.items() if key[0] > 1
    }
    with psycopg.connect(dsn) as connection:
        editions = connection.execute(
            "SELECT seal_no, edition, reason FROM period_seal ORDER BY 1"
        ).fetchall()
    assert editions == [
        (1, 1, None), (2, 1, None), (3, 2, "the scale was wrong"), (4, 3, "once more"),
    ]  # fmt: skip
    assert sorted(rejected(dsn)) == [
        "Period 1 is not what is to be sealed again: expected its newest edition.",
        "Period 3 is not what is to be sealed again: expected its newest edition.",
        "The period overlaps sealed period 3: expected one that does not.",
    ]


async def test_what_changes_outside_is_booked_nowhere(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(2.2, step_s=20)))
    await seal(ingest, dsn, START, START + HOUR)
    before = said(dsn)
    await feed(ingest, [message(SETPOINT, START + HOUR + 95 * SECOND, 77.0)])
    assert said(dsn) == before
    await feed(ingest, [message(SETPOINT, START + HOUR - 5 * SECOND, 77.0)])
    assert said(dsn) != before
    await ingest.close()


async def test_a_point_never_heard_of_before_is_booked_when_it_closes(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, [one for one in a_day(2.2, step_s=20) if "setpoint" not in one.topic])
    await seal(ingest, dsn, START, START + HOUR)
    assert (1, "point", "mill/line/setpoint") not in said(dsn)
    await feed(ingest, [message(SETPOINT, START + n * MINUTE + SECOND, 5.0) for n in range(150)], batch=150)
    await ingest.close()
    rows = said(dsn)[1, "point", "mill/line/setpoint"]
    assert rows[-1][2:] == defined(dsn)[1, "point", "mill/line/setpoint"]
    assert rows[-1][1] == Cause.LATE


async def test_another_process_goes_on_booking(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(1.2, step_s=20)))
    await seal(ingest, dsn, START, START + HOUR)
    await ingest.close()
    ingest = await open_site(dsn)
    await feed(ingest, [message(SETPOINT, START + 95 * SECOND, 77.0)])
    await ingest.close()
    assert len(said(dsn)[1, "point", "mill/line/setpoint"]) == 2


async def test_a_restatement_is_booked_too(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(1.2, step_s=20)))
    energy = "point_no = (SELECT point_no FROM point WHERE id = 'mill/line/energy')"
    execute(
        dsn,
        f"""
        UPDATE interval SET amount = amount + 1, amount_count = amount_count + 1000
         WHERE {energy} AND start_at = to_timestamp({START // SECOND + 600})
        """,
        f"UPDATE interval_hour SET amount_count = amount_count + 1000 WHERE {energy}",
    )
    await seal(ingest, dsn, START, START + HOUR)
    await ingest.close()
    await replayed(dsn, apply=True)
    frozen, restated = said(dsn)[1, "point", "mill/line/energy"]
    assert (frozen[3] - restated[3], restated[1]) == (1000, Cause.RESTATEMENT)
    assert restated[2:] == defined(dsn)[1, "point", "mill/line/energy"]


async def test_a_restatement_says_how_far_the_data_are(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.2)))
    await ingest.close()
    execute(dsn, "UPDATE emission SET mass_kg = mass_kg + 1")
    await replayed(dsn, apply=True)
    with psycopg.connect(dsn) as connection:
        marks = connection.execute(
            "SELECT watermark FROM ingest_commit ORDER BY batch_no DESC LIMIT 2"
        ).fetchall()
    assert marks[0] == marks[1] != (None,)


async def test_the_connection_cut_around_commit_seals_and_books_once(
    dsn: str, other_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.patient.LONGEST_PAUSE_S", 0.05)
    script = [cut for cut in Cut for _ in range(3)]
    random.Random(5).shuffle(script)
    for at, cuts in ((dsn, []), (other_dsn, script)):
        ingest = await open_site(at)
        await feed(ingest, list(a_day(5.1, step_s=60)))
        await ingest.close()
        async with proxied(at) as proxy:
            ingest = await open_site(proxy.dsn)
            proxy.plan(cuts)
            for n in range(5):
                await seal(ingest, at, START + n * HOUR, START + (n + 1) * HOUR)
            for n in range(9):
                await feed(ingest, [message(SETPOINT, START + n * 33 * MINUTE + SECOND, 50.0 + n)])
            await ingest.close()
            assert all(proxy.cuts[cut] == 3 for cut in set(cuts) if cut is not Cut.PASS)
    booked = []
    for at in (dsn, other_dsn):
        found = said(at)
        assert {key: rows[-1][2:] for key, rows in found.items()} == defined(at)
        # Numbers that a cut transaction has taken are not given again.
        places = {number: place for place, number in enumerate(sorted({number for number, _, _ in found}))}
        booked.append({(places[n], *key): [row[1:] for row in rows] for (n, *key), rows in found.items()})
    assert booked[0] == booked[1]
    assert {place for place, *_ in booked[0]} == set(range(5))


async def test_a_running_site_takes_seals_from_its_inbox(dsn: str) -> None:
    fed = Fed(dsn)
    await fed.start()
    for at in range(START - 25 * HOUR, START - 22 * HOUR, 30 * MINUTE):
        await fed.put(f"plant/mill/{SETPOINT}", {"ts": at // 1000, "value": 5.0})
    await fed.until_empty()
    body = msgspec.json.encode(SealBody("hour", START - 24 * HOUR, START - 23 * HOUR)).decode()
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await accept(connection, 1, "seal", body, "a seal", "m.weber")
    await fed.until_empty()
    await fed.end()
    assert rejected(dsn) == []
    assert [key for key in said(dsn) if key[1] == "point"] == [(1, "point", "mill/line/setpoint")]


async def test_what_cannot_be_sealed_is_refused_in_a_sentence(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, [message("line/energy", START + 5 * SECOND, 1.0)])
    await feed(ingest, [one for one in a_day(2.5, step_s=20) if "energy" not in one.topic])
    refused: list[Any] = [
        (START, START, "The period is empty: expected `from` before `to`."),
        (START + MINUTE, START + HOUR, "does not begin and end with an hour of the site's zone"),
        (START + HOUR, START + 3 * HOUR, "The period has not ended: expected one that lies wholly before"),
    ]
    for from_at, to_at, _ in refused:
        await seal(ingest, dsn, from_at, to_at)
    await seal(ingest, dsn, START, START + HOUR)
    await seal(ingest, dsn, START - HOUR, START + HOUR)
    refused.append((0, 0, "The period overlaps sealed period 1: expected one that does not."))
    await ingest.close()
    found = rejected(dsn)
    assert len(found) == len(refused)
    for _, _, sentence in refused:
        assert any(sentence in one for one in found), sentence
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM period_seal").fetchone() == (1,)


async def test_a_period_with_open_intervals_is_not_sealed(dsn: str) -> None:
    slow = PLANT.replace("max_gap: 2min, fill_at_most: 6min", "max_gap: 6h")
    ingest = await open_site(dsn, slow)
    await feed(
        ingest,
        [message("line/mass", START + 5 * SECOND, 1.0), message("line/mass", START + 90 * SECOND, 2.0)],
    )
    await feed(ingest, [message(SETPOINT, START + n * MINUTE, 5.0) for n in range(180)])
    half_past = START + 30 * MINUTE
    await seal(ingest, dsn, half_past, half_past + HOUR)
    await ingest.close()
    assert rejected(dsn) == [
        "Point mill/line/mass has open intervals in the period: expected all of it to be closed."
    ]
