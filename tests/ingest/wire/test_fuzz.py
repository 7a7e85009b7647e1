"""Nothing that arrives can raise out of the decoder, or take its neighbours along."""

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import NO_SEQ, Quality
from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import NO_TIME, Decoded, decode

TOPICS = [
    "plant/works",
    "plant/works/line1",
    "plant/works/line1/press",
    "plant/works/line1/power",
    "plant/works/line1/press/state",
    "plant/works/meter",
    "plant/works/line1/twice",
    "meters/7/power",
    "$SYS/x",
    "",
]
NEIGHBOUR = Delivery("plant/works/line1/energy", b'{"ts": 1795161600000, "value": 5}', 0)

words = st.sampled_from(
    ["good", "bad", "uncertain", "stuck", "kW", "MW", "bar", "running", "power", "line1/power", "meter",
     "2026-11-20T08:00:00Z", "2026-11-20"]
)  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | words
    | st.text(max_size=5)
    | st.integers(10**307, 10**310)
    | st.integers(1_700_000_000_000, 1_800_000_000_000)
)
keys = st.sampled_from(["ts", "value", "values", "points", "unit", "quality", "reason", "seq", "power", "x"])
bodies = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(keys | st.text(max_size=3), inner, max_size=7)
    ),
    max_leaves=30,
)
lists = st.lists(scalars, min_size=2, max_size=2)
batches = st.fixed_dictionaries(
    {"ts": lists, "value": lists | st.tuples(lists, lists), "points": lists},
    optional={"quality": scalars | lists, "reason": scalars | lists, "seq": scalars, "unit": scalars},
)


def check(decoded: Decoded, messages: int) -> None:
    rows = len(decoded.point)
    for column in (
        decoded.measured_at, decoded.value, decoded.quality, decoded.reasons, decoded.seq, decoded.message,
        decoded.element,
    ):  # fmt: skip
        assert len(column) == rows
    valueless = np.isnan(decoded.value)
    assert not np.isinf(decoded.value).any()
    assert np.isin(decoded.quality[valueless], (Quality.BAD, Quality.UNCERTAIN)).all()
    assert ((decoded.seq >= 0) | (decoded.seq == NO_SEQ)).all()
    assert ((decoded.measured_at == NO_TIME) | (np.abs(decoded.measured_at) < 2**58)).all()
    assert (np.diff(decoded.message) >= 0).all()
    for item in decoded.rejections:
        assert 0 <= item.message < messages
        assert item.count > 0
        item.detail.encode()  # can be written
        assert "\0" not in item.detail


def check_amid_neighbours(topic: str, payload: bytes, plan: Plan) -> None:
    decoded = decode([NEIGHBOUR, Delivery(topic, payload, 0), NEIGHBOUR], plan)
    check(decoded, 3)
    assert (decoded.message == 0).sum() == (decoded.message == 2).sum() == 1
    assert all(item.message == 1 for item in decoded.rejections)


@given(st.sampled_from(TOPICS), st.binary(max_size=60))
def test_any_bytes(plan: Plan, topic: str, payload: bytes) -> None:
    check_amid_neighbours(topic, payload, plan)


@settings(max_examples=400)
@given(st.sampled_from(TOPICS), bodies | batches)
def test_any_json(plan: Plan, topic: str, body: Any) -> None:
    check_amid_neighbours(topic, json.dumps(body).encode(), plan)


@given(st.sampled_from(TOPICS), batches, st.data())
def test_any_json_with_a_byte_changed(plan: Plan, topic: str, body: Any, data: st.DataObject) -> None:
    payload = bytearray(json.dumps(body).encode())
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    check_amid_neighbours(topic, bytes(payload), plan)


@given(st.text(max_size=30))
def test_any_topic(plan: Plan, topic: str) -> None:
    check_amid_neighbours(topic, b"1", plan)


@given(st.lists(scalars, min_size=1, max_size=60), st.lists(scalars, min_size=1, max_size=60))
def test_elements_of_a_series_stand_alone(plan: Plan, stamps: list[Any], values: list[Any]) -> None:
    """A series gives the readings its entries give one by one, and refuses as many."""
    pairs = list(zip(stamps, values, strict=False))
    topic = "plant/works/line1/power"
    together = decode(
        [
            Delivery(
                topic, json.dumps({"ts": [p[0] for p in pairs], "value": [p[1] for p in pairs]}).encode(), 0
            )
        ],
        plan,
    )
    alone = decode(
        [Delivery(topic, json.dumps({"ts": [at], "value": [value]}).encode(), 0) for at, value in pairs], plan
    )
    assert together.element.tolist() == alone.message.tolist()
    assert together.measured_at.tolist() == alone.measured_at.tolist()
    assert together.value.tobytes() == alone.value.tobytes()
    assert together.nulls == alone.nulls
    assert sum(item.count for item in together.rejections) == sum(item.count for item in alone.rejections)
