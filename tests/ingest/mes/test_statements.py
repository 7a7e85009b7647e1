"""What a MES tells: each form, each refusal, and that order and repetition of telling change nothing."""

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mes.reduction import reduce
from ingest.mes.statements import Refused, Statement, read_statements
from ingest.model import MINUTE
from tests.ingest.feeding import START
from tests.ingest.mes.telling import at, event, plan, said

PLAN = plan()
NOW = START + 1440 * MINUTE


def read(*statements: Any) -> tuple[list[Statement], list[Refused]]:
    return read_statements(json.dumps(list(statements)).encode(), PLAN, NOW)


def told(*statements: dict[str, Any]) -> list[Statement]:
    good, refused = read(*statements)
    assert refused == []
    return good


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (5, "a statement is 5; an object with a kind was expected."),
        (
            {},
            "kind is None; one of order, start, pause, resume, stop, segment, production, state was expected.",
        ),
        (
            event("start", "a", 0, unit="air"),
            "unit is 'air'; one on which orders run was expected: line1, line2.",
        ),
        (event("start", "", 0), "order is ''; printable text of 1 to 200 characters was expected."),
        (event("start", "a\n", 0), "order is 'a\\n'; printable text of 1 to 200 characters was expected."),
        (
            {"kind": "start", "order": "a", "unit": "line1"},
            "ts is None; RFC 3339 with an offset or epoch milliseconds",
        ),
        (event("start", "a", 1446), "a time that has come was expected."),
        (event("start", "a", 0, seq=-1), "seq is -1; a whole number from 0 to 2^62 - 1 was expected."),
        (event("stop", "a", 0, good="1"), "good is '1'; a number from 0 to 1e15 was expected."),
        (event("stop", "a", 0, good=1), "measure is None; the unit of the quantities was expected."),
        (event("stop", "a", 0, good=1, measure="parsec7"), "measure: "),
        (
            {"kind": "state", "unit": "line1", "ts": at(0), "state": "on"},
            "one of run, idle, ramp, changeover, off",
        ),
        (
            {"kind": "segment", "order": "a", "unit": "line1", "from": at(5), "to": at(5)},
            "a time after from",
        ),
        (event("start", "a", 0, withdrawn=1), "withdrawn is 1; true or false was expected."),
    ],
)
def test_what_is_wrong_is_one_sentence(statement: Any, sentence: str) -> None:
    good, refused = read(event("start", "b", 0), statement)
    assert (len(good), len(refused)) == (1, 1)
    assert refused[0].element == 1
    assert sentence in refused[0].detail
    assert refused[0].detail.isprintable()


def test_orders_come_of_events() -> None:
    book = reduce(
        told(
            {
                "kind": "order",
                "order": "4711",
                "product": "meal",
                "batch": "B7",
                "planned": 100,
                "measure": "t",
            },
            event("start", "4711", 0),
            event("pause", "4711", 10),
            event("resume", "4711", 20),
            event("stop", "4711", 30, good=99, scrap=1, measure="t"),
            event("start", "4712", 30),
        )
    )
    first, second = book.orders
    assert [(s.start_at - START, (s.end_at or 0) - START) for s in first.segments] == [
        (0, 10 * MINUTE),
        (20 * MINUTE, 30 * MINUTE),
    ]
    assert (first.product, first.batch, first.planned, first.measure, first.closed) == (
        "meal",
        "B7",
        100.0,
        "t",
        True,
    )
    assert [(p.good, p.scrap, p.start_at - START, p.end_at - START) for p in first.produced] == [
        (99.0, 1.0, 0, 30 * MINUTE)
    ]
    assert second.segments[0].end_at is None
    assert not second.closed
    assert book.contradictions == ()


def test_what_cannot_be_is_a_contradiction_and_in_no_segment() -> None:
    book = reduce(
        told(event("stop", "a", 5), event("start", "a", 7), event("start", "a", 8), event("stop", "a", 9))
    )
    assert [one.sentence for one in book.contradictions] == [
        "stop of order a on mill/line1 comes while it is stopped",
        "start of order a on mill/line1 comes while it is running",
    ]
    assert [(s.start_at - START, (s.end_at or 0) - START) for s in book.orders[0].segments] == [
        (7 * MINUTE, 9 * MINUTE)
    ]


def test_a_larger_seq_replaces_and_takes_back() -> None:
    first = event("start", "a", 0, id="e1", seq=1)
    moved = event("start", "a", 3, id="e1", seq=2)
    gone = event("start", "a", 3, id="e1", seq=3, withdrawn=True)
    stop = event("stop", "a", 9)
    assert reduce(told(first, moved, stop)).orders[0].segments[0].start_at == START + 3 * MINUTE
    assert reduce(told(gone, first, moved)).orders == ()


_MINUTES = st.integers(0, 30)
_ORDERS = st.sampled_from(["a", "b"])
_EVENTS = st.builds(
    lambda kind, order, minute, unit, seq, number: event(
        kind, order, minute, unit, **({} if seq is None else {"seq": seq, "id": f"e{number}"})
    ),
    st.sampled_from(["start", "pause", "resume", "stop"]),
    _ORDERS,
    _MINUTES,
    st.sampled_from(["line1", "line2"]),
    st.none() | st.integers(0, 2),
    st.integers(0, 3),
)
_STATES = st.builds(
    lambda state, minute: {"kind": "state", "unit": "line1", "ts": at(minute), "state": state},
    st.sampled_from(["run", "idle", "off"]),
    _MINUTES,
)
_OTHERS = st.sampled_from(
    [
        {"kind": "order", "order": "a", "product": "meal", "seq": 1},
        {"kind": "order", "order": "a", "product": "other", "seq": 1},
        {"kind": "order", "order": "b", "planned": 5, "measure": "t", "closed": True},
        {"kind": "segment", "order": "a", "unit": "line1", "from": at(3), "to": at(12)},
        {
            "kind": "production",
            "unit": "line1",
            "order": "a",
            "from": at(0),
            "to": at(5),
            "good": 2,
            "measure": "t",
        },
        {"kind": "production", "unit": "line2", "from": at(0), "to": at(5), "good": 2, "measure": "t"},
    ]
)
STATEMENTS = st.lists(_EVENTS | _STATES | _OTHERS, max_size=14)


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, st.randoms(use_true_random=False))
def test_the_order_of_telling_changes_nothing(statements: list[dict[str, Any]], dice: random.Random) -> None:
    told_once = told(*statements)
    again = [*told_once, *dice.choices(told_once, k=3)] if told_once else []
    dice.shuffle(again)
    assert reduce(again) == reduce(told_once)
    for order in reduce(told_once).orders:
        for unit in {one.unit for one in order.segments}:
            mine = [one for one in order.segments if one.unit == unit]
            assert all(a.end_at is not None and a.end_at <= b.start_at for a, b in pairwise(mine))


def test_a_message_names_what_is_no_json() -> None:
    good, refused = read_statements(b"{", PLAN, NOW)
    assert good == []
    assert refused[0].reason == "malformed"
    assert said(event("start", "a", 0)).topic in PLAN.mes.topics
