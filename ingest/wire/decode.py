"""A batch of messages to columns of readings.

One `msgspec.json.decode` a message. The commonest message, `{"ts", "value"}`
with a number on a point's topic, costs four appends after it; every other form
goes through `ingest.wire.forms`. What msgspec refuses is looked at again with
the standard library, which knows NaN and Infinity, so that a message is
refused for what is wrong with it. Nothing a message holds raises out of here.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire.forms import Forms
from ingest.wire.refusal import Refusals, RefusedError, RejectReason, shown
from ingest.wire.rows import Decoded
from ingest.wire.topics import Topics
from ingest.wire.values import Values

MAX_PAYLOAD = 1 << 20
"""Bytes of one message."""

_NOT_PLAIN_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_JSON = msgspec.json.Decoder()
_LARGE = 10**300
"""Integers beyond it are looked at: JSON has some that no float64 holds."""


class WireDecoder:
    """Decodes for one plan; holds its topics and the units it has converted."""

    def __init__(self, plan: Plan) -> None:
        self._topics = Topics(plan)
        self._values = Values(plan)

    def decode(self, messages: Sequence[Delivery]) -> Decoded:
        """Return the readings of the messages and what was refused of them."""
        refusals = Refusals()
        forms = Forms(self._topics, self._values, refusals)
        point_of = self._topics.points.get
        json_of = _JSON.decode
        singles = forms.singles
        add_message, add_point = singles.message.append, singles.point.append
        add_value, add_stamp = singles.value.append, singles.stamp.append
        for number, message in enumerate(messages):
            payload = message.payload
            point = point_of(message.topic)
            if point is None or len(payload) > MAX_PAYLOAD:
                self._read(number, message, forms, refusals)
                continue
            try:
                body = json_of(payload)
            except _NOT_PLAIN_JSON:
                self._read(number, message, forms, refusals)
                continue
            if type(body) is dict:
                value = body.get("value")
                if type(value) is int and -_LARGE < value < _LARGE:
                    value = float(value)
                if type(value) is float and len(body) == 2 and "ts" in body:
                    add_message(number)
                    add_point(point)
                    add_value(value)
                    add_stamp(body["ts"])
                    continue
            try:
                forms.point_message(number, point, body)
            except RefusedError as error:
                refusals.add_error(number, None, error)
        block = forms.block()
        return Decoded(
            point=block.point,
            measured_at=block.measured_at,
            value=block.value,
            quality=block.quality,
            reasons=block.reasons,
            seq=block.seq,
            message=block.message,
            element=block.element,
            rejections=refusals.all(),
            unknown_keys=forms.unknown_keys,
            nulls=forms.nulls,
        )

    def _read(self, number: int, message: Delivery, forms: Forms, refusals: Refusals) -> None:
        """Read a message that is not plain JSON on a point's topic."""
        topic = message.topic
        if topic.startswith("$") or topic in self._topics.others:  # the broker's own; what a MES tells
            return
        point, unit = self._topics.points.get(topic), self._topics.units.get(topic)
        try:
            if point is not None:
                forms.point_message(number, point, _body_of(message.payload))
            elif unit is not None:
                forms.unit_message(number, unit, _body_of(message.payload))
            else:
                raise self._topics.no_such_topic(topic)
        except RefusedError as error:
            refusals.add_error(number, None, error)


@lru_cache(maxsize=8)
def _decoder(plan: Plan) -> WireDecoder:
    return WireDecoder(plan)


def decode(messages: Sequence[Delivery], plan: Plan) -> Decoded:
    """Return the readings of the messages; the decoder of a plan is kept."""
    return _decoder(plan).decode(messages)


def _body_of(payload: bytes) -> Any:
    if len(payload) > MAX_PAYLOAD:
        raise RefusedError(
            RejectReason.TOO_LARGE,
            f"the message has {len(payload)} bytes; at most {MAX_PAYLOAD} were expected.",
        )
    try:
        return _JSON.decode(payload)
    except _NOT_PLAIN_JSON as error:
        return _second_look(payload, str(error))


def _second_look(payload: bytes, objection: str) -> Any:
    """Return the body as the standard library reads it, with NaN, Infinity and numbers beyond float64."""
    try:
        return json.loads(payload.decode(), parse_int=_integer)
    except (ValueError, RecursionError):
        raise RefusedError(
            RejectReason.MALFORMED,
            f"the payload begins {shown(payload[:40].decode('latin-1'))}; UTF-8 JSON was expected "
            f"({objection}).",
        ) from None


def _integer(digits: str) -> float:
    # int() refuses more than 4300 digits, and no float64 holds more than 309
    return int(digits) if len(digits) < 300 else float(digits)
