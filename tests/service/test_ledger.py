"""The ledger of a counter: its steps as they were booked, and books that balance."""

import csv
import io
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import MINUTE, SECOND
from kernels import reference
from service.books import count_of, totals
from tests.ingest.feeding import START, feed, message, open_site
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import text
from tests.service.test_points import pages_of
from tests.service.test_routes import problem_of

MASS = "/v1/points/mill/line/mass/ledger"
SPAN = f"?from={text(START)}&to={text(START + 20 * MINUTE)}"
RESOLUTIONS = (1e-6, 0.001, 0.25, 1.0, 10.0, 0.3)


@given(st.floats(-1e12, 1e12), st.sampled_from(RESOLUTIONS))
def test_counts_are_those_of_ingest(value: float, resolution: float) -> None:
    out = np.zeros(1, np.int64)
    reference.to_counts(np.array([value]), resolution, out)
    assert count_of(value, resolution) == out[0]


def test_a_half_is_rounded_away_from_zero() -> None:
    assert [count_of(value, 1.0) for value in (0.5, 1.5, -0.5, -2.5)] == [1, 2, -1, -3]


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from("nrxR")), min_size=1, max_size=30),
    st.integers(0, 10**6),
)
def test_books_balance_whatever_the_register_does(moves: list[tuple[int, str]], start: int) -> None:
    """Normal rises, resets, implausible jumps and replaced meters in any order."""
    registers, steps, used = {0: (start, start)}, [], 0
    count = start
    for at, (size, move) in enumerate(moves, 1):
        before = count
        match move:
            case "n":
                count += size
                used += size
            case "r":
                count = size % (count + 1)
                used += count
                steps.append((at - 1, at, count, -before))
            case "x":
                count += size
                steps.append((at - 1, at, 0, size))
            case "R":
                used += 7
                steps.append((at, at, 0, size - before - 7))
                count = size
        registers[at] = (before + 7 if move == "R" else count, count)
    assert totals(registers, 0, len(moves), steps) == (used, count - start - used, True)


def test_a_fall_that_is_not_booked_is_told() -> None:
    registers = {0: (10, 10), 1: (50, 50), 2: (5, 5), 3: (9, 9)}
    assert totals(registers, 0, 3, []) == (-1, 0, False)
    assert totals(registers, 0, 3, [(1, 2, 5, -50)]) == (49, -50, True)
    assert totals(registers, 0, 3, [(1, 2, 5, -49)])[2] is False


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    """Twenty minutes of the mill's mass: it starts again at 0 after every five, and stands still in between."""
    ingest = await open_site(dsn)
    await feed(ingest, [message("line/mass", START + n * 5 * SECOND, n % 60 / 8) for n in range(240)])
    await feed(ingest, [message("line/power", START + 1200 * SECOND, 1.0)])
    await ingest.close()
    clock = Clock()
    clock.now = START + 20 * MINUTE
    async with admin_client(dsn, clock) as made:
        yield made


async def told(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    response = await client.get(path)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_steps_come_with_what_they_mean(client: httpx.AsyncClient, dsn: str) -> None:
    body = await told(client, MASS + SPAN)
    assert (body["id"], body["unit"], body["resolution"]) == ("mill/line/mass", "t", 0.001)
    assert [(item["at"], item["previous_at"]) for item in body["items"]] == [
        (text(START + n * 300 * SECOND), text(START + (n * 300 - 5) * SECOND)) for n in (1, 2, 3)
    ]
    first = body["items"][0]
    assert (first["class"], first["quality"], first["reason"]) == ("reset", "uncertain", "reset")
    assert (first["increment_count"], first["correction_count"], first["correction"]) == (0, -7375, -7.375)
    assert (first["declaration"], first["author"]) == (None, None)
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT l.batch_no FROM ledger l JOIN ingest_commit c USING (batch_no) ORDER BY at LIMIT 1"
        ).fetchone()
    assert (first["batch_no"],) == row
    assert first["known_at"] is not None


async def test_the_books_balance(client: httpx.AsyncClient) -> None:
    summary = (await told(client, MASS + SPAN))["summary"]
    last_at = START + 19 * MINUTE
    last = (last_at - START) // (5 * SECOND) % 60 / 8
    assert (summary["first_at"], summary["last_at"]) == (text(START), text(last_at))
    assert (summary["first"], summary["last"]) == (0.0, last)
    assert summary["corrections_count"] == -3 * 7375
    assert summary["increments_count"] == 3 * 7375 + round(last * 1000)
    assert summary["increments_count"] + summary["corrections_count"] == summary["difference_count"]
    assert summary["difference"] == last
    assert (summary["conserved"], summary["reason"]) == (True, None)


@pytest.mark.parametrize(("begin", "end"), [(0, 299), (7, 1000), (295, 305), (300, 600), (601, 604)])
async def test_any_span_has_its_own_books(client: httpx.AsyncClient, begin: int, end: int) -> None:
    asked = f"?from={text(START + begin * SECOND)}&to={text(START + end * SECOND)}"
    summary = (await told(client, MASS + asked))["summary"]
    inside = [n for n in range(240) if begin <= n * 5 < end]
    if len(inside) < 2:
        assert (summary["reason"], summary["difference_count"], summary["conserved"]) == (
            "no_data",
            None,
            None,
        )
        return
    resets = sum(n % 60 == 0 for n in inside[1:])
    assert summary["corrections_count"] == -7375 * resets
    assert summary["difference"] == float(Fraction(inside[-1] % 60 - inside[0] % 60, 8))
    assert summary["conserved"] is True


async def test_books_that_do_not_balance_say_so(client: httpx.AsyncClient, dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "UPDATE ledger SET correction = correction + 1 WHERE batch_no = (SELECT min(batch_no) FROM ledger)"
        )
    assert (await told(client, MASS + SPAN))["summary"]["conserved"] is False


async def test_pages_of_any_size_are_the_whole_and_each_has_the_books(client: httpx.AsyncClient) -> None:
    whole = await told(client, MASS + SPAN)
    for limit in (1, 2, 3):
        pages = await pages_of(client, MASS + SPAN, limit)
        assert [item for page in pages for item in page] == whole["items"]
    assert (await told(client, f"{MASS}{SPAN}&limit=1"))["summary"] == whole["summary"]


async def test_csv_is_the_same_table(client: httpx.AsyncClient) -> None:
    items = (await told(client, MASS + SPAN))["items"]
    rows = list(csv.DictReader(io.StringIO((await client.get(f"{MASS}{SPAN}&format=csv")).text)))
    assert list(rows[0]) == list(items[0])
    assert [row["correction_count"] for row in rows] == [str(item["correction_count"]) for item in items]


async def test_a_point_without_a_register_has_no_ledger(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/points/mill/line/power/ledger")
    assert problem_of(response).detail == (
        "Path parameter 'point_id' is 'mill/line/power': expected a counter, for other points have no ledger."
    )
    response = await client.get(f"{MASS}?cursor=bm9uc2Vuc2U")
    assert "expected the `next`" in problem_of(response).detail


async def test_a_counter_never_heard_has_empty_books(client: httpx.AsyncClient) -> None:
    body = await told(client, f"/v1/points/mill/line/energy/ledger{SPAN}")
    assert (body["items"], body["summary"]["reason"]) == ([], "no_data")
