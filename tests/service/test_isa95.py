"""ISA-95 job responses as statements: what is understood, what is named, and that all of it is read by the contract."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mes.reduction import reduce
from ingest.mes.statements import read_statements
from ingest.model import MINUTE
from service.isa95 import translate
from tests.ingest.feeding import START
from tests.ingest.mes.telling import at, plan

PLAN = plan()
NOW = START + 1440 * MINUTE
LINE1 = [{"EquipmentID": {"value": "line1"}}]


def material(use: str, amount: Any, unit: str = "t", name: str = "meal") -> dict[str, Any]:
    quantity = {"QuantityString": amount, "DataType": "double", "UnitOfMeasure": unit}
    return {"MaterialDefinitionID": name, "MaterialUse": use, "Quantity": [quantity]}


def response(**more: Any) -> dict[str, Any]:
    return {"JobResponse": {"ID": "JR-1", "JobOrderID": "4711", "StartTime": at(0), "EndTime": at(30)} | more}


def test_a_response_is_a_segment_and_its_production() -> None:
    made = [
        material("Produced", "99.5"),
        material("Scrap", 1, "TNE"),
        material("Consumed", 120, name="grain"),
    ]
    found = translate(response(EquipmentActual=LINE1, MaterialActual=made, JobState="Completed"))
    statements, refused = read_statements(json.dumps(found.statements).encode(), PLAN, NOW)
    assert refused == []
    (order,) = reduce(statements).orders
    assert [(s.unit, s.start_at - START, (s.end_at or 0) - START) for s in order.segments] == [
        ("mill/line1", 0, 30 * MINUTE)
    ]
    assert sorted((p.good, p.scrap, p.measure, p.product) for p in order.produced) == [
        (0.0, 1.0, "t", "meal"),
        (99.5, 0.0, "t", "meal"),
    ]
    assert found.ignored == [
        "JobResponse.MaterialActual[2] has MaterialUse 'consumed', of which nothing is kept."
    ]


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_an_end_takes_the_start_back_in_whatever_order_both_are_told(
    published: bool, backwards: bool
) -> None:
    dates: list[dict[str, Any]] = (
        [{"PublishedDate": at(1)}, {"PublishedDate": at(31)}] if published else [{}, {}]
    )
    running = translate(response(EquipmentActual=LINE1, JobState="Running", EndTime=None, **dates[0]))
    ended = translate(response(EquipmentActual=LINE1, JobState="Completed", **dates[1]))
    assert running.ignored == ended.ignored == []
    (open_one,) = reduce(read_statements(json.dumps(running.statements).encode(), PLAN, NOW)[0]).orders
    assert [one.end_at for one in open_one.segments] == [None]
    told = [*running.statements, *ended.statements]
    statements, _ = read_statements(json.dumps(told[::-1] if backwards else told).encode(), PLAN, NOW)
    (order,) = reduce(statements).orders
    assert [(one.start_at, one.end_at) for one in order.segments] == [(START, START + 30 * MINUTE)]
    assert order.closed


def test_segments_inside_are_the_stretches_and_take_from_the_whole() -> None:
    inside = [
        {"ID": "1", "ActualStartTime": at(0), "ActualEndTime": at(10)},
        {"ID": "2", "StartTime": at(20), "EndTime": at(30), "MaterialActual": material("Produced", 7)},
        {"ID": "3", "EquipmentActual": [{"EquipmentID": "line2"}]},
        {"ID": "4", "Description": "nothing"},
    ]
    found = translate(response(EquipmentActual=LINE1, SegmentResponse=inside))
    statements, refused = read_statements(json.dumps(found.statements).encode(), PLAN, NOW)
    assert refused == []
    (order,) = reduce(statements).orders
    assert [(s.unit, s.start_at - START, (s.end_at or 0) - START) for s in order.segments] == [
        ("mill/line1", 0, 10 * MINUTE),
        ("mill/line2", 0, 30 * MINUTE),
        ("mill/line1", 20 * MINUTE, 30 * MINUTE),
    ]
    assert [(p.good, p.start_at - START) for p in order.produced] == [(7.0, 20 * MINUTE)]
    assert found.ignored == ["JobResponse.SegmentResponse[3] has no time, equipment or material."]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "There is no JobResponse in it."),
        ({}, "JobResponse has no JobOrderID: nothing in it can be an order's."),
        ({"JobResponse": [], "Sender": "x"}, "Sender is not understood."),
        (5, "JobResponse is no object."),
        (response(), "JobResponse names no one equipment: no segment comes of it."),
        (
            response(EquipmentActual=[*LINE1, "line2"]),
            "JobResponse.EquipmentActual names 2 equipments: expected one of a part.",
        ),
        (response(EquipmentActual=[{}]), "JobResponse.EquipmentActual[0] has no EquipmentID."),
        (
            response(EquipmentActual=LINE1, StartTime=None),
            "JobResponse has no StartTime: no segment comes of it.",
        ),
        (
            response(EquipmentActual=LINE1, EndTime=None, JobState="Held"),
            "JobResponse is 'held' and has no EndTime: no segment comes of it.",
        ),
        (
            response(EquipmentActual=LINE1, MaterialActual=[material("Produced", "many")]),
            "JobResponse.MaterialActual[0] has no one Quantity with a number as QuantityString and a UnitOfMeasure.",
        ),
        (
            response(EquipmentActual=LINE1, PersonnelActual=[1]),
            "JobResponse.PersonnelActual is not understood.",
        ),
    ],
)
def test_what_is_not_understood_is_named(document: Any, sentence: str) -> None:
    assert sentence in translate(document).ignored


def test_parts_in_parts_have_an_end() -> None:
    deep: dict[str, Any] = {"StartTime": at(0)}
    for _ in range(400):
        deep = {"SegmentResponse": [deep]}
    found = translate(response(EquipmentActual=LINE1, **deep))
    assert any("lies too deep" in sentence for sentence in found.ignored)


MEMBERS = [
    "JobResponse", "JobOrderID", "ID", "StartTime", "EndTime", "JobState", "EquipmentActual", "EquipmentID", "value",
    "MaterialActual", "MaterialUse", "Quantity", "QuantityString", "UnitOfMeasure", "SegmentResponse", "x",
]  # fmt: skip
_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just("line1")
    | st.just("4711"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(
    _ANY,
    st.lists(
        st.sampled_from(["EquipmentActual", "MaterialActual", "StartTime", "JobOrderID", "ID"]), max_size=2
    ),
    _ANY,
)
def test_nothing_that_comes_raises_or_vanishes(document: Any, spoilt: list[str], by: Any) -> None:
    whole = response(EquipmentActual=LINE1, MaterialActual=[material("Produced", 5)])
    for name in spoilt:
        whole["JobResponse"][name] = copy.deepcopy(by)
    for given_one in (document, whole):
        found = translate(given_one)
        assert found.statements or found.ignored
        assert all(sentence.endswith(".") for sentence in found.ignored)
