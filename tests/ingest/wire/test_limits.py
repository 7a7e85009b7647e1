"""Size, number of readings, depth, and how many refusals one message may cause."""

import json

import pytest

from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import RejectReason, decode

MEBIBYTE = 1 << 20


def reasons(plan: Plan, topic: str, payload: bytes) -> list[RejectReason]:
    return [item.reason for item in decode([Delivery(topic, payload, 0)], plan).rejections]


def test_a_mebibyte_is_taken_and_one_byte_more_is_not(plan: Plan) -> None:
    for topic in ("plant/works/line1/power", "plant/works/line1"):
        body = b'{"values": {"power": 1}}' if topic.endswith("line1") else b'{"value": 1}'
        assert reasons(plan, topic, body.ljust(MEBIBYTE)) == []
        assert reasons(plan, topic, body.ljust(MEBIBYTE + 1)) == [RejectReason.TOO_LARGE]


def test_100_000_readings_are_taken_and_one_more_is_not(plan: Plan) -> None:
    def columns(points: int, times: int) -> bytes:
        value = [[1] * times] * points
        return json.dumps(
            {"points": ["meter"] * points, "ts": list(range(times)), "value": value}, separators=(",", ":")
        ).encode()

    decoded = decode([Delivery("plant/works", columns(10, 10_000), 0)], plan)
    assert (len(decoded.point), decoded.rejections) == (100_000, [])
    assert reasons(plan, "plant/works", columns(10, 10_001)) == [RejectReason.TOO_MANY]
    series = json.dumps({"ts": [1] * 100_001, "value": [1] * 100_001}, separators=(",", ":")).encode()
    assert reasons(plan, "plant/works/meter", series) == [RejectReason.TOO_MANY]


@pytest.mark.parametrize("payload", [b"[" * MEBIBYTE, b'{"value":' * 100_000, b'{"a":[' * 100_000])
def test_depth_is_refused_not_followed(plan: Plan, payload: bytes) -> None:
    assert reasons(plan, "plant/works/line1/power", payload) == [RejectReason.MALFORMED]
    assert reasons(plan, "plant/works/line1", payload) == [RejectReason.MALFORMED]


@pytest.mark.parametrize("digits", [309, 400, 5_000, 500_000])
def test_integers_of_any_length_end(plan: Plan, digits: int) -> None:
    number = b"9" * digits
    assert reasons(plan, "plant/works/line1/power", number) == [RejectReason.NOT_FINITE]
    body = b'{"ts": 0, "value": %s}' % number
    assert reasons(plan, "plant/works/line1/power", body) == [RejectReason.NOT_FINITE]
    body = b'{"ts": [1795161600000], "value": [%s]}' % number
    assert reasons(plan, "plant/works/line1/power", body) == [RejectReason.NOT_FINITE]
    body = b'{"ts": 1795161600000, "values": {"power": %s}}' % number
    assert reasons(plan, "plant/works/line1", body) == [RejectReason.NOT_FINITE]


def test_bytes_that_are_no_utf8_are_refused(plan: Plan) -> None:
    for payload in (b"\xff", b'"\xc3\x28"', b"\xef\xbb\xbf1", '{"value": 1}'.encode("utf-16")):
        assert reasons(plan, "plant/works/line1/power", payload) == [RejectReason.MALFORMED]


def test_details_can_be_stored_as_text(plan: Plan) -> None:
    payload = rb'{"ts": "\u0000", "value": 1}'
    (item,) = decode([Delivery("plant/works/line1/power", payload, 0)], plan).rejections
    assert "\0" not in item.detail
    assert len(item.detail) < 300
    payload = json.dumps({"value": "\u4e2d\0" * 100_000}).encode()
    (item,) = decode([Delivery("plant/works/line1/power", payload, 0)], plan).rejections
    assert "\0" not in item.detail
    assert len(item.detail) < 300


def test_refusals_of_one_message_are_listed_to_a_bound_and_counted_beyond(plan: Plan) -> None:
    payload = json.dumps({"ts": [1795161600000] * 1000, "value": ["x"] * 999 + [1]}).encode()
    decoded = decode([Delivery("plant/works/line1/power", payload, 0)], plan)
    assert len(decoded.point) == 1
    assert [item.element for item in decoded.rejections] == list(range(33))
    assert sum(item.count for item in decoded.rejections) == 999
    assert (
        decoded.rejections[-1].detail == "967 more readings of this message are refused for the same reason."
    )
