"""Which form of the contract a body is, and the forms read by themselves.

A function takes the body of one message and either books its readings or
raises RefusedError for the whole of it; a faulty element is refused alone and
its neighbours stay. The forms that carry arrays are `ingest.wire.arrays`.
"""

import math
from typing import Any

from ingest.wire.arrays import ArrayForms, batch_flags, check_count
from ingest.wire.refusal import Refusals, RefusedError, RejectReason, shown
from ingest.wire.rows import Block, SingleRows, UnitRows, joined
from ingest.wire.topics import Topics, UnitTopic
from ingest.wire.values import MAY_LACK_VALUE, Values, flags_of

_SINGLE_KEYS = frozenset({"ts", "value", "unit", "quality", "reason", "seq"})
_UNIT_KEYS = frozenset({"ts", "values", "unit", "quality", "reason", "seq"})
_COLUMNS_KEYS = frozenset({"points", "ts", "value", "unit", "quality", "reason", "seq"})
_NUMBERS = frozenset({int, float})


class Forms:
    """Reads the messages of one batch."""

    def __init__(self, topics: Topics, values: Values, refusals: Refusals) -> None:
        self._topics = topics
        self._values = values
        self._refusals = refusals
        self._arrays = ArrayForms(topics, values, refusals)
        self._units = UnitRows()
        self._nulls = 0
        self.singles = SingleRows()
        self.unknown_keys = 0

    @property
    def nulls(self) -> int:
        """Elements so far that said "no reading"."""
        return self._nulls + self._arrays.nulls

    def block(self) -> Block:
        """Return all readings in the order of their messages."""
        return joined(
            (
                self.singles.block(self._refusals),
                self._units.block(self._refusals),
                self._arrays.rows.block(self._refusals),
            )
        )

    def point_message(self, message: int, point: int, body: Any) -> None:
        """Read what came on a point's topic."""
        if type(body) is not dict:
            if type(body) is list:
                raise _wrong_form(body, "a point's topic")
            self._single(message, point, {"value": body})
            return
        if "value" not in body:
            raise _wrong_form(body, "a point's topic")
        if not _SINGLE_KEYS.issuperset(body):
            self.unknown_keys += len(body.keys() - _SINGLE_KEYS)
        if type(body["value"]) is list:
            self._arrays.series(message, point, body)
        else:
            self._single(message, point, body)

    def unit_message(self, message: int, unit: UnitTopic, body: Any) -> None:
        """Read what came on the topic of a unit or of the site."""
        if type(body) is dict and "values" in body:
            if not _UNIT_KEYS.issuperset(body):
                self.unknown_keys += len(body.keys() - _UNIT_KEYS)
            self._unit(message, unit, body)
        elif unit.is_site and type(body) is dict and "points" in body:
            self.unknown_keys += len(body.keys() - _COLUMNS_KEYS)
            self._arrays.columns(message, unit, body)
        else:
            raise _wrong_form(body, "the site's topic" if unit.is_site else "a unit's topic")

    def _single(self, message: int, point: int, body: dict[str, Any]) -> None:
        get = body.get
        flags = flags_of(get("quality"), get("reason"), get("seq"))
        value = body["value"]
        # a float of JSON is finite; what the second look found is not, and differs from itself less itself
        if type(value) is not float or value - value != 0.0:
            value = self._number(value, point, flags[0])
            if value is None:
                self._nulls += 1
                return
        unit = get("unit")
        if unit is not None and not math.isnan(value):
            value = self._values.converted(value, point, unit)
        self.singles.add(message, point, value, get("ts"), flags)

    def _unit(self, message: int, unit: UnitTopic, body: dict[str, Any]) -> None:
        values = body["values"]
        if type(values) is not dict:
            raise RefusedError(
                RejectReason.MALFORMED,
                f"values is {shown(values)}; an object of point and value was expected.",
            )
        check_count(len(values))
        flags = batch_flags(body)
        points: list[Any] = list(map(unit.points.get, values))
        numbers = list(values.values())
        if None not in points and _plain(numbers):
            self._units.add(message, body.get("ts"), flags, points, numbers, range(len(points)))
            return
        kept: list[tuple[int, float, int]] = []
        for element, (path, given) in enumerate(values.items()):
            try:
                if points[element] is None:
                    raise self._topics.no_such_point(unit, path)
                number = self._number(given, points[element], flags[0])
            except RefusedError as error:
                self._refusals.add_error(message, element, error)
                continue
            if number is None:
                self._nulls += 1
            else:
                kept.append((points[element], number, element))
        point_column, value_column, element_column = zip(*kept, strict=True) if kept else ((), (), ())
        self._units.add(message, body.get("ts"), flags, point_column, value_column, element_column)

    def _number(self, value: Any, point: int, quality: int) -> float | None:
        """Return the number, NaN for a reading without a value, None for no reading."""
        if value is None:
            return math.nan if quality in MAY_LACK_VALUE else None
        return self._values.number(value, point)


def _plain(numbers: list[Any]) -> bool:
    """Return whether all are finite numbers."""
    try:
        return _NUMBERS.issuperset(map(type, numbers)) and all(map(math.isfinite, numbers))
    except OverflowError:  # an integer of JSON may have 300 digits and more
        return False


_EXPECTED = {
    "a point's topic": 'a number or an object with "value"',
    "a unit's topic": 'an object with "values"',
    "the site's topic": 'an object with "values", or with "points", "ts" and "value"',
}


def _wrong_form(body: Any, topic: str) -> RefusedError:
    """Return the refusal of a body that is no form of the topic."""
    found = (
        f"an object with {', '.join(map(shown, list(body)[:5])) or 'no key'}"
        if type(body) is dict
        else shown(body)
    )
    known = type(body) is not dict or not body.keys().isdisjoint({"value", "values", "points"})
    return RefusedError(
        RejectReason.WRONG_FORM if known else RejectReason.MALFORMED,
        f"the message on {topic} is {found}; {_EXPECTED[topic]} was expected.",
    )
