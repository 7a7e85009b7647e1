"""Analyser tests: asked for through the inbox, judged, and kept as facts.

A test is never changed. Told again of the same instrument, kind and instant it is a
further row, and the last one counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

from ingest.errors import InputError
from ingest.methods.analyser import TEST_READINGS, TestBody
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.control import Calibrations
from ingest.regimes.judging import judge
from ingest.regimes.recertification import REQUIRES
from ingest.store.facts import Stamp
from ingest.store.instants import MICROSECONDS
from ingest.store.rejected import Refusal, store_rejections


@dataclass(frozen=True, slots=True)
class TestAsked:
    """A waiting inbox row of kind `test`."""

    __test__ = False  # no case for pytest

    inbox_no: int
    body: str
    author: str
    received_at: int


async def waiting(connection: AsyncConnection, site_no: int, most: int) -> list[TestAsked]:
    """Tests that were told, in the order in which they were."""
    cursor = await connection.execute(
        """
        SELECT inbox_no, body, author, (extract(epoch FROM received_at) * 1000000)::bigint FROM inbox
         WHERE site_no = %s AND kind = 'test' AND batch_no IS NULL ORDER BY inbox_no LIMIT %s
        """,
        [site_no, most],
    )
    return [TestAsked(*row) for row in await cursor.fetchall()]


async def book(
    cursor: AsyncCursor, site_no: int, stamp: Stamp, asked: TestAsked, instruments: Iterable[str]
) -> str | None:
    """Judge and keep a test, or keep among the refused why not; the instrument tested, None: refused.

    `instruments`: full ids of those of the plan.
    """
    await cursor.execute(
        "UPDATE inbox SET batch_no = %s WHERE inbox_no = %s", [stamp.batch_no, asked.inbox_no]
    )
    try:
        body = msgspec.json.decode(asked.body, type=TestBody)
        _check(body, asked, instruments)
        result, passed = judge(body.kind, bytes(body.readings))
    except (msgspec.MsgspecError, InputError) as error:
        refusal = Refusal(
            f"inbox/{asked.inbox_no}", asked.body.encode(), None, "test", str(error), asked.received_at
        )
        await store_rejections(cursor, site_no, stamp.batch_no, [refusal])
        return None
    readings = msgspec.json.decode(body.readings)
    await cursor.execute(
        """
        INSERT INTO analyser_test (site_no, instrument, kind, performed_at, readings, result, passed, note, author,
                                   inbox_no, known_at, batch_no)
        VALUES (%s, %s, %s, to_timestamp(0) + %s * interval '1 microsecond', %s, %s, %s, %s, %s, %s,
                to_timestamp(0) + %s * interval '1 microsecond', %s)
        """,
        [
            site_no, body.instrument, body.kind, body.performed_us, Jsonb(readings), Jsonb(result), passed,
            body.note, asked.author, asked.inbox_no, stamp.known_at, stamp.batch_no,
        ],
    )  # fmt: skip
    return body.instrument


def _check(body: TestBody, asked: TestAsked, instruments: Iterable[str]) -> None:
    if "\\u0000" in asked.body:
        raise InputError("the body holds the character NUL; expected text without it")
    if body.instrument not in instruments:
        raise InputError(f"{body.instrument!r} is no instrument of the plan; expected one of it")
    if body.kind not in TEST_READINGS:
        raise InputError(f"kind is {body.kind!r}; expected one of {', '.join(TEST_READINGS)}")
    if body.performed_us > asked.received_at:
        raise InputError("the test was performed after it was told; expected a time that has come")


async def tests_of(
    cursor: AsyncCursor, site_no: int, regime: PlanRegime
) -> dict[str, dict[str, Calibrations]]:
    """Component → kind → what its instruments' tests came to, by time; those without a verdict left out.

    A recertification stands under a kind for each test that it requires.
    """
    wanted = sorted({one for component in regime.components for one in component.instruments})
    if not wanted:
        return {}
    await cursor.execute(
        f"""
        SELECT instrument, coalesce(%s || required, kind), at, coalesce(passed, true) FROM (
               SELECT DISTINCT ON (instrument, kind, performed_at) instrument, kind,
                      {MICROSECONDS.format("performed_at")} AS at, passed,
                      CASE WHEN kind = 'recertification' THEN result END AS event
                 FROM analyser_test WHERE site_no = %s AND instrument = ANY(%s)
                ORDER BY instrument, kind, performed_at, test_no DESC) newest
               LEFT JOIN LATERAL jsonb_array_elements_text(event -> 'requires') AS of_event (required) ON true
         WHERE passed IS NOT NULL OR required IS NOT NULL ORDER BY at, passed
        """.encode(),  # noqa: S608  a fragment of rows
        [REQUIRES, site_no, wanted],
    )
    found = await cursor.fetchall()
    return {
        component.name: _by_kind([row for row in found if row[0] in component.instruments])
        for component in regime.components
    }


def _by_kind(rows: Sequence[tuple[str, str, int, bool]]) -> dict[str, Calibrations]:
    kinds = dict.fromkeys(kind for _, kind, _, _ in rows)
    return {
        kind: Calibrations(
            np.array([at for _, of, at, _ in rows if of == kind], np.int64),
            np.array([int(passed) for _, of, _, passed in rows if of == kind], np.int64),
            np.zeros(0),
        )
        for kind in kinds
    }
